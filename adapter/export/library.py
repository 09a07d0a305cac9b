"""The logic of the pack as a Library: CQL for people, ELM for engines, and what must be supplied to it."""

from __future__ import annotations

from base64 import b64encode

from adapter.export.pack_plan import any_to_confirm
from adapter.export.scope import Export
from adapter.records import Resource
from rules.tools.cql import CqlLibrary, Input

_PARAMETER_TYPES = {
    "Boolean": "boolean",
    "Integer": "integer",
    "Decimal": "decimal",
    "String": "string",
    "Date": "date",
    "List<String>": "string",
    "Interval<Date>": "Period",
    "Interval<Integer>": "Range",
}
"""The type of an input in CQL → in FHIR."""


_DESCRIPTION = (
    "The conditions of the rules over facts. Each fact is a parameter; one that is not given is not met or not known, "
    "as its parameter FACT.absent says. Truth is three-valued: null is unknown."
)


def library_resource(export: Export, library: CqlLibrary) -> Resource:
    content, name = export.content, export.name("Library", library.name)
    logic = {"system": "http://terminology.hl7.org/CodeSystem/library-type", "code": "logic-library"}
    return {
        **export.head("Library", library.name, f"{content.title}: the logic", any_to_confirm(export)),
        "type": {"coding": [logic]},
        "description": _DESCRIPTION,
        **export.for_provider(),
        "parameter": [
            _parameter("AsOf", "date", "The day on which everything is decided; today where it is not given"),
            *(_fact(item) for item in library.inputs),
        ],
        "content": [
            _attachment("text/cql", library.text, f"{name}.cql"),
            _attachment("application/elm+json", library.elm_json, f"{name}.json"),
        ],
    }


def _fact(item: Input) -> Resource:
    return _parameter(item.name, _PARAMETER_TYPES[item.type], item.label, "*" if item.type == "List<String>" else "1")


def _parameter(name: str, kind: str, label: str, most: str = "1") -> Resource:
    return {"name": name, "use": "in", "min": 0, "max": most, "documentation": label, "type": kind}


def _attachment(kind: str, text: str, title: str) -> Resource:
    return {"contentType": kind, "data": b64encode(text.encode()).decode(), "title": title}
