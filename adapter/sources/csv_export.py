"""A vendor's CSV export: one file, a row per event or per patient, written as the mapping's ``format`` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from adapter.mapping.formats import CSV
from adapter.mapping.nodes import Tables
from adapter.records import Issue, RawRecord
from adapter.sources.csv_files import TableRow, parse_csv, ragged_issue
from adapter.sources.model import Row, SourceRecord
from adapter.sources.patients import Found, by_patient, record
from adapter.sources.tables import TablesMapping


class ListItem:
    """One of several values in a cell, as a row named like its column, with the field ``value``."""

    __slots__ = ("_place", "name", "parent", "texts")

    def __init__(self, name: str, parent: TableRow, number: int, text: str) -> None:
        self.name, self.parent, self.texts = name, parent, {"value": text}
        self._place = f"{parent.place(name)} ({number})"

    def get(self, field: str) -> str | None:
        return self.texts.get(field)

    def each(self, field: str) -> Sequence[Row]:  # noqa: ARG002 - a value does not repeat
        return ()

    def place(self, field: str) -> str:  # noqa: ARG002 - it has one field
        return self._place

    def populated(self) -> Iterable[str]:
        return self.texts

    def key_of(self, leaf: str) -> str:
        return leaf

    def related(self, name: str) -> Row | None:
        return self if name == self.name else self.parent.related(name)


def read_export(raw: RawRecord, mapping: TablesMapping) -> Iterator[SourceRecord]:
    """One SourceRecord per patient; all rows with her key are hers. Raises Malformed for what is no such CSV."""
    spec = mapping.tables
    if spec is None:
        raise ValueError(f"the mapping for {mapping.source} is not one for tables")
    table = parse_csv(raw.data, spec.patient, spec.format.delimiter, spec.format.encoding)
    found = [_found(row, spec) for row in table.rows]
    missing = [] if spec.key in table.columns or not table.columns else [spec.key]
    for name in missing:
        message = f"there is no column {name}, which says whose a row is: is the delimiter right?"
        table.issues.append(Issue("error", "required", message, "malformed", f"{table.name} row 1"))
    if not found or missing or not table.columns:
        if not table.issues:
            table.issues.append(Issue("error", "required", "there is no row in this file", "malformed", table.name))
        rows: list[Row] = list(table.rows)
        yield SourceRecord(raw.name, CSV, "", {table.name: rows}, tuple(rows), tuple(table.issues), refused=True)
        return
    found[0].issues += table.issues
    yield from by_patient(found, spec, raw.name, CSV)


def _found(row: TableRow, spec: Tables) -> Found:
    issues = [ragged_issue(row)] if row.ragged else []
    return Found(row, [row, *list_items(row, spec)], issues, row.ragged)


def list_items(row: TableRow, spec: Tables) -> Iterator[ListItem]:
    """The values of the cells that hold several, each as a row."""
    for column, separator in spec.format.lists.items():
        values = [value.strip() for value in (row.get(column) or "").split(separator)]
        for number, value in enumerate(filter(None, values), 1):
            yield ListItem(column, row, number, value)


def with_list_items(source: SourceRecord, spec: Tables) -> SourceRecord:
    """A record of several tables with the values of its lists as rows."""
    rows: list[Row] = []
    for row in source.order:
        rows.append(row)
        if isinstance(row, TableRow):
            rows.extend(list_items(row, spec))
    found = Found(rows[0], rows, list(source.issues), source.refused) if rows else None
    return record(source.source, source.kind, source.patient_key, found) if found else source
