"""Diagnoses and findings: what counts, since when, and what contradicts itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rules import DateSpan, State
from tests.unit.facts.records import (
    ICD10,
    LOCAL,
    SCT,
    coded,
    condition,
    details,
    observation,
    read,
    ref,
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
        (condition(BIPOLAR, verified="unconfirmed"), {"ever", "current"}),
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


def test_a_finding_of_now_is_not_over_before_the_day_it_will_be() -> None:
    thoughts = condition(coded(SCT, "6471006"), recordedDate="2025-06-10", abatementDateTime="2025-07-01")
    assert read(thoughts).facts["thoughts"].value is True


# --- diagnoses said by Observations, and those that nobody can read --------------------------------------------------
def test_an_observation_of_a_diagnosis_with_its_own_code_as_value() -> None:
    assert states(observation(BIPOLAR, "2025-06-01", valueCodeableConcept=BIPOLAR))["current"] is True


@pytest.mark.parametrize("value", [{"valueCodeableConcept": coded(SCT, "24484000")}, {"valueString": "see letter"}])
def test_an_observation_that_says_neither_yes_nor_no_is_unknown(value: dict[str, Any]) -> None:
    fact = read(observation(BIPOLAR, "2025-06-01", **value)).facts["ever"]
    assert (fact.state, fact.ask) == (State.UNKNOWN, "confirm-diagnosis")
    assert read(observation(BIPOLAR, "2025-06-01", **value), condition(BIPOLAR)).facts["ever"].value is True


def test_the_latest_of_two_refutations_counts() -> None:
    asserted = condition(BIPOLAR, recordedDate="2025-01-01")
    refuted = [condition(BIPOLAR, verified="refuted", **more) for more in ({"recordedDate": "2025-02-01"}, {})]
    for order in (refuted, refuted[::-1]):
        assert read(asserted, *order).facts["ever"].note == "conflict"


@pytest.mark.parametrize(
    ("codings", "said"),
    [
        ([{"display": "bipolar disorder"}], ["uncoded-text"]),
        ([{"system": "https://elsewhere.example/codes", "code": "B1"}], ["unmapped-code"]),
        ([{"system": "https://elsewhere.example/codes", "code": "B1"}, *coded(SCT, "195967001")["coding"]], []),
        ([{"code": "F31.4"}], ["unmapped-code"]),
        (coded(SCT, "195967001")["coding"], []),
    ],
    ids=["words only", "another code system", "and one that is read", "no code system", "asthma"],
)
def test_a_diagnosis_that_no_rule_can_see_is_said(codings: list[dict[str, str]], said: list[str]) -> None:
    result = read(condition({"coding": codings}))
    assert result.facts["ever"].state is State.ABSENT
    assert details(result) == said


def test_the_diagnosis_of_an_episode_is_its_condition() -> None:
    episode = {"resourceType": "EpisodeOfCare", "status": "active", "patient": ref("mother")}
    diagnosis = {**episode, "diagnosis": [{"condition": ref("c", "Condition")}]}
    assert states(diagnosis, condition(BIPOLAR, id="c"))["current"] is True
