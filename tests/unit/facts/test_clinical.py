"""Diagnoses, findings, medicines, family history, and whose each is."""

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
    ICD10,
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


def states(*resources: dict[str, Any]) -> dict[str, State | Any]:
    facts = read(*resources).facts
    return {
        n: facts[n].value if facts[n].state is State.KNOWN else facts[n].state
        for n in ("ever", "current", "suspected", "relapse")
    }


# --- diagnoses -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("resource", "true"),
    [
        (condition(BIPOLAR), {"ever", "current"}),
        (condition(BIPOLAR, clinical="", verified=""), {"ever", "current"}),
        (condition(BIPOLAR, clinical="resolved"), {"ever"}),
        (condition(BIPOLAR, clinical="inactive"), {"ever"}),
        (condition(BIPOLAR, clinical="remission"), {"ever"}),
        (condition(BIPOLAR, clinical="relapse"), {"ever", "current", "relapse"}),
        (condition(BIPOLAR, clinical="recurrence"), {"ever", "current", "relapse"}),
        (condition(BIPOLAR, verified="provisional"), {"ever", "current", "suspected"}),
        (condition(BIPOLAR, verified="differential"), {"ever", "current", "suspected"}),
        (condition(BIPOLAR, verified="provisional", clinical="resolved"), {"ever"}),
        (condition(BIPOLAR, verified="refuted"), set()),
        (condition(BIPOLAR, verified="entered-in-error"), set()),
        (condition(BIPOLAR, abatementDateTime="2025-01-01"), {"ever"}),
        (condition(BIPOLAR, abatementDateTime="2025-12-01"), {"ever", "current"}),
        (condition(coded(SCT, "85248005")), {"ever"}),
        (condition(coded(ICD10, "F53.1")), {"ever", "current"}),
        (condition(coded(ICD10, "F531")), {"ever", "current"}),
        (condition(coded(ICD10, "F20.0")), {"ever", "current"}),
        (condition(coded(ICD10, "F32.1")), set()),
        (condition(coded(ICD10, "F2")), set()),
        (observation(BIPOLAR, "2025-06-01"), {"ever", "current"}),
        (observation(BIPOLAR, "2025-06-01", valueBoolean=False), set()),
        (condition(BIPOLAR, subject=ref("somebody")), set()),
    ],
)
def test_when_a_diagnosis_counts(resource: dict[str, Any], true: set[str]) -> None:
    assert {name for name, value in states(resource).items() if value is True} == true


def test_text_without_a_code_is_reported_and_never_guessed() -> None:
    result = read(condition({"text": "bipolar disorder"}))
    assert result.facts["ever"].state is State.ABSENT
    assert details(result) == ["uncoded-text"]


def test_a_diagnosis_refuted_later_is_a_contradiction() -> None:
    asserted = condition(BIPOLAR, recordedDate="2025-01-01")
    fact = read(asserted, condition(BIPOLAR, verified="refuted", recordedDate="2025-02-01")).facts["ever"]
    assert (fact.state, fact.note, fact.ask) == (State.UNKNOWN, "conflict", "confirm-diagnosis")
    result = read(asserted, condition(BIPOLAR, verified="refuted", recordedDate="2024-02-01"))
    assert result.facts["ever"].value is True
    assert details(result) == ["data-conflict"]


@pytest.mark.parametrize(
    ("more", "low", "high"),
    [
        ({"onsetDateTime": "2025-06-01", "recordedDate": "2025-06-09"}, "2025-06-01", "2025-06-01"),
        ({"onsetPeriod": {"start": "2025-06"}}, "2025-06-01", "2025-06-30"),
        ({"onsetDateTime": "2024"}, "2024-01-01", "2024-12-31"),
        ({"recordedDate": "2025-06-01T10:00:00Z"}, "2025-06-01", "2025-06-01"),
        ({"onsetAge": {"value": 17, "code": "a"}}, "2011-03-02", "2012-03-01"),
        ({"recordedDate": "2025-05-31T23:30:00Z"}, "2025-06-01", "2025-06-01"),
    ],
)
def test_onset(more: dict[str, Any], low: str, high: str) -> None:
    value = read(condition(BIPOLAR, **more)).facts["onset"].value
    assert value == DateSpan(date.fromisoformat(low), date.fromisoformat(high))


