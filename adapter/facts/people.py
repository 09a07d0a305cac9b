"""Who is who in a record: the person it is about, her babies, and everybody else.

A baby is linked by a RelatedPerson (the mother as related to the baby, or the baby as related to the mother) or by
Patient.link; an infant with no link in a record of one adult is hers. The partner's data are never hers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from adapter.facts import dates
from adapter.fhir.references import Index
from adapter.records import Resource

MOTHER = frozenset({"MTH", "NMTH", "GESTM", "PRN", "NPRN"})
CHILD = frozenset({"CHILD", "NCHILD", "SON", "SONC", "DAU", "DAUC"})
FATHER = frozenset({"FTH", "NFTH"})
PARTNER = frozenset({"DOMPART", "SIGOTHR", "SPS", "HUSB", "WIFE"})
INFANT_MONTHS = 24
GENERATION_YEARS = 10
"""Two linked Patients with at least so many years between them are not duplicates of one person."""

PERSONS = frozenset({"Patient", "RelatedPerson"})

HERS, UNKNOWN, ELSE = -1, -2, -3
"""Whose a resource is, where it is not the entry of one of her babies."""


@dataclass(frozen=True, slots=True)
class Baby:
    """A child of hers: the entry that says most about it (its Patient, else the RelatedPerson)."""

    at: int
    resource: Resource
    others: tuple[int, ...] = ()  # entries that stand for the same child


class People:
    """The Patients and RelatedPersons of a Bundle, and whose each reference is."""

    def __init__(self, index: Index, as_of: date, target: int | None = None) -> None:
        self._index, self._as_of = index, as_of
        self._places: dict[str, int] = {}
        self._patients: dict[int, Resource] = {}
        self._related: dict[int, Resource] = {}
        for at, entry in enumerate(index.entries):
            resource = entry.get("resource")
            if resource is None or (kind := resource.get("resourceType")) not in PERSONS:
                continue
            (self._patients if kind == "Patient" else self._related)[at] = resource
            if url := entry.get("fullUrl"):
                self._places[url] = at
            if name := resource.get("id"):
                self._places.setdefault(f"{kind}/{name}", at)
        self._mother: dict[int, int] = {}  # baby's entry → its mother's Patient
        self._same: dict[int, int] = {}  # a RelatedPerson's entry → the Patient it stands for
        self.partners: dict[int, int] = {}  # a partner's Patient → the Patient whose partner it is
        if len(self._patients) > 1 or self._related:
            self._relate()
        self.target = target if target is not None else self._first()
        self.patient: Resource | None = self._patients.get(self.target) if self.target is not None else None
        self.babies = () if self.target is None or self.target in self.partners else tuple(self._babies(self.target))
        self.owners: dict[object, int] = {}
        """Whose the resources with these references as subject are, as far as was asked: what ``owner`` found."""

    def subjects(self) -> tuple[int, ...]:
        """The Patients who get a result of their own: all but the babies of another (a lone baby is its own)."""
        found = tuple(index for index in self._patients if index not in self._mother)
        return found or tuple(self._patients)

    def _first(self) -> int | None:
        subjects = self.subjects()
        mothers = set(self._mother.values())
        order = sorted(subjects, key=lambda index: (index in self.partners, index not in mothers, index))
        return order[0] if order else None

    # --- whose a resource is ---------------------------------------------------------------------------------------
    def owner(self, resource: Resource) -> int:
        """HERS, the entry of one of her babies, ELSE for anybody else's, UNKNOWN where nobody can say.

        Observation.focus goes before the subject: what is in her record about her partner is not hers.
        """
        focus = resource.get("focus")
        if focus is None:
            return self._owner_of(resource.get("subject") or resource.get("patient"))
        if isinstance(focus, list) and focus:
            owners = {self._owner_of(reference) for reference in focus if self._is_person(reference)}
            if owners:
                return owners.pop() if len(owners) == 1 else ELSE
        return self._owner_of(resource.get("subject") or resource.get("patient"))

    def _is_person(self, reference: Resource) -> bool:
        text = str(reference.get("reference", ""))
        return text in self._places or reference.get("type") in PERSONS or any(f"{kind}/" in text for kind in PERSONS)

    def _owner_of(self, reference: Resource | None) -> int:
        if not reference:
            return HERS if len(self.subjects()) <= 1 else UNKNOWN
        text = reference.get("reference")
        if not isinstance(text, str):
            return self._by_identifier(reference.get("identifier"))
        owner = self.owners.get(text)
        if owner is None:
            owner = self.owners[text] = self._resolve(text)
        return owner

    def _resolve(self, text: str) -> int:
        index = self.place(text)
        if index is None:
            if self._patients:
                return UNKNOWN
            if not self.owners:  # a record without a Patient is about whom its first resource is about
                return HERS
            return ELSE
        return self._role(index)

    def _role(self, index: int) -> int:
        index = self._same.get(index, index)
        if index == self.target:
            return HERS
        for baby in self.babies:
            if index == baby.at or index in baby.others:
                return baby.at
        return ELSE

    def _by_identifier(self, identifier: Resource | None) -> int:
        if identifier:
            for index, patient in self._patients.items():
                if _identified(patient) & _identified({"identifier": [identifier]}):
                    return self._role(index)
        return UNKNOWN

    def place(self, reference: str) -> int | None:
        """The entry of a Patient or RelatedPerson that a reference names."""
        found = self._places.get(reference)
        if found is None and reference:
            found = self._index.resolve(reference)
            if found is not None and found not in self._patients and found not in self._related:
                return None
        return found

    # --- who belongs to whom ---------------------------------------------------------------------------------------
    def _relate(self) -> None:
        for index, person in self._related.items():
            about = self.place(str((person.get("patient") or {}).get("reference", "")))
            codes = {c.get("code") for concept in person.get("relationship", ()) for c in concept.get("coding", ())}
            if about is None:
                continue
            match = self._stands_for(index, person, about)
            if codes & MOTHER:
                mother = match if match is not None else self._only_other(about)
                if mother is not None:
                    self._same[index] = mother
                    self._mother[about] = mother
            elif codes & CHILD:
                if match is not None:
                    self._same[index] = match
                self._mother[index if match is None else match] = about
            elif match is not None:
                self._same[index] = match
                if codes & PARTNER:
                    self.partners[match] = about
                elif codes & FATHER:
                    self.partners[match] = self._mother.get(about, about)
        for index, patient in self._patients.items():
            for link in patient.get("link", ()):
                other = self.place(str((link.get("other") or {}).get("reference", "")))
                if other in self._patients and link.get("type", "seealso") == "seealso":
                    self._link(index, other)
        self._infants()

    def _stands_for(self, index: int, person: Resource, about: int) -> int | None:
        """The Patient that is this RelatedPerson: by Patient.link, else by an identifier both have."""
        names = _identified(person)
        for candidate, patient in self._patients.items():
            if candidate == about:
                continue
            links = (str((link.get("other") or {}).get("reference", "")) for link in patient.get("link", ()))
            if any(self.place(text) == index for text in links) or names & _identified(patient):
                return candidate
        return None

    def _only_other(self, baby: int) -> int | None:
        others = [i for i in self._patients if i != baby and i not in self._mother and i not in self.partners]
        return others[0] if len(others) == 1 else None

    def _link(self, one: int, other: int | None) -> None:
        if other is None or one in self._mother or other in self._mother:
            return
        first, second = dates.read(self._patients[one], "birthDate"), dates.read(self._patients[other], "birthDate")
        if first is None or second is None:
            return
        gap = (second.span.low - first.span.low).days
        if abs(gap) >= GENERATION_YEARS * 365:
            baby, mother = (other, one) if gap > 0 else (one, other)
            self._mother[baby] = mother

    def _infants(self) -> None:
        """An infant whom nothing links to anybody is the baby of the only other Patient."""
        loose = [i for i in self._patients if i not in self._mother and self._infant(i)]
        adults = [i for i in self._patients if i not in self._mother and i not in loose and i not in self.partners]
        if len(adults) == 1:
            self._mother.update(dict.fromkeys(loose, adults[0]))

    def _infant(self, index: int) -> bool:
        born = dates.read(self._patients[index], "birthDate")
        return born is not None and dates.add_years(born.span, INFANT_MONTHS // 12).low > self._as_of

    def _babies(self, mother: int) -> Iterator[Baby]:
        """Her babies, each once: a RelatedPerson with the birth date of a Patient that is hers is that Patient."""
        mine = [index for index, whose in self._mother.items() if whose == mother]
        patients = [index for index in mine if index in self._patients]
        same: dict[int, list[int]] = {index: [i for i, p in self._same.items() if p == index] for index in patients}
        for index in mine:
            if index in self._patients:
                continue
            born = self._related[index].get("birthDate")
            twins = (i for i in patients if len(same[i]) == 0 and self._patients[i].get("birthDate") == born)
            twin = next(twins, None)
            if twin is not None:
                same[twin].append(index)
            elif born is not None or not patients:
                yield Baby(index, self._related[index])
        for index in patients:
            yield Baby(index, self._patients[index], tuple(same[index]))


def _identified(resource: Resource) -> frozenset[tuple[str, str]]:
    return frozenset(_pairs(resource.get("identifier", ())))


def _pairs(identifiers: Iterable[Resource]) -> Iterator[tuple[str, str]]:
    for identifier in identifiers:
        value = identifier.get("value")
        if isinstance(value, str):
            yield str(identifier.get("system", "")), value.replace(" ", "")
