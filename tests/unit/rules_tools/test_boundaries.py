"""Cases beside thresholds: days, months that are clipped, ranges that end."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rules.engine.parameters import add_months
from rules.tools.boundaries import Boundary, boundaries, clipped, last_inside
from rules.tools.coverage import cover
from tests.unit.rules.tiny import rule
from tests.unit.rules_tools.packs import case, suite


def found(path: Path, tests: str, condition: str, more: str = "") -> list[Boundary]:
    made = suite(path, tests, criteria=rule(condition, more=more))
    return list(boundaries(made, cover(made)[1]))


def results(boundary: Boundary) -> dict[str, str]:
    return {case.value: case.result.split(",")[0] for case in boundary.cases}


def test_below_at_and_above_a_score(tmp_path: Path):
    (boundary,) = found(tmp_path, case("score: 20", "fired: [r1]"), "{score: {gte: parameters.cut-off}}")
    assert results(boundary) == {"12": "not-fired", "13": "fired", "14": "fired"}
    assert boundary.matters
    assert boundary.lacking == ("12", "13")
    assert boundary.test == "a case"
    assert str(boundary) == f"{tmp_path}/criteria/a.yaml:5: r1: score gte cut-off"


@pytest.mark.parametrize(
    ("test", "low", "high"), [("gte: 10", 9, 10), ("gt: 10", 10, 11), ("lte: 10", 10, 11), ("lt: 10", 9, 10)]
)
def test_each_comparison_has_its_two_sides(tmp_path: Path, test: str, low: int, high: int):
    tests = case("score: 0", "exactly_referrals: {}" if "g" in test else "fired: [r1]")
    (boundary,) = found(tmp_path, tests, f"{{score: {{{test}}}}}")
    assert boundary.lacking == (str(low), str(high))
    both = case(f"score: {low}", "no_referrals: [team]") + case(f"score: {high}", "referrals: {team: routine}")
    (boundary,) = found(tmp_path, both, f"{{score: {{{test}}}}}")
    assert boundary.lacking == ()


def test_a_side_that_the_range_rules_out_is_not_asked_for(tmp_path: Path):
    (boundary,) = found(tmp_path, case("score: 30", "not_fired: [r1]"), "{score: {gt: 30}}")
    assert boundary.lacking == ()
    assert not boundary.matters


def test_a_number_is_tested_just_below(tmp_path: Path):
    tests = case("weight: 53.5", "not_fired: [r1]") + case("weight: 54", "fired: [r1]")
    (boundary,) = found(tmp_path, tests, "{weight: {gte: 54}}")
    assert boundary.lacking == ()


def test_the_day_before_the_day_and_the_day_after(tmp_path: Path):
    (boundary,) = found(tmp_path, case("ended_on: 2026-03-01", "fired: [r1]"), "{ended_on: {days_ago: {lte: 28}}}")
    assert results(boundary) == {"27": "fired", "28": "fired", "29": "not-fired"}


def test_days_after_another_date_moves_this_one(tmp_path: Path):
    tests = case("ended_on: 2026-01-10, started_on: 2025-05-01", "fired: [r1]")
    (boundary,) = found(tmp_path, tests, "{ended_on: {days_after: {fact: started_on, gte: 0}}}")
    assert results(boundary) == {"-1": "not-fired", "0": "fired", "1": "fired"}


def test_a_day_of_recording_is_moved_only_where_there_is_a_value(tmp_path: Path):
    condition = "{score: {recorded_days_ago: {lte: 14}}}"
    (boundary,) = found(tmp_path, case("score: {value: 3, on: 2026-03-01}", "fired: [r1]"), condition)
    assert results(boundary) == {"13": "fired", "14": "fired", "15": "not-fired"}
    (boundary,) = found(tmp_path, case("score: absent", "not_fired: [r1]"), condition)
    assert boundary.cases == ()


def test_an_older_value_is_moved_as_such(tmp_path: Path):
    tests = case("item: {older: 2, on: 2025-01-01}", "fired: [r1]")
    (boundary,) = found(tmp_path, tests, "{item: {older: {gte: 1}}}")
    assert results(boundary) == {"0": "not-fired", "1": "fired", "2": "fired"}
    assert boundary.lacking == ("0", "1")


def test_months_have_a_last_day_a_leap_day_and_a_clipped_end(tmp_path: Path):
    tests = case("ended_on: 2026-03-01", "fired: [r1]") + case("ended_on: 2025-03-02", "fired: [r1]")
    (boundary,) = found(tmp_path, tests, "{ended_on: {within_months: 11}}")
    assert results(boundary) == {
        "2025-04-02 on 2026-03-02: the last day inside": "fired",
        "2025-04-01 on 2026-03-02: the first day outside": "not-fired",
        "2026-03-02 on 2026-03-02: today": "fired",
        "2026-03-03 on 2026-03-02: tomorrow": "not-fired",
        "2024-02-29 on 2025-01-29: 29 February, the last day": "fired",
        "2024-02-29 on 2025-01-30: 29 February, the day after": "not-fired",
        "2024-03-31 on 2025-02-28: a clipped month's end, the last day": "fired",
        "2024-03-31 on 2025-03-01: a clipped month's end, the day after": "not-fired",
    }
    assert boundary.lacking == ("the last day inside", "the first day outside")


@pytest.mark.parametrize("as_of", [date(2026, 2, 28), date(2028, 2, 29), date(2026, 3, 1), date(2026, 12, 31)])
@pytest.mark.parametrize("months", [1, 11, 12, 24])
def test_the_last_day_inside_is_the_last(as_of: date, months: int):
    edge = last_inside(as_of, months)
    assert add_months(edge, months) >= as_of > add_months(date.fromordinal(edge.toordinal() - 1), months)


def test_twelve_months_clip_nothing_but_a_leap_day():
    assert clipped(12) is None
    assert clipped(1) == date(2024, 1, 31)


def test_a_threshold_in_a_derived_fact_is_shown_with_the_rule_that_uses_it(tmp_path: Path):
    tests = case("score: 20, pregnant: false, ended_on: 2026-01-01", "fired: [r1]")
    boundaries_found = found(tmp_path, tests, "{score: {gte: 10}}", more="window: in_window\n")
    window = next(each for each in boundaries_found if "within_months" in each.criterion)
    assert window.rule == "r1"
    assert window.place.file.endswith("facts.yaml")
    assert window.matters
