"""JSON Schemas of mapping files, for editors (completion, and squiggles before ``perinatal mappings lint`` runs).

They are looser than ``parse``: fields, code maps and references are checked only there.
"""

from __future__ import annotations

from typing import Any

from adapter.mapping.convert import TYPES
from adapter.mapping.dates import DATED
from adapter.mapping.keys import BLOCK_KEYS, HEAD_KEYS, NODE_KEYS, REMARK_KEYS
from adapter.mapping.shapes import SHAPES

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_TEST = {
    "anyOf": [
        _TEXT,
        _TEXTS,
        {
            "type": "object",
            "properties": {"not": {"$ref": "#/$defs/test"}, "map": _TEXT, "shape": {"enum": sorted(SHAPES)}},
            "additionalProperties": False,
        },
    ]
}
_KEYS: dict[str, Any] = {
    "from": _TEXT,
    "as": {
        "anyOf": [
            {"enum": [*TYPES, "concept"]},
            {
                "type": "object",
                "properties": {name: {"anyOf": [_TEXT, _TEXTS]} for name in DATED},
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
            },
        ]
    },
    "map": _TEXT,
    "default": True,
    "when": {"$ref": "#/$defs/when"},
    "first": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/node"}},
    "const": True,
    "each": _TEXT,
    "do": {"$ref": "#/$defs/node"},
    "reference_to": _TEXT,
    "join_text": {**_TEXTS, "minItems": 1},
    "with": _TEXT,
    "coded": _TEXT,
    "scheme": _TEXT,
    "system": _TEXT,
    "local": _TEXT,
}


def head_schema() -> dict[str, Any]:
    """Of ``mapping.yaml``."""
    own: dict[str, Any] = {
        "patient": {"type": "object", "required": ["table", "key"]},
        "joins": {"type": "object", "additionalProperties": {"type": "object", "required": ["to", "by"]}},
        "keys": {"type": "object", "additionalProperties": _TEXT},
        "lookups": {"type": "object", "additionalProperties": {"type": "object", "required": ["by", "of"]}},
        "files": _TEXTS,
        "rows": {"type": "object", "additionalProperties": _TEXT},
        "format": {"type": "object"},
        "remove": _TEXTS,
    }
    return {
        "$schema": _DIALECT,
        "title": "mapping.yaml",
        "type": "object",
        "required": ["name", "version"],
        "anyOf": [{"required": ["source"]}, {"required": ["extends"]}],
        "properties": {key: own.get(key, _TEXT) for key in sorted(HEAD_KEYS)},
        "additionalProperties": False,
    }


def blocks_schema() -> dict[str, Any]:
    """Of the other files of a mapping: a list of blocks."""
    special = [
        {
            "type": "object",
            "required": [kind],
            "properties": {key: _KEYS[key] for key in sorted(allowed)},
            "additionalProperties": False,
        }
        for kind, allowed in NODE_KEYS.items()
    ]
    plain = {
        "type": "object",
        "not": {"anyOf": [{"required": [kind]} for kind in NODE_KEYS]},
        "properties": {"when": {"$ref": "#/$defs/when"}, "requires": _TEXTS},
        "additionalProperties": {"$ref": "#/$defs/node"},
    }
    block_keys: dict[str, Any] = {
        "resource": _TEXT,
        "for_each": _TEXT,
        "id": {"type": "array", "items": {"anyOf": [_TEXT, {"$ref": "#/$defs/node"}]}},
        "name": {"anyOf": [_TEXT, {"$ref": "#/$defs/node"}]},
        "when": {"$ref": "#/$defs/when"},
        "requires": _TEXTS,
        "remove": _TEXTS,
        "add": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"$ref": "#/$defs/node"}},
        },
    }
    resource = {
        "type": "object",
        "required": ["resource"],
        "properties": {key: block_keys[key] for key in sorted(BLOCK_KEYS)},
        "additionalProperties": {"$ref": "#/$defs/node"},
    }
    ignore = {
        "type": "object",
        "required": ["ignore"],
        "properties": {"ignore": {"type": "object", "additionalProperties": _TEXT}},
        "additionalProperties": False,
    }
    remark = {
        "type": "object",
        "required": ["report", "for_each", "field"],
        "properties": {key: block_keys.get(key, _TEXT) for key in sorted(REMARK_KEYS)},
        "additionalProperties": False,
    }
    return {
        "$schema": _DIALECT,
        "title": "blocks of a mapping",
        "type": "array",
        "items": {"anyOf": [resource, ignore, remark]},
        "$defs": {
            "test": _TEST,
            "when": {"type": "object", "additionalProperties": {"$ref": "#/$defs/test"}},
            "node": {
                "anyOf": [
                    {"type": ["string", "number", "boolean"]},
                    {"type": "array", "items": {"$ref": "#/$defs/node"}},
                    *special,
                    plain,
                ]
            },
        },
    }
