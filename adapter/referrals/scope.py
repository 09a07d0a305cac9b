"""What all parts of one result share: whose it is, of which day and pack, and how its resources are named."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version

from adapter.fhir.ids import Ids, stable_id
from adapter.fhir.profiles import profile_for
from adapter.records import Resource
from rules import Decision

DISTRIBUTION = "perinatal-referrals"
SNOMED = "http://snomed.info/sct"

Quote = tuple[str, str, str]
"""A resource that a proposal rests on: its type, its full URL in the result, and where in the source it says so."""


class Scope:
    """``key`` names the patient: system and value of the first identifier, or else the entry's full URL.

    ``patient`` is her full URL inside the result, ``subject`` the Reference to it and ``device`` that to this software;
    ``day`` is the as-of date as FHIR writes it; ``pack`` is the canonical of the rule pack, with its version.
    """

    __slots__ = ("_ids", "base", "day", "decision", "device", "pack", "patient", "subject")

    def __init__(self, base: str, key: str, decision: Decision, patient: str, device: str) -> None:
        self.base, self.decision, self.patient = base, decision, patient
        self.subject, self.device = reference(patient), reference(device)
        self.day = decision.as_of.isoformat()
        self.pack = canonical(base, decision.pack, decision.version)
        self._ids = Ids(key, self.day, f"{decision.pack}@{decision.version}", decision.provider)

    def rules(self, ids: tuple[str, ...]) -> list[str]:
        """The canonicals of these rules, with the pack's version."""
        return [canonical(self.base, rule, self.decision.version) for rule in ids]

    def entry(self, resource: Resource, *name: str) -> Resource:
        """A Bundle entry whose id follows from patient, day, pack, provider, resource type and ``name`` alone."""
        return entry(self._ids(resource["resourceType"], *name), resource)


@lru_cache(maxsize=1024)
def canonical(base: str, module: str, module_version: str) -> str:
    """A rule or pack as the PlanDefinition that it is published as."""
    return f"{base}/PlanDefinition/{module}|{module_version}"


def patient_key(patient: Resource, full_url: str) -> str:
    """``system|value`` of the first identifier that has a value, else the full URL, else the type and id."""
    for identifier in patient.get("identifier", ()):
        if value := identifier.get("value"):
            return f"{identifier.get('system', '')}|{value}"
    return full_url or f"Patient/{patient.get('id', '')}"


def entry(ident: str, resource: Resource) -> Resource:
    """A Bundle entry for a resource that this project makes."""
    kind: str = resource["resourceType"]
    named = {"resourceType": kind, "id": ident, "meta": _meta(kind)}
    if "meta" in resource:
        resource = {**resource, "meta": named["meta"] | resource["meta"]}
    return {"fullUrl": f"urn:uuid:{ident}", "resource": named | resource}


@cache
def _meta(kind: str) -> Resource:
    return {"profile": [profile_for(kind)]}


def reference(full_url: str) -> Resource:
    """A Reference to an entry of the result."""
    return {"reference": full_url}


def installed() -> str:
    """The version of this software, "unknown" where it is not installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


@lru_cache(maxsize=8)
def _device() -> Resource:
    release = installed()
    resource = {
        "resourceType": "Device",
        "status": "active",
        "deviceName": [{"name": DISTRIBUTION, "type": "model-name"}],
        "version": [{"value": release}],
    }
    return entry(stable_id("Device", DISTRIBUTION, release), resource)


def device() -> Resource:
    """The entry of this software, the requester and performer of all it makes."""
    return fresh(_device())


def fresh(shared: Resource) -> Resource:
    """A copy of a kept entry, so that a caller who adds to its resource adds to no other result."""
    return {"fullUrl": shared["fullUrl"], "resource": dict(shared["resource"])}
