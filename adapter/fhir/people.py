"""Who is who in a record: the one place that decides whose baby, whose partner and the same person somebody is.

What says so, in FHIR and so in whatever a mapping made of HL7 NK1 and PID-21 or of the baby tables of MSDS:

- RelatedPerson.relationship (v3-RoleCode, or HL7 v2 table 0063): a mother, a parent or a father *of a baby*; a child
  *of* its parent; a partner *of* somebody. A RelatedPerson *is* a Patient when ``Patient.link.other`` refers to it, or
  when both carry the same identifier.
- Patient.link (seealso) straight from one Patient to another: the baby is the one born ten years or more later.
- An infant whom nothing links to a mother, where there is just one other person: the baby of that person.

Someone who has babies here, or is ten or older at the newest date of the two, is nobody's baby. A baby with a mother
here is in her record; without one, in that of each parent. A father never is the one who gave birth.

Nothing here needs the record to be valid, so that a broken one can be laid at the right door too. All persons are
positions of entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property

from adapter.fhir.kinship import (
    BABY_YEARS,
    CHILD,
    FATHER,
    FATHER_OF_FETUS,
    INFANT_YEARS,
    MOTHER,
    PARENT,
    PARTNER,
    Child,
    dates_in,
    day_of,
    identified,
    links_of,
    roles_of,
    years_between,
)
from adapter.fhir.references import Index

OWNER_ELEMENTS = ("subject", "patient", "for", "beneficiary", "individual")
"""The elements that say whom a resource is about."""


class Relations:
    """The Patients and RelatedPersons of a Bundle, and what they are to one another.

    ``as_of``: the day on which an infant is one, where the Bundle itself has no date of anything that was done.
    """

    def __init__(self, index: Index, as_of: date | None = None) -> None:
        self._index, self._as_of = index, as_of
        self.patients = [at for at, kind in enumerate(index.types) if kind == "Patient"]
        self.related = [at for at, kind in enumerate(index.types) if kind == "RelatedPerson"]
        self._known = frozenset(self.patients)

    # --- the answers -----------------------------------------------------------------------------------------------
    @cached_property
    def subjects(self) -> tuple[int, ...]:
        """The Patients who get a result of their own: all but the babies of another. A lone baby is its own."""
        return tuple(patient for patient in self.patients if patient not in self.babies)

    @cached_property
    def main(self) -> int | None:
        """The Patient whose record this is: a mother first, and before a partner whoever is none."""
        mothers = set[int]().union(*self.babies.values())
        order = sorted(self.subjects, key=lambda at: (at in self.partners, at not in mothers, at))
        return order[0] if order else None

    @cached_property
    def babies(self) -> dict[int, frozenset[int]]:
        """Each baby's Patient → the Patients in whose records it is."""
        found = {baby: frozenset(self._parents[baby]) for baby in self._linked}
        return found | {baby: frozenset({adult}) for baby, adult in self.adopted.items()}

    @cached_property
    def adopted(self) -> dict[int, int]:
        """Each infant whom nothing links to a mother → the only other person here, whose baby it is taken to be."""
        if len(self.patients) < 2:
            return {}
        known = self._mothers.keys() | self._others.keys()
        loose = {at for at in self.patients if at not in known and self._may_be_anybodys(at)}
        if not loose:
            return {}
        fathers = set[int]().union(*(self._fathers.get(baby, ()) for baby in loose))
        none = loose | self._linked | self._said_partner | fathers
        others = [at for at in self.patients if at not in none]
        if len(others) != 1:
            return {}
        [adult] = others
        return {baby: adult for baby in sorted(loose) if self._old_enough(adult, baby)}

    @cached_property
    def partners(self) -> dict[int, frozenset[int]]:
        """Each partner's Patient → the Patients whose partner they are: also a father, of the baby's mother."""
        found: dict[int, set[int]] = {}
        for person, about in self._abouts.items():
            for other in self._stands_for(person):
                found.setdefault(other, set()).update(self._whose_partner(other, about, self._roles[person]))
        return {partner: frozenset(women) for partner, women in found.items() if women}

    @cached_property
    def as_partner(self) -> dict[int, tuple[int, ...]]:
        """Each Patient → the RelatedPersons that are the same person and say: a partner, or a father."""
        return self._in_role(PARTNER | FATHER | {FATHER_OF_FETUS})

    def is_partner(self, patient: int) -> bool:
        """Whether they are said to be somebody's partner, here or not."""
        return patient in self._said_partner

    def only_partner(self, patient: int) -> bool:
        """Whether they are said to be a partner, while nobody is said to be theirs and no baby to be born to them."""
        return patient in self._said_partner and patient not in self._with_partner and not self.born_to(patient)

    def expects(self, patient: int) -> bool:
        """Whether they are said to be the father of somebody who is not born yet."""
        return any(FATHER_OF_FETUS in self._roles[person] for person in self.as_partner.get(patient, ()))

    def fathered(self, patient: int | None) -> tuple[int, ...]:
        """The babies whose father they are."""
        return tuple(baby for baby in self.babies if patient in self._fathers.get(baby, ()))

    def born_to(self, patient: int) -> tuple[Child, ...]:
        """Her children, each once; a father bore none.

        A RelatedPerson with the birth date of a Patient who is her baby, and whom no other stands for, is that baby.
        """
        if not self.related and len(self.patients) < 2:
            return ()
        named = [at for at, about in self._abouts.items() if about == patient and self._roles[at] & CHILD]
        own = [baby for baby in self.babies if patient in self._bearers(baby)]
        same = {baby: [at for at in self.related if baby in self._same[at]] for baby in own}
        alone: list[Child] = []
        for person in named:
            if self._stands_for(person):
                continue  # a Patient here: one of the babies, or a child who is none any more
            born = self._index.resource_at(person).get("birthDate")
            twins = (b for b in own if not same[b] and self._index.resource_at(b).get("birthDate") == born)
            twin = next(twins, None)
            if twin is not None:
                same[twin].append(person)
            elif born is not None or not own:
                alone.append(Child(person))
        return (*alone, *(Child(baby, tuple(same[baby])) for baby in own))

    def the_same(self, person: int) -> frozenset[int]:
        """The Patients that a RelatedPerson is; none for the entry of anything else."""
        return self._stands_for(person) if person in self._same else frozenset()

    @cached_property
    def owners(self) -> dict[int, int]:
        """Each entry that is about a Patient of the Bundle (as themselves or as a RelatedPerson) → that Patient's."""
        found: dict[int, int] = {patient: patient for patient in self.patients}
        for at in range(len(self._index.entries)):
            about = None if at in found else self.about(at)
            if about in self._known:
                found[at] = about
            elif about in self._same and len(same := self._stands_for(about)) == 1:
                found[at] = next(iter(same))
        return found

    def about(self, at: int) -> int | None:
        """The entry that a resource is about; None for one that names nobody here."""
        resource = self._index.resource_at(at)
        for name in OWNER_ELEMENTS:
            if name in resource:
                return self._index.target(resource[name], self._url(at))
        return None

    # --- what they follow from -------------------------------------------------------------------------------------
    @cached_property
    def _roles(self) -> dict[int, frozenset[str]]:
        return {at: frozenset(roles_of(self._index.resource_at(at))) for at in self.related}

    @cached_property
    def _abouts(self) -> dict[int, int | None]:
        """Each RelatedPerson → the Patient they are related to, None for one who is not here."""
        found = {}
        for person in self.related:
            about = self._index.target(self._index.resource_at(person).get("patient"), self._url(person))
            found[person] = about if about in self._known else None
        return found

    @cached_property
    def _same(self) -> dict[int, frozenset[int]]:
        """Each RelatedPerson → the Patients who are the same person: by link, or by an identifier that both have."""
        found: dict[int, set[int]] = {person: set() for person in self.related}
        by_identifier: dict[tuple[str, str], list[int]] = {}
        for patient in self.patients if found else ():
            for _, other in self._links(patient):
                if other in found:
                    found[other].add(patient)
            for key in identified(self._index.resource_at(patient)):
                by_identifier.setdefault(key, []).append(patient)
        for person, patients in found.items():
            for key in identified(self._index.resource_at(person)):
                patients.update(by_identifier.get(key, ()))
        return {person: frozenset(patients) for person, patients in found.items()}

    def _stands_for(self, person: int) -> frozenset[int]:
        """As ``_same``, but for whom the person is related to: nobody is their own relative."""
        return frozenset(patient for patient in self._same[person] if patient != self._abouts[person])

    def _in_role(self, roles: frozenset[str]) -> dict[int, tuple[int, ...]]:
        found: dict[int, list[int]] = {}
        for person in self.related:
            for patient in self._stands_for(person) if self._roles[person] & roles else ():
                found.setdefault(patient, []).append(person)
        return {patient: tuple(persons) for patient, persons in found.items()}

    @cached_property
    def _said_partner(self) -> frozenset[int]:
        return frozenset(self._in_role(PARTNER | {FATHER_OF_FETUS}))

    @cached_property
    def _with_partner(self) -> frozenset[int]:
        return frozenset(about for at, about in self._abouts.items() if about is not None and self._roles[at] & PARTNER)

    @cached_property
    def _mothers(self) -> dict[int, set[int]]:
        return self._related_as(MOTHER)

    @cached_property
    def _fathers(self) -> dict[int, set[int]]:
        return self._related_as(FATHER)

    @cached_property
    def _others(self) -> dict[int, set[int]]:
        """Each child → the parents of whom nothing says which of the two they are."""
        found = self._related_as(PARENT)
        for person, about in self._abouts.items():
            for child in self._stands_for(person) if about is not None and self._roles[person] & CHILD else ():
                if about is not None and self._old_enough(about, child):
                    found.setdefault(child, set()).add(about)
        for one in self.patients:
            for kind, other in self._links(one):
                if kind != "seealso" or other not in self._known:
                    continue
                older, younger = sorted((one, other), key=lambda at: self._born(at) or date.max)
                if years_between(self._born(older), self._born(younger)) >= BABY_YEARS:
                    found.setdefault(younger, set()).add(older)
        return found

    def _related_as(self, roles: frozenset[str]) -> dict[int, set[int]]:
        """Each child → the Patients who are its parents in one of these roles."""
        found: dict[int, set[int]] = {}
        for person, about in self._abouts.items():
            for patient in self._stands_for(person) if about is not None and self._roles[person] & roles else ():
                if about is not None and self._old_enough(patient, about):
                    found.setdefault(about, set()).add(patient)
        return found

    @cached_property
    def _parents(self) -> dict[int, set[int]]:
        """Each child → the mother; without one, every parent."""
        found = {}
        for child in sorted({*self._mothers, *self._others, *self._fathers}):
            either = self._others.get(child, set()) | self._fathers.get(child, set())
            found[child] = self._mothers.get(child) or either
        return found

    @cached_property
    def _linked(self) -> frozenset[int]:
        """The children who are babies."""
        having = set[int]().union(*self._parents.values())
        return frozenset(
            child
            for child, parents in self._parents.items()
            if child not in having and not self._grown_up(child, parents)
        )

    def _bearers(self, baby: int) -> Iterable[int]:
        """Who may have given birth to a baby: the mother; without one, a parent who is not known to be the father."""
        if mothers := self._mothers.get(baby):
            return mothers
        if baby in self.adopted:
            return (self.adopted[baby],)
        unsure = self._others.get(baby, set()) - self._fathers.get(baby, set())
        return [parent for parent in unsure if parent not in self._said_partner or parent in self._with_partner]

    def _whose_partner(self, other: int, about: int | None, roles: frozenset[str]) -> Iterable[int]:
        if about is None:
            return ()
        if roles & FATHER:
            if about in self.babies:
                return [mother for mother in self._bearers(about) if mother != other]
            return () if self._old_enough(other, about) else (about,)  # he may be her own father
        return (about,) if roles & (PARTNER | {FATHER_OF_FETUS}) and about not in self.babies else ()

    def _may_be_anybodys(self, patient: int) -> bool:
        """An infant, or a child with a mother of whom nothing is said; not one whose mother is said to be another."""
        mothers = self._mothers_named.get(patient, ())
        if any(True for person in mothers for _ in identified(self._index.resource_at(person))):
            return False
        born, seen = self._born(patient), self._last_seen
        if born is None or seen is None:
            return bool(mothers)
        return years_between(born, seen) < (BABY_YEARS if mothers else INFANT_YEARS)

    @cached_property
    def _mothers_named(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for person, about in self._abouts.items():
            if about is not None and self._roles[person] & MOTHER:
                found.setdefault(about, []).append(person)
        return found

    def _old_enough(self, adult: int, baby: int) -> bool:
        older, younger = self._born(adult), self._born(baby)
        return older is None or younger is None or years_between(older, younger) >= BABY_YEARS

    def _links(self, patient: int) -> Iterator[tuple[str, int]]:
        for kind, reference in links_of(self._index.resource_at(patient)):
            other = self._index.target(reference, self._url(patient))
            if other is not None and other != patient:
                yield kind, other

    def _url(self, at: int) -> str:
        url = self._index.entries[at].get("fullUrl")
        return url if isinstance(url, str) else ""

    # --- ages ------------------------------------------------------------------------------------------------------
    def _born(self, patient: int) -> date | None:
        return day_of(self._index.resource_at(patient).get("birthDate"))

    def _grown_up(self, baby: int, parents: Iterable[int]) -> bool:
        """Whether the child was ten or older at the newest date in its own resources or its parents'."""
        newest = max(filter(None, (self._newest.get(at) for at in (baby, *parents))), default=None)
        return years_between(self._born(baby), newest) >= BABY_YEARS

    @cached_property
    def _newest(self) -> dict[int, date]:
        """Each Patient → the newest date in the resources about them."""
        found: dict[int, date] = {}
        for at, owner in self.owners.items():
            for value in dates_in(self._index.resource_at(at)):
                if owner not in found or value > found[owner]:
                    found[owner] = value
        return found

    @cached_property
    def _last_seen(self) -> date | None:
        """The newest date of anything that was done or found; birth dates are none."""
        persons = self._known.union(self.related)
        done = (at for at in self.owners if at not in persons)
        return max((day for at in done for day in dates_in(self._index.resource_at(at))), default=self._as_of)
