from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from adapter.replay import compare, read_expected
from rules import Decision, ProposedTask, Status
from tests.unit.replay.builders import (
    OTHER_RULE,
    RULE,
    OneResult,
    decision,
    evaluated,
    outcome,
    referral,
    refused,
    rule,
    write_fixture,
)

AGREED = """\
  referrals:
    gp: {priority: asap, by: 2026-03-02}
  fired: [r03-any-self-harm-answer]
  tasks: {complete-epds: routine}
  flags: [postpartum-watch]
  issues: [data-conflict]
"""


def agreed(**changes: object) -> Decision:
    parts: dict[str, object] = {
        "referrals": (referral(),),
        "tasks": (ProposedTask("complete-epds", "routine", ()),),
        "flags": ("postpartum-watch",),
        "issues": ("data-conflict", "data-not-supplied"),
        **changes,
    }
    return decision(rule(), rule(OTHER_RULE, Status.NOT_FIRED), **parts)  # type: ignore[arg-type]


def texts(folder: Path, expect: str, *results: OneResult) -> list[str]:
    return [difference.text for difference in compare(read_expected(write_fixture(folder, expect)), results)]


def test_nothing_is_said_when_all_agrees(tmp_path: Path) -> None:
    assert texts(tmp_path, AGREED, evaluated(agreed())) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"referrals": ()}, "referrals: expected gp asap by 2026-03-02, got nothing"),
        ({"referrals": (referral(priority="urgent"),)}, "expected gp asap by 2026-03-02, got gp urgent by 2026-03-02"),
        ({"referrals": (referral(end=date(2026, 3, 3)),)}, "got gp asap by 2026-03-03"),
        ({"referrals": (referral(), referral("camhs"))}, "referrals: expected nothing, got camhs asap by 2026-03-02"),
        ({"tasks": ()}, "tasks: expected complete-epds, got nothing"),
        ({"tasks": (ProposedTask("complete-epds", "asap", ()),)}, "complete-epds routine, got complete-epds asap"),
        ({"flags": ()}, "flags: expected postpartum-watch, got nothing"),
        ({"flags": ("postpartum-watch", "safeguarding-concern")}, "flags: expected nothing, got safeguarding-concern"),
        ({"issues": ()}, "issues: expected data-conflict, got nothing"),
    ],
)
def test_each_difference_is_a_sentence(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    (text,) = texts(tmp_path, AGREED, evaluated(agreed(**changes)))
    assert says in text


def test_a_task_that_is_not_expected(tmp_path: Path) -> None:
    got = evaluated(
        decision(tasks=(ProposedTask("seek-consent", "urgent", ()), ProposedTask("seek-consent", "asap", ())))
    )
    assert texts(tmp_path, "  tasks: []\n", got) == ["tasks: expected nothing, got seek-consent asap"]


def test_a_rule_that_differs_shows_why(tmp_path: Path) -> None:
    expected = read_expected(write_fixture(tmp_path, f"  fired: [{RULE}]\n"))
    unknown = rule(status=Status.UNKNOWN, missing=("epds_item_10",))
    (difference,) = compare(expected, [evaluated(decision(unknown))])
    assert difference.text == f"{RULE}: expected fired, got unknown for want of epds_item_10"
    assert any("EPDS item 10" in line for line in difference.trace)


def test_a_rule_that_is_not_named_must_not_have_fired(tmp_path: Path) -> None:
    assert texts(tmp_path, "  fired: []\n", evaluated(decision(rule()))) == [f"{RULE}: expected not-fired, got fired"]


def test_a_rule_that_the_pack_does_not_have(tmp_path: Path) -> None:
    assert texts(tmp_path, "  fired: [r99-none]\n", evaluated(decision())) == [
        "r99-none: expected fired, but the pack has no such rule"
    ]


def test_what_must_not_be(tmp_path: Path) -> None:
    forbidden = (
        "  fired: [r03-any-self-harm-answer]\n  must_not: {fired: [r03-any-self-harm-answer], issues: [malformed]}\n"
    )
    got = evaluated(decision(rule(), issues=("malformed",)))
    assert texts(tmp_path, forbidden, got) == ["must not: issues has malformed", f"must not: fired has {RULE}"]


def test_a_refusal_that_was_not_expected_says_why(tmp_path: Path) -> None:
    expected = read_expected(write_fixture(tmp_path, "  referrals: {}\n"))
    first, second = compare(expected, [refused()])
    assert (first.text, second.text) == ("results: expected 1, got 0", "refused: expected 0, got 1")
    assert second.trace == ("PID-7: cut off",)


def test_issues_are_found_in_refusals_and_in_result_bundles(tmp_path: Path) -> None:
    both = "  refused: 1\n  issues: [malformed, implausible-date]\n"
    result = evaluated(decision(), "9990001014", outcome("implausible-date"))
    assert texts(tmp_path, both, result, refused()) == []


def test_each_person_is_compared_with_her_own_expectation(tmp_path: Path) -> None:
    people = f'  patients:\n    "9990001014": {{fired: [{RULE}]}}\n    LOCAL-2: {{}}\n    "3": {{}}\n'
    results = [evaluated(decision(rule()), "2"), evaluated(decision(rule())), evaluated(decision(), "4")]
    assert texts(tmp_path, people, *results) == [
        f"patient LOCAL-2: {RULE}: expected not-fired, got fired",
        "result 3: nobody in expected.yaml has this patient's identifier",
        "patient 3: no result",
    ]
