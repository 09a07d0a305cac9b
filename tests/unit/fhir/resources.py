"""Small valid resources for the tests of this folder; all made up."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from adapter.records import Resource

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"


def concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def nhs_number(own: str) -> str:
    """A valid number of the range for tests, another one for each name."""
    number = 999000000 + crc32(own.encode()) % 900000
    while True:
        digits = f"{number:09}"[:9]
        check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return f"{digits}{check % 11}"
        number += 1


def patient(own: str = "p", **more: Any) -> Resource:
    return {
        "resourceType": "Patient",
        "id": own,
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": nhs_number(own)}],
        "name": [{"family": "Example", "given": ["Ada", "Bea"]}],
        "gender": "female",
        "birthDate": "1992-02-29",
        "multipleBirthInteger": 2,
    } | more


def observation(own: str = "o", subject: str = "Patient/p", **more: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": own,
        "status": "final",
        "code": concept("http://snomed.info/sct", "450320001"),
        "subject": {"reference": subject},
        "effectiveDateTime": "2024-05-01T10:00:00+01:00",
        "issued": "2024-05-01T10:00:00.123Z",
        "valueQuantity": {"value": 14, "unit": "score", "system": "http://unitsofmeasure.org", "code": "{score}"},
        "component": [{"code": {"text": "item"}, "valueQuantity": {"value": 1.5, "comparator": ">="}}],
    } | more


def condition(own: str = "c", subject: str = "Patient/p") -> Resource:
    return {
        "resourceType": "Condition",
        "id": own,
        "clinicalStatus": concept(f"{TERMINOLOGY}condition-clinical", "active"),
        "verificationStatus": concept(f"{TERMINOLOGY}condition-ver-status", "confirmed"),
        "code": concept("http://snomed.info/sct", "58703003"),
        "subject": {"reference": subject},
        "onsetDateTime": "2023-11",
        "note": [{"text": "a note", "time": "2024-01-01"}],
    }


def related(own: str, subject: str, role: str, **more: Any) -> Resource:
    return {
        "resourceType": "RelatedPerson",
        "id": own,
        "patient": {"reference": subject},
        "relationship": [concept(f"{TERMINOLOGY}v3-RoleCode", role)],
    } | more


def bundle(*resources: Resource, kind: str = "collection") -> Resource:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in resources]}


VALID: tuple[Resource, ...] = (
    patient(),
    observation(),
    condition(),
    related("r", "Patient/p", "PRN"),
    {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": f"{TERMINOLOGY}v3-ActCode", "code": "AMB"},
        "subject": {"reference": "Patient/p"},
        "period": {"start": "2024-05-01", "end": "2024-05-02"},
        "statusHistory": [{"status": "planned", "period": {"start": "2024"}}],
    },
    {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "https://example.org/Questionnaire/epds|1",
        "authored": "2024-05-01",
        "item": [{"linkId": "epds-10", "answer": [{"valueInteger": 0}]}],
    },
    {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "a medicine"},
        "subject": {"reference": "Patient/p"},
        "dosageInstruction": [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}],
    },
    {
        "resourceType": "Task",
        "status": "requested",
        "intent": "proposal",
        "for": {"reference": "Patient/p"},
        "input": [{"type": {"text": "form"}, "valueString": "epds"}],
    },
    {
        "resourceType": "Provenance",
        "target": [{"reference": "Observation/o"}],
        "recorded": "2024-05-01T10:00:00Z",
        "agent": [{"who": {"reference": "Practitioner/x"}}],
    },
    {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8=", "size": 5}}],
        "custodian": {"reference": "#org"},
        "contained": [{"resourceType": "Organization", "id": "org", "name": "A trust"}],
    },
    {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": "a flag"},
        "subject": {"reference": "Patient/p"},
        "extension": [{"url": "https://example.org/e", "valueCode": "x"}],
        "_status": {"extension": [{"url": "https://example.org/e", "extension": [{"url": "i", "valueInteger": 1}]}]},
    },
)
