"""Both evaluators and an independent reference agree on random packs and random facts.

PERINATAL_EXAMPLES sets how many packs are tried (default 300; each with several sets of facts).
"""

from __future__ import annotations

import os
from datetime import date, timedelta

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from rules import ContentError, Fact, State
from rules.engine.check_facts import FactChecker
from rules.engine.compile_durable import compile_durable
from rules.engine.parameters import Values
from rules.engine.session import DurableSession
from rules.engine.trace import missing, support, trace
from rules.engine.tracer import Situation, Tracer
from tests.property.rules.languages import AS_OF, Draw, build, reference

CHECKS = settings(max_examples=int(os.environ.get("PERINATAL_EXAMPLES", "300")), deadline=None)
SEEDS = st.integers(0, 2**63)


@CHECKS
@given(SEEDS)
def test_tracer_durable_and_reference_agree(seed):
    draw = Draw(seed)
    named, declarations, parameters, raw, derived = draw.pack()
    values, checker = Values(parameters, AS_OF), FactChecker(declarations)
    tracer = Tracer(declarations, values, checker.missing)
    nodes = {name: tracer.compile(each.condition) for name, each in named.items()}
    try:
        program = compile_durable(named, declarations, values)
    except ContentError:  # too many alternatives for durable_rules: refused on load
        reject()
    session = DurableSession(program, checker.missing)
    try:
        for _ in range(4):
            facts = draw.facts()
            complete, telling = checker.complete(facts)
            situation = Situation(tracer, complete, AS_OF, telling)
            traced = {name: situation.truths[node.place] for name, node in nodes.items()}
            expected = {name: reference(data, complete, derived) for name, data in raw.items()}
            assert traced == expected
            certain = {name for name, truth in expected.items() if truth is True}
            assert session.true_names(complete, AS_OF, telling) == certain
            for name, node in nodes.items():
                assert trace(node, situation).truth is expected[name]
                assert bool(missing(node, situation, declarations)) == (expected[name] is None)
                assert all(fact.state is State.KNOWN or fact.older is not None for fact in support(node, situation))
    finally:
        session.close()


@CHECKS
@given(SEEDS)
def test_a_fact_that_becomes_known_never_turns_a_certain_answer_round(seed):
    """Kleene logic is monotone: only ``unless``, ``known``, ``missing`` and what is dated may notice a new fact."""
    draw = Draw(seed)
    not_monotone = ("unless", "known", "missing", "recorded")
    drawn = [draw.condition(depth=2) for _ in range(20)]
    conditions = {f"r{i}": data for i, data in enumerate(drawn) if not any(word in str(data) for word in not_monotone)}
    named, declarations, parameters, _, _ = build(conditions, {})
    as_of = date(2023, 1, 1) + timedelta(days=draw.rng.randint(0, 1000))
    checker = FactChecker(declarations)
    tracer = Tracer(declarations, Values(parameters, as_of), checker.missing)
    facts, _ = checker.complete(draw.facts())
    nodes = [tracer.compile(each.condition) for each in named.values()]
    hidden = {
        name: Fact(name, State.UNKNOWN, older=fact.older, older_on=fact.older_on) if fact.state is State.KNOWN else fact
        for name, fact in facts.items()
    }
    before, after = Situation(tracer, hidden, as_of, hidden).truths, Situation(tracer, facts, as_of, facts).truths
    for node in nodes:
        assert before[node.place] is None or before[node.place] is after[node.place]
