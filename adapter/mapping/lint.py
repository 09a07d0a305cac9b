"""What a mapping that loads can still have wrong: elements that FHIR has not, code maps nobody uses, idle reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from adapter.fhir.elements import RESOURCE_TYPES, TypeInfo, type_info
from adapter.mapping.code_maps import CodeMap
from adapter.mapping.nodes import (
    Array,
    Block,
    Coded,
    Each,
    Field,
    First,
    From,
    JoinText,
    Literal,
    Node,
    Nothing,
    Object,
    Program,
    ReferenceTo,
    conditions,
)
from adapter.mapping.parse import parse_mapping
from adapter.mapping.values import parts
from rules import ContentError

_STRUCTURED = {"concept": "CodeableConcept", "human_name": "HumanName", "quantity": "Quantity"}


def lint_mapping(folder: Path) -> list[str]:
    """What is wrong with the mapping in ``folder``, a line each; empty when nothing is.

    A mistake that keeps it from loading (a code map that is not there, a block's name given twice) is the only line.
    Code maps that lie beside several mappings are used when one of these uses them.
    """
    try:
        program = parse_mapping(folder)
        found = [
            f"{folder.name}: {problem}"
            for problem in (*_undecided(program), *_ignored_and_read(program), *_structure(program))
        ]
        return found + _unused_maps(folder, program)
    except ContentError as error:
        return [str(error)]


# --- code maps -----------------------------------------------------------------------------------------------------
def _unused_maps(folder: Path, program: Program) -> list[str]:
    own = _map_names(program)
    beside = [path.parent for path in folder.parent.glob("*/mapping.yaml") if path.parent != folder]
    shared = own.union(*(_map_names(parse_mapping(other)) for other in beside))
    files = [(path, own) for path in _map_files(folder)] + [(path, shared) for path in _map_files(folder.parent)]
    return [f"{path}: no mapping uses this code map" for path, used in files if path.stem not in used]


def _map_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("code_maps/*") if p.suffix in (".csv", ".json"))


def _map_names(program: Program) -> set[str]:
    names = {test.code_map.name for remark in program.remarks for test in remark.when if test.code_map}
    for block in program.blocks:
        tests = list(block.when)
        for node in (inner for root in _roots(block) for inner in _walk(root)):
            tests += conditions(node)
            names |= {code_map.name for code_map in _maps(node) if code_map}
        names |= {test.code_map.name for test in tests if test.code_map}
    return names


def _maps(node: Node) -> tuple[CodeMap | None, ...]:
    match node:
        case From() | JoinText():
            return (node.code_map,)
        case Coded():
            return node.schemes, node.local
        case _:
            return ()


def _roots(block: Block) -> list[Node]:
    return [block.body, *(part for part in block.id or () if not isinstance(part, Field))]


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in parts(node):
        yield from _walk(child)


# --- what a draft leaves open ---------------------------------------------------------------------------------------
def _undecided(program: Program) -> Iterator[str]:
    for name in program.undecided:
        yield f"{name} is still to be decided: map it, or say why it is ignored"


# --- ignored fields ------------------------------------------------------------------------------------------------
def _ignored_and_read(program: Program) -> Iterator[str]:
    """Fields ignored although every row's value is written. One that only some rows' values need may be both."""
    for block in program.blocks:
        if block.when:
            continue
        for full in dict.fromkeys(_always_read(block.body, block.for_each)):
            if full in program.ignored:
                yield f"{block.name}: {full} is ignored, and read here: take one of them out"


def _always_read(node: Node, home: str, around: str = "") -> Iterator[str]:
    """The full names of the fields whose values are written whatever else the row says."""
    if conditions(node):
        return
    match node:
        case From() | Coded():
            yield _full(node.field, home, around)
        case JoinText(fields):
            yield from (_full(field, home, around) for field in fields)
        case First(options):
            yield from _always_read(options[0], home, around)
        case Each(field, do):
            yield from _always_read(do, home, field.name) if field.name else _always_read(do, field.owner)
        case _:
            for child in parts(node):
                yield from _always_read(child, home, around)


def _full(field: Field, home: str, around: str) -> str:
    if around and not field.owner:
        return f"{around}.{field.key}"
    if "-" in field.name:
        return field.key
    return f"{field.owner or home}.{field.key}"


# --- structure -----------------------------------------------------------------------------------------------------
def _structure(program: Program) -> Iterator[str]:
    for block in program.blocks:
        if block.resource not in RESOURCE_TYPES:
            yield f"{block.name}: {block.resource} is no resource type of FHIR R4"
            continue
        yield from (f"{block.name}: {problem}" for problem in _object(block.body, block.resource, block.resource))


def _object(node: Object, kind: str, path: str) -> Iterator[str]:
    """Problems of a dict that stands for an element (or resource) of this type."""
    info = _info(kind)
    if info is None:
        yield f"{path} is of type {kind}, which has no elements of its own"
        return
    yield from _names([key for key, _ in node.items], info, path)
    for key, item in node.items:
        if key.startswith("_"):
            yield from _value(item, "Element", False, f"{path}.{key}")
        elif key in info.elements:
            element = info.elements[key]
            yield from _value(item, element.type, element.many, f"{path}.{key}")


def _names(names: Sequence[str], info: TypeInfo, path: str) -> Iterator[str]:
    for name in names:
        if name.removeprefix("_") not in info.elements:
            yield f"{path}.{name} is no element of FHIR R4"
    for name in info.required:
        if name not in names:
            yield f"{path}.{name} is missing and FHIR requires it"


def _value(node: Node, kind: str, many: bool, path: str) -> Iterator[str]:
    """Problems of what fills an element; ``many``: a list stands there."""
    match node:
        case Array(items) if many:
            for item in items:
                yield from _value(item, kind, isinstance(item, Each), path)
        case Each(_, do) if many:
            yield from _value(do, kind, False, path)
        case First(options):
            for option in options:
                yield from _value(option, kind, many, path)
        case Nothing():
            return
        case Array() | Each():
            yield f"{path} holds one value: this is a list"
        case _ if many:
            yield f"{path} holds a list: write [ … ] or each"
        case Object():
            yield from _object(node, kind, path)
        case Literal(value):
            yield from _literal(value, kind, path)
        case _:
            made = _made(node)
            if made != kind if made else _info(kind) is not None:
                yield f"{path} is of type {kind}, and {'this is a ' + made if made else 'a plain value fills it'}"


def _made(node: Node) -> str:
    """The type that a node makes; "" for a plain value."""
    if isinstance(node, ReferenceTo):
        return "Reference"
    if isinstance(node, Coded):
        return "CodeableConcept"
    return _STRUCTURED.get(node.type, "") if isinstance(node, From | JoinText) else ""


def _literal(value: Any, kind: str, path: str) -> Iterator[str]:
    info = _info(kind)
    if not isinstance(value, dict):
        if info is not None:
            yield f"{path} is of type {kind}, and a plain value fills it"
    elif info is None:
        yield f"{path} is of type {kind}, which has no elements of its own"
    else:
        yield from _names(list(value), info, path)


def _info(kind: str) -> TypeInfo | None:
    """The elements of a type; None for a primitive one."""
    try:
        return type_info(kind)
    except KeyError:
        return None
