"""Family history, the person, and whose each resource is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from adapter.errors import CannotStart
from adapter.facts import compile_facts
from rules import State
from tests.unit.facts.records import (
    AS_OF,
    BASE,
    LOCAL,
    ROLE,
    SCT,
    FakePack,
    baby,
    bundle,
    coded,
    condition,
    details,
    due,
    epds,
    observation,
    outcome,
    person,
    read,
    reader,
    ref,
    related,
)

BIPOLAR = coded(SCT, "13746004")


# --- family --------------------------------------------------------------------------------------------------------
def relative(role: str, **more: Any) -> dict[str, Any]:
    history = {"resourceType": "FamilyMemberHistory", "status": "completed", "patient": ref("mother")}
    return {**history, "relationship": coded(ROLE, role), "condition": [{"code": BIPOLAR}], **more}


@pytest.mark.parametrize(
    "role", ["MTH", "NMTH", "FTH", "NFTH", "SIS", "NSIS", "BRO", "NBRO", "DAU", "DAUC", "SON", "SONC"]
)
def test_first_degree(role: str) -> None:
    fact = read(relative(role)).facts["family"]
    assert fact.value is True
    assert fact.evidence[0].path == "condition[0].code.coding[0].code"


@pytest.mark.parametrize(
    "role", ["STPMTH", "ADOPTF", "MTHFOST", "MTHINLAW", "GRMTH", "MAUNT", "COUSN", "HUSB", "NIECE", "STPSIS"]
)
def test_not_first_degree(role: str) -> None:
    assert read(relative(role)).facts["family"].state is State.ABSENT


TWINS = ["TWIN", "TWINSIS", "TWINBRO", "FTWIN", "FTWINSIS", "FTWINBRO", "ITWIN", "ITWINSIS", "ITWINBRO"]


@pytest.mark.parametrize("role", ["FAMMEMB", "EXT", "HSIS", "HBRO", "HSIB", "CHILD", "nonsense", *TWINS])
def test_a_relation_that_is_not_known_is_asked(role: str) -> None:
    fact = read(relative(role)).facts["family"]
    assert (fact.state, fact.ask) == (State.UNKNOWN, "confirm-family-relation")
    assert read(relative(role), relative("MTH")).facts["family"].value is True


def test_other_family_histories() -> None:
    assert read(relative("MTH", relationship={"text": "mum"})).facts["family"].state is State.UNKNOWN
    assert read(relative("MTH", status="entered-in-error")).facts["family"].state is State.ABSENT
    assert details(read(relative("MTH", condition=[{"code": {"text": "bipolar"}}]))) == ["uncoded-text"]


# --- the person ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("born", "age"),
    [("1994-06-15", 31), ("1994-06-16", 30), ("2009-02", 16), ("1994", None), (None, None), ("2004-02-29", 21)],
)
def test_age(born: str | None, age: int | None) -> None:
    fact = read(person("mother", born), mother=False).facts["age"]
    assert fact.value == age
    assert (fact.state is State.KNOWN) == (age is not None)


def test_born_on_29_february() -> None:
    leap = person("mother", "2004-02-29")
    assert read(leap, mother=False, as_of=date(2025, 2, 28)).facts["age"].value == 20
    assert read(leap, mother=False, as_of=date(2025, 3, 1)).facts["age"].value == 21


# --- whose record --------------------------------------------------------------------------------------------------
def test_the_partner_has_his_own_record() -> None:
    partner = person("partner", "1990-01-01", link=[{"other": ref("p", "RelatedPerson"), "type": "seealso"}])
    record = bundle(
        person("mother", "1994-03-02"),
        related("p", "mother", "HUSB"),
        partner,
        epds(20, "2025-06-10", subject=ref("partner")),
    )
    assert reader().read(record, AS_OF).facts["epds"].state is State.ABSENT
    his = reader().read(record, AS_OF, patient=2)
    assert (his.facts["epds"].value, his.patient) == (20, 2)


def test_a_score_on_a_child_s_own_record_is_refused() -> None:
    result = read(person("mother", "2025-05-01"), epds(20, "2025-06-10"), mother=False)
    assert result.refused
    assert [(i.code, i.detail, i.place) for i in result.issues if i.severity == "error"] == [
        ("business-rule", "wrong-subject", "Bundle.entry[1].resource.code.coding[0].code")
    ]


def test_a_score_on_her_baby_is_not_hers() -> None:
    result = read(*baby("b", "2025-05-01"), epds(20, "2025-06-10", subject=ref("b")))
    assert result.facts["epds"].state is State.ABSENT
    assert not result.refused
    assert "wrong-subject" in details(result)


def test_somebody_who_is_not_in_the_record_is_reported() -> None:
    assert details(read(epds(20, "2025-06-10", subject=ref("nobody")))) == ["wrong-subject"]


def test_subjects_by_identifier_by_relative_reference_and_without_a_patient() -> None:
    number = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000026"}
    mother = person("mother", "1994-03-02", identifier=[number])
    named = epds(20, "2025-06-10", subject={"identifier": number})
    assert read(mother, named, mother=False).facts["epds"].value == 20
    assert read(epds(20, "2025-06-10", subject={"reference": "Patient/mother"})).facts["epds"].value == 20
    assert read(epds(20, "2025-06-10"), mother=False).facts["epds"].value == 20


def test_kinds_of_data_that_are_not_there_are_said_once() -> None:
    said = [i.text for i in read().issues if i.detail == "data-not-supplied"]
    assert said == [
        "the record holds no Condition",
        "the record holds no MedicationStatement and no MedicationRequest",
        "the record holds no FamilyMemberHistory",
    ]
    assert read(condition(BIPOLAR)).facts["diagnoses"].value is True
    assert not any("no Condition" in i.text for i in read(condition(BIPOLAR)).issues)


def test_an_outcome_said_of_the_baby() -> None:
    focus = outcome("281050002", "2025-05-01", focus=[ref("b")])
    assert read(*baby("b", "2025-05-01"), focus).facts["living_baby"].value is True


@pytest.mark.parametrize(
    "source",
    [
        {"score": "no-such-list"},
        {"condition": "severe-mental-illness", "when": "sometimes"},
        {"pregnancy": "x"},
        {"other": 1},
    ],
)
def test_a_declaration_that_cannot_be_understood(source: dict[str, Any]) -> None:
    with pytest.raises(CannotStart):
        compile_facts(FakePack({"x": ("boolean", None, source)}), BASE)


# --- what a resource does not say -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "focus",
    [
        {"reference": "#p"},
        {"display": "her partner"},
        {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"},
        {"identifier": {"system": "https://elsewhere.example", "value": "1"}},
        {"reference": "https://elsewhere.example/RelatedPerson/9"},
    ],
    ids=["contained", "words", "nowhere", "identifier", "elsewhere"],
)
def test_what_is_about_somebody_whom_nobody_knows_is_not_hers(focus: dict[str, Any]) -> None:
    inside = {"resourceType": "RelatedPerson", "id": "p", "patient": ref("mother")}
    result = read(epds(20, "2025-06-10", focus=[focus], contained=[inside]))
    assert result.facts["epds"].state is State.ABSENT
    assert details(result) == ["wrong-subject"]


@pytest.mark.parametrize(
    "focus",
    [
        {"reference": "Device/1"},
        {"reference": "#d"},
        {"type": "BodyStructure", "display": "left"},
        ref("mother"),
        ref("o", "Observation"),
    ],
)
def test_what_is_in_focus_and_no_person_makes_it_nobody_elses(focus: dict[str, Any]) -> None:
    other = observation(coded(SCT, "1"), "2025-06-10", id="o")
    inside = {"resourceType": "Device", "id": "d"}
    assert read(epds(20, "2025-06-10", focus=[focus], contained=[inside]), other).facts["epds"].value == 20


def test_what_a_relative_has_or_had_is_never_hers() -> None:
    for code in ("77386006", "237364002", "17369002", "268514004", "6471006"):
        facts = read(relative("SIS", condition=[{"code": coded(SCT, code)}])).facts
        assert (facts["pregnant"].note, facts["bereaved"].state, facts["undated"].state) == (
            "not-recorded",
            State.ABSENT,
            State.ABSENT,
        )
        assert facts["taking"].state is facts["thoughts"].state is State.ABSENT


@pytest.mark.parametrize("code", ["386639001", "169762003"])
def test_what_is_asked_for_was_not_done(code: str) -> None:
    asked = {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": ref("mother")}
    facts = read({**asked, "code": coded(SCT, code)}).facts
    assert (facts["pregnant"].note, facts["bereaved"].state) == ("not-recorded", State.ABSENT)


def test_sex_and_gender_change_nothing() -> None:
    for gender in ("male", "female", "other", "unknown"):
        facts = read(person("mother", "1994-03-02", gender=gender), due("2025-09-01"), mother=False).facts
        assert facts["pregnant"].value is True


# --- of her and of her baby ------------------------------------------------------------------------------------------
TRAUMA = coded(LOCAL, "birth-trauma")


def test_a_finding_in_her_record_that_has_the_baby_in_focus_is_hers() -> None:
    found = read(*baby("b", "2025-06-01"), observation(TRAUMA, "2025-06-10", focus=[ref("b")]))
    assert found.facts["trauma"].value is True


def test_a_finding_in_the_record_of_the_baby_is_not_hers_and_is_said() -> None:
    found = read(*baby("b", "2025-06-01"), observation(TRAUMA, "2025-06-10", subject=ref("b")))
    assert found.facts["trauma"].state is State.ABSENT
    assert details(found) == ["wrong-subject"]


def test_what_is_about_her_and_her_baby_is_hers_and_with_the_partner_it_is_not() -> None:
    pair = *baby("b", "2025-06-01"), related("p", "mother", "DOMPART")
    both, three = [ref("mother"), ref("b")], [ref("mother"), ref("p", "RelatedPerson")]
    assert read(*pair, epds(20, "2025-06-10", focus=both)).facts["epds"].value == 20
    twins = observation(TRAUMA, "2025-06-10", focus=[ref("b"), ref("c")])
    assert read(*pair, *baby("c", "2025-06-01"), twins).facts["trauma"].value is True
    assert read(*pair, epds(20, "2025-06-10", focus=three)).facts["epds"].state is State.ABSENT


@pytest.mark.parametrize("concept", [BIPOLAR, coded(SCT, "268514004"), coded(SCT, "77386006")])
def test_what_the_baby_has_is_never_hers(concept: dict[str, Any]) -> None:
    for resource in (condition(concept, subject=ref("b")), observation(concept, "2025-06-10", subject=ref("b"))):
        facts = read(*baby("b", "2025-06-01"), resource).facts
        assert facts["ever"].state is facts["taking"].state is State.ABSENT
        assert facts["pregnant"].value is False
