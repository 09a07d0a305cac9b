"""The coverage of a run: what became of each populated field of the source, for people (text) or machines (JSON).

It is added up record by record: what is kept grows with the kinds of field, not with the records. Only the issues are
one by one; they wait in an unnamed temporary file once they are many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from tempfile import SpooledTemporaryFile
from textwrap import indent
from types import TracebackType
from typing import Self

import orjson

from adapter.mapping.coverage import SHOWN, Account, Kind, Shape
from adapter.quality import Findings, as_issue, quality_lines
from adapter.records import FieldUse, Issue, MappedBundle

_LOSSY = frozenset({"unmapped", "unmapped-code", "refused"})
_ORDER = {"unmapped": 0, "refused": 1}
_SPOOLED = 1 << 20  # bytes of issues that are held in memory
_INDENT = orjson.OPT_INDENT_2


_Use = tuple[str, str, str]
"""Fate, field and reason."""
_SHAPES = 4096  # how many are counted apart


class Uses:
    """FieldUses added up: one per field, fate and reason.

    Rows of one shape are counted together once as many places are known of each of its fields as are told.
    """

    def __init__(self) -> None:
        self._counts: Counter[_Use] = Counter()
        self._places: dict[_Use, tuple[str, ...]] = {}
        self._shapes: dict[Shape, int] = {}
        self._told: Counter[_Use] = Counter()  # how many places were taken

    def add(self, uses: Iterable[FieldUse]) -> None:
        found = list(uses.shapes()) if isinstance(uses, Account) else []
        if found and all(self.knows(shape) for shape, _ in found):
            for shape, times in found:
                self._shapes[shape] += times
            return
        counts, places = self._counts, self._places
        for use in uses:
            key = (use.fate, use.field, use.reason)
            counts[key] += use.times
            known = places.get(key, ())
            if len(known) + self._told[key] < SHOWN:
                places[key] = (known + use.places)[: SHOWN - self._told[key]]
        if len(self._shapes) > _SHAPES:
            self._add_up()

    def knows(self, shape: Shape) -> bool:
        """Whether as many places are known of each of its fields as are told: then its rows need only be counted."""
        if shape in self._shapes:
            return True
        if all(len(self._places.get(use, ())) + self._told[use] >= SHOWN for use in map(_use_of, shape.leaves)):
            self._shapes[shape] = 0
            return True
        return False

    def count(self, shape: Shape, times: int) -> None:
        """Add so many rows of a shape that it knows."""
        self._shapes[shape] += times

    def merge(self, later: Uses) -> None:
        """Add what came after."""
        self._add_up()
        later._add_up()
        self._counts.update(later._counts)
        for key, places in later._places.items():
            known = self._places.get(key, ())
            if len(known) < SHOWN:
                self._places[key] = (known + places)[:SHOWN]

    def take(self) -> Uses:
        """What was added since the last time, which holds nothing of a mapping. What is known stays known."""
        known = dict.fromkeys(self._shapes, 0)
        self._add_up()
        taken = Uses()
        taken._counts, taken._places = self._counts, self._places
        for use, places in self._places.items():
            self._told[use] += len(places)
        self._counts, self._places, self._shapes = Counter(), {}, known
        return taken

    def _add_up(self) -> None:
        """Add what was counted by shape to the rest."""
        for shape, times in self._shapes.items():
            for leaf in shape.leaves if times else ():
                self._counts[_use_of(leaf)] += times
        self._shapes.clear()

    def united(self) -> list[FieldUse]:
        """What nobody reads first, then by name."""
        self._add_up()
        return [
            FieldUse(key[1], key[0], key[2], self._counts[key], self._places.get(key, ()))
            for key in sorted(self._counts, key=lambda key: (_ORDER.get(key[0], 2), key))
        ]


def _use_of(leaf: tuple[Kind, str]) -> _Use:
    (field, (fate, reason)), _ = leaf
    return fate, field, reason


class Style(StrEnum):
    """How issues are written down, if they are."""

    NONE = "none"
    TEXT = "text"
    JSON = "json"


class Tally:
    """What became of the fields of some records, and what was said of them. It holds no value of a patient."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.records = 0
        self.uses, self.findings = Uses(), Findings()
        self.issues: list[bytes] = []

    def add(self, record: MappedBundle) -> None:
        self.records += 1
        self.uses.add(record.coverage)
        if self.style is Style.NONE:
            return
        self.findings.add(record)
        said = {as_issue(finding) for finding in record.quality}
        for issue in record.issues:
            if issue not in said:
                self._keep(issue)

    def _keep(self, issue: Issue) -> None:
        if self.style is Style.JSON:
            self.issues.append(indent(orjson.dumps(issue, option=_INDENT).decode(), "    ").encode())
        elif issue.detail != "unmapped-field":
            self.issues.append(f"{issue.severity:<11} {issue.place}: {issue.text}\n".encode())

    def take(self) -> Tally:
        """What was added since the last time."""
        taken = Tally(self.style)
        taken.records, taken.uses, taken.findings, taken.issues = (
            self.records,
            self.uses.take(),
            self.findings,
            self.issues,
        )
        self.records, self.findings, self.issues = 0, Findings(), []
        return taken

    def merge(self, later: Tally) -> None:
        """Add what came after."""
        self.records += later.records
        self.uses.merge(later.uses)
        self.findings.merge(later.findings)
        self.issues += later.issues


