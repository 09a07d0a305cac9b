"""The person: age, the services that have her, and those she does not consent to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapter.facts import dates
from adapter.facts.conditions import VOID, status_of
from adapter.facts.reading import Declared, Reading
from adapter.facts.values import truth
from adapter.records import Evidence, Resource
from rules import Fact

SERVICE_SUFFIX = "/CodeSystem/referral-service"
ALL = "all"
NOT_OF_REFERRAL = frozenset({"research", "adr"})
"""Scopes of a Consent (consentscope) that say nothing of a referral: research, and decisions made in advance."""
OPEN = {"EpisodeOfCare": frozenset({"active", "onhold"}), "ServiceRequest": frozenset({"active", "on-hold"})}


@dataclass(frozen=True, slots=True)
class Services:
    """Keys of the pack's services, by key and by SNOMED CT code."""

    keys: frozenset[str]
    snomed: Mapping[str, tuple[str, ...]]

    def of(self, concept: Resource) -> tuple[str, ...]:
        """The service keys that a CodeableConcept names."""
        found: dict[str, None] = {}
        for coding in concept.get("coding", ()):
            system, code = str(coding.get("system", "")), str(coding.get("code", ""))
            if system.endswith(SERVICE_SUFFIX) and code in self.keys:
                found[code] = None
            elif system == "http://snomed.info/sct":
                found.update(dict.fromkeys(self.snomed.get(code, ())))
        return tuple(found)


def age(fact: Declared, reading: Reading) -> Fact:
    """Age in completed years; unknown where a partial date of birth leaves two ages open."""
    born = dates.read(reading.people.patient or {}, "birthDate")
    if born is None or reading.people.target is None:
        return fact.missing("no-date")
    evidence = (Evidence(reading.people.target, "birthDate", born.text),)
    if reading.future(born, reading.people.target):
        return fact.unknown("implausible-date", evidence)
    oldest = dates.years_between(born.span.low, reading.as_of)
    if born.day is None and dates.years_between(min(born.span.high, reading.as_of), reading.as_of) != oldest:
        return fact.unknown("date-imprecise", evidence)
    if not fact.fits(oldest):
        reading.issue("value", "the age is not plausible", "implausible-date", reading.people.target, "birthDate")
        return fact.unknown("implausible-date", evidence)
    return fact.known(oldest, None, evidence)


def open_services(fact: Declared, services: Services, reading: Reading) -> Fact:
    """Services with an open episode of care or an active referral; known to be none where there is none."""
    keys: dict[str, None] = {}
    evidence: list[Evidence] = []
    for kind, statuses in OPEN.items():
        for index, resource in reading.of_type(kind):
            if resource.get("status") not in statuses or resource.get("doNotPerform") is True:
                continue
            over = dates.read(resource, "period.end")
            if over is not None and over.span.high < reading.as_of:
                text = "the episode is said to be open, and its period has ended: it is not taken to be open"
                reading.issue("conflict", text, "data-conflict", index, "period.end")
                continue
            for path, concept in _concepts(kind, resource):
                if found := services.of(concept):
                    keys.update(dict.fromkeys(found))
                    evidence.append(Evidence(index, path))
    return fact.known(frozenset(keys), None, tuple(evidence))


def _concepts(kind: str, resource: Resource) -> Iterator[tuple[str, Resource]]:
    if kind == "EpisodeOfCare":
        for number, concept in enumerate(resource.get("type", ())):
            yield f"type[{number}]", concept
    elif "performerType" in resource:
        yield "performerType", resource["performerType"]


def consent_refused(fact: Declared, code: str, services: Services, reading: Reading) -> Fact:
    """Services she does not consent to be referred to, or ``all``.

    The latest answer for each counts; one about all of them is one about each. Of the same day, a refusal counts.
    """
    if code not in reading.sightings and "Consent" not in reading.hers:
        return fact.known(frozenset())
    said: dict[str, tuple[float, bool, Evidence]] = {}
    for when, refused, key, evidence in (*_findings(code, services, reading), *_consents(services, reading)):
        known = said.get(key)
        if known is None or when > known[0] or (when == known[0] and refused):
            said[key] = (when, refused, evidence)
    since, all_refused, _ = said.get(ALL, (-1.0, False, None))
    keys = {key for key, (when, refused, _) in said.items() if refused and (all_refused or when >= since)}
    later = {key for key, (when, refused, _) in said.items() if not refused and when > since}
    if all_refused and later:
        keys = keys - {ALL} | (services.keys - later)
    evidences = tuple(where for key, (_, refused, where) in said.items() if refused and (key in keys or key == ALL))
    return fact.known(frozenset(keys), None, evidences)


_Answer = tuple[float, bool, str, Evidence]


def _findings(code: str, services: Services, reading: Reading) -> Iterator[_Answer]:
    for sighting in reading.sightings.get(code, ()):
        resource = sighting.resource
        verification = status_of(resource).verification
        if resource.get("status") in VOID or verification == "entered-in-error":
            continue
        when = dates.effective(resource) or dates.read(resource, "recordedDate", "onsetDateTime")
        if when is not None and reading.future(when, sighting.at):
            continue
        about = services.of(resource.get("valueCodeableConcept") or {})
        refused = bool(about) or truth(sighting.part) is not False
        if verification == "refuted":
            refused = False
        moment = float(when.span.high.toordinal()) if when else 0.0
        path = "valueCodeableConcept" if about else ""
        for key in about or (ALL,):
            yield moment, refused, key, sighting.evidence(path, when)


def _consents(services: Services, reading: Reading) -> Iterator[_Answer]:
    """Of the Consents that are about no service, the latest counts, and it says something where it is a refusal.

    A permission that is about no service takes no refusal of a referral back: it may be about anything.
    """
    general: list[_Answer] = []
    for index, resource in reading.of_type("Consent"):
        provision = resource.get("provision") or {}
        if resource.get("status") != "active" or provision.get("type") not in ("deny", "permit"):
            continue
        when, over = dates.read(resource, "dateTime"), dates.read(provision, "period.end")
        if _elsewhere(resource) or (over is not None and over.span.high < reading.as_of):
            continue
        if when is not None and reading.future(when, index):
            continue
        moment, denied = float(when.span.high.toordinal()) if when else 0.0, provision["type"] == "deny"
        evidence = Evidence(index, "provision.type", when.text if when else "")
        for key in (key for concept in provision.get("code", ()) for key in services.of(concept)):
            yield moment, denied, key, evidence
        if not provision.get("code"):
            general.append((moment, denied, ALL, evidence))
    latest = max(general, key=lambda answer: answer[:2], default=None)
    if latest is not None and latest[1]:
        yield latest


def _elsewhere(consent: Resource) -> bool:
    """Whether a Consent is about something else than her care and who is told of it."""
    codings = (consent.get("scope") or {}).get("coding", ())
    return any(coding.get("code") in NOT_OF_REFERRAL for coding in codings)
