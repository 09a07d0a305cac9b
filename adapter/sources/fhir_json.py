"""JSON from bytes: parsed, told apart from NDJSON, and where it is neither, what it might have been meant to be."""

from __future__ import annotations

import orjson

from adapter.errors import Malformed
from adapter.records import Issue

_CSV = "is not JSON: a CSV file is read with --mapping NAME, and the tables of MSDS or MHSDS as their folder"
_XML = "is not JSON but XML, as which FHIR is not read"


def is_ndjson(data: bytes) -> bool:
    """Whether several lines are each a resource: one of the first ten is enough, for any may be broken."""
    lines = [line for line in data.splitlines() if line.strip()]
    return len(lines) > 1 and any(_is_resource(line) for line in lines[:10])


def _is_resource(line: bytes) -> bool:
    if not line.startswith(b"{"):
        return False
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return "resourceType" in found


def parse(data: bytes, line: int = 0) -> object:
    """JSON from bytes. line: the line that they are, or 0 for a whole document. Malformed names the place."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        at = error.pos, error.lineno, error.colno
    try:
        before = data.decode()[: at[0]]
    except UnicodeDecodeError as error:
        place = f"byte {error.start}" if not line else f"line {line}, byte {error.start}"
        raise Malformed(malformed("is not UTF-8", place)) from None
    place = f"line {line or at[1]}, column {at[2]}, byte {len(before.encode())}"
    raise Malformed(malformed("is not JSON", place)) from None


def malformed(text: str, place: str) -> Issue:
    """What is wrong with bytes that are no FHIR at all."""
    return Issue("fatal", "structure", text, "malformed", place)


def with_hint(refused: Malformed, data: bytes, name: str) -> Malformed:
    """The same refusal, which says what to do where it can be seen what the bytes are."""
    text = _CSV if name.lower().endswith(".csv") else _XML if data.lstrip()[:1] == b"<" else ""
    (issue,) = refused.issues
    return Malformed(malformed(text, issue.place)) if text else refused
