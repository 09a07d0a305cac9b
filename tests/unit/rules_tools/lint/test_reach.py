"""What can never happen, what always does, and criteria that do nothing."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from tests.unit.rules.tiny import PACK, SOURCES, rule
from tests.unit.rules_tools.lint.linting import codes, found, given

FACTS = dedent(PACK["facts.yaml"])
REFER = "refer: {service: team, priority: routine}"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("{all: [{score: {gte: 13}}, {score: {lt: 10}}]}", "“Score is at least 13” and “Score is below 10” cannot hold together"),
        ("{all: [{ill: present}, {any: [{score: {gt: 30}}, {score: {lt: 0}}]}]}", "cannot hold"),
        ("{all: [{ill: present}, {ill: absent}]}", "“Ill is present” and “Ill is absent”"),
        ("{all: [{ill: present}, {ill: missing}]}", "cannot hold together"),
        ("{all: [{score: {gte: 5}}, {score: missing}]}", "cannot hold together"),
        ("{all: [{pregnant: present}, {in_window: absent}]}", "“Pregnant is present” and not: “In the window”"),
        ("{all: [{ended_on: {within_months: 12}}, {ended_on: {days_ago: {gt: 366}}}]}", "within the last 12 months"),
        ("{all: [{ended_on: {within_months: 12}}, {ended_on: {days_ago: {lt: 0}}}]}", "cannot hold together"),
        ("{all: [{gestation: {gte: 10}}, {not: {gestation: known}}]}", "cannot hold together"),
        ("{all: [{word: a}, {word: b}]}", "cannot hold together"),
        ("{all: [{weight: {gt: 1.5}}, {weight: {lt: 1.50}}]}", "cannot hold together"),
        ("{all: [{open_services: {contains: a}}, {open_services: absent}]}", "cannot hold together"),
        ("{score: {gte: 9, lt: 9}}", "cannot hold"),
    ],
)  # fmt: skip
def test_a_rule_that_can_never_fire_names_the_criteria_that_exclude_each_other(
    tmp_path: Path, condition: str, words: str
):
    never = [each for each in found(tmp_path, criteria=rule(condition)) if each.code == "RL101"]
    assert len(never) == 1
    assert words in never[0].message
    assert (never[0].place.line, never[0].about) == (2, ("r1",))


@pytest.mark.parametrize(
    "condition",
    [
        "{all: [{score: {gte: 10}}, {score: {lte: 10}}]}",
        "{all: [{ended_on: {within_months: 12}}, {ended_on: {days_ago: {gte: 365}}}]}",
        "{all: [{weight: {gt: 1.5}}, {weight: {lt: 1.6}}]}",
        "{all: [{ill: missing}, {not: {ill: known}}]}",
        "{all: [{score: missing}, {score: {older: {gte: 5}}}]}",
        "{all: [{open_services: {contains: a}}, {open_services: {contains: b}}]}",
        "{all: [{unless: {score: {gte: 5}}}, {unless: {score: {lt: 5}}}]}",  # where the score is missing
    ],
)
def test_a_rule_that_can_fire_is_left_alone(tmp_path: Path, condition: str):
    assert "RL101" not in codes(found(tmp_path, criteria=rule(condition)))


def test_of_many_criteria_only_those_that_exclude_each_other_are_named(tmp_path: Path):
    condition = "{all: [{ill: present}, {score: {gte: 13}}, {word: a}, {all: [{score: {lt: 10}}, {item: 3}]}]}"
    (never,) = found(tmp_path, "RL101", criteria=rule(condition))
    assert never.message == ("r1 can never fire: “Score is at least 13” and “Score is below 10” cannot hold together")


def test_a_rule_that_always_fires_is_shown_by_nothing_on_record(tmp_path: Path):
    condition = "{any: [{unless: {score: {gte: 5}}}, {score: known}]}"
    (always,) = found(tmp_path, "RL102", criteria=rule(condition))
    assert given(always) == "{}"
    assert found(tmp_path, "RL102", criteria=rule("{any: [{ill: present}, {not: {ill: present}}]}")) == []  # unknown


OUTCOME = f"""
    - id: r1
      title: A
      {SOURCES}
      when: {{score: {{gte: 10}}}}
      then:
        - {REFER}
        - when: %s
          flag: {{code: a-flag}}
