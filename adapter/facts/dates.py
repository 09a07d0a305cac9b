"""FHIR dates as spans of days, and the arithmetic that pregnancy and screening need.

A FHIR date may say a year, a month, a day or an instant. It is read as the span of days it allows, so that what
is not known stays unknown: ``2025-06`` lies between 1 and 30 June. An instant counts on its day in England.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adapter.records import Resource
from rules import DateSpan, DaySpan

LONDON = ZoneInfo("Europe/London")
TERM_DAYS = 280
"""Days from the first day of the last period to the expected date of delivery (40 weeks)."""

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(T.*)?)?)?\Z")


class When(NamedTuple):
    """A FHIR date as written: its days, its instant (POSIX seconds; None when it has no time) and its path."""

    span: DateSpan
    instant: float | None
    text: str
    path: str = ""

    @property
    def day(self) -> date | None:
        """The day, where exactly one is meant."""
        return self.span.low if self.span.low == self.span.high else None


@lru_cache(maxsize=4096)
def parse(text: str, path: str = "") -> When | None:
    """Read a FHIR date, dateTime or instant; None for what is none (31 February, free text)."""
    match = _DATE.match(text)
    if match is None:
        return None
    year, month, day, time = match.groups()
    try:
        if time:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=LONDON)
            exact = moment.astimezone(LONDON).date()
            return When(DateSpan(exact, exact), moment.timestamp(), text, path)
        low = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    if day:
        return When(DateSpan(low, low), None, text, path)
    last_month = int(month or 12)
    last = date(low.year, last_month, monthrange(low.year, last_month)[1])
    return When(DateSpan(low, last), None, text, path)


def read(element: Resource, *paths: str) -> When | None:
    """The first of these elements that holds a date; ``a.b`` is element b of a (a Period's end, say)."""
    for path in paths:
        value = element.get(path)
        if value is None:
            outer, inner = _steps(path)
            if outer not in element:
                continue
            period = element[outer]
            value = period.get(inner) if isinstance(period, dict) else None
        if isinstance(value, str) and (when := parse(value, path)) is not None:
            return when
    return None


@cache
def _steps(path: str) -> tuple[str, str]:
    outer, _, inner = path.partition(".")
    return outer, inner


def effective(observation: Resource) -> When | None:
    """When an Observation is true of the patient: its effective date, else when it was issued."""
    written = observation.get("effectiveDateTime")
    if isinstance(written, str) and (when := parse(written, "effectiveDateTime")) is not None:
        return when
    return read(
        observation,
        "effectivePeriod.end",
        "effectivePeriod.start",
        "effectiveInstant",
        "issued",
    )


@lru_cache(maxsize=4096)
def shift(span: DateSpan, days: int) -> DateSpan:
    """The span moved by some days."""
    low = plus(span.low, days)
    return DateSpan(low, low if span.high == span.low else plus(span.high, days))


@lru_cache(maxsize=4096)
def plus(day: date, days: int) -> date:
    """The day some days later; a day outside the calendar's range stays at its end."""
    try:
        return day + timedelta(days)
    except OverflowError:
        return date.max if days > 0 else date.min


def days_before(as_of: date, span: DateSpan) -> DaySpan:
    """How many days ago the span was at ``as_of``; negative is in the future."""
    return DaySpan((as_of - span.high).days, (as_of - span.low).days)


def within(span: DateSpan, as_of: date, days: int | None) -> bool | None:
    """Whether the span is at most ``days`` days old, both ends included; None where it may or may not be."""
    if days is None or (as_of - span.low).days <= days:
        return True
    return False if (as_of - span.high).days > days else None


def future(span: DateSpan, as_of: date) -> bool:
    """Whether the whole span lies after ``as_of``."""
    return span.low > as_of


def years_between(born: date, day: date) -> int:
    """Age in completed years; who was born on 29 February has a birthday on 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def add_years(span: DateSpan, years: int) -> DateSpan:
    """The span some years later: 29 February becomes 1 March where there is none."""
    return DateSpan(_birthday(span.low, years), _birthday(span.high, years))


def _birthday(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(min(day.year + years, date.max.year), 3, 1)
