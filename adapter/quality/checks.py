"""The kinds of check that a validation rule can be, compiled to predicates over rows.

A rule is broken only by what is there: a date that is none breaks its ``format`` rule and no other.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from adapter.mapping.code_maps import load_code_map
from adapter.mapping.shapes import NORMAL, normal_snomed
from adapter.quality.formats import compile_format, day_of
from adapter.quality.rules import FILE, Rule, load_rules
from adapter.records import Finding
from adapter.sources.model import Row, SourceRecord
from rules import ContentError

Breaks = Callable[[Row], bool]
BreaksRecord = Callable[[SourceRecord], Iterator[Row]]

HEADER, PERIOD_START = "MHS000Header", "ReportingPeriodStartDate"


class _Unknown(Exception):
    """What a rule is checked against does not exist."""


def _blank(rule: Rule, folder: Path) -> Breaks:  # noqa: ARG001 - one signature
    return lambda row: row.get(rule.field) is None


def _format(rule: Rule, folder: Path) -> Breaks:  # noqa: ARG001 - one signature
    matches = compile_format(rule.against)
    if matches is None:
        raise _Unknown(f"{rule.against!r} is no format")
    return lambda row: (text := row.get(rule.field)) is not None and not matches(text)


def _values(rule: Rule, folder: Path) -> Breaks:
    name = rule.against.removeprefix("map:")
    codes = frozenset(_code_map(folder, name) if name != rule.against else rule.against.split())
    return lambda row: (text := row.get(rule.field)) is not None and text not in codes


def _code_map(folder: Path, name: str) -> Mapping[str, str]:
    own = folder / "code_maps"
    code_map = load_code_map(own if (own / f"{name}.csv").is_file() else folder.parent / "code_maps", name)
    return {source: target.code for source, target in code_map.targets.items()}


def _day(row: Row, field: str) -> date | None:
    text = row.get(field)
    return day_of(text) if text is not None else None


def _other_day(rule: Rule) -> Callable[[Row], date | None]:
    """The day of ``TABLE.FIELD`` (of the row itself or one it belongs to), ``+1`` a day later."""
    name, plus, days = rule.against.partition("+")
    table, dot, field = name.partition(".")
    if not dot:
        raise _Unknown(f"{rule.against!r} is no TABLE.FIELD")
    later = timedelta(days=int(days or 0) if plus else 0)

    def find(row: Row) -> date | None:
        owner = row if row.name == table else row.related(table)
        found = _day(owner, field) if owner is not None else None
        return found + later if found is not None else None

    return find


def _before(rule: Rule, folder: Path) -> Breaks:  # noqa: ARG001 - one signature
    other = _other_day(rule)
    return lambda row: bool((day := _day(row, rule.field)) and (limit := other(row)) and day < limit)


def _after(rule: Rule, folder: Path) -> Breaks:  # noqa: ARG001 - one signature
    other = _other_day(rule)
    return lambda row: bool((day := _day(row, rule.field)) and (limit := other(row)) and day > limit)


def _age(rule: Rule, folder: Path) -> Breaks:  # noqa: ARG001 - one signature
    oldest = int(rule.against)

    def breaks(row: Row) -> bool:
        born, header = _day(row, rule.field), row.related(HEADER)
        start = _day(header, PERIOD_START) if header is not None else None
        if born is None or start is None:
            return False
        return start.year - born.year - ((start.month, start.day) < (born.month, born.day)) > oldest

    return breaks


def _joined(rule: Rule, folder: Path) -> Breaks:  # noqa: ARG001 - one signature
    return lambda row: row.related(rule.against) is None


def _same(rule: Rule, folder: Path) -> Breaks:  # noqa: ARG001 - one signature
    table, _, field = rule.against.partition(".")

    def breaks(row: Row) -> bool:
        owner = row.related(table)
        other, text = owner.get(field) if owner is not None else None, row.get(rule.field)
        return other is not None and text is not None and text.upper() != other.upper()

    return breaks


def _snomed(rule: Rule, folder: Path) -> Breaks:  # noqa: ARG001 - one signature
    return lambda row: (text := row.get(rule.field)) is not None and normal_snomed(text) is None


def _scheme(rule: Rule, folder: Path) -> Breaks:
    field, _, name = rule.against.partition(" ")
    systems = _code_map(folder, name)

    def breaks(row: Row) -> bool:
        text, system = row.get(rule.field), systems.get(row.get(field) or "")
        return text is not None and system is not None and NORMAL[system](text) is None

    return breaks


def _score(rule: Rule, folder: Path) -> Breaks:
    lines = (folder / "score_ranges.csv").read_text("utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    ranges = {row["tool"]: (float(row["low"]), float(row["high"])) for row in rows}
    number = compile_format("number")

    def breaks(row: Row) -> bool:
        score, bounds = row.get(rule.field), ranges.get(row.get(rule.against) or "")
        if score is None or bounds is None or number is None or not number(score):
            return False
        return not bounds[0] <= float(score) <= bounds[1]

    return breaks


def _nhs_number_status(rule: Rule, folder: Path) -> Breaks:  # noqa: ARG001 - one signature
    def status(row: Row) -> tuple[str | None, bool]:
        return row.get(rule.field), row.get("NHSNumber") is not None

    kinds: Mapping[str, Callable[[str | None, bool], bool]] = {
        "07-with-number": lambda given, number: given == "07" and number,
        "missing-without-number": lambda given, number: given is None and not number,
        "other-without-number": lambda given, number: given not in (None, "07") and not number,
    }
    if rule.against not in kinds:
        raise _Unknown(f"{rule.against!r} is none of {', '.join(kinds)}")
    holds = kinds[rule.against]
    return lambda row: holds(*status(row))


def _blank_with(rule: Rule, folder: Path) -> Breaks:  # noqa: ARG001 - one signature
    return lambda row: row.get(rule.field) is None and row.get(rule.against) is not None


def _not_required(rule: Rule, folder: Path) -> Breaks:  # noqa: ARG001 - one signature
    return lambda row: row.get(rule.field) is not None and row.get(rule.against) == "N"


_ROW: Mapping[str, tuple[Callable[[Rule, Path], Breaks], str]] = {
    "blank": (_blank, "{field} is missing"),
    "blank-with": (_blank_with, "{field} is missing though {against} is given"),
    "format": (_format, "{field} has not the form {against}"),
    "values": (_values, "{field} is none of the national codes"),
    "before": (_before, "{field} is before {against}"),
    "after": (_after, "{field} is after {against}"),
    "age": (_age, "{field} makes her older than {against} years"),
    "joined": (_joined, "there is no {against} with this {field}"),
    "same": (_same, "{field} is not the same as {against}"),
    "snomed": (_snomed, "{field} is no SNOMED CT code"),
    "scheme": (_scheme, "{field} has not the shape of a code of its scheme"),
    "score": (_score, "{field} is out of the range of this {against}"),
    "nhs-number-status": (_nhs_number_status, "{field} and the NHS number do not go together ({against})"),
    "not-required": (_not_required, "{field} is given though {against} is N"),
}
"""Kind of check → what compiles it, and the words of a finding."""


def _with(rule: Rule) -> BreaksRecord:
    def broken(record: SourceRecord) -> Iterator[Row]:
        if not record.rows.get(rule.against):
            yield from record.rows.get(rule.table, ())

    return broken


def _unique(rule: Rule) -> BreaksRecord:
    fields = rule.against.split()

    def broken(record: SourceRecord) -> Iterator[Row]:
        rows = [(tuple(row.get(field) for field in fields), row) for row in record.rows.get(rule.table, ())]
        counts = Counter(key for key, _ in rows)
        return (row for key, row in rows if counts[key] > 1)

    return broken


def _one_open(rule: Rule) -> BreaksRecord:
    def broken(record: SourceRecord) -> Iterator[Row]:
        rows = [row for row in record.rows.get(rule.table, ()) if row.get(rule.field) is None]
        return iter(rows if len(rows) > 1 else ())

    return broken


_RECORD: Mapping[str, tuple[Callable[[Rule], BreaksRecord], str]] = {
    "with": (_with, "there is no {against} for this {field}"),
    "unique": (_unique, "more than one row has the same {against}"),
    "one-open": (_one_open, "more than one row is without {field}"),
}


@dataclass(frozen=True, slots=True)
class Checker:
    """The rules of one data set, compiled. ``version`` is that of the data set they are of."""

    rules: tuple[Rule, ...]
    by_table: Mapping[str, tuple[tuple[Rule, str, Breaks], ...]]
    of_record: tuple[tuple[Rule, str, BreaksRecord], ...]

    def findings(self, record: SourceRecord) -> tuple[Finding, ...]:
        """Every rule that this record breaks, in the order of its rows; none for one of an earlier version."""
        if _of_another_version(record):
            return ()
        found = [
            Finding(rule.code, rule.severity, text, row.place(rule.field))
            for row in record.order
            for rule, text, breaks in self.by_table.get(row.name, ())
            if breaks(row)
        ]
        found += [
            Finding(rule.code, rule.severity, text, row.place(rule.field))
            for rule, text, broken in self.of_record
            for row in broken(record)
        ]
        return tuple(found)


def _of_another_version(record: SourceRecord) -> bool:
    """Whether the header says that the record is of v5 or before, which had other rules."""
    header = record.rows.get(HEADER)
    version = (header[0].get("DatSetVer") if header else None) or ""
    return version[:1] in ("1", "2", "3", "4", "5")


def load_checker(folder: Path) -> Checker | None:
    """The checker of the mapping in ``folder``; None where it has no ``validation.csv``. Raises ContentError."""
    path = folder / FILE
    if not path.is_file():
        return None
    rules = load_rules(path)
    by_table: dict[str, list[tuple[Rule, str, Breaks]]] = defaultdict(list)
    of_record: list[tuple[Rule, str, BreaksRecord]] = []
    for rule in rules:
        if rule.check in _RECORD:
            compile_record, words = _RECORD[rule.check]
            of_record.append((rule, _text(words, rule), compile_record(rule)))
            continue
        if rule.check not in _ROW:
            raise ContentError(f"check is one of {', '.join((*_ROW, *_RECORD))}", str(path), rule.line, 1)
        compile_row, words = _ROW[rule.check]
        try:
            by_table[rule.table].append((rule, _text(words, rule), compile_row(rule, folder)))
        except _Unknown as unknown:
            raise ContentError(str(unknown), str(path), rule.line, 1) from None
    return Checker(rules, {table: tuple(found) for table, found in by_table.items()}, tuple(of_record))


def _text(words: str, rule: Rule) -> str:
    against = rule.against.replace("+", " plus days: ") if rule.check in ("before", "after") else rule.against
    return words.format(field=rule.field, against=against)
