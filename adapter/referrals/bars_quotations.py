"""What a BaRS message takes along of a result Bundle: the patient, the evidence of one referral, and whom it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapter.fhir.profiles import NHS_NUMBER
from adapter.records import Resource
from adapter.referrals.scope import reference

CARRIED = frozenset(
    {"Observation", "Condition", "MedicationStatement", "QuestionnaireResponse", "Procedure", "AllergyIntolerance"}
)
"""Evidence that the MessageDefinition takes; what is of another type is told in the CarePlan's words."""

_NAMED = frozenset({"Practitioner", "PractitionerRole", "Organization"})
"""What carried evidence may refer to, and takes along."""

_V3_ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_RANK = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-ContactRank"
_VERIFICATION = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
_VERIFIED = frozenset({"01", "number-present-and-verified"})
"""The national code, and that of the retired UK Core system."""


_OWN = frozenset({"resourceType", "id", "meta"})


class Quotations:
    """The resources of a result (by full URL) that go along with one ServiceRequest, without ids of the sender's."""

    def __init__(self, entries: Mapping[str, Resource], request: Resource, now: str) -> None:
        self._entries, self._now = entries, now
        self._subject: str = request["subject"]["reference"]
        given = [*request.get("reasonReference", ()), *request.get("supportingInfo", ())]
        todo = [each["reference"] for each in given if self._kind(each["reference"]) in CARRIED]
        todo += [url for url in references(entries[self._subject]) if self._kind(url) in _NAMED]
        found: dict[str, None] = {}
        while todo:
            url = todo.pop(0)
            if url not in found and url != self._subject:
                found[url] = None
                todo += [each for each in references(entries[url]) if self._kind(each) in CARRIED | _NAMED]
        self.evidence = tuple(found)
        self._kept = frozenset({self._subject, *found})

    def of(self, url: str) -> Resource:
        """One of them; a reference to what does not go along is left out, a Medication becomes contained."""
        given = self._entries[url]
        medicines = [each for each in references(given) if self._kind(each) == "Medication"]
        made: Resource = {
            "resourceType": given["resourceType"],
            "meta": {"lastUpdated": self._now, "profile": given["meta"]["profile"]},
            **{
                name: self._pruned(value) for name, value in given.items() if name not in ("resourceType", "id", "meta")
            },
        }
        if medicines:
            contained = [{**self._entries[each], "id": _local(each)} for each in dict.fromkeys(medicines)]
            for medicine in contained:
                del medicine["meta"]
            made["contained"] = [*made.get("contained", ()), *contained]
        return {name: value for name, value in made.items() if value not in ({}, [])}

    def patient(self) -> Resource:
        """With herself as the contact; an NHS number only where it is marked as verified: BaRS takes no other."""
        patient = self.of(self._subject)
        numbers = [i for i in patient.pop("identifier", ()) if i.get("system") != NHS_NUMBER or _is_verified(i)]
        if numbers:
            patient["identifier"] = numbers
        links = [link for link in patient.pop("link", ()) if "other" in link]
        if links:
            patient["link"] = links
        phones = [t for t in patient.get("telecom", ()) if t.get("system") == "phone" and t.get("value")]
        if phones:
            herself = {
                "extension": [{"url": _RANK, "valuePositiveInt": 1}],
                "relationship": [{"coding": [{"system": _V3_ROLE, "code": "ONESELF", "display": "self"}]}],
                "telecom": phones,
            }
            patient["contact"] = [herself, *patient.get("contact", ())]
        return patient

    def conditions(self) -> list[Resource]:
        """References to the Conditions among the evidence."""
        return [reference(url) for url in self.evidence if self._kind(url) == "Condition"]

    def _kind(self, url: str) -> str:
        return str(self._entries.get(url, {}).get("resourceType", ""))

    def _pruned(self, node: Any) -> Any:
        """A copy without references to resources that are not in the message, nor what is empty without them."""
        if isinstance(node, list):
            return [each for each in map(self._pruned, node) if each not in ({}, [])]
        if not isinstance(node, dict):
            return node
        url = node.get("reference")
        if isinstance(url, str) and url.startswith("urn:uuid:") and url not in self._kept:
            if self._kind(url) == "Medication":
                return {**node, "reference": f"#{_local(url)}"}
            node = {name: value for name, value in node.items() if name not in ("reference", "type")}
        found = {name: self._pruned(value) for name, value in node.items()}
        return {name: value for name, value in found.items() if value not in ({}, [])}


def references(node: Any) -> Iterator[str]:
    """Every literal reference to an entry of the Bundle in a resource, in its order."""
    if isinstance(node, dict):
        found = node.get("reference")
        if isinstance(found, str) and found.startswith("urn:uuid:"):
            yield found
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def _local(url: str) -> str:
    return url.removeprefix("urn:uuid:")


def _is_verified(identifier: Resource) -> bool:
    extensions = (e for e in identifier.get("extension", ()) if e.get("url") == _VERIFICATION)
    codings = (c for e in extensions for c in e.get("valueCodeableConcept", {}).get("coding", ()))
    return any(coding.get("code") in _VERIFIED for coding in codings)
