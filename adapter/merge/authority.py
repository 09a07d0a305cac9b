"""Which of several sources about one person counts where they differ; also the order that makes merging repeatable.

First the source whose NHS number is verified, then the one whose Patient was updated last, then the one with the
newest date about her, and last, so that no order depends on chance, by what the record holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

import orjson

from adapter.merge.content import day_of, moment_of
from adapter.merge.parts import Source
from adapter.records import Resource
from adapter.sources.retired_codes import VERIFICATION_STATUS

_VERIFIED = "01"
_WHEN = (
    "effectiveDateTime",
    "effectiveInstant",
    "issued",
    "authoredOn",
    "authored",
    "recordedDate",
    "performedDateTime",
)


def in_order(sources: Iterable[Source]) -> Sequence[Source]:
    """The sources, the most authoritative first: the same order however they are given."""
    return sorted(sorted(sources, key=_fingerprint), key=_rank, reverse=True)


def _rank(source: Source) -> tuple[bool, str, str]:
    patient = source.resource(source.main)
    updated = moment_of(str(patient.get("meta", {}).get("lastUpdated", "")))
    return _verified(patient), updated.isoformat() if updated else "", newest_day(source)


def newest_day(source: Source) -> str:
    """The newest whole day on which something was observed, written or updated, "" where the source has none."""
    resources = [entry["resource"] for entry in source.entries]
    said = [resource.get(key) for resource in resources for key in _WHEN]
    said += [resource.get("meta", {}).get("lastUpdated") for resource in resources]
    return max((day for one in said if isinstance(one, str) and len(day := day_of(one)) == 10), default="")


def _verified(patient: Resource) -> bool:
    return any(
        coding.get("code") == _VERIFIED
        for identifier in patient.get("identifier", ())
        for extension in identifier.get("extension", ())
        if extension.get("url") == VERIFICATION_STATUS
        for coding in extension.get("valueCodeableConcept", {}).get("coding", ())
    )


def _fingerprint(source: Source) -> tuple[str, str]:
    content = sha256(orjson.dumps(source.record.bundle, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return content, source.name
