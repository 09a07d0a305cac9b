"""Everything that an explanation tells of one person: the decision, the record, and what it turned on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapter.records import MappedBundle
from adapter.referrals.phrases import Phrases
from adapter.referrals.routing import catchment_of
from rules import Decision, FactDeclaration

if TYPE_CHECKING:
    from rules import Pack
    from rules.whatif import Turning, Unknown, WhatIf


@dataclass(frozen=True, slots=True)
class Explained:
    """``turned`` and ``sends`` (the services a rule can refer her to, or who takes over) are by rule.

    ``patient`` is her Patient's entry.
    """

    decision: Decision
    record: MappedBundle
    patient: int
    phrases: Phrases
    facts: Mapping[str, FactDeclaration]
    turned: Mapping[str, tuple[Turning, ...]]
    sends: Mapping[str, tuple[str, ...]]
    unknowns: tuple[Unknown, ...]
    steps: Mapping[str, str]  # the titles of the steps of the second stage
    catchment: str  # what of her decides which team covers her

    def title(self, rule: str) -> str:
        return self.decision.outcome(rule).title


def work_out(
    decision: Decision, record: MappedBundle, patient: int, pack: Pack, what_if: WhatIf, rule: str | None = None
) -> Explained:
    """Work out what the decision turned on; of one ``rule`` alone, where one is asked for. KeyError: no such rule."""
    chosen = decision.outcomes if rule is None else (decision.outcome(rule),)
    facts = pack.fact_declarations
    return Explained(
        decision,
        record,
        patient,
        Phrases(facts, pack.services, decision.as_of),
        facts,
        {outcome.rule: what_if.turned_on(decision, outcome.rule) for outcome in chosen},
        {outcome.rule: what_if.services(outcome.rule, decision) for outcome in chosen},
        what_if.unknowns(decision),
        {step.id: step.title for step in pack.content.steps},
        catchment_of(pack.policy, decision.as_of),
    )
