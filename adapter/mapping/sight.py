"""What is seen of the rows of a table before anything is made of them: all that decides what will be made.

Rows that are seen alike make the same, but for the values of the same fields. A ``View`` says of one table which of its
texts are alike to the blocks that read it: of most columns all texts are, of a date those that are dates, of a column
that a condition asks for those that answer it alike, and where a code map is asked each text stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, TypeVar

from adapter.mapping.coded import kinds_of_code
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
from adapter.mapping.periods import PERIOD, comparable
from adapter.mapping.values import fields_of, parts, passes

Resolve = Callable[[str], tuple[tuple[str, str], ...]]
Alike = Hashable
"""What rows that are seen alike have in common."""
Places = tuple[tuple[int, str], ...]
"""Fields as (which of the rows that are looked at, key)."""

MOST = 4096
"""Texts of one place that are remembered."""
T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Slot:
    """The texts of some fields of the rows that are looked at, joined where they are several, as a value of a type."""

    places: Places
    type: str = "string"
    between: str = ""


class CannotBeSeen(Exception):
    """What decides is more than a view shows."""


class _Numbers(dict[T, int]):
    """A number for each thing. Beyond ``MOST`` all are forgotten, and then get others: none is given twice."""

    def __init__(self) -> None:
        super().__init__()
        self._next = count()

    def __missing__(self, thing: T) -> int:
        if len(self) >= MOST:
            self.clear()
        return self.setdefault(thing, next(self._next))


class Texts(dict[str, int]):
    """Text → a number, the same for texts that are alike. "" is where nothing stands; it is like no text."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: dict[Hashable, Callable[[str], Hashable]] = {}
        self._numbers = _Numbers[tuple[Hashable, ...]]()

    @property
    def decide(self) -> bool:
        """Whether texts of it are not all alike."""
        return bool(self._asked)

    def ask(self, name: Hashable, question: Callable[[str], Hashable]) -> None:
        """Texts are alike only where the answers are."""
        self._asked.setdefault(name, question)

    def convert(self, type_name: str) -> None:
        """Texts are alike only where both are values of the type, or are refused in the same words."""
        self.ask(("type", type_name), _refusal(converter(type_name)))

    def __missing__(self, text: str) -> int:
        if len(self) >= MOST:
            self.clear()
        answers = tuple([question(text) for question in self._asked.values()]) if text else ()
        number = self[text] = self._numbers[(bool(text), *answers)]
        return number


def _refusal(convert: Callable[[str], Any]) -> Callable[[str], Hashable]:
    def refused(text: str) -> Hashable:
        try:
            convert(text)
        except Refused as refusal:
            return refusal.text, refusal.detail
        return None

    return refused


Joined = tuple[tuple[Field, ...], str, str]
"""Fields, what stands between them, and the type of the whole."""


def joined_of(node: JoinText) -> Joined:
    """What there is to be seen of texts that are joined."""
    return node.fields, node.between, node.type


class Period(NamedTuple):
    """What both ends are made of; ``ends`` are the values themselves, None where they are made in another way."""

    places: tuple[Places, Places]
    ends: tuple[Slot, Slot] | None

    def alike(self, start: str, end: str) -> bool:
        """Whether these texts, which are values of their types, become a period of just these two values."""
        if self.ends is None:
            return False
        try:
            both = converter(self.ends[0].type)(start), converter(self.ends[1].type)(end)
        except Refused:
            return False
        return comparable(*both) == both


class View:
    """All that the blocks of one table look at: of its rows, of the rows that these belong to, of those under them.

    ``owners`` are the tables of the rows that are looked at for each row, itself first; ``columns`` what is looked at
    of each; ``joins`` the texts that are joined; ``targets`` where references may lead; ``below`` the views of the
    tables under it.
    """

    def __init__(self, home: str, resolve: Resolve) -> None:
        self.home, self._resolve = home, resolve
        self.owners = [home]
        self.columns: list[dict[str, Texts]] = [{}]
        self.joins: dict[Joined, tuple[Places, str, Texts]] = {}
        self.periods: list[Period] = []
        self.targets: dict[str, tuple[tuple[str, str], ...]] = {}
        self.below: list[View] = []

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
        for below in self.below:
            below.close()
            if below.home in self.owners or set(below.owners[1:]) & set(self.owners[1:]):
                raise CannotBeSeen

    def _at(self, field: Field) -> Texts:
        return self.columns[self._role(field)].setdefault(field.key, Texts())

    def _role(self, field: Field) -> int:
        owner = field.owner or self.home
        if owner not in self.owners:
            self.owners.append(owner)
            self.columns.append({})
        return self.owners.index(owner)

    def _places(self, fields: Iterable[Field]) -> Places:
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
                self._at(node.field).ask(("coded", node.systems, node.local and node.local.name), kinds_of_code(node))
                if node.scheme:
                    self._at(node.scheme).ask("text", str)
            case JoinText():
                self._add_join(node)
            case ReferenceTo(target):
                self.targets[target] = self._resolve(target)
            case Each(field, do):
                if field.name:
                    raise CannotBeSeen
                below = View(field.owner, self._resolve)
                below.add([do])
                self.below.append(below)
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
        start, end = items["start"], items["end"]
        places = (self._places(fields_of(start)), self._places(fields_of(end)))
        one, other = self._slot(start), self._slot(end)
        self.periods.append(Period(places, (one, other) if one and other else None))

    def _slot(self, node: Node) -> Slot | None:
        """Of a node that is no more than the value of its fields."""
        match node:
            case From(code_map=None, default=None, when=()):
                return Slot(self._places([node.field]), node.type)
            case JoinText(code_map=None, when=()):
                return Slot(self._places(node.fields), node.type, node.between)
        return None
