"""A day to decide for, perhaps with a time of day: what ``--as-of`` and ``asOf`` take."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo


def moment(text: str) -> tuple[date, time | None]:
    """``2026-03-02``, or ``2026-03-02T22:30`` with or without an offset: the day and the time in England.

    Raises ValueError for anything else.
    """
    if "T" not in text:
        return date.fromisoformat(text), None
    found = datetime.fromisoformat(text)
    if found.tzinfo:
        found = found.astimezone(ZoneInfo("Europe/London"))
    return found.date(), found.time()
