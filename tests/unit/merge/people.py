"""Small records of one mother, as several systems have her."""

from __future__ import annotations

from typing import Any

import orjson

from adapter.merge import merge_records
from adapter.records import MappedBundle, RawRecord, Resource
from adapter.sources.fhir import read_fhir
from tests.samples import LOCAL, LOINC, NHS_NUMBER, SCT, concept, fhir, observation, patient

ANOTHER_NUMBER = "9990000026"
EPDS, ITEM_10 = concept(SCT, "450320001"), concept(LOCAL, "epds-item-10")
PREGNANT = {"code": concept(LOINC, "82810-3"), "valueCodeableConcept": concept(SCT, "77386006")}


def local(value: str, organisation: str = "RXX", **more: Any) -> Resource:
    by = {"identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": organisation}}
    system = "https://fhir.nhs.uk/Id/local-patient-identifier"
    return {"system": system, "value": value, "assigner": by if organisation else {"display": "somebody"}, **more}


def nhs(value: str = NHS_NUMBER) -> Resource:
    return {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": value}


def record(name: str, *resources: Resource) -> MappedBundle:
    """The one record of these resources, as FHIR in a file of that name."""
    (read,) = read_fhir(RawRecord(name, orjson.dumps(fhir(*resources))))
    return read


def merged(*records: MappedBundle) -> list[MappedBundle]:
    found = [one for _, one in merge_records(records)]
    assert all(isinstance(one, MappedBundle) for one in found)
    return [one for one in found if isinstance(one, MappedBundle)]


def one(*records: MappedBundle) -> MappedBundle:
    (found,) = merged(*records)
    return found


def of_type(found: MappedBundle, kind: str) -> list[Resource]:
    return [e["resource"] for e in found.bundle["entry"] if e["resource"]["resourceType"] == kind]


def said(found: MappedBundle, detail: str) -> list[str]:
    return [f"{issue.place}: {issue.text}" for issue in found.issues if issue.detail == detail]


def epds(total: int, day: str = "2026-02-20", name: str = "epds", **more: Any) -> Resource:
    return observation(name, EPDS, day, valueInteger=total, **more)


__all__ = [
    "ANOTHER_NUMBER",
    "EPDS",
    "ITEM_10",
    "LOCAL",
    "LOINC",
    "NHS_NUMBER",
    "PREGNANT",
    "SCT",
    "concept",
    "epds",
    "local",
    "merged",
    "nhs",
    "observation",
    "of_type",
    "one",
    "patient",
    "record",
    "said",
]
