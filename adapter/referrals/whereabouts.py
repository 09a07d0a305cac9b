"""What of a Patient decides which team covers her: her GP practice, where she lives, her integrated care board."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple, TypeVar

from adapter.fhir.profiles import ODS_ORGANISATION
from adapter.fhir.references import Index
from adapter.records import MappedBundle, Resource

_T = TypeVar("_T")

_POSTCODE = re.compile(r"([A-Z]{1,2})([0-9][0-9A-Z]?)([0-9])([A-Z]{2})")
_ODS = frozenset({ODS_ORGANISATION, "https://fhir.nhs.uk/id/ods-organization-code"})
_NOT_WHERE_SHE_LIVES = frozenset({"old", "temp", "work", "billing"})
_NO_PRACTICE = frozenset({"V81997", "V81998", "V81999"})
"""NHS default codes: no registered practice, not applicable, not known."""
_PSEUDO = "ZZ99"
"""The district of NHS pseudo postcodes: no fixed abode, abroad, not known [K-high]."""


class Postcode(NamedTuple):
    """What a directory may name of a postcode, narrowest first: ``ZZ98 3VZ``, ``ZZ98 3``, ``ZZ98``, ``ZZ``."""

    whole: str
    sector: str
    district: str
    area: str


class Whereabouts(NamedTuple):
    """None where the record does not say, or says several things."""

    practice: str | None = None
    postcode: Postcode | None = None
    icb: str | None = None


def whereabouts(record: MappedBundle, patient: int, as_of: date, icb_of: Mapping[str, str]) -> Whereabouts:
    """Of the Patient in this entry of the record's Bundle; ``icb_of`` has the board of a practice.

    What the record has above a practice need not be its board: where the two differ, it is not known.
    """
    resource: Resource = record.bundle["entry"][patient]["resource"]
    practices, boards = set(), set()
    for practice, board in _practices(record, resource):
        practices.add(practice)
        boards |= {each for each in (board, icb_of.get(practice, "")) if each} or {""}
    return Whereabouts(_only(practices), _only(set(_postcodes(resource, as_of))), _only(boards))


def postcode(text: str) -> Postcode | None:
    """The parts of a whole postcode, in whatever case and spacing; None for anything else, and for no real place."""
    found = _POSTCODE.fullmatch("".join(text.upper().split()))
    if found is None:
        return None
    area, district, sector, unit = found.groups()
    outward = area + district
    if outward == _PSEUDO:
        return None
    return Postcode(f"{outward} {sector}{unit}", f"{outward} {sector}", outward, area)


def _only(values: set[_T]) -> _T | None:
    return next(iter(values)) or None if len(values) == 1 else None


def _practices(record: MappedBundle, patient: Resource) -> Iterator[tuple[str, str]]:
    """The ODS codes of the practices she is registered with, each with that of its board ("" if not given)."""
    given = patient.get("generalPractitioner", ())
    if not given:
        return
    index = Index(record.bundle)
    contained = {f"#{each.get('id')}": each for each in patient.get("contained", ())}
    for reference in given:
        at = index.target(reference)
        found = contained.get(str(reference.get("reference"))) if at is None else index.resource_at(at)
        practice = found if found and found["resourceType"] == "Organization" else {}
        code = _ods(practice.get("identifier", ())) or _ods([reference.get("identifier", {})])
        if code and code not in _NO_PRACTICE:
            yield code, _ods([practice.get("partOf", {}).get("identifier", {})])


def _ods(identifiers: Iterable[Resource]) -> str:
    codes = (str(each["value"]).upper() for each in identifiers if each.get("system") in _ODS and "value" in each)
    return next(codes, "")


def _postcodes(patient: Resource, as_of: date) -> Iterator[Postcode]:
    """The postcodes of where she lives now."""
    for address in patient.get("address", ()):
        end = str(address.get("period", {}).get("end", ""))[:10]
        over = end and end < as_of.isoformat()[: len(end)]
        if over or address.get("use") in _NOT_WHERE_SHE_LIVES:
            continue
        if found := postcode(str(address.get("postalCode", ""))):
            yield found
