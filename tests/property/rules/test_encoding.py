"""What the linter solves is what the tracer works out: on random packs, on the shipped one, and for its witnesses.

PERINATAL_EXAMPLES sets how many packs are tried (default 300; a third of them here, a tenth where something is solved).
"""

from __future__ import annotations

import os
import random
from datetime import date, timedelta
from pathlib import Path

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import LIBRARY, DateSpan, DaySpan, Fact, State
from rules.engine.check_facts import FactChecker
from rules.engine.content import Content, Provider
from rules.engine.loader import load_content
from rules.engine.names import named_conditions
from rules.engine.parameters import Values
from rules.engine.tracer import Situation, Tracer
from rules.tools.lint.encoding import Encoder
from rules.tools.lint.solver import Solver
from tests.property.rules.languages import AS_OF, Draw

EXAMPLES = int(os.environ.get("PERINATAL_EXAMPLES", "300"))
SEEDS = st.integers(0, 2**63)


class Encoded:
    """Conditions as formulas, to be asked about facts."""

    def __init__(self, named, declarations, values, as_of):
        self.names, self.encoder = list(named), Encoder(declarations, values, as_of)
        pairs = [self.encoder.truths(each.condition) for each in named.values()]
        formulas = [formula for pair in pairs for formula in (pair.true, pair.false)]
        together = z3.Function("together", *[z3.BoolSort()] * (len(formulas) + 1))
        self.whole = together(*formulas)  # what the formulas share is then worked out once

    def truths(self, facts):
        fixed = [pair for fact in facts.values() for pair in self.encoder.fixed(fact)]
        found = z3.simplify(z3.substitute(self.whole, *fixed)).children()
        assert all(z3.is_true(each) or z3.is_false(each) for each in found)
        certain = list(map(z3.is_true, found))
        pairs = dict(zip(self.names, zip(certain[::2], certain[1::2], strict=True), strict=True))
        assert (True, True) not in pairs.values()
        return {name: True if true else False if false else None for name, (true, false) in pairs.items()}


class Traced:
    """Conditions in the tracer, to be asked about facts."""

    def __init__(self, named, declarations, values, as_of):
        self.checker, self.as_of = FactChecker(declarations), as_of
        self.tracer = Tracer(declarations, values, self.checker.missing)
        self.places = {name: self.tracer.compile(each.condition).place for name, each in named.items()}

    def truths(self, facts):
        complete, telling = self.checker.complete(facts)
        situation = Situation(self.tracer, complete, self.as_of, telling)
        return complete, {name: situation.truths[place] for name, place in self.places.items()}


@settings(max_examples=max(EXAMPLES // 3, 1), deadline=None)
@given(SEEDS)
def test_a_random_pack_means_the_same_to_the_solver_and_to_the_tracer(seed):
    draw = Draw(seed)
    named, declarations, parameters, _, _ = draw.pack(rules=4)
    values = Values(parameters, AS_OF)
    traced, encoded = Traced(named, declarations, values, AS_OF), Encoded(named, declarations, values, AS_OF)
    for _ in range(3):
        complete, truths = traced.truths(draw.facts())
        assert encoded.truths(complete) == truths


@settings(max_examples=max(EXAMPLES // 10, 1), deadline=None)
@given(SEEDS)
def test_what_the_solver_shows_is_so_and_what_it_excludes_is_never_met(seed):
    draw = Draw(seed)
    named, declarations, parameters, _, _ = draw.pack(rules=3)
    values = Values(parameters, AS_OF)
    provider = Provider("home", "Home")
    content = Content(Path(), "p", "1", "P", provider, declarations, parameters, {}, (), (), ())
    solver, traced = Solver(content, AS_OF), Traced(named, declarations, values, AS_OF)
    seen = [traced.truths(draw.facts())[1] for _ in range(12)]
    for name, each in named.items():
        truths = solver.truths(each.condition)
        wanted = {True: truths.true, False: truths.false, None: solver.encoder.neither(truths)}
        for truth, formula in wanted.items():
            if solver.possible(formula):
                shown = solver.witness(formula)
                if all(type(value) is not float for fact in shown for value in (fact.value, fact.older)):
                    assert traced.truths({fact.name: fact for fact in shown})[1][name] is truth
            else:
                assert truth not in {truths[name] for truths in seen}


SHIPPED = load_content(LIBRARY)
SHIPPED_DAY = date(2026, 3, 2)


def drawn(declaration, rng):
    """A fact of the shipped pack, near its thresholds; {} where it is not given."""
    if declaration.derive is not None or rng.random() < 0.4:
        return {}

    def day():
        return SHIPPED_DAY - timedelta(
            days=rng.choice([-1, 0, 1, 27, 28, 29, 56, 57, 90, 91, 365, 730, 731, rng.randint(-300, 900)])
        )

    def value():
        low, high = declaration.range or (0, 40)
        if declaration.type == "boolean":
            return rng.random() < 0.6
        if declaration.type == "codes":
            return frozenset(rng.sample(["gp", "crisis-team", "all"], rng.randint(0, 2)))
        if declaration.type == "date":
            return DateSpan(*sorted((day(), day()))) if rng.random() < 0.3 else DateSpan(*[day()] * 2)
        number = rng.randint(int(low), int(high))
        return DaySpan(number, min(number + rng.randint(0, 20), int(high))) if declaration.type == "days" else number

    state = rng.choice([State.KNOWN, State.KNOWN, State.KNOWN, State.ABSENT, State.UNKNOWN])
    older = value() if rng.random() < 0.2 else None
    on, older_on = (day() if rng.random() < 0.7 else None for _ in range(2))
    return {
        declaration.name: Fact(
            declaration.name, state, value() if state is State.KNOWN else None, on, (), "", older, older_on
        )
    }


@pytest.fixture(scope="module")
def shipped():
    named, values = named_conditions(SHIPPED), Values(SHIPPED.parameters, SHIPPED_DAY)
    parts = (named, SHIPPED.facts, values, SHIPPED_DAY)
    return Traced(*parts), Encoded(*parts)


@settings(max_examples=max(EXAMPLES // 3, 1), deadline=None)
@given(seed=SEEDS)
def test_the_shipped_pack_means_the_same_to_the_solver_and_to_the_tracer(shipped, seed):
    traced, encoded = shipped
    rng = random.Random(seed)  # noqa: S311 - chance for tests, not for secrets
    facts = {}
    for declaration in SHIPPED.facts.values():
        facts |= drawn(declaration, rng)
    complete, truths = traced.truths(facts)
    assert encoded.truths(complete) == truths
