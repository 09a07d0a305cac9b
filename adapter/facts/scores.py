"""Totals of screening instruments: the newest valid one, checked against the items it is made of.

Only final, amended and corrected Observations and completed questionnaires count. A total out of its range, not
whole, in the future or undated is reported and not used. Where two totals of the same moment differ, or a total and
its items do, both are kept as evidence and the higher counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from adapter.facts import dates
from adapter.facts.conditions import VOID
from adapter.facts.dates import When
from adapter.facts.reading import Answer, Declared, Form, Reading, Sighting
from adapter.facts.values import Number, number, truth
from adapter.records import Evidence, Resource
from rules import Fact

FINAL = frozenset({"final", "amended", "corrected"})


@dataclass(frozen=True, slots=True)
class Score:
    """A total: ``from: {score: LIST, questionnaire: NAME, items: {prefix, count, list}, valid_days: …}``."""

    fact: Declared
    total: str
    questionnaire: str = ""
    prefix: str = ""
    count: int = 0
    items: str = ""
    item_codes: int = 0
    valid_days: object = None
    item_high: float | None = None


class Result(NamedTuple):
    """An Observation or component of a code list: its value (None for a blank) and when it was true.

    One that is not final yet, or whose display contradicts its code, says no more than that a form was begun: a blank.
    """

    sighting: Sighting
    value: Number | None
    when: When | None
    counts: bool


class Total(NamedTuple):
    """One total: as recorded, or (``summed``) the sum of all its items."""

    value: int | float
    when: When | None
    resource: Resource
    evidence: tuple[Evidence, ...]
    summed: bool
    at: int

    @property
    def issued(self) -> float | None:
        """When the result was issued, as POSIX seconds."""
        when = dates.read(self.resource, "issued")
        return when.instant if when else None


_new_result, _new_total = partial(tuple.__new__, Result), partial(tuple.__new__, Total)


def resolve(score: Score, reading: Reading) -> Fact:
    """The fact of a total."""
    recorded = found = list(_recorded(score, reading))
    if score.questionnaire in reading.forms:
        found = [*found, *_questionnaires(score, reading, recorded)]
    if score.items and len(reading.sightings.get(score.items, ())) >= score.item_codes:
        found = [*found, *_own_items(score, reading)]
    totals: list[Total] = []
    undated: list[Total] = []
    for total in found:
        if total.when is None:
            undated.append(total)
            reading.issue("required", "the result has no date and was not used", "", total.at)
        elif total.when.span.low <= reading.as_of or not reading.future(total.when, total.at):
            totals.append(total)
    if not totals:
        evidence = tuple(e for total in undated for e in total.evidence)
        return score.fact.unknown("no-date", evidence) if undated else _none(score, reading)
    chosen, evidence = _choose(reading, totals)
    when = chosen.when
    assert when is not None  # noqa: S101 - only dated totals are chosen from
    valid = dates.within(when.span, reading.as_of, reading.number(score.valid_days))
    if valid:
        return score.fact.known(chosen.value, when, evidence)
    if valid is None:
        return score.fact.unknown("date-imprecise", evidence)
    return score.fact.out_of_date(chosen.value, when, evidence)


def _none(score: Score, reading: Reading) -> Fact:
    """There is no total; unknown, and not missing, where a code and its display contradict each other."""
    seen = [one for one in reading.sightings.get(score.total, ()) if one.resource.get("status") not in VOID]
    evidence = tuple(one.evidence() for one in seen if one.conflict)
    return score.fact.unknown("conflict", evidence) if evidence else score.fact.missing("not-usable")


def _choose(reading: Reading, totals: Sequence[Total]) -> tuple[Total, tuple[Evidence, ...]]:
    """The newest total; the highest of several that are equally new or that are one form's total and sum."""
    if len(totals) == 1:
        return totals[0], totals[0].evidence
    newest = [one for one in totals if not any(_later(other, one) for other in totals)]
    best = max(newest, key=lambda total: total.value)
    if any(one.value != best.value and one.summed == best.summed for one in newest):
        reading.issue("conflict", "two results of the same time differ; the higher was used", "data-conflict", best.at)
    others = [one for one in totals if one.summed != best.summed and _same_day(one, best)]
    if others and all(one.value != best.value for one in others):
        reading.issue("conflict", "the total and its items differ; the higher was used", "score-item-mismatch", best.at)
        reading.mismatches.extend(best.evidence)
        newest.extend(one for one in others if one not in newest)
        best = max((best, *others), key=lambda total: total.value)
    evidence = dict.fromkeys(e for one in (best, *newest) for e in one.evidence)
    return best, tuple(evidence)


