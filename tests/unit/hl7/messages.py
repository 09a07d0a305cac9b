"""What the tests of the HL7 v2 mapping share: small messages, and the resources that come of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapter.mapping.run import load_mapping
from adapter.records import MappedBundle, RawRecord
from adapter.sources.hl7v2 import read

MAPPINGS = Path(__file__).resolve().parents[3] / "mappings"
MAPPING = load_mapping(MAPPINGS / "hl7v2")
NHS = "9990000018"
PID = f"PID|||{NHS}^^^NHS"
OBR = "OBR||P1|F1||||20240301"
SCT, LOINC = "http://snomed.info/sct", "http://loinc.org"
PNR = "https://perinatal-referrals.example/fhir/CodeSystem/perinatal-concept"
V2 = "http://terminology.hl7.org/CodeSystem"
IDENTIFIER = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NHS}


def message(kind: str, *segments: str) -> str:
    return "".join(f"{text}\r" for text in (f"MSH|^~\\&|MAT|RX1|||20240301120000||{kind}|1|P|2.4", *segments))


def segment(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


def mapped(text: str) -> MappedBundle:
    (record,) = read(RawRecord("in.hl7", text.encode()))
    return MAPPING.run(record)


def resources(text: str) -> list[dict[str, Any]]:
    """The resources without their ids; references and their targets are checked in ``test_references``."""
    entries = mapped(text).bundle["entry"]
    return [{key: value for key, value in entry["resource"].items() if key != "id"} for entry in entries]


def adt(*segments: str, kind: str = "ADT^A28") -> list[dict[str, Any]]:
    return resources(message(kind, *segments))


def patient(pid: str) -> dict[str, Any]:
    (one,) = adt(pid)
    assert one.pop("resourceType") == "Patient"
    assert one.pop("identifier") == [IDENTIFIER]
    return one


def results(*segments: str) -> list[dict[str, Any]]:
    first, *rest = resources(message("ORU^R01", PID, OBR, *segments))
    assert first == {"resourceType": "Patient", "identifier": [IDENTIFIER]}
    for one in rest:
        assert one.pop("resourceType") == "Observation"
        assert one.pop("subject")
    return rest


def result(obx: str) -> dict[str, Any]:
    """The one Observation of ``OBX-2|OBX-3|…``, without code, status and time when they are the usual ones."""
    (one,) = results(f"OBX||{obx}")
    assert one.pop("effectiveDateTime") == "2024-03-01"
    assert one.pop("status") == "final"
    return one


def valued(kind: str, value: str, unit: str = "") -> dict[str, Any]:
    one = result(f"{kind}|1^x^LN||{value}|{unit}|||||F")
    assert one.pop("code") == {"coding": [{"system": LOINC, "code": "1", "display": "x"}]}
    return one


def issues(text: str) -> list[tuple[str, str]]:
    return [(issue.detail, issue.place) for issue in mapped(text).issues]
