"""The operations of this server as OperationDefinitions."""

from __future__ import annotations

from collections.abc import Iterator

from adapter.fhir.profiles import profile_for
from adapter.http.capability import OPERATIONS
from adapter.records import Resource

_RECORD = {
    "name": "record",
    "use": "in",
    "min": 1,
    "max": "*",
    "type": "Resource",
    "documentation": "The record: a resource or a Bundle; HL7 v2 goes into valueBase64Binary or valueString",
}
_AS_OF = {
    "name": "asOf",
    "use": "in",
    "min": 0,
    "max": "1",
    "type": "dateTime",
    "documentation": "The day on which it is decided; today where it is not given. With a time, opening hours count",
}
_PROVIDER = {
    "name": "provider",
    "use": "in",
    "min": 0,
    "max": "1",
    "type": "string",
    "documentation": "Whose policies apply; the pack's default where it is not given",
}
_RETURN = {
    "name": "return",
    "use": "out",
    "min": 1,
    "max": "1",
    "type": "Bundle",
    "documentation": "The result; for several records a Bundle with an entry for each",
}
_PARAMETERS = {"evaluate-referrals": [_RECORD, _AS_OF, _PROVIDER, _RETURN], "convert": [_RECORD, _RETURN]}


def operation_definitions(base: str, version: str) -> Iterator[Resource]:
    """One for each of OPERATIONS; ``version`` is the rule pack's."""
    for code, text in OPERATIONS.items():
        yield {
            "resourceType": "OperationDefinition",
            "id": code,
            "meta": {"profile": [profile_for("OperationDefinition")]},
            "url": f"{base}/OperationDefinition/{code}",
            "version": version,
            "name": "".join(word.capitalize() for word in code.split("-")),
            "title": text,
            "status": "draft",
            "kind": "operation",
            "experimental": True,
            "description": text,
            "affectsState": False,
            "code": code,
            "system": True,
            "type": False,
            "instance": False,
            "parameter": _PARAMETERS[code],
        }
