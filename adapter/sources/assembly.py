"""Records from the rows of a folder of tables, once it is known whose each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from adapter.mapping.nodes import Join, Tables
from adapter.records import Issue
from adapter.sources import parts
from adapter.sources.csv_files import Table, TableRow, ragged_issue
from adapter.sources.model import Row, SourceRecord
from adapter.sources.parts import NOBODY, NOTHING, ORPHANS, Given, Part, Said, pieces
from adapter.sources.shelves import Shelves


class Assembly:
    """Puts together the records of one folder. ``remarks`` are said of every record.

    Where its shelves are in a file it can be given to processes that are started: each reads that file for itself.
    """

    def __init__(
        self,
        source: str,
        kind: str,
        spec: Tables,
        tables: Mapping[str, Table],
        joins: Mapping[str, Join],
        header: TableRow | None,
        remarks: Sequence[Issue],
        shelves: Shelves,
    ) -> None:
        self.source, self._kind, self._spec = source, kind, spec
        self._joins, self._header, self._remarks, self._shelves = joins, header, remarks, shelves
        self._numbers = {name: number for number, name in enumerate(tables)}
        self._tables = [(name, table.columns) for name, table in tables.items()]
        self._above = [self._numbers.get(joins[name].to, -1) if name in joins else -1 for name in tables]
        self._parents = frozenset(self._above)

    def records(self, part: Part) -> Iterator[SourceRecord]:
        """One for each owner, or piece of what is too long for one."""
        rows = self._shelves.load(part.kept)
        for owner, given in groupby(rows, itemgetter(0)):
            said = part.said.get(owner, NOTHING)
            for piece, whole in pieces(given):
                yield self._record(owner, piece, said, whole=whole and part.whole)
                said = NOTHING
        if not rows:
            yield self._record(NOBODY, (), part.said.get(NOBODY, NOTHING), whole=True)

    def _rows(self, given: Sequence[Given], header: TableRow | None) -> list[TableRow]:
        """In the order of the tables and their rows, those of lookup tables among them."""
        rows: list[TableRow] = []
        own: dict[tuple[int, int], TableRow] = {}  # that others belong to, or name
        early: list[tuple[TableRow, tuple[int, int]]] = []  # with the parent that comes after them
        linked: list[TableRow] = []
        for _, table, number, parent, cells, links in given:
            name, columns = self._tables[table]
            row = TableRow(name, columns, number, cells)
            row.header = header
            rows.append(row)
            if parent >= 0:
                row.parent = own.get((self._above[table], parent))
                if row.parent is None:
                    early.append((row, (self._above[table], parent)))
            if table in self._parents:
                own[table, number] = row
            if links:
                row.links = {}
                for to, found, named in links:
                    name, columns = self._tables[to]
                    if (to, found) not in own:
                        own[to, found] = TableRow(name, columns, found, named)
                        own[to, found].header = header
                        linked.append(own[to, found])
                    row.links[name] = own[to, found]
        for row, above in early:
            row.parent = own.get(above)
        return sorted(rows + linked, key=lambda row: (self._numbers[row.name], row.number)) if linked else rows

    def _record(self, owner: int, given: Sequence[Given], said: Said, *, whole: bool) -> SourceRecord:
        header = self._header and self._header.shared()
        rows = self._rows(given, header)
        issues, refused = [*said[0]], said[1] or not whole or owner >= NOBODY
        if not whole and owner < NOBODY:
            text = f"more than {parts.MOST_ROWS} rows have the key of one patient: they are read as nobody's record"
            issues.append(Issue("error", "too-long", text, "malformed", rows[0].place("")))
        for row in rows:
            if row.ragged:
                issues.append(ragged_issue(row))
                refused = True
            if owner >= NOBODY:
                issues.append(self._orphan(row))
        key = ORPHANS if owner >= NOBODY else self._label(rows)
        order = rows if header is None else [header, *rows]
        grouped: dict[str, list[Row]] = {}
        for row in order:
            grouped.setdefault(row.name, []).append(row)
        return SourceRecord(self.source, self._kind, key, grouped, tuple(order), (*issues, *self._remarks), refused)

    def _label(self, rows: Sequence[TableRow]) -> str:
        patient = next((row for row in rows if row.name == self._spec.patient), None)
        if patient is None:
            return ""
        key = patient.get(self._spec.key)
        within = (patient.get(self._spec.within) or "") if self._spec.within else ""
        return patient.place("") if key is None else f"{within}|{key}"

    def _orphan(self, row: TableRow) -> Issue:
        join, place = self._joins[row.name], f"{row.name} row {row.number}"
        if row.get(join.by) is None:
            code, text = "required", f"{join.by} is missing: this is nobody's row"
        else:
            code = "not-found"
            text = f"no row of {join.to} that belongs to a patient has this {join.by}: this is nobody's row"
        return Issue("error", code, text, "malformed", f"{place}, {join.by}")
