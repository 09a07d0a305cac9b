"""Mutants of tiny packs, and the tests that notice them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.tools.mutants import mutants
from rules.tools.mutation import mutate
from tests.unit.rules.tiny import rule
from tests.unit.rules_tools.packs import case, suite

WEAK = case("score: 20", "fired: [r1]") + case("score: 2", "not_fired: [r1]")
STRONG = case("score: 12", "not_fired: [r1]") + case(
    "score: 13", "exactly_referrals: {team: routine}, ends: {team: 2026-03-16}"
)


def changes(path: Path, **files: str) -> list[str]:
    return [mutant.change for mutant in mutants(suite(path, STRONG, **files).pack.content) if mutant.rule == "r1"]


def test_weak_tests_notice_less_than_strong_ones(tmp_path: Path):
    weak, strong = mutate(suite(tmp_path, WEAK)), mutate(suite(tmp_path, STRONG))
    assert weak.total == strong.total
    assert weak.score < strong.score
    assert [mutant.change for mutant in weak.survivors if mutant.rule == "r1"] == [
        "score: gte → gt",
        "drops refer team",
        "refer team: priority routine → urgent",
        "refer team: another service",
    ]
    assert [mutant for mutant in strong.survivors if mutant.rule == "r1"] == []


def test_a_survivor_is_named_with_file_and_line(tmp_path: Path):
    survivor = mutate(suite(tmp_path, WEAK)).survivors[0]
    assert str(survivor) == f"{tmp_path}/criteria/a.yaml:5: r1: score: gte → gt"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{score: {lt: 10}}", ["score: lt → lte", "score: lt +1", "score: lt -1"]),
        ("{ill: present}", ["ill: present → absent"]),
        ("{score: known}", ["score: known → missing"]),
        ("{not: {ill: present}}", ["drops 'not'", "ill: present → absent"]),
        ("{unless: {ill: present}}", ["drops 'unless'", "unless → not", "ill: present → absent"]),
        ("{in_window: present}", ["in_window: present → absent"]),
        (
            "{any: [{ill: present}, {score: known}]}",
            ["any → all", "drops ill present", "ill: present → absent", "drops score known", "score: known → missing"],
        ),
        ("{ended_on: {within_months: 2}}", ["ended_on: within_months +1", "ended_on: within_months -1"]),
        (
            "{item: {older: {gte: 1}}}",
            [
                "item: older → the value that counts",
                "older: item: gte → gt",
                "older: item: gte +1",
                "older: item: gte -1",
            ],
        ),
    ],
)
def test_a_condition_is_changed_in_one_place_at_a_time(tmp_path: Path, condition: str, expected: list[str]):
    found = changes(tmp_path, criteria=rule(condition))
    assert found[: len(expected)] == expected
    assert found[len(expected)].startswith("drops refer")


def test_a_change_that_no_value_of_the_fact_can_tell_is_no_mutant(tmp_path: Path):
    assert not any("score" in change for change in changes(tmp_path, criteria=rule("{score: {gte: 40}}")))


def test_a_parameter_is_moved_where_it_is_declared_and_only_if_rules_use_it(tmp_path: Path):
    found = [mutant for mutant in mutants(suite(tmp_path, STRONG).pack.content) if "every value" in mutant.change]
    assert {mutant.rule for mutant in found} == {"cut-off", "routine-days", "window-months"}
    assert all(mutant.place.file.endswith("parameters.yaml") for mutant in found)


def test_outcomes_asks_windows_and_steps_are_changed_too(tmp_path: Path):
    more = (
        "window: in_window\noutside: {service: gp}\nask: [{when: {item: missing}, task: complete-item, for: [item]}]\n"
    )
    steps = """
        - id: young
          title: Young
          sources: [{document: A document}]
          when: {age_years: {lt: 18}}
          services: [team]
          do: [{also_refer: camhs}, {note: Both}]
    """
    found = {
        mutant.change
        for mutant in mutants(
            suite(tmp_path, STRONG, criteria=rule("{ill: present}", more=more), steps=steps).pack.content
        )
    }
    assert {
        "drops the window",
        "drops outside",
        "drops the ask complete-item",
        "drops refer team",
        "drops the step",
        "for every service",
        "not for team",
        "drops note",
        "also_refer: another service",
        "drops outside_when",
    } <= found


def test_several_processes_find_the_same(tmp_path: Path):
    many = rule("{any: [" + ", ".join(f"{{score: {{eq: {number}}}}}" for number in range(20)) + "]}")
    made = suite(tmp_path, WEAK.replace("not_fired", "fired"), criteria=many)
    alone, together = mutate(made), mutate(made, jobs=2)
    assert [str(each) for each in alone.survivors] == [str(each) for each in together.survivors]
