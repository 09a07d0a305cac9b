"""What is done to FHIR on the way in: retired codes, contained Patients, duplicates, pages. All of it is additions."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest

from adapter.errors import AdapterError, Malformed, Unprocessable
from adapter.records import MappedBundle, RawRecord, Resource
from adapter.sources.fhir import read_fhir
from adapter.sources.retired_codes import VERIFICATION_STATUS, current
from tests.samples import NHS_NUMBER, SCT, concept, fhir, observation, patient
from tests.shared import SHARED, needs_shared

SYSTEMS = "https://fhir.hl7.org.uk/CodeSystem/UKCore-"
EPDS_CODE = concept(SCT, "450320001")
ETHNIC = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory"


def read(*resources: Resource, **bundle: Any) -> list[MappedBundle]:
    return list(read_fhir(RawRecord("in.json", orjson.dumps(fhir(*resources) | bundle))))


def resources(record: MappedBundle, kind: str) -> list[Resource]:
    return [e["resource"] for e in record.bundle["entry"] if e["resource"]["resourceType"] == kind]


def said(record: MappedBundle) -> list[tuple[str, str]]:
    return [(issue.detail or issue.code, issue.place) for issue in record.issues]


def holds(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and holds(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(holds(item, one) for item in whole) for one in part)
    return bool(whole == part)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("export.csv", b"Hospital No,EPDS\nC-1,9\n", "--mapping NAME"),
        ("EXPORT.CSV", b"Name\nSi\xe2n\n", "--mapping NAME"),
        ("record.json", b"\n<Patient/>", "XML"),
        ("record.json", b"{", "is not JSON"),
    ],
)
def test_what_is_no_json_says_what_it_may_be(name: str, data: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says) as refused:
        list(read_fhir(RawRecord(name, data)))
    assert "byte" in refused.value.issues[0].place


# --- retired codes -----------------------------------------------------------------------------------------------------
def with_status(code: str, system: str = "NHSNumberVerificationStatus") -> Resource:
    extension = {"url": VERIFICATION_STATUS, "valueCodeableConcept": concept(f"{SYSTEMS}{system}", code)}
    identifier = {"extension": [extension], "system": "https://fhir.nhs.uk/Id/nhs-number", "value": NHS_NUMBER}
    return patient(identifier=[identifier])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("number-present-and-verified", "01"),
        ("number-present-but-not-traced", "02"),
        ("trace-required", "03"),
        ("trace-attempted", "04"),
        ("trace-needs-to-be-resolved", "05"),
        ("trace-in-progress", "06"),
        ("number-not-present-and-trace-not-required", "07"),
        ("trace-postponed", "08"),
    ],
)
def test_a_retired_verification_status_gets_the_current_one_beside_it(old: str, new: str) -> None:
    (record,) = read(with_status(old))
    (her,) = resources(record, "Patient")
    codings = her["identifier"][0]["extension"][0]["valueCodeableConcept"]["coding"]
    assert [coding["code"] for coding in codings] == [old, new]
    place = "Bundle.entry[0].resource.identifier[0].extension[0].valueCodeableConcept.coding[1]"
    assert said(record) == [("informational", place)]


@pytest.mark.parametrize("code", ["number-present-and-traced-using-welsh-nhs-ar", "nonsense"])
def test_a_retired_code_without_a_counterpart_stays_as_it_came(code: str) -> None:
    (record,) = read(with_status(code))
    assert resources(record, "Patient") == [with_status(code)]
    assert record.issues == ()


def test_a_current_code_is_not_added_again() -> None:
    (record,) = read(with_status("01", "NHSNumberVerificationStatusEngland"))
    assert record.issues == ()


def test_an_ethnic_category_of_one_letter_is_current_and_one_of_two_letters_is_not_guessed() -> None:
    assert current({"system": f"{SYSTEMS}EthnicCategory", "code": "A"}) == {
        "system": f"{SYSTEMS}EthnicCategoryEngland",
        "code": "A",
    }
    assert current({"system": f"{SYSTEMS}EthnicCategory", "code": "CA"}) is None
    (record,) = read(
        patient(extension=[{"url": ETHNIC, "valueCodeableConcept": concept(f"{SYSTEMS}EthnicCategory", "Z")}])
    )
    assert [c["code"] for c in resources(record, "Patient")[0]["extension"][0]["valueCodeableConcept"]["coding"]] == [
        "Z",
        "Z",
    ]


# --- contained ---------------------------------------------------------------------------------------------------------
def about_contained(name: str, **more: Any) -> Resource:
    inside = patient(**more) | {"id": "her"}
    return observation(name, EPDS_CODE, valueInteger=9) | {"subject": {"reference": "#her"}, "contained": [inside]}


def test_an_observation_alone_with_its_patient_inside_is_a_record() -> None:
    (record,) = list(read_fhir(RawRecord("in.json", orjson.dumps(about_contained("o")))))
    (her,), (score,) = resources(record, "Patient"), resources(record, "Observation")
    url = next(e["fullUrl"] for e in record.bundle["entry"] if e["resource"] is her)
    assert score["subject"]["reference"] == url
    assert "contained" not in score
    assert said(record) == [("informational", "Observation.contained")]


def test_one_patient_contained_twice_and_also_an_entry_is_one() -> None:
    assert len(resources(read(about_contained("a"), about_contained("b"))[0], "Patient")) == 1
    (record,) = read(patient(), about_contained("a"))
    assert len(resources(record, "Patient")) == 1
    assert resources(record, "Observation")[0]["subject"]["reference"] == record.bundle["entry"][0]["fullUrl"]


def test_two_patients_contained_are_two_records() -> None:
    other = {"identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000026"}]}
    assert len(read(about_contained("a"), about_contained("b", **other))) == 2


def test_other_contained_resources_stay_where_they_are() -> None:
    doctor = {"resourceType": "Practitioner", "id": "dr", "name": [{"family": "Example"}]}
    seen = observation("o", EPDS_CODE, valueInteger=9, performer=[{"reference": "#dr"}], contained=[doctor])
    (record,) = read(patient(), seen)
    assert resources(record, "Observation") == [seen]
    assert record.issues == ()


# --- duplicates --------------------------------------------------------------------------------------------------------
def epds(name: str, total: int = 9, **more: Any) -> Resource:
    return observation(name, EPDS_CODE, valueInteger=total, **more)


LAB = [{"system": "https://lab.example/result", "value": "1"}]


def test_the_same_entry_twice_counts_once() -> None:
    (record,) = read(patient(), epds("o"), epds("o"))
    assert resources(record, "Observation") == [epds("o")]
    assert said(record) == [("duplicate", "Bundle.entry[2].resource")]


def test_the_same_patient_twice_is_one_record() -> None:
    (record,) = read(patient(), patient(), epds("o"))
    assert len(resources(record, "Patient")) == 1


def test_the_newest_of_three_versions_counts() -> None:
    versions = [epds("o", total, meta={"versionId": str(number)}) for number, total in ((2, 12), (1, 9), (10, 20))]
    (record,) = read(patient(), *versions)
    assert [o["valueInteger"] for o in resources(record, "Observation")] == [20]
    assert [detail for detail, _ in said(record)] == ["duplicate", "duplicate"]


def test_versions_that_nobody_can_order_are_both_kept() -> None:
    (record,) = read(patient(), epds("o", 9), epds("o", 12))
    assert [o["valueInteger"] for o in resources(record, "Observation")] == [9, 12]
    assert [detail for detail, _ in said(record)] == ["data-conflict"]


def test_one_id_for_two_different_things_loses_neither() -> None:
    item = observation("o", concept(SCT, "720433000"), status="amended", valueInteger=1)
    (record,) = read(patient(), epds("o"), item)
    assert len(resources(record, "Observation")) == 2


def test_one_result_under_two_ids_counts_once_and_references_follow() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "report"},
        "subject": {"reference": "Patient/ada"},
        "result": [{"reference": "Observation/b"}],
    }
    (record,) = read(patient(), epds("a", identifier=LAB), epds("b", identifier=LAB), report)
    assert [o["id"] for o in resources(record, "Observation")] == ["a"]
    assert resources(record, "DiagnosticReport")[0]["result"] == [{"reference": "Observation/a"}]


def test_a_correction_under_the_same_number_takes_the_place_of_the_first_result() -> None:
    (record,) = read(patient(), epds("a", 9, identifier=LAB), epds("b", 12, identifier=LAB, status="corrected"))
    assert [o["valueInteger"] for o in resources(record, "Observation")] == [12]


def test_results_of_one_order_are_all_kept() -> None:
    other = observation("b", concept(SCT, "720433000"), valueInteger=3, identifier=LAB)
    (record,) = read(
        patient(), epds("a", identifier=LAB), other, epds("c", 10, identifier=LAB) | {"effectiveDateTime": "2026-02-21"}
    )
    assert len(resources(record, "Observation")) == 3
    assert record.issues == ()


def version(kind: str, number: int, about: Resource) -> Resource:
    """One of several resources that carry the number of what they came of: a prescription, a visit, a referral."""
    whom = "patient" if kind in ("EpisodeOfCare", "FamilyMemberHistory") else "subject"
    identifier: Any = {"system": "https://lab.example/visit", "value": "V1"}
    return {
        "resourceType": kind,
        "id": f"v{number}",
        "meta": {"versionId": str(number)},
        "identifier": identifier if kind == "QuestionnaireResponse" else [identifier],
        "status": {"QuestionnaireResponse": "completed", "FamilyMemberHistory": "completed"}.get(kind, "active"),
        whom: {"reference": "Patient/ada"},
        **about,
    }


def relation(code: str) -> Resource:
    return {"relationship": concept("http://terminology.hl7.org/CodeSystem/v3-RoleCode", code)}


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (
            "MedicationStatement",
            {"medicationCodeableConcept": concept(SCT, "387095003")},
            {"medicationCodeableConcept": concept(SCT, "387080000")},
        ),
        (
            "QuestionnaireResponse",
            {"questionnaire": "https://x.example/Questionnaire/epds", "authored": "2026-02-27"},
            {"questionnaire": "https://x.example/Questionnaire/phq-9", "authored": "2026-02-27"},
        ),
        ("EpisodeOfCare", {"type": [concept(SCT, "92151000000102")]}, {"type": [concept(SCT, "901221000000102")]}),
        ("EpisodeOfCare", {"period": {"start": "2024-01-01"}}, {"period": {"start": "2026-01-01"}}),
        ("FamilyMemberHistory", relation("MTH"), relation("AUNT")),
        (
            "FamilyMemberHistory",
            relation("SIS") | {"condition": [{"code": concept(SCT, "13746004")}]},
            relation("SIS") | {"condition": [{"code": concept(SCT, "35489007")}]},
        ),
        (
            "Observation",
            {"status": "final", "code": EPDS_CODE, "effectivePeriod": {"start": "2026-01-02"}},
            {"status": "final", "code": EPDS_CODE, "effectiveInstant": "2026-02-20T10:00:00Z"},
        ),
    ],
)
def test_a_number_that_several_things_share_makes_none_a_version_of_another(
    kind: str, one: Resource, other: Resource
) -> None:
    (record,) = read(patient(), version(kind, 1, one), version(kind, 2, other))
    assert [resource["id"] for resource in resources(record, kind)] == ["v1", "v2"]
    assert record.issues == ()
    (record,) = read(patient(), version(kind, 1, one), version(kind, 2, one))
    assert [resource["id"] for resource in resources(record, kind)] == ["v1"]


def test_two_patients_with_one_nhs_number_are_told_apart_and_said() -> None:
    other = patient(id="bea", birthDate="1971-01-01")
    records = read(patient(), other, epds("o"))
    assert len(records) == 2
    assert ("data-conflict", "Bundle.entry[1].resource") in said(records[0])


def test_on_lines_of_their_own_too() -> None:
    lines = b"\n".join(orjson.dumps(r) for r in (patient(), epds("o"), epds("o")))
    (record,) = read_fhir(RawRecord("in.ndjson", lines))
    assert said(record) == [("duplicate", "line 3")]


# --- pages, versions of FHIR, and what must not change -----------------------------------------------------------------
def test_one_page_of_several_is_said() -> None:
    (record,) = read(patient(), type="searchset", link=[{"relation": "next", "url": "https://fhir.example/next"}])
    assert said(record) == [("incomplete", "Bundle.link")]


@pytest.mark.parametrize(
    ("changing", "value"),
    [
        ("modifierExtension", [{"url": "https://x.example/denied", "valueBoolean": True}]),
        ("implicitRules", "https://x.example"),
    ],
)
def test_what_can_change_the_meaning_of_a_resource_is_said(changing: str, value: Any) -> None:
    (record,) = read(patient(), epds("o") | {changing: value})
    assert said(record) == [("unsupported", f"Bundle.entry[1].resource.{changing}")]
    assert len(resources(record, "Observation")) == 1


@pytest.mark.parametrize(("severity", "wanted"), [("information", 0), ("warning", 1), ("error", 1)])
def test_what_the_sender_warns_of_is_said(severity: str, wanted: int) -> None:
    warning = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "incomplete"}]}
    (record,) = read(patient(), warning, type="searchset")
    assert said(record) == [("incomplete", "Bundle.entry[1].resource")] * wanted


def test_a_resource_type_of_stu3_is_refused_by_name() -> None:
    with pytest.raises(AdapterError) as refused:
        read(patient(), {"resourceType": "ReferralRequest", "status": "active"})
    assert "STU3" in str(refused.value) or "3" in str(refused.value)


@needs_shared
def test_what_comes_out_less_what_is_added_is_what_went_in() -> None:
    for file in sorted((SHARED / "nhs" / "ukcore-examples").glob("*.json")):
        example = orjson.loads(file.read_bytes())
        if example["resourceType"] == "Bundle" or file.name == "Extension-UKCore-ConditionEpisode-Example.json":
            continue
        held = [example] if example["resourceType"] == "Patient" else [patient(), example]
        before = copy.deepcopy(held)
        try:
            (record,) = read(*held)
        except Unprocessable:
            continue
        out = [entry["resource"] for entry in record.bundle["entry"]]
        assert len(out) == len(before)
        assert all(holds(one, was) for one, was in zip(out, before, strict=True)), file.name
