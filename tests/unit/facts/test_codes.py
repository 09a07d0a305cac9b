"""Codes: what is looked up, and what is said of a code that lacks its system."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.facts.codes import NO_SYSTEM, CodeIndex, Concept
from rules import State
from tests.unit.facts.records import (
    BASE,
    ICD10,
    LOINC,
    ROLE,
    SCT,
    coded,
    condition,
    epds,
    observation,
    read,
    ref,
)

FORM = Concept("form", "sct", "450320001", "A form")
FAMILY = Concept("illness", "icd10", "F31", "An illness", prefix=True)


@pytest.fixture
def index() -> CodeIndex:
    return CodeIndex((FORM, FAMILY), BASE)


def unsystematic(code: str) -> dict[str, Any]:
    return {"coding": [{"code": code}]}


def about_systems(*resources: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    issues = read(*resources).issues
    return [(i.severity, i.code, i.detail, i.place) for i in issues if i.text == "a code without a system"]


# --- the index -----------------------------------------------------------------------------------------------------
def test_only_codes_that_no_list_has_in_any_system_are_idle(index: CodeIndex) -> None:
    useless: list[dict[str, Any]] = [{"system": SCT, "code": "75367002"}, {"display": "no code"}]
    shared: list[dict[str, Any]] = [{"system": LOINC, "code": "450320001"}, {"system": SCT, "code": "F31.4"}]
    for coding in (*useless, *shared):
        assert index.find(coding) == ()
    assert index.idle == {"75367002", None}


def test_a_code_met_first_in_a_system_of_no_list_counts_in_its_own(index: CodeIndex) -> None:
    assert index.find({"system": LOINC, "code": "F31.4"}) == ()
    assert index.find({"code": "F31.4"}) == (NO_SYSTEM,)
    assert index.find({"system": ICD10, "code": "F31.4"}) == (FAMILY,)
    assert index.find({"system": SCT, "code": "450320001"}) == (FORM,)


@pytest.mark.parametrize(
    ("code", "found"), [("450320001", (NO_SYSTEM,)), ("F31", (NO_SYSTEM,)), ("F310", (NO_SYSTEM,)), ("F41", ())]
)
def test_a_code_without_its_system(index: CodeIndex, code: str, found: tuple[Concept, ...]) -> None:
    assert index.find({"code": code}) == found


# --- what is reported ----------------------------------------------------------------------------------------------
RELATIVE = {
    "resourceType": "FamilyMemberHistory",
    "status": "completed",
    "patient": ref("mother"),
    "relationship": coded(ROLE, "MTH"),
    "condition": [{"code": unsystematic("13746004")}],
}
MEDICINE = {
    "resourceType": "MedicationStatement",
    "status": "active",
    "subject": ref("mother"),
    "medicationCodeableConcept": unsystematic("108441004"),
}


@pytest.mark.parametrize(
    "resource",
    [
        observation(unsystematic("450320001"), "2025-06-01", valueInteger=14),
        condition(unsystematic("13746004")),
        observation(coded(SCT, "1"), "2025-06-01", component=[{"code": unsystematic("epds-item-10")}]),
        observation(coded(LOINC, "82810-3"), "2025-06-01", valueCodeableConcept=unsystematic("77386006")),
        RELATIVE,
        MEDICINE,
    ],
    ids=["score", "condition", "component", "value", "family", "medicine"],
)
def test_a_code_of_a_list_without_its_system_is_reported(resource: dict[str, Any]) -> None:
    found = about_systems(resource)
    assert found == [("information", "code-invalid", "unmapped-code", "Bundle.entry[1].resource")]


def test_it_is_reported_once_for_a_resource_and_does_not_count() -> None:
    bare = observation(unsystematic("450320001"), "2025-06-01", valueInteger=14)
    bare["component"] = [{"code": unsystematic("epds-item-10"), "valueInteger": 2}] * 2
    assert len(about_systems(bare, bare)) == 2
    facts = read(bare).facts
    assert facts["epds"].state is facts["item"].state is State.ABSENT


def test_other_codes_without_a_system_are_not_reported() -> None:
    both = epds(14, "2025-06-01", code={"coding": [{"code": "450320001"}, {"system": SCT, "code": "450320001"}]})
    assert about_systems(observation(unsystematic("75367002"), "2025-06-01"), both) == []
    assert read(both).facts["epds"].value == 14
