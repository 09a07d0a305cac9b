"""The letter, word for word."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from adapter.records import Evidence
from adapter.referrals.letter import letter, opening, rule_letter
from rules import Availability, DateSpan, DaySpan, Fact, FactValue, State, Status
from tests.unit.referrals.told import WHO, told
from tests.unit.rules.tiny import known, rule, unknown

STEPS = """
    - id: open
      title: The team already has her
      sources: [{document: A document}]
      open: true
      do: [{hold: true}]
"""
R1 = "“A high score” (A document)"


def form(day: str) -> Evidence:
    return Evidence(0, "valueInteger", day)


def score(value: int) -> dict[str, Fact]:
    return {"score": Fact("score", State.KNOWN, value, date(2026, 2, 27))}


def of(folder: Path, facts: dict[str, Fact], **files: str) -> str:
    account = told(folder, facts, **files)
    return rule_letter(account, account.decision.outcomes[0])


def test_a_referral_says_who_what_when_how_soon_and_by_which_criterion(tmp_path: Path) -> None:
    account = told(tmp_path, {**score(15), **known(gestation=DaySpan(196, 196), pregnant=True)})
    assert letter(account, list(account.decision.outcomes), account.decision.tasks) == [
        f"{WHO}: 28+0 weeks pregnant.",
        "A referral to the perinatal team is proposed, routine, by 16-Mar-2026. "
        "Her record shows: PHQ-9 total of 15 on 27-Feb-2026. "
        f"This meets the criterion {R1}.",
    ]


def test_a_referral_of_two_rules_names_both_criteria_and_what_is_not_known(tmp_path: Path) -> None:
    criteria = rule("{score: {gte: 13}}", "r1") + rule("{any: [{item: {gte: 0}}, {ill: present}]}", "r2")
    account = told(tmp_path, {**score(15), **known(item=0), **unknown("ill")}, criteria=criteria)
    (_, paragraph) = letter(account, list(account.decision.outcomes), account.decision.tasks)
    assert paragraph == (
        "A referral to the perinatal team is proposed, routine, by 16-Mar-2026. "
        "Her record shows: PHQ-9 total of 15 on 27-Feb-2026; Item: 0. "
        "This meets the criteria “Rule r1” (A document) and “Rule r2” (A document). "
        "Not known: bipolar disorder."
    )


def test_a_referral_that_starts_later_and_has_a_note(tmp_path: Path) -> None:
    then = (
        "[{refer: {service: crisis, priority: stat, reason: because, text: See her today, "
        "start: {fact: ended_on, plus_days: 28}}}]"
    )
    facts = {**score(15), **known(ended_on=date(2026, 2, 20))}
    assert of(tmp_path, facts, criteria=rule("{score: {gte: 13}}", then=then)) == (
        "A referral to the crisis team is proposed, emergency (stat), from 20-Mar-2026 by 20-Mar-2026. See her today. "
        "Her record shows: PHQ-9 total of 15 on 27-Feb-2026. This meets the criterion “Rule r1” (A document)."
    )


def test_a_rule_that_refers_nobody_says_what_to_do(tmp_path: Path) -> None:
    then = "[{task: {code: complete-epds, text: Complete the EPDS}}]"
    assert of(tmp_path, score(15), criteria=rule("{score: {gte: 13}}", then=then)) == (
        "No referral is asked for by the criterion “Rule r1” (A document), which is met. "
        "Her record shows: PHQ-9 total of 15 on 27-Feb-2026."
    )


def test_why_not_below_a_threshold(tmp_path: Path) -> None:
    words = f"Not referred to the perinatal team under {R1}: PHQ-9 total of 12 on 27-Feb-2026 is below 13."
    assert of(tmp_path, score(12)) == words


def test_why_not_with_nothing_on_record(tmp_path: Path) -> None:
    assert of(tmp_path, {}) == f"Not referred to the perinatal team under {R1}: no PHQ-9 total is on record."


def test_why_not_with_a_value_too_old(tmp_path: Path) -> None:
    old = {"score": Fact("score", State.ABSENT, older=17, older_on=date(2026, 1, 5))}
    words = f"Not referred to the perinatal team under {R1}: PHQ-9 total of 17 on 05-Jan-2026 is too old to count."
    assert of(tmp_path, old) == words


def test_why_not_where_more_than_three_things_are_in_the_way(tmp_path: Path) -> None:
    condition = "{all: [{score: {gte: 1}}, {item: {gte: 1}}, {ill: present}, {pregnant: present}]}"
    facts = known(score=0, item=0, ill=False, pregnant=False)
    assert of(tmp_path, facts, criteria=rule(condition)) == (
        "Not referred to the perinatal team under “Rule r1” (A document): more than one thing would have to be otherwise."
    )


def test_an_undecided_rule_says_what_speaks_for_it_and_what_is_missing(tmp_path: Path) -> None:
    condition = "{all: [{score: {gte: 13}}, {ill: present}]}"
    assert of(tmp_path, {**score(15), **unknown("ill")}, criteria=rule(condition)) == (
        "Not decided: “Rule r1” (A document). Her record shows: PHQ-9 total of 15 on 27-Feb-2026. "
        "Not known: bipolar disorder."
    )


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        (Fact("ill", State.UNKNOWN, note="conflict"), ": the record contradicts itself"),
        (Fact("ill", State.UNKNOWN, note="not-recorded"), ""),
        (Fact("ill", State.UNKNOWN, note="relation-unknown"), ": relation unknown"),
        (Fact("ill", State.UNKNOWN, note="item-missing"), ": missing from the form"),
        (
            Fact(
                "ill",
                State.UNKNOWN,
                evidence=tuple(map(form, ("2026-02-24T09:30", "2026-02", ""))),
                note="item-missing",
            ),
            ": missing from the form of 24-Feb-2026",
        ),
    ],
)
def test_why_something_is_not_known_is_said_where_it_is_not_simply_unrecorded(
    tmp_path: Path, fact: Fact, why: str
) -> None:
    words = f"Not decided: “Rule r1” (A document). Not known: bipolar disorder{why}."
    assert of(tmp_path, {"ill": fact}, criteria=rule("{ill: present}")) == words


def test_a_reason_that_several_have_is_said_once(tmp_path: Path) -> None:
    facts = {name: Fact(name, State.UNKNOWN, note="conflict") for name in ("ill", "pregnant")} | unknown("item")
    criteria = rule("{all: [{ill: present}, {pregnant: present}, {item: {gte: 1}}]}")
    assert of(tmp_path, facts, criteria=criteria) == (
        "Not decided: “Rule r1” (A document). Not known: bipolar disorder; Pregnant: the record contradicts itself; Item."
    )


def test_where_only_her_pregnancy_is_known_what_is_not_known_comes_first(tmp_path: Path) -> None:
    """What speaks for the rule is the window alone: the missing answer is the reason."""
    criteria = rule("{item: {gte: 1}}", more="window: in_window")
    facts = {**known(ended_on=date(2026, 2, 1)), **unknown("item")}
    account = told(tmp_path, facts, criteria=criteria)
    assert letter(account, list(account.decision.outcomes), account.decision.tasks)[2:] == [
        "To do, routine: Complete item. Not known: Item. Her record shows: end of pregnancy on 01-Feb-2026. "
        "Asked for by “Rule r1” (A document).",
        "Not decided: “Rule r1” (A document). Not known: Item. Her record shows: end of pregnancy on 01-Feb-2026.",
    ]


def test_a_referral_in_place_of_one_outside_its_window_that_was_held_is_no_referral_of_the_rule_itself(
    tmp_path: Path,
) -> None:
    """The adult team has her; the perinatal team, to which the rule refers inside its window, does not."""
    criteria = rule("{score: {gte: 13}}", more="window: in_window\noutside: {service: adult-team}\n")
    facts = {**score(15), **known(pregnant=False, ended_on=date(2024, 1, 1), open_services=frozenset({"adult-team"}))}
    assert of(tmp_path, facts, criteria=criteria, steps=STEPS) == (
        "Not referred to the perinatal team: “Rule r1” (A document) is met, but outside its window, and the referral in "
        "its place was held back. The team already has her. Her record shows: PHQ-9 total of 15 on 27-Feb-2026."
    )


def test_a_met_rule_of_which_a_part_is_open_does_not_read_as_no_referral(tmp_path: Path) -> None:
    then = "[{when: {ill: present}, refer: {service: team, priority: routine}}]"
    criteria = rule("{score: {gte: 13}}", then=then)
    assert of(tmp_path, {**score(15), **unknown("ill")}, criteria=criteria) == (
        "On what is known, no referral is asked for by the criterion “Rule r1” (A document), which is met. "
        "Her record shows: PHQ-9 total of 15 on 27-Feb-2026. Not known: bipolar disorder."
    )
    beside = then.replace("[", "[{refer: {service: crisis, priority: routine}}, ")
    both = of(tmp_path / "b", {**score(15), **unknown("ill")}, criteria=rule("{score: {gte: 13}}", then=beside))
    assert both.startswith("A referral to the crisis team is proposed")
    assert both.endswith("Not known: bipolar disorder.")


def test_outside_its_window_what_cannot_be_decided_is_said(tmp_path: Path) -> None:
    criteria = rule("{all: [{score: {gte: 13}}, {ill: present}]}", more="window: in_window\noutside: {service: gp}")
    facts = {**score(15), **known(pregnant=False, ended_on=date(2020, 1, 1)), **unknown("ill")}
    letter_of = of(tmp_path, facts, criteria=criteria)
    assert letter_of.startswith("Not referred to the perinatal team under “Rule r1” (A document): ")
    assert letter_of.endswith(" Not known: bipolar disorder.")


def test_a_task_says_what_must_be_known_of_its_service_before_anybody_speaks_to_it(tmp_path: Path) -> None:
    tell = "[{task: {code: update-open-team, priority: same, service: this}}, {hold: true}]"
    facts = {**score(15), **known(open_services=frozenset({"team"}))}
    account = told(
        tmp_path,
        facts,
        Availability(uncovered=frozenset({"team"})),
        steps=STEPS.replace("[{hold: true}]", tell),
        criteria=rule(
            "{score: {gte: 13}}", then="[{refer: {service: team, priority: routine, text: Goes on taking it}}]"
        ),
    )
    assert letter(account, [], account.decision.tasks)[2:] == [
        "To do, routine: Tell the team that already has her (Perinatal team). Goes on taking it. Perinatal team does not "
        "cover her by the directory: what it cannot take goes to Adult team. Her record shows: PHQ-9 total of 15 on "
        "27-Feb-2026. Asked for by “Rule r1” (A document)."
    ]


def test_a_rule_that_was_held_says_by_what(tmp_path: Path) -> None:
    facts = {**score(15), **known(open_services=frozenset({"team"}))}
    assert of(tmp_path, facts, steps=STEPS) == (
        f"Not referred to the perinatal team: {R1} is met, but held back. The team already has her. "
        "Her record shows: PHQ-9 total of 15 on 27-Feb-2026."
    )


def test_a_rule_outside_its_window_says_where_she_goes_instead(tmp_path: Path) -> None:
    criteria = rule("{score: {gte: 13}}", more="window: in_window\noutside: {service: adult-team}\n")
    facts = {**score(15), **known(pregnant=False, ended_on=date(2024, 1, 1))}
    assert of(tmp_path, facts, criteria=criteria) == (
        "Not referred to the perinatal team: “Rule r1” (A document) is met, but outside its window. "
        "She is referred to the adult team instead. Her record shows: PHQ-9 total of 15 on 27-Feb-2026."
    )
    account = told(tmp_path, facts, criteria=criteria)
    assert letter(account, list(account.decision.outcomes), account.decision.tasks)[1:] == [
        "A referral to the adult team is proposed, routine, by 16-Mar-2026. "
        "Her record shows: PHQ-9 total of 15 on 27-Feb-2026. "
        "But for its window of time, this would meet “Rule r1” (A document)."
    ]


def test_a_rule_not_in_force_and_one_that_failed(tmp_path: Path) -> None:
    old = rule("{ill: present}", more="valid: {to: 2020-01-01}\n")
    assert of(tmp_path, known(ill=True), criteria=old) == "“Rule r1” (A document) is not in force on 02-Mar-2026."
    account = told(tmp_path, score(15))
    failed = replace(account.decision.outcomes[0], status=Status.ERROR)
    assert rule_letter(account, failed) == f"{R1} could not be looked at: do not read this as no referral."


def test_what_is_to_be_done_is_said_with_its_reason_and_the_most_urgent_first(tmp_path: Path) -> None:
    ask = "ask: [{when: {all: [{item: {gte: 1}}, {unless: {score: {gte: 20}}}]}, task: recheck-score, priority: asap, for: [ill]}]"
    criteria = rule("{score: {gte: 13}}", more=ask, then="[{task: {code: complete-epds, text: Complete the EPDS}}]")
    account = told(tmp_path, {**score(15), **known(item=2)}, criteria=criteria)
    assert letter(account, [], account.decision.tasks)[2:] == [
        "To do, very urgent (asap): Check the score again: total and items differ. Her record shows: Item: 2; "
        "PHQ-9 total of 15 on 27-Feb-2026. Not known: bipolar disorder. Asked for by “Rule r1” (A document).",
        "To do, routine: Complete the EPDS. Her record shows: PHQ-9 total of 15 on 27-Feb-2026. "
        "Asked for by “Rule r1” (A document).",
    ]


def test_no_referral_is_said(tmp_path: Path) -> None:
    account = told(tmp_path, known(pregnant=False))
    assert letter(account, [], []) == [
        f"{WHO}: not pregnant as far as the record says.",
        "No referral is proposed on what is known.",
    ]


def span(first: date, last: date) -> DateSpan:
    return DateSpan(first, last)


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (date(2026, 3, 1), "1 day after the end of a pregnancy (01-Mar-2026)"),
        (date(2026, 2, 3), "27 days after the end of a pregnancy (03-Feb-2026)"),
        (date(2026, 2, 2), "4 weeks after the end of a pregnancy (02-Feb-2026)"),
        (date(2025, 3, 3), "52 weeks after the end of a pregnancy (03-Mar-2025)"),
        (date(2025, 3, 2), "12 months after the end of a pregnancy (02-Mar-2025)"),
        (date(2024, 2, 3), "24 months after the end of a pregnancy (03-Feb-2024)"),
        (
            span(date(2025, 12, 1), date(2025, 12, 31)),
            "between 8 weeks and 13 weeks after the end of a pregnancy (between 01-Dec-2025 and 31-Dec-2025)",
        ),
    ],
)
def test_how_long_after_the_end_of_a_pregnancy(tmp_path: Path, ended: date | FactValue, words: str) -> None:
    assert opening(told(tmp_path, known(pregnant=False, ended_on=ended))) == f"{WHO}: {words}."


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (known(pregnant=True), "pregnant, gestation not known"),
        (known(pregnant=True, gestation=DaySpan(190, 196)), "between 27+1 and 28+0 weeks pregnant"),
        (unknown("pregnant"), "whether she is pregnant is not known"),
    ],
)
def test_where_she_is_in_a_pregnancy(tmp_path: Path, facts: dict[str, Fact], words: str) -> None:
    assert opening(told(tmp_path, facts)) == f"{WHO}: {words}."


DAY = date(2026, 2, 18)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (known(birth_on=DAY, ended_on=DAY), "12 days after a birth (18-Feb-2026)"),
        (known(birth_on=DAY, ended_on=DAY, loss_on=DAY, living=False), "12 days after a loss (18-Feb-2026)"),
        (known(birth_on=DAY, ended_on=DAY, loss_on=DAY, living=True), "12 days after a birth and a loss (18-Feb-2026)"),
        (known(ended_on=DAY, loss_on=DAY), "12 days after a loss (18-Feb-2026)"),
        (
            known(birth_on=DAY, ended_on=DAY, loss_on=date(2026, 2, 25)),
            "12 days after a birth (18-Feb-2026), with a loss (25-Feb-2026)",
        ),
        (
            known(birth_on=DAY, ended_on=DAY, loss_on=date(2019, 6, 10)),
            "12 days after a birth (18-Feb-2026), and a loss before that (10-Jun-2019)",
        ),
    ],
)
def test_a_loss_is_never_called_a_birth_alone(tmp_path: Path, facts: dict[str, Fact], words: str) -> None:
    assert opening(told(tmp_path, {**facts, **known(pregnant=False)})) == f"{WHO}: {words}."
