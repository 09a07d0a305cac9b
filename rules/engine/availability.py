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

    def closes(self, service: str, priority: str) -> bool:
        """Whether something of this priority is an emergency for a service that is closed."""
        return service in self._given.closed and RANK[priority] >= RANK[EMERGENCY]

    def amiss(self, service: str, priority: str) -> Iterator[str]:
        """What must be known before a service is spoken to, or of: that it is not there for her, that it is closed."""
        if self.replaces(service):
            yield f"{self._not_there(service)}: what it cannot take goes to {self._label(self.nearest(service))}."
        if self.closes(service, priority):
            yield f"{self._closed(service)}."

    def fall_back(self, draft: Draft, gathering: Gathering) -> None:
        """Move a referral to the nearest fallback that is offered and covers her, and say so."""
        wanted, service, offers = draft.service, draft.service, self._offers
        if offers is not None and wanted not in offers.value:
            draft.shaped_by(self._policy("offers", f"{self._label(wanted)} is not offered", offers, draft))
        for service, own in self._chain(wanted):
            if own:
                draft.shaped_by(self._policy("fallbacks", f"{self._label(service)} takes over", own, draft))
        text = f"{self._not_there(wanted)}: {self._label(service)} takes its place"
        gathering.issue(IssueSpec(NO_SERVICE, "warning", text), draft.rule.id)
        draft.service = service
        draft.say(f"{text}.")

    def beside_closed(self, draft: Draft, gathering: Gathering) -> list[Draft]:
        """The same emergency for whoever takes it while the service is closed, with the same words on both.

        Where nobody who takes it is open, that is said on each of them and as an issue.
        """
        text, elsewhere = self._closed(draft.service), self._given.closed[draft.service]
        draft.say(f"{text}.")
        if not self._open_for(draft.service)[1]:
            gathering.issue(IssueSpec(NO_SERVICE, "warning", text), draft.rule.id)
        if not elsewhere:
            return []
        beside = replace(draft, service=elsewhere)
        if own := self._provider.in_force(self._provider.hours.get(draft.service, ()), self._as_of):
            says = f"{self._label(elsewhere)} takes emergencies when {self._label(draft.service)} is closed"
            beside.shaped_by(self._policy("hours", says, own, draft))
        return [beside]

    def _closed(self, service: str) -> str:
        """That a service is closed, with who takes its emergencies; those that are closed as well are named with it."""
        closed, taker = self._open_for(service)
        here = " and ".join(self._label(key) for key in self._services if key in closed)
        are, their = ("is", "its") if len(closed) == 1 else ("are", "their")
        if taker:
            return f"{here} {are} closed at this time: {self._label(taker)} takes {their} emergencies"
        return (
            f"{here} {are} closed at this time, and no other service takes {their} emergencies: "
            "a person must find who sees her now"
        )

    def _open_for(self, service: str) -> tuple[list[str], str]:
        """The services that are closed one after another from this one on, and the open one after them ("": none)."""
        closed = [service]
        while then := self._given.closed[closed[-1]]:
            then = self.nearest(then)
            if then in closed:
                return closed, ""
            if then not in self._given.closed:
                return closed, then
            closed.append(then)
        return closed, ""

    def _chain(self, service: str) -> Iterator[tuple[str, Dated | None]]:
        """The fallbacks one after another, to the first that is there, each with the policy that says so, if any."""
        while self.replaces(service):
            found, own = fallback(self._provider, self._services, service, self._as_of)
            service = found or LAST_RESORT
            yield service, own

    def _not_there(self, service: str) -> str:
        offered = self._offers is None or service in self._offers.value
        why = "does not cover her by the directory" if offered else "is not offered by this provider"
        return f"{self._label(service)} {why}"

    def _takes(self, service: str) -> bool:
        return (self._offers is None or service in self._offers.value) and service not in self._given.uncovered

    def _label(self, service: str) -> str:
        return self._services[service].label

    def _policy(self, name: str, says: str, own: Dated, draft: Draft) -> Policy:
        return Policy(name, says, self._provider.name, since(own), draft.rule.id)
