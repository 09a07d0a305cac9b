"""Whose is each row of a folder of tables?

Each row is given to an owner, through the keys of the rows that it belongs to, and put on the shelf of that owner and
some others: on disk for a large folder. The patients' table is read twice, every other one once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import astuple
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from adapter.mapping.nodes import Join, Tables
from adapter.records import Issue
from adapter.sources.csv_files import Line, Table, TableRow, ragged_issue
from adapter.sources.parts import APART, NOBODY, NOTHING, Given, Link, Part, Said, pieces
from adapter.sources.scratch import Entry, Index, Item, Scratch, Sorter

PART_BYTES = 160 * 1024
"""Of the folder, on average: the rows of as many patients are on one shelf, and make one part."""
_NOBODYS = Entry(NOBODY, -1, None, several=0)


class Owners:
    """Gives each row of one folder to a patient."""

    def __init__(self, spec: Tables, tables: Sequence[Table], ignored: frozenset[str], scratch: Scratch) -> None:
        self.spec, self.ignored, self.scratch = spec, ignored, scratch
        self.tables = {table.name: table for table in tables}
        self.numbers = {name: number for number, name in enumerate(self.tables)}
        self.remarks = [issue for table in tables for issue in table.issues]  # said of every record
        self.joins = self._joins()
        self.shelves, self.said = scratch.shelves(), scratch.sorter(8)
        self.patients, self.repeated, self.told = scratch.index(), scratch.index(), scratch.index()
        self.keys: dict[tuple[str, str], Index] = {}
        for join in self.joins.values():
            if (join.to, join.key) != (spec.patient, spec.key):
                self.keys.setdefault((join.to, join.key), scratch.index())
        self.named = {name: scratch.index() for name in spec.lookups}
        self.lost: list[Issue] = []  # of tables whose rows are nobody's
        self.width = 1  # owners of one shelf
        self.ended = self.turn = 0
        self.header = self._header()

    def parts(self) -> Generator[Part, None, None]:
        """Patients in the order of their table, then what is refused for itself, then nobody's rows.

        Raises Malformed, at any part, where a file was changed since it was opened.
        """
        for name, lookup in self.spec.lookups.items():
            for lines in self._chunks(name):
                keys = self._texts(name, lookup.by, lines)
                found = [(key, number, 0, cells) for (number, cells), key in zip(lines, keys, strict=True) if key]
                self.named[name].put_all(found)
        self._count_patients()
        self._give_patients()
        for name, join in self.joins.items():
            self._give(name, join)
        for part in self._parts():
            for table in self.tables.values():
                table.check()
            yield part

    def _parts(self) -> Iterator[Part]:
        shelves = self.shelves.numbers()
        nobodys = self._pieces(chain.from_iterable(self.shelves.each(shelf) for shelf in shelves if shelf >= NOBODY))
        patients = [shelf for shelf in shelves if shelf < NOBODY]
        cut = {shelf: self._pieces(self._in_order(shelf)) for shelf in patients if not self.shelves.fits(shelf)}
        following = _Following(self.said)
        for shelf in patients:
            said = following.before((shelf + 1) * self.width)
            if shelf not in cut:
                yield Part(self.shelves.kept(shelf), said)
            for owner, kept, whole in cut.get(shelf, ()):
                yield Part(kept, {owner: said.pop(owner, NOTHING)}, whole)
        of_nobody = {NOBODY: (self._of_nobody(bool(patients)), True)}
        for _, kept, whole in nobodys:
            yield Part(kept, of_nobody, whole)
            of_nobody = {}
        if not nobodys and (self.lost or not patients):
            yield Part(self.shelves.keep([]), of_nobody)

    def _in_order(self, shelf: int) -> Iterator[Given]:
        """The rows of a shelf that are too many to be loaded at once: some patient has very many."""
        with closing(self.scratch.shelves()) as narrow:
            for given in self.shelves.each(shelf):
                owner, table, *_ = given
                narrow.put(owner * len(self.tables) + table, *given)
            yield from chain.from_iterable(map(narrow.each, narrow.numbers()))

    def _pieces(self, rows: Iterator[Given]) -> list[tuple[int, Any, bool]]:
        """Of each owner as many rows as one record may have, as what they are kept under, and whether they are all."""
        return [
            (owner, self.shelves.keep(piece), whole)
            for owner, given in groupby(rows, itemgetter(0))
            for piece, whole in pieces(given)
        ]

    def _of_nobody(self, anybody: bool) -> list[Issue]:
        if anybody:
            return [*self.lost]
        message = f"no patient: {self.spec.patient} has no row that can be used"
        return [*self.lost, Issue("error", "required", message, "malformed", self.spec.patient)]

    def _header(self) -> TableRow | None:
        found = None
        for number, cells in chain.from_iterable(self._chunks(self.spec.header)):
            row = TableRow(self.spec.header, self.tables[self.spec.header].columns, number, cells)
            if found is None:
                found = row
                if found.ragged:
                    self.remarks.append(ragged_issue(found))
            else:
                message = "a second header row: the first one counts"
                self.remarks.append(_issue(row.place(""), "structure", message, "duplicate"))
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
            rows = sum(map(len, table.chunks()))
            message = f"this table is unknown and has no key of a patient: its {rows} rows are not read"
            self.remarks.append(Issue("information", "informational", message, "unmapped-field", name))
        return found

    def _depth(self, name: str) -> int:
        """How many joins away from the patient."""
        depth, known = 0, name in self.spec.joins
        while name in self.spec.joins:
            depth, name = depth + 1, self.spec.joins[name].to
        return depth if known else 99

    def _chunks(self, name: str) -> Iterator[Sequence[Line]]:
        return self.tables[name].chunks() if name in self.tables else iter(())

    def _texts(self, name: str, column: str, lines: Sequence[Line]) -> list[str]:
        """What stands in a column of these rows, "" where there is nothing."""
        at = self.tables[name].columns.get(column)
        if at is None:
            return [""] * len(lines)
        try:
            return [cells[at].strip() for _, cells in lines]
        except IndexError:
            return [cells[at].strip() if at < len(cells) else "" for _, cells in lines]

    def _count_patients(self) -> None:
        """Number them; of several rows with one key, the last one counts."""
        name, count = self.spec.patient, 0
        for lines in self._chunks(name):
            keys = self._texts(name, self.spec.key, lines)
            known = self.patients.get_all(filter(None, keys))
            found: dict[str, tuple[int, int]] = {}
            for (number, _), key in zip(lines, keys, strict=True):
                if not key:
                    continue
                before = known[key].owner if key in known else found[key][0] if key in found else None
                if before is not None:
                    self.repeated.put(key, before)
                else:
                    before, count = count, count + 1
                found[key] = before, number
            self.patients.put_all([(key, owner, number, None) for key, (owner, number) in found.items()])
        size = sum(table.size for table in self.tables.values())
        self.width = max(1, count // (size // PART_BYTES + 1))

    def _give_patients(self) -> None:
        name = self.spec.patient
        own = _Owning(self, name)
        for lines in self._chunks(name):
            keys = self._texts(name, self.spec.key, lines)
            found = self.patients.get_all(filter(None, keys))
            repeated = self.repeated.get_all(filter(None, keys))
            latest: dict[str, Entry] = {}  # of the repeated ones, the row before this one
            counts: list[Entry | None] = []
            for (number, cells), key in zip(lines, keys, strict=True):
                entry = found.get(key)
                if not key:
                    owner = self._refused_apart(number, cells)
                    message = f"{self.spec.key} is missing: this is nobody's row"
                    self._refuse(owner, _issue(f"{name} row {number}, {self.spec.key}", "required", message))
                elif key in repeated:
                    row = TableRow(name, self.tables[name].columns, number, cells)
                    earlier = latest.get(key, repeated[key])
                    if earlier.place:
                        self._again(row, TableRow(name, row.columns, earlier.place, earlier.kept), earlier.owner)
                    latest[key] = Entry(earlier.owner, number, cells, several=0)
                counts.append(Entry(entry.owner, -1, None, several=0) if entry and entry.place == number else None)
            self.repeated.put_all([(key, *entry[:3]) for key, entry in latest.items()])
            own.book(lines, keys, counts)

    def _again(self, row: TableRow, earlier: TableRow, owner: int) -> None:
        """A second row with the same key: it takes the place of the first where both can be of one patient."""
        spec = self.spec
        if spec.within and (row.get(spec.within) or "") != (earlier.get(spec.within) or ""):
            message = f"{spec.key} is the same as in another row whose {spec.within} differs: who is meant?"
            other = self._refused_apart(earlier.number, earlier.cells)
            for refused, one in ((other, earlier), (owner, row)):
                self._refuse(refused, _issue(one.place(spec.key), "conflict", message, "data-conflict"))
            return
        message = f"a second row with this {spec.key} ({row.place('')}) takes the place of this one"
        self.say(owner, Issue("warning", "conflict", message, "duplicate", earlier.place("")))
        for name in spec.same:
            if row.get(name) and earlier.get(name) and row.get(name) != earlier.get(name):
                message = f"{name} differs from an earlier row with the same {spec.key}: who is meant?"
                self._refuse(owner, _issue(row.place(name), "conflict", message, "data-conflict"))

    def _give(self, name: str, join: Join) -> None:
        """Each row of the table to the patient of the row that it belongs to."""
        to_patient = (join.to, join.key) == (self.spec.patient, self.spec.key)
        parents = self.patients if to_patient else self.keys[join.to, join.key]
        own = _Owning(self, name, join)
        for lines in self._chunks(name):
            keys = self._texts(name, join.by, lines)
            found = parents.get_all(filter(None, keys))
            own.book(lines, keys, [found.get(key, _NOBODYS) for key in keys])
        if own.any and join.by not in self.tables[name].columns:
            message = f"there is no column {join.by}: the rows of this table are nobody's"
            self.lost.append(Issue("error", "required", message, "malformed", f"{name} row 1"))

    def contested(self, place: str, join: Join, key: str, owner: int) -> None:
        """Its key is that of rows of different patients: all are refused, each at least for the first such row."""
        message = f"{join.by} of this row is that of rows of different patients in {join.to}"
        issue = _issue(f"{place}, {join.by}", "conflict", message, "data-conflict")
        asked = f"{join.to} {join.key} {key}"
        if self.told.get(asked) is None:
            self.told.put(asked, 0)
            for other in self.keys[join.to, join.key].owners(key):
                if other != owner:
                    self._refuse(other, issue)
        self._refuse(owner, issue)

    def _refused_apart(self, number: int, cells: Sequence[str]) -> int:
        """A new owner of this row of the patients' table alone."""
        self.ended += 1
        owner = APART + self.ended
        self.shelves.put(owner // self.width, owner, self.numbers[self.spec.patient], number, -1, cells, None)
        return owner

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
    """Books rows of one table as somebody's, with their keys, by which other rows belong to them, and the rows of
    lookup tables that they name."""

    def __init__(self, owners: Owners, name: str, join: Join | None = None) -> None:
        self._owners, self._name, self._join = owners, name, join
        self._keys = [(column, index) for (to, column), index in owners.keys.items() if to == name]
        self._lookups = [
            (other, lookup.by, lookup.of[name]) for other, lookup in owners.spec.lookups.items() if name in lookup.of
        ]
        self.any = False

    def book(self, lines: Sequence[Line], keys: Sequence[str], found: Sequence[Entry | None]) -> None:
        """Each row to the owner that was found under its key, as a row of the one at that place; None: to no one."""
        owners, put, width = self._owners, self._owners.shelves.put, self._owners.width
        table = owners.numbers.get(self._name, -1)
        links: Sequence[Link] | None = None
        for (number, cells), key, entry in zip(lines, keys, found, strict=True):
            if entry is None:
                continue
            owner, parent, _, several = entry
            if owner >= NOBODY:
                put(NOBODY + table, owner, table, number, -1, cells, None)
                continue
            if self._lookups:
                links = self._links(TableRow(self._name, owners.tables[self._name].columns, number, cells), owner)
            put(owner // width, owner, table, number, parent, cells, links)
            if several and self._join is not None:
                owners.contested(f"{self._name} row {number}", self._join, key, owner)
        for column, index in self._keys:
            texts = owners._texts(self._name, column, lines)
            given = zip(lines, texts, found, strict=True)
            puts = [(text, by.owner, n, None) for (n, _), text, by in given if text and by and by.owner < NOBODY]
            index.put_all(puts)
        self.any = self.any or bool(lines)

    def _links(self, row: TableRow, owner: int) -> list[Link]:
        """The rows of other tables that it names."""
        owners, links = self._owners, []
        for other, by, column in self._lookups:
            key = row.get(column)
            if key is None:
                continue
            found = owners.named[other].get(key)
            if found is None:
                message = f"no row of {other} has this {column} as its {by}: what is said there is unknown"
                owners.say(owner, Issue("warning", "not-found", message, "", row.place(column)))
                continue
            links.append((owners.numbers[other], found.owner, found.kept))
            if found.several:
                message = f"more than one row has this {by}: the last one counts"
                issue = Issue("warning", "conflict", message, "duplicate", f"{other} row {found.owner}")
                owners.say_once(f"{owner} {other} {key}", owner, issue)
        return links


class _Following:
    """What is said of owners, who are asked for in their order."""

    def __init__(self, sorter: Sorter) -> None:
        self._items: Iterator[Item] = iter(sorter)
        self._next = next(self._items, None)

    def before(self, owner: int) -> dict[int, Said]:
        """Of those before this one, and not yet asked for."""
        issues: dict[int, list[Issue]] = {}
        refused = set[int]()
        while self._next is not None and self._next[0] < owner:
            of, _, refuses, *what = self._next
            issues.setdefault(of, []).append(Issue(*what))
            if refuses:
                refused.add(of)
            self._next = next(self._items, None)
        return {of: (said, of in refused) for of, said in issues.items()}


def _issue(place: str, code: str, text: str, detail: str = "malformed") -> Issue:
    return Issue("error", code, text, detail, place)
