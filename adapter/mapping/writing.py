"""Writes many records of tables at once, as lines of FHIR: what ``Mapping.run`` makes of each, much faster.

The rows of a table are looked at column by column. Those that are seen alike are written by one plan, and nothing is
made of them but text. A record that is in any way unusual is left to ``Mapping.run``: whose rows have no plan yet, of
which something is to be said, or in which two resources have one id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, islice, repeat
from typing import Protocol, TypeVar

import orjson

from adapter.fhir.ids import stable_ids
from adapter.fhir.profiles import with_profile
from adapter.mapping.compile import Resolve
from adapter.mapping.coverage import Accounts, Shape
from adapter.mapping.dates import converter
from adapter.mapping.lines import UNFIT, Encoder, Line, OwnId, Written
from adapter.mapping.looking import Ids, Look, Rows
from adapter.mapping.nodes import Program
from adapter.mapping.plan import Finished, Plan, Plans, Touch
from adapter.mapping.sight import CannotBeSeen, Slot
from adapter.mapping.state import Run
from adapter.mapping.trace import Link, Trace
from adapter.sources.csv_files import TableRow
from adapter.sources.model import Row, SourceRecord

_BUNDLE = with_profile({"resourceType": "Bundle", "type": "collection", "entry": [None]})
_HEAD, _TAIL = orjson.dumps(_BUNDLE, option=orjson.OPT_APPEND_NEWLINE).decode().split("null")
_ID = slice(len('{"fullUrl":"urn:uuid:'), len('{"fullUrl":"urn:uuid:') + 36)
_SHAPES = 4096  # that are remembered
T = TypeVar("T", bound=Hashable)
Numbers = Sequence[int]
"""Rows of a table, by their place among those of it."""
Key = tuple[str, Hashable, Touch | None, tuple[Touch, ...]]
"""A table, which of its columns are filled, and what becomes of the fields: by its own plan, and by those of others."""


class Counted(Protocol):
    """Where it is added up what became of the fields."""

    def knows(self, shape: Shape) -> bool:
        """Whether no more is to be told of rows of this shape than how many there are."""
        ...

    def count(self, shape: Shape, times: int) -> None: ...


def writer(program: Program, resolve: Resolve, accounts: Accounts) -> Writer | None:
    """None for a mapping that is not one for tables, or one of whose tables cannot be seen."""
    tables = program.tables
    if tables is None or tables.rows or tables.format.lists:
        return None
    if any(not block.for_each or block.id is None for block in program.blocks):
        return None
    try:
        return Writer(program, resolve, accounts)
    except CannotBeSeen:
        return None


class Writer:
    """Keeps the plans of a mapping's tables, and what was read of texts. For one thread."""

    def __init__(self, program: Program, resolve: Resolve, accounts: Accounts) -> None:
        self.blocks = [(block.name, block.for_each) for block in program.blocks]
        self.accounts = accounts
        self.plans: dict[str, Plans] = {}
        for table in dict.fromkeys([each for _, each in self.blocks] + [one.for_each for one in program.remarks]):
            blocks = [block for block in program.blocks if block.for_each == table]
            remarks = [remark for remark in program.remarks if remark.for_each == table]
            self.plans[table] = Plans(table, blocks, remarks, resolve)
        self.shapes: dict[Key, Shape] = {}
        self._encoders: dict[tuple[str, str], Encoder] = {}

    def lines(self, records: Sequence[SourceRecord], uses: Counted, *, saying: bool) -> list[bytes | None]:
        """The line of each record, None for those that are to be made one by one.

        What became of the fields of the others is added to ``uses``. ``saying``: it is wanted what is to be said of a
        record; of those that are written here there is nothing.
        """
        return _Batch(self, records, saying=saying).lines(uses)

    def encoder(self, type_name: str, primitive: str) -> Encoder:
        found = self._encoders.get((type_name, primitive))
        if found is None:
            found = self._encoders[type_name, primitive] = Encoder(type_name, primitive)
        return found


