"""The formats of a data set's fields, as ``validation.csv`` names them.

``date`` CCYY-MM-DD; ``time`` HH:MM[:SS]; ``timestamp`` both, with T or a space between and perhaps an offset;
``number``; ``postcode``; ``an3``, ``an3..12`` so many printable characters; ``n10``, ``n6..18`` so many digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time

Matches = Callable[[str], bool]

_SIZED = re.compile(r"(an|n)(\d+)(?:\.\.(\d+))?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", re.ASCII)


def day_of(text: str) -> date | None:
    """The day of a date or timestamp; None where there is none."""
    try:
        return date.fromisoformat(text[:10]) if _DATE.fullmatch(text[:10]) else None
    except ValueError:
        return None


def _is_date(text: str) -> bool:
    return len(text) == 10 and day_of(text) is not None


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_timestamp(text: str) -> bool:
    if day_of(text) is None or text[10:11] not in ("T", " ") or not _TIME.fullmatch(text[11:]):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_NAMED: Mapping[str, Matches] = {
    "date": _is_date,
    "time": _is_time,
    "timestamp": _is_timestamp,
    "number": lambda text: _NUMBER.fullmatch(text) is not None,
    "postcode": lambda text: _POSTCODE.fullmatch(text.upper()) is not None,
}


def compile_format(name: str) -> Matches | None:
    """Whether a text has the format of this name; None where there is no such format."""
    if name in _NAMED:
        return _NAMED[name]
    sized = _SIZED.fullmatch(name)
    if sized is None:
        return None
    shortest, longest = int(sized[2]), int(sized[3] or sized[2])
    if sized[1] == "n":
        return lambda text: text.isascii() and text.isdigit() and shortest <= len(text) <= longest
    return lambda text: text.isprintable() and shortest <= len(text) <= longest
