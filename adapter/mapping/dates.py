"""Dates in the words of a vendor: ``as: {date: DD/MM/YYYY}``, or ``format: {dates: …}`` for a whole mapping.

A pattern is about the day only; a time after it is read as in ISO 8601 (``03/02/2026 14:30``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from adapter.mapping.convert import TYPES, Refused

TOKENS = "DD, MM, MMM (a month's English name) and YYYY, such as DD/MM/YYYY, DD-MMM-YYYY or MM/YYYY"
_TOKEN = re.compile(r"YYYY|MMM|MM|DD|.", re.DOTALL)
_GROUPS = {
    "YYYY": r"(?P<year>\d{4})",
    "MMM": r"(?P<name>[A-Za-z]{3,9})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
}
_PRECISIONS = ({"YYYY"}, {"YYYY", "MM"}, {"YYYY", "MMM"}, {"YYYY", "MM", "DD"}, {"YYYY", "MMM", "DD"})
_TIME = r"(?P<time>[T ]\s*\d{1,2}:.*)?"
_MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
DATED = ("date", "datetime", "instant")
"""The types that may have patterns."""


@lru_cache(maxsize=64)
def date_pattern(pattern: str) -> re.Pattern[str] | None:
    """The pattern as a regular expression; None when it is not one of a year, a month or a day."""
    parts = _TOKEN.findall(pattern)
    tokens = [part for part in parts if part in _GROUPS]
    if len(tokens) != len(set(tokens)) or set(tokens) not in _PRECISIONS:
        return None
    fixed = [part for part in parts if part not in _GROUPS]
    if any(part.isalnum() for part in fixed):
        return None
    groups = dict(_GROUPS)
    if not fixed:  # DDMMYYYY: nothing stands between, so that each part has its full width
        groups.update(MM=r"(?P<month>\d\d)", DD=r"(?P<day>\d\d)")
    return re.compile("".join(groups.get(part, re.escape(part)) for part in parts) + _TIME, re.ASCII)


def converter(type_name: str) -> Callable[[str], Any]:
    """The conversion of a type as ``parse`` writes it: ``integer``, or with patterns ``date:DD/MM/YYYY|MM/YYYY``."""
    name, colon, patterns = type_name.partition(":")
    convert = TYPES.get(name, str)
    if not colon:
        return convert
    expressions = [found for found in map(date_pattern, patterns.split("|")) if found is not None]
    return lambda text: convert(_iso(text, expressions))


def _iso(text: str, expressions: list[re.Pattern[str]]) -> str:
    for expression in expressions:
        match = expression.fullmatch(text)
        if match is None:
            continue
        found = match.groupdict()
        month = found.get("month") or _month(found.get("name"))
        parts = [found["year"], *(part.zfill(2) for part in (month, found.get("day")) if part)]
        time = (found["time"] or "").strip("T ")
        if time[1:2] == ":":
            time = f"0{time}"
        return "-".join(parts) + (f"T{time}" if time else "")
    raise Refused("this date is not written as the mapping says; the value is left out", "implausible-date")


def _month(name: str | None) -> str | None:
    if name is None:
        return None
    fits = [number for number, month in enumerate(_MONTHS, 1) if month.startswith(name.lower())]
    return str(fits[0]) if len(fits) == 1 else "99"
