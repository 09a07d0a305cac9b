"""Lists of the codes that a field may have, and for which reporting periods: ``national_codes.csv``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from adapter.quality.files import Line, comments, read_lines
from adapter.quality.formats import day_of

FILE = "national_codes.csv"
COLUMNS = ("list", "code", "label", "from", "until", "source")

_SOURCE = re.compile(r"source (\S+): \S")


@dataclass(frozen=True, slots=True)
class CodeList:
    """Code → the first and the last day that it is for; None: without an end."""

    codes: Mapping[str, tuple[date | None, date | None]]

    @classmethod
    def of(cls, codes: Iterable[str]) -> CodeList:
        """A list of codes that are always valid."""
        return cls(dict.fromkeys(codes, (None, None)))

    @property
    def dated(self) -> bool:
        """Whether a code of it begins or ends."""
        return any(ends != (None, None) for ends in self.codes.values())

    def holds(self, code: str, day: date | None) -> bool:
        """Whether this is a code of the list on that day, in whatever case. Without a day: one that has not ended."""
        found = self.codes.get(code) or self.codes.get(code.upper())
        if found is None:
            return False
        first, last = found
        return last is None if day is None else (first is None or first <= day) and (last is None or day <= last)


def load_lists(path: Path) -> Mapping[str, CodeList]:
    """Name → list; none where there is no such file. Raises ContentError with the line."""
    if not path.is_file():
        return {}
    sources = {match[1] for text in comments(path) if (match := _SOURCE.match(text))}
    lists: dict[str, dict[str, tuple[date | None, date | None]]] = defaultdict(dict)
    for line in read_lines(path, COLUMNS):
        name, code = line.cells["list"], line.cells["code"]
        if not name or not code or code != code.strip():
            raise line.wrong("list and code must be there, without spaces around them")
        if code in lists[name]:
            raise line.wrong(f"{code} is given twice in {name}")
        unknown = [key for key in line.cells["source"].split() or [""] if key not in sources]
        if unknown:
            raise line.wrong(f"source {unknown[0]!r} is none that a line '# source KEY: …' explains")
        first, last = _day(line, "from"), _day(line, "until")
        if first and last and last < first:
            raise line.wrong("until is before from")
        lists[name][code] = (first, last)
    return {name: CodeList(codes) for name, codes in lists.items()}


def _day(line: Line, column: str) -> date | None:
    text = line.cells[column]
    if not text:
        return None
    day = day_of(text) if len(text) == 10 else None
    if day is None:
        raise line.wrong(f"{column} is no day CCYY-MM-DD")
    return day
