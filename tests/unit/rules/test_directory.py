from __future__ import annotations

from datetime import date, time
from pathlib import Path
from textwrap import dedent

import pytest

from rules import ContentError, OpeningSpan, Service, in_words, is_open, load_directory

SERVICES = {key: Service(key, key) for key in ("team", "gp")}
HEAD = "provider: here\nsources: [{document: d}]\n"


def load(folder: Path, entries: str, head: str = HEAD) -> object:
    path = folder / "here.yaml"
    path.write_text(f"{head}services:\n{dedent(entries)}", encoding="utf-8")
    return load_directory(path, SERVICES)


@pytest.mark.parametrize(
    ("entries", "place", "words"),
    [
        ("- {service: nope, name: N, area: {everywhere: true}}\n", "4:4", "no service is called 'nope'"),
        ("- {service: team, name: N, area: {}}\n", "4:28", "say at least one thing here"),
        ("- {service: team, name: N}\n", "4:3", "'area' is missing"),
        ("- {service: team, name: N, area: {postcodes: [zz98]}}\n", "4:47", "does not have the form"),
        ("- {service: team, name: N, area: {practices: [x y]}}\n", "4:47", "does not have the form"),
        ('- {service: team, name: N, dos: "1a", area: {everywhere: true}}\n', "4:28", "does not have the form"),
        ("- {service: team, name: N, odz: ZZ9, area: {everywhere: true}}\n", "4:28", "unknown key 'odz'"),
        (
            "- {service: team, name: N, area: {everywhere: true}, valid: {from: 2025-01-02, to: 2025-01-01}}\n",
            "4:54",
            "ends before it begins",
        ),
        (
            "- {service: team, name: A, area: {practices: [ZZ9001]}}\n"
            "- {service: team, name: B, area: {practices: [ZZ9002, ZZ9001]}}\n",
            "5:28",
            r"ZZ9001 is already covered for team by the entry at .*here.yaml:4",
        ),
        (
            "- {service: team, name: A, area: {everywhere: true}, valid: {to: 2025-06-30}}\n"
            "- {service: team, name: B, area: {everywhere: true}, valid: {from: 2025-06-30}}\n",
            "5:28",
            "everywhere is already covered",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, entries: str, place: str, words: str):
    with pytest.raises(ContentError, match=words) as caught:
        load(tmp_path, entries)
    assert f"here.yaml:{place}:" in str(caught.value)


def test_entries_that_follow_each_other_do_not_overlap(tmp_path: Path):
    load(
        tmp_path,
        """
        - {service: team, name: A, area: {everywhere: true}, valid: {to: 2025-06-30}}
        - {service: team, name: B, area: {everywhere: true}, valid: {from: 2025-07-01}}
        - {service: gp, name: C, area: {everywhere: true}}
        """,
    )


def test_a_practice_belongs_to_one_board(tmp_path: Path):
    head = f"{HEAD}icbs: {{ZZ8: [ZZ9001], ZZ9: [ZZ9001]}}\n"
    with pytest.raises(ContentError, match=r"here.yaml:3:\d+: the practice ZZ9001 already belongs to ZZ8"):
        load(tmp_path, "- {service: team, name: N, area: {everywhere: true}}\n", head)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ContentError, match=r"nowhere.yaml:1:1"):
        load_directory(tmp_path / "nowhere.yaml", SERVICES)


def test_a_folder_is_read_file_by_file(tmp_path: Path):
    entry = "services: [{service: team, name: N, area: {everywhere: true}}]\n"
    (tmp_path / "a.yaml").write_text(HEAD + entry, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(HEAD.replace("here", "there") + entry, encoding="utf-8")
    found = load_directory(tmp_path, SERVICES)
    assert [entry.provider for entry in found.entries] == ["here", "there"]
    assert (found.lists("there"), found.lists("elsewhere")) == (True, False)


WEEK = (OpeningSpan(("mon", "tue", "wed", "thu", "fri"), time(9), time(17)),)
ALWAYS = (OpeningSpan(("mon", "tue", "wed", "thu", "fri", "sat", "sun")),)
MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 1)


@pytest.mark.parametrize(
    ("spans", "day", "at", "holidays", "expected"),
    [
        (WEEK, MONDAY, time(8, 59, 59), [], False),
        (WEEK, MONDAY, time(9), [], True),
        (WEEK, MONDAY, time(16, 59), [], True),
        (WEEK, MONDAY, time(17), [], False),
        (WEEK, SUNDAY, time(12), [], False),
        (WEEK, MONDAY, time(12), ["2026-03-02"], False),
        (ALWAYS, MONDAY, time(3), ["2026-03-02"], True),
        (ALWAYS, SUNDAY, time(0), [], True),
        ((), MONDAY, time(12), [], False),
    ],
)
def test_open_from_its_first_minute_until_before_its_last(
    spans: tuple[OpeningSpan, ...], day: date, at: time, holidays: list[str], expected: bool
):
    assert is_open(spans, day, at, holidays) is expected


def test_hours_in_words():
    assert in_words(WEEK) == "mon, tue, wed, thu, fri 09:00–17:00"
    assert in_words(()) == "closed"