"""


def test_an_outcome_that_never_applies_though_the_rule_fires(tmp_path: Path):
    (never,) = found(tmp_path, "RL103", criteria=OUTCOME % "{score: {lt: 10}}")
    assert "“Score is at least 10” and “Score is below 10” cannot hold together" in never.message
    assert never.place.line == 8


def test_an_outcome_whose_when_always_holds_is_shown_by_a_firing(tmp_path: Path):
    (always,) = found(tmp_path, "RL104", criteria=OUTCOME % "{score: {gte: 5}}")
    assert given(always).startswith("{score: ")
    assert int(given(always)[8:-1]) >= 10
    assert found(tmp_path, criteria=OUTCOME % "{score: {gte: 20}}") == []


def test_an_ask_that_is_never_made(tmp_path: Path):
    asks = f"- {{id: a, title: A, when: {{all: [{{ill: present}}, {{ill: missing}}]}}, task: t, {SOURCES}}}\n"
    (never,) = found(tmp_path, "RL105", asks=asks)
    assert never.about == ("a",)


@pytest.mark.parametrize(
    ("step", "found_it"),
    [
        ("when: {all: [{ill: present}, {ill: absent}]}", True),
        ("when: {score: {lt: 5}}", False),
        ("services: [crisis]", True),  # the only referral is to the team
        ("services: [team]", False),
        ("when: {score: {lt: 13}}\n  rules: [r1]", True),  # r1 needs 13 from 2026
    ],
)
def test_a_step_that_no_referral_reaches(tmp_path: Path, step: str, found_it: bool):
    steps = f"- id: s1\n  title: S\n  {SOURCES}\n  {step}\n  do: [{{start_now: true}}]\n"
    criteria = rule("{score: {gte: parameters.cut-off}}") + rule("{ill: present}").replace("r1", "r2")
    assert bool(found(tmp_path, "RL106", criteria=criteria, steps=steps)) is found_it


def test_a_step_is_reached_by_what_steps_before_it_sent_there(tmp_path: Path):
    one = f"- id: s%d\n  title: S\n  {SOURCES}\n  services: [%s]\n  do: [{{move_to: %s}}]\n"
    steps = one % (1, "team", "camhs") + one % (2, "camhs", "crisis") + one % (3, "therapies", "gp")
    assert [each.about for each in found(tmp_path, "RL106", steps=steps)] == [("s3",)]


def test_a_named_condition_that_is_never_or_always_met(tmp_path: Path):
    never = "never: {label: Never, type: boolean, derive: {all: [{score: {gte: 5}}, {score: {lt: 5}}]}}\n"
    always = "always: {label: Always, type: boolean, derive: {unless: {never: present}}}\n"
    findings = found(tmp_path, "RL107", "RL108", facts=FACTS + never + always)
    assert [(each.code, each.about) for each in findings] == [("RL107", ("never",)), ("RL108", ("always",))]


def test_outside_that_nobody_reaches(tmp_path: Path):
    criteria = rule("{pregnant: present}", more="window: in_window\noutside: {service: gp}")
    assert codes(found(tmp_path, criteria=criteria)) == ["RL109"]


def test_a_part_that_matters_only_outside_the_window_is_needed(tmp_path: Path):
    """Inside the window the end is never in the future; outside of it, that keeps a mistake from being referred."""
    facts = FACTS + "ended: {label: Ended, type: boolean, derive: {ended_on: {within_months: 12}}}\n"
    when = "{all: [{ill: present}, {ended_on: {days_ago: {gte: 0}}}]}"
    criteria = rule(when, more="window: ended\noutside: {service: gp}")
    assert found(tmp_path / "with", facts=facts, criteria=criteria) == []
    without = rule(when, more="window: ended")
    assert codes(found(tmp_path / "without", facts=facts, criteria=without)) == ["RL202"]


def test_an_outcome_that_applies_only_outside_the_window_is_needed(tmp_path: Path):
    then = "[{refer: {service: team, priority: routine}}, {when: {in_window: absent}, refer: {service: team, priority: urgent}}]"
    criteria = rule("{ill: present}", then=then, more="window: in_window\noutside: {service: gp}")
    assert found(tmp_path / "with", criteria=criteria) == []
    without = rule("{ill: present}", then=then, more="window: in_window")
    assert codes(found(tmp_path / "without", criteria=without)) == ["RL103"]


@pytest.mark.parametrize(
    ("condition", "dead"),
    [
        ("{any: [{score: {gte: 10}}, {score: {gte: 20}}]}", "“Score is at least 20”"),
        ("{all: [{score: {gte: 10}}, {score: {gte: 20}}]}", "“Score is at least 10”"),
        ("{any: [{ill: present}, {all: [{ill: present}, {score: {gte: 10}}]}]}", "“Ill is present” and “Score is at least 10”"),
        ("{all: [{score: {gte: 10}}, {score: known}]}", None),  # not decided where the score is in conflict
        ("{any: [{score: {gte: 10}}, {score: {older: {gte: 20}}}]}", None),
        ("{all: [{pregnant: present}, {in_window: present}]}", "“In the window”"),
        ("{any: [{ill: present}, {ill: present}]}", "“Ill is present”"),
        ("{all: [{score: {gte: 10}}, {ill: present}]}", None),
    ],
)  # fmt: skip
def test_a_part_that_changes_nothing(tmp_path: Path, condition: str, dead: str | None):
    findings = found(tmp_path, criteria=rule(condition))
    expected = [] if dead is None else [f"nothing would change without: {dead}"]
    assert [each.message for each in findings] == expected


def test_a_part_that_can_never_be_met_is_named_once_and_as_deep_as_it_can_be(tmp_path: Path):
    condition = "{any: [{ill: present}, {all: [{word: a}, {all: [{score: {lt: 3}}, {score: missing}]}]}]}"
    findings = found(tmp_path, criteria=rule(condition))
    assert [(each.code, each.place.line) for each in findings] == [("RL201", 5)]
    assert findings[0].message == "this can never be met: “Score is below 3” and “Score is missing”"


def test_a_rule_that_does_not_count_on_the_day_is_not_looked_at(tmp_path: Path):
    never = rule("{all: [{ill: present}, {ill: absent}]}", more="valid: {to: 2025-12-31}")
    assert codes(found(tmp_path, "RL101", "RL503", criteria=never)) == ["RL503"]
