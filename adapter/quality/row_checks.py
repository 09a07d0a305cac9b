"""The kinds of check that are about one row, and the rows that it belongs to, compiled to predicates.

A rule is broken only by what is there: a date that is none breaks its ``format`` rule and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from adapter.mapping.shapes import NORMAL, normal_snomed
from adapter.quality.codes import CodeList
from adapter.quality.content import Content, Unknown
from adapter.quality.formats import compile_format, day_of
from adapter.quality.rules import Rule
from adapter.sources.model import Row

Breaks = Callable[[Row], bool]

HEADER, PERIOD_START = "MHS000Header", "ReportingPeriodStartDate"


def _blank(rule: Rule, content: Content) -> Breaks:  # noqa: ARG001 - one signature
    return lambda row: row.get(rule.field) is None


def _format(rule: Rule, content: Content) -> Breaks:  # noqa: ARG001 - one signature
    matches = compile_format(rule.against)
    if matches is None:
        raise Unknown(f"{rule.against!r} is no format")
    return lambda row: (text := row.get(rule.field)) is not None and not matches(text)


def _values(rule: Rule, content: Content) -> Breaks:
    holds = _holding(content.code_list(rule.against))
    return lambda row: (text := row.get(rule.field)) is not None and not holds(text, row)


def _values_first(rule: Rule, content: Content) -> Breaks:
    holds = _holding(content.code_list(rule.against))
    return lambda row: (text := row.get(rule.field)) is not None and not holds(text, row) and not holds(text[:1], row)


def _holding(codes: CodeList) -> Callable[[str, Row], bool]:
    """Whether a code is of the list in the reporting period of a row."""
    if not codes.dated:
        return lambda text, row: codes.holds(text, None)  # noqa: ARG005 - one signature
    return lambda text, row: codes.holds(text, _period(row))


def _period(row: Row) -> date | None:
    """The day on which the reporting period starts."""
    header = row.related(HEADER)
    return _day(header, PERIOD_START) if header is not None else None


def _day(row: Row, field: str) -> date | None:
    text = row.get(field)
    return day_of(text) if text is not None else None


def _other_day(rule: Rule) -> Callable[[Row], date | None]:
    """The day of ``TABLE.FIELD`` (of the row itself or one it belongs to), ``+1`` a day later."""
    name, plus, days = rule.against.partition("+")
    table, dot, field = name.partition(".")
    if not dot:
        raise Unknown(f"{rule.against!r} is no TABLE.FIELD")
    later = timedelta(days=int(days or 0) if plus else 0)

    def find(row: Row) -> date | None:
        owner = row if row.name == table else row.related(table)
        found = _day(owner, field) if owner is not None else None
        return found + later if found is not None else None

    return find


def _before(rule: Rule, content: Content) -> Breaks:  # noqa: ARG001 - one signature
    other = _other_day(rule)
    return lambda row: bool((day := _day(row, rule.field)) and (limit := other(row)) and day < limit)


def _after(rule: Rule, content: Content) -> Breaks:  # noqa: ARG001 - one signature
    other = _other_day(rule)
    return lambda row: bool((day := _day(row, rule.field)) and (limit := other(row)) and day > limit)


def _age(rule: Rule, content: Content) -> Breaks:  # noqa: ARG001 - one signature
    oldest = int(rule.against)

    def breaks(row: Row) -> bool:
        born, start = _day(row, rule.field), _period(row)
        if born is None or start is None:
            return False
        return start.year - born.year - ((start.month, start.day) < (born.month, born.day)) > oldest

    return breaks


def _joined(rule: Rule, content: Content) -> Breaks:  # noqa: ARG001 - one signature
    return lambda row: row.related(rule.against) is None


def _same(rule: Rule, content: Content) -> Breaks:  # noqa: ARG001 - one signature
    table, _, field = rule.against.partition(".")

    def breaks(row: Row) -> bool:
        owner = row.related(table)
        other, text = owner.get(field) if owner is not None else None, row.get(rule.field)
        return other is not None and text is not None and text.upper() != other.upper()

    return breaks


def _snomed(rule: Rule, content: Content) -> Breaks:  # noqa: ARG001 - one signature
    return lambda row: (text := row.get(rule.field)) is not None and normal_snomed(text) is None


def _scheme(rule: Rule, content: Content) -> Breaks:
    field, _, name = rule.against.partition(" ")
    systems = content.code_map(name)

    def breaks(row: Row) -> bool:
        text, system = row.get(rule.field), systems.get(row.get(field) or "")
        return text is not None and system is not None and NORMAL[system](text) is None

    return breaks


def _score(rule: Rule, content: Content) -> Breaks:
    ranges, number = content.ranges, compile_format("number")

    def breaks(row: Row) -> bool:
        score, bounds = row.get(rule.field), ranges.get(row.get(rule.against) or "")
        if score is None or bounds is None or number is None or not number(score):
            return False
        return not bounds[0] <= float(score) <= bounds[1]

    return breaks


def _nhs_number_status(rule: Rule, content: Content) -> Breaks:  # noqa: ARG001 - one signature
    def status(row: Row) -> tuple[str | None, bool]:
        return row.get(rule.field), row.get("NHSNumber") is not None

    kinds: Mapping[str, Callable[[str | None, bool], bool]] = {
        "07-with-number": lambda given, number: given == "07" and number,
        "missing-without-number": lambda given, number: given is None and not number,
        "other-without-number": lambda given, number: given not in (None, "07") and not number,
    }
    if rule.against not in kinds:
        raise Unknown(f"{rule.against!r} is none of {', '.join(kinds)}")
    holds = kinds[rule.against]
    return lambda row: holds(*status(row))


def _blank_with(rule: Rule, content: Content) -> Breaks:  # noqa: ARG001 - one signature
    return lambda row: row.get(rule.field) is None and row.get(rule.against) is not None


def _not_required(rule: Rule, content: Content) -> Breaks:  # noqa: ARG001 - one signature
    return lambda row: row.get(rule.field) is not None and row.get(rule.against) == "N"


ROW_CHECKS: Mapping[str, tuple[Callable[[Rule, Content], Breaks], str]] = {
    "blank": (_blank, "{field} is missing"),
    "blank-with": (_blank_with, "{field} is missing though {against} is given"),
    "format": (_format, "{field} has not the form {against}"),
    "values": (_values, "{field} is none of the national codes"),
    "values-first": (_values_first, "{field} does not begin with one of the national codes"),
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
