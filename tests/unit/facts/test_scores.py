"""Totals: which one counts, for how long, and what is reported."""

from __future__ import annotations

from datetime import date

import pytest

from rules import State
from tests.unit.facts.records import (
    LOCAL,
    LOINC,
    coded,
    details,
    epds,
    observation,
    read,
    response,
)


def test_a_total_is_read_with_its_date_and_its_place() -> None:
    fact = read(epds(14, "2025-06-01")).facts["epds"]
    assert (fact.state, fact.value, str(fact.on)) == (State.KNOWN, 14, "2025-06-01")
    assert [(e.entry, e.path, e.date) for e in fact.evidence] == [(1, "valueInteger", "2025-06-01")]


@pytest.mark.parametrize(
    ("day", "state", "older"),
    [("2025-05-18", State.KNOWN, None), ("2025-05-17", State.ABSENT, 14)],
    ids=["28 days old counts", "29 days old does not"],
)
def test_validity_is_inclusive(day: str, state: State, older: int | None) -> None:
    fact = read(epds(14, day)).facts["epds"]
    assert (fact.state, fact.older) == (state, older)
    assert fact.note == ("" if state is State.KNOWN else "out-of-date")


def test_a_month_that_may_or_may_not_count_is_unknown() -> None:
    assert read(epds(14, "2025-05")).facts["epds"].state is State.UNKNOWN


def test_no_form_is_absent_and_no_date_is_unknown() -> None:
    assert read().facts["epds"].state is State.ABSENT
    fact = read(epds(14, None)).facts["epds"]
    assert (fact.state, fact.note) == (State.UNKNOWN, "no-date")


@pytest.mark.parametrize(
    "value",
    [
        {"valueInteger": 14},
        {"valueQuantity": {"value": 14, "code": "{score}", "system": "http://unitsofmeasure.org"}},
        {"valueQuantity": {"value": 14.0, "unit": "1"}},
        {"valueQuantity": {"value": 14}},
    ],
)
@pytest.mark.parametrize("code", [("http://snomed.info/sct", "450320001"), (LOINC, "99046-5"), (LOINC, "71354-5")])
def test_every_form_of_a_total(value: dict[str, object], code: tuple[str, str]) -> None:
    fact = read(observation(coded(*code), "2025-06-01", **value)).facts["epds"]
    assert fact.value == 14
    assert isinstance(fact.value, int)


@pytest.mark.parametrize(
    "value",
    [
        {"valueInteger": 31},
        {"valueInteger": -1},
        {"valueQuantity": {"value": 14.5}},
        {"valueQuantity": {"value": 14, "unit": "mmol/L"}},
        {"valueQuantity": {"value": 14, "comparator": ">"}},
        {"valueString": "14"},
        {"valueInteger": True},
    ],
)
def test_what_no_instrument_gives_is_reported_and_not_used(value: dict[str, object]) -> None:
    bad = observation(coded(LOINC, "99046-5"), "2025-06-02", **value)
    result = read(bad)
    assert result.facts["epds"].state is State.ABSENT
    assert details(result) == ["implausible-value"]
    assert read(bad, epds(12, "2025-06-01")).facts["epds"].value == 12


def test_a_number_may_have_a_fraction_where_declared() -> None:
    value = {"valueQuantity": {"value": 54.5}}
    assert read(observation(coded(LOCAL, "fobs-total"), "2025-06-01", **value)).facts["fobs"].value == 54.5


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        ("entered-in-error", "withdrawn-result"),
        ("cancelled", "withdrawn-result"),
        ("preliminary", ""),
        ("registered", ""),
    ],
)
def test_only_final_results_count(status: str, detail: str) -> None:
    result = read(epds(14, "2025-06-01", status=status))
    assert result.facts["epds"].state is State.ABSENT
    assert details(result) == [detail]


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_corrected_results_count(status: str) -> None:
    assert read(epds(14, "2025-06-01", status=status)).facts["epds"].value == 14


def test_the_newest_counts_by_effective_date_then_time_then_issue() -> None:
    assert read(epds(8, "2025-06-10"), epds(20, "2025-06-01")).facts["epds"].value == 8
    assert read(epds(20, "2025-06-10T09:00:00Z"), epds(8, "2025-06-10T15:00:00Z")).facts["epds"].value == 8
    earlier, later = (
        epds(20, "2025-06-10", issued="2025-06-10T09:00:00Z"),
        epds(8, "2025-06-10", issued="2025-06-10T10:00:00Z"),
    )
    result = read(later, earlier)
    assert result.facts["epds"].value == 8
    assert not details(result)


