"""One CSV file as rows that know their place: encodings, the header row, ragged rows, broken quoting."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from adapter.errors import Malformed
from adapter.records import Issue
from adapter.sources.model import Row

Lines = tuple[Sequence[int], Sequence[Sequence[str]]]
"""Rows before it is known whose they are: their numbers and their cells."""


class Table(Protocol):
    """A file of rows. ``issues`` concern the file as a whole; ``size`` is its bytes, 0 where it is in memory."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> Mapping[str, int]: ...

    @property
    def issues(self) -> Sequence[Issue]: ...

    @property
    def size(self) -> int: ...

    def chunks(self) -> Iterator[Lines]:
        """The rows in order, but for empty ones; some at a time."""
        ...

    def check(self) -> None:
        """Raises Malformed where the file is not what it was when it was opened."""
        ...


class TableRow:
    """One row of a table, of one record. ``number`` is that of a spreadsheet: the header is row 1.

    ``cells`` are as they stood; those of a row that is not ``ragged`` stand each at its column's index.
    """

    __slots__ = ("_texts", "cells", "columns", "header", "links", "name", "number", "parent", "ragged")

    def __init__(
        self,
        name: str,
        columns: Mapping[str, int],
        number: int,
        cells: Sequence[str],
        header: TableRow | None = None,
    ) -> None:
        self.name, self.columns, self.number, self.cells = name, columns, number, cells
        self._texts: dict[str, str] | None = None
        surplus = len(cells) - len(columns)
        self.ragged = surplus != 0 and (surplus < 0 or any(map(str.strip, cells[len(columns) :])))
        self.parent: TableRow | None = None
        self.header = header
        self.links: dict[str, TableRow] | None = None  # table → its row that this one names (teams, wards)

    @property
    def texts(self) -> dict[str, str]:
        if self._texts is None:
            texts = dict(zip(self.columns, map(str.strip, self.cells), strict=False))
            self._texts = {column: text for column, text in texts.items() if text} if "" in texts.values() else texts
        return self._texts

    def shared(self) -> TableRow:
        """The same row for another record."""
        row = TableRow(self.name, self.columns, self.number, self.cells)
        row._texts = self.texts
        return row

    def get(self, field: str) -> str | None:
        at = self.columns.get(field)
        return self.cells[at].strip() or None if at is not None and at < len(self.cells) else None

    def each(self, field: str) -> Sequence[Row]:  # noqa: ARG002 - a cell does not repeat
        return ()

    def place(self, field: str) -> str:
        return f"{self.name} row {self.number}, {field}" if field else f"{self.name} row {self.number}"

    def populated(self) -> Iterable[str]:
        return self.texts

    def key_of(self, leaf: str) -> str:
        return leaf

    def related(self, name: str) -> TableRow | None:
        """The row of the table ``name`` that this one reaches through its joins and links, or the header's row."""
        row: TableRow | None = self
        while row is not None and row.name != name:
            if row.links is not None and name in row.links:
                return row.links[name]
            row = row.parent
        if row is None and self.header is not None and self.header.name == name:
            return self.header
        return row


@dataclass(slots=True)
class HeldTable:
    """A table all of whose rows are in memory."""

    name: str
    columns: dict[str, int]
    rows: list[TableRow]
    issues: list[Issue] = field(default_factory=list)

    size: ClassVar[int] = 0

    def chunks(self) -> Iterator[Lines]:
        yield [row.number for row in self.rows], [row.cells for row in self.rows]

    def check(self) -> None:
        """It is in memory."""


def ragged_issue(row: TableRow) -> Issue:
    """What is said of a row that has not as many cells as there are columns."""
    text = f"{len(row.cells)} cells under {len(row.columns)} columns: what belongs where cannot be known"
    return Issue("error", "structure", text, "malformed", row.place(""))


def malformed(place: str, text: str) -> Malformed:
    """What makes a file be refused because it is no CSV."""
    return Malformed(Issue("fatal", "structure", text, "malformed", place))


NO_TEXT = "there is a NUL character: this is no text, or is UTF-16; save it as UTF-8"
NOT_UTF8 = "this is not UTF-8, as which the mapping has it read"
NEITHER = "this is neither UTF-8 nor Windows-1252: save it as UTF-8"
AS_WINDOWS = "the file is not UTF-8: it was read as Windows-1252"


def _text(data: bytes, name: str, encoding: str, issues: list[Issue]) -> str:
    if encoding not in ("", "utf-8"):
        try:
            return data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            raise malformed(name, f"this is not {encoding}, as which the mapping has it read") from None
    if b"\0" in data:
        row = data[: data.index(b"\0")].count(b"\n") + 1
        raise malformed(f"{name} row {row}", NO_TEXT)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if encoding:
            row = data[: error.start].count(b"\n") + 1
            raise malformed(f"{name} row {row}", NOT_UTF8) from None
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise malformed(f"{name} row {row}", NEITHER) from None
    issues.append(Issue("warning", "structure", AS_WINDOWS, "", name))
    return text


def read_csv(path: Path, name: str, delimiter: str = ",", encoding: str = "") -> HeldTable:
    """Like ``parse_csv``, of a file."""
    return parse_csv(path.read_bytes(), name, delimiter, encoding)


def parse_csv(data: bytes, name: str, delimiter: str = ",", encoding: str = "") -> HeldTable:
    """Read a CSV whose first row names the columns. Raises Malformed when it is not CSV at all.

    No header, or a column named twice, makes a table without usable columns and an Issue of severity error.
    ``encoding`` "" is UTF-8 or, where that fails, Windows-1252.
    """
    issues: list[Issue] = []
    text = _text(data, name, encoding, issues)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[list[str]] = []
    try:
        lines.extend(reader)
    except csv.Error as error:
        raise malformed(f"{name} row {len(lines) + 1}", f"broken CSV: {error}") from None
    columns, found = columns_of(lines[0] if lines else [], name)
    issues += found
    rows = [TableRow(name, columns, n, cells) for n, cells in enumerate(lines[1:], 2) if any(map(str.strip, cells))]
    return HeldTable(name, columns, rows, issues)


def columns_of(cells: Sequence[str], name: str) -> tuple[dict[str, int], list[Issue]]:
    """The columns that a header row names, none where it cannot be used, and why."""
    header = [cell.strip() for cell in cells]
    while header and not header[-1]:
        header.pop()
    issues = []
    if not header:
        issues.append(Issue("error", "required", "the file is empty: not even a header row", "malformed", name))
    columns = {column: index for index, column in enumerate(header)}
    if len(columns) != len(header) or "" in columns:
        message = "a column has no name or one that another has: nothing of this table can be read"
        issues.append(Issue("error", "structure", message, "malformed", f"{name} row 1"))
        columns = {}
    return columns, issues
