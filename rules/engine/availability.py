"""Whether a referral's service is offered, covers her and is open, and who takes it where not.

Which services cover a person, and which are closed, is the caller's to know: it has the directory and the clock. When
in the second stage it is asked about is the pack's to say (``fall_back`` and ``when_closed``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from rules.engine.content import Dated, IssueSpec, Provider, Service
from rules.engine.load_provider import fallback
from rules.engine.model import EVERYWHERE, Availability, Policy
from rules.engine.parameters import since
from rules.engine.proposals import RANK, Draft, Gathering

LAST_RESORT = "gp"
NO_SERVICE = "no-service-covers"
EMERGENCY = "asap"  # from this priority on, a closed service is not enough


class Services:
    """The services there are for one person on one day. Nothing is ever lost: the GP takes what nobody else does."""

    def __init__(
        self, provider: Provider, services: Mapping[str, Service], as_of: date, given: Availability = EVERYWHERE
    ) -> None:
        self._provider = provider
        self._services = services
        self._as_of = as_of
        self._given = given
        self._offers = provider.in_force(provider.offers, as_of)

    @property
    def all_there(self) -> bool:
        """Whether every service is offered and covers her."""
        return self._offers is None and not self._given.uncovered

    @property
    def all_open(self) -> bool:
        return not self._given.closed

    def replaces(self, service: str) -> bool:
        """Whether another service takes over from this one."""
        return service != LAST_RESORT and not self._takes(service)

    def nearest(self, service: str) -> str:
        """The service itself where it is there, else the one that takes over."""
        for taken_over, _ in self._chain(service):
            service = taken_over
        return service

    def closes(self, draft: Draft) -> bool:
        """Whether a referral is an emergency to a service that is closed."""
        return draft.service in self._given.closed and RANK[draft.priority] >= RANK[EMERGENCY]

    def fall_back(self, draft: Draft, gathering: Gathering) -> None:
        """Move a referral to the nearest fallback that is offered and covers her, and say so."""
        wanted, service, offers = draft.service, draft.service, self._offers
        not_offered = offers is not None and wanted not in offers.value
        if offers and not_offered:
            draft.shaped_by(self._policy("offers", f"{self._label(wanted)} is not offered", offers, draft))
        for service, own in self._chain(wanted):
            if own:
                draft.shaped_by(self._policy("fallbacks", f"{self._label(service)} takes over", own, draft))
        why = "is not offered by this provider" if not_offered else "does not cover her by the directory"
        text = f"{self._label(wanted)} {why}: {self._label(service)} takes its place"
        gathering.issue(IssueSpec(NO_SERVICE, "warning", text), draft.rule.id)
        draft.service = service
        draft.say(f"{text}.")

    def beside_closed(self, draft: Draft, gathering: Gathering) -> list[Draft]:
        """The same emergency for whoever takes it while the service is closed; where nobody does, that is said."""
        here, elsewhere = self._label(draft.service), self._given.closed[draft.service]
        if not elsewhere:
            text = f"{here} is closed at this time, and no other service takes its emergencies"
            gathering.issue(IssueSpec(NO_SERVICE, "warning", text), draft.rule.id)
            return []
        there = self._label(elsewhere)
        beside = replace(draft, service=elsewhere)
        draft.say(f"{here} is closed at this time: {there} is asked as well.")
        beside.say(f"{here} is closed at this time: this is for {there} now.")
        if own := self._provider.in_force(self._provider.hours.get(draft.service, ()), self._as_of):
            beside.shaped_by(self._policy("hours", f"{there} takes emergencies when {here} is closed", own, draft))
        return [beside]

    def _chain(self, service: str) -> Iterator[tuple[str, Dated | None]]:
        """The fallbacks one after another, to the first that is there, each with the policy that says so, if any."""
        while self.replaces(service):
            found, own = fallback(self._provider, self._services, service, self._as_of)
            service = found or LAST_RESORT
            yield service, own

    def _takes(self, service: str) -> bool:
        return (self._offers is None or service in self._offers.value) and service not in self._given.uncovered

    def _label(self, service: str) -> str:
        return self._services[service].label

    def _policy(self, name: str, says: str, own: Dated, draft: Draft) -> Policy:
        return Policy(name, says, self._provider.name, since(own), draft.rule.id)
