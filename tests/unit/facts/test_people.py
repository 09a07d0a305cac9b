"""Medicines, family history, the person, and whose each resource is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from adapter.errors import CannotStart
from adapter.facts import compile_facts
from rules import DateSpan, State
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
DAY = DateSpan(date(2025, 6, 1), date(2025, 6, 1))


# --- medicines -----------------------------------------------------------------------------------------------------
OLANZAPINE = coded(SCT, "108441004")


def statement(status: str, concept: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    named = {} if "medicationReference" in more else {"medicationCodeableConcept": concept or OLANZAPINE}
    return {"resourceType": "MedicationStatement", "status": status, "subject": ref("mother"), **named, **more}


@pytest.mark.parametrize(
    ("resource", "state"),
    [
        (statement("active"), State.KNOWN),
        (statement("intended"), State.KNOWN),
        (statement("active", coded("https://dmd.nhs.uk", "108441004")), State.KNOWN),
        ({**statement("active"), "resourceType": "MedicationRequest", "intent": "order"}, State.KNOWN),
        (statement("on-hold"), State.UNKNOWN),
        (statement("active", effectivePeriod={"end": "2025-01-01"}), State.UNKNOWN),
        (statement("stopped"), State.ABSENT),
        (statement("entered-in-error"), State.ABSENT),
        (statement("not-taken"), State.ABSENT),
        (statement("active", {"text": "olanzapine"}), State.ABSENT),
    ],
)
def test_medicines_taken(resource: dict[str, Any], state: State) -> None:
    assert read(resource).facts["taking"].state is state


def test_a_medicine_whose_code_is_in_no_list_is_said_to_be() -> None:
    assert "unmapped-code" not in details(read(statement("active")))
    brand = coded("https://dmd.nhs.uk", "999000001105")
    assert "unmapped-code" in details(read(statement("active", brand)))
    elsewhere = {"resourceType": "Medication", "id": "m", "code": brand}
    referred = statement("active", medicationReference=ref("m", "Medication"))
    assert "unmapped-code" in details(read(referred, elsewhere))


def test_medicines_stopped() -> None:
    stopped = statement("stopped", effectivePeriod={"start": "2024-01-01", "end": "2025-06-01"})
    assert read(stopped).facts["stopped"].value == DAY
    assert read({**stopped, "status": "completed"}).facts["stopped"].value == DAY
    assert read(statement("stopped")).facts["stopped"].note == "no-date"
    assert read(stopped, statement("active")).facts["stopped"].state is State.ABSENT
    other = statement("active", coded(SCT, "108443001"))
    assert read(stopped, other).facts["stopped"].value == DAY


def test_a_medicine_in_an_entry_of_its_own_and_contained() -> None:
    medicine = {"resourceType": "Medication", "id": "m", "code": OLANZAPINE}
    assert read(medicine, statement("active", medicationReference=ref("m", "Medication"))).facts["taking"].value is True
    inside = statement("active", medicationReference={"reference": "#m"}, contained=[medicine])
    assert read(inside).facts["taking"].value is True
    lost = read(statement("active", medicationReference=ref("m", "Medication")))
    assert details(lost) == ["uncoded-text"]


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


def episode(status: str, concept: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "EpisodeOfCare", "status": status, "type": [concept], "patient": ref("mother")}


def request(status: str, concept: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "ServiceRequest", "status": status, "performerType": concept, "subject": ref("mother")}


TEAM = coded(f"{BASE}/CodeSystem/referral-service", "crisis-team")


@pytest.mark.parametrize(
    ("resource", "keys"),
    [
        (episode("active", TEAM), {"crisis-team"}),
        (episode("onhold", coded(SCT, "901221000000102")), {"perinatal-community-team"}),
        (episode("finished", TEAM), set()),
        (episode("planned", TEAM), set()),
        (request("active", TEAM), {"crisis-team"}),
        (request("draft", TEAM), set()),
        (request("revoked", TEAM), set()),
    ],
)
def test_open_services(resource: dict[str, Any], keys: set[str]) -> None:
    assert read(resource).facts["open"].value == keys


def test_consent() -> None:
    code = coded(LOCAL, "no-consent-to-referral")
    assert read().facts["refused"].value == frozenset()
    assert read(observation(code, "2025-01-01")).facts["refused"].value == {"all"}
    about = observation(code, "2025-01-01", valueCodeableConcept=TEAM)
    assert read(about).facts["refused"].value == {"crisis-team"}
    assert read(observation(code, "2025-01-01", valueBoolean=False)).facts["refused"].value == frozenset()
    consent = {"resourceType": "Consent", "status": "active", "patient": ref("mother"), "provision": {"type": "deny"}}
    assert read(consent).facts["refused"].value == {"all"}
    assert read({**consent, "status": "inactive"}).facts["refused"].value == frozenset()
    named = {**consent, "provision": {"type": "deny", "code": [TEAM]}}
    assert read(named).facts["refused"].value == {"crisis-team"}


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
