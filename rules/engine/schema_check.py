"""Checks a content file against its JSON Schema (rules/schema) and points at what is wrong."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

from rules.engine.errors import ContentError
from rules.engine.yaml_file import Document

SCHEMAS = Path(__file__).resolve().parents[1] / "schema"


@cache
def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = orjson.loads((SCHEMAS / f"{name}.json").read_bytes())
    return schema


@cache
def _validator(name: str) -> Any:
    common = _schema("common")
    registry = jsonschema_rs.Registry([(common["$id"], common)])
    return jsonschema_rs.validator_for(_schema(name), registry=registry)


def check(document: Document, schema: str) -> None:
    """Raise a ContentError for the first thing (in the file's order) that the schema does not allow.

    Where a key is missing and another is unknown, the unknown one is named: it is the missing one with a mistake in it.
    """
    errors = list(_validator(schema).iter_errors(document.data))
    if not errors:
        return
    misspelt = {_object(document, error) for error in errors if error.kind.name == "additionalProperties"}
    problems = [_problem(document, error) for error in errors]
    problems = [each for each in problems if each.code != "RC012" or (each.line, each.column) not in misspelt]
    first = min(problems, key=lambda problem: (problem.line, problem.column))
    if len(problems) > 1:
        more = f"{first.message} (and {len(problems) - 1} more in this file)"
        first = ContentError(more, first.file, first.line, first.column, first.code)
    raise first


def _object(document: Document, error: Any) -> tuple[int, int]:
    """Where the mapping stands that an error is about."""
    return document.position(tuple(error.instance_path))


def _problem(document: Document, error: Any) -> ContentError:
    kind, path = error.kind.as_dict(), tuple(error.instance_path)
    match error.kind.name:
        case "additionalProperties":
            unexpected = kind["unexpected"][0]
            return document.error(
                (*path, unexpected), f"unknown key {unexpected!r}: remove it or correct its spelling", code="RC011"
            )
        case "propertyNames":
            name = kind["error"].instance
            advice = "use lower case letters, digits and single hyphens (in a fact's name: underscores)"
            return document.error((*path, name), f"{name!r} cannot be a name here: {advice}", code="RC015")
        case "required":
            code, message = "RC012", f"the key {kind['property']!r} is missing"
        case "enum":
            code, message = "RC014", f"must be one of {', '.join(map(str, kind['options']))}"
        case "const":
            code = "RC014"
            message = f"only {str(kind['expected_value']).lower()} can be written here: else leave the key out"
        case "type":
            code, message = "RC013", f"{' or '.join(map(_type_name, kind['types']))} is needed here"
        case "pattern":
            code, message = "RC015", f"does not have the form {kind['pattern']}"
        case "minItems":
            code, message = "RC016", "the list is too short"
        case "minProperties":
            code, message = "RC016", "say at least one thing here (one of the keys the schema allows)"
        case "oneOf":
            code, message = "RC016", "say exactly one thing here (one of the keys the schema allows)"
        case "maxProperties":
            code, message = "RC030", "a condition has one key: join several with all or any"
        case _:
            code, message = "RC016", str(error.message)
    return document.error(path, message, code)


def _type_name(name: str) -> str:
    return {"object": "a mapping", "array": "a list", "string": "text", "null": "nothing"}.get(name, f"a {name}")
