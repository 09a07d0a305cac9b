"""Turns parsed nodes into closures over plain dicts: ``(run, row, path) → value or HOLE``.

``path`` is where the value will stand in the resource (``code.coding[0].code``), for lineage. A closure notes every
populated field it read in ``run.reads`` and where each value came from in ``run.trail``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.mapping.coded import coded
from adapter.mapping.conditions import Check, all_hold
from adapter.mapping.leaves import coding, joined, value_of
from adapter.mapping.nodes import (
    Array,
    Coded,
    Each,
    Field,
    First,
    From,
    JoinText,
    Node,
    Nothing,
    Object,
    ReferenceTo,
    When,
    conditions,
)
from adapter.mapping.periods import PERIOD, period
from adapter.mapping.state import HOLE, Fate, Run
from adapter.mapping.values import constant, fields_of, is_dynamic, locate, needed
from adapter.sources.model import Row

Evaluate = Callable[[Run, Row, str], Any]
Needs = tuple[str, ...] | None
Resolve = Callable[[str], tuple[tuple[str, str], ...]]


class Compiler:
    """Compiles nodes for rows of one table or segment, ``home``.

    ``resolve`` finds the blocks that a reference may mean: (name, for_each) each. ``inside``: within a repetition.
    """

    def __init__(self, resolve: Resolve, home: str, *, inside: bool = False) -> None:
        self.resolve, self.home, self.inside = resolve, home, inside

    def node(self, node: Node) -> Evaluate:
        """The node with its conditions."""
        _, holds, evaluate = self._guarded(node)
        if holds is None:
            return evaluate
        check = holds
        return lambda run, row, path: evaluate(run, row, path) if check(run, row) else HOLE

    def _guarded(self, node: Node) -> tuple[Needs, Check | None, Evaluate]:
        """What is ``needed`` for the node, its conditions, if it has any, and what it is where they hold."""
        when = conditions(node)
        return self._needs(node), self.when(when) if when else None, self._bare(node)

    def _needs(self, node: Node) -> Needs:
        return needed(node, self.home, inside=self.inside)

    def _bare(self, node: Node) -> Evaluate:
        value = constant(node)
        if value is not HOLE:
            return lambda run, row, path: value  # noqa: ARG005 - one signature
        match node:
            case From():
                return value_of(node, self.home, inside=self.inside)
            case First():
                return self._first(node)
            case Each():
                return self._each(node) if node.field.name else self._each_row(node)
            case ReferenceTo():
                return self._reference(node)
            case JoinText():
                return joined(node, self.home, inside=self.inside)
            case Coded():
                return coded(node, self.home, inside=self.inside)
            case Object():
                return self._period(node) if {key for key, _ in node.items} == PERIOD else self._object(node)
            case Array():
                return self._array(node)
            case _:
                return lambda run, row, path: HOLE  # noqa: ARG005 - one signature

    def part(self, field: Field) -> Evaluate:
        """A field as a part of a resource's identity: "" where it is not there."""
        find, key = locate(field, self.home, inside=self.inside), field.key

        def evaluate(run: Run, row: Row, path: str) -> Any:  # noqa: ARG001 - one signature
            owner = row if find is None else find(run, row)
            text = owner.texts.get(key) if owner is not None else None
            if owner is None or text is None:
                return ""
            run.reads.append((owner, key))
            return text

        return evaluate

    def when(self, when: When) -> Check:
        """All conditions on an element hold."""
        return all_hold(when, self.home, inside=self.inside)

    def choose(self, when: When) -> Check:
        """All conditions on a row hold. What they ask for counts as read: it decides what the row is."""
        return all_hold(when, self.home, inside=self.inside, choosing=True)

    def _first(self, node: First) -> Evaluate:
        if len(node.options) == 1:
            return self.node(node.options[0])
        rest = [
            [(locate(f, self.home, inside=self.inside), f.key) for later in node.options[i:] for f in fields_of(later)]
            for i in range(1, len(node.options) + 1)
        ]
        options = [
            (*_split(self._needs(option)), *self._guarded(option)[1:], tuple(dict.fromkeys(others)))
            for option, others in zip(node.options, rest, strict=True)
        ]

        def evaluate(run: Run, row: Row, path: str) -> Any:
            texts = row.texts
            for first, others, holds, option, superseded in options:
                if (
                    first is not None and first not in texts and (others is None or texts.keys().isdisjoint(others))
                ) or (holds is not None and not holds(run, row)):
                    continue
                value = option(run, row, path)
                if value is not HOLE:
                    for find, key in superseded:
                        owner = row if find is None else find(run, row)
                        if owner is not None and key in owner.texts:
                            run.marks.append(((owner, key), Fate.SUPERSEDED))
                    return value
            return HOLE

        return evaluate

    def _each(self, node: Each) -> Evaluate:
        find, name = locate(node.field, self.home, inside=self.inside), node.field.name
        do = type(self)(self.resolve, "", inside=True).node(node.do)

        def evaluate(run: Run, row: Row, path: str) -> Any:
            owner = row if find is None else find(run, row)
            if owner is None:
                return HOLE
            repetitions = run.each(owner, name)
            if not repetitions:
                return HOLE
            before, run.outer = run.outer, owner
            made: list[Any] = []
            for repetition in repetitions:
                value = do(run, repetition, f"{path}[{len(made)}]")
                if value is not HOLE:
                    made.append(value)
            run.outer = before
            return made or HOLE

        return evaluate

    def _each_row(self, node: Each) -> Evaluate:
        owner, do = node.field.owner, type(self)(self.resolve, node.field.owner).node(node.do)

        def evaluate(run: Run, row: Row, path: str) -> Any:
            made: list[Any] = []
            for other in run.record.rows.get(owner, ()):
                if row.name and other.related(row.name) is not row:
                    continue
                value = do(run, other, f"{path}[{len(made)}]")
                if value is not HOLE:
                    made.append(value)
            return made or HOLE

        return evaluate

    def _reference(self, node: ReferenceTo) -> Evaluate:
        targets, inside = self.resolve(node.target), self.inside

        def evaluate(run: Run, row: Row, path: str) -> Any:  # noqa: ARG001 - one signature
            start = (run.outer or row) if inside else row
            for block, for_each in targets:
                target = start.related(for_each) if for_each else None
                if target is None and for_each:
                    continue
                url = run.instances.get((block, target))
                if url:
                    run.referenced.add(url)
                    return {"reference": url}
            return HOLE

        return evaluate

    def _object(self, node: Object) -> Evaluate:
        keys = {key for key, _ in node.items}
        items: list[tuple[str, Any, str | None, Needs, Check | None, Evaluate, bool]] = []
        for key, item in node.items:
            if isinstance(item, Nothing):
                continue
            needs, holds, evaluate_item = self._guarded(item)
            fixed = HOLE if holds is not None else constant(item)
            first, others = _split(needs)
            if key == "code" and isinstance(item, From) and item.code_map and item.type != "concept":
                made_of = coding(item, keys, self.home, inside=self.inside)
                items.append(("", HOLE, first, others, holds, made_of, True))
            else:
                items.append((key, fixed, first, others, holds, evaluate_item, is_dynamic(item)))
        dynamic, requires = is_dynamic(node), node.requires

        def evaluate(run: Run, row: Row, path: str) -> Any:
            made: dict[str, Any] = {}
            filled, start = not dynamic, len(run.reads)
            dot = f"{path}." if path else ""
            texts = row.texts
            for key, fixed, first, others, holds, item, has_holes in items:
                if fixed is not HOLE:
                    made[key] = fixed
                    continue
                if (
                    first is not None and first not in texts and (others is None or texts.keys().isdisjoint(others))
                ) or (holds is not None and not holds(run, row)):
                    continue
                value = item(run, row, dot + key)
                if value is HOLE:
                    continue
                if key:
                    made[key] = value
                else:
                    made.update(value)
                if has_holes:
                    filled = True
            for key in requires:
                if key not in made:
                    run.lose(start, dot)
                    return HOLE
            return made if filled and made else HOLE

        return evaluate

    def _period(self, node: Object) -> Evaluate:
        start, end = (self._object(Object(((key, dict(node.items)[key]),))) for key in ("start", "end"))
        return period(start, end)

    def _array(self, node: Array) -> Evaluate:
        items = [
            (*_split(self._needs(item)), *self._guarded(item)[1:], is_dynamic(item), isinstance(item, Each))
            for item in node.items
            if not isinstance(item, Nothing)
        ]
        dynamic = is_dynamic(node)

        def evaluate(run: Run, row: Row, path: str) -> Any:
            made: list[Any] = []
            filled = not dynamic
            texts = row.texts
            for first, others, holds, item, has_holes, spliced in items:
                if (
                    first is not None and first not in texts and (others is None or texts.keys().isdisjoint(others))
                ) or (holds is not None and not holds(run, row)):
                    continue
                behind = f"{path}+" if made else path  # the places of a list that is spliced in behind others move up
                value = item(run, row, behind if spliced else f"{path}[{len(made)}]")
                if value is HOLE:
                    continue
                if spliced:
                    if made:
                        run.move_trail(f"{behind}[", f"{path}[", len(made))
                    made.extend(value)
                else:
                    made.append(value)
                if has_holes:
                    filled = True
            return made if filled and made else HOLE

        return evaluate


def _split(needs: Needs) -> tuple[str | None, Needs]:
    """The first of the keys that are needed, and the others: most nodes need one, which is fast to ask for."""
    return (needs[0], needs[1:] or None) if needs else (None, None)
