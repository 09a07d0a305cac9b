"""Diagnoses: whether there ever was one, is one now, is suspected or back, and when it began.

``ever`` is every Condition (or finding) that was not refuted or entered in error, "in remission" included;
``current`` is active, recurring or relapsed (or without a clinical status) and not abated; ``suspected`` is
provisional or differential and not over; ``relapse`` is clinical status relapse or recurrence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from adapter.facts import dates
from adapter.facts.dates import When
from adapter.facts.reading import Declared, Reading, Sighting
from adapter.facts.values import truth
from adapter.records import Evidence, Resource
from rules import DateSpan, Fact

ACTIVE = frozenset({"active", "recurrence", "relapse", ""})
REFUTED = frozenset({"refuted", "entered-in-error"})
VOID = frozenset({"entered-in-error", "cancelled"})
"""The statuses of an Observation that says nothing any more."""
SUSPECTED = frozenset({"provisional", "differential"})
"""The verification of a diagnosis that is suspected (criterion R05)."""
NOT_SURE = SUSPECTED | {"unconfirmed"}
"""The verification of what is not known to be so (R4: provisional and differential are kinds of unconfirmed)."""
REMISSION = "remission"
UNDATED_ABATEMENT = ("abatementAge", "abatementRange", "abatementString")


@dataclass(frozen=True, slots=True)
class Condition:
    """``from: {condition: LIST, when: ever|current|suspected|relapse, date?: onset, pick?: latest|earliest}``."""

    fact: Declared
    code: str
    when: str = "ever"
    date: bool = False
    earliest: bool = False


class Status(NamedTuple):
    """clinicalStatus and verificationStatus; "" where there is none."""

    clinical: str
    verification: str


class Case(NamedTuple):
    """One Condition or finding that is not refuted."""

    began: When | None
    recorded: When | None
    status: Status
    over: bool
    evidence: Evidence
    sighting: Sighting


def status_of(resource: Resource) -> Status:
    """The two statuses of a Condition."""
    return Status(_code(resource.get("clinicalStatus")), _code(resource.get("verificationStatus")))


def _code(concept: Resource | None) -> str:
    if concept is not None:
        for coding in concept.get("coding", ()):
            if isinstance(code := coding.get("code"), str):
                return code
    return ""


def ended(resource: Resource) -> When | None:
    """When a Condition abated, if it says so."""
    return dates.read(resource, "abatementDateTime", "abatementPeriod.end", "abatementPeriod.start")


TESTS: Mapping[str, Callable[[Case], bool]] = {
    "ever": lambda case: True,  # noqa: ARG005
    "current": lambda case: not case.over and case.status.clinical in ACTIVE,
    "suspected": lambda case: (
        not case.over and case.status.verification in SUSPECTED and case.status.clinical in ACTIVE
    ),
    "relapse": lambda case: not case.over and case.status.clinical in ("relapse", "recurrence"),
}


def resolve(condition: Condition, reading: Reading) -> Fact:
    """The fact of a diagnosis, or of the date it began."""
    if condition.code not in reading.cases:
        reading.cases[condition.code] = _sorted(condition.code, reading)
    standing, contradicted = reading.cases[condition.code]
    test = TESTS[condition.when]
    cases = [case for case in standing if test(case)]
    if not cases:
        evidence = tuple(case.evidence for case in contradicted if test(case))
        return (
            condition.fact.unknown("conflict", evidence, "confirm-diagnosis") if evidence else condition.fact.missing()
        )
    usable = [case for case in cases if not _not_yet(case, reading)]
    if not usable:
        return condition.fact.unknown("implausible-date", tuple(case.evidence for case in cases))
    return _onset(condition, usable) if condition.date else _present(condition, usable)


def _not_yet(case: Case, reading: Reading) -> bool:
    when = case.began or case.recorded
    return when is not None and reading.future(when, case.sighting.at)


def _present(condition: Condition, cases: Iterable[Case]) -> Fact:
    evidence = tuple(case.evidence for case in cases)
    dated = [when for case in cases if (when := case.recorded or case.began) is not None]
    newest = max(dated, key=lambda when: when.span.low) if len(dated) > 1 else dated[0] if dated else None
    return condition.fact.known(True, newest, evidence)


def _onset(condition: Condition, cases: Iterable[Case]) -> Fact:
    dated = [(when, case) for case in cases if (when := case.began or case.recorded) is not None]
    if not dated:
        return condition.fact.unknown("no-date", tuple(case.evidence for case in cases))
    choose = min if condition.earliest else max
    when, case = choose(dated, key=lambda found: found[0].span)
    evidence = case.sighting.evidence(when.path, when) if when.path else case.evidence
    return condition.fact.known(when.span, case.recorded or when, (evidence,))


# --- the cases of a record -----------------------------------------------------------------------------------------
def _sorted(name: str, reading: Reading) -> tuple[list[Case], list[Case]]:
    contradicted: list[Case] = []
    return list(_cases(name, reading, contradicted)), contradicted


def _cases(name: str, reading: Reading, contradicted: list[Case]) -> Iterator[Case]:
    """Every case that stands.

    What says the opposite of its code, has a value that is neither yes nor no, or was refuted later is in
    ``contradicted``.
    """
    refuted: dict[str, date | None] = {}
    seen = [(sighting, status_of(sighting.resource)) for sighting in reading.sightings.get(name, ())]
    for sighting, status in seen:
        if status.verification == "refuted":
            code, when = sighting.concept.code, _recorded(sighting.resource)
            refuted[code] = max(filter(None, (refuted.get(code), when.span.high if when else None)), default=None)
    for sighting, status in seen:
        case = _case(sighting, status, reading)
        if case is None:
            continue
        if sighting.conflict or _unclear(sighting):
            contradicted.append(case)
            continue
        if sighting.concept.code in refuted:
            reading.issue("conflict", "a diagnosis is refuted and asserted", "data-conflict", sighting.at, "code")
            later, when = refuted[sighting.concept.code], case.recorded or case.began
            if later is not None and when is not None and when.span.high <= later:
                contradicted.append(case)
                continue
        yield case


def _case(sighting: Sighting, status: Status, reading: Reading) -> Case | None:
    resource = sighting.resource
    if resource.get("resourceType") == "Observation":
        when = dates.effective(resource)
        if resource.get("status") in VOID or truth(sighting.part, sighting.code) is False:
            return None
        status, began, over = Status("", ""), when, False
    elif resource.get("resourceType") == "Condition":
        if status.verification in REFUTED:
            return None
        when, began = _recorded(resource), _began(resource, reading)
        abated = ended(resource)
        over = abated.span.low <= reading.as_of if abated else any(name in resource for name in UNDATED_ABATEMENT)
        if when is None and began is None:
            began = _encounter(resource, reading)
    else:
        return None
    over = over or REMISSION in sighting.concept.roles
    return Case(began, when, status, over, sighting.evidence("", began or when), sighting)


def _unclear(sighting: Sighting) -> bool:
    """Whether an Observation says of its finding neither yes nor no."""
    return sighting.resource["resourceType"] == "Observation" and truth(sighting.part, sighting.code) is None


def _recorded(resource: Resource) -> When | None:
    return dates.read(resource, "recordedDate")


def _began(resource: Resource, reading: Reading) -> When | None:
    onset = dates.read(resource, "onsetDateTime", "onsetPeriod.start")
    if onset is not None:
        return onset
    years = (resource.get("onsetAge") or {}).get("value")
    born = dates.read(reading.people.patient or {}, "birthDate")
    if not isinstance(years, int) or born is None or not 0 <= years <= 130:
        return None
    first = dates.add_years(born.span, years)
    span = DateSpan(first.low, dates.shift(dates.add_years(born.span, years + 1), -1).high)
    return When(span, None, "", "onsetAge")


def _encounter(resource: Resource, reading: Reading) -> When | None:
    """The start of the contact at which an undated Condition was noted."""
    at = reading.find.target(resource.get("encounter"))
    found = reading.find.resource_at(at) if at is not None else {}
    start = dates.read(found, "period.start") if found.get("resourceType") == "Encounter" else None
    return start._replace(path="") if start else None
