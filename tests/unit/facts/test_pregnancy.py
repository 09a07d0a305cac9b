"""The story of the pregnancy: as of 15 June 2025 unless said."""

from __future__ import annotations

from typing import Any

import pytest

from rules import DaySpan, State
from tests.unit.facts.pregnancies import NOT, POSSIBLE, PREGNANT, UNCONFIRMED, facts, in_days, on
from tests.unit.facts.records import (
    LOINC,
    SCT,
    baby,
    coded,
    condition,
    details,
    due,
    observation,
    pregnancy_status,
    read,
    ref,
)


# --- pregnant ------------------------------------------------------------------------------------------------------
def test_nothing_at_all_is_unknown_and_asked() -> None:
    fact = read().facts["pregnant"]
    assert (fact.state, fact.note, fact.ask) == (State.UNKNOWN, "not-recorded", "confirm-pregnancy-status")
    found = facts()
    assert found["pregnancy_ended_on"] == "unknown: not-recorded"
    assert (found["loss_on"], found["bereaved"], found["undated"]) == (State.ABSENT,) * 3


@pytest.mark.parametrize(
    ("resource", "value"),
    [
        (pregnancy_status(PREGNANT, "2025-06-01"), True),
        (pregnancy_status(NOT, "2025-06-01"), False),
        (pregnancy_status(POSSIBLE, "2025-06-01"), "unknown: not-confirmed"),
        (pregnancy_status(UNCONFIRMED, "2025-06-01"), "unknown: not-confirmed"),
        (observation(coded(SCT, PREGNANT), "2025-06-01"), True),
        (observation(coded(SCT, PREGNANT), "2025-06-01", valueBoolean=True), True),
        (observation(coded(SCT, PREGNANT), "2025-06-01", valueBoolean=False), False),
        (observation(coded(SCT, NOT), "2025-06-01"), False),
        (condition(coded(SCT, PREGNANT), recordedDate="2025-06-01"), True),
        (condition(coded(SCT, PREGNANT), verified="refuted"), "unknown: not-recorded"),
        (condition(coded(SCT, PREGNANT), verified="provisional"), "unknown: not-confirmed"),
        (pregnancy_status(PREGNANT, in_days(-294)), True),
        (pregnancy_status(PREGNANT, in_days(-295)), "unknown: due-date-passed"),
    ],
)
def test_every_form_of_the_status(resource: dict[str, Any], value: object) -> None:
    assert facts(resource)["pregnant"] == value


@pytest.mark.parametrize(
    "resource",
    [
        due("2025-09-01"),
        due("2025-09-01", code="161714006", system=SCT),
        due("2025-09-01", code="738070007", system=SCT),
        due("2025-09-01", code="289206005", system=SCT),
        due("2025-09-01", code="11779-6"),
        due("2025-09-01", code="11780-4"),
        observation(
            coded(LOINC, "82810-3"),
            "2025-01-10",
            component=[{"code": coded(LOINC, "11778-8"), "valueDateTime": "2025-09-01"}],
        ),
        observation(
            coded(SCT, "57036006"),
            "2025-01-10",
            component=[{"code": coded(SCT, "289206005"), "valueDateTime": "2025-09-01"}],
        ),
        due("2024-11-25", code="161713000", system=SCT),
    ],
)
def test_every_form_of_the_due_date(resource: dict[str, Any]) -> None:
    found = facts(resource)
    assert found["pregnant"] is True
    assert found["edd"] == on("2025-09-01")
    assert found["gestation_days"] == DaySpan(202, 202)
    assert found["pregnancy_started_on"] == on("2024-11-25")
    assert found["pregnancy_ended_on"] is State.ABSENT
    assert found["undated"] is State.ABSENT


@pytest.mark.parametrize(
    ("resource", "days"),
    [
        (observation(coded(SCT, "57036006"), "2025-06-01", valueQuantity={"value": 20, "code": "wk"}), (154, 160)),
        (observation(coded(SCT, "57036006"), "2025-06-01", valueQuantity={"value": 143, "code": "d"}), (157, 157)),
        (observation(coded(SCT, "23464008"), "2025-06-01"), (154, 160)),
        (observation(coded(SCT, "87178007"), "2025-06-01"), (21, 27)),
        (observation(coded(SCT, "36428009"), "2025-06-14"), (295, 301)),
        (condition(coded(SCT, "23464008"), recordedDate="2025-06-01"), (154, 160)),
    ],
)
def test_gestation_without_a_due_date(resource: dict[str, Any], days: tuple[int, int]) -> None:
    found = facts(resource)
    assert found["gestation_days"] == DaySpan(*days)
    assert found["pregnant"] is True


