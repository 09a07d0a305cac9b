"""The first reading of a folder of tables: whose is each row?

Each row is given to an owner, through the keys of the rows that it belongs to. What is kept of it are numbers, in a
``Scratch``: on disk for a large folder.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from itertools import groupby, islice
from operator import itemgetter

from adapter.mapping.nodes import Join, Tables
from adapter.records import Issue
from adapter.sources.csv_files import Line, Table, TableRow, ragged_issue
from adapter.sources.parts import APART, NOBODY, PLACES, Given, Linked, Part
from adapter.sources.scratch import Entry, Index, Item, Scratch, Sorter

MOST_ROWS = 20_000
"""Of one record. Rows of nobody beyond that make another refused record; a patient with more is refused, in parts."""

_CHUNK = 500  # rows whose keys are looked up together


class Owners:
    """Gives each row of one folder to a patient."""

    def __init__(self, spec: Tables, tables: Sequence[Table], ignored: frozenset[str], scratch: Scratch) -> None:
        self.spec, self.ignored = spec, ignored
        self.tables = {table.name: table for table in tables}
        self.numbers = {name: number for number, name in enumerate(self.tables)}
        self.remarks = [issue for table in tables for issue in table.issues]  # said of every record
        self.joins = self._joins()
        self.given, self.links, self.said = scratch.sorter(4), scratch.sorter(5), scratch.sorter(8)
        self.patients, self.told = scratch.index(), scratch.index()
        self.keys: dict[tuple[str, str], Index] = {}
        for join in self.joins.values():
            if (join.to, join.key) != (spec.patient, spec.key):
                self.keys.setdefault((join.to, join.key), scratch.index())
        self.named = {name: scratch.index() for name in spec.lookups}
        self.lost: list[Issue] = []  # of tables whose rows are nobody's
        self.ended = self.turn = 0
        self.header = self._header()

    def parts(self) -> Generator[Part, None, None]:
        """One per patient in the order of the patients' table, then what is refused for itself, then nobody's rows."""
        for name, lookup in self.spec.lookups.items():
            index = self.named[name]
            for line in self._lines(name, [lookup.by]):
                if (key := line.texts[0]) is not None:
                    index.put(key, line.number, self._place(name, line), line.span)
        self._read_patients()
        for name, join in self.joins.items():
            self._give(name, join)
        yield from self._parts()

    def _parts(self) -> Iterator[Part]:
        said, links = _Following(self.said), _Following(self.links)
        anybody = nobody = False
        for owner, items in groupby(self.given, itemgetter(0)):
            issues, refused = [], owner >= NOBODY
            if owner >= NOBODY:
                issues, nobody = self._of_nobody(anybody), True
            anybody = anybody or owner < NOBODY
            for _, _, refuses, *what in said.of(owner):
                issues.append(Issue(*what))
                refused = refused or bool(refuses)
            linked = [Linked(*link) for _, *link in links.of(owner)]
            for given, whole in _pieces(items):
                yield Part(owner, given, whole, linked, issues, refused)
                linked, issues, refused = [], [], owner >= NOBODY
        if not nobody and (self.lost or not anybody):
            yield Part(NOBODY, [], True, [], self._of_nobody(anybody), True)

    def _of_nobody(self, anybody: bool) -> list[Issue]:
        if anybody:
            return [*self.lost]
        message = f"no patient: {self.spec.patient} has no row that can be used"
        return [*self.lost, Issue("error", "required", message, "malformed", self.spec.patient)]

    def _header(self) -> TableRow | None:
        table, found = self.tables.get(self.spec.header), None
        for line in table.lines([]) if table else ():
            if table is not None and found is None:
                (found,) = table.load([(line.number, line.span)])
                if found.ragged:
                    self.remarks.append(ragged_issue(found))
            elif table is not None:
                message = "a second header row: the first one counts"
                self.remarks.append(_issue(table, line, "", "structure", message, "duplicate"))
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
            rows = sum(1 for _ in table.lines([]))
            message = f"this table is unknown and has no key of a patient: its {rows} rows are not read"
            self.remarks.append(Issue("information", "informational", message, "unmapped-field", name))
        return found

    def _depth(self, name: str) -> int:
        """How many joins away from the patient."""
        depth, known = 0, name in self.spec.joins
        while name in self.spec.joins:
            depth, name = depth + 1, self.spec.joins[name].to
        return depth if known else 99

    def _lines(self, name: str, columns: Sequence[str]) -> Iterator[Line]:
        return self.tables[name].lines(columns) if name in self.tables else iter(())

    def _place(self, name: str, line: Line) -> int:
        return self.numbers[name] * PLACES + line.number

    def _read_patients(self) -> None:
        name, count = self.spec.patient, 0
        columns = (self.spec.key, self.spec.within, *self.spec.same)
        for lines in _chunks(self._lines(name, columns)):
            earlier = self.patients.get_all([key for line in lines if (key := line.texts[0]) is not None])
            for line in lines:
                key, place = line.texts[0], self._place(name, line)
                if key is None:
                    owner = self._refused_apart(place, line.span)
                    message = f"{self.spec.key} is missing: this is nobody's row"
                    self._refuse(owner, _issue(self.tables[name], line, self.spec.key, "required", message))
                    continue
                before = earlier.get(key)
                if before is None:
                    owner, count = count, count + 1
                else:
                    owner = before.owner
                    self._again(line, dict(zip(columns, line.texts, strict=True)), before)
                earlier[key] = Entry(owner, place, line.span, several=False)
                self.patients.put(key, owner, place, line.span)
        own = self._owning(name)
        for lines in _chunks(self._lines(name, (self.spec.key, *own.columns))):
            found = self.patients.get_all([key for line in lines if (key := line.texts[0]) is not None])
            for line in lines:
                counts = found.get(line.texts[0] or "")
                if counts is not None and counts.place == self._place(name, line):
                    own.add(line, line.texts[1:], counts.owner, -1)

    def _again(self, line: Line, texts: Mapping[str, str | None], found: Entry) -> None:
        """A second row with the same key: it takes the place of the first where both can be of one patient."""
        table, spec = self.tables[self.spec.patient], self.spec
        (earlier,) = table.load([(found.place % PLACES, found.span)])
        if spec.within and (texts[spec.within] or "") != (earlier.get(spec.within) or ""):
            message = f"{spec.key} is the same as in another row whose {spec.within} differs: who is meant?"
            other = self._refused_apart(found.place, found.span)
            for owner, one in ((other, earlier), (found.owner, line)):
                self._refuse(owner, _issue(table, one, spec.key, "conflict", message, "data-conflict"))
            return
        place = f"{table.name} row {line.number}"
        message = f"a second row with this {spec.key} ({place}) takes the place of this one"
        self.say(found.owner, Issue("warning", "conflict", message, "duplicate", earlier.place("")))
        for name in spec.same:
            if texts[name] and earlier.get(name) and texts[name] != earlier.get(name):
                message = f"{name} differs from an earlier row with the same {spec.key}: who is meant?"
                self._refuse(found.owner, _issue(table, line, name, "conflict", message, "data-conflict"))

    def _give(self, name: str, join: Join) -> None:
        """Each row of the table to the patient of the row that it belongs to."""
        table = self.tables[name]
        to_patient = (join.to, join.key) == (self.spec.patient, self.spec.key)
        parents = self.patients if to_patient else self.keys[join.to, join.key]
        own = self._owning(name)
        first = True
        for lines in _chunks(table.lines((join.by, *own.columns))):
            if first and join.by not in table.columns:
                message = f"there is no column {join.by}: the rows of this table are nobody's"
                self.lost.append(Issue("error", "required", message, "malformed", f"{name} row 1"))
            first = False
            found = parents.get_all([key for line in lines if (key := line.texts[0]) is not None])
            for line in lines:
                key = line.texts[0]
                parent = found.get(key) if key is not None else None
                if parent is None or key is None:
                    self.given.add(NOBODY, self._place(name, line), -1, line.span)
                    continue
                own.add(line, line.texts[1:], parent.owner, parent.place)
                if parent.several:
                    self._contested(line, name, join, key, parent)

    def _contested(self, line: Line, name: str, join: Join, key: str, found: Entry) -> None:
        """Its key is that of rows of different patients: all are refused, each at least for the first such row."""
        message = f"{join.by} of this row is that of rows of different patients in {join.to}"
        issue = _issue(self.tables[name], line, join.by, "conflict", message, "data-conflict")
        asked = f"{join.to} {join.key} {key}"
        if self.told.get(asked) is None:
            self.told.put(asked, 0)
            for owner in self.keys[join.to, join.key].owners(key):
                if owner != found.owner:
                    self._refuse(owner, issue)
        self._refuse(found.owner, issue)

    def _owning(self, name: str) -> _Owning:
        keys = [(column, index) for (to, column), index in self.keys.items() if to == name]
        lookups = [
            (other, lookup.by, lookup.of[name]) for other, lookup in self.spec.lookups.items() if name in lookup.of
        ]
        return _Owning(self, name, keys, lookups)

    def _refused_apart(self, place: int, span: int) -> int:
        """A new owner of this row alone."""
        self.ended += 1
        self.given.add(APART + self.ended, place, -1, span)
        return APART + self.ended

    def say_once(self, asked: str, owner: int, issue: Issue) -> None:
        """Where nothing was said under ``asked`` yet."""
        if self.told.get(asked) is None:
            self.told.put(asked, 0)
            self.say(owner, issue)

    def say(self, owner: int, issue: Issue, refused: int = 0) -> None:
        """Say it of the owner's record."""
        self.turn += 1
        self.said.add(owner, self.turn, refused, *astuple(issue))

    def _refuse(self, owner: int, issue: Issue) -> None:
        self.say(owner, issue, refused=1)


