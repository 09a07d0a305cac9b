"""PD1, NK1, PV1, DG1: practice, family, visits and diagnoses. Each feature by its smallest message."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.hl7.messages import (
    IDENTIFIER,
    NHS,
    OBR,
    PID,
    SCT,
    V2,
    adt,
    issues,
    mapped,
    message,
    resources,
    segment,
)


@pytest.mark.parametrize(
    ("practice", "name"),
    [("HIGH ST SURGERY^^A81001", "HIGH ST SURGERY"), ("A81001", "A81001"), ("X^^^^^^^^^A81001", "X")],
)
def test_practice(practice: str, name: str) -> None:
    one, organisation = adt(PID, f"PD1|||{practice}")
    assert len(one["generalPractitioner"]) == 1
    ods = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "A81001"}
    assert organisation == {"resourceType": "Organization", "identifier": [ods], "name": name}


def test_general_practitioner() -> None:
    one, gp = adt(PID, "PD1||||1234567^WHO^Doctor^A^^DR^^^GMC")
    assert len(one["generalPractitioner"]) == 1
    assert gp == {
        "resourceType": "Practitioner",
        "identifier": [{"system": "https://fhir.hl7.org.uk/Id/gmc-number", "value": "1234567"}],
        "name": [{"family": "WHO", "given": ["Doctor", "A"], "prefix": ["DR"]}],
    }


def test_next_of_kin() -> None:
    fields = {1: "1", 2: "SMITH^John", 3: "SPO^Spouse", 4: "^^Leeds", 5: "0113", 7: "N", 15: "1", 16: "19880101"}
    one, kin = adt(PID, segment("NK1", {**fields, 33: f"{NHS}^^^NHS"}))
    assert set(one) == {"resourceType", "identifier"}
    assert kin.pop("patient")
    assert kin == {
        "resourceType": "RelatedPerson",
        "identifier": [IDENTIFIER],
        "relationship": [
            {"coding": [{"system": f"{V2}/v3-RoleCode", "code": "SPS", "display": "spouse"}], "text": "Spouse"},
            {"coding": [{"system": f"{V2}/v2-0131", "code": "N", "display": "Next-of-Kin"}]},
        ],
        "name": [{"family": "SMITH", "given": ["John"]}],
        "telecom": [{"system": "phone", "value": "0113"}],
        "gender": "male",
        "birthDate": "1988-01-01",
        "address": [{"city": "Leeds"}],
    }


def test_a_newborn_is_linked_to_the_mother_and_takes_nothing_from_her() -> None:
    baby, mother_kin, mother = adt(
        f"{PID}||SMITH^Baby||20240301||||||||||||||9990000026^^^NHS~77^^^RX1",
        "NK1|1|SMITH^Jane|MTH",
        kind="ADT^A01",
    )
    assert (baby["birthDate"], baby["identifier"]) == ("2024-03-01", [IDENTIFIER])
    assert baby["link"][0]["type"] == "seealso"
    assert mother_kin["name"] == [{"family": "SMITH", "given": ["Jane"]}]
    assert [one["value"] for one in mother["identifier"]] == ["9990000026", "77"]
    assert mother["relationship"] == [{"coding": [{"system": f"{V2}/v3-RoleCode", "code": "MTH", "display": "mother"}]}]


def test_references() -> None:
    text = message(
        "ADT^A01",
        f"{PID}||||||||||||||||||9990000026^^^NHS",
        "PD1|||A81001|1",
        "NK1||X|MTH",
        "PV1||I",
        "DG1|||F32.2^^I10",
    ) + message("ORU^R01", PID, OBR, "OBX||NM|1^^LN||1||||||F")
    entries = mapped(text).bundle["entry"]
    kinds = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in entries}
    by_kind = {entry["resource"]["resourceType"]: entry["resource"] for entry in entries}
    assert len(entries) == 8
    assert all(entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}" for entry in entries)
    one = by_kind["Patient"]
    assert [kinds[r["reference"]] for r in one["generalPractitioner"]] == ["Organization", "Practitioner"]
    assert kinds[one["link"][0]["other"]["reference"]] == "RelatedPerson"
    assert kinds[by_kind["Condition"]["encounter"]["reference"]] == "Encounter"
    for kind, element in [
        ("Observation", "subject"),
        ("Condition", "subject"),
        ("Encounter", "subject"),
        ("RelatedPerson", "patient"),
    ]:
        assert kinds[by_kind[kind][element]["reference"]] == "Patient"


@pytest.mark.parametrize(
    ("kind", "pv1", "status"),
    [
        ("ADT^A01", "|I", "in-progress"),
        ("ADT^A04", "|I", "in-progress"),
        ("ADT^A08", "|I", "in-progress"),
        ("ADT^A05", "|I", "planned"),
        ("ADT^A03", "|I", "finished"),
        ("ADT^A08", "|I" + "|" * 43 + "20240302", "finished"),
    ],
)
def test_encounter_status(kind: str, pv1: str, status: str) -> None:
    _, encounter = adt(PID, f"PV1|{pv1}", kind=kind)
    assert encounter["status"] == status
    assert encounter["class"]["code"] == "IMP"


def test_one_visit_is_one_encounter() -> None:
    pv1 = "PV1||I||||||||OBS|||||||||V1" + "|" * 25 + "202403010900"
    _, encounter = resources(message("ADT^A01", PID, pv1) + message("ADT^A03", PID, f"{pv1}|202403021000"))
    assert encounter.pop("subject")
    assert encounter == {
        "resourceType": "Encounter",
        "identifier": [{"value": "V1"}],
        "status": "finished",
        "class": {"system": f"{V2}/v3-ActCode", "code": "IMP", "display": "inpatient encounter"},
        "serviceType": {"text": "OBS"},
        "period": {"start": "2024-03-01T09:00:00+00:00", "end": "2024-03-02T10:00:00+00:00"},
    }


@pytest.mark.parametrize(("kind", "pv1"), [("ADT^A28", "|I"), ("ADT^A01", "1|")])
def test_no_encounter(kind: str, pv1: str) -> None:
    assert len(adt(PID, f"PV1|{pv1}", kind=kind)) == 1


def test_an_unknown_class_is_said() -> None:
    text = message("ADT^A01", PID, "PV1||Q")
    assert resources(text)[1]["class"]["code"] == "UNK"
    assert issues(text) == [("unmapped-code", "PV1-2 (segment 3 of message 1)")]


def condition(dg1: str) -> dict[str, Any]:
    _, one = adt(PID, f"DG1|1||{dg1}")
    assert one.pop("resourceType") == "Condition"
    assert one.pop("subject")
    assert one.pop("category")
    return one


ACTIVE = {"coding": [{"system": f"{V2}/condition-clinical", "code": "active"}]}


def verified(code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{V2}/condition-ver-status", "code": code}]}


@pytest.mark.parametrize(("kind", "code"), [("F", "confirmed"), ("W", "provisional"), ("A", "provisional")])
def test_diagnosis(kind: str, code: str) -> None:
    assert condition(f"F32.2^Severe episode^I10||20240301|{kind}") == {
        "clinicalStatus": ACTIVE,
        "verificationStatus": verified(code),
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F32.2"}]},
        "note": [{"text": "Severe episode"}],
        "onsetDateTime": "2024-03-01",
    }


def test_diagnosis_codes() -> None:
    assert condition("F531^^I10")["code"]["coding"][0]["code"] == "F53.1"
    assert condition("13746004^Bipolar disorder^SCT") == {
        "clinicalStatus": ACTIVE,
        "code": {"coding": [{"system": SCT, "code": "13746004", "display": "Bipolar disorder"}]},
    }
    assert condition("^Low mood")["code"] == {"text": "Low mood"}
    assert condition("13746004")["code"]["coding"] == [{"system": SCT, "code": "13746004"}]


def test_diagnoses_in_words_alone_are_each_one() -> None:
    found = adt(PID, "DG1|1|||Psychosis|20260225|F", "DG1|2|||Anxiety|20260225|F", "DG1|3||^Fear|||F")
    assert [one["code"]["text"] for one in found if one["resourceType"] == "Condition"] == [
        "Psychosis",
        "Anxiety",
        "Fear",
    ]


def test_a_diagnosis_that_is_taken_back_was_entered_in_error() -> None:
    dg1 = "F32.2^^I10||20240301|F"
    later = message("ADT^A08", PID, f"DG1|1||{dg1}{'|' * 15}D")
    _, one = resources(message("ADT^A01", PID, f"DG1|1||{dg1}") + later)
    assert one["verificationStatus"] == verified("entered-in-error")
    assert "clinicalStatus" not in one