def test_a_scan_goes_before_the_last_period_and_the_newest_before_the_older() -> None:
    scan = due("2025-09-10", "2025-01-01", "738070007", SCT)
    assert facts(scan, due("2025-09-01", "2025-03-01", "289206005", SCT))["edd"] == on("2025-09-10")
    assert facts(due("2025-09-10", "2025-01-01"), due("2025-09-01", "2025-03-01"))["edd"] == on("2025-09-01")
    result = read(due("2025-09-10"), due("2025-09-01"))
    assert result.facts["edd"].value == on("2025-09-01", "2025-09-10")
    assert details(result) == ["data-conflict"]


def test_a_due_date_of_a_month_is_a_span() -> None:
    assert facts(due("2025-09"))["gestation_days"] == DaySpan(173, 202)


@pytest.mark.parametrize(("days", "pregnant"), [(-21, True), (-22, "unknown: due-date-passed"), (294, True)])
def test_how_far_a_due_date_reaches(days: int, pregnant: object) -> None:
    assert facts(due(in_days(days), None))["pregnant"] == pregnant


def test_a_due_date_too_far_ahead_is_reported() -> None:
    result = read(due(in_days(295)))
    assert result.facts["pregnant"].state is State.UNKNOWN
    assert details(result) == ["implausible-date"]


def test_the_due_date_passed_43_weeks() -> None:
    found = facts(due("2025-05-01"), pregnancy_status(PREGNANT, "2025-02-01"))
    assert found["pregnant"] == "unknown: due-date-passed"
    assert found["due_date_passed"] is True
    assert found["pregnancy_ended_on"] == on("2024-08-22", "2025-06-15")
    assert found["birth_on"] == found["living_baby"] == found["bereaved"] == "unknown: due-date-passed"
    assert read(due("2025-05-01")).facts["pregnant"].ask == "confirm-pregnancy-outcome"


def test_a_due_date_of_years_ago_asks_nothing() -> None:
    found = facts(due("2020-05-01", "2020-01-01"))
    assert found["due_date_passed"] is State.ABSENT
    assert found["pregnancy_ended_on"] == on("2019-08-23", "2020-05-15")


# --- contradictions ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "display"), [(PREGNANT, "Not pregnant"), (NOT, "Pregnant"), (PREGNANT, "Possible pregnancy (finding)")]
)
def test_code_and_display_contradict_each_other(code: str, display: str) -> None:
    for resource in (
        pregnancy_status(code, "2025-06-01", display),
        observation(coded(SCT, code, display), "2025-06-01"),
    ):
        result = read(resource)
        fact = result.facts["pregnant"]
        assert (fact.state, fact.note, fact.ask) == (State.UNKNOWN, "conflict", "confirm-pregnancy-status")
        assert "code-display-conflict" in details(result)
    fact = read(resource, due("2025-09-01")).facts["pregnant"]
    assert (fact.note, fact.ask) == ("conflict", "confirm-pregnancy-outcome")


@pytest.mark.parametrize("display", ["Pregnant", "Pregnant (finding)", "Patient currently pregnant", ""])
def test_displays_that_agree(display: str) -> None:
    assert facts(pregnancy_status(PREGNANT, "2025-06-01", display))["pregnant"] is True


def test_pregnant_and_not_on_one_day() -> None:
    assert (
        facts(pregnancy_status(PREGNANT, "2025-06-01"), pregnancy_status(NOT, "2025-06-01"))["pregnant"]
        == "unknown: conflict"
    )


def test_not_pregnant_with_a_due_date_to_come() -> None:
    result = read(due("2025-09-01"), pregnancy_status(NOT, "2025-06-01"))
    assert (result.facts["pregnant"].note, result.facts["pregnant"].ask) == ("conflict", "confirm-pregnancy-outcome")
    assert details(result) == ["data-conflict"]
    assert result.facts["pregnancy_ended_on"].state is State.UNKNOWN


def test_not_pregnant_before_the_pregnancy_was_known() -> None:
    assert facts(due("2025-09-01"), pregnancy_status(NOT, "2024-10-01"))["pregnant"] is True


def test_pregnant_and_later_not() -> None:
    found = facts(pregnancy_status(PREGNANT, "2025-01-01"), pregnancy_status(NOT, "2025-03-01"))
    assert found["pregnant"] is False
    assert found["pregnancy_ended_on"] == on("2025-01-01", "2025-03-01")
    assert found["birth_on"] == "unknown: outcome-not-recorded"


def test_not_pregnant_and_never_was() -> None:
    found = facts(pregnancy_status(NOT, "2025-06-01"))
    assert found["pregnancy_ended_on"] is State.ABSENT
    assert found["gestation_days"] is State.ABSENT


def test_maternity_care_ended_before_the_due_date() -> None:
    midwifery = {"resourceType": "EpisodeOfCare", "patient": ref("mother"), "type": [coded(SCT, "714088003")]}
    finished = {**midwifery, "status": "finished", "period": {"end": "2025-05-01"}}
    fact = read(due("2025-09-01"), finished).facts["pregnant"]
    assert (fact.note, fact.ask) == ("record-contradicts", "confirm-pregnancy-outcome")
    assert facts(due("2025-09-01"), finished, {**midwifery, "status": "active"})["pregnant"] is True
    assert facts(due("2025-09-01"), {**finished, "period": {"end": "2023-05-01"}})["pregnant"] is True


