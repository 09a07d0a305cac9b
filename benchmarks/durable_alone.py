"""The rules in durable_rules with no second evaluator, second stage or trace: what the engine is held to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from rules import Fact, Pack
from rules.engine.check_facts import FactChecker
from rules.engine.compile_durable import compile_durable
from rules.engine.names import named_conditions
from rules.engine.parameters import Values
from rules.engine.session import DurableSession


class DurableAlone:
    """Facts in, the names of the conditions that are true out."""

    def __init__(self, pack: Pack, facts: Mapping[str, Fact], as_of: date) -> None:
        content, checker = pack.content, FactChecker(pack.content.facts)
        program = compile_durable(named_conditions(content), content.facts, Values(content.parameters, as_of))
        self._session = DurableSession(program, checker.missing)
        self._facts, self._telling = checker.complete(facts)
        self._as_of = as_of

    def run(self) -> set[str]:
        return self._session.true_names(self._facts, self._as_of, self._telling)
