"""FHIR's primitive types: which JSON values each one allows (R4 4.0.1, datatypes.html).

The patterns stay within what the regular expressions of Python and of Rust have in common (no look-around), because
the compiled schemas and the explaining walk both use them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_YEAR = r"(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_LONG_MONTH = r"(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
_SHORT_MONTH = r"(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
_FEBRUARY = r"02-(?:0[1-9]|1[0-9]|2[0-8])"
_DAY = rf"(?:{_YEAR}-(?:{_LONG_MONTH}|{_SHORT_MONTH}|{_FEBRUARY})|{_LEAP_YEAR}-02-29)"
_MONTH = rf"{_YEAR}-(?:0[1-9]|1[0-2])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_NO_SPACE = r"[^\x00-\x20\xa0]"
_BASE64 = r"[0-9A-Za-z+/]"


class Primitive(NamedTuple):
    """kind: the JSON type (boolean, integer, number, string). low and high bound an integer."""

    kind: str
    wording: str
    pattern: str = ""
    low: int = -(2**31)
    high: int = 2**31 - 1


_TEXT = Primitive("string", "text that is not empty", r"[\s\S]+")
_URI = Primitive("string", "a URI: not empty and without spaces", rf"{_NO_SPACE}+")

PRIMITIVES: dict[str, Primitive] = {
    "base64Binary": Primitive(
        "string",
        "base64 text",
        rf"\s*(?:(?:{_BASE64}\s*){{4}})*(?:(?:{_BASE64}\s*){{2}}=\s*=|(?:{_BASE64}\s*){{3}}=)?\s*",
    ),
    "boolean": Primitive("boolean", "true or false"),
    "canonical": _URI,
    "code": Primitive("string", "a code: not empty, no spaces before or after", rf"{_NO_SPACE}+(?:[ ]{_NO_SPACE}+)*"),
    "date": Primitive("string", "a date that exists: YYYY, YYYY-MM or YYYY-MM-DD", rf"(?:{_YEAR}|{_MONTH}|{_DAY})"),
    "dateTime": Primitive(
        "string",
        "a date that exists (YYYY, YYYY-MM or YYYY-MM-DD), or one with a time and its zone (YYYY-MM-DDThh:mm:ss+zz:zz)",
        rf"(?:{_YEAR}|{_MONTH}|{_DAY}(?:T{_TIME}{_ZONE})?)",
    ),
    "decimal": Primitive("number", "a number"),
    "id": Primitive("string", "an id: 1 to 64 letters, digits, hyphens and full stops", r"[A-Za-z0-9.\-]{1,64}"),
    "instant": Primitive(
        "string",
        "a date that exists with a time and its zone (YYYY-MM-DDThh:mm:ss+zz:zz)",
        rf"{_DAY}T{_TIME}{_ZONE}",
    ),
    "integer": Primitive("integer", "a whole number"),
    "markdown": _TEXT,
    "oid": Primitive("string", "an OID (urn:oid:…)", r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"),
    "positiveInt": Primitive("integer", "a whole number of 1 or more", low=1),
    "string": _TEXT,
    "time": Primitive("string", "a time (hh:mm:ss)", _TIME),
    "unsignedInt": Primitive("integer", "a whole number of 0 or more", low=0),
    "uri": _URI,
    "url": _URI,
    "uuid": Primitive(
        "string", "a UUID (urn:uuid:…)", r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    ),
    "xhtml": _TEXT,
}

_COMPILED: dict[str, re.Pattern[str]] = {}


def schema(name: str) -> dict[str, object]:
    """The JSON Schema of a primitive type."""
    primitive = PRIMITIVES[name]
    if primitive.kind == "integer":
        return {"type": "integer", "minimum": primitive.low, "maximum": primitive.high}
    if primitive is _TEXT:
        return {"type": "string", "minLength": 1}
    if primitive.pattern:
        return {"type": "string", "pattern": f"^(?:{primitive.pattern})$"}
    return {"type": primitive.kind}


def problem(name: str, value: object) -> str:
    """What kind of problem the value is for the type: "" (none), "structure" (wrong JSON type) or "value".

    A number without a fraction is a whole number however it is written (14.0 is 14): JSON does not tell them apart.
    """
    primitive = PRIMITIVES[name]
    kind = primitive.kind
    if kind == "string":
        if type(value) is not str:
            return "structure"
        if primitive is _TEXT:
            return "" if value else "value"
        return "" if _pattern(name).fullmatch(value) else "value"
    if kind == "boolean":
        return "" if type(value) is bool else "structure"
    if type(value) is not int and type(value) is not float:
        return "structure"
    if kind == "number":
        return ""
    if type(value) is float and not value.is_integer():
        return "structure"
    return "" if primitive.low <= value <= primitive.high else "value"


def _pattern(name: str) -> re.Pattern[str]:
    found = _COMPILED.get(name)
    if found is None:
        found = _COMPILED[name] = re.compile(PRIMITIVES[name].pattern)
    return found
