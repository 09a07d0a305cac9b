"""Medicines: what she takes now, and what was stopped and when.

Current is a MedicationStatement active or intended, or a MedicationRequest active. A statement on hold, of unknown
status, or active with an end in the past is neither current nor not: unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from adapter.facts import dates
from adapter.facts.conditions import ACTIVE, NOT_SURE, REFUTED, VOID, ended, status_of
from adapter.facts.dates import When
from adapter.facts.reading import Declared, Reading, Sighting
from adapter.facts.values import truth
from adapter.records import Evidence
from rules import Fact

STATEMENT_CURRENT = frozenset({"active", "intended"})
STOPPED = frozenset({"stopped", "completed"})
UNSURE = frozenset({"on-hold", "unknown"})


@dataclass(frozen=True, slots=True)
class Medication:
    """``from: {medication: LIST, state: current|stopped, date?: stopped}``."""

    fact: Declared
    code: str
    stopped: bool = False
    date: bool = False


class Use(NamedTuple):
    """One medicine of one resource: ``state`` is current, stopped or unsure."""

    state: str
    when: When | None
    code: str
    evidence: Evidence


def resolve(medication: Medication, reading: Reading) -> Fact:
    """The fact of a medicine."""
    uses = list(_uses(medication.code, reading))
    if not medication.stopped:
        return _current(medication, uses)
    taken = {use.code for use in uses if use.state == "current"}
    stopped = [use for use in uses if use.state == "stopped" and use.code not in taken]
    if not stopped:
        return medication.fact.missing()
    dated = [(use.when, use) for use in stopped if use.when is not None]
    evidence = tuple(use.evidence for use in stopped)
    if not medication.date:
        newest = max((when for when, _ in dated), key=lambda when: when.span, default=None)
        return medication.fact.known(True, newest, evidence)
    if not dated:
        return medication.fact.unknown("no-date", evidence)
    when, use = max(dated, key=lambda found: found[0].span)
    return medication.fact.known(when.span, when, (use.evidence,))


def _current(medication: Medication, uses: list[Use]) -> Fact:
    for state in ("current", "unsure"):
        found = [use for use in uses if use.state == state]
        if found:
            evidence = tuple(use.evidence for use in found)
            if state == "unsure":
                return medication.fact.unknown("record-contradicts", evidence)
            dated = [use.when for use in found if use.when]
            return medication.fact.known(True, max(dated, key=lambda when: when.span, default=None), evidence)
    return medication.fact.missing()


def _uses(name: str, reading: Reading) -> Iterator[Use]:
    for sighting in reading.sightings.get(name, ()):
        resource, status = sighting.resource, sighting.resource.get("status")
        if resource.get("doNotPerform") is True or status == "entered-in-error":
            continue
        kind = resource.get("resourceType")
        if kind == "MedicationStatement":
            use = _statement(sighting, str(status), reading)
        elif kind == "MedicationRequest":
            use = _request(sighting, str(status), reading)
        elif kind == "Observation":
            use = _observed(sighting, reading)
        else:
            use = _condition(sighting, reading) if kind == "Condition" else None
        if use is not None:
            yield use._replace(state="unsure") if sighting.conflict else use


def _statement(sighting: Sighting, status: str, reading: Reading) -> Use | None:
    resource = sighting.resource
    start = dates.read(resource, "effectiveDateTime", "effectivePeriod.start", "dateAsserted")
    end = dates.read(resource, "effectivePeriod.end")
    code = sighting.concept.code
    if status in STATEMENT_CURRENT:
        past = end is not None and end.span.high < reading.as_of
        early = status == "active" and start is not None and reading.future(start, sighting.at)
        return Use("unsure" if past or early else "current", start, code, sighting.evidence("", start))
    if status in STOPPED:
        if end is not None and end.span.low > reading.as_of:
            return Use("unsure", end, code, sighting.evidence("", end))
        return Use("stopped", end, code, sighting.evidence("effectivePeriod.end" if end else "", end))
    return Use("unsure", start, code, sighting.evidence("", start)) if status in UNSURE else None


def _request(sighting: Sighting, status: str, reading: Reading) -> Use | None:
    written = dates.read(sighting.resource, "authoredOn")
    evidence, code = sighting.evidence("", written), sighting.concept.code
    if status == "active":
        early = written is not None and reading.future(written, sighting.at)
        return Use("unsure" if early else "current", written, code, evidence)
    if status in STOPPED:
        return Use("stopped", None, code, evidence)
    return Use("unsure", written, code, evidence) if status in UNSURE else None


def _observed(sighting: Sighting, reading: Reading) -> Use | None:
    """A finding that says a medicine is taken ("On lithium")."""
    when, said = dates.effective(sighting.resource), truth(sighting.part, sighting.code)
    if said is False or sighting.resource.get("status") in VOID:
        return None
    return None if when is not None and reading.future(when, sighting.at) else _used(sighting, "unsure", when, said)


def _condition(sighting: Sighting, reading: Reading) -> Use | None:
    """The same finding on a problem list: once it is resolved, the medicine was stopped."""
    status, over = status_of(sighting.resource), ended(sighting.resource)
    when = dates.read(sighting.resource, "recordedDate")
    if status.verification in REFUTED or (when is not None and reading.future(when, sighting.at)):
        return None
    if status.clinical in ACTIVE and (over is None or over.span.low > reading.as_of):
        return _used(sighting, "unsure", when, status.verification not in NOT_SURE)
    return _used(sighting, "stopped", over)


def _used(sighting: Sighting, state: str, when: When | None, certain: bool | None = False) -> Use:
    return Use("current" if certain else state, when, sighting.concept.code, sighting.evidence("", when))
