"""Births, losses and one pregnancy after another: as of 15 June 2025 unless said."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from rules import State
from tests.unit.facts.pregnancies import ECTOPIC, LIVE, MISCARRIAGE, NOT, PREGNANT, STILL, TERMINATION, facts, on
from tests.unit.facts.records import (
    LOCAL,
    SCT,
    baby,
    coded,
    condition,
    details,
    due,
    observation,
    outcome,
    person,
    pregnancy_status,
    read,
    ref,
)


# --- births --------------------------------------------------------------------------------------------------------
def test_a_birth_before_the_due_date() -> None:
    found = facts(due("2025-06-20"), pregnancy_status(PREGNANT, "2025-05-20"), *baby("b", "2025-06-01"))
    assert (found["pregnant"], found["living_baby"], found["bereaved"]) == (False, True, False)
    assert found["pregnancy_ended_on"] == found["birth_on"] == on("2025-06-01")
    assert found["pregnancy_started_on"] == on("2024-09-13")
    assert found["loss_on"] is State.ABSENT


@pytest.mark.parametrize(
    "resources",
    [
        [outcome(LIVE, "2025-06-01")],
        [observation(coded(SCT, LIVE), "2025-06-01")],
        [condition(coded(SCT, LIVE), onsetDateTime="2025-06-01")],
        [
            {
                "resourceType": "Procedure",
                "status": "completed",
                "subject": ref("mother"),
                "code": coded(SCT, LIVE),
                "performedDateTime": "2025-06-01",
            }
        ],
        [person("b", "2025-06-01")],
        [person("b", "2025-06-01", link=[{"other": ref("mother"), "type": "seealso"}])],
        [
            {
                "resourceType": "RelatedPerson",
                "id": "b",
                "patient": ref("mother"),
                "birthDate": "2025-06-01",
                "relationship": [coded("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "CHILD")],
            }
        ],
    ],
)
def test_every_form_of_a_birth(resources: list[dict[str, Any]]) -> None:
    found = facts(*resources)
    assert (found["birth_on"], found["living_baby"], found["pregnant"]) == (on("2025-06-01"), True, False)


def test_the_birth_date_goes_before_the_day_it_was_written_down() -> None:
    found = facts(*baby("b", "2025-04-01"), outcome(LIVE, "2025-05-15"))
    assert found["pregnancy_ended_on"] == on("2025-04-01")


def test_gestation_at_birth_dates_the_start() -> None:
    length = observation(coded(SCT, "412726003"), "2025-06-01", valueQuantity={"value": 270, "code": "d"})
    assert facts(*baby("b", "2025-06-01"), length)["pregnancy_started_on"] == on("2024-09-04")
    assert facts(*baby("b", "2025-06-01"))["pregnancy_started_on"] == on("2024-08-11", "2025-05-18")


def test_twins_with_one_stillborn_are_both_true() -> None:
    twins = [*baby("b", "2025-06-01"), *baby("c", "2025-06-01")]
    dead_at_birth = [*baby("b", "2025-06-01"), *baby("c", "2025-06-01", deceasedBoolean=True)]
    for record in (
        [outcome(LIVE, "2025-06-01"), outcome(STILL, "2025-06-01")],
        [outcome("169829002", "2025-06-01")],
        [*twins, outcome(LIVE, "2025-06-01"), outcome(STILL, "2025-06-01")],
        [*twins, outcome(STILL, "2025-06-01", focus=[ref("c")])],
        [*dead_at_birth, outcome(LIVE, "2025-06-01"), outcome(STILL, "2025-06-01")],
    ):
        found = facts(*record)
        assert (found["living_baby"], found["bereaved"], found["birth_on"]) == (True, True, on("2025-06-01"))
        assert found["loss_on"] == on("2025-06-01")


def test_twins_with_one_stillborn_and_one_that_died() -> None:
    twins = [*baby("b", "2025-06-01", deceasedDateTime="2025-06-03"), *baby("c", "2025-06-01")]
    found = facts(*twins, outcome(LIVE, "2025-06-01"), outcome(STILL, "2025-06-01"))
    assert (found["living_baby"], found["loss_on"]) == (False, on("2025-06-03"))


@pytest.mark.parametrize(
    "death",
    [
        [*baby("b", "2025-06-01", deceasedDateTime="2025-06-05")],
        [*baby("b", "2025-06-01"), condition(coded(SCT, "391181005"), onsetDateTime="2025-06-05")],
        [*baby("b", "2025-06-01"), condition(coded(SCT, "391181005"), onsetDateTime="2025-06-05", subject=ref("b"))],
        [outcome(LIVE, "2025-06-01"), observation(coded(LOCAL, "infant-death"), "2025-06-05")],
        [
            *baby("b", "2025-06-01", deceasedDateTime="2025-06-05"),
            condition(coded(SCT, "391181005"), onsetDateTime="2025-06-05"),
        ],
    ],
)
def test_a_baby_that_died_makes_bereaved(death: list[dict[str, Any]]) -> None:
    found = facts(*death)
    assert (found["bereaved"], found["living_baby"]) == (True, False)
    assert (found["birth_on"], found["loss_on"]) == (on("2025-06-01"), on("2025-06-05"))


def test_one_of_two_babies_died() -> None:
    found = facts(*baby("b", "2025-06-01"), *baby("c", "2025-06-01", deceasedBoolean=True))
    assert (found["bereaved"], found["living_baby"], found["loss_on"]) == (True, True, "unknown: no-date")


def test_a_death_without_a_recorded_birth_implies_one() -> None:
    found = facts(condition(coded(SCT, "276506001"), onsetDateTime="2025-06-05"))
    assert found["pregnancy_ended_on"] == on("2025-05-09", "2025-06-05")
    assert (found["bereaved"], found["pregnant"], found["living_baby"]) == (True, False, False)


def test_a_baby_without_a_birth_date_is_undated() -> None:
    found = facts(*baby("b", None))
    assert found["undated"] is True
    assert found["pregnancy_ended_on"] == "unknown: no-date"
    assert found["living_baby"] is True


def test_postnatal_without_a_birth_is_undated() -> None:
    for resource in (observation(coded(SCT, "86569001"), "2025-06-01"), condition(coded(SCT, "86569001"))):
        found = facts(resource)
        assert (found["undated"], found["pregnant"], found["pregnancy_ended_on"]) == (True, False, "unknown: no-date")
    assert facts(observation(coded(SCT, "86569001"), "2022-06-01"))["undated"] is State.ABSENT


def test_pregnant_without_any_date_is_undated() -> None:
    found = facts(pregnancy_status(PREGNANT, None))
    assert (found["pregnant"], found["undated"], found["gestation_days"]) == (True, True, "unknown: no-date")


# --- losses --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", [MISCARRIAGE, ECTOPIC, "44782008", TERMINATION])
def test_a_loss_before_birth(code: str) -> None:
    found = facts(due("2025-12-01", "2025-04-20"), outcome(code, "2025-05-20"))
    assert (found["pregnant"], found["bereaved"], found["living_baby"]) == (False, True, False)
    assert found["pregnancy_ended_on"] == found["loss_on"] == on("2025-05-20")
    assert found["birth_on"] is State.ABSENT


def test_a_stillbirth_is_a_birth_and_a_loss() -> None:
    found = facts(outcome(STILL, "2025-05"))
    assert found["birth_on"] == found["loss_on"] == on("2025-05-01", "2025-05-31")
    assert (found["bereaved"], found["living_baby"]) == (True, False)


def test_a_refuted_withdrawn_or_planned_loss_is_none() -> None:
    planned = {
        "resourceType": "Procedure",
        "status": "preparation",
        "subject": ref("mother"),
        "code": coded(SCT, TERMINATION),
    }
    for resource in (
        condition(coded(SCT, MISCARRIAGE), verified="refuted", onsetDateTime="2025-05-20"),
        outcome(MISCARRIAGE, "2025-05-20", status="entered-in-error"),
        planned,
        outcome(MISCARRIAGE, "2025-06-16"),
    ):
        assert facts(resource)["pregnancy_ended_on"] == "unknown: not-recorded"


def test_an_outcome_without_a_date() -> None:
    found = facts(condition(coded(SCT, MISCARRIAGE)))
    assert (found["undated"], found["bereaved"], found["loss_on"]) == (True, True, "unknown: no-date")
    assert found["pregnancy_ended_on"] == "unknown: no-date"


def test_an_outcome_that_is_not_known() -> None:
    result = read(outcome("98", "2025-05-20"))
    assert details(result) == ["unmapped-code"]
    assert result.facts["pregnancy_ended_on"].value == on("2025-05-20")
    assert result.facts["living_baby"].state is result.facts["bereaved"].state is State.UNKNOWN


# --- one pregnancy after another -----------------------------------------------------------------------------------
def test_a_new_pregnancy_after_a_birth() -> None:
    found = facts(*baby("b", "2024-06-01"), due("2025-09-01"))
    assert (found["pregnant"], found["birth_on"]) == (True, on("2024-06-01"))
    assert found["pregnancy_ended_on"] == on("2024-06-01")
    assert found["pregnancy_started_on"] == on("2024-11-25")


@pytest.mark.parametrize(("days", "pregnant"), [(14, False), (15, True)])
def test_a_word_on_pregnancy_soon_after_the_end(days: int, pregnant: bool) -> None:
    said = (date(2025, 3, 1) + timedelta(days)).isoformat()
    assert facts(outcome(MISCARRIAGE, "2025-03-01"), pregnancy_status(PREGNANT, said))["pregnant"] is pregnant


def test_a_due_date_of_the_pregnancy_that_ended_early() -> None:
    assert facts(*baby("b", "2025-06-01"), due("2025-08-20"))["pregnant"] is False


def test_a_loss_and_then_a_living_baby() -> None:
    found = facts(outcome(MISCARRIAGE, "2024-03-01"), *baby("b", "2025-06-01"))
    assert (found["bereaved"], found["loss_on"], found["living_baby"]) == (False, on("2024-03-01"), True)


def test_nothing_of_the_future_counts() -> None:
    record = (due("2025-06-20"), *baby("b", "2025-06-01"))
    assert facts(*record, as_of=date(2025, 5, 1))["pregnant"] is True


def test_29_february() -> None:
    found = facts(*baby("b", "2024-02-29"), as_of=date(2024, 2, 29))
    assert found["birth_on"] == on("2024-02-29")
    assert facts(due("2024-02", None), as_of=date(2024, 2, 1))["edd"] == on("2024-02-01", "2024-02-29")


def test_an_old_end_does_not_say_that_she_is_not_pregnant_again() -> None:
    for born, pregnant in (
        ("2022-06-16", False),
        ("2022-06-15", "unknown: not-recorded"),
        ("2016-06-15", "unknown: not-recorded"),
    ):
        for record in ([*baby("b", born)], [outcome(LIVE, born)]):
            found = facts(*record)
            assert (found["pregnant"], found["birth_on"], found["pregnancy_ended_on"]) == (pregnant, on(born), on(born))
    assert facts(*baby("b", "2016-01-01"), pregnancy_status(NOT, "2025-06-01"))["pregnant"] is False
    assert facts(*baby("b", "2016-01-01"), due("2025-09-01"))["pregnant"] is True


def test_a_child_who_is_a_patient_and_no_baby_any_more_is_no_birth_without_a_date() -> None:
    found = facts(*baby("b", "2012-01-01"), observation(coded(SCT, "1"), "2025-06-01"))
    asked = "unknown: not-recorded"
    assert (found["pregnant"], found["undated"], found["living_baby"]) == (asked, State.ABSENT, asked)


@pytest.mark.parametrize("verified", ["unconfirmed", "provisional", "differential"])
def test_a_loss_that_is_only_suspected_is_none_and_is_said(verified: str) -> None:
    suspected = condition(coded(SCT, MISCARRIAGE), verified=verified, recordedDate="2025-06-01")
    found = facts(suspected)
    assert (found["pregnant"], found["undated"], found["bereaved"]) == ("unknown: not-recorded", True, State.ABSENT)
    found = facts(suspected, due("2025-12-01"))
    assert (found["pregnant"], found["loss_on"]) == (True, State.ABSENT)
    assert "an end of the pregnancy is suspected" in read(suspected).issues[0].text


@pytest.mark.parametrize("status", ["preparation", "not-done", "on-hold", "stopped", "entered-in-error"])
def test_a_termination_that_was_not_carried_out_is_none(status: str) -> None:
    procedure = {
        "resourceType": "Procedure",
        "status": status,
        "subject": ref("mother"),
        "code": coded(SCT, TERMINATION),
    }
    assert facts({**procedure, "performedDateTime": "2025-06-01"}, due("2025-12-01"))["pregnant"] is True
