"""Whose record is what: a Bundle of several patients taken apart, one group of entries for each result.

There is one record for each Patient who is not a baby of another Patient in the Bundle. A baby is known by

- a RelatedPerson for the baby (``RelatedPerson.patient``) with a parent's relationship, who is the other Patient; or
- a RelatedPerson for the other Patient with a child's relationship, who is the baby.

A RelatedPerson *is* a Patient when ``Patient.link.other`` refers to it or both carry the same identifier. A Patient
linked straight to another (``Patient.link``) is a baby when born ten years or more after the other. Someone who has
babies in the Bundle, or is ten or older at the newest date of the two, is nobody's baby. A baby with a mother in the
Bundle is in her record, without one in that of each parent.

A record holds the Patient, the babies, every resource about one of them, all that these refer to as far as it is
about nobody else, and what refers to them without being about anybody (Provenance, List). Works on broken resources
too, so that a broken one can be laid at the right door.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from adapter.fhir.references import Index, identifiers_of, references_in
from adapter.records import Resource

V3_ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
MOTHER = frozenset({"MTH", "NMTH", "GESTM"})
PARENT = MOTHER | {"FTH", "NFTH", "PRN", "NPRN"}
CHILD = frozenset({"CHILD", "NCHILD", "DAU", "DAUC", "SON", "SONC"})
BABY_YEARS = 10
"""No mother is this young, and no baby this old (years)."""

OWNER_ELEMENTS = ("subject", "patient", "for", "beneficiary", "individual")


@dataclass(frozen=True, slots=True)
class Split:
    """patients: the position of the Patient of each record; groups: those of all its entries, in the same order.

    ownerless: entries about nobody that no record refers to. astray: entries about somebody who is not in the Bundle.
    """

    patients: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    ownerless: tuple[int, ...]
    astray: tuple[int, ...]


def split(bundle: Resource) -> Split:
    """Take a Bundle with any number of Patients apart, in time linear in its size."""
    return _Splitter(Index(bundle)).split()


def main_patient(bundle: Resource) -> int:
    """The entry of the Patient whose record a Bundle is: the first who is nobody's baby."""
    patients = [at for at, entry in enumerate(bundle["entry"]) if entry["resource"]["resourceType"] == "Patient"]
    return patients[0] if len(patients) == 1 else split(bundle).patients[0]


