"""JSON Schemas of FHIR R4 resource types, compiled once a process, one resource type at a time.

They answer one question fast: is this resource certainly valid? A schema never accepts what the walk of
``adapter.fhir.walk`` refuses, but refuses some rare forms that the walk accepts (a primitive given by its sidecar
alone, the sidecar of a choice or of a list, an extension with an id): whoever is refused here is asked again there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from adapter.fhir import primitives
from adapter.fhir.elements import RESOURCE_TYPES, Element, type_info

Schema = dict[str, Any]


def acceptor(resource_type: str) -> Callable[[object], bool]:
    """Compile (2 ms) the check of one resource, without the resources inside it."""
    from jsonschema_rs import Draft202012Validator, RegexOptions  # 15 ms that a short run can do without

    return Draft202012Validator(schema_of(resource_type), pattern_options=RegexOptions()).is_valid


def schema_of(resource_type: str) -> Schema:
    """The schema of one resource type and of all types it uses. Resources inside it need only be objects."""
    definitions: dict[str, Schema] = {}
    _define(resource_type, definitions)
    _define("Element", definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": f"#/$defs/{resource_type}",
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
        own |= _one_of_each(groups.values())


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


def _one_of_each(groups: Iterable[list[str]]) -> Schema:
    """At most one element of each choice group: each one forbids those after it (their sidecars are not accepted)."""
    rules = {}
    for keys in groups:
        for at, key in enumerate(keys[:-1]):
            rules[key] = {"properties": dict.fromkeys(keys[at + 1 :], False)}
    return {"dependentSchemas": rules} if rules else {}
