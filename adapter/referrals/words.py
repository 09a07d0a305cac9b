"""Facts and truths in plain words, for explanations and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from itertools import groupby

from rules import DateSpan, DaySpan, Fact, FactValue, State, Truth

TRUTHS: dict[Truth, str] = {True: "met", False: "not met", None: "cannot tell"}

Dated = Callable[[str], str]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # whatever the locale


def day(when: date) -> str:
    """A date as the NHS writes it for people: ``09-Mar-2026``."""
    return f"{when.day:02d}-{_MONTHS[when.month - 1]}-{when.year}"


def spoken(written: str) -> str:
    """A FHIR date in the same way, no more exact than it is: ``09-Mar-2026``, ``Mar-2026``, ``2026``."""
    year, *rest = written.split("-")
    return "-".join([*rest[1:], *(_MONTHS[int(month) - 1] for month in rest[:1]), year])


def value(found: FactValue | None, dated: Dated = str) -> str:
    """A fact's value: ``yes``, ``14``, ``between 2026-02-01 and 2026-02-03``; ``dated`` words an ISO date."""
    match found:
        case None:
            return "nothing"
        case bool():
            return "yes" if found else "no"
        case DateSpan():
            return span(dated(found.low.isoformat()), dated(found.high.isoformat()))
        case DaySpan():
            days, weeks = (
                span(str(found.low), str(found.high)),
                span(weeks_and_days(found.low), weeks_and_days(found.high)),
            )
            return f"{days} days ({weeks} weeks)" if found.low >= 7 else f"{days} days"
        case frozenset():
            return ", ".join(sorted(found)) or "none"
        case _:
            return str(found)


def finding(fact: Fact, dated: Dated = str) -> str:
    """What the record says of a fact: its value and date, or why there is none; ``dated`` words an ISO date."""
    if fact.state is State.KNOWN:
        on = "" if isinstance(fact.value, DateSpan) else _date(fact.on, fact)
        return value(fact.value, dated) + (f" on {dated(on)}" if on else "")
    if fact.older is not None:
        on = _date(fact.older_on, fact)
        return f"only {value(fact.older, dated)}{f' of {dated(on)}' if on else ''}, too old to count"
    missing = "not in the record" if fact.state is State.ABSENT else "not known"
    why = fact.note.replace("-", " ")
    return f"{missing} ({why})" if why else missing


_WHY_NOT_KNOWN = {"item-missing": "missing from the form", "conflict": "the record contradicts itself"}


def not_known(asked: Iterable[tuple[str, Fact | None]]) -> str:
    """Facts by their names; after each run of those that are not known for the same reason, that reason."""
    runs = groupby(asked, key=lambda each: _why_not_known(each[1]))
    named = ((why, "; ".join(name for name, _ in run)) for why, run in runs)
    return "; ".join(f"{names}: {why}" if why else names for why, names in named)


def _why_not_known(fact: Fact | None) -> str:
    """Why a fact is not known, where nobody has simply not recorded it: ``missing from the form of 24-Feb-2026``."""
    if fact is None or fact.state is not State.UNKNOWN or fact.note in ("", "not-recorded"):
        return ""
    said = _WHY_NOT_KNOWN.get(fact.note, fact.note.replace("-", " "))
    dates = sorted({evidence.date[:10] for evidence in fact.evidence if evidence.date})
    return f"{said} of {spoken(dates[-1])}" if fact.note == "item-missing" and dates else said


def _date(when: date | None, fact: Fact) -> str:
    """The date that counted, no more exact than the record has it (``2015`` stays a year)."""
    if when is None:
        return ""
    exact = when.isoformat()
    written = (evidence.date for evidence in fact.evidence if evidence.date and exact.startswith(evidence.date))
    return next(written, exact)


def weeks_and_days(days: int) -> str:
    """Completed weeks and days: ``28+0``."""
    return f"{days // 7}+{days % 7}"


def span(low: str, high: str) -> str:
    """``5``, or ``between 5 and 7``."""
    return low if low == high else f"between {low} and {high}"
