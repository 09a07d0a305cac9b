"""The HL7 v2 mapping, each feature by its smallest message: exactly which resources come, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.mapping.run import load_mapping
from adapter.records import MappedBundle, RawRecord
from adapter.sources.hl7v2 import read
from adapter.sources.hl7v2_identity import NHS_AUTHORITIES

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


# PID


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


# PD1, NK1, PID-21


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


# PV1, DG1


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


def test_a_diagnosis_that_is_taken_back_was_entered_in_error() -> None:
    dg1 = "F32.2^^I10||20240301|F"
    later = message("ADT^A08", PID, f"DG1|1||{dg1}{'|' * 15}D")
    _, one = resources(message("ADT^A01", PID, f"DG1|1||{dg1}") + later)
    assert one["verificationStatus"] == verified("entered-in-error")
    assert "clinicalStatus" not in one


# OBX


def test_score_total() -> None:
    assert result("NM|450320001^EPDS^SCT||14|{score}|0-30|N|||F") == {
        "code": {"coding": [{"system": SCT, "code": "450320001", "display": "EPDS"}]},
        "valueInteger": 14,
        "interpretation": [{"coding": [{"system": f"{V2}/v3-ObservationInterpretation", "code": "N"}]}],
        "referenceRange": [{"text": "0-30"}],
    }


@pytest.mark.parametrize(
    ("kind", "value", "unit", "expected"),
    [
        ("NM", "14", "", {"valueInteger": 14}),
        ("NM", "+3", "1", {"valueInteger": 3}),
        ("NM", "14.5", "", {"valueQuantity": {"value": 14.5}}),
        (
            "NM",
            "259",
            "d^days^UCUM",
            {"valueQuantity": {"value": 259, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}},
        ),
        ("NM", "5", "furlong", {"valueQuantity": {"value": 5, "unit": "furlong"}}),
        ("SN", "^14", "", {"valueQuantity": {"value": 14}}),
        ("SN", "=^14", "", {"valueQuantity": {"value": 14}}),
        ("SN", ">^20", "", {"valueQuantity": {"comparator": ">", "value": 20}}),
        ("SN", "^1^-^5", "", {"valueRange": {"low": {"value": 1}, "high": {"value": 5}}}),
        ("SN", "^1^:^8", "", {"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 8}}}),
        ("SN", "^2^+", "", {"valueString": "2+"}),
        ("SN", "<>^2", "", {"valueString": "<>2"}),
        ("ST", "Y", "", {"valueBoolean": True}),
        ("CWE", "N^No^HL70136", "", {"valueBoolean": False}),
        ("ST", "feels well", "", {"valueString": "feels well"}),
        ("FT", r"a\.br\b", "", {"valueString": "a\nb"}),
        ("DT", "20241201", "", {"valueDateTime": "2024-12-01"}),
        ("TS", "202407011530", "", {"valueDateTime": "2024-07-01T15:30:00+01:00"}),
        ("CE", "L^Live^99X", "", {"valueCodeableConcept": {"coding": [{"code": "L", "display": "Live"}]}}),
        ("CWE", "^Live birth", "", {"valueCodeableConcept": {"text": "Live birth"}}),
        (
            "CWE",
            "281050002^Live birth^SCT^LB^^99PNR",
            "",
            {
                "valueCodeableConcept": {
                    "coding": [
                        {"system": SCT, "code": "281050002", "display": "Live birth"},
                        {"system": PNR, "code": "LB"},
                    ]
                }
            },
        ),
        ("", "14", "", {"valueInteger": 14}),
        ("", "some", "", {"valueString": "some"}),
        ("", "", "", {}),
    ],
)
def test_values(kind: str, value: str, unit: str, expected: dict[str, Any]) -> None:
    assert valued(kind, value, unit) == expected


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [("NM", "", "unknown"), ("CWE", '""', "unknown"), ("ST", "", "unknown"), ("NM", "many", "error"),
     ("SN", "x", "error"), ("ED", "x^y", "unsupported")],
)  # fmt: skip
def test_a_result_without_a_usable_value_never_reads_as_a_finding(kind: str, value: str, reason: str) -> None:
    assert valued(kind, value) == {
        "dataAbsentReason": {"coding": [{"system": f"{V2}/data-absent-reason", "code": reason}]}
    }


def test_end_of_a_pregnancy() -> None:
    (one,) = results("OBX||CWE|267013003^Past pregnancy outcome^SCT||281050002^Live birth^SCT||||||F|||20240229")
    assert one == {
        "status": "final",
        "code": {"coding": [{"system": SCT, "code": "267013003", "display": "Past pregnancy outcome"}]},
        "effectiveDateTime": "2024-02-29",
        "valueCodeableConcept": {"coding": [{"system": SCT, "code": "281050002", "display": "Live birth"}]},
    }


def test_twins_are_two_results() -> None:
    outcome = "OBX||CWE|267013003^^SCT|{}|281050002^^SCT||||||F"
    assert len(results(outcome.format(1), outcome.format(2))) == 2


def test_result_codes() -> None:
    assert result("NM|epds-item-10^Item 10^99PNR^71354-5^EPDS^LN||0||||||F")["code"] == {
        "coding": [
            {"system": PNR, "code": "epds-item-10", "display": "Item 10"},
            {"system": LOINC, "code": "71354-5", "display": "EPDS"},
        ]
    }


def test_an_unknown_coding_system_is_kept_as_it_came_and_reported() -> None:
    text = message("ORU^R01", PID, OBR, "OBX||NM|Q10^Ten^HOSP||2||||||F")
    assert resources(text)[1]["code"] == {"coding": [{"code": "Q10", "display": "Ten"}], "text": "Q10 Ten HOSP"}
    assert issues(text) == [("unmapped-code", "OBX-3.3 (segment 4 of message 1)")]


def test_a_code_whose_system_is_not_named() -> None:
    text = message("ORU^R01", PID, OBR, "OBX||NM|450320001||14||||||F", "OBX||NM|Q10||1||||||F")
    _, known, unknown = resources(text)
    assert known["code"] == {"coding": [{"system": SCT, "code": "450320001"}]}
    assert unknown["code"] == {"text": "Q10"}
    assert issues(text) == [
        ("data-conflict", "OBX-3 (segment 4 of message 1)"),
        ("unmapped-code", "OBX-3 (segment 5 of message 1)"),
    ]


def test_a_result_without_a_code_is_reported() -> None:
    text = message("ORU^R01", PID, OBR, "OBX||NM|||14||||||F")
    assert len(resources(text)) == 1
    assert ("", "OBX (segment 4 of message 1)") in issues(text)


@pytest.mark.parametrize(
    ("code", "status"),
    [("F", "final"), ("P", "preliminary"), ("C", "corrected"), ("D", "entered-in-error"), ("W", "entered-in-error"),
     ("X", "cancelled"), ("R", "preliminary"), ("I", "registered"), ("U", "final"), ("Q", "unknown")],
)  # fmt: skip
def test_result_status(code: str, status: str) -> None:
    (one,) = results(f"OBX||NM|1^^LN||1||||||{code}")
    assert one["status"] == status


def test_a_missing_status_in_the_middle_is_final_and_reported() -> None:
    first, _ = results("OBX||NM|1^^LN||1", "OBX||NM|2^^LN||1||||||F")
    assert first["status"] == "final"


@pytest.mark.parametrize(("code", "status"), [("C", "corrected"), ("D", "entered-in-error"), ("W", "entered-in-error")])
def test_a_change_takes_the_place_of_the_result(code: str, status: str) -> None:
    before = message("ORU^R01", PID, OBR, "OBX|1|NM|450320001^EPDS^SCT||14||||||F|||20240301")
    after = before.replace("||14||||||F", f"||4||||||{code}").replace("|1|P|2.4", "|2|P|2.4")
    bundle = mapped(before + after)
    _, one = (entry["resource"] for entry in bundle.bundle["entry"])
    assert (one["status"], one["valueInteger"]) == (status, 4)
    assert ("withdrawn-result" in {issue.detail for issue in bundle.issues}) == (code != "C")
    alone = mapped(after).bundle["entry"][1]["resource"]
    assert alone["id"] == one["id"]


def test_time_of_a_result() -> None:
    (own,) = results("OBX||NM|1^^LN||1||||||F|||20240229")
    assert own["effectiveDateTime"] == "2024-02-29"
    text = message("ORU^R01", PID, "OBR|1", "OBX||NM|1^^LN||1||||||F")
    assert resources(text)[1]["issued"] == "2024-03-01T12:00:00+00:00"


def test_notes_and_method() -> None:
    one, two = results(
        "OBX|1|NM|1^^LN||1||||||F||||||by phone", "NTE|1||first", "NTE|2||second", "OBX|2|NM|2^^LN||1||||||F"
    )
    assert one["note"] == [{"text": "first"}, {"text": "second"}]
    assert one["method"] == {"text": "by phone"}
    assert "note" not in two


def test_results_in_an_adt_message() -> None:
    _, one = adt(PID, "OBX||NM|1^^LN||1||||||F", kind="ADT^A08")
    assert one["valueInteger"] == 1


# what is not mapped


def test_segments_that_no_line_reads_are_reported() -> None:
    found = issues(message("ADT^A28", PID, "AL1|1|DA|PEN", "IN1|1", "ZPT|x"))
    assert [place.partition(" ")[0] for detail, place in found if detail == "unmapped-field"] == [
        "AL1-1", "AL1-2", "AL1-3", "IN1-1", "ZPT-1",
    ]  # fmt: skip


def test_lineage_names_segment_and_field() -> None:
    text = message("ORU^R01", PID, OBR, "OBX||NM|1^^LN||1||||||F")
    bundle = mapped(text)
    url = bundle.bundle["entry"][1]["fullUrl"]
    assert bundle.lineage[url, ""] == "OBX (segment 4 of message 1)"
    assert bundle.lineage[url, "valueInteger"] == "OBX-5 (segment 4 of message 1)"
    assert bundle.lineage[url, "effectiveDateTime"] == "OBR-7 (segment 3 of message 1)"
    assert bundle.lineage[url, "code.coding[0].code"] == "OBX-3 (segment 4 of message 1)"
    assert bundle.mapping == "hl7v2@1.0.0"


def test_a_correction_is_of_the_same_result_wherever_its_time_stands() -> None:
    obx = {1: "1", 2: "NM", 3: "450320001^EPDS^SCT", 5: "14", 11: "F"}
    timed = {**obx, 5: "15", 11: "C", 14: "202403011200"}
    first = message("ORU^R01", PID, "OBR||P1|F1||||20240301120000", segment("OBX", obx))
    for second in (timed, {**timed, 14: "20240301120000"}):
        corrected = message("ORU^R01", PID, "OBR||P1|F1||||20240301120000", segment("OBX", second))
        _, only = resources(first + corrected)
        assert (only["status"], only["valueInteger"]) == ("corrected", 15)
        assert [detail for detail, _ in issues(first + corrected)] == ["duplicate"]


def test_what_sites_send_and_no_resource_holds_is_ignored_for_a_reason() -> None:
    uses = mapped(
        message(
            "ORU^R01",
            f"PID|||{NHS[:-1]}9^^^NHS^NH~{NHS}^^^NHS^NH",
            "NK1|1|A^B|MTH^Mother^HL70063",
            "PV1|1|O|ANC^^^RZZ99",
            "OBR||P1^EPR|F1^LAB||||20240301",
            segment("OBX", {1: "1", 2: "NM", 3: "450320001^EPDS^SCT", 5: "14", 11: "F"}),
        )
    ).coverage
    assert [use.field for use in uses if use.fate == "unmapped"] == []
    ignored = {use.field for use in uses if use.fate == "ignored"}
    assert {"PID-3.5", "NK1-3.3", "PV1-3.1", "PV1-3.4", "OBR-2.2", "OBR-3.2"} <= ignored
