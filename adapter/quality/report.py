"""Findings as Issues of the record, and as a part of the report of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
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
    issues = (*record.issues, *map(as_issue, findings))
    return replace(record, quality=findings, not_checked=checker.not_checked(source), issues=issues)


def as_issue(finding: Finding) -> Issue:
    """A warning where the data set would not take the row, else information."""
    severity = "warning" if finding.severity.endswith("rejected") else "information"
    text = f"{finding.code} ({finding.severity}): {finding.text}"
    return Issue(severity, "business-rule", text, "", finding.place)


class Findings:
    """Findings added up: one entry per rule that was broken; and what was not checked."""

    def __init__(self) -> None:
        self._not_checked: dict[str, dict[str, None]] = {}
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._places: dict[tuple[str, str, str], list[str]] = {}

    def add(self, record: MappedBundle) -> None:
        for why, rules in record.not_checked:
            self._not_checked.setdefault(why, {}).update(dict.fromkeys(rules))
        for finding in record.quality:
            key = (finding.code, finding.severity, finding.text)
            self._counts[key] += 1
            known = self._places.setdefault(key, [])
            if len(known) < 3 and finding.place not in known:
                known.append(finding.place)

    def merge(self, later: Findings) -> None:
        """Add what came after."""
        for why, rules in later._not_checked.items():
            self._not_checked.setdefault(why, {}).update(rules)
        self._counts.update(later._counts)
        for key, places in later._places.items():
            known = self._places.setdefault(key, [])
            known += [place for place in places if place not in known][: 3 - len(known)]

    def united(self) -> list[dict[str, Any]]:
        """How often each was broken, and the first three places; the gravest first."""
        return [
            {"code": key[0], "severity": key[1], "text": key[2], "count": count, "places": self._places[key]}
            for key, count in sorted(self._counts.items(), key=lambda item: (_ORDER.index(item[0][1]), item[0][0]))
        ]

    def not_checked(self) -> list[dict[str, Any]]:
        """Why, and the code and field of each rule that is not checked for it."""
        return [{"why": why, "rules": list(rules)} for why, rules in self._not_checked.items()]


def quality_lines(findings: Findings) -> Iterator[str]:
    """The same for people, a line per rule, and one per reason for which rules are not checked."""
    for one in findings.united():
        times = "once" if one["count"] == 1 else f"{one['count']} times"
        yield f"{one['severity']:<18} {one['code']} {one['text']}, {times}: {'; '.join(one['places'])}"
    for left in findings.not_checked():
        yield f"{'not checked':<18} {left['why']}: {', '.join(left['rules'])}"
