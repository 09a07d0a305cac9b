"""The story of her latest pregnancy, worked out of all the events: pregnant or not, since when, until when.

The latest end of a pregnancy divides what is past from what may be a pregnancy now. A due date that could belong
to the pregnancy that ended does; a word on pregnancy within two weeks after the end is about that pregnancy too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from adapter.facts import dates
from adapter.facts.dates import TERM_DAYS
from adapter.facts.ends import Ended, latest
from adapter.facts.pregnancy_events import MEASURED, Due, Events, Status
from adapter.facts.reading import LONGEST_GESTATION, Reading
from adapter.records import Evidence
from rules import DateSpan

EARLY_DAYS = 14
"""A last period counted late: a due date up to so many days beyond 40 weeks ahead is plausible."""
LONGEST_STATUS_DAYS = 294
"""A word "pregnant" says nothing any more after so many days (42 weeks)."""
LAG_DAYS = 14
"""So long after the end of a pregnancy, records still speak of it."""
SHORTEST_DAYS = 28
"""The shortest pregnancy that is known to have been one, from its start."""
FORGOTTEN_DAYS = 1095
"""So long after a due date without an outcome, the pregnancy is over and outside of every window.

So long after an end with no word since, nothing says any more that she is not pregnant again: it is an older child's.
"""
POSTNATAL_DAYS = 730
"""How long a postnatal code without the date of a birth says that there is a new baby."""

MATERNITY = "714088003"
"""SNOMED CT: midwifery service, the type of a maternity episode."""

DENIALS = frozenset({"not-pregnant", "postnatal", "over"})
"""Words by which she is not pregnant."""

ASK_STATUS, ASK_OUTCOME = "confirm-pregnancy-status", "confirm-pregnancy-outcome"


class Story(NamedTuple):
    """What is known: ``pregnant`` None is unknown, ``note`` and ``ask`` then say why and what to ask.

    ``ended_between`` is the span in which a pregnancy without a recorded outcome ended (or may have).
    """

    pregnant: bool | None
    evidence: tuple[Evidence, ...] = ()
    note: str = ""
    ask: str | None = None
    due: Due | None = None
    due_passed: bool = False
    ended_between: DateSpan | None = None
    end: Ended | None = None  # the latest end that has a date
    undated_end: bool = False
    undated: bool = False

    @property
    def over_undated(self) -> bool:
        """Over, on a day that nobody recorded (and not merely said to be one of pregnant and over)."""
        return self.undated and not self.pregnant and (self.pregnant is False or self.undated_end)


def tell(events: Events, reading: Reading) -> Story:
    """Work the story out."""
    end = latest(events)
    after = end.span.high if end else None
    longest = (reading.number(LONGEST_GESTATION) or 42) * 7 - TERM_DAYS
    running: list[Due] = []
    passed: list[Due] = []
    for due in events.dues:
        if _plausible(due, reading) and (after is None or dates.plus(due.span.low, -TERM_DAYS) > after):
            (running if dates.plus(due.span.high, longest) >= reading.as_of else passed).append(due)
    said = events.statuses if after is None else [one for one in events.statuses if _about_now(one, after)]
    case = _Case(reading, end, best_due(running, reading), best_due(passed, reading), _newest(said), said, events)
    return _hinted(_decide(case), case)


def _hinted(story: Story, case: _Case) -> Story:
    """A word "pregnant or with a new baby" counts where the story leaves it open, or is over by then."""
    if not case.events.hints or story.pregnant or story.due is not None or story.undated:
        return story
    hints = [hint for hint in case.events.hints if _still(hint, case)]
    if not hints:
        return story
    evidence = tuple(hint.evidence for hint in hints)
    if story.pregnant is None:
        return story._replace(evidence=(*story.evidence, *evidence), undated=True)
    over = story.end.span.high if story.end else None
    if over is not None and any(hint.when and (hint.when.span.low - over).days > POSTNATAL_DAYS for hint in hints):
        return Story(None, evidence, "not-recorded", ASK_STATUS, undated=True)
    return story


def _still(hint: Status, case: _Case) -> bool:
    """Whether she may still be what the word says: it was said at most a pregnancy and two years ago."""
    return hint.when is None or (case.as_of - hint.when.span.high).days <= LONGEST_STATUS_DAYS + POSTNATAL_DAYS


class _Case(NamedTuple):
    reading: Reading
    end: Ended | None
    due: Due | None
    passed: Due | None
    newest: tuple[Status, ...]
    said: Sequence[Status]
    events: Events

    @property
    def as_of(self) -> date:
        return self.reading.as_of

    @property
    def undated_end(self) -> bool:
        return any(end.span is None for end in self.events.ends)


def _plausible(due: Due, reading: Reading) -> bool:
    if due.recorded is not None and due.recorded.span.low > reading.as_of:
        return False
    if dates.plus(due.span.low, -TERM_DAYS - EARLY_DAYS) > reading.as_of:
        reading.issue("value", "the due date is too far ahead", "implausible-date", due.at, due.evidence.path)
        return False
    return True


def best_due(dues: Sequence[Due], reading: Reading) -> Due | None:
    """By scan before all others, then stated, counted, measured; then the newest; of equals, the span of all."""
    if len(dues) < 2:
        return dues[0] if dues else None
    stated = [due for due in dues if due.rank > MEASURED] or dues
    best = max(stated, key=lambda due: (due.rank, due.recorded.span.high if due.recorded else date.min))
    equals = [due for due in stated if due.rank == best.rank and _recorded(due) == _recorded(best)]
    span = DateSpan(min(due.span.low for due in equals), max(due.span.high for due in equals))
    if best.rank > MEASURED and any(due.span != best.span for due in equals):
        reading.issue("conflict", "two due dates of the same day differ", "data-conflict", best.at, best.evidence.path)
    return best._replace(span=span)


def _recorded(due: Due) -> DateSpan | None:
    return due.recorded.span if due.recorded else None


def _about_now(status: Status, after: date) -> bool:
    return status.when is not None and (status.when.span.low - after).days > LAG_DAYS and status.role != "postnatal"


def _newest(said: Sequence[Status]) -> tuple[Status, ...]:
    """The words that may be the newest; undated ones where none has a date.

    Against a newest "not pregnant", a pregnancy without a date counts too: it may be a later one.
    """
    if len(said) < 2:
        return tuple(said)
    dated = [(status, status.when.span) for status in said if status.when is not None]
    if not dated:
        return tuple(said)
    last = max(span.low for _, span in dated)
    newest = tuple(status for status, span in dated if span.high >= last)
    if all(status.role in ("not-pregnant", "over") for status in newest):
        newest += tuple(status for status in said if status.when is None and status.role in ("pregnant", "over"))
    return newest


# --- deciding ------------------------------------------------------------------------------------------------------
def _decide(case: _Case) -> Story:
    roles = {status.role for status in case.newest}
    denied = not roles.isdisjoint(DENIALS)
    if "conflict" in roles or ("pregnant" in roles and denied):
        return _conflict(case, "conflict")
    if case.due is not None:
        return _with_due_date(case, case.due, denied)
    if case.passed is not None and not _after_due(case, case.passed):
        return _due_date_passed(case, case.passed, denied)
    if "pregnant" in roles:
        return _said_pregnant(case)
    if denied:
        return _said_not_pregnant(case, roles)
    if roles:
        return _story(case, None, case.newest, "not-confirmed", ASK_STATUS)
    if case.end is not None:
        if (case.as_of - case.end.span.high).days > FORGOTTEN_DAYS:
            return _story(case, None, (), "not-recorded", ASK_STATUS)
        return _story(case, False, ())
    if case.undated_end:
        return _story(case, False, (), undated=True)
    return _story(case, None, (), "not-recorded", ASK_STATUS)


def _story(
    case: _Case,
    pregnant: bool | None,
    said: Sequence[Status],
    note: str = "",
    ask: str | None = None,
    *,
    due: Due | None = None,
    due_passed: bool = False,
    ended_between: DateSpan | None = None,
    undated: bool = False,
) -> Story:
    found = [status.evidence for status in said]
    if due is not None:
        found.insert(0, due.evidence)
    evidence = tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)
    if not evidence and case.end is not None:
        evidence = case.end.evidence
    undated = undated or (case.undated_end and case.end is None)
    return Story(pregnant, evidence, note, ask, due, due_passed, ended_between, case.end, case.undated_end, undated)


def _conflict(case: _Case, note: str) -> Story:
    due = case.due or case.passed
    where = (case.newest or case.said)[0].at if case.newest or case.said else (due.at if due else 0)
    case.reading.issue("conflict", "the record contradicts itself on the pregnancy", "data-conflict", where)
    either = {status.role for status in case.newest} <= {"pregnant", "postnatal"}
    return _story(case, None, case.newest, note, ASK_OUTCOME if due else ASK_STATUS, due=due, undated=either)


def _with_due_date(case: _Case, due: Due, denied: bool) -> Story:
    if denied and not _before(case.newest[0], due):
        last = case.newest[0].when
        if due.span.high >= case.as_of or last is None:
            return _conflict(case, "record-contradicts" if case.newest[0].role == "postnatal" else "conflict")
        between = DateSpan(dates.shift(due.span, SHORTEST_DAYS - TERM_DAYS).low, last.span.high)
        return _story(case, False, case.newest, due=due, due_passed=True, ended_between=between)
    if due.span.low >= case.as_of and (place := _discharged(case, due)) is not None:
        text = "maternity care ended before the due date, and no outcome is recorded"
        case.reading.issue("conflict", text, "data-conflict", place.entry, place.path)
        return _story(case, None, (), "record-contradicts", ASK_OUTCOME, due=due)
    pregnant = [status for status in case.newest if status.role == "pregnant"]
    return _story(case, True, pregnant, due=due)


def _before(status: Status, due: Due) -> bool:
    """Whether a word "not pregnant" was said before this pregnancy was known (or had begun)."""
    if status.when is None:
        return False
    if status.when.span.high < dates.shift(due.span, -TERM_DAYS).low:
        return True
    return due.recorded is not None and status.when.span.high < due.recorded.span.low


def _after_due(case: _Case, passed: Due) -> bool:
    """Whether a newer word "pregnant" is about a later pregnancy than the one whose due date passed."""
    first = case.newest[0] if case.newest else None
    if first is None or first.when is None or first.role in ("not-pregnant", "over"):
        return False
    return first.when.span.low > dates.shift(passed.span, LONGEST_STATUS_DAYS - TERM_DAYS).high


def _due_date_passed(case: _Case, due: Due, denied: bool) -> Story:
    low = dates.shift(due.span, SHORTEST_DAYS - TERM_DAYS).low
    if case.end is not None:
        low = max(low, case.end.span.high)
    said = case.newest[0] if denied else None
    if said is not None and said.when is not None and not _before(said, due):
        between = DateSpan(low, max(low, said.when.span.high))
        return _story(case, False, case.newest, due=due, due_passed=True, ended_between=between)
    if (case.as_of - due.span.high).days > FORGOTTEN_DAYS:
        between = DateSpan(low, dates.shift(due.span, LONGEST_STATUS_DAYS - TERM_DAYS).high)
        return _story(case, False, (), "outcome-not-recorded", ended_between=between)
    between = DateSpan(low, case.as_of)
    return _story(case, None, (), "due-date-passed", ASK_OUTCOME, due=due, due_passed=True, ended_between=between)


def _said_pregnant(case: _Case) -> Story:
    when = case.newest[0].when
    if when is None:
        return _story(case, True, case.newest, undated=True)
    if dates.shift(when.span, LONGEST_STATUS_DAYS).high >= case.as_of:
        return _story(case, True, case.newest, undated=True)
    between = DateSpan(when.span.low, dates.shift(when.span, LONGEST_STATUS_DAYS).high)
    if (case.as_of - when.span.high).days > FORGOTTEN_DAYS:
        return _story(case, False, case.newest, "outcome-not-recorded", ended_between=between)
    between = DateSpan(when.span.low, case.as_of)
    return _story(case, None, case.newest, "due-date-passed", ASK_OUTCOME, due_passed=True, ended_between=between)


def _said_not_pregnant(case: _Case, roles: set[str]) -> Story:
    last = case.newest[0].when
    if "postnatal" in roles:
        recent = last is None or (case.as_of - last.span.high).days <= POSTNATAL_DAYS
        if not recent:
            return _story(case, None, case.newest, "not-recorded", ASK_STATUS)
        return _story(case, False, case.newest, undated=case.end is None)
    if (over := next((status for status in case.newest if status.role == "over"), None)) is not None:
        return _over(case, over)
    before = [s for s in case.said if s.role == "pregnant" and s.when and last and s.when.span.low <= last.span.high]
    first = max((s.when.span.low for s in before if s.when), default=None)
    between = DateSpan(first, last.span.high) if first is not None and last is not None else None
    return _story(case, False, case.newest, ended_between=between)


def _over(case: _Case, over: Status) -> Story:
    """A pregnancy of a problem list that was resolved: on that day, or some time in the 42 weeks since it was there."""
    began = over.since.span.low if over.since else None
    if case.end is not None and (began is None or (began - case.end.span.high).days <= LAG_DAYS):
        return _story(case, False, case.newest)  # it is the one of which the end is known
    between = over.when.span if over.when else None
    if between is None and over.since is not None:
        last = dates.shift(over.since.span, LONGEST_STATUS_DAYS).high
        between = DateSpan(over.since.span.low, min(last, case.as_of))
    return _story(case, False, case.newest, ended_between=between, undated=between is None)


def _discharged(case: _Case, due: Due) -> Evidence | None:
    """A maternity episode that ended during this pregnancy, where none is open."""
    started = dates.shift(due.span, -TERM_DAYS).low
    found: Evidence | None = None
    for index, resource in case.reading.of_type("EpisodeOfCare"):
        status = resource.get("status")
        if not any(
            coding.get("code") == MATERNITY for kind in resource.get("type", ()) for coding in kind.get("coding", ())
        ):
            continue
        if status in ("active", "onhold", "planned"):
            return None
        end = dates.read(resource, "period.end")
        if status == "finished" and (end is None or started <= end.span.high <= case.as_of):
            found = Evidence(index, "status", end.text if end else "")
    return found