def _later(one: Total, other: Total) -> bool:
    """Whether a total is certainly newer: by its effective date and time, then by when it was issued."""
    if one.when is None or other.when is None:
        return False
    if one.when.span.low > other.when.span.high:
        return True
    if one.when.span != other.when.span or one.when.day is None:
        return False
    if one.when.instant is not None and other.when.instant is not None and one.when.instant != other.when.instant:
        return one.when.instant > other.when.instant
    return one.issued is not None and other.issued is not None and one.issued > other.issued


def _same_day(one: Total, other: Total) -> bool:
    return one.when is not None and other.when is not None and one.when.span == other.when.span


# --- where totals come from ----------------------------------------------------------------------------------------
def _counts(sighting: Sighting, reading: Reading) -> bool | None:
    """Whether a result counts; None for one that was withdrawn. That it is withdrawn or not final is reported."""
    status = sighting.resource.get("status")
    if status in FINAL:
        return not sighting.conflict
    withdrawn = status in VOID
    reading.issue(
        "informational" if withdrawn else "incomplete",
        "the result was withdrawn and not used" if withdrawn else "the result is not final and was not used",
        "withdrawn-result" if withdrawn else "",
        sighting.at,
        "status",
        "information",
    )
    return None if withdrawn else False


def usable(value: Number, fact: Declared, sighting: Sighting, reading: Reading) -> int | float | None:
    """The number, if it is one that the instrument can give; else it is reported and None."""
    problem, found = value.problem, value.value
    if found is None:
        problem = problem or "is not a number"
    elif fact.type == "integer" and found != int(found):
        problem = "is not a whole number"
    elif not fact.fits(found):
        problem = "is out of the instrument's range"
    if problem or found is None:
        path = sighting.prefix + value.path
        reading.issue("value", f"the score {problem}; it was not used", "implausible-value", sighting.at, path)
        return None
    return int(found) if found == int(found) else found


def results(name: str, reading: Reading) -> Sequence[Result]:
    """The Observations and components of a code list, but for those that were withdrawn."""
    found: list[Result] | None = reading.results.get(name)
    if found is None:
        found = reading.results[name] = []
        for sighting in reading.sightings.get(name, ()):
            if sighting.resource["resourceType"] != "Observation" or (counts := _counts(sighting, reading)) is None:
                continue
            value = number(sighting.part) if counts else None
            found.append(_new_result((sighting, value, dates.effective(sighting.resource), counts)))
    return found


def _recorded(score: Score, reading: Reading) -> Iterator[Total]:
    for sighting, value, when, _ in results(score.total, reading):
        if value is None or sighting.prefix:  # a form without its total; a component is an item, never a total
            continue
        found = usable(value, score.fact, sighting, reading)
        if found is not None:
            evidence = (sighting.evidence(value.path, when),)
            yield _new_total((found, when, sighting.resource, evidence, False, sighting.at))


def _questionnaires(score: Score, reading: Reading, recorded: Iterable[Total]) -> Iterator[Total]:
    if not score.prefix:
        return
    derived = {source: total.when for total in recorded for source in _sources(total, reading)}
    names = [f"{score.prefix}-{n}" for n in range(1, score.count + 1)]
    for form in reading.forms.get(score.questionnaire, ()):
        answers = [form.answers.get(name) for name in names]
        found = _sum(score, form, answers, reading)
        if found is not None:
            when = derived.get(_name(form), form.when)
            text = when.text if when else ""
            evidence = tuple(Evidence(form.at, answer.path, text) for answer in answers if answer)
            yield Total(found, when, form.resource, evidence, True, form.at)


