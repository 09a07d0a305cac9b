from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rules import ContentError
from rules.tools import Side, load_side, parse_side
from tests.unit.rules.tiny import AS_OF, write


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("", Side()),
        ("pack", Side("pack", Path("pack"))),
        (":home", Side(":home", None, "home")),
        ("@2026-01-31", Side("@2026-01-31", None, "", date(2026, 1, 31))),
        ("pack:home@2026-01-31", Side("pack:home@2026-01-31", Path("pack"), "home", date(2026, 1, 31))),
        ("p@ck/in:ner", Side("p@ck/in:ner", Path("p@ck/in:ner"))),
        ("p@ck/in:ner:home", Side("p@ck/in:ner:home", Path("p@ck/in:ner"), "home")),
        ("old@2024-01-01", Side("old@2024-01-01", Path("old@2024-01-01"))),
    ],
)
def test_a_side_is_a_folder_a_provider_and_a_day(
    text: str, side: Side, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pack", "p@ck/in:ner", "old@2024-01-01"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert parse_side(text) == side


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nowhere", "there is no folder 'nowhere'"),
        ("nowhere:home", "there is no folder 'nowhere'"),
        (":no such", "there is no folder ':no such'"),
        ("@yesterday", "after '@' comes a day as YYYY-MM-DD, not 'yesterday'"),
        ("@2026-02-30", "not '2026-02-30'"),
        ("@", "not ''"),
    ],
)
def test_what_is_no_side_is_said(text: str, said: str) -> None:
    with pytest.raises(ContentError, match=said):
        parse_side(text)


def test_what_a_side_leaves_open_is_filled_in(tmp_path: Path) -> None:
    side = load_side(Side(), AS_OF, write(tmp_path), "home")
    assert side.title == f"tiny 1.2.3, home in {side.content.folder.name}, on 2026-03-02"


def test_an_unknown_provider_is_said_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no provider is called 'away'; there are: home"):
        load_side(Side("", write(tmp_path), "away"), AS_OF)
