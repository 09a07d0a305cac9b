"""From a fact's evidence back to the element of the FHIR record, and behind it to the place in the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from adapter.records import Evidence, MappedBundle, Resource

_LAST_STEP = re.compile(r"(\.[^.\[\]]+|\[\d+\]|^[^.\[\]]+)$")
_STEPS = re.compile(r"[^.\[\]]+")


def entry_of(record: MappedBundle, evidence: Evidence) -> Resource:
    """The entry of the record's Bundle that the evidence lies in."""
    entry: Resource = record.bundle["entry"][evidence.entry]
    return entry


def element(record: MappedBundle, evidence: Evidence) -> str:
    """The FHIR element, such as ``Observation.valueInteger``."""
    kind = str(entry_of(record, evidence)["resource"]["resourceType"])
    return f"{kind}.{evidence.path}" if evidence.path else kind


def pointer(evidence: Evidence) -> str:
    """The element as a JSON Pointer (RFC 6901) into the record's Bundle."""
    return f"/entry/{evidence.entry}/resource{_steps(evidence.path)}"


@lru_cache(maxsize=1024)
def _steps(path: str) -> str:
    return "".join(f"/{step}" for step in _STEPS.findall(path))


def place(record: MappedBundle, evidence: Evidence) -> str:
    """Where the source says it: ``OBX-5 (segment 6 of message 1)``, a table's row and column, or a JSON Pointer.

    Where the exact element has no place of its own, the nearest enclosing element that has one is named, then
    the first element inside it, last the row that the whole resource was made of. A record that came as FHIR has no
    lineage: there the place is the element itself.
    """
    lineage = record.lineage
    if lineage:
        url = str(entry_of(record, evidence).get("fullUrl", ""))
        for path in _outwards(evidence.path):
            if found := lineage.get((url, path)):
                return found
        inside = tuple(evidence.path + mark for mark in (".", "["))
        for (owner, path), found in lineage.items():
            if owner == url and path and (not evidence.path or path.startswith(inside)):
                return found
        if found := lineage.get((url, "")):
            return found
    return pointer(evidence)


def _outwards(path: str) -> Iterator[str]:
    """The path and those of its parents: ``a.b[0].c``, ``a.b[0]``, ``a.b``, ``a``."""
    while path:
        yield path
        path = _LAST_STEP.sub("", path)