def _sources(total: Total, reading: Reading) -> Iterator[str]:
    resource = reading.entries[total.at]["resource"]
    for reference in resource.get("derivedFrom", ()):
        yield str(reference.get("reference", "")).rpartition("/")[2].rpartition(":")[2]


def _name(form: Form) -> str:
    return str(form.resource.get("id", ""))


def _sum(score: Score, form: Form, answers: Sequence[Answer | None], reading: Reading) -> int | None:
    total = 0
    for answer in answers:
        if answer is None or answer.value is None:
            return None
        if answer.value < 0 or (score.item_high is not None and answer.value > score.item_high):
            text = "the score of an item is out of its range; its sum was not used"
            reading.issue("value", text, "implausible-value", form.at, answer.path)
            return None
        total += answer.value
    if not score.fact.fits(total):
        text = "the sum of the items is out of the instrument's range; it was not used"
        reading.issue("value", text, "implausible-value", form.at)
        return None
    return total


def _own_items(score: Score, reading: Reading) -> Iterator[Total]:
    """Sums of items that are components, or Observations of one day, of the list of all the items."""
    groups: dict[object, dict[str, tuple[int, Sighting]]] = {}
    for sighting, value, when, _ in results(score.items, reading):
        if value is None or value.value is None or value.value != int(value.value):
            continue
        key = (sighting.at if sighting.prefix else "", when.span if when else None)
        group = groups.setdefault(key, {})
        known = group.get(sighting.concept.code)
        if known is None or value.value > known[0]:
            group[sighting.concept.code] = (int(value.value), sighting)
    for group in groups.values():
        total = sum(value for value, _ in group.values())
        if len(group) == score.item_codes and score.fact.fits(total):
            sightings = [sighting for _, sighting in group.values()]
            when = dates.effective(sightings[0].resource)
            evidence = tuple(sighting.evidence("", when) for sighting in sightings)
            yield Total(total, when, sightings[0].resource, evidence, True, sightings[0].at)


@dataclass(frozen=True, slots=True)
class Flag:
    """A yes or no result of an instrument: ``from: {flag_score: LIST, valid_days: …}``."""

    fact: Declared
    code: str
    valid_days: object = None


def resolve_flag(flag: Flag, reading: Reading) -> Fact:
    """The fact of a yes or no result; the newest counts, and yes where two of the same time differ."""
    totals: list[Total] = []
    undated: list[Evidence] = []
    unclear: list[Evidence] = []
    for sighting, _, when, counts in results(flag.code, reading):
        said = truth(sighting.part) if counts else None
        evidence = sighting.evidence("valueBoolean" if "valueBoolean" in sighting.part else "", when)
        if said is None:
            unclear.append(evidence)
        elif when is None:
            undated.append(evidence)
            reading.issue("required", "the result has no date and was not used", "", sighting.at)
        elif not reading.future(when, sighting.at):
            totals.append(Total(int(said), when, sighting.resource, (evidence,), False, sighting.at))
    if not totals:
        if undated:
            return flag.fact.unknown("no-date", tuple(undated))
        return flag.fact.unknown("not-usable", tuple(unclear)) if unclear else flag.fact.missing("not-usable")
    chosen, evidences = _choose(reading, totals)
    when = chosen.when
    assert when is not None  # noqa: S101 - only dated results are chosen from
    valid = dates.within(when.span, reading.as_of, reading.number(flag.valid_days))
    if valid:
        return flag.fact.known(bool(chosen.value), when, evidences)
    if valid is None:
        return flag.fact.unknown("date-imprecise", evidences)
    return flag.fact.out_of_date(bool(chosen.value), when, evidences)
