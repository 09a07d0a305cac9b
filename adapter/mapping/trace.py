"""Finds out, by making one resource, how all resources of rows that are seen alike are made.

A ``Tracer`` compiles the same closures as any ``Compiler``, but where a value is a field's or a reference, they give a
slot: where among what is seen of the row the value stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from adapter.mapping.compile import Compiler, Evaluate
from adapter.mapping.nodes import Coded, Field, From, JoinText, Node, Object, ReferenceTo
from adapter.mapping.sight import Slot, View, joined_of
from adapter.mapping.state import HOLE, Run
from adapter.mapping.values import fields_of, locate
from adapter.sources.model import Row, SourceRecord

CODE_IN = "code in "
"""What the types of slots for codes begin with: the system follows."""


@dataclass(frozen=True, slots=True)
class Link:
    """The reference that is the ``at``-th of the targets of all views that were taken."""

    at: int


class Trace(Run):
    """A run over one record that knows where among what is looked at for a row each value stands.

    ``looked`` are the views that were taken, each with the rows it looks at, the row itself first.
    """

    __slots__ = ("_links", "_starts", "roles", "row")

    def __init__(self, record: SourceRecord, looked: Sequence[tuple[View, Sequence[Row | None]]]) -> None:
        super().__init__(record)
        self.row: Row = next(row for row in looked[0][1] if row is not None)
        self.roles: dict[Row, int] = {}
        self._starts: dict[Row, tuple[int, View]] = {}
        self._links: dict[tuple[Row, str], Link] = {}
        links, start = count(), 0
        for view, rows in looked:
            (row, *_) = rows
            assert row is not None  # noqa: S101 - a view is taken of a row that is there
            self._starts.setdefault(row, (start, view))
            for role, other in enumerate(rows, start):
                if other is not None:
                    self.roles.setdefault(other, role)
            for target in view.targets:
                self._links.setdefault((row, target), Link(next(links)))
            start += len(rows)

    def slot(self, row: Row, key: str, type_name: str) -> Slot:
        return Slot(((self.roles[row], key),), type_name)

    def joined(self, row: Row, node: JoinText) -> Slot:
        start, view = self._starts[row]
        places, between, _ = view.joins[joined_of(node)]
        return Slot(tuple((start + role, key) for role, key in places), node.type, between)

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
                return lambda run, row, path: (
                    HOLE if evaluate(run, row, path) is HOLE else _tracing(run).joined(row, node)
                )
            case Coded():
                return self._coded(node, evaluate)
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

    def _coded(self, node: Coded, evaluate: Evaluate) -> Evaluate:
        """Of rows that are seen alike all codes are of one system, or one local code, or none."""
        find, key = locate(node.field, self.home, inside=self.inside), node.field.key
        local = node.local.targets if node.local else {}

        def traced(run: Run, row: Row, path: str) -> Any:
            value = evaluate(run, row, path)
            owner = row if find is None else find(run, row)
            if value is HOLE or owner is None or owner.texts[key].lower() in local:
                return value
            if "text" in value:
                return {"text": _tracing(run).slot(owner, key, "string")}
            (coding,) = value["coding"]
            return {"coding": [{**coding, "code": _tracing(run).slot(owner, key, f"{CODE_IN}{coding['system']}")}]}

        return traced

    def _period(self, node: Object) -> Evaluate:
        """Two ends that become a period as they are have slots; what else is made of two ends is alike to no other."""
        themselves = Compiler(self.resolve, self.home, inside=self.inside).node(replace(node, when=()))
        slots = super()._period(node)
        items = dict(node.items)
        ends = [self.node(items[end]) for end in ("start", "end")]
        plain = [Compiler(self.resolve, self.home, inside=self.inside).node(items[end]) for end in ("start", "end")]
        sides = [
            [(locate(field, self.home, inside=self.inside), field.key) for field in fields_of(items[end])]
            for end in ("start", "end")
        ]

        def traced(run: Run, row: Row, path: str) -> Any:
            for side in sides:
                owners = [(row if find is None else find(run, row), key) for find, key in side]
                if side and not any(owner is not None and key in owner.texts for owner, key in owners):
                    return slots(run, row, path)
            made = themselves(run, row, path)
            if made is HOLE or made != dict(zip(("start", "end"), (one(run, row, path) for one in plain), strict=True)):
                return made
            return dict(zip(("start", "end"), (end(run, row, path) for end in ends), strict=True))

        return traced


def _tracing(run: Run) -> Trace:
    assert isinstance(run, Trace)  # noqa: S101 - what a Tracer compiles is run with a Trace
    return run
