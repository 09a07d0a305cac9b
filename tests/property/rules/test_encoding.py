"""What the linter solves is what the tracer works out: on random packs, on the shipped one, and for its witnesses.

PERINATAL_EXAMPLES sets how many packs are tried (default 300).
"""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.engine.check_facts import FactChecker
from rules.engine.parameters import Values
from rules.engine.tracer import Situation, Tracer
from tests.property.rules.languages import AS_OF, Draw

z3 = pytest.importorskip("z3")

from rules.tools.lint.encoding import Encoder  # noqa: E402 - z3 may be missing

CHECKS = settings(max_examples=int(os.environ.get("PERINATAL_EXAMPLES", "300")), deadline=None)
SEEDS = st.integers(0, 2**63)


def encoded_truth(encoder, condition, facts):
    truths = encoder.truths(condition)
    pairs = [pair for name in facts for pair in encoder.fixed(facts[name])]
    pairs = [(variable, value) for variable, value in pairs]
    certain = [z3.simplify(z3.substitute(formula, *pairs)) for formula in (truths.true, truths.false)]
    assert not (z3.is_true(certain[0]) and z3.is_true(certain[1]))
    assert all(z3.is_true(each) or z3.is_false(each) for each in certain)
    return True if z3.is_true(certain[0]) else False if z3.is_true(certain[1]) else None


@CHECKS
@given(SEEDS)
def test_a_random_pack_means_the_same_to_the_solver_and_to_the_tracer(seed):
    draw = Draw(seed)
    named, declarations, parameters, _, _ = draw.pack(rules=4)
    values, checker = Values(parameters, AS_OF), FactChecker(declarations)
    tracer, encoder = Tracer(declarations, values, checker.missing), Encoder(declarations, values, AS_OF)
    nodes = {name: tracer.compile(each.condition) for name, each in named.items()}
    for name in named:
        encoder.truths(named[name].condition)
    for _ in range(3):
        complete, telling = checker.complete(draw.facts())
        situation = Situation(tracer, complete, AS_OF, telling)
        for name, each in named.items():
            assert encoded_truth(encoder, each.condition, complete) is situation.truths[nodes[name].place]
