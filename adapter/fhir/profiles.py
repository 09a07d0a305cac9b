"""Which profile a resource claims: UK Core's where the resource meets all that the profile adds to R4.

Source: the UK Core R4 differentials (NHSDigital/FHIR-R4-UKCORE-STAGING-MAIN, 2025-06-20).
"""

from __future__ import annotations

from collections.abc import Callable

from adapter.records import Resource

UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"
R4 = "http://hl7.org/fhir/StructureDefinition/"

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS_ORGANISATION = "https://fhir.nhs.uk/Id/ods-organization-code"
ODS_SITE = "https://fhir.nhs.uk/Id/ods-site-code"
ETHNIC_CATEGORY = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory"

_ALWAYS_MET = frozenset(
    """Appointment AuditEvent Bundle CarePlan CareTeam Communication Composition Condition Consent Device
    DocumentReference Encounter EpisodeOfCare FamilyMemberHistory Flag HealthcareService ImagingStudy List Location
    MedicationAdministration MedicationDispense MessageHeader Observation OperationOutcome Organization
    OrganizationAffiliation Patient Practitioner PractitionerRole Procedure Provenance Questionnaire
    QuestionnaireResponse RelatedPerson RequestGroup Schedule ServiceRequest Slot Specimen Subscription Task""".split()  # noqa: SIM905  a list would take forty lines
)
"""Profiles that any R4 resource meets, but for slices that ``_MET_WHEN`` looks at."""


def _sliced(*systems: str) -> Callable[[Resource], bool]:
    """At most one identifier of each of the systems, with its value."""

    def met(resource: Resource) -> bool:
        seen = set()
        for identifier in resource.get("identifier", ()):
            system = identifier.get("system")
            if system in systems:
                if system in seen or not isinstance(identifier.get("value"), str):
                    return False
                seen.add(system)
        return True

    return met


def _patient(resource: Resource) -> bool:
    ethnic = sum(extension.get("url") == ETHNIC_CATEGORY for extension in resource.get("extension", ()))
    return ethnic <= 1 and _sliced(NHS_NUMBER)(resource)


_MET_WHEN: dict[str, Callable[[Resource], bool]] = {
    "AllergyIntolerance": lambda resource: "code" in resource,
    "Location": _sliced(ODS_SITE),
    "Medication": lambda resource: "code" in resource,
    "MedicationRequest": lambda resource: "substitution" in resource,
    "MedicationStatement": lambda resource: all("system" in i and "value" in i for i in resource.get("identifier", ())),
    "Organization": _sliced(ODS_ORGANISATION, ODS_SITE),
    "Patient": _patient,
}


def profile_for(resource_type: str) -> str:
    """The profile that a resource of the type can claim whatever it holds: UK Core's, or R4's own definition."""
    return (UK_CORE if resource_type in _ALWAYS_MET else R4) + resource_type


def with_profile(resource: Resource) -> Resource:
    """The resource (a valid one) with a profile claimed: as it is when it claims any, otherwise a shallow copy."""
    meta = resource.get("meta")
    if meta and meta.get("profile"):
        return resource
    kind: str = resource["resourceType"]
    met = _MET_WHEN.get(kind)
    profile = profile_for(kind) if met is None else (UK_CORE if met(resource) else R4) + kind
    claimed = {**meta, "profile": [profile]} if meta else {"profile": [profile]}
    return {"resourceType": kind, **resource, "meta": claimed}


def bundle_with_profiles(bundle: Resource) -> Resource:
    """The Bundle with a profile claimed by it and by every resource in it (shallow copies; see ``with_profile``)."""
    entries = [{**entry, "resource": with_profile(entry["resource"])} for entry in bundle["entry"]]
    return with_profile(bundle | {"entry": entries})
