"""Both evaluators and an independent reference agree on random packs and random facts.

PERINATAL_EXAMPLES sets how many packs are tried (default 300; each with several sets of facts).
"""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from languages import AS_OF, FACTS, packs, reference  # noqa: E402

from rules import ContentError, State  # noqa: E402
from rules.engine.check_facts import FactChecker  # noqa: E402
from rules.engine.compile_durable import compile_durable  # noqa: E402
from rules.engine.parameters import Values  # noqa: E402
from rules.engine.session import DurableSession  # noqa: E402
from rules.engine.trace import missing, support, trace  # noqa: E402
from rules.engine.tracer import Situation, Tracer  # noqa: E402

EXAMPLES = int(os.environ.get("PERINATAL_EXAMPLES", "300"))
CHECKS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@CHECKS
@given(packs(), st.lists(FACTS, min_size=1, max_size=4))
def test_tracer_durable_and_reference_agree(pack, people):
    named, declarations, parameters, raw, derived = pack
    values, checker = Values(parameters, AS_OF), FactChecker(declarations)
    tracer = Tracer(declarations, values)
    nodes = {name: tracer.compile(each.condition) for name, each in named.items()}
    try:
        program = compile_durable(named, declarations, values)
    except ContentError:
        assume(False)
    session = DurableSession(program, checker.missing)
    try:
        for facts in people:
            complete = checker.complete(facts)
            situation = Situation(complete, AS_OF)
            traced = {name: node.truth(situation) for name, node in nodes.items()}
            expected = {name: reference(data, complete, derived) for name, data in raw.items()}
            assert traced == expected
            certain = {name for name, truth in expected.items() if truth is True}
            assert session.true_names(complete, AS_OF, facts) == certain
            for name, node in nodes.items():
                assert trace(node, situation, declarations).truth is expected[name]
                lacking = missing(node, situation, declarations)
                assert bool(lacking) == (expected[name] is None)
                assert all(fact.state is State.KNOWN or fact.older is not None for fact in support(node, situation))
    finally:
        session.close()


@CHECKS
@given(packs(rules=2), FACTS, st.dates(date(2023, 1, 1), date(2025, 12, 31)))
def test_a_fact_that_becomes_known_never_turns_a_certain_answer_round(pack, facts, as_of):
    """Kleene logic is monotone: only ``unless``, ``known``, ``missing`` and ``older`` may notice that a fact is new."""
    named, declarations, parameters, raw, derived = pack
    assume(not any(word in str((raw, derived)) for word in ("unless", "known", "missing", "older", "recorded")))
    tracer = Tracer(declarations, Values(parameters, as_of))
    unknown = {name: type(fact)(name, State.UNKNOWN) if fact.state is State.KNOWN else fact for name, fact in facts.items()}
    for each in named.values():
        node = tracer.compile(each.condition)
        before, after = node.truth(Situation(unknown, as_of)), node.truth(Situation(facts, as_of))
        assert before is None or before is after
