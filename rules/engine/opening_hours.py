"""When a service is open: spans of a day on days of the week. Whether it is open now needs a time of day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time

from rules.engine.cursor import Cursor

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week as FHIR R4 codes them, Monday first."""


@dataclass(frozen=True, slots=True)
class OpeningSpan:
    """Open on these days from ``opens`` until, but not at, ``closes``; both None: the whole day."""

    days: tuple[str, ...]
    opens: time | None = None
    closes: time | None = None

    def holds(self, day: date, at: time) -> bool:
        """Whether this span holds a time of a day."""
        if DAYS[day.weekday()] not in self.days:
            return False
        return self.opens is None or self.closes is None or self.opens <= at < self.closes


def is_open(spans: Iterable[OpeningSpan], day: date, at: time, holidays: Iterable[str] = ()) -> bool:
    """Whether a service with these hours is open. ``holidays`` are ISO dates.

    On a bank holiday only hours of every day of the week count: any others may not be kept, and it is safer to ask
    somebody else as well.
    """
    every_day = day.isoformat() in holidays
    return any(span.holds(day, at) for span in spans if not every_day or set(span.days) == set(DAYS))


def in_words(spans: Iterable[OpeningSpan]) -> str:
    """``mon, tue, wed 09:00–17:00; sat all day``; "closed" where there is no span."""
    return "; ".join(f"{', '.join(span.days)} {_times(span)}" for span in spans) or "closed"


def load_spans(at: Cursor) -> tuple[OpeningSpan, ...]:
    """A list of ``{days, from, to}`` or ``{days, all_day: true}``, as a provider's policy or a directory has it."""
    return tuple(_span(item) for item in at.each())


def _span(at: Cursor) -> OpeningSpan:
    days = tuple(day for day in DAYS if day in at.data["days"])
    if "all_day" in at:
        return OpeningSpan(days)
    opens, closes = _time(at["from"]), _time(at["to"])
    if opens >= closes:
        raise at["to"].error("closes before it opens: where hours go past midnight, write two spans", code="RC068")
    return OpeningSpan(days, opens, closes)


def _time(at: Cursor) -> time:
    try:
        return time.fromisoformat(at.data)
    except ValueError as error:
        raise at.error('not a time of day: write it as "09:00", in quotes', code="RC068") from error


def _times(span: OpeningSpan) -> str:
    if span.opens is None or span.closes is None:
        return "all day"
    return f"{span.opens:%H:%M}–{span.closes:%H:%M}"
