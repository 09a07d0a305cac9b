"""The facts of pregnancy, read off the story: ``from: {pregnancy: NAME}``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from adapter.facts import dates
from adapter.facts.dates import TERM_DAYS
from adapter.facts.pregnancy import ASK_OUTCOME, ASK_STATUS, Story, best_due, tell
from adapter.facts.pregnancy_events import LOSSES, Events, collect
from adapter.facts.reading import Declared, Reading
from adapter.records import Evidence
from rules import DateSpan, DaySpan, Fact

LONGEST_ENDED, SHORTEST_ENDED = 294, 14
"""How long before its end a pregnancy began, where nothing says so: at most and at least."""


class Pregnancy:
    """The events and the story of one reading, and everything that was lost."""

    __slots__ = ("events", "losses", "reading", "story")

    def __init__(self, reading: Reading) -> None:
        self.reading, self.events = reading, collect(reading)
        self.story = tell(self.events, reading)
        self.losses = list(_losses(self.events)) if self.events.ends or self.events.deaths else []


def _losses(events: Events) -> Iterator[tuple[DateSpan | None, Evidence]]:
    """Every loss of a pregnancy or a baby on record, with its date where it has one."""
    born = {end.baby: end.span for end in events.ends if end.form == "baby"}
    for end in events.ends:
        if end.kind in LOSSES:
            yield end.span or born.get(end.baby), end.evidence
    for death in events.deaths:
        yield death.span, death.evidence


def _open(fact: Declared, story: Story) -> Fact:
    """Unknown for the reason that the pregnancy is."""
    return fact.unknown(story.note or "not-recorded", story.evidence, story.ask or ASK_STATUS)


def _pregnant(fact: Declared, pregnancy: Pregnancy) -> Fact:
    story = pregnancy.story
    if story.pregnant is None:
        return _open(fact, story)
    return fact.known(story.pregnant, None, story.evidence, story.note)


def _gestation(fact: Declared, pregnancy: Pregnancy) -> Fact:
    story = pregnancy.story
    if story.pregnant is None:
        return _open(fact, story)
    if not story.pregnant:
        return fact.not_so("not-pregnant")
    if story.due is None:
        return fact.unknown("no-date", story.evidence, ASK_STATUS)
    left = dates.days_before(pregnancy.reading.as_of, story.due.span)
    low, high = max(0, TERM_DAYS + left.low), max(0, TERM_DAYS + left.high)
    if fact.high is not None and low <= fact.high:
        high = min(high, int(fact.high))  # she is pregnant, so of a vague date only what is possible remains
    days = DaySpan(low, high)
    return fact.known(days, story.due.recorded, (story.due.evidence,))


def _edd(fact: Declared, pregnancy: Pregnancy) -> Fact:
    story = pregnancy.story
    if story.due is not None:
        return fact.known(story.due.span, story.due.recorded, (story.due.evidence,), story.note)
    if story.pregnant:
        return fact.unknown("no-date", story.evidence, ASK_STATUS)
    return _open(fact, story) if story.pregnant is None else fact.not_so()


def _started(fact: Declared, pregnancy: Pregnancy) -> Fact:
    story, end = pregnancy.story, pregnancy.story.end
    if story.due is not None:
        return fact.known(dates.shift(story.due.span, -TERM_DAYS), story.due.recorded, (story.due.evidence,))
    if story.pregnant or story.ended_between is not None:
        return fact.unknown("no-date", story.evidence, ASK_STATUS)
    if end is None:
        if story.pregnant is None:
            return _open(fact, story)
        return (
            fact.unknown("no-date", story.evidence, ASK_OUTCOME) if story.over_undated else fact.not_so("none-recorded")
        )
    days = end.gestation or DaySpan(SHORTEST_ENDED, LONGEST_ENDED)
    if end.gestation is None:
        dues = [d for d in pregnancy.events.dues if dates.shift(d.span, -TERM_DAYS).low <= end.span.high]
        dues = [d for d in dues if end.span.low <= dates.shift(d.span, 28).high]
        if (due := best_due(dues, pregnancy.reading)) is not None:
            return fact.known(dates.shift(due.span, -TERM_DAYS), due.recorded, (due.evidence, *end.evidence[:1]))
    span = DateSpan(dates.shift(end.span, -days.high).low, dates.shift(end.span, -days.low).high)
    return fact.known(span, None, end.evidence)


def _ended(fact: Declared, pregnancy: Pregnancy) -> Fact:
    story = pregnancy.story
    if story.ended_between is not None:
        return fact.known(story.ended_between, None, story.evidence, story.note or "outcome-not-recorded")
    if story.pregnant is None and story.due is not None:
        return _open(fact, story)
    if story.end is not None:
        return fact.known(story.end.span, None, story.end.evidence)
    if story.undated_end or story.over_undated:
        return fact.unknown("no-date", story.evidence, ASK_OUTCOME)
    if story.pregnant is None:
        return _open(fact, story)
    return fact.not_so("" if story.pregnant else "none-recorded")


def _unrecorded(fact: Declared, story: Story) -> Fact | None:
    """Unknown where the latest pregnancy may have ended, and nobody wrote down how."""
    if story.ended_between is not None or story.note in ("due-date-passed", "record-contradicts"):
        return fact.unknown(story.note or "outcome-not-recorded", story.evidence, ASK_OUTCOME)
    return None


def _birth(fact: Declared, pregnancy: Pregnancy) -> Fact:
    story = pregnancy.story
    if (unrecorded := _unrecorded(fact, story)) is not None:
        return unrecorded
    if story.end is not None:
        if story.end.birth is not None:
            return fact.known(story.end.birth, None, story.end.birth_evidence)
        if "unknown" in story.end.kinds:
            return fact.unknown("outcome-not-recorded", story.end.evidence, ASK_OUTCOME)
        return fact.not_so("ended-by-loss", story.end.evidence)
    if story.over_undated:
        return fact.unknown("no-date", story.evidence, ASK_OUTCOME)
    return _open(fact, story) if story.pregnant is None else fact.not_so()


def _loss(fact: Declared, pregnancy: Pregnancy) -> Fact:
    story, losses = pregnancy.story, pregnancy.losses
    dated = [(span, evidence) for span, evidence in losses if span is not None]
    if dated:
        span, evidence = max(dated, key=lambda loss: loss[0])
        return fact.known(span, None, (evidence,))
    if losses:
        return fact.unknown("no-date", tuple(evidence for _, evidence in losses), ASK_OUTCOME)
    if (unrecorded := _unrecorded(fact, story)) is not None:
        return unrecorded
    if story.end is not None and "unknown" in story.end.kinds:
        return fact.unknown("outcome-not-recorded", story.end.evidence, ASK_OUTCOME)
    return fact.not_so()


def _bereaved(fact: Declared, pregnancy: Pregnancy) -> Fact:
    story = pregnancy.story
    deaths = tuple(death.evidence for death in pregnancy.events.deaths)
    undated = tuple(end.evidence for end in pregnancy.events.ends if end.kind in LOSSES and end.span is None)
    lost = story.end.evidence if story.end is not None and story.end.lost else ()
    if deaths or lost or undated:
        return fact.known(True, None, tuple(dict.fromkeys((*deaths, *lost, *undated))))
    if (unrecorded := _unrecorded(fact, story)) is not None:
        return unrecorded
    if story.end is not None:
        if "unknown" in story.end.kinds:
            return fact.unknown("outcome-not-recorded", story.end.evidence, ASK_OUTCOME)
        return fact.known(False, None, story.end.evidence)
    return fact.not_so()


def _living(fact: Declared, pregnancy: Pregnancy) -> Fact:
    story, events = pregnancy.story, pregnancy.events
    if (unrecorded := _unrecorded(fact, story)) is not None:
        return unrecorded
    if story.end is not None:
        if story.end.living is None:
            return fact.unknown("outcome-not-recorded", story.end.evidence, ASK_OUTCOME)
        evidence = (*story.end.evidence, *(death.evidence for death in events.deaths))
        return fact.known(story.end.living, None, tuple(dict.fromkeys(evidence)))
    babies = [end for end in events.ends if end.kind in ("birth", "live-birth")]
    if babies:
        died = {death.baby for death in events.deaths}
        lives = any(end.baby not in died for end in babies) if len(babies) > 1 else not events.deaths
        return fact.known(lives, None, tuple(end.evidence for end in babies))
    if story.over_undated and not pregnancy.losses:
        return fact.unknown("no-date", story.evidence, ASK_OUTCOME)
    if story.pregnant is None:
        return _open(fact, story)
    return fact.known(False, None, story.evidence)


def _undated(fact: Declared, pregnancy: Pregnancy) -> Fact:
    story = pregnancy.story
    if not story.undated:
        return fact.not_so()
    ends = tuple(end.evidence for end in pregnancy.events.ends if end.span is None)
    return fact.known(True, None, story.evidence or ends)


def _due_date_passed(fact: Declared, pregnancy: Pregnancy) -> Fact:
    story = pregnancy.story
    return fact.known(True, None, story.evidence) if story.due_passed else fact.not_so()


FACTS: Mapping[str, Callable[[Declared, Pregnancy], Fact]] = {
    "pregnant": _pregnant,
    "gestation_days": _gestation,
    "pregnancy_started_on": _started,
    "pregnancy_ended_on": _ended,
    "birth_on": _birth,
    "loss_on": _loss,
    "living_baby": _living,
    "bereaved": _bereaved,
    "undated": _undated,
    "due_date_passed": _due_date_passed,
    "edd": _edd,
}
"""Each fact of the pregnancy that a declaration may name, and how it is read off the story."""
