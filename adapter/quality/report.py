"""Findings as Issues of the record, and as a part of the report of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from adapter.quality.checks import Checker
from adapter.records import Finding, Issue, MappedBundle
from adapter.sources.model import SourceRecord

_ORDER = ("group rejected", "record rejected", "severity 1 warning", "warning")
"""From the gravest."""


def checked(record: MappedBundle, source: SourceRecord, checker: Checker | None) -> MappedBundle:
    """The record with what its data set's own rules say of it: nothing is refused for that, all of it is reported."""
    if checker is None:
        return record
    findings = checker.findings(source)
    if not findings:
        return record
    return replace(record, quality=findings, issues=(*record.issues, *map(as_issue, findings)))


def as_issue(finding: Finding) -> Issue:
    """A warning where the data set would not take the row, else information."""
    severity = "warning" if finding.severity.endswith("rejected") else "information"
    text = f"{finding.code} ({finding.severity}): {finding.text}"
    return Issue(severity, "business-rule", text, "", finding.place)


def united_findings(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """One entry per rule that was broken: how often, and the first three places; the gravest first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    places: dict[tuple[str, str, str], list[str]] = {}
    for finding in findings:
        key = (finding.code, finding.severity, finding.text)
        counts[key] += 1
        known = places.setdefault(key, [])
        if len(known) < 3 and finding.place not in known:
            known.append(finding.place)
    return [
        {"code": code, "severity": severity, "text": text, "count": count, "places": places[code, severity, text]}
        for (code, severity, text), count in sorted(
            counts.items(), key=lambda item: (_ORDER.index(item[0][1]), item[0][0])
        )
    ]


def quality_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """The same for people, a line per rule."""
    for one in united_findings(findings):
        times = "once" if one["count"] == 1 else f"{one['count']} times"
        yield f"{one['severity']:<18} {one['code']} {one['text']}, {times}: {'; '.join(one['places'])}"
