"""The last step: whether a referral's service is offered, covers her and is open, and who takes it where not.

Which services cover a person, and which are closed, is the caller's to know: it has the directory and the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from rules.engine.content import Dated, IssueSpec, Provider, Service
from rules.engine.load_provider import fallback
from rules.engine.model import Policy
from rules.engine.parameters import since
from rules.engine.proposals import RANK, Draft, Gathering

LAST_RESORT = "gp"
NO_SERVICE = "no-service-covers"
EMERGENCY = "asap"  # from this priority on, a closed service is not enough


@dataclass(frozen=True, slots=True)
class Availability:
    """Service keys that cover her nowhere, and those closed at the time asked about with who takes emergencies."""

    uncovered: frozenset[str] = frozenset()
    closed: Mapping[str, str] = field(default_factory=dict)


EVERYWHERE = Availability()


class Availabilities:
    """Moves referrals to services that there are. None is ever lost: the GP takes what nobody else does."""

    def __init__(self, provider: Provider, services: Mapping[str, Service]) -> None:
        self._provider = provider
        self._services = services

    def settle(self, drafts: list[Draft], as_of: date, given: Availability, gathering: Gathering) -> list[Draft]:
        """Each referral at a service that takes it, and emergencies for a closed service elsewhere as well."""
        settled = []
        offers = self._provider.in_force(self._provider.offers, as_of)
        for draft in drafts:
            moved = self._covered(draft, offers, as_of, given, gathering)
            settled.append(moved)
            elsewhere = given.closed.get(moved.service)
            if elsewhere is None or RANK[moved.priority] < RANK[EMERGENCY]:
                continue
            if elsewhere:
                settled[-1], beside = self._closed(moved, elsewhere, as_of)
                settled.append(self._covered(beside, offers, as_of, given, gathering))
            else:
                text = (
                    f"{self._label(moved.service)} is closed at this time, and no other service takes its emergencies"
                )
                gathering.issue(IssueSpec(NO_SERVICE, "warning", text), moved.rule.id)
        return settled

    def _covered(
        self, draft: Draft, offers: Dated | None, as_of: date, given: Availability, gathering: Gathering
    ) -> Draft:
        """The referral, at the nearest fallback that is offered and covers her."""
        if self._takes(draft.service, offers, given):
            return draft
        service, policies = draft.service, list(draft.policies)
        if offers and service not in offers.value:
            policies.append(self._policy("offers", f"{self._label(service)} is not offered", offers, draft))
        while service != LAST_RESORT and not self._takes(service, offers, given):
            service, own = self._next(service, as_of)
            if own:
                policies.append(self._policy("fallbacks", f"{self._label(service)} takes over", own, draft))
        if service == draft.service:
            return draft
        not_offered = offers is not None and draft.service not in offers.value
        why = "is not offered by this provider" if not_offered else "does not cover her by the directory"
        text = f"{self._label(draft.service)} {why}: referred to {self._label(service)}"
        gathering.issue(IssueSpec(NO_SERVICE, "warning", text), draft.rule.id)
        return replace(draft, service=service, policies=tuple(policies), notes=(*draft.notes, f"{text}."))

    def _takes(self, service: str, offers: Dated | None, given: Availability) -> bool:
        return (offers is None or service in offers.value) and service not in given.uncovered

    def _next(self, service: str, as_of: date) -> tuple[str, Dated | None]:
        found, own = fallback(self._provider, self._services, service, as_of)
        return found or LAST_RESORT, own

    def _closed(self, draft: Draft, elsewhere: str, as_of: date) -> tuple[Draft, Draft]:
        here, there = self._label(draft.service), self._label(elsewhere)
        own = self._provider.in_force(self._provider.hours.get(draft.service, ()), as_of)
        policies = draft.policies
        if own:
            policies = (
                *policies,
                self._policy("hours", f"{there} takes emergencies when {here} is closed", own, draft),
            )
        told = f"{here} is closed at this time: {there} is asked as well."
        asked = f"{here} is closed at this time: this is for {there} now."
        return (
            replace(draft, notes=(*draft.notes, told)),
            replace(draft, service=elsewhere, notes=(*draft.notes, asked), policies=policies),
        )

    def _label(self, service: str) -> str:
        return self._services[service].label

    def _policy(self, name: str, says: str, own: Dated, draft: Draft) -> Policy:
        return Policy(name, says, self._provider.name, since(own), draft.rule.id)
