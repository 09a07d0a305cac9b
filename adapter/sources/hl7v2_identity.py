"""Who a message is about: identifiers, the key of a patient's record, and ADT^A40, which joins two records.

An identifier is written here as the ten digits of a valid NHS number, or as "assigner|identifier".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nhs_number.validate import is_valid

from adapter.records import Issue
from adapter.sources.hl7v2_rows import Segment
from adapter.sources.model import Row

NHS_AUTHORITIES = frozenset({"NHS", "NH", "2.16.840.1.113883.2.1.4.1", "2.16.840.1.113883.2.1.3.2.4.18.23"})
"""What marks an identifier as an NHS number in CX.4 or CX.5: the authority as in NHS England's ITK samples, HL7 table
0203, the OID of HL7 v3 and that of the NHS genomics guide. ``code_maps/hl7-nhs-authority.csv`` lists the same."""

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
    value = one.get("1")
    if not value:
        return ""
    if not NHS_AUTHORITIES.isdisjoint((one.get("4"), one.get("4.2"), one.get("5"))):
        digits = value.replace(" ", "").replace("-", "")
        if digits.isascii() and digits.isdigit() and is_valid(digits):
            return digits
    return f"{one.get('4.2') or one.get('4') or one.get('6') or one.get('MSH-4') or ''}|{value}"


def keys_of(identities: Sequence[Identity]) -> list[str]:
    """The key of each: the NHS number; else the one that others give for the same local identifier; else that."""
    numbers: dict[str, set[str]] = {}
    for each in identities:
        for local in each.local if each.number else ():
            numbers.setdefault(local, set()).add(each.number)
    return [_key(each, numbers) for each in identities]


def _key(identity: Identity, numbers: Mapping[str, set[str]]) -> str:
    known = {number for local in identity.local for number in numbers.get(local, ())}
    return identity.number or (known.pop() if len(known) == 1 else identity.local[0])


@dataclass(frozen=True, slots=True)
class Merged:
    """One A40 carried out: its position, and how many records joined or, for their NHS number, did not."""

    position: int
    joined: int
    kept_apart: int


def merge(identities: Sequence[Identity], keys: Sequence[str]) -> tuple[list[str], list[Merged]]:
    """The keys after every A40, each carried out in the order of the file, whenever the messages of the prior
    identifier came.

    A record with a valid NHS number that is neither the survivor's nor named as a prior one is somebody else's as far
    as anybody can tell: it is kept apart.
    """
    into: dict[str, str] = {}

    def root(key: str) -> str:
        while key in into:
            key = into[key]
        return key

    holders: dict[str, set[str]] = {}
    numbers: dict[str, set[str]] = {}
    for identity, key in zip(identities, keys, strict=True):
        for name in identity.own:
            holders.setdefault(name, set()).add(key)
        numbers.setdefault(key, set()).update({identity.number} - {""})
    done = []
    for position, identity in enumerate(identities):
        if not identity.prior:
            continue
        survivor = root(keys[position])
        found = {root(key) for name in identity.prior for key in holders.get(name, ())} - {survivor}
        joined = 0
        for key in sorted(found):
            other = numbers[key] - identity.prior - numbers[survivor]
            if other and numbers[survivor]:
                continue
            into[key] = survivor
            numbers[survivor] |= numbers[key] - identity.prior
            joined += 1
        done.append(Merged(position, joined, len(found) - joined))
    return [root(key) for key in keys], done
