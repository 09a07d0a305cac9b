"""Rows of a vendor's own export as one record per patient: by the key that her rows share.

Rows without a key are nobody's, and rows of one key that differ in who she is are of more than one: each becomes a
refused record that says so. Nothing disappears.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from adapter.mapping.nodes import Tables
from adapter.records import Issue
from adapter.sources.model import Row, SourceRecord


@dataclass(slots=True)
class Found:
    """A row of the patients' table with all rows that belong to it (itself among them), in the order of the source."""

    patient: Row
    rows: list[Row]
    issues: list[Issue] = field(default_factory=list)
    refused: bool = False


def by_patient(found: Iterable[Found], spec: Tables, source: str, kind: str) -> Iterator[SourceRecord]:
    """One SourceRecord per key, in the order in which the keys first come."""
    grouped: dict[str, Found] = {}
    for one in found:
        text = one.patient.get(spec.key)
        if text is None:
            message = f"{spec.key} is missing: whose this is cannot be known"
            one.issues.append(_issue(one.patient, spec.key, "required", message, "malformed"))
            one.refused = True
            grouped[one.patient.place("")] = one
            continue
        key = "".join(text.split())
        earlier = grouped.setdefault(f"|{key}", one)
        if earlier is not one:
            _join(earlier, one, spec)
    for key, one in grouped.items():
        yield record(source, kind, key, one)


def record(source: str, kind: str, key: str, found: Found) -> SourceRecord:
    """The rows of one patient as the mapping takes them; a row that is there twice counts once."""
    order = tuple(dict.fromkeys(found.rows))
    rows: dict[str, list[Row]] = {}
    for row in order:
        rows.setdefault(row.name, []).append(row)
    return SourceRecord(source, kind, key, rows, order, tuple(found.issues), found.refused)


def _join(earlier: Found, later: Found, spec: Tables) -> None:
    earlier.rows += later.rows
    earlier.issues += later.issues
    earlier.refused |= later.refused
    for name in spec.same:
        text = later.patient.get(name)
        before = next((r.get(name) for r in earlier.rows if r.name == spec.patient and r.get(name)), None)
        if text is not None and before is not None and text != before:
            message = f"{name} differs from an earlier row with the same {spec.key}: who is meant?"
            earlier.issues.append(_issue(later.patient, name, "conflict", message, "data-conflict"))
            earlier.refused = True


def _issue(row: Row, name: str, code: str, text: str, detail: str) -> Issue:
    return Issue("error", code, text, detail, row.place(name))
