"""Family history: whether a first-degree relative has or had an illness.

Relationships are v3-RoleCode. What is neither surely first degree nor surely not (a family member, a half sister,
a code that is not known) is unknown, and asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapter.facts import dates
from adapter.facts.reading import Declared, Reading
from adapter.records import Evidence, Resource
from rules import Fact

FIRST_DEGREE = frozenset({"MTH", "NMTH", "FTH", "NFTH", "SIS", "NSIS", "BRO", "NBRO", "DAU", "DAUC", "SON", "SONC"})
OTHERS = frozenset(
    "STPMTH STPFTH STPPRN STPSIS STPBRO STPSIB STPCHLD STPDAU STPSON "  # noqa: SIM905 - quoted words read worse
    "ADOPTF ADOPTM ADOPTP CHLDADOPT DAUADOPT SONADOPT FTHFOST MTHFOST PRNFOST CHLDFOST DAUFOST SONFOST "
    "INLAW FTHINLAW MTHINLAW PRNINLAW BROINLAW SISINLAW SIBINLAW DAUINLAW SONINLAW CHLDINLAW "
    "GRPRN GRMTH GRFTH MGRPRN MGRMTH MGRFTH PGRPRN PGRMTH PGRFTH GGRPRN GGRMTH GGRFTH MGGRPRN MGGRMTH MGGRFTH "
    "PGGRPRN PGGRMTH PGGRFTH AUNT MAUNT PAUNT UNCLE MUNCLE PUNCLE COUSN MCOUSN PCOUSN NIENEPH NIECE NEPHEW "
    "GRNDCHILD GRNDDAU GRNDSON SPS HUSB WIFE DOMPART SIGOTHR FRND NBOR ROOM ONESELF".split()
)
ROLE_CODE = frozenset({"http://terminology.hl7.org/CodeSystem/v3-RoleCode", "http://hl7.org/fhir/v3/RoleCode"})


@dataclass(frozen=True, slots=True)
class Family:
    """``from: {family_history: LIST, degree: first}``."""

    fact: Declared
    code: str


def resolve(family: Family, reading: Reading) -> Fact:
    """The fact of an illness in a first-degree relative."""
    certain: list[Evidence] = []
    unsure: list[Evidence] = []
    for sighting in reading.sightings.get(family.code, ()):
        resource = sighting.resource
        if resource.get("resourceType") != "FamilyMemberHistory" or resource.get("status") == "entered-in-error":
            continue
        first = first_degree(resource.get("relationship"))
        if first is not False:
            evidence = sighting.evidence("", dates.read(resource, "date"))
            (certain if first and not sighting.conflict else unsure).append(evidence)
    if certain:
        return family.fact.known(True, None, tuple(certain))
    if unsure:
        return family.fact.unknown("relation-unknown", tuple(unsure), "confirm-family-relation")
    return family.fact.missing()


def first_degree(relationship: Resource | None) -> bool | None:
    """Whether a relative is one of the first degree; None where that is not known."""
    for coding in (relationship or {}).get("coding", ()):
        if coding.get("system") in ROLE_CODE:
            code = coding.get("code")
            return True if code in FIRST_DEGREE else False if code in OTHERS else None
    return None
