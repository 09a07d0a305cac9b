"""Whose is each row of a folder of tables?

Each row is given to an owner, through the keys of the rows that it belongs to, and put on the shelf of that owner and
some others: on disk for a large folder. The patients' table is read twice, every other one once.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import fields
from itertools import chain, compress, groupby, repeat
from operator import attrgetter, itemgetter
from typing import Any

from adapter.mapping.nodes import Join, Tables
from adapter.records import Issue
from adapter.sources.csv_files import Lines, Table, TableRow, ragged_issue
from adapter.sources.following import ONCE, REFUSES, Following
from adapter.sources.joins import joins_of
from adapter.sources.parents import Answer, Asking, Held, Parents, entry, numbers_of, owners_of
from adapter.sources.parts import APART, NOBODY, NOTHING, Given, Link, Part, pieces
from adapter.sources.scratch import Scratch
from adapter.sources.shelves import Shelves

PART_BYTES = 160 * 1024
"""Of the folder, on average: the rows of as many patients are on one shelf, and make one part."""
_RUN = 10  # of a shelf that is sorted for itself: so many bits of the rows' numbers
_TURN = 40
_saying = attrgetter(*(field.name for field in fields(Issue)))


class Owners:
    """Gives each row of one folder to a patient."""

    def __init__(self, spec: Tables, tables: Sequence[Table], ignored: frozenset[str], scratch: Scratch) -> None:
        self.spec, self.scratch = spec, scratch
        self.tables = {table.name: table for table in tables}
        self.numbers = {name: number for number, name in enumerate(self.tables)}
        self.remarks = [issue for table in tables for issue in table.issues]  # said of every record
        self.joins = joins_of(spec, self.tables, ignored, self.remarks)
        self.shelves, self.said = scratch.shelves(), scratch.sorter(8)
        self.repeated, self.told = scratch.index(), scratch.index()
        self.patients = scratch.parents(first=True)
        self.keys: dict[tuple[str, str], Parents] = {}
        for join in self.joins.values():
            if (join.to, join.key) != (spec.patient, spec.key):
                self.keys.setdefault((join.to, join.key), scratch.parents())
        self.named = {name: scratch.index() for name in spec.lookups}
        self.lost: list[Issue] = []  # of tables whose rows are nobody's
        self.width = 1  # owners of one shelf
        self.ended = self.turn = 0
        self.repeats = False
        self.header = self._header()

    def parts(self) -> Generator[Part, None, None]:
        """Patients in the order of their table, then what is refused for itself, then nobody's rows.

        Raises Malformed, at any part, where a file was changed since it was opened.
        """
        for name, lookup in self.spec.lookups.items():
            for numbers, cells in self._chunks(name):
                keys = self._texts(name, lookup.by, cells)
                rows = zip(keys, numbers, repeat(0), cells, strict=False)
                self.named[name].put_all([row for row in rows if row[0]])
        self._count_patients()
        self._give_patients()
        joins = [*self.joins.values()]
        for turn, (name, join) in enumerate(self.joins.items(), 1):
            self._give(name, join, turn << _TURN)
            if all((join.to, join.key) != (other.to, other.key) for other in joins[turn:]):
                self._parents(join).close()
        for part in self._parts():
            for table in self.tables.values():
                table.check()
            yield part

    def _parts(self) -> Iterator[Part]:
        shelves = self.shelves.numbers()
        nobodys = self._pieces(_sorted(self.shelves, [shelf for shelf in shelves if shelf >= NOBODY]))
        patients = [shelf for shelf in shelves if shelf < NOBODY]
        cut = {shelf: self._pieces(self._in_order(shelf)) for shelf in patients if not self.shelves.fits(shelf)}
        following = Following(self.said)
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
                owner, table, number, *_ = given
                narrow.put((owner * len(self.tables) + table << _TURN) + (number >> _RUN), given)
            yield from _sorted(narrow, narrow.numbers())

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
        lines = (zip(*some, strict=True) for some in self._chunks(self.spec.header))
        for number, cells in chain.from_iterable(lines):
            row = TableRow(self.spec.header, self.tables[self.spec.header].columns, number, cells)
            if found is None:
                found = row
                if found.ragged:
                    self.remarks.append(ragged_issue(found))
            else:
                message = "a second header row: the first one counts"
                self.remarks.append(_issue(row.place(""), "structure", message, "duplicate"))
        return found

    def _chunks(self, name: str) -> Iterator[Lines]:
        return self.tables[name].chunks() if name in self.tables else iter(())

    def _texts(self, name: str, column: str, rows: Sequence[Sequence[str]]) -> list[str]:
        """What stands in a column of these rows, "" where there is nothing."""
        at = self.tables[name].columns.get(column)
        if at is None:
            return [""] * len(rows)
        try:
            return [cells[at].strip() for cells in rows]
        except IndexError:
            return [cells[at].strip() if at < len(cells) else "" for cells in rows]

    def _count_patients(self) -> None:
        """Number them by their first row; of several rows with one key, the last one counts."""
        name, count = self.spec.patient, 0
        for numbers, rows in self._chunks(name):
            keys = self._texts(name, self.spec.key, rows)
            filled = list(compress(numbers, keys))
            self.patients.put_all(list(filter(None, keys)), list(map(entry, range(count, count + len(filled)), filled)))
            count += len(filled)
        for key, first, last in self.patients.repeated():
            self.repeats = True
            self.repeated.put(key, first, 0, [last])
        size = sum(table.size for table in self.tables.values())
        self.width = max(1, count // (size // PART_BYTES + 1))

    def _give_patients(self) -> None:
        name, owner = self.spec.patient, 0
        own = _Owning(self, name)
        for numbers, rows in self._chunks(name):
            keys = self._texts(name, self.spec.key, rows)
            if self.repeats or "" in keys:
                found = self._counting(numbers, rows, keys, owner)
            else:
                found = list(map(entry, range(owner, owner + len(keys)), repeat(0)))
            owner += len(keys) - keys.count("")
            own.book(Answer(numbers, keys, self.shelves.pack(rows), found, Held(first=True)), rows)

    def _counting(
        self, numbers: Sequence[int], rows: Sequence[Sequence[str]], keys: Sequence[str], owner: int
    ) -> list[int | None]:
        """Whose each row is: no one's where it has no key, or where a later one with its key counts."""
        name, columns = self.spec.patient, self.tables[self.spec.patient].columns
        repeated = self.repeated.get_all(filter(None, keys))
        latest: dict[str, tuple[int, int, list[Any]]] = {}  # of the repeated ones, the row before this one
        found: list[int | None] = []
        for number, cells, key in zip(numbers, rows, keys, strict=True):
            self.turn = number
            if not key:
                apart = self._refused_apart(number, cells)
                message = f"{self.spec.key} is missing: this is nobody's row"
                self._refuse(apart, _issue(f"{name} row {number}, {self.spec.key}", "required", message))
                found.append(None)
                continue
            known = latest.get(key) or (repeated[key][:3] if key in repeated else None)
            if known is None:
                found.append(entry(owner, 0))
            else:
                first, place, (last, *before) = known
                if place:
                    self._again(TableRow(name, columns, number, cells), TableRow(name, columns, place, before), first)
                latest[key] = first, number, [last, *cells]
                found.append(entry(first, 0) if number == last else None)
            owner += 1
        self.repeated.put_all([(key, *known) for key, known in latest.items()])
        return found

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

    def _give(self, name: str, join: Join, turn: int) -> None:
        """Each row of the table to the patient of the row that it belongs to."""
        parents = self._parents(join)
        own = _Owning(self, name, None if parents is self.patients else join, turn)
        for answer in parents.answer(self._asking(name, join.by)):
            own.book(answer)
        if own.any and join.by not in self.tables[name].columns:
            message = f"there is no column {join.by}: the rows of this table are nobody's"
            self.lost.append(Issue("error", "required", message, "malformed", f"{name} row 1"))

    def _parents(self, join: Join) -> Parents:
        return self.keys.get((join.to, join.key), self.patients)

    def _asking(self, name: str, by: str) -> Iterator[Asking]:
        for numbers, rows in self._chunks(name):
            yield numbers, self._texts(name, by, rows), self.shelves.pack(rows)

    def contested(self, place: str, join: Join, key: str, owner: int, several: Collection[int]) -> None:
        """Its key is that of rows of different patients: all are refused, each at least for the first such row."""
        message = f"{join.by} of this row is that of rows of different patients in {join.to}"
        issue = _issue(f"{place}, {join.by}", "conflict", message, "data-conflict")
        asked = f"{join.to} {join.key} {key}"
        if self.told.get(asked) is None:
            self.told.put(asked, 0)
            for other in several:
                if other != owner:
                    self._refuse(other, issue)
        self._refuse(owner, issue)

    def _refused_apart(self, number: int, cells: Sequence[str]) -> int:
        """A new owner of this row of the patients' table alone."""
        self.ended += 1
        owner = APART + self.ended
        self.shelves.put(owner // self.width, (owner, self.numbers[self.spec.patient], number, -1, cells, None))
        return owner

    def say_once(self, asked: str, owner: int, issue: Issue) -> None:
        """Where nothing was said under ``asked`` at an earlier turn."""
        before = self.told.get(asked)
        if before is None or self.turn < before.place:
            self.told.put(asked, 0, self.turn)
            self.say(owner, issue, ONCE)

    def say(self, owner: int, issue: Issue, how: int = 0) -> None:
        """Say it of the owner's record, at the turn of the row that is looked at."""
        self.said.add(owner, self.turn, how, *_saying(issue))

    def _refuse(self, owner: int, issue: Issue) -> None:
        self.say(owner, issue, REFUSES)


class _Owning:
    """Books rows of one table as somebody's, with their keys, by which other rows belong to them, and the rows of
    lookup tables that they name."""

    def __init__(self, owners: Owners, name: str, join: Join | None = None, turn: int = 0) -> None:
        self._owners, self._name, self._join, self._turn = owners, name, join, turn
        self._keys = [(column, index) for (to, column), index in owners.keys.items() if to == name]
        self._lookups = [
            (other, lookup.by, lookup.of[name]) for other, lookup in owners.spec.lookups.items() if name in lookup.of
        ]
        self.any = False

    def book(self, answer: Answer, rows: Sequence[Sequence[str]] = ()) -> None:
        """Each row to the owner who was found; ``rows``: their cells, where they are at hand. None: to no one."""
        owners, shelves = self._owners, self._owners.shelves
        table = owners.numbers.get(self._name, -1)
        self.any = self.any or bool(answer.numbers)
        numbers, keys, packed, found, held = answer
        if -1 in found or None in found:
            lost = [one == -1 for one in found]
            nobodys = list(compress(numbers, lost))
            places = [NOBODY + (table << _TURN) + (number >> _RUN) for number in nobodys]
            shelves.put_all(places, table, repeat(NOBODY), nobodys, repeat(-1), list(compress(packed, lost)))
            kept = [one is not None and one >= 0 for one in found]
            numbers, keys, packed, rows = (list(compress(some, kept)) for some in (numbers, keys, packed, rows))
        entries = [one for one in found if one is not None and one >= 0]
        whose = owners_of(entries)
        if not rows and (self._keys or self._lookups):
            rows = list(map(shelves.unpack, packed))
        links: Iterable[Sequence[Link] | None] = repeat(None)
        if self._lookups:
            columns = owners.tables[self._name].columns
            links = [
                self._links(TableRow(self._name, columns, number, cells), owner)
                for number, cells, owner in zip(numbers, rows, whose, strict=True)
            ]
        parents = numbers_of(entries) if self._turn else repeat(-1)
        width = owners.width
        shelves.put_all([owner // width for owner in whose], table, whose, numbers, parents, packed, links)
        if self._join is not None and held.several:
            for number, key, owner in zip(numbers, keys, whose, strict=True):
                if others := held.owners(key):
                    owners.turn = self._turn + number
                    owners.contested(f"{self._name} row {number}", self._join, key, owner, others)
        for column, index in self._keys:
            texts = owners._texts(self._name, column, rows)
            index.put_all(texts, list(map(entry, whose, numbers)))

    def _links(self, row: TableRow, owner: int) -> list[Link]:
        """The rows of other tables that it names."""
        owners, links = self._owners, []
        owners.turn = self._turn + row.number
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


def _sorted(shelves: Shelves, numbers: Sequence[int]) -> Iterator[Given]:
    """Of shelves each of which has few rows."""
    return chain.from_iterable(sorted(shelves.each(number), key=itemgetter(0, 1, 2)) for number in numbers)


def _issue(place: str, code: str, text: str, detail: str = "malformed") -> Issue:
    return Issue("error", code, text, detail, place)
