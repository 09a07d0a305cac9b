"""What ``/openapi.json`` says of the operations, and ``/docs`` shows: a page that needs nothing from elsewhere."""

from __future__ import annotations

from typing import Any, Final

import orjson
from fastapi import Response

from adapter.http.capability import SEARCH_TYPES
from adapter.http.request import FHIR_TYPES, HL7_TYPES

Described = dict[str, Any]

FHIR: Final = "application/fhir+json"

_PATIENT = {"resourceType": "Patient", "id": "ada", "birthDate": "1994-05-17"}
_SCORE = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "450320001"}]},
    "subject": {"reference": "Patient/ada"},
    "effectiveDateTime": "2026-02-20",
    "valueInteger": 9,
}
RECORD: Final[Described] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": _PATIENT}, {"resource": _SCORE}],
}
"""The smallest record that says something: nobody's, with an EPDS of 9."""

MESSAGE: Final = "\r".join(
    [
        r"MSH|^~\&|MATERNITY|RXX01|PERINATAL|RXX01|20260220101500||ORU^R01|MSG00001|P|2.4",
        "PID|1||9990000018^^^NHS||SYNTHETIC^ADA||19940517|2",
        "OBR|1|||450320001^Edinburgh postnatal depression scale score^SCT|||20260220093000",
        "OBX|1|NM|450320001^Edinburgh postnatal depression scale score^SCT||9||||||F",
    ]
)
_LINES: Final = f"{orjson.dumps(_PATIENT).decode()}\n{orjson.dumps(_SCORE).decode()}\n"

_RESOURCE: Described = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": {"type": "string"}},
}
_FHIR_BODY: Described = {
    "schema": {**_RESOURCE, "description": "A Bundle, one resource, or Parameters with record, asOf and provider"},
    "examples": {
        "record": {"summary": "A record", "value": RECORD},
        "parameters": {
            "summary": "A record, the day and the provider",
            "value": {
                "resourceType": "Parameters",
                "parameter": [
                    {"name": "record", "resource": RECORD},
                    {"name": "asOf", "valueDate": "2026-03-02"},
                ],
            },
        },
    },
}
_HL7_BODY: Described = {
    "schema": {"type": "string", "description": "One message, several, or a batch"},
    "examples": {"message": {"summary": "A score", "value": MESSAGE}},
}
_LINES_BODY: Described = {
    "schema": {"type": "string", "description": "A Bundle or a resource a line"},
    "examples": {"lines": {"summary": "The resources of one record", "value": _LINES}},
}
_AS_OF: Described = {
    "name": "asOf",
    "in": "query",
    "description": "The day on which it is decided; today where it is not given. With a time, opening hours count.",
    "schema": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$"},
    "examples": {"day": {"value": "2026-03-02"}, "time": {"value": "2026-03-02T22:30"}},
}
_PROVIDER: Described = {
    "name": "provider",
    "in": "query",
    "description": "Whose policies apply; the pack's default where it is not given.",
    "schema": {"type": "string"},
    "examples": {"default": {"value": "england-default"}},
}
_REFUSALS: Final = {
    400: "Malformed: the outcome names the place, a FHIRPath or a segment and field",
    404: "There is no such definition",
    413: "The body is over the limit",
    415: "The Content-Type is none of those that are read",
    422: "Well-formed, but it cannot be processed: no patient, an unknown provider, a score on a child's record",
    500: "An unforeseen error: nothing was decided and nothing may be sent",
}


def outcomes(*statuses: int) -> dict[int | str, Described]:
    """Responses that are an OperationOutcome."""
    content = {FHIR: {"schema": {**_RESOURCE, "title": "OperationOutcome"}}}
    return {status: {"description": _REFUSALS[status], "content": content} for status in statuses}


def operation(summary: str, answer: str, *, decides: bool) -> Described:
    """What a route of an operation is to be declared with. ``decides``: for a day and a provider."""
    bodies = {media: _LINES_BODY if "ndjson" in media else _FHIR_BODY for media in sorted(FHIR_TYPES - {""})}
    messages = dict.fromkeys(sorted(HL7_TYPES), _HL7_BODY)
    return {
        "summary": summary,
        "tags": ["Operations"],
        "responses": {
            200: {"description": answer, "content": {FHIR: {"schema": {**_RESOURCE, "title": "Bundle"}}}},
            **outcomes(400, 413, 415, 422, 500),
        },
        "openapi_extra": {
            "requestBody": {"required": True, "content": {**bodies, **messages}},
            **({"parameters": [_AS_OF, _PROVIDER]} if decides else {}),
        },
    }


def plain(summary: str, answer: str, tag: str, media: str = FHIR) -> Described:
    """What a route that takes nothing is to be declared with."""
    schema = _RESOURCE if media == FHIR else {"type": "object"}
    return {
        "summary": summary,
        "tags": [tag],
        "responses": {200: {"description": answer, "content": {media: {"schema": schema}}}},
        "response_class": Response,
    }


def search_of(kind: str) -> Described:
    """What the search of a type of definition is to be declared with."""
    names = [
        {"name": name, "in": "query", "schema": {"type": "string"}, "description": f"{kind}.{name.removeprefix('_')}"}
        for name in SEARCH_TYPES
    ]
    return _definitions(f"Search of {kind}.", "A searchset Bundle", names, 400)


def read_of(kind: str) -> Described:
    """What the read of a type of definition is to be declared with."""
    name = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}, "description": f"{kind}.id"}
    return _definitions(f"One {kind}.", f"The {kind}", [name], 404)


def _definitions(summary: str, answer: str, parameters: list[Described], refused: int) -> Described:
    return {
        "summary": summary,
        "tags": ["Definitions"],
        "responses": {200: {"description": answer, "content": {FHIR: {"schema": _RESOURCE}}}, **outcomes(refused)},
        "openapi_extra": {"parameters": parameters},
    }
