"""The values that are made of fields directly: as closures over the run, the row and the place in the output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.mapping.convert import Refused
from adapter.mapping.dates import converter
from adapter.mapping.lineage import Together
from adapter.mapping.nodes import From, JoinText
from adapter.mapping.state import HOLE, Run
from adapter.mapping.values import concept, locate, translate
from adapter.sources.model import Row

Evaluate = Callable[[Run, Row, str], Any]


def value_of(node: From, home: str, *, inside: bool) -> Evaluate:
    """One field as a value of a type, or through a code map."""
    field, default, code_map = node.field, node.default, node.code_map
    find, key, name = locate(field, home, inside=inside), field.key, field.name
    as_concept = node.type == "concept"
    convert = None if node.type in ("string", "concept") else converter(node.type)
    unfilled = HOLE if default is None else default

    def plain(run: Run, row: Row, path: str) -> Any:
        text = row.texts.get(key)
        if text is None:
            return unfilled
        run.reads.append((row, key))
        run.trail[path] = (row, name)
        return text

    def converted(run: Run, row: Row, path: str) -> Any:
        text = row.texts.get(key)
        if text is None or convert is None:
            return unfilled
        try:
            value = convert(text)
        except Refused as refusal:
            run.refuse(row, field, refusal.text, refusal.detail)
            return HOLE
        run.reads.append((row, key))
        run.trail[path] = (row, name)
        return value

    def evaluate(run: Run, row: Row, path: str) -> Any:
        owner = row if find is None else find(run, row)
        text = owner.texts.get(key) if owner is not None else None
        if text is None or owner is None:
            return unfilled
        value: Any = text
        if code_map is not None:
            target = translate(run, owner, field, text, code_map)
            code = target.code if target is not None else ""
            value = concept(target, text) if as_concept else code
            if not value:
                return HOLE
        if convert is not None:
            try:
                value = convert(value)
            except Refused as refusal:
                run.refuse(owner, field, refusal.text, refusal.detail)
                return HOLE
        run.reads.append((owner, key))
        run.trail[path] = (owner, name)
        return value

    if find is None and code_map is None:
        return plain if convert is None else converted
    return evaluate


def joined(node: JoinText, home: str, *, inside: bool) -> Evaluate:
    """Several fields as one text, converted or translated like one."""
    parts = [(locate(f, home, inside=inside), f) for f in node.fields]
    convert, between, code_map = converter(node.type), node.between, node.code_map
    as_concept = node.type == "concept"

    def evaluate(run: Run, row: Row, path: str) -> Any:
        found = []
        for find, field in parts:
            owner = row if find is None else find(run, row)
            text = owner.texts.get(field.key) if owner is not None else None
            if owner is not None and text is not None:
                found.append((owner, field, text))
        if not found:
            return HOLE
        value: Any = between.join([text for _, _, text in found])
        if code_map is not None:
            target = translate(run, found[0][0], found[0][1], value, code_map)
            value = concept(target, value) if as_concept else target.code if target is not None else ""
            if not value:
                return HOLE
        try:
            value = value if as_concept else convert(value)
        except Refused as refusal:
            for owner, field, _ in found:
                run.refuse(owner, field, refusal.text, refusal.detail)
            return HOLE
        run.reads.extend([(owner, field.key) for owner, field, _ in found])
        run.trail[path] = Together((owner, field.name) for owner, field, _ in found)
        return value

    return evaluate


def coding(node: From, siblings: set[str], home: str, *, inside: bool) -> Evaluate:
    """The code of a coding through a code map, which also gives system and display where nothing else does."""
    field, default, code_map = node.field, node.default, node.code_map
    find, key = locate(field, home, inside=inside), field.key
    take_system, take_display = "system" not in siblings, "display" not in siblings

    def evaluate(run: Run, row: Row, path: str) -> Any:
        owner = row if find is None else find(run, row)
        text = owner.texts.get(key) if owner is not None else None
        if owner is None or text is None or code_map is None:
            return HOLE if default is None else {"code": default}
        target = translate(run, owner, field, text, code_map)
        if target is None or not target.code:
            return HOLE
        run.reads.append((owner, key))
        run.trail[f"{path}code"] = (owner, field.name)
        made = {"system": target.system} if take_system and target.system else {}
        made["code"] = target.code
        if take_display and target.display:
            made["display"] = target.display
        return made

    return evaluate
