"""Turns parsed nodes into closures over plain dicts: ``(run, row, path) → value or HOLE``.

``path`` is where the value will stand in the resource (``code.coding[0].code``), for lineage. A closure notes every
field it read in ``run.reads`` and where each value came from in ``run.trail``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.mapping.coded import coded
from adapter.mapping.convert import Refused
from adapter.mapping.dates import converter
from adapter.mapping.nodes import (
    Array,
    Coded,
    Each,
    First,
    From,
    JoinText,
    Literal,
    Node,
    Object,
    ReferenceTo,
    When,
)
from adapter.mapping.state import HOLE, Fate, Run
from adapter.mapping.values import concept, fields_of, is_dynamic, locate, passes, translate
from adapter.sources.model import Row

Evaluate = Callable[[Run, Row, str], Any]
Check = Callable[[Run, Row], bool]
Resolve = Callable[[str], tuple[tuple[str, str], ...]]


class Compiler:
    """Compiles nodes of one mapping. ``resolve`` finds the blocks that a reference may mean: (name, for_each) each."""

    def __init__(self, resolve: Resolve) -> None:
        self.resolve = resolve

    def node(self, node: Node, *, inside: bool = False) -> Evaluate:
        match node:
            case Literal(value, when):
                return self._guarded(when, lambda run, row, path: value, inside)  # noqa: ARG005 - one signature
            case From():
                return self._from(node, inside)
            case First():
                return self._first(node, inside)
            case Each():
                return self._each(node, inside)
            case ReferenceTo():
                return self._reference(node, inside)
            case JoinText():
                return self._join(node, inside)
            case Coded():
                return self._guarded(node.when, coded(node, inside=inside), inside)
            case Object():
                return self._object(node, inside)
            case Array():
                return self._array(node, inside)

    def _guarded(self, when: When, evaluate: Evaluate, inside: bool) -> Evaluate:
        if not when:
            return evaluate
        holds = self.when(when, inside=inside)
        return lambda run, row, path: evaluate(run, row, path) if holds(run, row) else HOLE

    def when(self, when: When, *, inside: bool = False) -> Check:
        """All conditions hold. The fields that are asked for count as read."""
        tests = [(locate(test.field, inside=inside), test.field.name, passes(test)) for test in when]

        def holds(run: Run, row: Row) -> bool:
            for find, name, holds_for in tests:
                owner = find(run, row)
                text = None
                if owner is not None:
                    text = owner.get(name)
                    run.reads.append((owner, name, Fate.MAPPED))
                if not holds_for(text):
                    return False
            return True

        return holds

    def _from(self, node: From, inside: bool) -> Evaluate:
        find, name, default = locate(node.field, inside=inside), node.field.name, node.default
        convert = converter(node.type)
        plain, code_map, as_concept = node.type == "string", node.code_map, node.type == "concept"

        def evaluate(run: Run, row: Row, path: str) -> Any:
            owner = find(run, row)
            text = owner.get(name) if owner is not None else None
            if text is None or owner is None:
                return HOLE if default is None else default
            if code_map is not None:
                target = translate(run, owner, name, text, code_map)
                if as_concept:
                    value: Any = concept(target, text)
                else:
                    value = target.code if target is not None else ""
                if not value:
                    return HOLE
            else:
                value = text
            if not plain and not as_concept:
                try:
                    value = convert(value)
                except Refused as refusal:
                    run.refuse(owner, name, refusal.text, refusal.detail)
                    return HOLE
            run.reads.append((owner, name, Fate.MAPPED))
            run.trail[path] = owner.place(name)
            return value

        return self._guarded(node.when, evaluate, inside)

    def _first(self, node: First, inside: bool) -> Evaluate:
        options = [self.node(option, inside=inside) for option in node.options]
        rest = [
            [(locate(f, inside=inside), f.name) for later in node.options[i + 1 :] for f in fields_of(later)]
            for i in range(len(options))
        ]

        def evaluate(run: Run, row: Row, path: str) -> Any:
            for option, others in zip(options, rest, strict=True):
                value = option(run, row, path)
                if value is not HOLE:
                    for find, name in others:
                        owner = find(run, row)
                        if owner is not None:
                            run.reads.append((owner, name, Fate.SUPERSEDED))
                    return value
            return HOLE

        return evaluate

    def _each(self, node: Each, inside: bool) -> Evaluate:
        if not node.field.name:
            return self._each_row(node)
        find, name, do = locate(node.field, inside=inside), node.field.name, self.node(node.do, inside=True)

        def evaluate(run: Run, row: Row, path: str) -> Any:
            owner = find(run, row)
            if owner is None:
                return HOLE
            before, run.outer = run.outer, owner
            made: list[Any] = []
            for repetition in run.each(owner, name):
                value = do(run, repetition, f"{path}[{len(made)}]")
                if value is not HOLE:
                    made.append(value)
            run.outer = before
            return made or HOLE

        return evaluate

    def _each_row(self, node: Each) -> Evaluate:
        owner, do = node.field.owner, self.node(node.do)

        def evaluate(run: Run, row: Row, path: str) -> Any:
            rows = row.each(owner) or [r for r in run.record.rows.get(owner, ()) if r.related(row.name) is row]
            made: list[Any] = []
            for other in rows:
                value = do(run, other, f"{path}[{len(made)}]")
                if value is not HOLE:
                    made.append(value)
            return made or HOLE

        return evaluate

    def _reference(self, node: ReferenceTo, inside: bool) -> Evaluate:
        targets = self.resolve(node.target)

        def evaluate(run: Run, row: Row, path: str) -> Any:  # noqa: ARG001 - one signature
            start = (run.outer or row) if inside else row
            for block, for_each in targets:
                if not for_each:
                    url = run.instances.get((block, 0))
                else:
                    target = start if start.name == for_each else start.related(for_each)
                    url = run.instances.get((block, id(target))) if target is not None else None
                if url:
                    run.referenced.add(url)
                    return {"reference": url}
            return HOLE

        return self._guarded(node.when, evaluate, inside)

    def _join(self, node: JoinText, inside: bool) -> Evaluate:
        parts = [(locate(f, inside=inside), f.name) for f in node.fields]
        convert, between = converter(node.type), node.between

        def evaluate(run: Run, row: Row, path: str) -> Any:
            found: list[tuple[Row, str, str]] = []
            for find, name in parts:
                owner = find(run, row)
                text = owner.get(name) if owner is not None else None
                if owner is not None and text is not None:
                    found.append((owner, name, text))
            if not found:
                return HOLE
            try:
                value = convert(between.join(text for _, _, text in found))
            except Refused as refusal:
                for owner, name, _ in found:
                    run.refuse(owner, name, refusal.text, refusal.detail)
                return HOLE
            run.reads.extend((owner, name, Fate.MAPPED) for owner, name, _ in found)
            run.trail[path] = "; ".join(owner.place(name) for owner, name, _ in found)
            return value

        return self._guarded(node.when, evaluate, inside)

    def _object(self, node: Object, inside: bool) -> Evaluate:
        keys = {key for key, _ in node.items}
        items: list[tuple[str, Evaluate, bool]] = []
        for key, item in node.items:
            if key == "code" and isinstance(item, From) and item.code_map and item.type != "concept":
                items.append(("", self._coding(item, keys, inside), True))
            else:
                items.append((key, self.node(item, inside=inside), is_dynamic(item)))
        dynamic, requires = any(d for _, _, d in items), node.requires

        def evaluate(run: Run, row: Row, path: str) -> Any:
            made: dict[str, Any] = {}
            filled, start = not dynamic, len(run.reads)
            dot = f"{path}." if path else ""
            for key, item, has_holes in items:
                value = item(run, row, dot + key)
                if value is HOLE:
                    continue
                if key:
                    made[key] = value
                else:
                    made.update(value)
                filled = filled or has_holes
            if not all(key in made for key in requires):
                run.lose(start, dot)
                return HOLE
            return made if filled and made else HOLE

        return self._guarded(node.when, evaluate, inside)

    def _coding(self, node: From, siblings: set[str], inside: bool) -> Evaluate:
        """The code of a coding through a code map, which also gives system and display where nothing else does."""
        find, name, default, code_map = locate(node.field, inside=inside), node.field.name, node.default, node.code_map
        take_system, take_display = "system" not in siblings, "display" not in siblings

        def evaluate(run: Run, row: Row, path: str) -> Any:
            owner = find(run, row)
            text = owner.get(name) if owner is not None else None
            if owner is None or text is None or code_map is None:
                return HOLE if default is None else {"code": default}
            target = translate(run, owner, name, text, code_map)
            if target is None or not target.code:
                return HOLE
            run.reads.append((owner, name, Fate.MAPPED))
            run.trail[f"{path}code"] = owner.place(name)
            made = {"system": target.system} if take_system and target.system else {}
            made["code"] = target.code
            if take_display and target.display:
                made["display"] = target.display
            return made

        return self._guarded(node.when, evaluate, inside)

    def _array(self, node: Array, inside: bool) -> Evaluate:
        items = [(self.node(item, inside=inside), is_dynamic(item), isinstance(item, Each)) for item in node.items]
        dynamic = any(d for _, d, _ in items)

        def evaluate(run: Run, row: Row, path: str) -> Any:
            made: list[Any] = []
            filled = not dynamic
            for item, has_holes, spliced in items:
                value = item(run, row, path if spliced else f"{path}[{len(made)}]")
                if value is HOLE:
                    continue
                if spliced:
                    made.extend(value)
                else:
                    made.append(value)
                filled = filled or has_holes
            return made if filled and made else HOLE

        return evaluate
