"""What the server can do, as a CapabilityStatement."""

from __future__ import annotations

from adapter.records import Resource

OPERATIONS = {
    "evaluate-referrals": "A record in; who should be referred where, how soon and why, out.",
    "convert": "A record in; the same record as UK Core FHIR R4 out.",
}

KINDS = ("PlanDefinition", "ActivityDefinition", "Library", "ValueSet", "CodeSystem", "OperationDefinition")
"""The definitions that can be read and searched."""

SEARCH_TYPES = {"_id": "token", "url": "uri", "name": "string"}
"""By what they can be searched."""


def capability_statement(base: str, version: str) -> Resource:
    """CapabilityStatement of FHIR 4.0.1; ``version`` is the rule pack's."""
    return {
        "resourceType": "CapabilityStatement",
        "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/CapabilityStatement"]},
        "url": f"{base}/CapabilityStatement/perinatal-referrals",
        "name": "PerinatalReferrals",
        "title": "Perinatal referral adapter",
        "version": version,
        "status": "active",
        "experimental": True,
        "date": "2026-11-22",
        "kind": "instance",
        "software": {"name": "perinatal-referrals", "version": version},
        "implementation": {"description": "Perinatal referral adapter"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Records go in as FHIR R4 (application/fhir+json) or HL7 v2 (application/hl7-v2).",
                "resource": [
                    {
                        "type": kind,
                        "interaction": [{"code": "read"}, {"code": "search-type"}],
                        "searchParam": [{"name": name, "type": kind_of} for name, kind_of in SEARCH_TYPES.items()],
                    }
                    for kind in KINDS
                ],
                "operation": [
                    {"name": name, "definition": f"{base}/OperationDefinition/{name}", "documentation": text}
                    for name, text in OPERATIONS.items()
                ],
            }
        ],
    }
