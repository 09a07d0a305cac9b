"""The JSON Schemas of a pack's files, each complete in itself: an editor needs no second file to understand it.

They are looser than the loader, which also knows the names, types and values of the pack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from rules.engine.schema_check import SCHEMAS

KINDS: Mapping[str, str] = {
    "pack": "pack.yaml",
    "facts": "facts.yaml",
    "parameters": "parameters.yaml",
    "services": "services.yaml",
    "criteria": "criteria/*.yaml",
    "second_stage": "second_stage.yaml",
    "asks": "asks.yaml",
    "provider": "providers/*.yaml",
    "directory": "directory/*.yaml",
    "tests": "tests/*.yaml",
    "what_if": "what_if.yaml",
    "lint": "lint.yaml",
}
"""The kinds of file, each with where such files are in a pack's folder."""
_SHARED = "common.json"
_DEFINITIONS = "#/$defs/"


def schema(kind: str) -> dict[str, Any]:
    """The schema of one kind of file, with the shared definitions it uses. Raises KeyError for a kind there is not."""
    if kind not in KINDS:
        raise KeyError(kind)
    own, shared = _read(kind), _read("common")["$defs"]
    needed: dict[str, None] = {}
    pending = list(_shared_names(own))
    while pending:
        name = pending.pop()
        if name not in needed:
            needed[name] = None
            pending += _own_names(shared[name])
    definitions = {name: shared[name] for name in shared if name in needed}
    complete: dict[str, Any] = _local(own)
    return {**complete, "$defs": {**complete.get("$defs", {}), **definitions}}


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema, by kind of file."""
    return {kind: schema(kind) for kind in KINDS}


def write_schemas(out: Path, kinds: Iterable[str] = KINDS) -> list[Path]:
    """Write each schema as ``KIND.schema.json`` into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind in kinds:
        path = out / f"{kind}.schema.json"
        path.write_bytes(orjson.dumps(schema(kind), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        paths.append(path)
    return paths


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads((SCHEMAS / f"{name}.json").read_bytes())
    return content


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            elif key != "examples":
                yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _shared_names(node: Any) -> Iterator[str]:
    prefix = _SHARED + _DEFINITIONS
    return (ref.removeprefix(prefix) for ref in _references(node) if ref.startswith(prefix))


def _own_names(node: Any) -> Iterator[str]:
    return (ref.removeprefix(_DEFINITIONS) for ref in _references(node) if ref.startswith(_DEFINITIONS))


def _local(node: Any) -> Any:
    """The same, with each reference to a shared definition made to point inside."""
    if isinstance(node, dict):
        return {
            key: value.removeprefix(_SHARED) if key == "$ref" and isinstance(value, str) else _local(value)
            for key, value in node.items()
        }
    return [_local(item) for item in node] if isinstance(node, list) else node
