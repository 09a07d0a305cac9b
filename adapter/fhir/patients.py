"""Whose record is what: a Bundle of several patients taken apart, one group of entries for each result.

There is one record for each Patient who is not a baby of another Patient in the Bundle: ``people`` decides.
A record holds the Patient, the babies, every resource about one of them, all that these refer to as far as it is
about nobody else, and what refers to them without being about anybody (Provenance, List).

The record of a partner holds besides what says that they are one, and what is in another's record about them
(Observation.focus): it stays there too, where it is data about somebody else. Works on broken resources too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adapter.fhir.people import OWNER_ELEMENTS, Relations
from adapter.fhir.references import Index, references_in
from adapter.records import Resource

__all__ = ["OWNER_ELEMENTS", "Split", "main_patient", "split", "without_strangers"]

SOMEBODY_ELSE = "another patient, who is not in this record"


@dataclass(frozen=True, slots=True)
class Split:
    """patients: the position of the Patient of each record; groups: those of all its entries, in the same order.

    ownerless: entries about nobody that no record refers to. astray: entries about somebody who is not in the Bundle.
    kin: for each record, the numbers of the records of those whose partner its Patient is.
    shared: entries about somebody that are in more than one record.
    """

    patients: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    ownerless: tuple[int, ...]
    astray: tuple[int, ...]
    kin: tuple[tuple[int, ...], ...]
    shared: frozenset[int]


def split(bundle: Resource) -> Split:
    """Take a Bundle with any number of Patients apart, in time linear in its size."""
    return _Splitter(Index(bundle)).split()


def main_patient(bundle: Resource) -> int:
    """The entry of the Patient whose record a Bundle (with at least one Patient) is."""
    patients = [at for at, entry in enumerate(bundle["entry"]) if entry["resource"]["resourceType"] == "Patient"]
    if len(patients) == 1:
        return patients[0]
    main = Relations(Index(bundle)).main
    return patients[0] if main is None else main


def without_strangers(index: Index, at: int, group: Container[int]) -> Resource:
    """The resource of an entry of a record, without references to Patients who are in the Bundle and not in the record.

    In their place stands that somebody else is meant: a record refers to nothing that is not in it, and says no more of
    another patient than that.
    """
    url = index.entries[at].get("fullUrl")
    resource: Resource = _rewritten(index.resource_at(at), index, url if isinstance(url, str) else "", group)
    return resource


def _rewritten(node: Any, index: Index, url: str, group: Container[int]) -> Any:
    if isinstance(node, list):
        return [_rewritten(each, index, url, group) for each in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("reference"), str):
        at = index.target(node, url)
        if at is not None and at not in group and index.type_at(at) == "Patient":
            return {"type": "Patient", "display": SOMEBODY_ELSE}
    return {name: _rewritten(value, index, url, group) for name, value in node.items()}


class _Splitter:
    def __init__(self, index: Index) -> None:
        self.index = index
        self.people = Relations(index)
        self.positions = range(len(index.entries))

    def split(self) -> Split:
        owners, babies = self.people.owners, self.people.babies
        lead = {patient: babies.get(patient) or frozenset({patient}) for patient in self.people.patients}
        mains = self.people.subjects
        members: dict[int, set[int]] = {main: set() for main in mains}
        for at, owner in owners.items():
            for main in lead[owner]:
                members[main].add(at)
            for person in self.in_focus(at):
                for main in lead[person]:
                    members[main].add(at)
        for main in mains:
            members[main].update(self.people.as_partner.get(main, ()))
            self.add_what_they_refer_to(members[main], list(members[main]))
        taken = set().union(*members.values())
        loose = [at for at in self.positions if at not in taken and at not in self.astray]
        self.add_what_refers_to_them(members, loose)
        taken = set().union(*members.values())
        numbers = {main: number for number, main in enumerate(mains)}
        partners = self.people.partners
        times = Counter(at for own in members.values() for at in own)
        return Split(
            mains,
            tuple(tuple(sorted(members[main])) for main in mains),
            tuple(at for at in loose if at not in taken),
            tuple(sorted(self.astray)),
            tuple(tuple(sorted(numbers[w] for w in partners.get(main, ()) if w in numbers)) for main in mains),
            frozenset(at for at, count in times.items() if count > 1 and at in owners),
        )

    def in_focus(self, at: int) -> Iterator[int]:
        """The Patients who are in the focus of a resource, as themselves or as a RelatedPerson."""
        focus = self.index.resource_at(at).get("focus")
        for reference in focus if isinstance(focus, list) else ():
            person = self.index.target(reference, self.url(at))
            if person is None:
                continue
            if self.index.type_at(person) == "Patient":
                yield person
            else:
                yield from self.people.the_same(person)

    @cached_property
    def astray(self) -> frozenset[int]:
        """Entries that name somebody as their subject who is no entry."""
        return frozenset(
            at
            for at in self.positions
            if at not in self.people.owners
            and any(name in self.index.resource_at(at) for name in OWNER_ELEMENTS)
            and self.people.about(at) is None
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
                if other not in members and other not in self.people.owners and other not in self.astray:
                    members.add(other)
                    waiting.append(other)

    def add_what_refers_to_them(self, members: dict[int, set[int]], loose: Iterable[int]) -> None:
        """Entries about nobody go to each record that they refer into, by one of its own entries."""
        records_of: dict[int, list[int]] = {}
        for main, own in members.items():
            for at in own:
                if at in self.people.owners:
                    records_of.setdefault(at, []).append(main)
        for at in loose:
            for main in {main for other in self.refers_to(at) for main in records_of.get(other, ())}:
                members[main].add(at)
                self.add_what_they_refer_to(members[main], [at])
