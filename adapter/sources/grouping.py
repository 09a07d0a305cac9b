"""Whose is each row of a folder of tables: rows of one patient come from many files and stand anywhere in them.

The tables are read twice. The first time each row is given to an owner, through the keys of the rows that it belongs
to; kept of it are numbers: whose it is, which row, under which other row, where in its file. The second time the rows
of one owner after the other are read from their places. What is kept is in a ``Scratch``: on disk for a large folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from itertools import groupby
from typing import NamedTuple

from adapter.mapping.nodes import Join, Tables
from adapter.records import Issue
from adapter.sources.csv_files import Line, Table, TableRow
from adapter.sources.model import Row, SourceRecord
from adapter.sources.scratch import Entry, Index, Item, Scratch, Sorter

ORPHANS = "orphan rows"
MOST_ROWS = 20_000
"""Of one record. Rows of nobody beyond that make another refused record; a patient with more is refused, in parts."""

_BATCH = 2_000  # rows that are read together
_NUMBER = 1 << 40  # a row's place is its table's number times this, and its own
_LAST = 1 << 60  # owners from here on are refused for themselves and come after the patients
_NOBODY = 1 << 61


class _Given(NamedTuple):
    """A row and the row that it belongs to, as places; ``span`` is where its table finds it."""

    owner: int
    place: int
    parent: int
    span: int


class Grouping:
    """Groups the rows of one folder by patient."""

    def __init__(self, spec: Tables, tables: Sequence[Table], ignored: frozenset[str], scratch: Scratch) -> None:
        self.spec, self.ignored, self.scratch = spec, ignored, scratch
        self.tables = {table.name: table for table in tables}
        self.names = list(self.tables)
        self.numbers = {name: number for number, name in enumerate(self.names)}
        self.remarks = [issue for table in tables for issue in table.issues]  # said of every record
        self.joins = self._joins()
        self.given, self.links, self.said = scratch.sorter(4), scratch.sorter(5), scratch.sorter(8)
        self.patients, self.told = scratch.index(), scratch.index()
        self.keys: dict[tuple[str, str], Index] = {}
        for join in self.joins.values():
            if (join.to, join.key) != (spec.patient, spec.key):
                self.keys.setdefault((join.to, join.key), scratch.index())
        self.key_columns = {
            name: [(column, index) for (to, column), index in self.keys.items() if to == name] for name in self.names
        }
        self.lookup_columns = {
            name: [(other, lookup, lookup.of[name]) for other, lookup in spec.lookups.items() if name in lookup.of]
            for name in self.names
        }
        self.named = {name: scratch.index() for name in spec.lookups}
        self.lost: list[Issue] = []  # of tables whose rows are nobody's
        self.ended = self.turn = 0
        self.header = self._header()

    def records(self, source: str, kind: str) -> Iterator[SourceRecord]:
        """One per patient in the order of the patients' table, then what is refused for itself, then nobody's rows."""
        self._give_all()
        anybody = nobody = False
        for owner, rows, issues, refused in self._assembled():
            order = [self.header, *rows] if self.header is not None else rows
            if owner >= _NOBODY:
                issues = [*([] if nobody else [*self.lost, *self._nobody(anybody)]), *issues]
                nobody = True
            anybody = anybody or owner < _NOBODY
            key = ORPHANS if owner >= _NOBODY else self._label(rows)
            grouped: dict[str, list[Row]] = {}
            for row in order:
                row.header = self.header
                grouped.setdefault(row.name, []).append(row)
            yield SourceRecord(source, kind, key, grouped, tuple(order), (*issues, *self.remarks), refused)
        if not nobody and (self.lost or not anybody):
            issues = [*self.lost, *self._nobody(anybody), *self.remarks]
            alone = (self.header,) if self.header is not None else ()
            yield SourceRecord(source, kind, ORPHANS, {r.name: [r] for r in alone}, alone, tuple(issues), refused=True)

    def _nobody(self, anybody: bool) -> Iterator[Issue]:
        if not anybody:
            message = f"no patient: {self.spec.patient} has no row that can be used"
            yield Issue("error", "required", message, "malformed", self.spec.patient)

    def _label(self, rows: Sequence[TableRow]) -> str:
        patient = next((row for row in rows if row.name == self.spec.patient), None)
        if patient is None:
            return ""
        key = patient.get(self.spec.key)
        within = (patient.get(self.spec.within) or "") if self.spec.within else ""
        return patient.place("") if key is None else f"{within}|{key}"

    # --- the first time: whose is it ---------------------------------------------------------------------------------
    def _header(self) -> TableRow | None:
        table, found = self.tables.get(self.spec.header), None
        for row, span in table.lines() if table else ():
            if table is not None and found is None:
                (found,) = table.load([(row.number, span)])
                if found.ragged:
                    self.remarks.append(_ragged(found))
            elif table is not None:
                message = "a second header row: the first one counts"
                self.remarks.append(_issue(table, row, "", "structure", message, "duplicate"))
        return found

    def _joins(self) -> dict[str, Join]:
        """How each table that is here reaches a patient, the parents before their children."""
        apart = {self.spec.patient, self.spec.header, *self.spec.lookups}
        joins = {name: join for name in self.tables if name not in apart and (join := self._join_of(name)) is not None}
        return dict(sorted(joins.items(), key=lambda item: self._depth(item[0])))

    def _join_of(self, name: str) -> Join | None:
        """As the mapping says; a table that it does not know belongs to somebody by a key that it shares."""
        join, table = self.spec.joins.get(name), self.tables[name]
        if join is not None or name in self.ignored:
            return join
        keys = {**{join.by: join.to for join in self.spec.joins.values()}, self.spec.key: self.spec.patient}
        keys = {**self.spec.keys, **keys}
        found = next((Join(to, by, by) for by, to in keys.items() if by in table.columns), None)
        if found is None:
            rows = sum(1 for _ in table.lines())
            message = f"this table is unknown and has no key of a patient: its {rows} rows are not read"
            self.remarks.append(Issue("information", "informational", message, "unmapped-field", name))
        return found

    def _depth(self, name: str) -> int:
        """How many joins away from the patient."""
        depth, known = 0, name in self.spec.joins
        while name in self.spec.joins:
            depth, name = depth + 1, self.spec.joins[name].to
        return depth if known else 99

    def _give_all(self) -> None:
        for name, lookup in self.spec.lookups.items():
            for row, span in self._lines(name):
                if (key := row.get(lookup.by)) is not None:
                    self.named[name].put(key, row.number, self._place(name, row), span)
        self._read_patients()
        for name, join in self.joins.items():
            self._give(name, join)

    def _lines(self, name: str) -> Iterator[tuple[Line, int]]:
        return self.tables[name].lines() if name in self.tables else iter(())

    def _place(self, name: str, row: Line) -> int:
        return self.numbers[name] * _NUMBER + row.number

    def _read_patients(self) -> None:
        name, count = self.spec.patient, 0
        for row, span in self._lines(name):
            key, place = row.get(self.spec.key), self._place(name, row)
            if key is None:
                owner = self._refused_apart(place, span)
                message = f"{self.spec.key} is missing: this is nobody's row"
                self._refuse(owner, _issue(self.tables[name], row, self.spec.key, "required", message))
                continue
            earlier = self.patients.get(key)
            if earlier is None:
                self.patients.put(key, count, place, span)
                count += 1
            else:
                self._again(row, earlier)
                self.patients.put(key, earlier.owner, place, span)
        for row, span in self._lines(name):
            counts = self.patients.get(row.get(self.spec.key) or "")
            if counts is not None and counts.place == self._place(name, row):
                self._own(name, row, counts.owner, -1, span)

    def _again(self, row: Line, found: Entry) -> None:
        """A second row with the same key: it takes the place of the first where both can be of one patient."""
        table, spec = self.tables[self.spec.patient], self.spec
        (earlier,) = table.load([(found.place % _NUMBER, found.span)])
        if spec.within and (row.get(spec.within) or "") != (earlier.get(spec.within) or ""):
            message = f"{spec.key} is the same as in another row whose {spec.within} differs: who is meant?"
            other = self._refused_apart(found.place, found.span)
            for owner, one in ((other, earlier), (found.owner, row)):
                self._refuse(owner, _issue(table, one, spec.key, "conflict", message, "data-conflict"))
            return
        place = f"{table.name} row {row.number}"
        message = f"a second row with this {spec.key} ({place}) takes the place of this one"
        self._say(found.owner, Issue("warning", "conflict", message, "duplicate", earlier.place("")))
        for name in spec.same:
            if row.get(name) and earlier.get(name) and row.get(name) != earlier.get(name):
                message = f"{name} differs from an earlier row with the same {spec.key}: who is meant?"
                self._refuse(found.owner, _issue(table, row, name, "conflict", message, "data-conflict"))

    def _give(self, name: str, join: Join) -> None:
        """Each row of the table to the patient of the row that it belongs to."""
        table = self.tables[name]
        to_patient = (join.to, join.key) == (self.spec.patient, self.spec.key)
        parents = self.patients if to_patient else self.keys[join.to, join.key]
        first = True
        for row, span in table.lines():
            if first and join.by not in table.columns:
                message = f"there is no column {join.by}: the rows of this table are nobody's"
                self.lost.append(Issue("error", "required", message, "malformed", f"{name} row 1"))
            first = False
            key = row.get(join.by)
            found = parents.get(key) if key is not None else None
            if found is None or key is None:
                self.given.add(_NOBODY, self._place(name, row), -1, span)
                continue
            self._own(name, row, found.owner, found.place, span)
            if found.several:
                self._contested(row, name, join, key, found)

    def _contested(self, row: Line, name: str, join: Join, key: str, found: Entry) -> None:
        """Its key is that of rows of different patients: all are refused, each at least for the first such row."""
        message = f"{join.by} of this row is that of rows of different patients in {join.to}"
        issue = _issue(self.tables[name], row, join.by, "conflict", message, "data-conflict")
        asked = f"{join.to} {join.key} {key}"
        if self.told.get(asked) is None:
            self.told.put(asked, 0)
            for owner in self.keys[join.to, join.key].owners(key):
                if owner != found.owner:
                    self._refuse(owner, issue)
        self._refuse(found.owner, issue)

    def _own(self, name: str, row: Line, owner: int, parent: int, span: int) -> None:
        place = self._place(name, row)
        self.given.add(owner, place, parent, span)
        for column, index in self.key_columns[name]:
            if (key := row.get(column)) is not None:
                index.put(key, owner, place, span)
        for other, lookup, column in self.lookup_columns[name]:
            if (key := row.get(column)) is None:
                continue
            found = self.named[other].get(key)
            if found is None:
                message = f"no row of {other} has this {column} as its {lookup.by}: what is said there is unknown"
                where = f"{name} row {row.number}, {column}"
                self._say(owner, Issue("warning", "not-found", message, "", where))
                continue
            self.links.add(owner, place, other, found.place, found.span)
            if found.several and self.told.get(asked := f"{owner} {other} {key}") is None:
                self.told.put(asked, 0)
                message = f"more than one row has this {lookup.by}: the last one counts"
                where = f"{other} row {found.owner}"
                self._say(owner, Issue("warning", "conflict", message, "duplicate", where))

    def _refused_apart(self, place: int, span: int) -> int:
        """A new owner of this row alone."""
        self.ended += 1
        self.given.add(_LAST + self.ended, place, -1, span)
        return _LAST + self.ended

    def _say(self, owner: int, issue: Issue, refused: int = 0) -> None:
        self.turn += 1
        self.said.add(owner, self.turn, refused, *astuple(issue))

    def _refuse(self, owner: int, issue: Issue) -> None:
        self._say(owner, issue, refused=1)

    # --- the second time: the rows of each owner --------------------------------------------------------------------
    def _assembled(self) -> Iterator[tuple[int, list[TableRow], list[Issue], bool]]:
        """Owner, her rows in order, what is to be said of her, and whether she is refused."""
        said, links = _Following(self.said), _Following(self.links)
        for batch in _batches(map(_Given._make, self.given)):
            linked = {part.owner: links.of(part.owner) for part in batch}
            rows = self._load(batch, linked)
            for part in batch:
                own = {one.place: rows[one.place] for one in part.given}
                for one in part.given:
                    rows[one.place].parent = rows.get(one.parent)
                for _, place, name, found, _ in linked.get(part.owner, ()):
                    if place in own:
                        rows[place].links = {**(rows[place].links or {}), name: rows[found]}
                        own[found] = rows[found]
                order = [own[place] for place in sorted(own)]
                yield part.owner, order, *self._said_of(part, order, said.of(part.owner))

    def _said_of(self, part: _Part, rows: Sequence[TableRow], said: Iterable[Item]) -> tuple[list[Issue], bool]:
        issues, refused = [], part.owner >= _NOBODY or not part.whole
        for _, _, refuses, *what in said:
            issues.append(Issue(*what))
            refused = refused or bool(refuses)
        if not part.whole and part.owner < _NOBODY:
            text = f"more than {MOST_ROWS} rows have the key of one patient: they are read as nobody's record"
            issues.append(Issue("error", "too-long", text, "malformed", rows[0].place("")))
        for row in rows:
            if row.ragged:
                issues.append(_ragged(row))
                refused = True
            if part.owner >= _NOBODY:
                issues.append(self._orphan(row))
        return issues, refused

    def _orphan(self, row: TableRow) -> Issue:
        join, table = self.joins[row.name], self.tables[row.name]
        if row.get(join.by) is None:
            return _issue(table, row, join.by, "required", f"{join.by} is missing: this is nobody's row")
        message = f"no row of {join.to} that belongs to a patient has this {join.by}: this is nobody's row"
        return _issue(table, row, join.by, "not-found", message)

    def _load(self, batch: Sequence[_Part], linked: Mapping[int, Sequence[Item]]) -> dict[int, TableRow]:
        """The rows of a batch by their places."""
        spans = {one.place: one.span for part in batch for one in part.given}
        spans.update((found, span) for items in linked.values() for *_, found, span in items)
        rows: dict[int, TableRow] = {}
        for number, places in groupby(sorted(spans), lambda place: place // _NUMBER):
            wanted = list(places)
            loaded = self.tables[self.names[number]].load([(place % _NUMBER, spans[place]) for place in wanted])
            rows.update(zip(wanted, loaded, strict=True))
        return rows


class _Part(NamedTuple):
    """The rows of one owner, or as many as are read at once; ``whole``: all of them."""

    owner: int
    given: list[_Given]
    whole: bool


def _batches(given: Iterable[_Given]) -> Iterator[list[_Part]]:
    """Parts that make about as many rows as are read at once."""
    batch: list[_Part] = []
    count = 0
    for part in _parts(given):
        batch.append(part)
        count += len(part.given)
        if count >= _BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _parts(given: Iterable[_Given]) -> Iterator[_Part]:
    for owner, items in groupby(given, lambda one: one.owner):
        whole = True
        rows: list[_Given] = []
        for item in items:
            if len(rows) == MOST_ROWS:
                whole = False
                yield _Part(owner, rows, whole)
                rows = []
            rows.append(item)
        yield _Part(owner, rows, whole)


class _Following:
    """Reads a sorter beside another one: what there is of each owner, in the order in which owners are asked for."""

    def __init__(self, sorter: Sorter) -> None:
        self._items = iter(sorter)
        self._next = next(self._items, None)

    def of(self, owner: int) -> list[Item]:
        found = []
        while self._next is not None and self._next[0] <= owner:
            if self._next[0] == owner:
                found.append(self._next)
            self._next = next(self._items, None)
        return found


def _issue(table: Table, row: Line, column: str, code: str, text: str, detail: str = "malformed") -> Issue:
    place = f"{table.name} row {row.number}"
    return Issue("error", code, text, detail, f"{place}, {column}" if column else place)


def _ragged(row: TableRow) -> Issue:
    text = f"{len(row.cells)} cells under {len(row.columns)} columns: what belongs where cannot be known"
    return Issue("error", "structure", text, "malformed", row.place(""))
