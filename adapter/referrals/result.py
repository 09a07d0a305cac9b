"""The last stage: a decision and the record it was made on → the result Bundle of the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from adapter.fhir.validate import validate_entries
from adapter.records import Issue, MappedBundle, Resource
from adapter.referrals.account import accounted, outside_window
from adapter.referrals.excerpt import Excerpt
from adapter.referrals.guidance import guidance_response, outcome_entry, rule_statuses
from adapter.referrals.lineage import place
from adapter.referrals.provenance import origin, provenance
from adapter.referrals.requests import flag, restrict, service_request, task
from adapter.referrals.routing import NOT_ROUTED, Routing
from adapter.referrals.scope import Quote, Scope, device, fresh, patient_key
from adapter.referrals.services import Destination, destination, healthcare_service
from adapter.referrals.wanted import Wanted, task_reasons
from rules import PRIORITIES, Decision, Fact, ProposedFlag, ProposedReferral, ProposedTask, Service

_NOTHING_KNOWN: Mapping[str, Wanted] = {}

PROPOSALS = frozenset({"ServiceRequest", "Task", "Flag"})
"""What leaves for another system. All else in a result is quoted, or has a form that no record can change."""


def build_result(
    record: MappedBundle,
    patient_index: int,
    decision: Decision,
    issues: Sequence[Issue],
    services: Mapping[str, Service],
    base: str,
    *,
    facts: Mapping[str, Wanted] = _NOTHING_KNOWN,
    digest: str = "",
    known: Routing = NOT_ROUTED,
) -> Resource:
    """The result Bundle (type collection): self-contained, every resource with a profile, same in → same bytes.

    ``patient_index`` is the entry of the record's Bundle that holds her; ``issues`` are all that came up on the way
    (reading, mapping, facts); ``facts`` describes the pack's facts (``compile_wanted``); ``digest`` is the SHA-256 of
    the record's bytes in hexadecimal, or ""; ``known`` is what directory and policy say of the services for her.

    Entries: Patient, ServiceRequests (most urgent first), Tasks, Flags, GuidanceResponse, its Parameters,
    OperationOutcome (where there is something to say), HealthcareServices, Device, Provenances, then the evidence in
    the record's order. Parts of it are shared with the record and with other results: do not change it in place.
    """
    patient = record.bundle["entry"][patient_index]
    key = patient_key(patient["resource"], patient.get("fullUrl", ""))
    excerpt = Excerpt(record, key)
    software = device()
    scope = Scope(base, key, decision, excerpt.url(patient_index), software["fullUrl"])

    draft = _Draft(record, excerpt, scope, services, origin(record, digest), known)
    for referral in sorted(decision.referrals, key=lambda r: -PRIORITIES.index(r.priority)):
        draft.add_referral(referral)
    for proposed in decision.tasks:
        draft.add_task(proposed, facts)
    for alert in decision.flags:
        draft.add_flag(alert)

    statuses = rule_statuses(scope)
    outcome = outcome_entry(scope, issues)
    guidance = guidance_response(scope, facts, statuses["fullUrl"], outcome["fullUrl"] if outcome else None)
    person, evidence = excerpt.entries(patient_index)
    entries = [
        person,
        *draft.requests.values(),
        *draft.tasks,
        *draft.flags,
        guidance,
        statuses,
        *([outcome] if outcome else ()),
        *draft.services.values(),
        software,
        *draft.provenances,
        *evidence,
    ]
    bundle: Resource = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    named = (*(r.service for r in decision.referrals), *(t.service for t in decision.tasks))
    codes = [*named, *(f.code for f in decision.flags)]
    result: Resource = scope.entry(restrict(bundle, codes))["resource"]
    return result


def flaws(result: Resource) -> tuple[Issue, ...]:
    """What is not valid FHIR R4 in the proposals; what they quote was checked as the record was read."""
    return tuple(found for found in validate_entries(result, PROPOSALS) if found.severity == "error")


class _Draft:
    """The proposals of one result as they are written, each with its Provenance and what it points at."""

    def __init__(
        self,
        record: MappedBundle,
        excerpt: Excerpt,
        scope: Scope,
        described: Mapping[str, Service],
        source: list[Resource],
        known: Routing,
    ) -> None:
        self._record, self._excerpt = record, excerpt
        self._scope, self._described, self._source, self._known = scope, described, source, known
        self._outcomes = {outcome.rule: outcome for outcome in scope.decision.outcomes}
        self.requests: dict[str, Resource] = {}
        self.tasks: list[Resource] = []
        self.flags: list[Resource] = []
        self.services: dict[str, Resource] = {}
        self.provenances: list[Resource] = []

    def add_referral(self, referral: ProposedReferral) -> None:
        quotes = self._quotes(referral.facts)
        account = accounted(referral, self._known, self._described)
        to = destination(referral.service, self._described.get(referral.service))
        performer = self._service(to) if account.performed else None
        told = (*outside_window(referral, self._scope.decision), *account.notes)
        request = service_request(self._scope, referral, to, performer, quotes, told)
        self.requests[referral.service] = request
        self._account(request, referral.rules, quotes, account.entities)

    def add_task(self, proposed: ProposedTask, facts: Mapping[str, Wanted]) -> None:
        known = self._scope.decision.facts
        asked = [known[name] for name in proposed.facts if name in known]
        quotes = self._quotes([*proposed.because, *asked])
        why = task_reasons(proposed, facts, known)
        made = task(self._scope, proposed, why, self._focus(proposed.service), quotes)
        self.tasks.append(made)
        self._account(made, proposed.rules, quotes)

    def add_flag(self, proposed: ProposedFlag) -> None:
        made = flag(self._scope, proposed)
        self.flags.append(made)
        self._account(made, proposed.rules, self._quotes(self._grounds(proposed.rules)))

    def _grounds(self, rules: tuple[str, ...]) -> list[Fact]:
        return [fact for rule in rules if rule in self._outcomes for fact in self._outcomes[rule].facts]

    def _focus(self, service: str) -> str | None:
        if not service:
            return None
        entry = self.requests.get(service) or self._service(destination(service, self._described.get(service)))
        url: str = entry["fullUrl"]
        return url

    def _service(self, to: Destination) -> Resource:
        found = self.services.get(to.key)
        if found is None:
            route, hours = self._known.routes.get(to.key), self._known.told_hours(to.key)
            kept = healthcare_service(self._scope.base, self._scope.decision.provider, to, route, hours)
            found = self.services[to.key] = fresh(kept)
        return found

    def _quotes(self, facts: Iterable[Fact]) -> list[Quote]:
        """What these facts lie in, in order, each element once."""
        found: dict[int, dict[str, str]] = {}
        for fact in facts:
            for evidence in fact.evidence:
                places = found.setdefault(evidence.entry, {})
                if evidence.path not in places:
                    places[evidence.path] = place(self._record, evidence)
        return [(*self._excerpt.quote(at), "; ".join(places.values())) for at, places in found.items()]

    def _account(
        self, target: Resource, rules: tuple[str, ...], quotes: Sequence[Quote], used: Sequence[Resource] = ()
    ) -> None:
        self.provenances.append(provenance(self._scope, target, rules, self._source, quotes, used))
