"""What one run of a mapping over one record keeps: which field was read to what end, issues, lineage, references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Final

from adapter.mapping.nodes import canonical
from adapter.records import Issue
from adapter.sources.model import Row, SourceRecord


class Fate(IntEnum):
    """What became of one occurrence of a field; the highest of all its readings counts."""

    SUPERSEDED = 1  # another field filled the element
    LOST = 2  # read for what was not made
    MAPPED = 3
    UNMAPPED_CODE = 4
    REFUSED = 5


class _Hole:
    """Nothing was filled in."""

    def __repr__(self) -> str:
        return "HOLE"


HOLE: Final = _Hole()

Read = tuple[Row, str, Fate]


class Run:
    """The state of one run. ``reads``, ``trail`` and ``outer`` belong to the resource that is being made."""

    __slots__ = ("fates", "instances", "issues", "outer", "reads", "record", "referenced", "repetitions", "trail")

    def __init__(self, record: SourceRecord) -> None:
        self.record = record
        self.issues: list[Issue] = []
        self.fates: dict[tuple[int, str], Fate] = {}
        self.instances: dict[tuple[str, int], str] = {}  # (block name, id of the row) → fullUrl
        self.repetitions: dict[tuple[int, str], Sequence[Row]] = {}
        self.referenced: set[str] = set()
        self.reads: list[Read] = []
        self.trail: dict[str, str] = {}
        self.outer: Row | None = None

    def settle(self, reads: Iterable[Read], *, made: bool, into: dict[tuple[int, str], Fate] | None = None) -> None:
        """Book the readings of one resource (or condition); those of a resource that was not made are lost."""
        fates = self.fates if into is None else into
        for row, name, fate in reads:
            key = (id(row), canonical(name))
            if not made and fate is Fate.MAPPED:
                fate = Fate.LOST
            if fate > fates.get(key, 0):
                fates[key] = fate

    def each(self, row: Row, field: str) -> Sequence[Row]:
        """The repetitions of a field: the same rows each time, so that what is read of them can be booked."""
        key = (id(row), field)
        found = self.repetitions.get(key)
        if found is None:
            found = self.repetitions[key] = list(row.each(field))
        return found

    def lose(self, start: int, prefix: str) -> None:
        """What was read since ``start`` for the element at ``prefix`` comes to nothing."""
        self.reads[start:] = [(r, name, Fate.LOST if f is Fate.MAPPED else f) for r, name, f in self.reads[start:]]
        self.trail = {path: place for path, place in self.trail.items() if not path.startswith(prefix)}

    def refuse(self, row: Row, name: str, text: str, detail: str, *, severity: str = "warning") -> None:
        self.reads.append((row, name, Fate.REFUSED))
        self.issues.append(Issue(severity, "value", text, detail, row.place(name)))


class RecordRow:
    """The record itself as a row: a table or segment is related to it by its first row."""

    name = ""

    def __init__(self, record: SourceRecord) -> None:
        self.record = record

    def get(self, field: str) -> str | None:  # noqa: ARG002 - a record has no fields of its own
        return None

    def each(self, field: str) -> Sequence[Row]:
        return self.record.rows.get(field, ())

    def place(self, field: str) -> str:
        return field

    def populated(self) -> Iterator[str]:
        return iter(())

    def related(self, name: str) -> Row | None:
        rows = self.record.rows.get(name)
        return rows[0] if rows else None
