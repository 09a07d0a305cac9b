"""What a rule turned on, word for word and as data."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from adapter.referrals.explain import explain_json, explain_text
from adapter.referrals.letter import rule_letter
from adapter.referrals.turned import is_near, turned_json, unknown_sentences, would_change
from rules import Availability, Fact, State
from tests.unit.referrals.test_letter import STEPS, score
from tests.unit.referrals.told import told
from tests.unit.rules.tiny import known, rule, unknown


def says(folder: Path, facts: dict[str, Fact], **files: str) -> list[str]:
    account = told(folder, facts, **files)
    return would_change(account, account.decision.outcomes[0].rule)


def test_one_value_that_would_stop_it(tmp_path: Path) -> None:
    assert says(tmp_path, score(15)) == ["It would not be met with PHQ-9 total of 12 or less instead of 15."]


def test_one_value_that_would_fire_it(tmp_path: Path) -> None:
    assert says(tmp_path, score(12)) == ["It would be met with PHQ-9 total of 13 or more instead of 12."]


def test_several_facts_go_together(tmp_path: Path) -> None:
    condition = "{all: [{score: {gte: 13}}, {ill: present}]}"
    assert says(tmp_path, {**score(9), **known(ill=False)}, criteria=rule(condition)) == [
        "It would be met with PHQ-9 total of 13 or more instead of 9; and bipolar disorder: yes instead of no, together."
    ]


def test_several_ways_and_how_many_more(tmp_path: Path) -> None:
    each = "{any: [{score: {gte: 13}}, {item: {gte: 1}}, {ill: present}, {pregnant: present}, {word: known}]}"
    given = known(ill=False, pregnant=False)
    assert says(tmp_path, given, criteria=rule(each)) == [
        "It would be met with PHQ-9 total of 13 or more (not on record).",
        "Or with Item: 1 or more (not on record).",
        "Or with bipolar disorder: yes instead of no.",
        "So would two more changes of as few facts.",
    ]
    four = each.replace(", {word: known}", "")
    assert says(tmp_path / "b", given, criteria=rule(four))[-1] == "So would one more change of as few facts."


def test_nothing_of_up_to_three_facts(tmp_path: Path) -> None:
    condition = "{all: [{score: {gte: 1}}, {item: {gte: 1}}, {ill: present}, {pregnant: present}]}"
    given = known(score=0, item=0, ill=False, pregnant=False)
    assert says(tmp_path, given, criteria=rule(condition)) == ["No change of up to three facts would make it be met."]


def test_an_undecided_rule_has_both_sides(tmp_path: Path) -> None:
    assert says(tmp_path, unknown("ill"), criteria=rule("{ill: present}")) == [
        "It would be met with bipolar disorder: yes (not known).",
        "It would certainly not be met with bipolar disorder: no (not known).",
    ]


def test_what_held_it_and_without_what_it_would_go(tmp_path: Path) -> None:
    assert says(tmp_path, {**score(15), **known(open_services=frozenset({"team"}))}, steps=STEPS)[0] == (
        "The team already has her: it would go to the perinatal team with her not already open to the perinatal team."
    )


def test_where_she_would_have_to_live(tmp_path: Path) -> None:
    there = Availability(uncovered=frozenset({"team"}))
    account = told(tmp_path / "a", score(15), there, steps=STEPS)
    assert would_change(account, "r1")[0] == (
        "It would go to the perinatal team with a GP practice or an address that it covers."
    )
    (cover, _) = turned_json(account, "r1")
    assert (cover["goal"], cover["services"], cover["changes"][0]["facts"]) == ("cover", ["team"], [])
    open_there = {**score(15), **known(open_services=frozenset({"adult-team"}))}
    account = told(tmp_path / "b", open_there, there, steps=STEPS)
    assert would_change(account, "r1")[:2] == [
        "The team already has her: it would go to the adult team with her not already open to the adult team.",
        "It would go to the perinatal team with a GP practice or an address that it covers.",
    ]


@pytest.mark.parametrize(
    ("catchment", "what"),
    [("gp-registration", "a GP practice"), ("residence", "an address"), ("either", "a GP practice or an address")],
)
def test_where_she_would_have_to_live_is_what_the_provider_goes_by(tmp_path: Path, catchment: str, what: str) -> None:
    home = f"provider: home\ntitle: Home\ncatchment: {catchment}\n"
    account = told(tmp_path, score(15), Availability(uncovered=frozenset({"team"})), home=home)
    assert would_change(account, "r1")[0] == f"It would go to the perinatal team with {what} that it covers."


def test_what_would_meet_a_rule_promises_no_referral_to_a_service_that_does_not_cover_her(tmp_path: Path) -> None:
    account = told(tmp_path, score(12), Availability(uncovered=frozenset({"team"})))
    assert would_change(account, "r1") == ["It would be met with PHQ-9 total of 13 or more instead of 12."]
    words = "Not referred to the adult team under “A high score” (A document): PHQ-9 total of 12 on 27-Feb-2026 is below 13."
    assert rule_letter(account, account.decision.outcome("r1")) == words


def test_what_would_be_met_beside_or_held(tmp_path: Path) -> None:
    two = rule("{score: {gte: 10, lt: 13}}", "mild") + rule("{score: {gte: 13}}", "more")
    given = {**score(12), **known(open_services=frozenset({"team"}))}
    account = told(tmp_path, given, criteria=two, steps=STEPS)
    assert would_change(account, "more") == [
        "It would be met with PHQ-9 total of 13 or more instead of 12; what it refers would then be held back; "
        "then “Rule mild” would no longer be met."
    ]


def test_what_would_go_outside_its_window(tmp_path: Path) -> None:
    criteria = rule("{score: {gte: 13}}", more="window: in_window\noutside: {service: adult-team}\n")
    facts = {**score(15), **known(pregnant=False, ended_on=date(2026, 1, 1))}
    assert says(tmp_path, facts, criteria=criteria)[1] == (
        "Or with end of pregnancy on or before 01-Mar-2025 instead of 01-Jan-2026; "
        "it would then be outside its window, and go to the adult team."
    )
    there = Availability(uncovered=frozenset({"adult-team"}))
    account = told(tmp_path / "b", facts, there, criteria=criteria)
    assert would_change(account, "r1")[1].endswith("outside its window, and go to the GP.")
    refused = {**facts, **known(consent_refused_for=frozenset({"adult-team"}))}
    steps = STEPS.replace("open: true", "refused: true")
    held = says(tmp_path / "c", refused, criteria=criteria, steps=steps)
    assert held[1].endswith("outside its window, and be held back.")


def test_as_data_it_says_the_same(tmp_path: Path) -> None:
    account = told(tmp_path, score(12))
    (turning,) = turned_json(account, "r1")
    assert turning == {
        "goal": "fire",
        "changes": [
            {
                "facts": [
                    {
                        "fact": "score",
                        "label": "PHQ-9, total",
                        "was": "12",
                        "now": "13",
                        "says": "PHQ-9 total of 13 or more instead of 12",
                    }
                ],
                "follows": [],
                "status": "fired",
                "fires": [],
                "stops": [],
            }
        ],
        "more": 0,
        "most_facts": 3,
        "steps": [],
        "services": [],
        "says": ["It would be met with PHQ-9 total of 13 or more instead of 12."],
    }


def test_unknowns_are_numbered_and_say_what_they_would_decide(tmp_path: Path) -> None:
    criteria = (
        rule("{all: [{ill: present}, {age_years: {gte: 18}}]}", "a")
        + rule("{pregnant: present}", "b")
        + rule("{any: [{all: [{ill: present}, {pregnant: present}]}, {age_years: {gte: 18}}]}", "c")
    )
    assert unknown_sentences(told(tmp_path, {}, criteria=criteria)) == [
        "1. Age: could decide “Rule a” and “Rule c”, depending on what it is",
        "2. Pregnant: would decide “Rule b” either way",
        "3. bipolar disorder: could decide “Rule a”, depending on what it is",
    ]


def test_an_unknown_that_decides_nothing_alone_says_so(tmp_path: Path) -> None:
    condition = "{any: [{all: [{ill: present}, {pregnant: present}]}, {age_years: {gte: 18}}]}"
    assert unknown_sentences(told(tmp_path, {}, criteria=rule(condition)))[1:] == [
        "2. bipolar disorder: alone it would decide nothing",
        "3. Pregnant: alone it would decide nothing",
    ]


def test_a_rule_is_near_when_one_value_on_record_a_little_otherwise_would_have_met_it(tmp_path: Path) -> None:
    assert is_near(told(tmp_path / "a", score(12)), "r1")
    assert not is_near(told(tmp_path / "b", score(0)), "r1")
    assert not is_near(told(tmp_path / "c", {}), "r1")
    assert not is_near(told(tmp_path / "d", score(15)), "r1")
    two = rule("{score: {gte: 10, lt: 13}}", "mild") + rule("{score: {gte: 13}}", "more")
    assert not is_near(told(tmp_path / "e", score(15), criteria=two), "mild")


def test_text_and_json_agree_and_the_letter_comes_first(tmp_path: Path) -> None:
    account = told(
        tmp_path, {**score(12), **unknown("ill")}, criteria=rule("{all: [{score: {gte: 10}}, {ill: present}]}")
    )
    text = " ".join(explain_text(account.decision, account.record, None, told=account).split())
    (data,) = explain_json(account.decision, account.record, 0, None, told=account)
    assert list(data) == [
        "patient",
        "rule",
        "status",
        "missing",
        "because",
        "letter",
        "to_do",
        "would_change",
        "would_decide",
    ]
    places = [text.index(data["letter"])]
    places += [text.index(sentence) for turning in data["would_change"] for sentence in turning["says"]]
    assert places == sorted(places)
    assert text.index("Why, down to the record: r1: unknown") > places[-1]
    assert data["would_decide"] == [
        {"fact": "ill", "label": "bipolar disorder", "would_decide": ["r1"], "could_decide": ["r1"]}
    ]
    assert Fact("ill", State.UNKNOWN).name in data["missing"]
