"""The order of what is not known: by the rules that it would settle, safety rules first."""

from __future__ import annotations

from pathlib import Path

from rules import Fact, Pack
from rules.whatif import WhatIf
from tests.unit.rules.tiny import AS_OF, PACK, known, rule, tiny, unknown


def order(pack: Pack, facts: dict[str, Fact]) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    found = WhatIf(pack).unknowns(pack.evaluate(facts, AS_OF))
    return [(each.fact, each.some, each.surely) for each in found]


def refer(priority: str) -> str:
    return f"[{{refer: {{service: team, priority: {priority}, reason: because}}}}]"


def test_one_safety_rule_outweighs_any_number_of_others(tmp_path: Path):
    criteria = (
        rule("{ill: present}", "a", refer("stat"))
        + rule("{ill: present}", "b", refer("stat"))
        + rule("{started_on: {days_ago: {gte: 5}}}", "c", refer("routine"), "safety: true")
    )
    found = order(tiny(tmp_path, criteria=criteria), {})
    assert [name for name, _, _ in found] == ["started_on", "ill"]
    assert found[1][1] == ("a", "b")


def test_then_the_priority_of_what_a_rule_refers_and_then_how_many(tmp_path: Path):
    criteria = (
        rule("{pregnant: present}", "a", refer("urgent"))
        + rule("{ill: present}", "b", refer("asap"))
        + rule("{started_on: {days_ago: {gte: 5}}}", "c", refer("urgent"))
        + rule("{started_on: {days_ago: {gte: 5}}}", "d", refer("urgent"))
        + rule("{age_years: {gte: 18}}", "e", "[{task: {code: do-it}}]")
    )
    found = order(tiny(tmp_path, criteria=criteria), {})
    assert [name for name, _, _ in found] == ["ill", "started_on", "pregnant", "age_years"]


def test_what_decides_whatever_it_is_comes_before_what_may_decide(tmp_path: Path):
    criteria = rule("{all: [{ill: present}, {age_years: {gte: 18}}]}", "a") + rule("{pregnant: present}", "b")
    found = order(tiny(tmp_path, criteria=criteria), {})
    assert found == [
        ("pregnant", ("b",), ("b",)),
        ("ill", ("a",), ()),
        ("age_years", ("a",), ()),
    ]


def test_a_fact_that_alone_decides_nothing_comes_last_and_is_still_named(tmp_path: Path):
    condition = "{any: [{all: [{ill: present}, {pregnant: present}]}, {age_years: {gte: 18}}]}"
    found = order(tiny(tmp_path, criteria=rule(condition)), {})
    assert found == [("age_years", ("r1",), ()), ("ill", (), ()), ("pregnant", (), ())]


def test_an_asked_condition_counts_as_one_fact(tmp_path: Path):
    asked = (
        PACK["facts.yaml"].rstrip()
        + """
        low:
          label: Low mood
          type: boolean
          ask: assess-mood
          derive: {score: {gte: 10}}
          unknown_when: {score: missing}
    """
    )
    pack = tiny(tmp_path, criteria=rule("{low: present}"), facts=asked)
    assert order(pack, {}) == [("low", ("r1",), ("r1",))]


def test_nothing_is_missing_where_everything_is_decided(tmp_path: Path):
    assert order(tiny(tmp_path, criteria=rule("{ill: present}")), known(ill=True)) == []


def test_a_vague_date_is_missing_too(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{in_window: present}"))
    found = order(pack, {**known(pregnant=False), **unknown("ended_on")})
    assert found == [("ended_on", ("r1",), ("r1",))]
