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
        above = {name: self._numbers.get(join.to, -1) for name, join in joins.items()}
        self._tables = [
            (name, table.columns, above.get(name, -1), number in above.values())
            for number, (name, table) in enumerate(tables.items())
        ]

    def records(self, part: Part) -> Iterator[SourceRecord]:
        """One for each owner, or piece of what is too long for one."""
        owner = -1
        for owner, given in groupby(self._shelves.load(part.kept), itemgetter(0)):
            said, rows = part.said.get(owner, NOTHING), list(given)
            if len(rows) <= parts.MOST_ROWS:
                yield self._record(owner, rows, said, whole=part.whole)
                continue
            for piece, whole in pieces(rows):
                yield self._record(owner, piece, said, whole=whole and part.whole)
                said = NOTHING
        if owner < 0:
            yield self._record(NOBODY, (), part.said.get(NOBODY, NOTHING), whole=True)

    def _record(self, owner: int, given: Sequence[Given], said: Said, *, whole: bool) -> SourceRecord:
        header = self._header and self._header.shared()
        rows, grouped, plain = self._rows(given, header)
        issues, refused = [*said[0]], said[1] or not whole or owner >= NOBODY
        if not whole and owner < NOBODY:
            text = f"more than {parts.MOST_ROWS} rows have the key of one patient: they are read as nobody's record"
            issues.append(Issue("error", "too-long", text, "malformed", rows[0].place("")))
        order = rows if header is None else [header, *rows]
        for row in rows if owner >= NOBODY or not plain else ():
            if row.ragged:
                issues.append(ragged_issue(row))
                refused = True
            if owner >= NOBODY:
                issues.append(self._orphan(row))
        key = ORPHANS if owner >= NOBODY else self._label(grouped.get(self._spec.patient, ()))
        return SourceRecord(self.source, self._kind, key, grouped, tuple(order), (*issues, *self._remarks), refused)

    def _rows(
        self, given: Sequence[Given], header: TableRow | None
    ) -> tuple[list[TableRow], dict[str, list[Row]], bool]:
        """In the order of the tables and their rows, those of lookup tables among them; by table, with the header's;
        and whether none can be ragged."""
        rows: list[TableRow] = []
        grouped: dict[str, list[Row]] = {} if header is None else {header.name: [header]}
        own: dict[int, TableRow] = {}  # that others belong to, or name
        early: list[tuple[TableRow, int]] = []  # with the parent that comes after them
        linked: list[TableRow] = []
        tables, many, last, plain = self._tables, len(self._tables), -1, True
        for _, table, number, parent, cells, links in given:
            if table != last:
                last = table
                name, columns, above, has_rows = tables[table]
                same = grouped[name] = []
            row = TableRow(name, columns, number, cells, header)
            rows.append(row)
            same.append(row)
            if row.ragged:
                plain = False
            if has_rows:
                own[number * many + table] = row
            if parent >= 0:
                place = parent * many + above
                if place in own:
                    row.parent = own[place]
                else:
                    early.append((row, place))
            if links:
                for to, found, named in links:
                    place = found * many + to
                    if place not in own:
                        own[place] = TableRow(tables[to][0], tables[to][1], found, named, header)
                        linked.append(own[place])
                    row.links = {**(row.links or {}), tables[to][0]: own[place]}
        for row, place in early:
            row.parent = own.get(place)
        if not linked:
            return rows, grouped, plain
        rows = sorted(rows + linked, key=lambda row: (self._numbers[row.name], row.number))
        grouped = {} if header is None else {header.name: [header]}
        for row in rows:
            grouped.setdefault(row.name, []).append(row)
        return rows, grouped, False

    def _label(self, patients: Sequence[Row]) -> str:
        if not patients:
            return ""
        patient = patients[0]
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
