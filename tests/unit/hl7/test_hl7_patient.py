"""PID: who it is. Each feature by its smallest message."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.sources.hl7v2_identity import NHS_AUTHORITIES
from tests.unit.hl7.messages import (
    IDENTIFIER,
    MAPPINGS,
    NHS,
    PID,
    V2,
    adt,
    issues,
    mapped,
    message,
    patient,
    resources,
    segment,
)


@pytest.mark.parametrize("authority", sorted(NHS_AUTHORITIES))
@pytest.mark.parametrize("form", ["^^^{}", "^^^&{}&ISO", "^^^X^{}"])
def test_an_nhs_number_is_known_by_its_authority(authority: str, form: str) -> None:
    (one,) = adt(f"PID|||999 000 0018{form.format(authority)}")
    assert one["identifier"] == [IDENTIFIER]


def test_the_source_and_the_mapping_know_the_same_authorities() -> None:
    lines = (MAPPINGS / "code_maps" / "hl7-nhs-authority.csv").read_text("utf-8").splitlines()
    listed = {line.partition(",")[0] for line in lines if not line.startswith("#")}
    assert listed - {"source"} == NHS_AUTHORITIES


def test_identifiers_of_the_hospital_name_their_assigner() -> None:
    (one,) = adt("PID||1^^^PAS|77^^^RX1&1.2.3&ISO^MR|88^^^^^CLINIC")
    local = "https://fhir.nhs.uk/Id/local-patient-identifier"
    assert one["identifier"] == [
        {
            "type": {"coding": [{"system": f"{V2}/v2-0203", "code": "MR"}]},
            "system": local,
            "value": "77",
            "assigner": {"identifier": {"type": {"text": "ISO"}, "value": "1.2.3"}, "display": "RX1"},
        },
        {"system": local, "value": "1", "assigner": {"display": "PAS"}},
        {"system": local, "value": "88", "assigner": {"display": "CLINIC"}},
    ]


def test_an_invalid_nhs_number_is_reported_and_left_out() -> None:
    text = message("ADT^A28", "PID|||9990000019^^^NHS~77^^^RX1")
    assert [one["value"] for one in resources(text)[0]["identifier"]] == ["77"]
    assert issues(text) == [("nhs-number-invalid", "PID-3.1 (segment 2 of message 1)")]


def test_names() -> None:
    assert patient(f"{PID}||SMITH^Jane^Ann^Jnr^Mrs^MD^L~JONES^^^^^^M|||||||||||") == {
        "name": [
            {
                "use": "official",
                "family": "SMITH",
                "given": ["Jane", "Ann"],
                "prefix": ["Mrs"],
                "suffix": ["Jnr", "MD"],
            },
            {"use": "maiden", "family": "JONES"},
        ]
    }


@pytest.mark.parametrize(
    ("code", "gender"),
    [("2", "female"), ("F", "female"), ("1", "male"), ("M", "male"), ("9", "other"), ("O", "other"), ("A", "other"),
     ("0", "unknown"), ("U", "unknown")],
)  # fmt: skip
def test_sex(code: str, gender: str) -> None:
    assert patient(f"{PID}|||||{code}") == {"gender": gender}


@pytest.mark.parametrize(
    ("born", "date"),
    [("19900102", "1990-01-02"), ("199001020304", "1990-01-02"), ("1990", "1990"), ("199001", "1990-01")],
)
def test_birth_dates(born: str, date: str) -> None:
    assert patient(f"{PID}||||{born}") == {"birthDate": date}


def test_an_impossible_birth_date_is_reported_and_left_out() -> None:
    text = message("ADT^A28", f"{PID}||||19900231")
    assert "birthDate" not in resources(text)[0]
    assert issues(text) == [("implausible-date", "PID-7 (segment 2 of message 1)")]


def test_address_and_telecom() -> None:
    address = "Flat 1&High St&2^Annex^Leeds^Yorks^LS1 1AA^GBR^H^Yard^W Yorks"
    phones = "01134960000^PRN^PH~^NET^Internet^a@example.org"
    assert patient(f"{PID}||||||||{address}||{phones}|07700900000^WPN^CP") == {
        "address": [
            {
                "use": "home",
                "line": ["Flat 1", "High St", "2", "Annex", "Yard"],
                "city": "Leeds",
                "district": "W Yorks",
                "state": "Yorks",
                "postalCode": "LS1 1AA",
                "country": "GBR",
            }
        ],
        "telecom": [
            {"system": "phone", "value": "01134960000", "use": "home"},
            {"system": "email", "value": "a@example.org"},
            {"system": "phone", "value": "07700900000", "use": "work"},
        ],
    }


def test_language_marital_status_religion_and_ethnic_category() -> None:
    one = patient(f"{PID}||||||||||||en^English|M|C1^Catholic|||||A")
    assert one == {
        "communication": [
            {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en", "display": "English"}]}}
        ],
        "maritalStatus": {
            "coding": [
                {
                    "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-PersonMaritalStatusEngland",
                    "code": "M",
                    "display": "Married/Civil Partner",
                }
            ]
        },
        "extension": [
            {
                "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory",
                "valueCodeableConcept": {
                    "coding": [
                        {
                            "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland",
                            "code": "A",
                            "display": "White - British",
                        }
                    ]
                },
            },
            {
                "url": "http://hl7.org/fhir/StructureDefinition/patient-religion",
                "valueCodeableConcept": {"coding": [{"code": "C1", "display": "Catholic"}]},
            },
        ],
    }


def test_codes_without_a_counterpart_are_kept_as_text_or_left_out_and_reported() -> None:
    text = message("ADT^A28", f"{PID}|||||Q|||||||xx|Q||||||Q1")
    (one,) = resources(text)
    assert one["maritalStatus"] == {"text": "Q"}
    assert one["extension"][0]["valueCodeableConcept"] == {"text": "Q1"}
    assert not {"gender", "communication"} & set(one)
    places = [f"PID-{n} (segment 2 of message 1)" for n in (22, 8, 16, 15)]
    assert sorted(issues(text)) == sorted(("unmapped-code", place) for place in places)


@pytest.mark.parametrize(
    ("fields", "death"),
    [
        ("20240301|Y", {"deceasedDateTime": "2024-03-01"}),
        ("|Y", {"deceasedBoolean": True}),
        ("|N", {"deceasedBoolean": False}),
    ],
)
def test_death(fields: str, death: dict[str, Any]) -> None:
    date, _, word = fields.partition("|")
    assert patient(segment("PID", {3: f"{NHS}^^^NHS", 29: date, 30: word})) == death


def test_birth_order_and_maiden_name_of_the_mother() -> None:
    assert patient(f"{PID}|||Jones||||||||||||||||||Y|2") == {
        "multipleBirthInteger": 2,
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": "Jones"}
        ],
    }
    assert patient(f"{PID}|||||||||||||||||||||Y") == {"multipleBirthBoolean": True}


def test_later_messages_add_to_and_change_the_patient() -> None:
    first = message("ADT^A28", f"{PID}||SMITH|||2")
    (one,) = resources(first + message("ADT^A31", f"{PID}||JONES||19900101"))
    assert one["name"] == [{"family": "JONES"}]
    assert (one["gender"], one["birthDate"]) == ("female", "1990-01-01")


@pytest.mark.parametrize(("later", "said"), [("19700101", True), ("19940517", False), ("", False)])
def test_messages_that_do_not_agree_on_her_birth_date_are_said(later: str, said: bool) -> None:
    text = message("ADT^A08", f"{PID}||||19940517") + message("ADT^A31", f"{PID}||||{later}")
    found = [issue for issue in mapped(text).issues if issue.place == "PID-7 (segment 2 of message 2)"]
    assert [issue.detail for issue in found] == ["data-conflict"] * said


def test_identifiers_of_several_messages_add_up() -> None:
    text = message("ADT^A28", f"{PID}~77^^^RX1") + message("ADT^A31", "PID|||77^^^RX1~5^^^RX2")
    (one,) = resources(text)
    assert [identifier["value"] for identifier in one["identifier"]] == [NHS, "77", "5"]
    bundle = mapped(text)
    url = bundle.bundle["entry"][0]["fullUrl"]
    places = [bundle.lineage[url, f"identifier[{n}].value"] for n in range(3)]
    assert places == [
        "PID-3.1 (segment 2 of message 1)",
        "PID-3[2].1 (segment 2 of message 1)",
        "PID-3[2].1 (segment 2 of message 2)",
    ]


def test_a_date_of_death_replaces_the_plain_word() -> None:
    alive = segment("PID", {3: f"{NHS}^^^NHS", 30: "N"})
    (one,) = resources(
        message("ADT^A28", alive) + message("ADT^A31", segment("PID", {3: f"{NHS}^^^NHS", 29: "20240301"}))
    )
    assert one["deceasedDateTime"] == "2024-03-01"
    assert "deceasedBoolean" not in one
