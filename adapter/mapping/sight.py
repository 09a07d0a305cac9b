"""What is seen of a row before anything is made of it: all that decides what will be made.

Rows that are seen alike make the same, but for the values of the same fields. A ``View`` says of one table which of its
texts are alike to the blocks that read it: of most columns all texts are, of a date those that are dates, of a column
that a condition asks for those that answer it alike, and where a code map is asked each text stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, TypeVar

from adapter.mapping.convert import Refused
from adapter.mapping.dates import converter
from adapter.mapping.nodes import (
    Coded,
    Each,
    Field,
    From,
    JoinText,
    Node,
    Nothing,
    Object,
    ReferenceTo,
    Test,
    conditions,
)
from adapter.mapping.periods import PERIOD
from adapter.mapping.values import fields_of, parts, passes
from adapter.records import Resource
from adapter.sources.model import Row, SourceRecord

Resolve = Callable[[str], tuple[tuple[str, str], ...]]
Instances = Mapping[tuple[str, Row | None], str]
"""(block, its row) → fullUrl."""
Alike = list[Hashable]
Values = list[Sequence[Any]]
Seen = tuple[int, Sequence[Any]]
"""What a text is alike to, as a number, and its values in each type that it is asked for."""

_MOST = 4096  # texts of one column, and ways of a row to be filled, that are remembered
T = TypeVar("T", bound=Hashable)


class _Numbers(dict[T, int]):
    """A number for each thing. Beyond ``_MOST`` all are forgotten, and then get others: none is given twice."""

    def __init__(self) -> None:
        super().__init__()
        self._next = count()

    def __missing__(self, thing: T) -> int:
        if len(self) >= _MOST:
            self.clear()
        return self.setdefault(thing, next(self._next))


class CannotBeSeen(Exception):
    """What decides is more than a view shows."""


class Texts:
    """Sorts texts into those that are alike. What was found is remembered of ``_MOST`` of them."""

    def __init__(self) -> None:
        self.types: dict[str, Callable[[str], Any]] = {}
        self.known: dict[Any, Seen] = {}
        self._asked: dict[Hashable, Callable[[str], Hashable]] = {}
        self._numbers = _Numbers[tuple[Hashable, ...]]()

    @property
    def decide(self) -> bool:
        """Whether texts of it are not all alike."""
        return bool(self._asked or self.types)

    def ask(self, name: Hashable, question: Callable[[str], Hashable]) -> None:
        """Texts are alike only where the answers are."""
        self._asked.setdefault(name, question)

    def convert(self, name: str) -> None:
        """Texts are alike only where both are values of the type, or are refused in the same words."""
        self.types.setdefault(name, converter(name))

    def see(self, text: str, known_as: Hashable) -> Seen:
        """What the text is, which is remembered as ``known_as``."""
        values: list[Any] = []
        found: list[Hashable] = [question(text) for question in self._asked.values()]
        for convert in self.types.values():
            try:
                values.append(convert(text))
                found.append(None)
            except Refused as refused:
                values.append(None)
                found.append((refused.text, refused.detail))
        number = self._numbers[tuple(found)]
        if len(self.known) >= _MOST:
            self.known.clear()
        seen = self.known[known_as] = (number, values)
        return seen


_Decider = tuple[str, Callable[[Any], Seen | None], Texts]
_Filled = tuple[int, tuple[_Decider, ...]]
"""Which of the columns that are looked at are filled, as a number, and those of them whose texts decide."""


class Columns:
    """The columns of one row that are looked at."""

    def __init__(self) -> None:
        self._found: dict[str, Texts] = {}
        self._filled: dict[tuple[str, ...], _Filled] = {}
        self._numbers = _Numbers[tuple[str, ...]]()

    def at(self, key: str) -> Texts:
        return self._found.setdefault(key, Texts())

    def deciders(self, texts: Mapping[str, str]) -> _Filled:
        """Of a row with these texts."""
        keys = tuple(texts)
        filled = self._filled.get(keys)
        if filled is None:
            there = [(key, column) for key, column in self._found.items() if key in texts]
            deciders = tuple((key, column.known.get, column) for key, column in there if column.decide)
            if len(self._filled) >= _MOST:
                self._filled.clear()
            number = self._numbers[tuple(key for key, _ in there)]
            filled = self._filled[keys] = (number, deciders)
        return filled

    def look(self, texts: Mapping[str, str], alike: Alike, values: Values) -> None:
        filled, deciders = self._filled.get(tuple(texts)) or self.deciders(texts)
        alike.append(filled)
        for key, known, column in deciders:
            text = texts[key]
            number, found = known(text) or column.see(text, text)
            alike.append(number)
            values.append(found)


Joined = tuple[tuple[Field, ...], str, str]
"""Fields, what stands between them, and the type of the whole."""


def joined_of(node: JoinText) -> Joined:
    """What there is to be seen of texts that are joined."""
    return node.fields, node.between, node.type


_Places = tuple[tuple[int, str], ...]
"""Fields as (which of the view's rows, key)."""


class View:
    """All that the blocks of one table look at, of its row, of the rows that this belongs to, and of those under it."""

    def __init__(self, home: str, resolve: Resolve) -> None:
        self.home, self._resolve = home, resolve
        self.owners = [home]
        self.columns = [Columns()]
        self.joins: dict[Joined, tuple[_Places, str, Texts]] = {}
        self.targets: dict[str, tuple[tuple[str, str], ...]] = {}
        self._periods: list[tuple[_Places, _Places]] = []
        self._below: list[tuple[str, View]] = []

    def add(self, nodes: Iterable[Node], tests: Iterable[Test] = (), fields: Iterable[Field] = ()) -> None:
        """Look at all that these ask for. Raises CannotBeSeen where that is no row of a table."""
        for field in fields:
            self._at(field)
        for test in tests:
            self._add_test(test)
        for node in nodes:
            self._add_node(node)

    def close(self) -> None:
        """All was added. Raises CannotBeSeen where it cannot be told which of two rows is meant."""
        for name, below in self._below:
            below.close()
            if name in self.owners or set(below.owners[1:]) & set(self.owners[1:]):
                raise CannotBeSeen
        self._is_simple = not (self.owners[1:] or self.joins or self._periods or self._below)
        self._others = list(zip(self.owners, self.columns, strict=True))[1:]

    def _at(self, field: Field) -> Texts:
        return self.columns[self._role(field)].at(field.key)

    def _role(self, field: Field) -> int:
        owner = field.owner or self.home
        if owner not in self.owners:
            self.owners.append(owner)
            self.columns.append(Columns())
        return self.owners.index(owner)

    def _places(self, fields: Iterable[Field]) -> _Places:
        return tuple((self._role(field), field.key) for field in fields)

    def _add_test(self, test: Test) -> None:
        column = self._at(test.field)
        if test.values is not None or test.code_map is not None or test.shape:
            name = (test.values, test.code_map.name if test.code_map else "", test.shape, test.negate)
            column.ask(name, passes(test))

    def _add_node(self, node: Node) -> None:
        for test in conditions(node):
            self._add_test(test)
        match node:
            case From(code_map=None, type="string"):
                self._at(node.field)
            case From(code_map=None):
                self._at(node.field).convert(node.type)
            case From():
                self._at(node.field).ask("text", str)
            case Coded():
                for field in filter(None, (node.field, node.scheme)):
                    self._at(field).ask("text", str)
            case JoinText():
                self._add_join(node)
            case ReferenceTo(target):
                self.targets[target] = self._resolve(target)
            case Each(field, do):
                if field.name:
                    raise CannotBeSeen
                below = View(field.owner, self._resolve)
                below.add([do])
                self._below.append((field.owner, below))
            case Nothing():
                pass
            case _:
                if isinstance(node, Object) and {key for key, _ in node.items} == PERIOD:
                    self._add_period(dict(node.items))
                for part in parts(node):
                    self._add_node(part)

    def _add_join(self, node: JoinText) -> None:
        for field in node.fields:
            column = self._at(field)
            if node.code_map is not None:
                column.ask("text", str)
        if node.code_map is None:
            joined = Texts()
            joined.convert(node.type)
            self.joins.setdefault(joined_of(node), (self._places(node.fields), node.between, joined))

    def _add_period(self, items: Mapping[str, Node]) -> None:
        """What a period is depends on both its ends: where both may be there, their texts are alike to no others."""
        start, end = (self._places(fields_of(items[key])) for key in ("start", "end"))
        self._periods.append((start, end))

    def look(self, record: SourceRecord, row: Row) -> Sight:
        """What is seen of this row."""
        sight = Sight(self, row)
        if self._is_simple:
            sight.rows.append(row)
            self.columns[0].look(row.texts, sight.alike, sight.values)
        else:
            self._look(record, row, sight)
        return sight

    def _look(self, record: SourceRecord, row: Row, sight: Sight) -> None:
        rows, alike, values = sight.rows, sight.alike, sight.values
        start = len(rows)
        rows.append(row)
        self.columns[0].look(row.texts, alike, values)
        for owner, columns in self._others:
            other = row.related(owner)
            rows.append(other)
            columns.look(other.texts if other is not None else {}, alike, values)
        for places, between, joined in self.joins.values():
            texts = _texts(rows, start, places)
            seen = joined.known.get(texts) or joined.see(between.join(filter(None, texts)), texts)
            alike.append(seen[0])
            values.append(seen[1])
        for sides in self._periods:
            both = [_texts(rows, start, side) for side in sides]
            alike.append(tuple(both) if all(not side or any(side) for side in both) else None)
        for name, below in self._below:
            under = [other for other in record.rows.get(name, ()) if other.related(row.name) is row]
            alike.append(len(under))
            for other in under:
                sight.looked.append((below, other))
                below._look(record, other, sight)


def _texts(rows: Sequence[Row | None], start: int, places: _Places) -> tuple[str | None, ...]:
    return tuple([row.texts.get(key) if (row := rows[start + at]) is not None else None for at, key in places])


class Sight:
    """A row as it is seen: with the rows around it, what each of their fields is ``alike`` to, and their values.

    ``looked`` are the views that were taken, each with its row; ``rows`` and ``values`` are in their order.
    """

    __slots__ = ("alike", "looked", "rows", "values")

    def __init__(self, view: View, row: Row) -> None:
        self.rows: list[Row | None] = []
        self.alike: Alike = []
        self.values: Values = []
        self.looked = [(view, row)]

    def links(self, instances: Instances) -> list[Resource | None]:
        """The references that the views' targets are for these rows, each where there is one."""
        found: list[Resource | None] = []
        for view, row in self.looked:
            for targets in view.targets.values():
                found.append(_reference(instances, targets, row))
        return found


def _reference(instances: Instances, targets: Iterable[tuple[str, str]], row: Row) -> Resource | None:
    for block, for_each in targets:
        target = row.related(for_each) if for_each else None
        url = instances.get((block, target)) if target is not None or not for_each else None
        if url:
            return {"reference": url}
    return None
