"""Who a record is about, and which records are about the same person.

The NHS number decides where it is valid (modulus 11). A record without one joins by local identifier: the same value
of the same system and assigner, and no other birth date. Nothing else makes two records one: no name, no address.
Identifiers marked old, or whose period has ended, are not used. Where the identifiers contradict one another the
records stay apart, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from adapter.fhir.profiles import NHS_NUMBER
from adapter.fhir.references import Index
from adapter.nhs_numbers import nhs_number
from adapter.records import Issue, Resource

LOCAL_IDENTIFIER = "https://fhir.nhs.uk/Id/local-patient-identifier"
"""The one system for the local identifiers of every organisation: it says nothing without the assigner."""

_ODS_LIKE = re.compile(r"[A-Z0-9]{3,6}", re.ASCII)

LocalId = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Identity:
    """nhs: the valid NHS numbers (more than one: nobody can say who it is). local: (system, assigner, value)."""

    nhs: frozenset[str]
    local: frozenset[LocalId]
    born: str = ""

    def contradicts(self, other: Identity) -> bool:
        """Whether both have an NHS number and none in common."""
        return bool(self.nhs and other.nhs and self.nhs.isdisjoint(other.nhs))

    def is_another(self, other: Identity) -> bool:
        """Whether they are two persons by their numbers: of the NHS, or of one organisation."""
        mine, theirs = ({local[:2] for local in who.local} for who in (self, other))
        return self.contradicts(other) or bool(mine & theirs and self.local.isdisjoint(other.local))

    def matches(self, other: Identity) -> bool:
        return not (self.nhs.isdisjoint(other.nhs) and (self.contradicts(other) or self.local.isdisjoint(other.local)))


@dataclass(frozen=True, slots=True)
class Persons:
    """groups: the positions of the records of each person, in the order of the first. issues: by position."""

    groups: tuple[tuple[int, ...], ...]
    issues: dict[int, list[Issue]] = field(default_factory=dict)


def identity_of(patient: Resource, index: Index, url: str = "") -> Identity:
    """The identity of a Patient; ``index`` and ``url`` find the Organization that an assigner refers to."""
    nhs, local = set(), set()
    for identifier in patient.get("identifier", ()):
        value = "".join(str(identifier.get("value", "")).split())
        if not value or identifier.get("use") == "old" or "end" in identifier.get("period", ()):
            continue
        system = str(identifier.get("system", ""))
        if is_nhs_number_system(system):
            nhs |= {nhs_number(value)} - {""}
            continue
        assigner = _assigner(identifier.get("assigner") or {}, index, url)
        if assigner or (system and system != LOCAL_IDENTIFIER):
            local.add((system, assigner, value))
    return Identity(frozenset(nhs), frozenset(local), str(patient.get("birthDate", "")))


def is_nhs_number_system(system: str) -> bool:
    """Whether an identifier's system is that of the NHS number, in the ways it is written."""
    return system.casefold().replace("http://", "https://", 1) == NHS_NUMBER.casefold()


def _assigner(assigner: Resource, index: Index, url: str) -> str:
    """The code of the organisation that gave an identifier, also where a code stands as its name; "" without one."""
    code = assigner.get("identifier", {}).get("value")
    if not code:
        at = index.target(assigner, url)
        held = index.resource_at(at).get("identifier", ()) if at is not None else ()
        code = next((one["value"] for one in held if "ods-" in one.get("system", "").casefold() and "value" in one), "")
    name = str(code or assigner.get("display", "")).strip().upper()
    return name if code or _ODS_LIKE.fullmatch(name) else ""


def persons(identities: Sequence[Identity]) -> Persons:
    """Which of these are one person: the same answer in any order."""
    issues: dict[int, list[Issue]] = {}
    clear = [at for at, who in enumerate(identities) if len(who.nhs) <= 1]
    for at, who in enumerate(identities):
        if len(who.nhs) > 1:
            _say(issues, at, "the Patient has more than one NHS number: it is not put together with other records")
    roots: dict[int, int] = {at: at for at in clear}
    by_number: dict[str, list[int]] = {}
    owners: dict[LocalId, set[str]] = {}  # local identifier → the NHS numbers it is seen with
    for at in clear:
        for number in identities[at].nhs:
            by_number.setdefault(number, []).append(at)
            roots[at] = by_number[number][0]
            for local in identities[at].local:
                owners.setdefault(local, set()).add(number)
    for component in _components([at for at in clear if not identities[at].nhs], identities):
        locals_ = {local for at in component for local in identities[at].local}
        numbers = {number for local in locals_ for number in owners.get(local, ())}
        joined = by_number[next(iter(numbers))] if len(numbers) == 1 else []
        if len(numbers) > 1:
            for at in component:
                _say(issues, at, "its local identifier belongs to records with different NHS numbers: it joins none")
        if _other_birth_date([identities[at] for at in component], [identities[at] for at in joined]):
            for at in component:
                _say(issues, at, "records with its local identifier have another birth date: it joins none")
            continue
        roots.update(dict.fromkeys(component, joined[0] if joined else component[0]))
    for at in clear:
        if any(owners.get(local, set()) - identities[at].nhs for local in identities[at].local if identities[at].nhs):
            _say(issues, at, "another record has the same local identifier and another NHS number: they stay apart")
    groups: dict[int, list[int]] = {}
    for at in range(len(identities)):
        groups.setdefault(roots.get(at, at), []).append(at)
    return Persons(tuple(tuple(group) for group in sorted(groups.values())), issues)


def _other_birth_date(component: Sequence[Identity], joined: Sequence[Identity]) -> bool:
    """Whether records that share a local identifier cannot be one person for their birth dates."""
    own, theirs = ({who.born for who in group if who.born} for group in (component, joined))
    return len(own) > 1 or bool(own and theirs and own.isdisjoint(theirs))


def _components(positions: Sequence[int], identities: Sequence[Identity]) -> Iterator[list[int]]:
    """Those that share local identifiers, directly or through others."""
    holders: dict[LocalId, list[int]] = {}
    for at in positions:
        for local in identities[at].local:
            holders.setdefault(local, []).append(at)
    seen: set[int] = set()
    for start in positions:
        if start in seen:
            continue
        seen.add(start)
        found, waiting = [start], [start]
        while waiting:
            for local in identities[waiting.pop()].local:
                fresh = [at for at in holders[local] if at not in seen]
                seen.update(fresh)
                found += fresh
                waiting += fresh
        yield sorted(found)


def _say(issues: dict[int, list[Issue]], at: int, text: str) -> None:
    issue = Issue("warning", "conflict", f"confirm identity: {text}", "data-conflict", "Patient.identifier")
    issues.setdefault(at, []).append(issue)
