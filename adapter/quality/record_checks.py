"""The kinds of check that are about several rows of a record, compiled to what finds the places that break the rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta

from adapter.quality.content import Unknown
from adapter.quality.formats import day_of
from adapter.quality.rules import Rule
from adapter.sources.model import Row, SourceRecord

BreaksRecord = Callable[[SourceRecord], Iterator[str]]

_AGAIN = frozenset(("duplicate", "data-conflict"))
"""How a reader says that a table has a row twice, or two rows that contradict each other."""


def _with(rule: Rule) -> BreaksRecord:
    def broken(record: SourceRecord) -> Iterator[str]:
        if not record.rows.get(rule.against):
            yield from _places(rule, record.rows.get(rule.table, ()))

    return broken


def _unique(rule: Rule) -> BreaksRecord:
    fields = rule.against.split()

    def broken(record: SourceRecord) -> Iterator[str]:
        there = [row for row in record.rows.get(rule.table, ()) if row.get(rule.field) is not None]
        keys = [tuple(row.get(field) for field in fields) for row in there]
        counts = Counter(keys)
        return _places(rule, (row for key, row in zip(keys, there, strict=True) if counts[key] > 1))

    return broken


def _one_open(rule: Rule) -> BreaksRecord:
    def broken(record: SourceRecord) -> Iterator[str]:
        rows = [row for row in record.rows.get(rule.table, ()) if row.get(rule.field) is None]
        return _places(rule, rows if len(rows) > 1 else ())

    return broken


def _followed(rule: Rule) -> BreaksRecord:
    """``against`` is the field of the start and that of who it is: a row that ends, and no other of another follows."""
    start, _, who = rule.against.partition(" ")
    if not who:
        raise Unknown(f"{rule.against!r} is not the field of the start and that of whose it is")

    def broken(record: SourceRecord) -> Iterator[str]:
        rows = record.rows.get(rule.table, ())
        return _places(rule, (row for row in rows if row.get(rule.field) and not any(map(_follows(row), rows))))

    def _follows(row: Row) -> Callable[[Row], bool]:
        end = day_of(row.get(rule.field) or "")
        days = {day_of(row.get(start) or ""), end, end and end + timedelta(days=1)} - {None}

        def follows(other: Row) -> bool:
            return end is None or (other.get(who) != row.get(who) and day_of(other.get(start) or "") in days)

        return follows

    return broken


def _again(rule: Rule) -> BreaksRecord:
    def broken(record: SourceRecord) -> Iterator[str]:
        said = (i.place.partition(",")[0] for i in record.issues if i.detail in _AGAIN)
        return iter(dict.fromkeys(place for place in said if place.startswith(f"{rule.table} row ")))

    return broken


def _places(rule: Rule, rows: Iterable[Row]) -> Iterator[str]:
    return (row.place(rule.field) for row in rows)


RECORD_CHECKS: Mapping[str, tuple[Callable[[Rule], BreaksRecord], str]] = {
    "with": (_with, "there is no {against} for this {field}"),
    "unique": (_unique, "more than one row has the same {against}"),
    "one-open": (_one_open, "more than one row is without {field}"),
    "followed": (_followed, "{field} is given, and nothing follows it ({against})"),
    "again": (_again, "more than one row of {table} has the same {against}"),
}
"""Kind of check → what compiles it, and the words of a finding."""
