"""What a record says about pregnancies, births, losses and babies, in whatever form it came: as dated events.

Nothing is decided here; ``pregnancy`` works the story out of the events.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from adapter.facts import dates
from adapter.facts.codes import NO_SYSTEM
from adapter.facts.conditions import ACTIVE, NOT_SURE, REFUTED, ended, status_of
from adapter.facts.dates import TERM_DAYS, When
from adapter.facts.people import HERS
from adapter.facts.reading import PREGNANCY, Reading, Sighting
from adapter.facts.values import truth
from adapter.fhir.kinship import Child
from adapter.records import Evidence, Resource
from rules import DateSpan, DaySpan

STATUSES = frozenset({"pregnant", "not-pregnant", "possible", "unconfirmed", "postnatal"})
HINT = "perinatal"
"""Pregnant or with a new baby, and nobody says which: a perinatal reason for referral or team."""
BIRTHS = frozenset({"live-birth", "stillbirth", "birth"})
LOSSES = frozenset({"stillbirth", "miscarriage", "ectopic", "molar", "termination"})
DEATHS = frozenset({"neonatal-death", "infant-death"})
TOLD_BY = frozenset({"Observation", "Condition", "Procedure"})
"""What says that something was so. A family history is a relative's, a request is for what is still to be done."""
VOID = frozenset({"entered-in-error", "cancelled", "not-done", "preparation", "on-hold", "stopped"})
OUTCOMES = BIRTHS | LOSSES | DEATHS
SCAN, STATED, COUNTED, MEASURED = 3, 2, 1, 0
"""Which due date goes before which: by scan; stated; counted from the last period; from a gestation."""


class Status(NamedTuple):
    """A word on whether she is pregnant; ``conflict`` where code and display contradict each other.

    ``over`` is a pregnancy of a problem list that was resolved: ``when`` it ended, ``since`` when it was there.
    """

    role: str
    when: When | None
    evidence: Evidence
    at: int
    since: When | None = None


class Due(NamedTuple):
    """An expected date of delivery, however it was given."""

    span: DateSpan
    rank: int
    recorded: When | None
    evidence: Evidence
    at: int


class End(NamedTuple):
    """One end of a pregnancy. ``kind``: a role, "birth" for a baby of whom no outcome is said, or "unknown"."""

    kind: str
    span: DateSpan | None
    baby: int | None  # the baby's entry, where it is about one of hers
    evidence: Evidence
    form: str  # how it was recorded: twins are two of one form, one birth recorded twice is one of two


class Death(NamedTuple):
    """The death of a baby."""

    kind: str
    span: DateSpan | None
    baby: int | None
    evidence: Evidence
    form: str


class Length(NamedTuple):
    """Gestation at birth."""

    days: DaySpan
    span: DateSpan | None
    baby: int | None


class Events:
    """All the events of one record."""

    __slots__ = ("deaths", "dues", "ends", "hints", "lengths", "statuses")

    def __init__(self) -> None:
        self.statuses: list[Status] = []
        self.hints: list[Status] = []
        self.dues: list[Due] = []
        self.ends: list[End] = []
        self.deaths: list[Death] = []
        self.lengths: list[Length] = []


def collect(reading: Reading) -> Events:
    """Read the events out of what was sighted, and out of the babies."""
    events = Events()
    for sighting in reading.sightings.get(PREGNANCY, ()):
        if sighting.resource["resourceType"] in TOLD_BY and not _void(sighting.resource):
            _add(events, sighting, reading)
    for baby in reading.people.babies:
        _baby(events, baby, reading)
    return events


def _void(resource: Resource) -> bool:
    if resource.get("status") in VOID:
        return True
    return "verificationStatus" in resource and status_of(resource).verification in REFUTED


def _when(resource: Resource) -> When | None:
    kind = resource.get("resourceType")
    if kind == "Condition":
        return dates.read(resource, "onsetDateTime", "onsetPeriod.start", "recordedDate")
    if kind == "Procedure":
        return dates.read(resource, "performedDateTime", "performedPeriod.end", "performedPeriod.start")
    return dates.effective(resource)


