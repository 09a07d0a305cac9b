"""Findings: coded Observations that say yes or no, and Conditions that count as one.

The newest counts between yes and no; yes and no of the same time are a conflict. Where a finding is one of now
(it has ``valid_days`` or ``closed_by``), a resolved Condition says no from the day it was resolved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adapter.facts import dates
from adapter.facts.conditions import ACTIVE, REFUTED, VOID, ended, status_of
from adapter.facts.dates import When
from adapter.facts.reading import Declared, Reading, Sighting
from adapter.facts.values import truth
from adapter.records import Evidence
from rules import Fact


@dataclass(frozen=True, slots=True)
class Finding:
    """``from: {finding: LIST, valid_days?: …, closed_by?: LIST}``."""

    fact: Declared
    code: str
    valid_days: object = None
    closed_by: str = ""

    @property
    def passing(self) -> bool:
        """Whether it is about now, and not about what once happened."""
        return self.valid_days is not None or bool(self.closed_by)


class Said(NamedTuple):
    """What one resource says of the finding; None where it contradicts itself or cannot be read."""

    truth: bool | None
    when: When | None
    evidence: Evidence
    at: int


def resolve(finding: Finding, reading: Reading) -> Fact:
    """The fact of a finding."""
    said = list(_said(finding.code, finding.passing, reading))
    usable = [one for one in said if one.when is None or not reading.future(one.when, one.at)]
    if not usable:
        future = tuple(one.evidence for one in said)
        return finding.fact.unknown("implausible-date", future) if said else finding.fact.missing()
    dated = [one for one in usable if one.when is not None]
    undated = [one for one in usable if one.when is None]
    newest = [one for one in dated if not any(_later(other, one) for other in dated)]
    evidence = tuple(one.evidence for one in (*newest, *undated))
    truths = {one.truth for one in (*newest, *undated)}
    if len(truths) > 1:
        reading.issue("conflict", "the record says yes and no", "data-conflict", (newest or undated)[0].at)
        return finding.fact.unknown("conflict", evidence)
    if truths == {None}:
        return finding.fact.unknown("conflict", evidence)
    return _aged(finding, reading, newest, evidence, truths == {True})


def _aged(
    finding: Finding, reading: Reading, newest: Sequence[Said], evidence: tuple[Evidence, ...], present: bool
) -> Fact:
    when = newest[0].when if newest else None
    if when is None:
        if finding.valid_days is not None:
            return finding.fact.unknown("no-date", evidence)
        return finding.fact.known(present, None, evidence)
    if present and finding.closed_by:
        closings = [closed(finding.closed_by, one.when, reading) for one in newest if one.when]
        closing = closings[0]
        if closing is not None and all(closings):
            return finding.fact.known(False, closing.when, (*evidence, closing.evidence), "closed")
    valid = dates.within(when.span, reading.as_of, reading.number(finding.valid_days))
    if valid:
        return finding.fact.known(present, when, evidence)
    if valid is None:
        return finding.fact.unknown("date-imprecise", evidence)
    return finding.fact.out_of_date(present, when, evidence)


def closed(name: str, positive: When, reading: Reading) -> Said | None:
    """What a clinician said of the code list ``name``, that there is no risk now, on the day of a positive or later.

    On the same day it closes nothing that was said at a later time of that day.
    """
    for one in _said(name, True, reading):
        when = one.when
        if not one.truth or when is None or not positive.span.high <= when.span.low <= reading.as_of:
            continue
        if when.instant is None or positive.instant is None or when.instant >= positive.instant:
            return one
    return None


def _later(one: Said, other: Said) -> bool:
    if one.when is None or other.when is None:
        return False
    if one.when.span.low > other.when.span.high:
        return True
    exact = one.when.span == other.when.span and one.when.instant is not None and other.when.instant is not None
    return exact and (one.when.instant or 0.0) > (other.when.instant or 0.0)


def _said(name: str, passing: bool, reading: Reading) -> Iterator[Said]:
    for sighting in reading.sightings.get(name, ()):
        resource = sighting.resource
        if resource.get("resourceType") == "Observation":
            if resource.get("status") not in VOID:
                yield _observation(sighting)
            else:
                text = "the finding was withdrawn and not used"
                reading.issue("informational", text, "withdrawn-result", sighting.at, "status", "information")
        elif resource.get("resourceType") == "Condition" and status_of(resource).verification not in REFUTED:
            yield _condition(sighting, passing, reading)


def _observation(sighting: Sighting) -> Said:
    when = dates.effective(sighting.resource)
    says = None if sighting.conflict else truth(sighting.part, sighting.code)
    path = next((name for name in ("valueBoolean", "valueCodeableConcept") if name in sighting.part), "")
    return Said(says, when, sighting.evidence(path, when), sighting.at)


def _condition(sighting: Sighting, passing: bool, reading: Reading) -> Said:
    resource = sighting.resource
    when = dates.read(resource, "recordedDate", "onsetDateTime", "onsetPeriod.start")
    says: bool | None = None if sighting.conflict else True
    over = ended(resource) if passing else None
    if over is not None and over.span.low > reading.as_of:
        over = None
    if says and passing and (status_of(resource).clinical not in ACTIVE or over):
        says, when = False, over or when
    return Said(says, when, sighting.evidence("", when), sighting.at)