def test_two_totals_of_one_moment_conflict_and_the_higher_counts() -> None:
    result = read(epds(8, "2025-06-10"), epds(20, "2025-06-10"))
    assert result.facts["epds"].value == 20
    assert details(result) == ["data-conflict"]
    assert {e.entry for e in result.facts["epds"].evidence} == {1, 2}


def test_the_future_is_reported_and_not_used() -> None:
    result = read(epds(20, "2025-06-16"), epds(8, "2025-06-10"))
    assert result.facts["epds"].value == 8
    assert details(result) == ["implausible-date"]


def test_all_items_make_a_total() -> None:
    fact = read(response([1, 1, 1, 1, 1, 1, 1, 1, 1, 2], "2025-06-10T10:00:00+01:00")).facts["epds"]
    assert fact.value == 11
    assert fact.evidence[9].path == "item[9].answer[0]"


def test_a_form_with_a_blank_makes_no_total() -> None:
    assert read(response([1] * 9 + [None], "2025-06-10")).facts["epds"].state is State.ABSENT


def test_an_unfinished_form_is_reported() -> None:
    result = read(response([3] * 10, "2025-06-10", "in-progress"))
    assert result.facts["epds"].state is State.ABSENT
    assert "the form is not complete and was not used" in [issue.text for issue in result.issues]


@pytest.mark.parametrize(("total", "expected"), [(9, 10), (12, 12)])
def test_a_total_that_is_not_the_sum_of_its_items(total: int, expected: int) -> None:
    result = read(epds(total, "2025-06-10T09:00:00Z"), response([1] * 10, "2025-06-10T09:05:00Z"))
    assert result.facts["epds"].value == expected
    assert details(result) == ["score-item-mismatch"]
    assert result.facts["mismatch"].value is True
    assert {e.entry for e in result.facts["epds"].evidence} == {1, 2}


def test_a_total_that_is_the_sum_of_its_items() -> None:
    result = read(epds(10, "2025-06-10"), response([1] * 10, "2025-06-10"))
    assert not details(result)
    assert result.facts["mismatch"].value is False


def test_a_total_derived_from_a_form_of_another_day_is_compared_with_it() -> None:
    derived = epds(9, "2025-06-10", derivedFrom=[{"reference": "https://records.example/QuestionnaireResponse/q"}])
    result = read(derived, response([1] * 10, "2025-06-12", id="q"))
    assert result.facts["epds"].value == 10
    assert details(result) == ["score-item-mismatch"]


def test_an_item_out_of_its_range_spoils_the_sum() -> None:
    result = read(response([5] + [1] * 9, "2025-06-10"))
    assert result.facts["epds"].state is State.ABSENT
    assert details(result) == ["implausible-value"]


@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False)])
def test_a_yes_or_no_result(value: bool, expected: bool) -> None:
    flag = observation(coded(LOCAL, "city-bits-diagnostic"), "2025-06-01", valueBoolean=value)
    assert read(flag).facts["bits"].value is expected
    old = observation(coded(LOCAL, "city-bits-diagnostic"), "2025-01-01", valueBoolean=value)
    assert read(old).facts["bits"].older is expected


def test_a_form_that_was_withdrawn_is_said_to_be() -> None:
    result = read(response([3] * 10, "2025-06-10", "entered-in-error"))
    assert result.facts["epds"].state is State.ABSENT
    assert details(result) == ["withdrawn-result"]


def test_a_total_whose_display_denies_its_code_is_unknown() -> None:
    denied = coded("http://snomed.info/sct", "450320001", "No Edinburgh postnatal depression scale score")
    result = read(observation(denied, "2025-06-10", valueInteger=20))
    assert (result.facts["epds"].state, result.facts["epds"].note) == (State.UNKNOWN, "conflict")
    assert details(result) == ["code-display-conflict"]
    assert read(observation(denied, "2025-06-10", valueInteger=20), epds(8, "2025-06-10")).facts["epds"].value == 8


def test_a_result_that_says_neither_yes_nor_no_is_unknown() -> None:
    words = coded("http://snomed.info/sct", "10828004")
    flag = observation(coded(LOCAL, "city-bits-diagnostic"), "2025-06-01", valueCodeableConcept=words)
    assert read(flag).facts["bits"].state is State.UNKNOWN
    assert read({**flag, "status": "cancelled"}).facts["bits"].state is State.ABSENT


def test_a_late_evening_in_utc_is_the_next_day_in_england() -> None:
    assert str(read(epds(14, "2025-06-09T23:30:00Z")).facts["epds"].on) == "2025-06-10"
    assert str(read(epds(14, "2025-01-09T23:30:00Z"), as_of=date(2025, 1, 15)).facts["epds"].on) == "2025-01-09"
    assert str(read(epds(14, "2025-06-09T23:30:00+01:00")).facts["epds"].on) == "2025-06-09"