def _add(events: Events, sighting: Sighting, reading: Reading) -> None:
    when, hers = _when(sighting.resource), sighting.owner == HERS
    if when is not None and reading.future(when, sighting.at):
        return
    for role in sighting.concept.roles:
        name, _, weeks = role.partition(":")
        if name in OUTCOMES and status_of(sighting.resource).verification in NOT_SURE:
            text = "an end of the pregnancy is suspected and not confirmed: it is not taken to have ended"
            reading.issue("informational", text, "", sighting.at, "verificationStatus")
            events.hints.append(Status(HINT, when, sighting.evidence("", when), sighting.at))
        elif name in OUTCOMES:
            said = truth(sighting.part) if sighting.resource.get("resourceType") == "Observation" else True
            if said is not False:
                _ended(
                    events, sighting, "unknown" if sighting.conflict else name, when, sighting.evidence("", when), "own"
                )
        elif name == "outcome":
            _outcome(events, sighting, when, reading)
        elif name == "gestation-at-birth":
            days = _days(sighting.part)
            if days is not None:
                events.lengths.append(Length(days, when.span if when else None, _child(sighting)))
        elif hers:
            _antenatal(events, sighting, name, weeks, when, reading)


def _antenatal(events: Events, sighting: Sighting, name: str, weeks: str, when: When | None, reading: Reading) -> None:
    if name == "status":
        _status_value(events, sighting, when, reading)
    elif name in STATUSES:
        events.statuses.append(_status(sighting, name, when, reading))
    elif name == HINT:
        if truth(sighting.part) is not False:
            events.hints.append(Status(name, when, sighting.evidence("", when), sighting.at))
    elif name in ("edd", "edd-scan", "edd-lmp", "lmp"):
        given = dates.read(sighting.part, "valueDateTime", "valueDate", "valuePeriod.start")
        if given is None:
            reading.issue("value", "no date can be read from it, so it dates no pregnancy", "", sighting.at)
        else:
            rank = {"edd-scan": SCAN, "lmp": COUNTED}.get(name, STATED)
            span = dates.shift(given.span, TERM_DAYS) if name == "lmp" else given.span
            evidence = sighting.evidence(given.path.partition(".")[0], when)
            events.dues.append(Due(span, rank, when, evidence, sighting.at))
    elif name.startswith("gestation") and when is None:
        reading.issue("required", "the gestation has no date, so it dates no pregnancy", "", sighting.at)
        events.hints.append(Status(HINT, None, sighting.evidence(), sighting.at))
    elif name.startswith("gestation") and when is not None:
        days = DaySpan(int(weeks) * 7, int(weeks) * 7 + 6) if weeks else _days(sighting.part)
        if days is not None and days.low >= 0 and days.high <= 320:
            span = DateSpan(
                dates.shift(when.span, TERM_DAYS - days.high).low, dates.shift(when.span, TERM_DAYS - days.low).high
            )
            evidence = sighting.evidence("" if weeks else "valueQuantity", when)
            events.dues.append(Due(span, MEASURED, when, evidence, sighting.at))
        else:
            reading.issue("value", "no plausible gestation can be read from it", "implausible-value", sighting.at)


def _days(part: Resource) -> DaySpan | None:
    """A gestation: weeks as the days they may mean (20 is 20+0 to 20+6), or days."""
    quantity = part.get("valueQuantity") or {}
    value, unit = quantity.get("value"), str(quantity.get("code") or quantity.get("unit") or "").casefold()
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if unit in ("wk", "week", "weeks", "w"):
        low = round(value * 7)
        return DaySpan(low, low + 6) if value == int(value) else DaySpan(low, low)
    return DaySpan(int(value), int(value)) if unit in ("d", "day", "days") else None


# --- is she pregnant -----------------------------------------------------------------------------------------------
def _status(sighting: Sighting, role: str, when: When | None, reading: Reading) -> Status:
    resource, evidence, since = sighting.resource, sighting.evidence("", when), when
    if sighting.conflict:
        role = "conflict"
    elif resource.get("resourceType") == "Condition":
        role, when = _condition(resource, role, when, reading)
    elif resource.get("resourceType") == "Observation" and role in ("pregnant", "not-pregnant"):
        said = truth(sighting.part, sighting.code)
        if said is None:
            role = "possible"
        elif not said:
            role = "not-pregnant" if role == "pregnant" else "possible"
    return Status(role, when, evidence, sighting.at, since)


