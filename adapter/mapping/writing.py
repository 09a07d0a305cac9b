"""Writes many records of tables at once, as lines of FHIR: what ``Mapping.run`` makes of each, much faster.

The rows of a table are looked at column by column. Those that are seen alike are written by one plan, and nothing is
made of them but text. A record that is in any way unusual is left to ``Mapping.run``: whose rows have no plan yet, of
which something is to be said, or in which two resources have one id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import orjson

from adapter.fhir.ids import stable_ids
from adapter.fhir.profiles import with_profile
from adapter.mapping.compile import Resolve
from adapter.mapping.coverage import Accounts, Shape
from adapter.mapping.dates import converter
from adapter.mapping.lines import UNFIT, Encoder, Line, OwnId, Written
from adapter.mapping.looking import Look, column
from adapter.mapping.nodes import Program
from adapter.mapping.plan import Finished, Plan, Plans, Touch
from adapter.mapping.sight import Alike, CannotBeSeen
from adapter.mapping.state import Run
from adapter.mapping.trace import Link, Slot, Trace
from adapter.sources.csv_files import TableRow
from adapter.sources.model import SourceRecord

_BUNDLE = with_profile({"resourceType": "Bundle", "type": "collection", "entry": [None]})
_HEAD, _TAIL = orjson.dumps(_BUNDLE).decode().split("null")
_ID = slice(len('{"fullUrl":"urn:uuid:'), len('{"fullUrl":"urn:uuid:') + 36)
_SHAPES = 4096  # that are remembered
Key = tuple[str, tuple[bool, ...], Touch | None, tuple[Touch, ...]]
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
        self.rows: dict[str, list[TableRow]] = {}
        self.of: dict[str, list[int]] = {}
        for at, record in enumerate(records):
            if at not in self.left:
                for name, rows in record.rows.items():
                    self.rows.setdefault(name, []).extend(rows)  # type: ignore[arg-type]  # _is_plain
                    self.of.setdefault(name, []).extend([at] * len(rows))
        self.ids: dict[str, dict[TableRow, str]] = {}
        self.looks: dict[str, Look] = {}
        self.groups: dict[str, list[tuple[Plan, list[int]]]] = {}  # rows that are seen alike
        self.written: dict[str, list[str]] = {}  # by block: the entry of each row of its table, "" for none
        self.finished: dict[str, list[Finished | None]] = {}

    def lines(self, uses: Counted) -> list[bytes | None]:
        for name, plans in self.writer.plans.items():
            if name in self.rows:
                self._decide(name, plans)
        for name, plans in self.writer.plans.items():
            if name in self.rows:
                self._write(name, plans)
        keys = self._account(uses)
        lines = self._joined()
        for name, counts in keys.items():
            of, shapes = self.of[name], self.writer.shapes
            for key, times in Counter([key for key, at in zip(counts, of, strict=True) if at not in self.left]).items():
                uses.count(shapes[key], times)
        return lines

    def _leave(self, name: str, rows: Sequence[int]) -> None:
        of = self.of[name]
        self.left.update([of[at] for at in rows])

    def _trace(self, name: str, at: int) -> Trace:
        return Trace(self.records[self.of[name][at]], self.looks[name].views(at))

    def _decide(self, name: str, plans: Plans) -> None:
        """Which blocks hold for the rows of a table, and the ids of their resources."""
        look = self.looks[name] = Look(plans.view, self.rows)
        alike: dict[Alike, list[int]] = {}
        for at, seen in enumerate(look.alike):
            alike.setdefault(seen, []).append(at)
        groups = self.groups[name] = []
        owners = [self.records[at].patient_key for at in self.of[name]]
        for seen, rows in alike.items():
            plan = plans.of(seen, len(rows), lambda first=rows[0]: self._trace(name, first))
            if plan is None or (plan.says and self.saying):
                self._leave(name, rows)
                continue
            groups.append((plan, rows))
            some = [self.rows[name][at] for at in rows]
            for number, parts in plan.decided:
                block = plans.blocks[number].block.name
                ends = [part if isinstance(part, str) else _parts(look, part, rows) for part in parts]
                whole = [[owners[at] for at in rows], block, *ends]
                columns = [[one] * len(rows) if isinstance(one, str) else one for one in whole]
                ids = stable_ids(map("/".join, zip(*columns, strict=True)))
                self.ids.setdefault(block, {}).update(zip(some, ids, strict=True))

    def _write(self, name: str, plans: Plans) -> None:
        """The entries of a table's resources."""
        look, count = self.looks[name], len(self.rows[name])
        links = [*look.links(self.ids)]
        below = look.links_below(self.ids)
        there = list(zip(*([link is not None for link in led] for led in links), strict=True)) or [()] * count
        if below is not None:
            there = [(*own, *[link is not None for link in led]) for own, led in zip(there, below, strict=True)]
        self.finished[name] = finishing = [None] * count
        for compiled in plans.blocks:
            self.written[compiled.block.name] = [""] * count
        for plan, rows in self.groups[name]:
            alike: dict[tuple[bool, ...], list[int]] = {}
            for at in rows:
                alike.setdefault(there[at], []).append(at)
            for seen, some in alike.items():
                self._fill(name, plans, plan, seen, some, links, below, finishing)

    def _fill(
        self,
        name: str,
        plans: Plans,
        plan: Plan,
        there: tuple[bool, ...],
        rows: list[int],
        links: Sequence[Sequence[str | None]],
        below: Sequence[Sequence[str | None]] | None,
        finishing: list[Finished | None],
    ) -> None:
        look = self.looks[name]

        def texts_of(block: str, slot: OwnId | Written | Link, rows: list[int]) -> list[str]:
            match slot:
                case OwnId():
                    ids = self.ids[block]
                    return [ids[self.rows[name][at]] for at in rows]
                case Link(at=number):
                    if below is None or number < len(links):
                        return [links[number][at] or "" for at in rows]
                    return [below[at][number - len(links)] or "" for at in rows]
                case Written(slot, primitive):
                    encoder = self.writer.encoder(slot.type, primitive)
                    return list(map(encoder.__getitem__, _texts(look, slot, rows)))

        def trace() -> Trace:
            begun = self._trace(name, rows[0])
            begun.instances = {
                (block, row): f"urn:uuid:{own}" for block, ids in self.ids.items() for row, own in ids.items()
            }
            return begun

        def fits(number: int, line: Line) -> bool:
            block = plans.blocks[number].block.name
            return line.is_valid(tuple(texts_of(block, slot, rows[:1])[0] for slot in line.slots))

        finished = plans.finished(plan, there, trace, fits)
        if finished is None or (finished.says and self.saying):
            self._leave(name, rows)
            return
        for number, line in finished.lines:
            block = plans.blocks[number].block.name
            columns = [texts_of(block, slot, rows) for slot in line.slots]
            for found in columns:
                if UNFIT in found:
                    self._leave(name, [at for at, text in zip(rows, found, strict=True) if text == UNFIT])
            written = map(line.form.__mod__, zip(*columns, strict=True))
            into = self.written[block]
            for at, text in zip(rows, written, strict=True):
                into[at] = text
        for at in rows:
            finishing[at] = finished

    def _account(self, uses: Counted) -> dict[str, list[Key]]:
        """The shape of each row, by its key. A record of which something is to be told or said is left."""
        touched: dict[TableRow, tuple[Touch, ...]] = {}
        for name, finishing in self.finished.items():
            look = self.looks[name]
            for at, finished in enumerate(finishing):
                if finished is not None and finished.others:
                    rows = look.looked(at)
                    for role, touch in finished.others:
                        row = rows[role]
                        if isinstance(row, TableRow):
                            touched[row] = (*touched.get(row, ()), touch)
        found: dict[str, list[Key]] = {}
        for name, rows in self.rows.items():
            filled = zip(*(map(bool, column(rows, key)) for key in rows[0].columns), strict=True)
            own = [finished and finished.own for finished in self.finished.get(name, [None] * len(rows))]
            others = [touched.get(row, ()) for row in rows] if touched else [()] * len(rows)
            found[name] = keys = list(zip([name] * len(rows), filled, own, others, strict=True))
            for key in set(keys):
                shape = self.writer.shapes.get(key)
                if shape is None:
                    shape = self._shape(keys.index(key), key)
                if not uses.knows(shape) or (self.saying and shape.unread):
                    self._leave(name, [at for at, other in enumerate(keys) if other == key])
        return found

    def _shape(self, at: int, key: Key) -> Shape:
        name, _, own, others = key
        row = self.rows[name][at]
        run = Run(self.records[self.of[name][at]])
        for touch in (*([own] if own else ()), *others):
            run.touch(row, touch.mapped, touch.fates)
        shapes = self.writer.shapes
        if len(shapes) >= _SHAPES:
            shapes.clear()
        shape = shapes[key] = self.writer.accounts.shape(run, row)
        return shape

    def _joined(self) -> list[bytes | None]:
        """The line of each record, of the entries of its rows in the order of the blocks."""
        entries: list[list[str]] = [[] for _ in self.records]
        for block, table in self.writer.blocks:
            for at, text in zip(self.of.get(table, ()), self.written.get(block, ()), strict=False):
                if text:
                    entries[at].append(text)
        lines: list[bytes | None] = []
        for at, found in enumerate(entries):
            if at in self.left or not found or len({entry[_ID] for entry in found}) < len(found):
                self.left.add(at)
                lines.append(None)
            else:
                lines.append(f"{_HEAD}{','.join(found)}{_TAIL}".encode())
        return lines


def _parts(look: Look, slot: Slot, rows: list[int]) -> list[str]:
    """The values at a slot as parts of an identity."""
    texts = _texts(look, slot, rows)
    if slot.type == "string":
        return texts
    convert = converter(slot.type)
    return [str(convert(text)) for text in texts]


def _texts(look: Look, slot: Slot, rows: list[int]) -> list[str]:
    """What stands at a slot, for these rows."""
    if len(slot.places) == 1:
        ((role, key),) = slot.places
        if role < len(look.view.owners):
            found = look.texts(role, key)
            return found if len(rows) == len(found) else [found[at] for at in rows]
    return [slot.between.join(filter(None, [look.text(at, role, key) for role, key in slot.places])) for at in rows]


def _is_plain(record: SourceRecord) -> bool:
    return not record.refused and all(type(row) is TableRow for row in record.order)
