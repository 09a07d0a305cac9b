"""Codes of retired UK Core code systems, with the codes that took their place beside them.

Senders still use the retired systems (the official BaRS examples do), and the current required bindings do not have
them. What came is kept: the current coding is added behind it.

Sources: UK Core CodeSystems NHSNumberVerificationStatus 2.1.0 and EthnicCategory 2.0.0 (retired),
NHSNumberVerificationStatusEngland and EthnicCategoryEngland (current). ``number-present-and-traced-using-welsh-nhs-ar``
and the two-letter ethnic categories have no counterpart there and stay as they are.
"""

from __future__ import annotations

from adapter.fhir.profiles import ETHNIC_CATEGORY
from adapter.records import Resource

VERIFICATION_STATUS = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
_SYSTEMS = "https://fhir.hl7.org.uk/CodeSystem/UKCore-"
_STATUSES = {
    "number-present-and-verified": ("01", "Number present and verified"),
    "number-present-but-not-traced": ("02", "Number present but not traced"),
    "trace-required": ("03", "Trace required"),
    "trace-attempted": ("04", "Trace attempted - No match or multiple match found"),
    "trace-needs-to-be-resolved": (
        "05",
        "Trace needs to be resolved - (NHS number or patient detail conflict)",
    ),
    "trace-in-progress": ("06", "Trace in progress"),
    "number-not-present-and-trace-not-required": ("07", "Number not present and trace not required"),
    "trace-postponed": ("08", "Trace postponed (baby under six weeks old)"),
}
_ETHNIC = frozenset("ABCDEFGHJKLMNPRSZ")
_MARKS = frozenset({VERIFICATION_STATUS, ETHNIC_CATEGORY})


def current(coding: Resource) -> Resource | None:
    """The current coding for a retired one; None for one that is not retired or has no counterpart."""
    system, code = coding.get("system"), coding.get("code")
    if system == f"{_SYSTEMS}NHSNumberVerificationStatus" and code in _STATUSES:
        now, display = _STATUSES[code]
        return {"system": f"{_SYSTEMS}NHSNumberVerificationStatusEngland", "code": now, "display": display}
    if system == f"{_SYSTEMS}EthnicCategory" and code in _ETHNIC:
        return {"system": f"{_SYSTEMS}EthnicCategoryEngland", "code": code}
    return None


def with_current_codes(person: Resource) -> tuple[Resource, tuple[str, ...]]:
    """A Patient or RelatedPerson (a valid one) and the paths of the codings that were added to it.

    It is the very same object where nothing was added; otherwise what changed is copied.
    """
    added: list[str] = []
    made = _translated(person, "", added)
    identifiers = person.get("identifier")
    if identifiers:
        new = [_translated(identifier, f"identifier[{at}].", added) for at, identifier in enumerate(identifiers)]
        if any(one is not old for one, old in zip(new, identifiers, strict=True)):
            made = made | {"identifier": new}
    return made, tuple(added)


def _translated(element: Resource, prefix: str, added: list[str]) -> Resource:
    """The element with the extensions of interest translated."""
    extensions = element.get("extension")
    if not extensions or all(extension.get("url") not in _MARKS for extension in extensions):
        return element
    new = [_extension(extension, f"{prefix}extension[{at}].", added) for at, extension in enumerate(extensions)]
    if all(one is old for one, old in zip(new, extensions, strict=True)):
        return element
    return element | {"extension": new}


def _extension(extension: Resource, prefix: str, added: list[str]) -> Resource:
    concept = extension.get("valueCodeableConcept") or {}
    codings = concept.get("coding")
    if extension.get("url") not in _MARKS or not codings:
        return extension
    there = {(coding.get("system"), coding.get("code")) for coding in codings}
    more: list[Resource] = []
    for coding in codings:
        now = current(coding)
        if now is not None and (now["system"], now["code"]) not in there:
            added.append(f"{prefix}valueCodeableConcept.coding[{len(codings) + len(more)}]")
            more.append(now)
    if not more:
        return extension
    return extension | {"valueCodeableConcept": concept | {"coding": [*codings, *more]}}
