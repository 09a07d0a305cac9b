"""What a resource says, apart from how it is written: keys that are equal when two resources say the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from adapter.records import Resource
from adapter.sources.fhir_duplicates import codings_of

Refer = Callable[[Resource], str]
"""What a Reference means, as text that is the same in all sources."""

SCORE_UNITS = frozenset({"", "1", "{score}", "score", "{points}", "points"})
WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
SETTLED = frozenset({"final", "amended", "corrected"})
_LONDON = ZoneInfo("Europe/London")
_NOT_CONTENT = frozenset({"id", "meta", "text", "identifier", "display", "contained", "fullUrl", "userSelected"})


def content_key(resource: Resource, refer: Refer) -> str:
    """All that a resource says; ids, identifiers, narrative and displays are not part of it."""
    top = {key: value for key, value in resource.items() if key not in _NOT_CONTENT}
    contained = {f"#{one.get('id')}": _plain(one, refer, {}) for one in resource.get("contained", ())}
    return _text(_plain(top, refer, contained))


def _plain(node: Any, refer: Refer, contained: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            return contained.get(node["reference"]) or refer(node)
        dropped = _NOT_CONTENT | {"text"} if "coding" in node else _NOT_CONTENT - {"text"}
        return {key: _plain(value, refer, contained) for key, value in node.items() if key not in dropped}
    if isinstance(node, list):
        return [_plain(item, refer, contained) for item in node]
    return node


def _text(plain: Any) -> str:
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS).decode()


def day_of(text: str) -> str:
    """The day of a date or moment, in London; as written where it is neither."""
    if "T" not in text:
        return text
    moment = moment_of(text)
    return moment.astimezone(_LONDON).date().isoformat() if moment else text[:10]


def moment_of(text: str) -> datetime | None:
    """A moment in UTC; None for a day, or what is no date."""
    if "T" not in text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def effective(observation: Resource) -> str:
    """The date or moment that an Observation is about, "" when it says none."""
    period = observation.get("effectivePeriod", {})
    given = observation.get("effectiveDateTime") or observation.get("effectiveInstant") or period.get("start") or ""
    return str(given)


def observed_key(observation: Resource, refer: Refer) -> str:
    """Of whom, when (day) and with which value something was observed; its code is not in it."""
    about = observation.get("subject")
    focus = sorted(refer(one) for one in observation.get("focus", ()))
    parts = sorted(_text([sorted(codings_of(c.get("code"))), _value(c)]) for c in observation.get("component", ()))
    end = observation.get("effectivePeriod", {}).get("end", "")
    days = [day_of(effective(observation)), day_of(end)]
    return _text([refer(about) if about else "", focus, days, _value(observation), parts])


def _value(part: Resource) -> Any:
    """A value, the same for the same number as an integer or a quantity without a unit of measure."""
    for key, value in part.items():
        if key == "valueInteger":
            return ["number", float(value), ""]
        if key == "valueQuantity":
            unit, number = str(value.get("code") or value.get("unit") or "").casefold(), value.get("value")
            unit = "" if unit in SCORE_UNITS else unit
            return ["number", None if number is None else float(number), value.get("comparator", "") + unit]
        if key == "valueCodeableConcept":
            return ["concept", sorted(codings_of(value))]
        if key in ("valueDateTime", "valueDate"):
            return ["date", day_of(value)]
        if key.startswith("value"):
            return [key, value]
    return ["absent", sorted(codings_of(part.get("dataAbsentReason")))] if "dataAbsentReason" in part else []