class Coverage:
    """The report of a run in the making. ``close`` removes what it keeps; ``path`` None: nothing is to be written.

    As JSON where the path ends in ``.json``. It holds no value of a patient.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.style = Style.NONE if path is None else Style.JSON if path.suffix == ".json" else Style.TEXT
        self._tally = Tally(self.style)
        self._issues = SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115 - it lives as long as this does

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._issues.close()

    def add(self, record: MappedBundle) -> None:
        self._tally.add(record)
        self._put_away()

    def merge(self, later: Tally) -> None:
        """Add what became of the records that came after."""
        self._tally.merge(later)
        self._put_away()

    def _put_away(self) -> None:
        """The issues, where they take no memory."""
        for issue in self._tally.issues:
            if self.style is Style.JSON:
                self._issues.write(b",\n" if self._issues.tell() else b"\n")
            self._issues.write(issue)
        self._tally.issues.clear()

    @property
    def unmapped(self) -> int:
        """How many kinds of field no line of a mapping reads."""
        return sum(use.fate == "unmapped" for use in self._tally.uses.united())

    @property
    def lossy(self) -> int:
        """How many kinds of field did not get through as they were: unmapped, refused, or with a code without a map."""
        return len({(use.field, use.fate) for use in self._tally.uses.united() if use.fate in _LOSSY})

    def write(self) -> None:
        """Write the report; nothing where there is no path."""
        if self._path is None:
            return
        with self._path.open("wb") as file:
            before, after = self._around()
            file.write(before)
            self._issues.seek(0)
            while chunk := self._issues.read(1 << 16):
                file.write(chunk)
            file.write(after)

    def _around(self) -> tuple[bytes, bytes]:
        """What stands before the issues and after them."""
        uses = self._tally.uses.united()
        if self.style is not Style.JSON:
            quality = quality_lines(self._tally.findings)
            return _lines(_text(self._tally.records, uses)), _lines(quality)
        there = self._issues.tell() > 0
        report = {
            "records": self._tally.records,
            "fields": [use._asdict() for use in uses],
            "issues": [],
            "quality": self._tally.findings.united(),
            "not_checked": self._tally.findings.not_checked(),
        }
        before, after = orjson.dumps(report, option=_INDENT).split(b'\n  "issues": []')
        return before + b'\n  "issues": [', (b"\n  ]" if there else b"]") + after


def united(uses: Iterable[FieldUse]) -> list[FieldUse]:
    """One use per field and fate: what nobody reads first, then by name."""
    found = Uses()
    found.add(uses)
    return found.united()


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _text(records: int, uses: list[FieldUse]) -> Iterator[str]:
    fates = Counter(use.fate for use in uses)
    yield f"records: {records}; fields: " + (", ".join(f"{n} {fate}" for fate, n in sorted(fates.items())) or "none")
    for use in uses:
        reason = f" ({use.reason})" if use.reason else ""
        times = "once" if use.times == 1 else f"{use.times} times"
        yield f"{use.fate:<10} {use.field}, {times}{reason}: {'; '.join(use.places)}"
