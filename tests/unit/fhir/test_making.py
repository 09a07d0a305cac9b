"""Ids, profiles and OperationOutcomes."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

import pytest

from adapter.fhir.ids import NAMESPACE, Ids, stable_id
from adapter.fhir.outcome import is_fhir_path, operation_outcome
from adapter.fhir.profiles import profile_for, with_profile
from adapter.fhir.validate import is_valid
from adapter.records import Issue, Resource
from tests.unit.fhir.resources import VALID, patient

UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"
R4 = "http://hl7.org/fhir/StructureDefinition/"
BASE = "https://perinatal-referrals.example/fhir"


@pytest.mark.parametrize("parts", [("",), ("Patient", "1"), ("é", "x", "y" * 300), *[(str(n),) for n in range(50)]])
def test_ids_are_uuid5(parts: tuple[str, ...]) -> None:
    assert uuid5(NAMESPACE_URL, BASE) == NAMESPACE
    assert stable_id(*parts) == str(uuid5(NAMESPACE, "/".join(parts)))
    assert Ids("a", "b")(*parts) == stable_id("a", "b", *parts)


@pytest.mark.parametrize(
    ("kind", "profile"),
    [
        ("Patient", f"{UK_CORE}Patient"),
        ("ServiceRequest", f"{UK_CORE}ServiceRequest"),
        ("AllergyIntolerance", f"{R4}AllergyIntolerance"),
        ("MedicationRequest", f"{R4}MedicationRequest"),
        ("MedicationStatement", f"{R4}MedicationStatement"),
        ("GuidanceResponse", f"{R4}GuidanceResponse"),
    ],
)
def test_the_profile_that_any_resource_of_a_type_meets(kind: str, profile: str) -> None:
    assert profile_for(kind) == profile


@pytest.mark.parametrize(
    ("resource", "profile"),
    [
        (patient(), f"{UK_CORE}Patient"),
        (patient(identifier=[{"system": "https://fhir.nhs.uk/Id/nhs-number"}]), f"{R4}Patient"),
        (patient(identifier=patient()["identifier"] * 2), f"{R4}Patient"),
        (
            {"resourceType": "MedicationRequest", "substitution": {"allowedBoolean": True}},
            f"{UK_CORE}MedicationRequest",
        ),
        ({"resourceType": "MedicationStatement"}, f"{UK_CORE}MedicationStatement"),
        ({"resourceType": "MedicationStatement", "identifier": [{"value": "1"}]}, f"{R4}MedicationStatement"),
        ({"resourceType": "AllergyIntolerance", "code": {"text": "x"}}, f"{UK_CORE}AllergyIntolerance"),
        ({"resourceType": "Immunization"}, f"{R4}Immunization"),
    ],
)
def test_a_resource_claims_what_it_meets(resource: Resource, profile: str) -> None:
    before = dict(resource)
    assert with_profile(resource) == before | {"meta": {"profile": [profile]}}
    assert resource == before


def test_a_claimed_profile_is_kept() -> None:
    resource = patient(meta={"profile": ["https://example.org/p"], "versionId": "1"})
    assert with_profile(resource) is resource
    assert with_profile(patient(meta={"versionId": "1"}))["meta"] == {
        "versionId": "1",
        "profile": [f"{UK_CORE}Patient"],
    }


def test_resources_with_profiles_are_valid() -> None:
    assert all(is_valid(with_profile(resource)) for resource in VALID)


def test_an_outcome_of_a_fhir_path_and_of_another_place() -> None:
    outcome = operation_outcome(
        [
            Issue("error", "value", "must be a date", "malformed", "Patient._birthDate.extension[0].url"),
            Issue("warning", "informational", "not mapped", "unmapped-field", "OBX-5 (segment 6 of message 1)"),
            Issue("fatal", "structure", "is empty"),
        ],
        BASE,
    )
    coding = {"system": f"{BASE}/CodeSystem/perinatal-issue"}
    assert outcome["issue"] == [
        {
            "severity": "error",
            "code": "value",
            "details": {"coding": [coding | {"code": "malformed"}], "text": "must be a date"},
            "expression": ["Patient.birthDate.extension[0].url"],
        },
        {
            "severity": "warning",
            "code": "informational",
            "details": {"coding": [coding | {"code": "unmapped-field"}], "text": "not mapped"},
            "diagnostics": "OBX-5 (segment 6 of message 1)",
        },
        {"severity": "fatal", "code": "structure", "details": {"text": "is empty"}},
    ]
    assert is_valid(outcome)


def test_an_outcome_of_nothing_says_so() -> None:
    outcome = operation_outcome([], BASE)
    assert [issue["severity"] for issue in outcome["issue"]] == ["information"]
    assert is_valid(outcome)


@pytest.mark.parametrize(
    ("place", "is_one"),
    [
        ("Bundle.entry[3].resource.status", True),
        ("Resource.resourceType", True),
        ("Patient", True),
        ("PID", False),
        ("PID.3", False),
        ("line 3: Patient.gender", False),
        ("MSD101PregnancyBooking row 3, EDDAgreed", False),
        ("", False),
    ],
)
def test_what_is_a_fhir_path(place: str, is_one: bool) -> None:
    assert is_fhir_path(place) is is_one