class _Batch:
    """Some records that are written together. ``left`` are those that are not written here, by their number."""

    def __init__(self, writer: Writer, records: Sequence[SourceRecord], *, saying: bool) -> None:
        self.writer, self.records, self.saying = writer, records, saying
        self.left = {at for at, record in enumerate(records) if not _is_plain(record) or (saying and record.issues)}
        self.tables: dict[str, Rows] = {}
        for at, record in enumerate(records):
            if at not in self.left:
                for name, rows in record.rows.items():
                    table = self.tables.get(name)
                    if table is None:
                        table = self.tables[name] = Rows()
                    table.all += rows  # type: ignore[arg-type]  # _is_plain
                    table.of += [at] * len(rows)
        self.looks = {
            name: Look(plans.view, self.tables) for name, plans in writer.plans.items() if name in self.tables
        }
        self.groups: dict[str, list[tuple[Plan, Numbers]]] = {}  # rows that are seen alike
        self.ids: dict[str, list[str]] = {}  # by block, for each row of its table, "" for none
        self.written: dict[str, list[str]] = {}  # the same: the entry of its resource
        self.finished: dict[str, list[Finished | None]] = {}

    def lines(self, uses: Counted) -> list[bytes | None]:
        for name in self.looks:
            self._decide(name)
        by_row: Ids = {
            block: dict(zip(self.tables[table].all, self.ids[block], strict=True))
            for block, table in self.writer.blocks
            if block in self.ids
        }
        for name in self.looks:
            self._write(name, by_row)
        shapes = self._shapes(uses)
        lines = self._joined()
        for name, found in shapes.items():
            of = self.tables[name].of
            counted = (
                [shape for shape, at in zip(found, of, strict=True) if at not in self.left] if self.left else found
            )
            for shape, times in Counter(counted).items():
                uses.count(shape, times)
        return lines

    def _leave(self, name: str, rows: Iterable[int]) -> None:
        of = self.tables[name].of
        self.left.update([of[at] for at in rows])

    def _trace(self, name: str, at: int, ids: Ids) -> Trace:
        trace = Trace(self.records[self.tables[name].of[at]], self.looks[name].views(at))
        trace.instances = {
            (block, row): f"urn:uuid:{one}" for block, own in ids.items() for row, one in own.items() if one
        }
        return trace

    def _decide(self, name: str) -> None:
        """Which blocks hold for the rows of a table, and the ids of their resources."""
        look, table, plans = self.looks[name], self.tables[name], self.writer.plans[name]
        for block in plans.names:
            self.ids[block] = [""] * len(table.all)
        groups = self.groups[name] = []
        owners = [self.records[at].patient_key for at in table.of]
        for seen, rows in _grouped(look.alike).items():
            plan = plans.of(seen, len(rows), partial(self._trace, name, rows[0], {}))
            if plan is None or (plan.says and self.saying):
                self._leave(name, rows)
                continue
            groups.append((plan, rows))
            for number, parts in plan.decided:
                block = plans.names[number]
                ends = [repeat(part) if isinstance(part, str) else _parts(look, part, rows) for part in parts]
                paths = map("/".join, zip(_of(owners, rows), repeat(block), *ends, strict=False))
                _put(self.ids[block], rows, stable_ids(paths))

    def _write(self, name: str, ids: Ids) -> None:
        """The entries of a table's resources."""
        look, plans, count = self.looks[name], self.writer.plans[name], len(self.tables[name].all)
        self.finished[name] = [None] * count
        for block in plans.names:
            self.written[block] = [""] * count
        links = _Links(look.links(ids), look.links_below(ids), count)
        for plan, rows in self.groups[name]:
            for there, some in _grouped(_of(links.there, rows)).items():
                self._fill(name, plan, there, [rows[at] for at in some], links, ids)

    def _fill(self, name: str, plan: Plan, there: tuple[bool, ...], rows: Numbers, links: _Links, ids: Ids) -> None:
        """Of rows that are seen alike and from which the same references lead."""
        look, plans = self.looks[name], self.writer.plans[name]

        def texts(number: int, slot: OwnId | Written | Link, rows: Numbers) -> Sequence[str]:
            match slot:
                case OwnId():
                    return _of(self.ids[plans.names[number]], rows)
                case Link(at):
                    return links.to(at, rows)
                case Written(place, primitive):
                    encoder = self.writer.encoder(place.type, primitive)
                    return list(map(encoder.__getitem__, _texts(look, place, rows)))

        def fits(number: int, line: Line) -> bool:
            return line.is_valid(tuple(texts(number, slot, rows[:1])[0] for slot in line.slots))

        finished = plans.finished(plan, there, partial(self._trace, name, rows[0], ids), fits)
        if finished is None or (finished.says and self.saying):
            self._leave(name, rows)
            return
        for number, line in finished.lines:
            columns = [texts(number, slot, rows) for slot in line.slots]
            for found in columns:
                if UNFIT in found:
                    self._leave(name, [at for at, text in zip(rows, found, strict=True) if text == UNFIT])
            written = map(line.form.__mod__, zip(*columns, strict=True))
            _put(self.written[plans.names[number]], rows, written)
        _put(self.finished[name], rows, repeat(finished))

    def _shapes(self, uses: Counted) -> dict[str, list[Shape]]:
        """The shape of each row. A record of which something is to be told or said is left."""
        touched: dict[Row, tuple[Touch, ...]] = {}
        for name, finishing in self.finished.items():
            for at, finished in enumerate(finishing):
                if finished is not None and finished.others:
                    looked = self.looks[name].looked(at)
                    for role, touch in finished.others:
                        row = looked[role]
                        if row is not None:
                            touched[row] = (*touched.get(row, ()), touch)
        return {name: self._shapes_of(name, touched, uses) for name in self.tables}

    def _shapes_of(self, name: str, touched: Mapping[Row, tuple[Touch, ...]], uses: Counted) -> list[Shape]:
        table, shapes = self.tables[name], self.writer.shapes
        finished = self.finished.get(name, [None] * len(table.all))
        own = [each.own if each is not None else None for each in finished]
        others = [touched.get(row, ()) for row in table.all] if touched else repeat(())
        keys: list[Key] = list(zip(repeat(name), table.filled(), own, others, strict=False))
        if len(shapes) >= _SHAPES:
            shapes.clear()
        different = set(keys)
        for key in different:
            shape = shapes.get(key) or shapes.setdefault(key, self._shape(name, keys.index(key), key))
            if not uses.knows(shape) or (self.saying and shape.unread):
                self._leave(name, [at for at, other in enumerate(keys) if other == key])
        return [shapes[key] for key in keys] if len(different) > 1 else [shape] * len(keys)

    def _shape(self, name: str, at: int, key: Key) -> Shape:
        table, (_, _, own, others) = self.tables[name], key
        run = Run(self.records[table.of[at]])
        for touch in (*([own] if own else ()), *others):
            run.touch(table.all[at], touch.mapped, touch.fates)
        return self.writer.accounts.shape(run, table.all[at])

    def _joined(self) -> list[bytes | None]:
        """The line of each record, of the entries of its rows in the order of the blocks."""
        entries: list[list[str]] = [[] for _ in self.records]
        for block, table in self.writer.blocks:
            if block in self.written:
                for at, text in zip(self.tables[table].of, self.written[block], strict=True):
                    if text:
                        entries[at].append(text)
        lines: list[bytes | None] = []
        ids = list(filter(None, chain.from_iterable(self.ids.values())))
        all_differ = len(set(ids)) == len(ids)
        for at, found in enumerate(entries):
            if at in self.left or not found or not (all_differ or len({entry[_ID] for entry in found}) == len(found)):
                self.left.add(at)
                lines.append(None)
            else:
                lines.append(f"{_HEAD}{','.join(found)}{_TAIL}".encode())
        return lines


