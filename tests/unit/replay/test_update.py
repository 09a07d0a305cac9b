from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from adapter.replay import run_replay, update
from rules import ProposedTask, Status
from tests.unit.replay.builders import (
    MINIMAL,
    OTHER_RULE,
    RULE,
    OneResult,
    decision,
    evaluated,
    referral,
    refused,
    rule,
    write_fixture,
)


def one(*_: Path | date | str) -> Sequence[OneResult]:
    unknown = rule(OTHER_RULE, Status.UNKNOWN, ("living_baby",))
    tasks = (ProposedTask("complete-epds", "routine", ()),)
    return [
        evaluated(
            decision(rule(), unknown, referrals=(referral(),), tasks=tasks, issues=("data-conflict", "malformed"))
        )
    ]


def two(*_: Path | date | str) -> Sequence[OneResult]:
    return [*one(), evaluated(decision(rule()), "2"), refused()]


def fails(*_: Path | date | str) -> Sequence[OneResult]:
    raise ValueError("no pipeline")


def test_an_updated_expectation_agrees(tmp_path: Path) -> None:
    folder = write_fixture(tmp_path / "01-a", "  issues: [malformed]\n  must_not: {referrals: [crisis-team]}\n")
    assert update(tmp_path, run_replay(tmp_path, one)) == (["01-a"], [])
    assert (folder / "expected.yaml").read_text(encoding="utf-8") == MINIMAL + (
        "  referrals:\n    gp: {priority: asap, by: 2026-03-02}\n"
        f"  fired: [{RULE}]\n  unknown: [{OTHER_RULE}]\n  tasks: {{complete-epds: routine}}\n"
        "  issues: [malformed]\n  must_not: {referrals: [crisis-team]}\n"
    )
    assert run_replay(tmp_path, one).exit_code == 0


def test_several_people_and_a_refusal(tmp_path: Path) -> None:
    write_fixture(tmp_path / "01-a", "  patients:\n    LOCAL-2: {must_not: {fired: [r99]}}\n")
    update(tmp_path, run_replay(tmp_path, two))
    assert run_replay(tmp_path, two).exit_code == 0
    assert "must_not: {fired: [r99]}" in (tmp_path / "01-a" / "expected.yaml").read_text(encoding="utf-8")


def test_what_agrees_is_not_touched(tmp_path: Path) -> None:
    write_fixture(tmp_path / "01-a", "  results: 0  # a remark\n")
    assert update(tmp_path, run_replay(tmp_path, lambda *_: [])) == ([], [])


def test_a_warning_that_came_true_stays(tmp_path: Path) -> None:
    write_fixture(tmp_path / "01-a", f"  must_not: {{fired: [{RULE}]}}\n")
    update(tmp_path, run_replay(tmp_path, one))
    assert run_replay(tmp_path, one).exit_code == 1


def test_inputs_that_fail_or_disagree_are_left(tmp_path: Path) -> None:
    write_fixture(tmp_path / "01-a", "  results: 3\n")
    assert update(tmp_path, run_replay(tmp_path, fails)) == ([], ["01-a"])
    both = MINIMAL.replace("[record.json]", "[record.json, expected.yaml]")
    write_fixture(tmp_path / "01-a", "  results: 3\n", both)
    disagreeing = run_replay(tmp_path, lambda path, *_: two() if path.suffix == ".json" else one())
    assert update(tmp_path, disagreeing) == ([], ["01-a"])
