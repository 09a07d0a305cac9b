from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from adapter.errors import CannotStart
from adapter.replay import find_fixtures, read_expected
from adapter.replay.expected import Referral
from rules import ContentError, Status
from tests.unit.replay.builders import MINIMAL, RULE, write_fixture


def test_reads_what_a_clinician_wrote(tmp_path: Path) -> None:
    expected = read_expected(
        write_fixture(
            tmp_path / "01-first",
            """\
  referrals:
    gp: {priority: asap, by: 2026-03-02}
    talking-therapies: routine
  fired: [r03-any-self-harm-answer]
  unknown: [r16-bonding]
  tasks: {complete-epds: asap}
  flags: [postpartum-watch]
  issues: [data-conflict]
  must_not: {referrals: [crisis-team]}
""",
        )
    )
    assert (expected.name, expected.as_of, expected.provider) == ("01-first", date(2026, 3, 2), "england-default")
    assert (expected.results, expected.refused, expected.inputs) == (1, 0, (("record.json",),))
    person = expected.everyone
    assert person.referrals == {"gp": Referral("asap", date(2026, 3, 2)), "talking-therapies": Referral("routine")}
    assert person.statuses == {RULE: Status.FIRED, "r16-bonding": Status.UNKNOWN}
    assert person.tasks == {"complete-epds": "asap"}
    assert (person.flags, person.issues) == ({"postpartum-watch"}, {"data-conflict"})
    assert person.must_not == {"referrals": {"crisis-team"}}


def test_tasks_may_leave_their_priority_open(tmp_path: Path) -> None:
    assert read_expected(write_fixture(tmp_path, "  tasks: [complete-epds]\n")).everyone.tasks == {"complete-epds": ""}


def test_several_people_are_expected_as_many_results(tmp_path: Path) -> None:
    people = '  patients:\n    "1": {fired: [r16-bonding]}\n    "2": {}\n'
    expected = read_expected(write_fixture(tmp_path, people))
    assert expected.results == 2
    assert set(expected.patients) == {"1", "2"}


@pytest.mark.parametrize(
    ("expect", "line", "says"),
    [
        ("  referals: {}\n", 6, "referals is not a key here"),
        ("  referrals: [gp]\n", 6, "key: value pairs"),
        ("  referrals: {gp: soon}\n", 6, "one of routine, urgent, asap, stat"),
        ("  referrals:\n    gp: {by: 2026-03-02}\n", 7, "one of routine"),
        ("  referrals:\n    gp: {priority: asap, by: tomorrow}\n", 7, "a date"),
        ("  referrals:\n    gp: {priority: asap, until: 2026-03-02}\n", 7, "until is not a key"),
        ("  fired: r16-bonding\n", 6, "a list of codes"),
        ("  fired: [r16-bonding]\n  unknown: [r16-bonding]\n", 7, "at once"),
        ("  tasks: {complete-epds: 1}\n", 6, "a priority"),
        ("  results: -1\n", 6, "a whole number"),
        ("  refused: true\n", 6, "a whole number"),
        ("  must_not: {unknown: []}\n", 6, "unknown is not a key here"),
        ('  fired: [r16-bonding]\n  patients: {"1": {}}\n', 6, "beside patients"),
        ('  patients:\n    "1": {results: 1}\n', 7, "results is not a key here"),
    ],
)
def test_says_where_an_expectation_is_wrong(tmp_path: Path, expect: str, line: int, says: str) -> None:
    folder = write_fixture(tmp_path, expect)
    with pytest.raises(ContentError, match=says) as wrong:
        read_expected(folder)
    assert (wrong.value.file, wrong.value.line) == (str(folder / "expected.yaml"), line)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("as_of: 2026-03-02", "as_of: 2026-02-31", "a date"),
        ("title: A title\n", "", "title is missing"),
        ("title: A title", "title: 7", "expected text"),
        ("inputs: [record.json]", "inputs: [other.json]", "not in this folder"),
        ("inputs: [record.json]", "inputs: []", "a list of the fixture's files"),
        ("inputs: [record.json]", "inputs: [[record.json, other.json]]", "not in this folder"),
        ("inputs: [record.json]", "inputs: [[]]", "not in this folder"),
    ],
)
def test_says_what_is_wrong_above_the_expectation(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ContentError, match=says):
        read_expected(write_fixture(tmp_path, "  results: 1\n", MINIMAL.replace(old, new)))


def test_fixtures_are_found_at_and_below_a_folder_in_order(tmp_path: Path) -> None:
    folders = [write_fixture(tmp_path / name, "  results: 1\n") for name in ("02-b", "01-a", "group/03-c")]
    assert find_fixtures(tmp_path) == sorted(folders)
    assert find_fixtures(tmp_path / "01-a") == [tmp_path / "01-a"]


def test_a_folder_without_fixtures_cannot_be_replayed(tmp_path: Path) -> None:
    with pytest.raises(CannotStart):
        find_fixtures(tmp_path)
