"""The services referrals go to, as codings and as HealthcareService resources."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from adapter.fhir.ids import stable_id
from adapter.fhir.profiles import ODS_ORGANISATION
from adapter.records import Resource
from adapter.referrals.routing import Route
from adapter.referrals.scope import SNOMED, entry
from adapter.referrals.terms import humanise
from rules import Concept, Hours, OpeningSpan, Service

DOS_SERVICE = "https://fhir.nhs.uk/Id/dos-service-id"


class Destination(NamedTuple):
    """What a result needs to know of a service."""

    key: str
    label: str
    service: Concept | None = None  # SNOMED CT service concept, where one is published
    procedure: Concept | None = None  # SNOMED CT "referral to" procedure, where one is published


def destination(key: str, service: Service | None) -> Destination:
    """The service of this key as the pack describes it; one that it does not describe is known by its key."""
    if service is None:
        return Destination(key, humanise(key))
    return Destination(key, service.label, service.snomed, service.referral_code)


def service_type(base: str, to: Destination) -> Resource:
    """The service as a CodeableConcept: the local code, and the SNOMED CT concept where there is one."""
    coding = [{"system": f"{base}/CodeSystem/referral-service", "code": to.key, "display": to.label}]
    if to.service:
        coding.append(_snomed(to.service))
    return {"coding": coding, "text": to.label}


def referral_code(to: Destination) -> Resource:
    """What is requested: a referral to the service, coded where a SNOMED CT procedure is known for it."""
    text = f"Referral to {to.label}"
    return {"coding": [_snomed(to.procedure)], "text": text} if to.procedure else {"text": text}


@lru_cache(maxsize=512)
def healthcare_service(
    base: str, provider: str, to: Destination, found: Route | None = None, hours: Hours | None = None
) -> Resource:
    """The entry of a service of this provider, or of the team that a route leads to. Copy it before adding anything."""
    resource: Resource = {"resourceType": "HealthcareService"}
    team, practice = (found.entry, found.practice) if found else (None, "")
    name: tuple[str, ...] = (provider, to.key)
    if team:
        name = (team.provider, to.key, team.dos, team.ods, team.name)
        if team.dos:
            resource["identifier"] = [{"system": DOS_SERVICE, "value": team.dos}]
    resource["active"] = True
    if ods := team.ods if team else practice:
        name = (*name, ods)
        resource["providedBy"] = {"identifier": {"system": ODS_ORGANISATION, "value": ods}}
    resource["type"] = [service_type(base, to)]
    resource["name"] = team.name if team else to.label
    if team and team.telephone:
        resource["telecom"] = [{"system": "phone", "value": team.telephone}]
    if hours and hours.spans:
        resource["availableTime"] = [_available(span) for span in hours.spans]
    return entry(stable_id("HealthcareService", base, *name), resource)


def _available(span: OpeningSpan) -> Resource:
    time: Resource = {"daysOfWeek": list(span.days)}
    if span.opens is None or span.closes is None:
        return {**time, "allDay": True}
    return {**time, "availableStartTime": f"{span.opens:%H:%M:%S}", "availableEndTime": f"{span.closes:%H:%M:%S}"}


def _snomed(coding: Concept) -> Resource:
    plain = {"system": SNOMED, "code": coding.code}
    return {**plain, "display": coding.display} if coding.display else plain