def _condition(resource: Resource, role: str, when: When | None, reading: Reading) -> tuple[str, When | None]:
    """A pregnancy on a problem list that was resolved is over; one that is not confirmed is possible."""
    status, abated = status_of(resource), ended(resource)
    if abated is not None and abated.span.low > reading.as_of:
        abated = None
    recorded = dates.read(resource, "recordedDate")
    newest = max((w for w in (when, recorded) if w), key=lambda w: w.span, default=None)
    if role == "pregnant" and (abated or status.clinical not in ACTIVE):
        return "over", abated
    return ("possible" if role == "pregnant" and status.verification in NOT_SURE else role), newest


def _status_value(events: Events, sighting: Sighting, when: When | None, reading: Reading) -> None:
    for role, conflict, evidence in _values(sighting, when, reading):
        if role in STATUSES:
            events.statuses.append(Status("conflict" if conflict else role, when, evidence, sighting.at))


# --- how pregnancies ended -----------------------------------------------------------------------------------------
def _outcome(events: Events, sighting: Sighting, when: When | None, reading: Reading) -> None:
    found = False
    for role, conflict, evidence in _values(sighting, when, reading):
        if role in OUTCOMES:
            found = True
            _ended(events, sighting, "unknown" if conflict else role, when, evidence, "outcome")
    if not found and "valueCodeableConcept" in sighting.part:
        text = "the outcome of a pregnancy is in a code that is not known"
        reading.issue("code-invalid", text, "unmapped-code", sighting.at, sighting.prefix + "valueCodeableConcept")
        _ended(events, sighting, "unknown", when, sighting.evidence("valueCodeableConcept", when), "outcome")


def _values(sighting: Sighting, when: When | None, reading: Reading) -> Iterator[tuple[str, bool, Evidence]]:
    """The roles of a coded value, whether its display contradicts it, and where it is."""
    concept = sighting.part.get("valueCodeableConcept") or {}
    for number, coding in enumerate(concept.get("coding", ())):
        path, read = f"valueCodeableConcept.coding[{number}]", False
        for found in reading.index.find(coding):
            if found is NO_SYSTEM:
                reading.without_system(sighting.at)
            elif found.list == PREGNANCY:
                read = True
                conflict = reading.contradicted(found, coding, sighting.at, sighting.prefix + path)
                for role in found.roles:
                    yield role, conflict, sighting.evidence(f"{path}.code", when)
        if read:
            return


def _ended(events: Events, sighting: Sighting, kind: str, when: When | None, evidence: Evidence, form: str) -> None:
    span, baby = when.span if when else None, _child(sighting)
    form = f"{sighting.resource.get('resourceType')} {form}"
    if kind in DEATHS:
        events.deaths.append(Death(kind, span, baby, evidence, form))
    else:
        events.ends.append(End(kind, span, baby, evidence, form))


def _child(sighting: Sighting) -> int | None:
    return None if sighting.owner == HERS else sighting.owner


# --- babies --------------------------------------------------------------------------------------------------------
def _baby(events: Events, baby: Child, reading: Reading) -> None:
    resource = reading.find.resource_at(baby.at)
    born = dates.read(resource, "birthDate")
    if born is not None and reading.future(born, baby.at):
        return
    path = "birthDate" if born else "id" if "id" in resource else "resourceType"
    evidence = Evidence(baby.at, path, born.text if born else "")
    events.ends.append(End("birth", born.span if born else None, baby.at, evidence, "baby"))
    died = dates.read(resource, "deceasedDateTime")
    if died is not None and not reading.future(died, baby.at):
        evidence = Evidence(baby.at, "deceasedDateTime", died.text)
        events.deaths.append(Death("death", died.span, baby.at, evidence, "baby"))
    elif resource.get("deceasedBoolean") is True:
        events.deaths.append(Death("death", None, baby.at, Evidence(baby.at, "deceasedBoolean"), "baby"))