class _Links:
    """The ids of the resources to which references lead from each row, and which of them are ``there``."""

    def __init__(self, own: list[list[str]], below: list[list[str]] | None, count: int) -> None:
        self._own, self._below = own, below
        self.there: list[tuple[bool, ...]] = [()] * count
        if own:
            self.there = list(zip(*[map(bool, led) for led in own], strict=True))
        if below is not None:
            self.there = [(*one, *map(bool, led)) for one, led in zip(self.there, below, strict=True)]

    def to(self, at: int, rows: Numbers) -> Sequence[str]:
        """The ``at``-th, from these rows."""
        if at < len(self._own):
            return _of(self._own[at], rows)
        assert self._below is not None  # noqa: S101 - there are no more without them
        return [self._below[row][at - len(self._own)] for row in rows]


def _grouped(keys: Sequence[T]) -> dict[T, Numbers]:
    """The places of equal keys."""
    if len(different := set(keys)) == 1:
        return {different.pop(): range(len(keys))}
    found: dict[T, list[int]] = {}
    for at, key in enumerate(keys):
        if key in found:
            found[key].append(at)
        else:
            found[key] = [at]
    return dict(found)


def _of(column: Sequence[T], rows: Numbers) -> Sequence[T]:
    """The items of a column for some rows, which are in order."""
    return column if len(rows) == len(column) else [column[at] for at in rows]


def _put(column: list[T], rows: Numbers, items: Iterable[T]) -> None:
    """Put an item at each of these rows."""
    if len(rows) == len(column):
        column[:] = islice(items, len(rows))
    else:
        for at, item in zip(rows, items, strict=False):
            column[at] = item


def _parts(look: Look, slot: Slot, rows: Numbers) -> Sequence[str]:
    """The values at a slot as parts of an identity."""
    texts = _texts(look, slot, rows)
    if slot.type == "string":
        return texts
    convert = converter(slot.type)
    return [str(convert(text)) for text in texts]


def _texts(look: Look, slot: Slot, rows: Numbers) -> Sequence[str]:
    """What stands at a slot, for these rows."""
    if all(role < len(look.view.owners) for role, _ in slot.places):
        return _of(look.joined(slot.places, slot.between), rows)
    if len(slot.places) == 1:
        ((role, key),) = slot.places
        return [look.text(at, role, key) for at in rows]
    return [slot.between.join(filter(None, [look.text(at, role, key) for role, key in slot.places])) for at in rows]


def _is_plain(record: SourceRecord) -> bool:
    return not record.refused and {*map(type, record.order)} == {TableRow}
