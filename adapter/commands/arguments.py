"""What the arguments of commands mean."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import typer

from adapter.commands.output import say


def day(text: str) -> date:
    """A day written YYYY-MM-DD; "" is today in England. Anything else ends the command with 2."""
    if not text:
        return datetime.now(ZoneInfo("Europe/London")).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        say(f"perinatal: --as-of takes a date as YYYY-MM-DD, not {text!r}")
        raise typer.Exit(2) from None
