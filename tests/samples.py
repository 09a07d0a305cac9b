"""The smallest records of one synthetic mother in three formats: 28 weeks pregnant, EPDS 9, item 10 answered with 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

AS_OF = "2026-03-02"
NHS_NUMBER = "9990000018"
SCT, LOINC = "http://snomed.info/sct", "http://loinc.org"
LOCAL = "https://perinatal-referrals.example/fhir/CodeSystem/perinatal-concept"

ORU = "\r".join(
    [
        r"MSH|^~\&|MATERNITY|RXX01|PERINATAL|RXX01|20260220101500||ORU^R01|MSG00001|P|2.4|||AL|NE|GBR|UNICODE UTF-8",
        f"PID|1||{NHS_NUMBER}^^^NHS~L100^^^RXX||SYNTHETIC^ADA||19940517|2|||1 EXAMPLE STREET^^EXAMPLETON^^ZZ99 3VZ",
        "OBR|1|ORD1|RES1|450320001^Edinburgh postnatal depression scale score^SCT|||20260220093000",
        "OBX|1|CE|82810-3^Pregnancy status^LN||77386006^Pregnant^SCT||||||F|||20260220093000",
        "OBX|2|DT|11778-8^Delivery date Estimated^LN||20260525||||||F|||20260220093000",
        "OBX|3|NM|450320001^Edinburgh postnatal depression scale score^SCT||9|{score}|||||F|||20260220093000",
        "OBX|4|NM|epds-item-10^EPDS item 10^99PNR||1|{score}|||||F|||20260220093000",
    ]
).encode()

MSDS = {
    "MSD000Header": "Version,OrgIDProvider,OrgIDSubmit,PrimSystemInUse,RPStartDate,RPEndDate,FileCreationDate,"
    "FileCreationTime\n2.0,RXX,RXX,SYNTH,2026-02-01,2026-02-28,2026-03-01,09:00:00\n",
    "MSD001MotherDemog": "LPIDMother,OrgIDLPID,PersonBirthDateMother,NHSNumberMother,NHSNumberStatusMother,Postcode\n"
    f"L100,RXX,1994-05-17,{NHS_NUMBER},01,ZZ99 3VZ\n",
    "MSD101PregnancyBooking": "PregnancyID,LPIDMother,OrgIDComm,AntenatalAppDate,EDDAgreed,EDDMethodAgreed\n"
    "P100,L100,RXX,2025-11-03,2026-05-25,02\n",
    "MSD104CodedScoreAssPreg": "PregnancyID,ToolTypeSNOMED,Score,CompDate\n"
    "P100,450320001,9,2026-02-20\nP100,epds-item-10,1,2026-02-20\n",
}


def write_msds(folder: Path, tables: dict[str, str] | None = None) -> Path:
    """The tables as files of a data set's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (tables or MSDS).items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def observation(identity: str, code: dict[str, Any], day: str = "2026-02-20", **elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": code,
        "subject": {"reference": "Patient/ada"},
        "effectiveDateTime": day,
        **elements,
    }


def patient(**elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": "ada",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NHS_NUMBER}],
        "name": [{"family": "SYNTHETIC", "given": ["ADA"]}],
        "gender": "female",
        "birthDate": "1994-05-17",
        **elements,
    }


def fhir(*resources: dict[str, Any]) -> dict[str, Any]:
    """A Bundle of these resources; of the mother's own when none are given."""
    held = resources or (
        patient(),
        observation("pregnant", concept(LOINC, "82810-3"), valueCodeableConcept=concept(SCT, "77386006", "Pregnant")),
        observation("edd", concept(LOINC, "11778-8"), valueDateTime="2026-05-25"),
        observation("epds", concept(SCT, "450320001"), valueInteger=9),
        observation("item-10", concept(LOCAL, "epds-item-10"), valueInteger=1),
    )
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in held]}
