"""The latest end of a pregnancy: births and losses close together are one pregnancy, twins are two outcomes.

The birth date of a baby goes before the date of an outcome, which is often the day it was written down.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from adapter.facts import dates
from adapter.facts.pregnancy_events import BIRTHS, LOSSES, End, Events, Length
from adapter.records import Evidence
from rules import DateSpan, DaySpan

ONE_PREGNANCY_DAYS = 30
BIRTHS_APART_DAYS = 140
"""Two births nearer to each other than this are one birth, recorded again later."""
NEONATAL_DAYS, INFANT_DAYS = 28, 365


@dataclass(frozen=True, slots=True)
class Ended:
    """One pregnancy that ended. ``birth`` and ``loss`` are the dates of its birth and of its loss, if any.

    ``living`` is whether a baby of it lives; None where its outcome is not known.
    """

    span: DateSpan
    evidence: tuple[Evidence, ...]
    kinds: frozenset[str]
    birth: DateSpan | None
    birth_evidence: tuple[Evidence, ...]
    living: bool | None
    gestation: DaySpan | None

    @property
    def lost(self) -> bool:
        return bool(self.kinds & LOSSES)


def latest(events: Events) -> Ended | None:
    """The latest pregnancy that ended with a known date, or None."""
    if not events.ends and not events.deaths:
        return None
    groups = _group([*_dated(events.ends), *_implied(events)])
    return _ended(groups[-1], events) if groups else None


def _dated(ends: Iterable[End]) -> list[End]:
    """Ends with dates; an outcome that is about a baby takes the baby's birth date."""
    ends = list(ends)
    born = {end.baby: end.span for end in ends if end.form == "baby" and end.span is not None}
    found = []
    for end in ends:
        if end.span is None and end.baby not in born:
            continue
        found.append(end._replace(span=born.get(end.baby, end.span) if end.baby is not None else end.span))
    return found


def _implied(events: Events) -> list[End]:
    """A baby that died was born, be the birth on record or not."""
    found = []
    births = [end for end in events.ends if end.kind in BIRTHS and end.span is not None]
    for death in events.deaths:
        if death.span is None or death.baby is not None:
            continue
        days = INFANT_DAYS if death.kind == "infant-death" else NEONATAL_DAYS - 1
        span = DateSpan(dates.shift(death.span, -days).low, death.span.high)
        earliest = dates.shift(death.span, -INFANT_DAYS * 2 if death.kind == "infant-death" else -NEONATAL_DAYS).low
        if not any(end.span and end.span.high >= earliest and end.span.low <= death.span.high for end in births):
            found.append(End("birth", span, None, death.evidence, death.form))
    return found


def _group(ends: list[End]) -> list[list[End]]:
    groups: list[list[End]] = []
    for end in sorted(ends, key=lambda end: _span(end)):
        if groups and _one_pregnancy(groups[-1], end):
            groups[-1].append(end)
        else:
            groups.append([end])
    return groups


def _one_pregnancy(group: Sequence[End], end: End) -> bool:
    gap = (_span(end).low - max(_span(other).high for other in group)).days
    if gap <= ONE_PREGNANCY_DAYS:
        return True
    births = [_span(other).low for other in group if other.kind in BIRTHS]
    return end.kind in BIRTHS and bool(births) and (_span(end).low - min(births)).days < BIRTHS_APART_DAYS


def _span(end: End) -> DateSpan:
    assert end.span is not None  # noqa: S101 - only dated ends are grouped
    return end.span


def _ended(group: Sequence[End], events: Events) -> Ended:
    births = [end for end in group if end.kind in BIRTHS]
    known = [end for end in births if end.form == "baby"] or births
    if known:
        first = min(_span(end).low for end in known)
        known = [end for end in known if (_span(end).low - first).days <= ONE_PREGNANCY_DAYS]
    losses = [end for end in group if end not in births]
    closing = known or losses
    last = max(closing, key=lambda end: _span(end))
    span, kinds = _span(last), frozenset(end.kind for end in group)
    evidence = tuple(dict.fromkeys(end.evidence for end in (last, *closing, *group)))
    birth = _span(max(known, key=_span)) if known else None
    return Ended(
        span,
        evidence,
        kinds,
        birth,
        tuple(dict.fromkeys(end.evidence for end in known)),
        _living(group, events) if births else (None if "unknown" in kinds else False),
        _gestation(events.lengths, group, span),
    )


def _living(group: Sequence[End], events: Events) -> bool | None:
    """Whether one of the babies lives: those born alive are more than those that died.

    Babies are counted by their own entries, and outcomes by each form of recording; the higher count holds, so that
    one birth recorded in two forms is not two.
    """
    still_babies = {end.baby for end in group if end.kind == "stillbirth" and end.baby is not None}
    babies = {end.baby for end in group if end.form == "baby"}
    live = _most(end.form for end in group if end.kind == "live-birth")
    still = _most(end.form for end in group if end.kind == "stillbirth" and end.baby is None)
    unknown = any(end.kind == "unknown" for end in group)
    named = len(babies - still_babies) - still
    implied = any(end.kind == "birth" and end.form != "baby" for end in group)
    born_alive = max(named, live, int(implied))
    gone = _deaths(group, events, babies - still_babies, still)
    if born_alive > gone and (live or not unknown):
        return True
    return None if unknown else False


def _deaths(group: Sequence[End], events: Events, babies: Collection[int | None], still: int) -> int:
    """How many of the babies born alive died. A baby dead at birth is one of the ``still`` stillbirths first."""
    undated = {end.baby for end in events.ends if end.span is None}
    born = max(_span(end).high for end in group)
    first = min(_span(end).low for end in group)
    died = [death for death in events.deaths if death.span is None or death.span.high >= first]
    named = [death for death in died if death.baby in babies or (death.baby is not None and death.baby in undated)]
    later = {death.baby for death in named if death.span is not None and death.span.low > born}
    at_birth = {death.baby for death in named} - later
    unnamed = _most(death.form for death in died if death.baby is None)
    return max(len(later) + max(0, len(at_birth) - still), unnamed)


def _most(forms: Iterable[str]) -> int:
    """How often the form of recording that was used most was used."""
    counts: dict[str, int] = {}
    for form in forms:
        counts[form] = counts.get(form, 0) + 1
    return max(counts.values(), default=0)


def _gestation(lengths: Iterable[Length], group: Sequence[End], span: DateSpan) -> DaySpan | None:
    babies = {end.baby for end in group if end.baby is not None}
    for length in lengths:
        near = length.span is None or abs((length.span.low - span.low).days) < BIRTHS_APART_DAYS
        if length.baby in babies or (length.baby is None and near):
            return length.days
    return None
