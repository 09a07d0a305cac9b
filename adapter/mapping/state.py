"""What one run of a mapping over one record keeps: which field was read to what end, issues, lineage, references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from adapter.mapping.lineage import Origin, Trail, words
from adapter.mapping.nodes import Field
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

Cell = tuple[Row, str]
"""A row and the key of one of its fields (``Field.key``)."""


@dataclass(frozen=True, slots=True)
class Said:
    """An Issue, before its place is put into words."""

    severity: str
    code: str
    text: str
    detail: str
    origin: Origin

    def issue(self) -> Issue:
        return Issue(self.severity, self.code, self.text, self.detail, words(self.origin))


class Run:
    """The state of one run. ``reads``, ``marks``, ``trail`` and ``outer`` belong to the resource that is being made.

    ``reads`` are the populated cells that were read, ``marks`` what became of some of them besides. Of what is
    settled, ``mapped`` are the cells that reached a resource and ``fates`` the other outcomes.
    """

    __slots__ = (
        "fates",
        "instances",
        "issues",
        "mapped",
        "marks",
        "outer",
        "reads",
        "record",
        "referenced",
        "repetitions",
        "trail",
    )

    def __init__(self, record: SourceRecord) -> None:
        self.record = record
        self.issues: list[Said] = []
        self.mapped: set[Cell] = set()
        self.fates: dict[Cell, Fate] = {}
        self.instances: dict[tuple[str, Row | None], str] = {}  # (block name, its row) → fullUrl
        self.repetitions: dict[Cell, Sequence[Row]] = {}
        self.referenced: set[str] = set()
        self.reads: list[Cell] = []
        self.marks: list[tuple[Cell, Fate]] = []
        self.trail: Trail = {}
        self.outer: Row | None = None

    def settle(self, reads: Iterable[Cell], marks: Sequence[tuple[Cell, Fate]], *, made: bool) -> None:
        """Book the readings of one resource (or condition); those of a resource that was not made are lost."""
        if made:
            self.mapped.update(reads)
        else:
            self._mark((cell, Fate.LOST) for cell in reads)
        if marks:
            self._mark(marks)

    def _mark(self, marks: Iterable[tuple[Cell, Fate]]) -> None:
        fates = self.fates
        for cell, fate in marks:
            before = fates.get(cell)
            if before is None or fate > before:
                fates[cell] = fate

    def touch(self, row: Row, mapped: Iterable[str], fates: Mapping[str, Fate]) -> None:
        """Book what became of the fields of a row."""
        self.mapped.update([(row, key) for key in mapped])
        self._mark(((row, key), fate) for key, fate in fates.items())

    def fate(self, cell: Cell) -> Fate | None:
        """What became of a cell in the end; None when nothing read it."""
        fate = self.fates.get(cell)
        return Fate.MAPPED if cell in self.mapped and (fate is None or fate < Fate.MAPPED) else fate

    def each(self, row: Row, field: str) -> Sequence[Row]:
        """The repetitions of a field: the same rows each time, so that what is read of them can be booked."""
        cell = (row, field)
        found = self.repetitions.get(cell)
        if found is None:
            found = self.repetitions[cell] = list(row.each(field))
        return found

    def lose(self, start: int, prefix: str) -> None:
        """What was read since ``start`` for the element at ``prefix`` comes to nothing."""
        self.marks.extend((cell, Fate.LOST) for cell in self.reads[start:])
        del self.reads[start:]
        self.trail = {path: place for path, place in self.trail.items() if not path.startswith(prefix)}

    def move_trail(self, prefix: str, to: str, by: int) -> None:
        """The elements of a list were made at ``prefix`` and stand at ``to``, ``by`` places further back."""
        for path in [path for path in self.trail if path.startswith(prefix)]:
            index, rest = path.removeprefix(prefix).split("]", 1)
            self.trail[f"{to}{int(index) + by}]{rest}"] = self.trail.pop(path)

    def refuse(self, row: Row, field: Field, text: str, detail: str) -> None:
        self.marks.append(((row, field.key), Fate.REFUSED))
        self.say("warning", "value", text, detail, (row, field.name))

    def say(self, severity: str, code: str, text: str, detail: str, origin: Origin) -> None:
        self.issues.append(Said(severity, code, text, detail, origin))


class RecordRow:
    """The record itself as a row: a table or segment is related to it by its first row."""

    name = ""
    texts: Mapping[str, str] = MappingProxyType({})

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

    def key_of(self, leaf: str) -> str:
        return leaf

    def related(self, name: str) -> Row | None:
        rows = self.record.rows.get(name)
        return rows[0] if rows else None
