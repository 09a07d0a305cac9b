"""The coverage of a run: what became of each populated field of the source, for people (text) or machines (JSON)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import orjson

from adapter.quality import as_issue, quality_lines, united_findings
from adapter.records import FieldUse, Issue, MappedBundle


def write_report(records: Iterable[MappedBundle], path: Path) -> None:
    """Write the report of these records; as JSON where the path ends in ``.json``. It holds no value of a patient."""
    kept = list(records)
    uses = united(use for record in kept for use in record.coverage)
    findings = [finding for record in kept for finding in record.quality]
    said = {as_issue(finding) for finding in findings}
    issues = [issue for record in kept for issue in record.issues if issue not in said]
    if path.suffix == ".json":
        report = {
            "records": len(kept),
            "fields": [use._asdict() for use in uses],
            "issues": issues,
            "quality": united_findings(findings),
        }
        path.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    else:
        lines = [*_text(len(kept), uses, issues), *quality_lines(findings)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def lossy(records: Iterable[MappedBundle]) -> int:
    """How many kinds of field did not get through as they were: unmapped, refused, or with a code that has no map."""
    uses = (use for record in records for use in record.coverage)
    return len({(use.field, use.fate) for use in uses if use.fate in {"unmapped", "unmapped-code", "refused"}})


def united(uses: Iterable[FieldUse]) -> list[FieldUse]:
    """One use per field and fate: what nobody reads first, then by name."""
    counts: Counter[tuple[str, str, str]] = Counter()
    places: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for use in uses:
        key = (use.fate, use.field, use.reason)
        counts[key] += use.times
        places[key] = (places.get(key, ()) + use.places)[:3]
    order = {"unmapped": 0, "refused": 1}
    return [
        FieldUse(field, fate, reason, counts[fate, field, reason], places[fate, field, reason])
        for fate, field, reason in sorted(counts, key=lambda key: (order.get(key[0], 2), key))
    ]


def _text(records: int, uses: list[FieldUse], issues: list[Issue]) -> Iterable[str]:
    fates = Counter(use.fate for use in uses)
    yield f"records: {records}; fields: " + (", ".join(f"{n} {fate}" for fate, n in sorted(fates.items())) or "none")
    for use in uses:
        reason = f" ({use.reason})" if use.reason else ""
        times = "once" if use.times == 1 else f"{use.times} times"
        yield f"{use.fate:<10} {use.field}, {times}{reason}: {'; '.join(use.places)}"
    for issue in issues:
        if issue.detail != "unmapped-field":
            yield f"{issue.severity:<11} {issue.place}: {issue.text}"