class _Owning:
    """Books rows of one table as somebody's: ``columns`` are those by which other rows belong to them, and those that
    name rows of lookup tables."""

    def __init__(
        self, owners: Owners, name: str, keys: Sequence[tuple[str, Index]], lookups: Sequence[tuple[str, str, str]]
    ) -> None:
        self._owners, self._name = owners, name
        self._given, self._first = owners.given, owners.numbers[name] * PLACES if name in owners.numbers else 0
        self._indexes = [index for _, index in keys]
        self._lookups = lookups
        self.columns = [*(column for column, _ in keys), *(column for *_, column in lookups)]

    def add(self, line: Line, texts: Sequence[str | None], owner: int, parent: int) -> None:
        place = self._first + line.number
        self._given.add(owner, place, parent, line.span)
        if not texts:
            return
        for index, key in zip(self._indexes, texts, strict=False):
            if key is not None:
                index.put(key, owner, place, line.span)
        for (other, by, column), key in zip(self._lookups, texts[len(self._indexes) :], strict=True):
            if key is None:
                continue
            found = self._owners.named[other].get(key)
            if found is None:
                message = f"no row of {other} has this {column} as its {by}: what is said there is unknown"
                where = f"{self._name} row {line.number}, {column}"
                self._owners.say(owner, Issue("warning", "not-found", message, "", where))
                continue
            self._owners.links.add(owner, place, other, found.place, found.span)
            if found.several:
                message = f"more than one row has this {by}: the last one counts"
                issue = Issue("warning", "conflict", message, "duplicate", f"{other} row {found.owner}")
                self._owners.say_once(f"{owner} {other} {key}", owner, issue)


def _chunks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while chunk := list(islice(lines, _CHUNK)):
        yield chunk


def _pieces(items: Iterable[Item]) -> Iterator[tuple[list[Given], bool]]:
    """The rows of one owner, as many as are read at once, and whether they are all."""
    whole, rows = True, list[Given]()
    for item in items:
        if len(rows) == MOST_ROWS:
            whole = False
            yield rows, whole
            rows = []
        rows.append(item[1:])
    yield rows, whole


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


def _issue(table: Table, row: Line | TableRow, column: str, code: str, text: str, detail: str = "malformed") -> Issue:
    place = f"{table.name} row {row.number}"
    return Issue("error", code, text, detail, f"{place}, {column}" if column else place)
