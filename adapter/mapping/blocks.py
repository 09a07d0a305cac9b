"""Parses one file of blocks (what is made, ignored or reported); every mistake with its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapter.mapping.code_maps import CodeMap, find_code_map
from adapter.mapping.convert import TYPES
from adapter.mapping.dates import DATED, TOKENS, date_pattern
from adapter.mapping.grouping import HL7V2, Place, as_dict, only
from adapter.mapping.keys import BLOCK_KEYS, NODE_KEYS, REMARK_KEYS
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
    Object,
    ReferenceTo,
    Remark,
    Tables,
    Test,
    When,
)
from adapter.mapping.overlay import (
    ADD,
    check_changes,
    overlaid,
)
from adapter.mapping.shapes import NORMAL, SHAPES
from adapter.sources.hl7v2_rows import field_key
from rules import ContentError, Document

_HL7_FIELD = re.compile(r"(?:([A-Z][A-Z0-9]{2})-)?[1-9]\d*(?:\[[1-9]\d*\])?(?:\.[1-9]\d*){0,2}")
_HL7_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")


class BlockFile:
    """Parses one file of blocks."""

    def __init__(
        self,
        document: Document,
        folders: tuple[Path, ...],
        source: str,
        tables: Tables | None,
        maps: dict[str, CodeMap],
    ) -> None:
        self.document, self.folders, self.tables, self.maps = document, folders, tables, maps
        self.hl7 = source == HL7V2
        self.targets: list[tuple[Place, str]] = []

    def read(self, blocks: list[Block], ignored: dict[str, str], remarks: list[Remark], inherited: set[str]) -> None:
        """Add the file's blocks; one whose name is ``inherited`` changes the block of that name, once."""
        if not isinstance(self.document.data, list):
            raise self.document.error((), "a mapping file is a list: - resource: …, - ignore: … or - report: …")
        for index, item in enumerate(self.document.data):
            at: Place = (index,)
            block = as_dict(self.document, at, item)
            if "ignore" in block:
                only(self.document, at, block, {"ignore"})
                ignored.update(self._ignored((index, "ignore"), block["ignore"]))
            elif "report" in block:
                remarks.append(self._remark(at, block))
            elif isinstance(block.get("resource"), str):
                name = self._name(block)
                index_of = {other.name: position for position, other in enumerate(blocks)}
                if name in inherited:
                    inherited.remove(name)
                    blocks[index_of[name]] = self._block(at, block, name, blocks[index_of[name]])
                elif name in index_of:
                    raise self.document.error(at, f"a block named {name} exists: give this one a name of its own")
                else:
                    blocks.append(self._block(at, block, name, None))
            else:
                raise self.document.error(at, "a block begins with resource: TYPE, ignore: {field: reason} or report:")

    def check_targets(self, names: set[str]) -> None:
        """Every reference_to names a block or a type of resource that some block makes."""
        for at, target in self.targets:
            if target not in names:
                raise self.document.error(at, f"no block is named {target} or makes one: {', '.join(sorted(names))}")

    def _ignored(self, at: Place, value: Any) -> Iterator[tuple[str, str]]:
        for name, reason in as_dict(self.document, at, value).items():
            if not isinstance(reason, str) or len(reason.split()) < 2:
                raise self.document.error((*at, name), "say in words why this is ignored")
            if self.hl7 and not (_HL7_FIELD.fullmatch(name) or _HL7_SEGMENT.fullmatch(name)):
                raise self.document.error((*at, name), "name a field (PID-18) or a segment (IN1)")
            yield name, reason

    def _remark(self, at: Place, block: dict[str, Any]) -> Remark:
        only(self.document, at, block, REMARK_KEYS)
        if not all(isinstance(block.get(key), str) for key in ("report", "for_each", "field")):
            raise self.document.error(at, "say what to report, for_each row of which table or segment, at which field")
        owner = self._owner((*at, "for_each"), block["for_each"])
        field = self._field((*at, "field"), block["field"])
        return Remark(block["report"], owner, field, str(block.get("detail", "")), self._when(at, block))

    def _name(self, block: dict[str, Any]) -> str:
        name = block.get("name")  # where it is not text, it is FHIR's element
        return name if isinstance(name, str) else "-".join(filter(None, (block["resource"], block.get("for_each"))))

    def _block(self, at: Place, block: dict[str, Any], name: str, base: Block | None) -> Block:
        check_changes(self.document, at, block, base)
        for_each = block.get("for_each", "")
        self._owner((*at, "for_each"), for_each) if for_each else None
        identity = block.get("id")
        if identity is not None and not isinstance(identity, list):
            raise self.document.error((*at, "id"), "id is a list of fields or values: id: [OBR-3, OBX-3.1]")
        body = {k: v for k, v in block.items() if k not in BLOCK_KEYS or (k == "name" and not isinstance(v, str))}
        added = {key: self._array((*at, ADD, key), items) for key, items in block.get(ADD, {}).items()}
        filled = {**(dict(base.body.items) if base else {}), **body, **added}
        made = Block(
            block["resource"],
            name,
            for_each,
            self._object(at, body, ()),
            None
            if identity is None
            else tuple(self._identity((*at, "id", i), part) for i, part in enumerate(identity)),
            self._when(at, block),
            self._requires(at, block, filled),
        )
        return overlaid(base, made, block, added) if base else made

    def _identity(self, at: Place, part: Any) -> Field | Node:
        return self._node(at, part) if isinstance(part, dict) else self._field(at, part)

    def _owner(self, at: Place, name: Any) -> str:
        if self.hl7 and not (isinstance(name, str) and _HL7_SEGMENT.fullmatch(name)):
            raise self.document.error(at, "name a segment, such as OBX")
        if self.tables and name not in self.tables.known:
            raise self.document.error(at, f"{name!r} is no table of mapping.yaml: add it to joins")
        return str(name)

    def _field(self, at: Place, name: Any) -> Field:
        if not isinstance(name, str) or not name:
            raise self.document.error(at, "name a source field here (in quotes when it is a number)")
        if self.hl7:
            match = _HL7_FIELD.fullmatch(name)
            if match is None:
                raise self.document.error(
                    at, f"{name!r} is no HL7 field: write PID-3.4 or, inside each, a component '4'"
                )
            return Field(match[1] or "", name, field_key(name))
        owner, dot, column = name.partition(".")
        if dot and self.tables and owner in self.tables.known:
            return Field(owner, column, column)
        return Field("", name, name)

    def _map(self, at: Place, name: Any) -> CodeMap:
        if name not in self.maps:
            try:
                self.maps[name] = find_code_map(self.folders, str(name))
            except ContentError as error:
                raise error if error.line else self.document.error(at, error.message) from None
        return self.maps[name]

    def _when(self, at: Place, owner: dict[str, Any]) -> When:
        if "when" not in owner:
            return ()
        at = (*at, "when")
        return tuple(
            test
            for name, value in as_dict(self.document, at, owner["when"]).items()
            for test in self._tests((*at, name), self._field((*at, name), name), value, negate=False)
        )

    def _tests(self, at: Place, field: Field, value: Any, *, negate: bool) -> Iterator[Test]:
        if value in ("present", "absent"):
            yield Test(field, negate=negate != (value == "absent"))
        elif isinstance(value, dict):
            only(self.document, at, value, {"not", "map", "shape"})
            if "not" in value:
                yield from self._tests((*at, "not"), field, value["not"], negate=not negate)
            if "map" in value:
                yield Test(field, code_map=self._map((*at, "map"), value["map"]), negate=negate)
            if "shape" in value:
                if value["shape"] not in SHAPES:
                    raise self.document.error((*at, "shape"), f"a shape is one of {', '.join(SHAPES)}")
                yield Test(field, shape=value["shape"], negate=negate)
        else:
            values = value if isinstance(value, list) else [value]
            if not all(isinstance(v, str) for v in values):
                raise self.document.error(at, "values of a source are text: write them in quotes")
            yield Test(field, values=frozenset(values), negate=negate)

    def _node(self, at: Place, value: Any) -> Node:
        if isinstance(value, list):
            return self._array(at, value)
        if not isinstance(value, dict):
            if value is None:
                raise self.document.error(at, "nothing is written here: give a value or leave the line out")
            return Literal(value)
        for kind, allowed in NODE_KEYS.items():
            if kind in value:
                only(self.document, at, value, allowed)
                made: Node = getattr(self, f"_{kind}")(at, value)
                return made
        body = {k: v for k, v in value.items() if k not in ("when", "requires")}
        return self._object(at, body, self._when(at, value), self._requires(at, value, body))

    def _array(self, at: Place, items: list[Any]) -> Array:
        return Array(tuple(self._node((*at, i), item) for i, item in enumerate(items)))

    def _requires(self, at: Place, value: dict[str, Any], body: dict[str, Any]) -> tuple[str, ...]:
        names = value.get("requires", [])
        if not isinstance(names, list):
            raise self.document.error((*at, "requires"), "requires is a list of elements")
        for name in names:
            if name not in body:
                raise self.document.error((*at, "requires"), f"{name} is required and no line here fills it")
        return tuple(names)

    def _object(self, at: Place, value: dict[str, Any], when: When, requires: tuple[str, ...] = ()) -> Object:
        items = tuple((key, self._node((*at, key), item)) for key, item in value.items())
        fixed = any(key == "system" and isinstance(item, Literal) for key, item in items)
        for key, item in items:
            if (
                fixed
                and key == "code"
                and isinstance(item, From)
                and item.code_map
                and item.code_map.unmapped == "keep"
            ):
                message = (
                    f"a code that {item.code_map.name} does not have would be kept under this system, which is false:"
                )
                raise self.document.error(
                    (*at, key), f"{message} put system in the code map, or '# unmapped: drop' on it"
                )
        return Object(items, when, requires)

    def _type(self, at: Place, value: dict[str, Any]) -> str:
        name = value.get("as", "string")
        if isinstance(name, dict):
            return self._dated((*at, "as"), name)
        if name not in TYPES and not (name == "concept" and "map" in value):
            raise self.document.error((*at, "as"), f"as is one of {', '.join(TYPES)}, or concept with a map")
        dates = self.tables.format.dates if self.tables and name in DATED else ()
        return f"{name}:{'|'.join(dates)}" if dates else str(name)

    def _dated(self, at: Place, value: dict[str, Any]) -> str:
        only(self.document, at, value, set(DATED))
        for name, given in value.items():
            patterns = given if isinstance(given, list) else [given]
            if len(value) == 1 and all(isinstance(p, str) and date_pattern(p) is not None for p in patterns):
                return f"{name}:{'|'.join(patterns)}"
        raise self.document.error(at, f"write {{date: PATTERN}}; a pattern has {TOKENS}")

    def _from(self, at: Place, value: dict[str, Any]) -> From:
        code_map = self._map((*at, "map"), value["map"]) if "map" in value else None
        field = self._field((*at, "from"), value["from"])
        return From(field, self._type(at, value), code_map, value.get("default"), self._when(at, value))

    def _first(self, at: Place, value: dict[str, Any]) -> First:
        if not isinstance(value["first"], list) or not value["first"]:
            raise self.document.error(at, "first is a list: the first of its values that is filled is taken")
        return First(tuple(self._node((*at, "first", i), option) for i, option in enumerate(value["first"])))

    def _const(self, at: Place, value: dict[str, Any]) -> Literal:
        return Literal(value["const"], self._when(at, value))

    def _each(self, at: Place, value: dict[str, Any]) -> Each:
        if "do" not in value:
            raise self.document.error(at, "each needs do: what to make of one repetition")
        name = value["each"]
        is_owner = (self.tables and name in self.tables.known) or (self.hl7 and _HL7_SEGMENT.fullmatch(str(name)))
        field = Field(str(name), "", "") if is_owner else self._field((*at, "each"), name)
        return Each(field, self._node((*at, "do"), value["do"]))

    def _reference_to(self, at: Place, value: dict[str, Any]) -> ReferenceTo:
        self.targets.append(((*at, "reference_to"), str(value["reference_to"])))
        return ReferenceTo(str(value["reference_to"]), self._when(at, value))

    def _join_text(self, at: Place, value: dict[str, Any]) -> JoinText:
        names = value["join_text"]
        if not isinstance(names, list) or not names:
            raise self.document.error(at, "join_text is a list of fields")
        fields = tuple(self._field((*at, "join_text", i), name) for i, name in enumerate(names))
        code_map = self._map((*at, "map"), value["map"]) if "map" in value else None
        return JoinText(fields, str(value.get("with", " ")), self._type(at, value), code_map, self._when(at, value))

    def _coded(self, at: Place, value: dict[str, Any]) -> Coded:
        if ("scheme" in value) != ("map" in value) or ("scheme" in value) == ("system" in value):
            raise self.document.error(at, "coded needs scheme: FIELD and map: SCHEMES, or system: URI")
        schemes = self._map((*at, "map"), value["map"]) if "map" in value else None
        systems = tuple(t.code for t in schemes.targets.values()) if schemes else (value["system"],)
        for system in systems:
            if system not in NORMAL:
                raise self.document.error(
                    at, f"{system} is none of the systems whose shape is known: {', '.join(NORMAL)}"
                )
        return Coded(
            self._field((*at, "coded"), value["coded"]),
            self._field((*at, "scheme"), value["scheme"]) if schemes else None,
            schemes,
            systems,
            self._map((*at, "local"), value["local"]) if "local" in value else None,
            self._when(at, value),
        )
