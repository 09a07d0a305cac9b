"""The same resource twice in one Bundle: recognised, reported, and counted once.

Two entries are the same resource when they have the same fullUrl, or the same type and id, or when resources of one
type share a business identifier, what they are about and their day (the identifier alone will not do: every result
of one order may carry the order's number, every medicine that of the prescription, every form that of the visit). Of
two versions the newer one counts. Where nobody can say which is the newer, both are kept and the conflict is reported.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapter.fhir.references import identifiers_of
from adapter.records import Issue, Resource

_HOUSEKEEPING = ("id", "meta", "text")
_SETTLED = {"corrected": 3, "amended": 3, "final": 2, "completed": 2, "preliminary": 1, "registered": 0}

_TOPICS = (
    "code",
    "type",
    "class",
    "questionnaire",
    "medicationCodeableConcept",
    "medicationReference",
    "relationship",
    "condition",
)
_DAYS = (
    "effectiveDateTime",
    "effectiveInstant",
    "effectivePeriod",
    "performedDateTime",
    "performedPeriod",
    "authored",
    "authoredOn",
    "period",
)

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """kept: the position of each entry that is left out → that of the one that counts. issues: by entry."""

    kept: dict[int, int]
    issues: tuple[tuple[int, Issue], ...]


def find_duplicates(entries: list[Resource], broken: Container[int] = ()) -> Duplicates | None:
    """The duplicates among entries; None when there are none. broken: entries that are not valid: not looked at."""
    seen: dict[Key, int] = {}
    pairs: list[tuple[int, int]] = []
    for at, entry in enumerate(entries):
        if at in broken or (resource := entry.get("resource")) is None:
            continue
        for key in _keys(entry, resource):
            first = seen.setdefault(key, at)
            if first != at:
                pairs.append((first, at))
    return _weighed(entries, list(dict.fromkeys(pairs))) if pairs else None


def _keys(entry: Resource, resource: Resource) -> Iterator[Key]:
    kind = resource["resourceType"]
    if "fullUrl" in entry:
        yield (entry["fullUrl"],)
    elif "id" in resource:
        yield kind, resource["id"]
    if "identifier" in resource:
        for identifier in identifiers_of(resource):
            yield kind, identifier, *_about(resource)


def _about(resource: Resource) -> Key:
    """What a resource is about: whom, what and which day."""
    whom = resource.get("subject") or resource.get("patient") or {}
    return whom.get("reference", ""), topic(resource), day(resource)


def topic(resource: Resource) -> Key:
    """What a resource says something about: a result's code, a medicine, a form, a relative, a kind of care."""
    return tuple(
        (name, _meant(each))
        for name in _TOPICS
        if name in resource
        for each in (resource[name] if isinstance(resource[name], list) else [resource[name]])
    )


def _meant(value: object) -> object:
    if not isinstance(value, dict):
        return value
    code = value.get("code")
    return codings_of(code) if isinstance(code, dict) else code or value.get("reference") or codings_of(value)


def day(resource: Resource) -> str:
    """The day that a resource is of, "" where it names none: when it was observed, done, written or began."""
    for name in _DAYS:
        given = resource.get(name)
        if given := given.get("start") if isinstance(given, dict) else given:
            return str(given)[:10]
    return ""


def codings_of(concept: object) -> frozenset[tuple[str, str]]:
    """The (system, code) pairs of a CodeableConcept, or its text where it has none."""
    if not isinstance(concept, dict):
        return frozenset()
    found = {(coding.get("system", ""), coding["code"]) for coding in concept.get("coding", ()) if "code" in coding}
    return frozenset(found or {("", concept.get("text", ""))})


def _weighed(entries: list[Resource], pairs: list[tuple[int, int]]) -> Duplicates:
    kept: dict[int, int] = {}
    issues: list[tuple[int, Issue]] = []
    for first, second in pairs:
        while first in kept:
            first = kept[first]
        if first == second or second in kept:
            continue
        one, other = entries[first]["resource"], entries[second]["resource"]
        if (
            one["resourceType"] == "Patient"
            and not _equal(one, other)
            and not _same_id(entries[first], entries[second])
        ):
            text = "another Patient here has the same identifier: confirm who is who; they are kept apart"
            issues.append((first, _issue("warning", "conflict", text, "data-conflict", second)))
            continue
        left = second if _equal(one, other) else older(one, other, first, second)
        if left is None:
            text = (
                "the same resource is here twice with other content, and which is newer cannot be told: both are kept"
            )
            issues.append((first, _issue("warning", "conflict", text, "data-conflict", second)))
            continue
        counts = first if left == second else second
        kept[left] = counts
        same = "the same resource again" if _equal(one, other) else "an older version of the same resource"
        issues.append((counts, _issue("information", "informational", f"{same}: it counts once", "duplicate", left)))
    return Duplicates({left: _last(kept, counts) for left, counts in kept.items()}, tuple(issues))


def _last(kept: dict[int, int], at: int) -> int:
    while at in kept:
        at = kept[at]
    return at


def _issue(severity: str, code: str, text: str, detail: str, at: int) -> Issue:
    return Issue(severity, code, text, detail, f"Bundle.entry[{at}].resource")


def _equal(one: Resource, other: Resource) -> bool:
    return content(one) == content(other)


def content(resource: Resource) -> Resource:
    """What a resource says: all of it but its own id, its metadata and its narrative."""
    return {key: value for key, value in resource.items() if key not in _HOUSEKEEPING}


def _same_id(one: Resource, other: Resource) -> bool:
    if "fullUrl" in one or "fullUrl" in other:
        return bool(one.get("fullUrl") == other.get("fullUrl"))
    return bool(one["resource"].get("id") == other["resource"].get("id"))


def older(one: Resource, other: Resource, at: Any, at_other: Any) -> Any:
    """Which of two versions of one resource is the older (``at`` or ``at_other``); None where nobody can say.

    When they were issued, and how settled they are, counts only where both say the same kind of thing of one day.
    """
    alike = topic(one) == topic(other) and day(one) == day(other)
    for rank in (_updated, _version, _issued, _status) if alike else (_updated, _version):
        ranks = rank(one), rank(other)
        if None not in ranks and ranks[0] != ranks[1]:
            return at if ranks[0] < ranks[1] else at_other  # type: ignore[operator]  # neither is None here
    return None


def _updated(resource: Resource) -> str | None:
    return _moment(resource.get("meta", {}).get("lastUpdated"))


def _version(resource: Resource) -> int | None:
    version = resource.get("meta", {}).get("versionId")
    return int(version) if isinstance(version, str) and version.isdecimal() else None


def _issued(resource: Resource) -> str | None:
    return _moment(resource.get("issued"))


def _moment(text: object) -> str | None:
    """An instant as text that sorts by time, in UTC."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat() if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None


def _status(resource: Resource) -> int | None:
    status = resource.get("status")
    return _SETTLED.get(status) if isinstance(status, str) else None