def test_onset_picks_and_misses() -> None:
    two = (
        condition(BIPOLAR, onsetDateTime="2020-01-01"),
        condition(coded(SCT, "231494001"), onsetDateTime="2025-06-01"),
    )
    facts = read(*two).facts
    assert facts["onset"].value == DAY
    assert facts["first"].value == DateSpan(date(2020, 1, 1), date(2020, 1, 1))
    assert read().facts["onset"].state is State.ABSENT
    assert read(condition(BIPOLAR)).facts["onset"].note == "no-date"


def test_an_undated_diagnosis_was_first_recorded_at_its_contact() -> None:
    contact = {"resourceType": "Encounter", "id": "e", "status": "finished", "period": {"start": "2025-06-01"}}
    noted = condition(BIPOLAR, encounter=ref("e", "Encounter"))
    assert read(contact, noted).facts["onset"].value == DAY


def test_a_diagnosis_of_tomorrow_is_unknown_and_reported() -> None:
    result = read(condition(BIPOLAR, onsetDateTime="2025-06-16"))
    assert result.facts["ever"].state is State.UNKNOWN
    assert details(result) == ["implausible-date"]


# --- findings ------------------------------------------------------------------------------------------------------
TRAUMA = coded(LOCAL, "birth-trauma")
YES, NO = coded(SCT, "373066001"), coded(SCT, "373067005")


@pytest.mark.parametrize(
    ("resource", "value"),
    [
        (observation(TRAUMA, "2025-01-01"), True),
        (observation(TRAUMA, None), True),
        (observation(TRAUMA, "2025-01-01", valueBoolean=True), True),
        (observation(TRAUMA, "2025-01-01", valueBoolean=False), False),
        (observation(TRAUMA, "2025-01-01", valueCodeableConcept=YES), True),
        (observation(TRAUMA, "2025-01-01", valueCodeableConcept=NO), False),
        (observation(TRAUMA, "2025-01-01", valueCodeableConcept=TRAUMA), True),
        (observation(TRAUMA, "2025-01-01", status="preliminary"), True),
        (
            observation(coded("https://elsewhere.example/CodeSystem/perinatal-concept", "birth-trauma"), "2025-01-01"),
            True,
        ),
        (condition(TRAUMA, clinical="resolved"), True),
    ],
)
def test_every_form_of_a_finding(resource: dict[str, Any], value: bool) -> None:
    fact = read(resource).facts["trauma"]
    assert (fact.state, fact.value) == (State.KNOWN, value)


def test_withdrawn_and_refuted_findings_do_not_count() -> None:
    result = read(observation(TRAUMA, "2025-01-01", status="entered-in-error"))
    assert result.facts["trauma"].state is State.ABSENT
    assert details(result) == ["withdrawn-result"]
    assert read(condition(TRAUMA, verified="refuted")).facts["trauma"].state is State.ABSENT


def test_the_newest_finding_wins_and_one_day_s_yes_and_no_is_a_conflict() -> None:
    yes, no = observation(TRAUMA, "2025-01-01"), observation(TRAUMA, "2025-02-01", valueBoolean=False)
    assert read(yes, no).facts["trauma"].value is False
    result = read(yes, observation(TRAUMA, "2025-01-01", valueBoolean=False))
    assert result.facts["trauma"].note == "conflict"
    assert details(result) == ["data-conflict"]


def test_a_passing_finding_is_over_when_its_condition_is() -> None:
    thoughts = condition(
        coded(SCT, "6471006"), recordedDate="2025-06-10", clinical="resolved", abatementDateTime="2025-06-12"
    )
    assert read(thoughts).facts["thoughts"].value is False
    old = read(observation(coded(SCT, "6471006"), "2025-05-17")).facts["thoughts"]
    assert (old.state, old.older, old.older_on) == (State.ABSENT, True, date(2025, 5, 17))


def test_a_display_that_denies_the_code_is_a_conflict() -> None:
    result = read(observation(coded(SCT, "6471006", "No suicidal thoughts"), "2025-06-10"))
    assert result.facts["thoughts"].note == "conflict"
    assert "code-display-conflict" in details(result)


@pytest.mark.parametrize("display", ["Suicidal thoughts", "suicidal thoughts (finding)", "Thinks about suicide"])
def test_another_wording_is_no_conflict(display: str) -> None:
    assert read(observation(coded(SCT, "6471006", display), "2025-06-10")).facts["thoughts"].value is True


def test_icd10_rubrics_with_without_are_no_conflict() -> None:
    severe = coded(ICD10, "F32.2", "Severe depressive episode")
    assert read(condition(severe)).facts["ever"].value is True


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


@pytest.mark.parametrize("role", ["FAMMEMB", "EXT", "HSIS", "HBRO", "HSIB", "CHILD", "nonsense"])
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
