"""Whose each resource of a record is: hers, one of her babies', or somebody else's. The partner's data are never hers.

Who is who in a record is decided in ``adapter.fhir.people``, for this and for taking Bundles of several patients apart.
"""

from __future__ import annotations

from datetime import date

from adapter.fhir.kinship import Child, identified
from adapter.fhir.people import Relations
from adapter.fhir.references import Index
from adapter.records import Resource

PERSONS = frozenset({"Patient", "RelatedPerson"})

HERS, UNKNOWN, ELSE = -1, -2, -3
"""Whose a resource is, where it is not the entry of one of her babies."""


class People:
    """The person whom a record is about (``target``), her babies, and whose each reference is."""

    def __init__(self, index: Index, target: int | None = None, as_of: date | None = None) -> None:
        self._index = index
        self.relations = Relations(index, as_of)
        self._places: dict[str, int] = {}
        for at in (*self.relations.patients, *self.relations.related):
            entry = index.entries[at]
            kind, name = index.type_at(at), entry["resource"].get("id")
            if url := entry.get("fullUrl"):
                self._places[url] = at
            if name:
                self._places.setdefault(f"{kind}/{name}", at)
        self.target = target if target is not None else self.relations.main
        self.patient: Resource | None = index.resource_at(self.target) if self.target is not None else None
        self.babies: tuple[Child, ...] = () if self.target is None else self.relations.born_to(self.target)
        adopted = self.relations.adopted if self.babies else {}
        self.taken_to_be_hers = tuple(child.at for child in self.babies if child.at in adopted and not child.others)
        """Her babies by nothing but that there is nobody else whose they could be."""
        self.owners: dict[object, int] = {}
        """Whose the resources with these references as subject are, as far as was asked: what ``owner`` found."""

    def owner(self, resource: Resource) -> int:
        """HERS, the entry of one of her babies, ELSE for anybody else's, UNKNOWN where nobody can say.

        Observation.focus goes before the subject: what is in her record about her partner is not hers; what is about
        her and her babies is.
        """
        focus = resource.get("focus")
        if isinstance(focus, list) and focus:
            owners = {self._in_focus(reference) for reference in focus if self._may_be_a_person(reference, resource)}
            if len(owners) == 1:
                return owners.pop()
            if owners:
                return min(owners) if min(owners) >= HERS else ELSE
        return self.subject_of(resource)

    def subject_of(self, resource: Resource) -> int:
        """In whose record a resource is, whatever is in its focus."""
        return self._owner_of(resource.get("subject") or resource.get("patient"))

    def _in_focus(self, reference: Resource) -> int:
        text = str(reference.get("reference", ""))
        if text.startswith("#"):
            return ELSE
        return self._owner_of(reference) if text or "identifier" in reference else UNKNOWN

    def _may_be_a_person(self, reference: Resource, resource: Resource) -> bool:
        """Whether what is in focus is not known to be something else: a device, a body structure, another finding."""
        text = str(reference.get("reference", ""))
        if text in self._places:
            return True
        if text.startswith("#"):
            inside = (one for one in resource.get("contained", ()) if one.get("id") == text[1:])
            kind = next((str(one.get("resourceType")) for one in inside), "")
        elif (at := self._index.resolve(text)) is not None:
            kind = self._index.type_at(at)
        else:
            kind = next((name for name in text.split("/")[-2:-1] if name.isalpha()), "")
        return (kind or reference.get("type") or "Patient") in PERSONS

    def _owner_of(self, reference: Resource | None) -> int:
        if not reference:
            return HERS if len(self.relations.subjects) <= 1 else UNKNOWN
        text = reference.get("reference")
        if not isinstance(text, str):
            return self._by_identifier(reference.get("identifier"))
        owner = self.owners.get(text)
        if owner is None:
            owner = self.owners[text] = self._resolve(text)
        return owner

    def _resolve(self, text: str) -> int:
        at = self._place(text)
        if at is not None:
            return self._role(at)
        if self.relations.patients:
            return UNKNOWN
        return ELSE if self.owners else HERS  # a record without a Patient is about whom its first resource is about

    def _role(self, at: int) -> int:
        for person in (at, *self.relations.the_same(at)):
            if person == self.target:
                return HERS
            for baby in self.babies:
                if person == baby.at or person in baby.others:
                    return baby.at
        return ELSE

    def _by_identifier(self, identifier: Resource | None) -> int:
        wanted = set(identified({"identifier": [identifier]}))
        for at in self.relations.patients:
            if wanted & set(identified(self._index.resource_at(at))):
                return self._role(at)
        return UNKNOWN

    def _place(self, reference: str) -> int | None:
        """The entry of a Patient or RelatedPerson that a reference names."""
        found = self._places.get(reference)
        if found is None and reference:
            found = self._index.resolve(reference)
            if found is not None and self._index.type_at(found) not in PERSONS:
                return None
        return found