class _Splitter:
    def __init__(self, index: Index) -> None:
        self.index = index
        self.positions = range(len(index.entries))
        self.patients = [at for at in self.positions if index.type_at(at) == "Patient"]

    def split(self) -> Split:
        lead: dict[int, set[int]] = {}
        for patient in self.patients:
            lead[patient] = self.parents_of_babies.get(patient) or {patient}
        mains = [patient for patient in self.patients if lead[patient] == {patient}]
        members: dict[int, set[int]] = {main: set() for main in mains}
        for at, owner in self.owners.items():
            for main in lead[owner]:
                members[main].add(at)
        for main in mains:
            self.add_what_they_refer_to(members[main], list(members[main]))
        taken = set().union(*members.values())
        loose = [at for at in self.positions if at not in taken and at not in self.astray]
        self.add_what_refers_to_them(members, loose)
        taken = set().union(*members.values())
        return Split(
            tuple(mains),
            tuple(tuple(sorted(members[main])) for main in mains),
            tuple(at for at in loose if at not in taken),
            tuple(sorted(self.astray)),
        )

    @cached_property
    def owners(self) -> dict[int, int]:
        """The position of each entry that is about a Patient of the Bundle → that Patient's."""
        found: dict[int, int] = {patient: patient for patient in self.patients}
        for at in self.positions:
            if at not in found and (about := self.about(at)) is not None and self.index.type_at(about) == "Patient":
                found[at] = about
        return found

    def about(self, at: int) -> int | None:
        resource = self.index.resource_at(at)
        for name in OWNER_ELEMENTS:
            if name in resource:
                return self.index.target(resource[name], self.url(at))
        return None

    @cached_property
    def astray(self) -> frozenset[int]:
        """Entries that name somebody as their subject who is no entry."""
        return frozenset(
            at
            for at in self.positions
            if at not in self.owners
            and any(name in self.index.resource_at(at) for name in OWNER_ELEMENTS)
            and self.about(at) is None
        )

    def url(self, at: int) -> str:
        url = self.index.entries[at].get("fullUrl")
        return url if isinstance(url, str) else ""

    def refers_to(self, at: int) -> Iterator[int]:
        """The entries that an entry's references mean, and the Questionnaire that a response answers."""
        resource = self.index.resource_at(at)
        for reference in references_in(resource):
            found = self.index.target(reference, self.url(at))
            if found is not None:
                yield found
        answered = resource.get("questionnaire")
        if isinstance(answered, str):
            yield from self.questionnaires.get(answered.partition("|")[0], ())

    @cached_property
    def questionnaires(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for at in self.positions:
            url = self.index.resource_at(at).get("url")
            if self.index.type_at(at) == "Questionnaire" and isinstance(url, str):
                found.setdefault(url, []).append(at)
        return found

    def add_what_they_refer_to(self, members: set[int], waiting: list[int]) -> None:
        while waiting:
            for other in self.refers_to(waiting.pop()):
                if other not in members and other not in self.owners and other not in self.astray:
                    members.add(other)
                    waiting.append(other)

    def add_what_refers_to_them(self, members: dict[int, set[int]], loose: Iterable[int]) -> None:
        """Entries about nobody go to each record that they refer into, by one of its own entries."""
        records_of: dict[int, list[int]] = {}
        for main, own in members.items():
            for at in own:
                if at in self.owners:
                    records_of.setdefault(at, []).append(main)
        for at in loose:
            for main in {main for other in self.refers_to(at) for main in records_of.get(other, ())}:
                members[main].add(at)
                self.add_what_they_refer_to(members[main], [at])

    @cached_property
    def parents_of_babies(self) -> dict[int, set[int]]:
        """Each baby → the Patients in whose records it is."""
        mothers: dict[int, set[int]] = {}
        others: dict[int, set[int]] = {}
        for baby, parent, is_mother in self.births():
            if baby != parent:
                (mothers if is_mother else others).setdefault(baby, set()).add(parent)
        parents = others | mothers
        having_babies = set().union(*others.values(), *mothers.values())
        return {
            baby: having
            for baby, having in parents.items()
            if baby not in having_babies and not self.grown_up(baby, having)
        }

    def births(self) -> Iterator[tuple[int, int, bool]]:
        """(child, parent, whether the parent is known to be the mother)."""
        for person in self.positions:
            if self.index.type_at(person) != "RelatedPerson":
                continue
            related_to = self.owners.get(person)
            roles = set(_roles(self.index.resource_at(person)))
            if related_to is None or not roles & (PARENT | CHILD):
                continue
            for same in self.same_as.get(person, ()):
                if roles & PARENT:
                    yield related_to, same, bool(roles & MOTHER)
                else:
                    yield same, related_to, False
        for younger, older in self.linked_patients():
            if _years(self.born(older), self.born(younger)) >= BABY_YEARS:
                yield younger, older, False

    def linked_patients(self) -> Iterator[tuple[int, int]]:
        for patient in self.patients:
            for other in self.links(patient):
                if self.index.type_at(other) == "Patient":
                    yield patient, other
                    yield other, patient

    def links(self, patient: int) -> Iterator[int]:
        links = self.index.resource_at(patient).get("link")
        for link in links if isinstance(links, list) else ():
            if isinstance(link, dict):
                other = self.index.target(link.get("other"), self.url(patient))
                if other is not None:
                    yield other

    @cached_property
    def same_as(self) -> dict[int, set[int]]:
        """Each RelatedPerson → the Patients who are the same person."""
        found: dict[int, set[int]] = {}
        for patient in self.patients:
            for other in self.links(patient):
                found.setdefault(other, set()).add(patient)
            for key in identifiers_of(self.index.resource_at(patient)):
                for other in self.index.by_identifier.get(key, ()):
                    if self.index.type_at(other) == "RelatedPerson":
                        found.setdefault(other, set()).add(patient)
        return found

    def born(self, patient: int) -> date | None:
        return _date(self.index.resource_at(patient).get("birthDate"))

    def grown_up(self, baby: int, parents: set[int]) -> bool:
        """Whether the child was ten or older at the newest date in its own resources or its parents'."""
        newest = max(filter(None, (self.newest.get(p) for p in (baby, *parents))), default=None)
        return _years(self.born(baby), newest) >= BABY_YEARS

    @cached_property
    def newest(self) -> dict[int, date]:
        """Each Patient → the newest date in the resources about them."""
        found: dict[int, date] = {}
        for at, owner in self.owners.items():
            for value in _dates(self.index.resource_at(at)):
                if owner not in found or value > found[owner]:
                    found[owner] = value
        return found


def _roles(person: Resource) -> Iterator[str]:
    relationships = person.get("relationship")
    for concept in relationships if isinstance(relationships, list) else ():
        codings = concept.get("coding") if isinstance(concept, dict) else None
        for coding in codings if isinstance(codings, list) else ():
            if (
                isinstance(coding, dict)
                and coding.get("system") == V3_ROLE_CODE
                and isinstance(coding.get("code"), str)
            ):
                yield coding["code"]


def _dates(resource: Resource) -> Iterator[date]:
    """The dates at the first two levels of a resource: effectiveDateTime, period.start …"""
    for value in resource.values():
        for inner in value.values() if isinstance(value, dict) else (value,):
            if isinstance(inner, str) and inner[4:5] == "-" and (found := _date(inner)) is not None:
                yield found


def _date(value: object) -> date | None:
    """The first day that a FHIR date can mean; None when it is none."""
    if not isinstance(value, str):
        return None
    whole = value[:10] if len(value) >= 10 else f"{value}-01-01"[:10]
    try:
        return date.fromisoformat(whole)
    except ValueError:
        return None


def _years(start: date | None, end: date | None) -> int:
    """Whole years between two dates, at least 0; 0 when one is not known."""
    if start is None or end is None:
        return 0
    return max(0, end.year - start.year - ((end.month, end.day) < (start.month, start.day)))
