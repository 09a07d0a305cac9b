"""JSON Schemas of FHIR R4 resource types, compiled into one check of resources of any of these types.

It answers one question fast: are these resources certainly valid? It never accepts what the walk of
``adapter.fhir.walk`` refuses, but refuses some rare forms that the walk accepts (a primitive given by its sidecar
alone, the sidecar of a choice or of a list, an extension with an id): whoever is refused here is asked again there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from adapter.fhir import primitives
from adapter.fhir.elements import RESOURCE_TYPES, Element, type_info

Schema = dict[str, Any]


class Acceptor(NamedTuple):
    """The compiled check of resources of these types, without the resources inside them.

    ``accepts`` says whether resources, in lists by their type, are all surely valid: never those of another type.
    """

    types: frozenset[str]
    accepts: Callable[[Mapping[str, Sequence[object]]], bool]


NOTHING = Acceptor(frozenset(), lambda _: False)
"""No type is compiled yet."""


def acceptor(types: Iterable[str]) -> Acceptor:
    """Compile the check of these types (4 ms, and 0.1 ms for each more).

    It is one for all: what they share (Reference, CodeableConcept, Extension …) is compiled once, and stays near the
    processor from one resource to the next.
    """
    from jsonschema_rs import Draft202012Validator, RegexOptions  # 15 ms that a short run can do without

    kinds = frozenset(types)
    return Acceptor(kinds, Draft202012Validator(schema_of(kinds), pattern_options=RegexOptions()).is_valid)


def schema_of(types: Iterable[str]) -> Schema:
    """The schema of lists of resources by their type, with all types they use. Inner resources need only be objects."""
    definitions: dict[str, Schema] = {}
    _define("Element", definitions)
    lists = {}
    for name in sorted(types):
        _define(name, definitions)
        lists[name] = {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": lists,
        "additionalProperties": False,
        "$defs": definitions,
    }


def _define(name: str, definitions: dict[str, Schema]) -> None:
    if name in definitions:
        return
    info = type_info(name)
    properties: dict[str, Schema] = {}
    own: Schema = {"type": "object", "additionalProperties": False, "properties": properties, "minProperties": 1}
    definitions[name] = own
    groups: dict[str, list[str]] = {}
    for key, element in info.elements.items():
        item = _item(element, definitions)
        properties[key] = {"type": "array", "minItems": 1, "items": item} if element.many else item
        if element.choice:
            groups.setdefault(element.choice, []).append(key)
        elif element.type in primitives.PRIMITIVES and not element.many:
            properties[f"_{key}"] = {"$ref": "#/$defs/Element"}
    if name in RESOURCE_TYPES:
        properties["resourceType"] = {"const": name}
    if info.required:
        own["required"] = list(info.required)
    if info.required_choices:
        own["allOf"] = [{"anyOf": [{"required": [key]} for key in groups[group]]} for group in info.required_choices]
    if name == "Extension":
        own |= {"minProperties": 2, "maxProperties": 2}  # the url, and one value or extensions
    elif name == "ParametersParameter":
        own |= {"maxProperties": 2}  # the name, and one value, resource or list of parts
    else:
        own |= _one_of_each(groups.values(), len(info.required))


def _item(element: Element, definitions: dict[str, Schema]) -> Schema:
    if element.type == "Resource":
        return {"type": "object"}
    if element.type in primitives.PRIMITIVES:
        return {"enum": list(element.codes)} if element.codes else primitives.schema(element.type)
    _define(element.type, definitions)
    reference = {"$ref": f"#/$defs/{element.type}"}
    if not element.codes:
        return reference
    coding = {
        "required": ["system", "code"],
        "properties": {"system": {"const": element.system}, "code": {"enum": list(element.codes)}},
    }
    return reference | {"required": ["coding"], "properties": {"coding": {"type": "array", "contains": coding}}}


def _one_of_each(groups: Iterable[list[str]], required: int) -> Schema:
    """At most one element of each choice group: each one forbids those after it (their sidecars are not accepted).

    Where there is at most one element beside the required ones, none of which is a choice, nothing is looked up.
    """
    rules = {}
    for keys in groups:
        for at, key in enumerate(keys[:-1]):
            rules[key] = {"properties": dict.fromkeys(keys[at + 1 :], False)}
    return {"anyOf": [{"maxProperties": required + 1}, {"dependentSchemas": rules}]} if rules else {}
