"""What all parts of one result share: whose it is, of which day and pack, and how its resources are named."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from adapter.fhir.ids import stable_id
from adapter.fhir.profiles import with_profile
from adapter.records import Resource
from rules import Decision

DISTRIBUTION = "perinatal-referrals"
SNOMED = "http://snomed.info/sct"


@dataclass(frozen=True, slots=True)
class Scope:
    """``key`` names the patient: system and value of the first identifier, or else the entry's full URL."""

    base: str
    key: str
    decision: Decision
    subject: str  # full URLs inside the result
    device: str

    @property
    def day(self) -> str:
        """The as-of date, as FHIR writes it."""
        return self.decision.as_of.isoformat()

    @property
    def pack(self) -> str:
        """The canonical of the rule pack, with its version."""
        return canonical(self.base, self.decision.pack, self.decision.version)

    def rules(self, ids: tuple[str, ...]) -> list[str]:
        """The canonicals of these rules, with the pack's version."""
        return [canonical(self.base, rule, self.decision.version) for rule in ids]

    def entry(self, resource: Resource, *name: str) -> Resource:
        """A Bundle entry whose id follows from patient, day, pack, provider, resource type and ``name`` alone."""
        decision = self.decision
        evaluation = (self.key, self.day, f"{decision.pack}@{decision.version}", decision.provider)
        return entry(stable_id(*evaluation, resource["resourceType"], *name), resource)


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
    named = {"resourceType": resource["resourceType"], "id": ident, **resource}
    return {"fullUrl": f"urn:uuid:{ident}", "resource": with_profile(named)}


def reference(full_url: str) -> Resource:
    """A Reference to an entry of the result."""
    return {"reference": full_url}


@lru_cache(maxsize=8)
def _device() -> Resource:
    try:
        installed = version(DISTRIBUTION)
    except PackageNotFoundError:
        installed = "unknown"
    resource = {
        "resourceType": "Device",
        "status": "active",
        "deviceName": [{"name": DISTRIBUTION, "type": "model-name"}],
        "version": [{"value": installed}],
    }
    return entry(stable_id("Device", DISTRIBUTION, installed), resource)


def device() -> Resource:
    """The entry of this software, the requester and performer of all it makes."""
    return fresh(_device())


def fresh(shared: Resource) -> Resource:
    """A copy of a kept entry, so that a caller who adds to its resource adds to no other result."""
    return {"fullUrl": shared["fullUrl"], "resource": dict(shared["resource"])}
