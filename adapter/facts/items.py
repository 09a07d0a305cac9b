"""Single items that count by themselves: thoughts of self-harm, harm to the baby.

A blank in a newer form does not erase an earlier positive answer that is still valid. A later 0 does, a later
total of 0 does, and so does a clinician's finding that there is no current risk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import NamedTuple

from adapter.facts import dates
from adapter.facts.dates import When
from adapter.facts.findings import Said, closed
from adapter.facts.reading import Declared, Reading
from adapter.facts.scores import results, usable
from adapter.records import Evidence
from rules import Fact


@dataclass(frozen=True, slots=True)
class Item:
    """``from: {item: LIST, questionnaire, link_id, total: LIST, valid_days, older_days, closed_by: LIST, …}``."""

    fact: Declared
    code: str
    questionnaire: str = ""
    link_id: str = ""
    total: str = ""
    zero_total_means_zero: bool = False
    valid_days: object = None
    older_days: object = None
    closed_by: str = ""


class Given(NamedTuple):
    """What one form says about the item: its score, or None where it was left blank."""

    value: int | float | None
    when: When | None
    at: int
    path: str
    listed: str = ""

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.at, self.path, self.when.text if self.when else "", self.listed)


_Answer = tuple[int | float, When, Given]


def resolve(item: Item, reading: Reading) -> Fact:
    """The fact of an item."""
    answers: list[_Answer] = []
    blanks: list[tuple[When, Given]] = []
    undated: list[Given] = []
    for given in (*_answers(item, reading), *_forms(item, reading)):
        if given.when is None:
            undated.append(given)
        elif reading.future(given.when, given.at):
            continue
        elif given.value is None:
            blanks.append((given.when, given))
        else:
            answers.append((given.value, given.when, given))
    for given in undated:
        reading.issue("required", "the answer has no date and was not used", "", given.at)
    valid_days = reading.number(item.valid_days)
    recent = [blank for blank in blanks if dates.within(blank[0].span, reading.as_of, valid_days) is not False]
    if answers:
        fact = _newest(item, reading, answers, recent)
        doubt = [given for given in undated if given.value] if fact.value == 0 else ()
        return item.fact.unknown("no-date", tuple(given.evidence for given in doubt)) if doubt else fact
    if undated:
        return item.fact.unknown("no-date", tuple(given.evidence for given in undated))
    return _blank(item, recent) if recent else item.fact.missing()


def _blank(item: Item, forms: list[tuple[When, Given]]) -> Fact:
    return item.fact.unknown("item-missing", tuple(dict.fromkeys(given.evidence for _, given in forms)))


def _newest(
    item: Item,
    reading: Reading,
    answers: list[_Answer],
    recent: list[tuple[When, Given]],
) -> Fact:
    newest, valid_days = answers, reading.number(item.valid_days)
    value, when, given = answers[0]
    if len(answers) > 1:
        latest = max(when.span.low for _, when, _ in answers)
        newest = [answer for answer in answers if answer[1].span.high >= latest]  # none is certainly older than another
        value, when, given = max(newest, key=partial(_weight, reading.as_of, valid_days))
        if any(other != value for other, _, _ in newest):
            text = "two answers that may be of the same day differ; the higher was used"
            reading.issue("conflict", text, "data-conflict", given.at)
    evidence: tuple[Evidence, ...] = (given.evidence,)
    closing = _closing(item, newest, reading) if value and item.closed_by else None
    valid = dates.within(when.span, reading.as_of, valid_days)
    if valid is None:
        return item.fact.unknown("date-imprecise", evidence)
    if valid:
        if closing is not None:
            return item.fact.known(0, when, (*evidence, closing.evidence), "closed")
        newer = [blank for blank in recent if blank[0].span.low > when.span.high]
        return item.fact.known(value, when, evidence) if value or not newer else _blank(item, newer)
    fact = _blank(item, recent) if recent else item.fact.missing("out-of-date")
    if closing is not None or dates.within(when.span, reading.as_of, reading.number(item.older_days)) is False:
        return fact
    return fact._replace(evidence=fact.evidence or evidence, older=value, older_on=when.span.high)


def _closing(item: Item, newest: list[_Answer], reading: Reading) -> Said | None:
    """What a clinician said that closes every positive answer among the newest."""
    found = [closed(item.closed_by, when, reading) for value, when, _ in newest if value]
    return found[0] if all(found) else None


def _weight(as_of: date, valid_days: int | None, answer: _Answer) -> tuple[bool, int | float]:
    """A positive answer that is certainly valid goes before all others; then the higher goes first."""
    value, when, _ = answer
    return bool(value) and dates.within(when.span, as_of, valid_days) is True, value


def _answers(item: Item, reading: Reading) -> Iterator[Given]:
    for sighting, value, when, _ in results(item.code, reading):
        found = None if value is None else usable(value, item.fact, sighting, reading)
        path = sighting.path(value.path if value else "")
        yield Given(found, when, sighting.at, path, sighting.concept.origin)
    for form in reading.forms.get(item.questionnaire, ()):
        answer = form.answers.get(item.link_id)
        if answer is None:
            yield Given(None, form.when, form.at, "questionnaire")
        elif answer.value is not None and not item.fact.fits(answer.value):
            message = "the score is out of the instrument's range; it was not used"
            reading.issue("value", message, "implausible-value", form.at, answer.path)
            yield Given(None, form.when, form.at, answer.path)
        else:
            yield Given(answer.value, form.when, form.at, answer.path)


def _forms(item: Item, reading: Reading) -> Iterator[Given]:
    """The instrument's totals: each says that a form was done, and a total of 0 that every item was 0."""
    for sighting, value, when, _ in results(item.total, reading):
        zero = item.zero_total_means_zero and value is not None and value.value == 0
        if value is not None or "component" in sighting.resource:
            yield Given(0 if zero else None, when, sighting.at, sighting.path(value.path if value else ""))
