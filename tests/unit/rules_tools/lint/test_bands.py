"""Gaps and overlaps between the bands of one score, thresholds outside its range, and bands that cross over."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from rules import load_pack
from rules.engine.rule_tests import load_rule_tests
from rules.tools.lint import lint
from tests.unit.rules.tiny import PACK, rule, write
from tests.unit.rules_tools.lint.linting import DAY, codes, found, given


def bands(*tests: str, more: str = "") -> str:
    """A rule for each test of the score."""
    return "".join(rule(f"{{score: {test}}}", f"r{n}", more=more) for n, test in enumerate(tests, start=1))


@pytest.mark.parametrize(
    ("tests", "code", "words", "score"),
    [
        (["{gte: 10, lt: 15}", "{gte: 16}"], "RL301", "of 15 is in no band of r1, r2", 15),
        (["{gte: 10, lt: 13}", "{gte: 15, lt: 20}", "{gte: 20}"], "RL301", "of 13 to 14 is in no band", 13),
        (["{gte: 10, lte: 14}", "{gt: 15}"], "RL301", "of 15 is in no band", 15),
        (["{gte: 10, lt: 15}", "{gte: 15, lt: 20}"], "RL301", "of 20 to 30 is in no band of r1, r2", 20),
        (["{gte: 10, lte: 15}", "{gte: 15}"], "RL302", "of 15 is in the band of r1 and in that of r2", 15),
        (["{gte: 10, lt: 20}", "{gte: 15}"], "RL302", "of 15 to 19 is in the band", 15),
        (["{in: [10, 11, 12]}", "{gte: 14}"], "RL301", "of 13 is in no band", 13),
    ],
)
def test_a_gap_or_an_overlap_is_shown_by_a_value(tmp_path: Path, tests: list[str], code: str, words: str, score: int):
    (finding,) = found(tmp_path, "RL301", "RL302", criteria=bands(*tests))
    assert finding.code == code
    assert words in finding.message
    assert given(finding) == f"{{score: {score}}}"
    assert finding.witness is not None
    assert finding.witness.words == f"Score: {score}"


@pytest.mark.parametrize(
    "tests",
    [
        ["{gte: 10, lt: 15}", "{gte: 15}"],
        ["{gte: 10, lte: 14}", "{gt: 14, lt: 20}", "{gte: 20}"],
        ["{gte: 1}", "{gte: 20}"],  # steps that are climbed together
        ["{gte: 10}"],
    ],
)
def test_bands_that_meet_and_steps_are_left_alone(tmp_path: Path, tests: list[str]):
    assert found(tmp_path, "RL301", "RL302", criteria=bands(*tests)) == []


def test_a_rule_that_needs_more_than_the_score_is_no_band(tmp_path: Path):
    criteria = bands("{gte: 10, lt: 15}", "{gte: 15}") + rule("{all: [{score: {gte: 12}}, {ill: present}]}", "r3")
    assert found(tmp_path, "RL301", "RL302", criteria=criteria) == []


def test_a_rule_that_excludes_more_is_a_band_all_the_same(tmp_path: Path):
    criteria = bands("{gte: 10}") + rule("{all: [{score: {gte: 5, lt: 9}}, {not: {word: a}}]}", "r2")
    (gap,) = found(tmp_path, "RL301", criteria=criteria)
    assert "of 9 is in no band" in gap.message


def test_rules_with_another_window_divide_the_score_apart(tmp_path: Path):
    criteria = bands("{gte: 10, lt: 15}", "{gte: 15}", more="window: in_window")
    criteria += rule("{score: {gte: 13}}", "r3", more="window: pregnant")
    assert found(tmp_path, "RL301", "RL302", criteria=criteria) == []


def test_a_gap_inside_a_window_shows_what_opens_it(tmp_path: Path):
    (gap,) = found(tmp_path, "RL301", criteria=bands("{gte: 10, lt: 15}", "{gte: 16}", more="window: pregnant"))
    assert given(gap) == "{pregnant: true, score: 15}"


def test_bands_of_a_number_with_decimals(tmp_path: Path):
    criteria = rule("{weight: {gte: 40, lt: 50}}") + rule("{weight: {gt: 50}}", "r2")
    (gap,) = found(tmp_path, "RL301", criteria=criteria)
    assert "of 50 is in no band" in gap.message


def test_what_is_shown_can_be_a_test_beside_the_rules(tmp_path: Path):
    (gap,) = found(tmp_path, "RL301", criteria=bands("{gte: 10, lt: 15}", "{gte: 16}", more="window: in_window"))
    (tmp_path / "tests").mkdir()
    test = f"- {{name: t, as_of: {DAY}, given: {given(gap)}, expect: {{not_fired: [r1, r2]}}}}\n"
    (tmp_path / "tests" / "t.yaml").write_text(test, encoding="utf-8")
    pack = load_pack(tmp_path)
    (read,) = load_rule_tests(tmp_path, pack)
    decision = pack.evaluate(read.given, read.as_of)
    assert [str(each.status) for each in decision.outcomes] == ["not-fired", "not-fired"]


CHANGED = (
    dedent(PACK["parameters.yaml"])
    + "high: {label: High, values: [{from: 2020-01-01, value: 12}, {from: 2026-06-01, value: 20}]}\n"
)
MEETING = bands("{gte: parameters.cut-off, lt: parameters.high}", "{gte: parameters.high}")


def test_bands_that_cross_over_from_a_day(tmp_path: Path):
    """The lower end is 10, and 13 from 2026; the upper is 12, and 20 from June 2026."""
    folder = write(tmp_path, criteria=MEETING, parameters=CHANGED)
    crossed = [each for each in lint(folder).findings if each.code in ("RL101", "RL304")]
    assert [(each.code, each.scope) for each in crossed] == [("RL101", "as of 2026-01-01")]
    assert "“Score is at least 13” [cut-off] and “Score is below 12” [high] cannot hold together" in crossed[0].message
    assert codes(list(lint(folder, as_of=date(2026, 6, 1)).findings)).count("RL101") == 0


def test_a_band_among_others_that_crosses_over(tmp_path: Path):
    criteria = rule("{any: [{ill: present}, {score: {gte: 13, lt: 12}}]}")
    (crossed,) = found(tmp_path, criteria=criteria)
    assert (crossed.code, crossed.place.line) == ("RL304", 5)
    assert crossed.message == "no value lies in this band: “Score is at least 13” and “Score is below 12”"


def test_a_providers_value_opens_a_gap_for_that_provider_alone(tmp_path: Path):
    folder = write(tmp_path, criteria=bands("{gte: 10, lt: parameters.cut-off}", "{gte: 13}"))
    (folder / "providers" / "away.yaml").write_text("provider: away\ntitle: A\nparameters: {cut-off: 12}\n")
    later = lint(folder, as_of=DAY).findings
    (gap,) = [each for each in later if each.code == "RL301"]
    assert (gap.scope, "of 12 is in no band" in gap.message) == ("provider away", True)
    assert [each for each in lint(folder, "home", DAY).findings if each.code == "RL301"] == []


@pytest.mark.parametrize(
    ("test", "code"),
    [
        ("{score: {gte: 31}}", "RL303"),
        ("{score: {lt: -1}}", "RL303"),
        ("{score: {eq: 31}}", "RL303"),
        ("{item: {gte: 4}}", "RL303"),
        ("{score: {gte: 0}}", "RL203"),
        ("{score: {lte: 30}}", "RL203"),
        ("{score: {gte: 30}}", None),
        ("{score: {gt: 0}}", None),
        ("{age_years: {gte: 400}}", None),  # no range is declared
        ("{score: {older: {gte: 31}}}", "RL303"),
    ],
)
def test_a_threshold_is_held_against_the_range_of_its_fact(tmp_path: Path, test: str, code: str | None):
    criteria = rule(f"{{any: [{{ill: present}}, {test}]}}")
    assert codes(found(tmp_path, criteria=criteria)) == ([code] if code else [])


def test_a_dated_threshold_is_held_against_the_range_at_every_date(tmp_path: Path):
    changed = dedent(PACK["parameters.yaml"]).replace("value: 13", "value: 31")
    criteria = rule("{any: [{ill: present}, {score: {gte: parameters.cut-off}}]}")
    folder = write(tmp_path, parameters=changed, criteria=criteria)
    (outside,) = [each for each in lint(folder).findings if each.code == "RL303"]
    assert (outside.scope, outside.about) == ("as of 2026-01-01", ("r1", "cut-off"))
