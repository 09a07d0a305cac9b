"""ServiceRequest, Task and Flag: what a person is asked to accept, to do or to know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adapter.records import Resource
from adapter.referrals.scope import SNOMED, Quote, Scope, reference
from adapter.referrals.services import Destination, referral_code, service_type
from adapter.referrals.terms import concept, display, reason
from rules import ProposedFlag, ProposedReferral, ProposedTask

REASON_TYPES = frozenset({"Condition", "Observation", "DiagnosticReport", "DocumentReference"})
"""What ServiceRequest.reasonReference may point at (FHIR R4); other evidence is supportingInfo."""

CONFIDENTIAL = frozenset({"safeguarding-concern", "safeguarding"})
"""Flags and services whose resources carry the security label R: not for every eye that may see the record."""

RESTRICTED: Resource = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "code": "R",
    "display": "restricted",
}

_TRIGGERED = {
    "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-SourceOfServiceRequest",
    "valueCodeableConcept": {
        "coding": [{"system": SNOMED, "code": "109721000000108", "display": "Referred by trigger criteria"}]
    },
}


def service_request(
    scope: Scope,
    referral: ProposedReferral,
    to: Destination,
    performer: Resource | None,
    quotes: Sequence[Quote],
    told: Sequence[str] = (),
) -> Resource:
    """The entry of a referral. ``quotes`` are what its reasons rest on; she herself is no reason.

    ``performer`` is the entry of the HealthcareService, None where it is not known; ``told`` are notes besides
    those of the rules.
    """
    reasons: list[Resource] = []
    others: list[Resource] = []
    for kind, url, _ in quotes:
        if url != scope.patient:
            (reasons if kind in REASON_TYPES else others).append({"reference": url})
    resource: Resource = {
        "resourceType": "ServiceRequest",
        "extension": [_TRIGGERED],
        "instantiatesCanonical": scope.rules(referral.rules),
        "status": "draft",
        "intent": "proposal",
        "priority": referral.priority,
        "code": referral_code(to),
        "subject": scope.subject,
        "occurrencePeriod": {"start": referral.start.isoformat(), "end": referral.end.isoformat()},
        "authoredOn": scope.day,
        "requester": scope.device,
        "performerType": service_type(scope.base, to),
    }
    if performer:
        resource["performer"] = [{"reference": performer["fullUrl"], "display": performer["resource"]["name"]}]
    if referral.reasons:
        resource["reasonCode"] = [reason(scope.base, code) for code in referral.reasons]
    if reasons:
        resource["reasonReference"] = reasons
    if others:
        resource["supportingInfo"] = others
    if notes := [*referral.notes, *told]:
        resource["note"] = [{"text": note} for note in notes]
    return scope.entry(restrict(resource, [referral.service]), referral.service)


def task(
    scope: Scope,
    proposed: ProposedTask,
    why: Sequence[str],
    focus: str | None,
    quotes: Sequence[Quote],
) -> Resource:
    """The entry of a task. ``focus`` is the ServiceRequest, or else the service, that it is about.

    ``why`` says what is known and what is not (``task_reasons``); ``quotes`` are where that stands in the record: the
    first, herself aside, is the reason, and the Provenance names them all.
    """
    resource: Resource = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "proposal",
        "priority": proposed.priority,
        "code": concept(scope.base, "perinatal-task", proposed.code),
        "description": task_text(proposed),
        "for": scope.subject,
        "authoredOn": scope.day,
        "requester": scope.device,
    }
    if proposed.rules:
        resource["instantiatesCanonical"] = scope.rules(proposed.rules[:1])[0]
    if focus:
        resource["focus"] = reference(focus)
    if why:
        resource["reasonCode"] = {"text": ". ".join(why)}
    if first := next((url for _, url, _ in quotes if url != scope.patient), None):
        resource["reasonReference"] = reference(first)
    if proposed.notes:
        resource["note"] = [{"text": note} for note in proposed.notes]
    return scope.entry(restrict(resource, [proposed.service]), proposed.code, proposed.service)


def task_text(proposed: ProposedTask) -> str:
    """What to do, in the words of the rule, or else in those of the task's code."""
    return proposed.text or display("perinatal-task", proposed.code)


def flag(scope: Scope, proposed: ProposedFlag) -> Resource:
    """The entry of a flag."""
    period = {"start": proposed.start.isoformat()}
    if proposed.end:
        period["end"] = proposed.end.isoformat()
    resource: Resource = {
        "resourceType": "Flag",
        "status": "active",
        "code": concept(scope.base, "perinatal-flag", proposed.code),
        "subject": scope.subject,
        "period": period,
        "author": scope.device,
    }
    return scope.entry(restrict(resource, [proposed.code]), proposed.code)


def restrict(resource: Resource, codes: Iterable[str]) -> Resource:
    """The resource, with the security label R where one of these codes is confidential."""
    return resource if CONFIDENTIAL.isdisjoint(codes) else {**resource, "meta": {"security": [RESTRICTED]}}
