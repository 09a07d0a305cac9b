"""Dated parameters: which value counts on which day."""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from rules.engine.conditions import Threshold
from rules.engine.content import Dated, Parameter, Within
from rules.engine.errors import ContentError
from rules.engine.model import Policy


def value_at(parameter: Parameter, as_of: date) -> Any:
    """The last value with ``from`` on or before the as-of date. Raises ContentError when there is none."""
    return dated_at(parameter, as_of).value


def dated_at(parameter: Parameter, as_of: date) -> Dated:
    """Like ``value_at``, with the day from which the value counts."""
    for dated in reversed(parameter.values):
        if dated.start <= as_of:
            return dated
    place = parameter.place
    message = (
        f"the parameter {parameter.name} has no value on {as_of}: its first counts from {parameter.values[0].start}"
    )
    raise ContentError(message, place.file, place.line, place.column, code="RC063")


def since(dated: Dated) -> date | None:
    """The day from which a value counts; None for one that counts for every day."""
    return None if dated.start == date.min else dated.start


class Bands:
    """The spans of days in which every parameter keeps its value, numbered from 0 (before any of them)."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        starts = {dated.start for parameter in parameters.values() for dated in parameter.values}
        self.starts = sorted(starts)

    def at(self, as_of: date) -> int:
        return bisect_right(self.starts, as_of)

    def first_day(self, band: int) -> date:
        """A day on which the band counts."""
        return self.starts[band - 1] if band else date.min


class Values:
    """The parameters as they stand on one day."""

    def __init__(self, parameters: Mapping[str, Parameter], as_of: date) -> None:
        self._parameters = parameters
        self._as_of = as_of
        self._found: dict[str, Dated] = {}

    def named(self, name: str) -> Any:
        return self._dated(name).value

    def _dated(self, name: str) -> Dated:
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = dated_at(self._parameters[name], self._as_of)
        return found

    def of(self, threshold: Threshold) -> Any:
        """A threshold's literal, or the value of its parameter (lists as tuples)."""
        if not threshold.parameter:
            return threshold.value
        value = self.named(threshold.parameter)
        return tuple(value) if isinstance(value, list) else value

    def since(self, threshold: Threshold) -> date | None:
        """The day from which a threshold's value counts; None for a literal, and for a provider's undated value."""
        if not threshold.parameter:
            return None
        return since(self._dated(threshold.parameter))

    def provider(self, threshold: Threshold) -> str:
        """The provider whose own policy a threshold is; "" for a literal and for the pack's value."""
        if not threshold.parameter:
            return ""
        return self._dated(threshold.parameter).provider

    def policies(self, rule: str, *thresholds: Threshold) -> tuple[Policy, ...]:
        """Those of these thresholds that are a provider's own, as what shaped a referral of a rule."""
        found = []
        for threshold in thresholds:
            if provider := self.provider(threshold):
                value = str(self.of(threshold))
                found.append(Policy(threshold.parameter, value, provider, self.since(threshold), rule))
        return tuple(found)


class Calendar:
    """Ends of timeframes, with working days where a timeframe counts those."""

    def __init__(self, values: Values, has_holidays: bool) -> None:
        self._values = values
        self._holidays = (
            frozenset(map(date.fromisoformat, values.named("bank-holidays"))) if has_holidays else frozenset()
        )

    def end(self, start: date, within: Within) -> date:
        """``start`` plus the timeframe."""
        days: int = self._values.of(within.days)
        if not within.working:
            return start + timedelta(days=days)
        end = start
        while days > 0:
            end += timedelta(days=1)
            if end.weekday() < 5 and end not in self._holidays:
                days -= 1
        return end


def add_months(day: date, months: int) -> date:
    """The same day of the month, ``months`` later (or earlier), clipped to the month's end and to years 1 to 9999."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    if year < date.min.year:
        return date.min
    last = 28 if day.day <= 28 else monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def last_inside(as_of: date, months: int) -> date:
    """The earliest day that is still within so many months of the as-of date."""
    day = add_months(as_of, -months).toordinal()
    while add_months(date.fromordinal(day), months) < as_of:  # the as-of date is the end of a longer month
        day += 1
    while day > 1 and add_months(date.fromordinal(day - 1), months) >= as_of:
        day -= 1
    return date.fromordinal(day)
