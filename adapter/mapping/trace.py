"""Finds out, by making one resource, how all resources of rows that are seen alike are made.

A ``Tracer`` compiles the same closures as any ``Compiler``, but where a value is a field's or a reference, they give a
slot: where among what is seen of the row the value stands. What the closures make is then a template.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from adapter.mapping.compile import Compiler, Evaluate
from adapter.mapping.nodes import Field, From, JoinText, Node, Object, ReferenceTo
from adapter.mapping.sight import Joined, Sight, Values, joined_of
from adapter.mapping.state import HOLE, Run
from adapter.mapping.values import fields_of, locate
from adapter.records import Resource
from adapter.sources.model import Row, SourceRecord


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a field of the ``role``-th row of a sight."""

    role: int
    key: str


@dataclass(frozen=True, slots=True)
class Value:
    """The ``kind``-th of the values that are seen at ``at``."""

    at: int
    kind: int


@dataclass(frozen=True, slots=True)
class Link:
    """The reference at ``at`` of a sight."""

    at: int


class Trace(Run):
    """A run that knows where in a sight each value stands."""

    __slots__ = ("_joined", "_links", "_values", "roles")

    def __init__(self, record: SourceRecord, sight: Sight) -> None:
        super().__init__(record)
        self.roles = {row: role for role, row in reversed([*enumerate(sight.rows)]) if row is not None}
        self._values: dict[tuple[Row, str, str], Value] = {}
        self._joined: dict[tuple[Row, Joined], Value] = {}
        self._links: dict[tuple[Row, str], Link] = {}
        links, rows, places = count(), iter(sight.rows), count()
        for view, row in sight.looked:
            for target in view.targets:
                self._links.setdefault((row, target), Link(next(links)))
            for columns in view.columns:
                owner = next(rows)
                if owner is None:
                    continue
                for key, _, texts in columns.deciders(owner.texts)[1]:
                    at = next(places)
                    for kind, name in enumerate(texts.types):
                        self._values.setdefault((owner, key, name), Value(at, kind))
            for joined in view.joins:
                self._joined.setdefault((row, joined), Value(next(places), 0))

    def slot(self, row: Row, key: str, type_name: str) -> Text | Value:
        return Text(self.roles[row], key) if type_name == "string" else self._values[row, key, type_name]

    def joined(self, row: Row, joined: Joined) -> Value:
        return self._joined[row, joined]

    def link(self, row: Row, target: str) -> Link:
        return self._links[row, target]


class Tracer(Compiler):
    """Compiles nodes for a ``Trace``."""

    def part(self, field: Field) -> Evaluate:
        return self._slot(field, "string", super().part(field), "")

    def _bare(self, node: Node) -> Evaluate:
        evaluate = super()._bare(node)
        match node:
            case From(code_map=None):
                return self._slot(node.field, node.type, evaluate, HOLE)
            case JoinText(code_map=None):
                joined = joined_of(node)
                return lambda run, row, path: (
                    HOLE if evaluate(run, row, path) is HOLE else _tracing(run).joined(row, joined)
                )
            case ReferenceTo(target):
                return lambda run, row, path: (
                    HOLE if evaluate(run, row, path) is HOLE else _tracing(run).link(row, target)
                )
        return evaluate

    def _slot(self, field: Field, type_name: str, evaluate: Evaluate, unfilled: object) -> Evaluate:
        find, key = locate(field, self.home, inside=self.inside), field.key

        def traced(run: Run, row: Row, path: str) -> Any:
            value = evaluate(run, row, path)
            owner = row if find is None else find(run, row)
            if value is unfilled or owner is None or key not in owner.texts:
                return value
            return _tracing(run).slot(owner, key, type_name)

        return traced

    def _period(self, node: Object) -> Evaluate:
        """Where both ends may be there, rows that are seen alike have the same texts there: they need no slots."""
        themselves = Compiler(self.resolve, self.home, inside=self.inside).node(replace(node, when=()))
        slots = super()._period(node)
        sides = [
            [(locate(field, self.home, inside=self.inside), field.key) for field in fields_of(item)]
            for _, item in node.items
        ]

        def traced(run: Run, row: Row, path: str) -> Any:
            for side in sides:
                owners = [(row if find is None else find(run, row), key) for find, key in side]
                if side and not any(owner is not None and key in owner.texts for owner, key in owners):
                    return slots(run, row, path)
            return themselves(run, row, path)

        return traced


def _tracing(run: Run) -> Trace:
    assert isinstance(run, Trace)  # noqa: S101 - what a Tracer compiles is run with a Trace
    return run


class Template:
    """A dict or list with slots, at any depth."""

    __slots__ = ("_base", "_inner", "_links", "_texts", "_values")

    def __init__(self, base: Any) -> None:
        self._base = base
        self._texts: list[tuple[Any, int, str]] = []
        self._values: list[tuple[Any, int, int]] = []
        self._links: list[tuple[Any, int]] = []
        self._inner: list[tuple[Any, Template]] = []
        for key, value in _items(base):
            match value:
                case Text(role, name):
                    self._texts.append((key, role, name))
                case Value(at, kind):
                    self._values.append((key, at, kind))
                case Link(at):
                    self._links.append((key, at))
                case dict() | list() if has_slots(value):
                    self._inner.append((key, Template(value)))

    def fill(self, rows: Sequence[Any], values: Values, links: Sequence[Any]) -> Any:
        """What it is with the texts of these rows, these values and references."""
        made = self._base.copy()
        for key, role, name in self._texts:
            made[key] = rows[role].texts[name]
        for key, at, kind in self._values:
            made[key] = values[at][kind]
        for key, at in self._links:
            made[key] = links[at]
        for key, inner in self._inner:
            made[key] = inner.fill(rows, values, links)
        return made


def has_slots(value: Resource | list[Any]) -> bool:
    """Whether there is a slot anywhere in it."""
    return any(
        isinstance(inside, Text | Value | Link) or (isinstance(inside, dict | list) and has_slots(inside))
        for _, inside in _items(value)
    )


def _items(value: Resource | list[Any]) -> Iterator[tuple[Any, Any]]:
    return iter(value.items()) if isinstance(value, dict) else enumerate(value)
