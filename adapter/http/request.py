"""What a request asks for: a record, and for which day and provider."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any

import orjson

from adapter.errors import AdapterError, Malformed
from adapter.fhir.validate import validate
from adapter.moments import moment
from adapter.records import Issue, RawRecord

Moment = tuple[date | None, time | None]

FHIR_TYPES = {"application/fhir+json", "application/json", "application/fhir+ndjson", "application/x-ndjson", ""}
HL7_TYPES = {"application/hl7-v2", "x-application/hl7-v2+er7"}


class UnsupportedMediaType(AdapterError):
    status = 415


@dataclass(frozen=True, slots=True)
class Call:
    """records: several are about one person where their identifiers say so, and are then read as one record.

    at: the time of day, for opening hours; without one, no service is taken to be closed.
    """

    records: tuple[RawRecord, ...]
    as_of: date | None = None
    provider: str = ""
    at: time | None = None


def read_call(body: bytes, content_type: str, asked: Sequence[tuple[str, str]]) -> Call:
    """The call in a request's body: a record as it is, or a FHIR Parameters with record, asOf and provider.

    ``asOf`` and ``provider`` may also stand in the query, whose parameters are ``asked``. Malformed (400) names the
    parameter that is wrong, that is not known, or that is given more than once.
    """
    media = content_type.split(";")[0].strip().lower()
    query = _once(asked)
    as_of = _as_of(query["asOf"], "asOf (query)") if "asOf" in query else (None, None)
    provider = query.get("provider", "")
    if media in HL7_TYPES:
        return Call((RawRecord("request body", body, "hl7v2"),), as_of[0], provider, as_of[1])
    if media not in FHIR_TYPES:
        known = ", ".join(sorted((FHIR_TYPES | HL7_TYPES) - {""}))
        raise UnsupportedMediaType(Issue("error", "not-supported", f"Content-Type is none of {known}"))
    if b'"Parameters"' in body:
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError:
            parsed = None  # said, with its place, by the one who reads the record
        if isinstance(parsed, dict) and parsed.get("resourceType") == "Parameters":
            return _from_parameters(parsed, as_of, provider, set(query))
    return Call((RawRecord("request body", body, "fhir"),), as_of[0], provider, as_of[1])


def _once(asked: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The parameters of the query; those of FHIR itself (``_format``, ``_pretty``) change nothing here."""
    query: dict[str, str] = {}
    for name, value in asked:
        if name.startswith("_"):
            continue
        if name not in ("asOf", "provider"):
            raise Malformed(Issue("error", "not-supported", "a parameter of the query is none of asOf, provider"))
        _refuse_twice(name, query, f"{name} (query)")
        query[name] = value
    return query


def _refuse_twice(name: str, given: Container[str], place: str) -> None:
    if name in given:
        raise Malformed(Issue("error", "structure", f"{name} is given more than once", "malformed", place))


def _from_parameters(parameters: dict[str, Any], as_of: Moment, provider: str, given_before: set[str]) -> Call:
    shell = {
        **parameters,
        "parameter": [
            {k: v for k, v in p.items() if k != "resource"} if isinstance(p, dict) and "resource" in p else p
            for p in parameters.get("parameter") or []
        ],
    }
    for given in shell["parameter"]:
        if isinstance(given, dict) and set(given) == {"name"}:
            given["valueBoolean"] = True  # stands for the resource, which is checked on its own
    if found := validate(shell):
        raise Malformed(*found)
    records: list[RawRecord] = []
    for number, given in enumerate(parameters["parameter"]):
        place = f"Parameters.parameter[{number}]"
        name = given["name"]
        value = next((v for k, v in given.items() if k.startswith("value")), None)
        if name == "record":
            records.append(_record(given, value, place))
            continue
        _refuse_twice(name, given_before, place)
        given_before.add(name)
        if name == "asOf":
            as_of = _as_of(str(value), place)
        elif name == "provider":
            provider = str(value or "")
        else:
            raise Malformed(Issue("error", "not-supported", "parameter is none of record, asOf, provider", "", place))
    if not records:
        raise Malformed(
            Issue("error", "required", "the parameter record is missing", "malformed", "Parameters.parameter")
        )
    if len(records) > 1:
        records = [replace(record, name=f"record {number}") for number, record in enumerate(records, 1)]
    return Call(tuple(records), as_of[0], provider, as_of[1])


def _record(given: dict[str, Any], value: Any, place: str) -> RawRecord:
    if "resource" in given:
        return RawRecord("request body", orjson.dumps(given["resource"]), "fhir")
    if isinstance(value, str) and "valueBase64Binary" in given:
        try:
            return RawRecord("request body", base64.b64decode(value, validate=True))
        except binascii.Error:
            raise Malformed(Issue("error", "value", "not base64", "malformed", place)) from None
    if isinstance(value, str):
        return RawRecord("request body", value.encode())
    raise Malformed(Issue("error", "required", "record holds no resource and no text", "malformed", place))


def _as_of(text: str, place: str) -> Moment:
    try:
        return moment(text)
    except ValueError:
        wrong = "asOf is no date as YYYY-MM-DD, nor one with a time (T22:30)"
        raise Malformed(Issue("error", "value", wrong, "malformed", place)) from None
