"""Who a message is about: identifiers, the key of a patient's record, and ADT^A40, which joins two records.

An identifier is written here as the ten digits of a valid NHS number, or as "assigner|identifier".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from adapter.nhs_numbers import nhs_number
from adapter.records import Issue
from adapter.sources.hl7v2_rows import Segment
from adapter.sources.model import Row
from adapter.sources.scratch import Scratch

NHS_AUTHORITIES = frozenset({"NHS", "NH", "2.16.840.1.113883.2.1.4.1", "2.16.840.1.113883.2.1.3.2.4.18.23"})
"""What marks an identifier as an NHS number in CX.4 or CX.5: the authority as in NHS England's ITK samples, HL7 table
0203, the OID of HL7 v3 and that of the NHS genomics guide. ``code_maps/hl7-nhs-authority.csv`` lists the same."""

_ALONE = "this message"
_OWN = ("PID-3", "PID-2", "PID-4")
_PRIOR = ("MRG-1", "MRG-2", "MRG-4")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a PID says of who somebody is. ``number``: the first valid NHS number, or "". ``local``: the other
    identifiers. ``prior``: those that end with this message, because their record joins this one."""

    number: str
    local: tuple[str, ...]
    prior: frozenset[str] = frozenset()

    @property
    def own(self) -> frozenset[str]:
        return frozenset((self.number, *self.local)) - {""}


class Merge(Segment):
    """An MRG segment: an identifier that the surviving record has itself is no prior one."""

    __slots__ = ()

    def each(self, field: str) -> Sequence[Row]:
        found = super().each(field)
        pid = self.related("PID") if field in _PRIOR else None
        kept = {name for name, _ in _identifiers(pid, _OWN)} if pid else frozenset()
        return [one for one in found if _identifier(one) not in kept]


def identity_of(pid: Segment) -> tuple[Identity, list[Issue]]:
    """The identity, and whether two NHS numbers contradict each other."""
    numbers: dict[str, str] = {}
    local: list[str] = []
    for name, place in _identifiers(pid, _OWN):
        if "|" in name:
            local.append(name)
        else:
            numbers.setdefault(name, place)
    conflicts = [
        Issue("warning", "conflict", "a second, different NHS number; the first counts", "data-conflict", place)
        for place in list(numbers.values())[1:]
    ]
    merge = pid.related("MRG") if pid.get("MSH-9.2") == "A40" else None
    prior = frozenset(name for name, _ in _identifiers(merge, _PRIOR)) if merge else frozenset()
    return Identity(next(iter(numbers), ""), tuple(local), prior), conflicts


def _identifiers(row: Segment, fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each identifier in these fields with its place."""
    for field in fields:
        for one in row.each(field):
            name = _identifier(one)
            if name:
                yield name, one.place("1")


def _identifier(one: Row) -> str:
    """The name of an identifier; "" for one that cannot say who somebody is, such as an NHS number that is none."""
    value = one.get("1")
    if not value:
        return ""
    if not NHS_AUTHORITIES.isdisjoint((one.get("4"), one.get("4.2"), one.get("5"))):
        return nhs_number(value)
    return f"{one.get('4.2') or one.get('4') or one.get('6') or one.get('MSH-4') or ''}|{value}"


@dataclass(frozen=True, slots=True)
class Merged:
    """One A40 carried out: how many records joined or, for their NHS number, did not."""

    joined: int
    kept_apart: int


def alone(pid: Segment, content: str) -> tuple[Identity, list[Issue]]:
    """The identity of somebody whose identifiers are no more than NHS numbers that are none: this message's alone.

    What it says of her must be heard, and nobody can say which other messages are hers. ``content`` tells it from all
    other messages.
    """
    given = [one for field in _OWN for one in pid.each(field) if one.get("1")]
    if not given:
        return Identity("", ()), []
    text = "no valid NHS number (ten digits, modulus 11) and no other identifier: this is joined with no other message"
    issue = Issue("warning", "value", text, "nhs-number-invalid", given[0].place("1"))
    return Identity("", (f"{_ALONE}|{content}",)), [issue]


def unidentified(pid: Segment, identity: Identity) -> Issue | None:
    """Why nobody can say whose this is, or in an A40 whose record is to join whose."""
    if not identity.own:
        return Issue("error", "structure", "the patient has no identifier", "malformed", pid.place("PID-3"))
    if pid.get("MSH-9.2") != "A40":
        return None
    if any(name.startswith(f"{_ALONE}|") for name in identity.local):
        text = "A40 has no valid identifier of the surviving patient"
        return Issue("error", "value", text, "nhs-number-invalid", pid.place("PID-3"))
    if not identity.prior:
        ending = pid.related("MRG")
        place = ending.place("MRG-1") if ending else pid.place("")
        text = "A40 names no prior identifier that is not the surviving patient's own"
        return Issue("error", "structure", text, "malformed", place)
    return None


class Persons:
    """Which identities are one person's: by NHS number, by local identifier, and by A40.

    ``add`` all of them, ``settle`` them, and then ask for keys. ``identities`` gives them again in the same order.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._numbers = scratch.index()  # local identifier → the NHS numbers it is seen with
        self._into = scratch.index()  # key → that of the record which it joined
        self._done = scratch.index()
        self._any_merge = False

    def add(self, identity: Identity) -> None:
        for local in identity.local if identity.number else ():
            self._numbers.put(local, identity.number)
        self._any_merge = self._any_merge or bool(identity.prior)

    def key_before(self, identity: Identity) -> str:
        """The NHS number; else the one that others give for the same local identifier; else that. Before any A40."""
        if identity.number:
            return identity.number
        known: set[str] = set()
        for local in identity.local:
            found = self._numbers.get(local)
            if found is not None:
                known.update((found.owner, "") if found.several else (found.owner,))
        return known.pop() if len(known) == 1 else identity.local[0]

    def key(self, identity: Identity) -> str:
        """The key after every A40."""
        return self._root(self.key_before(identity))

    def merged(self, position: int) -> Merged | None:
        """What became of the A40 that is the identity at this position; None where it is none."""
        found = self._done.get(str(position)) if self._any_merge else None
        return Merged(found.place, found.kept) if found is not None else None

    def _root(self, key: str) -> str:
        while self._any_merge and (found := self._into.get(key)) is not None:
            key = found.owner
        return key

    def settle(self, identities: Callable[[], Iterator[Identity]]) -> None:
        """Carry out every A40 in the order of the file, whenever the messages of the prior identifier came.

        A record with a valid NHS number that is neither the survivor's nor named as a prior one is somebody else's as
        far as anybody can tell: it is kept apart.
        """
        if not self._any_merge:
            return
        holders, numbers = self._scratch.index(), self._scratch.index()
        for identity in identities():
            key = self.key_before(identity)
            for name in identity.own:
                holders.put(name, key)
            if identity.number:
                numbers.put(key, identity.number)
        for position, identity in enumerate(identities()):
            if not identity.prior:
                continue
            survivor = self.key(identity)
            found = {self._root(key) for name in identity.prior for key in holders.owners(name)} - {survivor}
            joined = 0
            for key in sorted(found):
                own = set(numbers.owners(survivor))
                theirs = set(numbers.owners(key)) - identity.prior
                if theirs - own and own:
                    continue
                self._into.put(key, survivor)
                for number in theirs:
                    numbers.put(survivor, number)
                joined += 1
            self._done.put(str(position), 0, joined, len(found) - joined)
