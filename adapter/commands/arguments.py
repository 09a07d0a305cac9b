"""What the arguments of commands mean."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from adapter import moments
from adapter.commands.output import say

PackFolder = Annotated[
    Path | None,
    typer.Argument(metavar="[FOLDER]", help="A pack's folder; that of RULES_PATH, else the shipped one, if not given."),
]


def pack_in_use(folder: Path | None) -> Path:
    """The pack that a command is about: the one it is given, else that of the settings, else the shipped one."""
    from adapter.settings import Settings
    from rules import LIBRARY

    return folder or Settings().rules_path or LIBRARY


def moment(text: str) -> tuple[date, time | None]:
    """A day, and the time of day in England where one is given; "" is today, at no time in particular."""
    if "T" not in text:
        return day(text), None
    try:
        return moments.moment(text)
    except ValueError:
        say(f"perinatal: --as-of takes a date as YYYY-MM-DD, perhaps with a time (T22:30), not {text!r}")
        raise typer.Exit(2) from None


def day(text: str) -> date:
    """A day written YYYY-MM-DD; "" is today in England. Anything else ends the command with 2."""
    if not text:
        return datetime.now(ZoneInfo("Europe/London")).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        say(f"perinatal: --as-of takes a date as YYYY-MM-DD, not {text!r}")
        raise typer.Exit(2) from None
