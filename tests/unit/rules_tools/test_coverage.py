"""What the tests beside the rules see: hard cases first."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.tools.coverage import cover
from tests.unit.rules.tiny import rule
from tests.unit.rules_tools.packs import case, suite

FIRES = case("score: 13", "fired: [r1]")
NOT = case("score: 12", "not_fired: [r1]")
UNKNOWN = case("score: unknown", "unknown: [r1]")


def uncovered(path: Path, tests: str, **files: str) -> list[str]:
    """The goals of the rule r1 that are not met, without their place."""
    coverage, _ = cover(suite(path, tests, **files))
    return [f"{goal.what}: {goal.outcome}" for goal in coverage.uncovered if goal.group == "r1"]


def test_a_rule_with_every_outcome_is_covered(tmp_path: Path):
    coverage, _ = cover(suite(tmp_path, FIRES + NOT + UNKNOWN))
    assert coverage.groups()["r1"] == (6, 6)


def test_what_no_test_saw_is_named_with_file_and_line(tmp_path: Path):
    coverage, _ = cover(suite(tmp_path, FIRES))
    assert [str(goal) for goal in coverage.uncovered if goal.group == "r1"] == [
        f"{tmp_path}/criteria/a.yaml:2: r1: the rule: must not fire",
        f"{tmp_path}/criteria/a.yaml:2: r1: the rule: unknown",
        f"{tmp_path}/criteria/a.yaml:5: r1: score gte cut-off: false",
        f"{tmp_path}/criteria/a.yaml:5: r1: score gte cut-off: unknown",
    ]
    assert coverage.percent < 50


def test_a_test_that_expects_nothing_of_the_rule_does_not_count(tmp_path: Path):
    assert "score gte cut-off: true" in uncovered(tmp_path, case("score: 20", "no_flags: [other]"))


@pytest.mark.parametrize("expect", ["referrals: {team: routine}", "exactly_referrals: {team: routine}"])
def test_one_that_expects_its_referral_counts(tmp_path: Path, expect: str):
    assert "score gte cut-off: true" not in uncovered(tmp_path, case("score: 20", expect))


ANY = rule("{any: [{score: {gte: 10}}, {item: {gte: 1}}]}")


def test_a_criterion_behind_another_does_not_decide(tmp_path: Path):
    both = case("score: 20, item: 1", "fired: [r1]")
    assert "item gte 1: true" in uncovered(tmp_path, both, criteria=ANY)
    assert "score gte 10: true" in uncovered(tmp_path, both, criteria=ANY)
    alone = case("score: 2, item: 1", "fired: [r1]")
    found = uncovered(tmp_path, alone, criteria=ANY)
    assert "item gte 1: true" not in found
    assert "score gte 10: false" in found


def test_in_an_all_a_false_part_hides_the_others(tmp_path: Path):
    text = rule("{all: [{score: {gte: 10}}, {item: {gte: 1}}]}")
    found = uncovered(tmp_path, case("score: 2, item: 0", "not_fired: [r1]"), criteria=text)
    assert {"score gte 10: false", "item gte 1: false"} <= set(found)
    found = uncovered(tmp_path, case("score: 20, item: 0", "not_fired: [r1]"), criteria=text)
    assert "item gte 1: false" not in found


def test_what_cannot_be_unknown_need_not_be_seen_so(tmp_path: Path):
    text = rule("{any: [{score: known}, {item: {older: {gte: 1}}}]}")
    found = uncovered(tmp_path, case("score: 2", "fired: [r1]"), criteria=text)
    assert not any(line.endswith("unknown") for line in found)


def test_what_the_range_rules_out_need_not_be_seen(tmp_path: Path):
    found = uncovered(tmp_path, case("score: 2", "not_fired: [r1]"), criteria=rule("{score: {gte: 31}}"))
    assert "score gte 31: true" not in found
    assert "the rule: must fire" not in found


def test_branches_asks_and_outside_are_to_be_seen_true_and_false(tmp_path: Path):
    then = "[{refer: {service: team, priority: routine}}, {flag: {code: high}, when: {score: {gte: 20}}}]"
    more = (
        "window: in_window\noutside: {service: gp}\nask: [{when: {item: missing}, task: complete-item, for: [item]}]\n"
    )
    tests = case("score: 14, pregnant: true", "fired: [r1]")
    found = uncovered(tmp_path, tests, criteria=rule("{score: {gte: 10}}", then=then, more=more))
    assert {"branch flag or issue high: true", "outside: true", "ask complete-item: false"} <= set(found)
    assert not {"branch flag or issue high: false", "outside: false", "ask complete-item: true"} & set(found)


def test_a_derived_fact_has_goals_of_its_own_and_only_where_it_decides(tmp_path: Path):
    text = rule("{score: {gte: 10}}", more="window: in_window\n")
    coverage, _ = cover(suite(tmp_path, case("score: 2, pregnant: true", "not_fired: [r1]"), criteria=text))
    missed = {f"{goal.what}: {goal.outcome}" for goal in coverage.uncovered if goal.group == "in_window"}
    assert "pregnant present: true" in missed  # the low score decided
    coverage, _ = cover(suite(tmp_path, case("score: 12, pregnant: true", "fired: [r1]"), criteria=text))
    missed = {f"{goal.what}: {goal.outcome}" for goal in coverage.uncovered if goal.group == "in_window"}
    assert "pregnant present: true" not in missed


def test_a_step_is_to_be_seen_applied_and_passed_by(tmp_path: Path):
    steps = """
        - id: young
          title: Young
          sources: [{document: A document}]
          when: {age_years: {lt: 18}}
          do: [{move_to: camhs}]
    """

    def missed(tests: str) -> set[str]:
        coverage, _ = cover(suite(tmp_path, tests, steps=steps))
        return {goal.outcome for goal in coverage.uncovered if goal.group == "young" and goal.what == "the step"}

    assert missed(FIRES) == {"applies"}
    assert missed(FIRES + case("score: 13, age_years: 17", "exactly_referrals: {camhs: routine}")) == set()
