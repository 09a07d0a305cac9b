"""Two rules that are one, one inside another, and outcomes that contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.rules.tiny import rule
from tests.unit.rules_tools.lint.linting import codes, found, given

PAIRS = ("RL401", "RL402", "RL403")
URGENT = "[{refer: {service: team, priority: urgent}}]"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("{score: {gte: 10}}", "{score: {gt: 9}}", ["RL401"]),
        ("{not: {any: [{score: {lt: 5}}, {ill: present}]}}", "{all: [{not: {score: {lt: 5}}}, {ill: absent}]}", ["RL401"]),
        ("{score: {gte: 20}}", "{score: {gte: 10}}", ["RL402"]),
        ("{score: {gte: 10}}", "{item: {gte: 1}}", []),
        ("{score: {gte: 10, lt: 20}}", "{score: {gte: 20}}", []),
    ],
)  # fmt: skip
def test_two_rules_that_say_the_same(tmp_path: Path, one: str, other: str, expected: list[str]):
    findings = found(tmp_path, *PAIRS, criteria=rule(one) + rule(other, "r2"))
    assert codes(findings) == expected
    assert all(set(each.about) == {"r1", "r2"} and given(each) != "{}" for each in findings)


def test_the_same_facts_with_another_urgency_contradict_each_other(tmp_path: Path):
    criteria = rule("{score: {gte: 10}}") + rule("{score: {gt: 9}}", "r2", then=URGENT)
    (contradiction,) = found(tmp_path, *PAIRS, criteria=criteria)
    assert contradiction.code == "RL403"
    assert contradiction.message.endswith("refer to team routine and urgent")


def test_a_narrower_rule_that_does_more_is_no_duplicate(tmp_path: Path):
    criteria = rule("{score: {gte: 20}}", then=URGENT) + rule("{score: {gte: 10}}", "r2")
    assert found(tmp_path, *PAIRS, criteria=criteria) == []


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("refer: {service: team, priority: routine, within: 3}", ["RL403"]),
        ("refer: {service: team, priority: routine}", []),  # one stands for both
        ("refer: {service: team, priority: urgent, within: 3}", []),  # the more urgent one counts
        ("refer: {service: crisis, priority: routine, within: 3}", []),
        ("when: {score: {gte: 40}}, refer: {service: team, priority: routine, within: 3}", []),  # never both
    ],
)
def test_two_referrals_of_one_rule_to_one_service_at_different_times(tmp_path: Path, second: str, expected: list[str]):
    then = f"[{{refer: {{service: team, priority: routine}}}}, {{{second}}}]"
    assert codes(found(tmp_path, *PAIRS, criteria=rule("{score: {gte: 10}}", then=then))) == expected
