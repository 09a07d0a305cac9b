"""What ``people`` reads relations with: the words for who somebody is to somebody else, identifiers, links, ages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from adapter.fhir.references import identifiers_of
from adapter.records import Resource

ROLE_SYSTEMS = frozenset(
    {
        "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
        "http://terminology.hl7.org/CodeSystem/v2-0063",
        "",  # many records leave the system out, and no other one has these codes
    }
)
MOTHER = frozenset({"MTH", "NMTH", "GESTM"})
PARENT = frozenset({"PRN", "NPRN", "PAR"})
FATHER = frozenset({"FTH", "NFTH"})
CHILD = frozenset({"CHILD", "NCHILD", "DAU", "DAUC", "SON", "SONC", "CHD", "NCH"})
PARTNER = frozenset({"DOMPART", "SIGOTHR", "SPS", "HUSB", "WIFE", "DOM", "SPO"})
FATHER_OF_FETUS = "NFTHF"
"""Natural father of a fetus: the partner of whom he is related to, and she is pregnant."""

BABY_YEARS = 10
"""No mother is this young, and no baby this old (years)."""
INFANT_YEARS = 2
"""Whom nothing links to anybody is taken for somebody's baby below this age (years)."""


class Child(NamedTuple):
    """A child of somebody: the entry that says most about it (its Patient, else the RelatedPerson)."""

    at: int
    others: tuple[int, ...] = ()  # entries that stand for the same child


def roles_of(person: Resource) -> Iterator[str]:
    """The codes of a RelatedPerson's relationship."""
    relationships = person.get("relationship")
    for concept in relationships if isinstance(relationships, list) else ():
        codings = concept.get("coding") if isinstance(concept, dict) else None
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, dict) and str(coding.get("system", "")) in ROLE_SYSTEMS:
                code = coding.get("code")
                if isinstance(code, str):
                    yield code


def links_of(patient: Resource) -> Iterator[tuple[str, object]]:
    """The type and the Reference of each Patient.link."""
    links = patient.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict):
            yield str(link.get("type", "seealso")), link.get("other")


def identified(resource: Resource) -> Iterator[tuple[str, str]]:
    """The (system, value) of each identifier; the value without the spaces that people put in."""
    for system, value in identifiers_of(resource):
        yield system, value.replace(" ", "")


def dates_in(resource: Resource) -> Iterator[date]:
    """The dates at the first two levels of a resource: effectiveDateTime, period.start …"""
    for value in resource.values():
        for inner in value.values() if isinstance(value, dict) else (value,):
            if isinstance(inner, str) and inner[4:5] == "-" and (found := day_of(inner)) is not None:
                yield found


def day_of(value: object) -> date | None:
    """The first day that a FHIR date can mean; None when it is none."""
    if not isinstance(value, str):
        return None
    whole = value[:10] if len(value) >= 10 else f"{value}-01-01"[:10]
    try:
        return date.fromisoformat(whole)
    except ValueError:
        return None


def years_between(start: date | None, end: date | None) -> int:
    """Whole years between two dates, at least 0; 0 when one is not known."""
    if start is None or end is None:
        return 0
    return max(0, end.year - start.year - ((end.month, end.day) < (start.month, start.day)))