# --- a pregnancy of a problem list ----------------------------------------------------------------------------------
def problem(clinical: str = "active", verified: str = "confirmed", **more: Any) -> dict[str, Any]:
    return condition(coded(SCT, PREGNANT), clinical, verified, **more)


@pytest.mark.parametrize(
    ("more", "ended"),
    [
        ({"onsetDateTime": "2024-08-01", "abatementDateTime": "2025-05-01"}, on("2025-05-01")),
        ({"abatementDateTime": "2025-05-01"}, on("2025-05-01")),
        ({"onsetDateTime": "2024-12-01"}, on("2024-12-01", "2025-06-15")),
        ({"recordedDate": "2023-01-01"}, on("2023-01-01", "2023-10-22")),
        ({}, "unknown: no-date"),
    ],
)
def test_a_resolved_pregnancy_is_one_that_ended(more: dict[str, Any], ended: object) -> None:
    found = facts(problem("resolved", **more))
    assert (found["pregnant"], found["pregnancy_ended_on"]) == (False, ended)
    assert str(found["birth_on"]).startswith("unknown")
    assert str(found["living_baby"]).startswith("unknown")
    assert found["undated"] == (State.ABSENT if more else True)


def test_a_resolved_pregnancy_of_which_the_birth_is_known_is_that_one() -> None:
    for more in ({"onsetDateTime": "2024-08-01"}, {"recordedDate": "2025-05-05"}, {}):
        resolved = problem("resolved", abatementDateTime="2025-05-25", **more)
        assert facts(*baby("b", "2025-05-01"), resolved)["pregnancy_ended_on"] == on("2025-05-01")
    again = problem("resolved", onsetDateTime="2024-11-01", abatementDateTime="2025-05-25")
    assert facts(*baby("b", "2023-05-01"), again)["pregnancy_ended_on"] == on("2025-05-25")


def test_a_pregnancy_that_will_be_over_is_not_over() -> None:
    assert facts(problem(onsetDateTime="2025-01-01", abatementDateTime="2025-09-01"))["pregnant"] is True


@pytest.mark.parametrize("verified", ["unconfirmed", "provisional", "differential"])
def test_a_pregnancy_that_is_not_confirmed_is_asked(verified: str) -> None:
    assert facts(problem(verified=verified, recordedDate="2025-06-01"))["pregnant"] == "unknown: not-confirmed"


# --- words without a day --------------------------------------------------------------------------------------------
def test_not_pregnant_of_that_month_does_not_hide_pregnant_of_a_day() -> None:
    for month, day in ((NOT, PREGNANT), (PREGNANT, NOT)):
        record = pregnancy_status(month, "2025-06"), pregnancy_status(day, "2025-06-12")
        assert facts(*record)["pregnant"] == "unknown: conflict"
    assert facts(pregnancy_status(NOT, "2025-05"), pregnancy_status(PREGNANT, "2025-06-12"))["pregnant"] is True


def test_an_active_pregnancy_without_a_date_stands_against_an_older_no() -> None:
    assert facts(problem(), pregnancy_status(NOT, "2022-01-01"))["pregnant"] == "unknown: conflict"
    assert facts(problem(), pregnancy_status(PREGNANT, "2025-06-01"))["pregnant"] is True


def test_pregnant_and_postnatal_on_one_day_is_perinatal_either_way() -> None:
    found = facts(pregnancy_status(PREGNANT, "2025-06-01"), observation(coded(SCT, "86569001"), "2025-06-01"))
    assert (found["pregnant"], found["undated"]) == ("unknown: conflict", True)
    found = facts(pregnancy_status(PREGNANT, "2025-06-01"), pregnancy_status(NOT, "2025-06-01"))
    assert found["undated"] is State.ABSENT


# --- what dates no pregnancy ----------------------------------------------------------------------------------------
def test_a_gestation_without_a_date_says_perinatal_and_no_more() -> None:
    for gestation in (
        observation(coded(SCT, "57036006"), valueQuantity={"value": 20, "code": "wk"}),
        observation(coded(SCT, "23464008")),
    ):
        result = read(gestation)
        assert result.facts["pregnant"].state is State.UNKNOWN
        assert result.facts["undated"].value is True
        assert "the gestation has no date, so it dates no pregnancy" in [issue.text for issue in result.issues]


@pytest.mark.parametrize("value", [{}, {"valueString": "1 September"}, {"valueDateTime": "2025-02-30"}])
def test_a_due_date_that_cannot_be_read_is_said(value: dict[str, Any]) -> None:
    result = read(observation(coded(LOINC, "11778-8"), "2025-06-01", **value))
    assert result.facts["pregnant"].state is State.UNKNOWN
    assert "no date can be read from it, so it dates no pregnancy" in [issue.text for issue in result.issues]
