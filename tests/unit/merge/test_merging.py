"""What becomes of two sources of one person: nothing lost, nothing twice, every conflict said, every place kept."""

from __future__ import annotations

from dataclasses import replace

import orjson

from adapter.fhir.references import Index, references_in
from adapter.fhir.validate import validate
from adapter.quality import Findings, as_issue
from adapter.records import Finding, MappedBundle, NotChecked, Resource
from tests.unit.merge.people import (
    EPDS,
    ITEM_10,
    LOINC,
    SCT,
    concept,
    epds,
    local,
    nhs,
    observation,
    of_type,
    one,
    patient,
    record,
    said,
)


def test_the_same_answer_from_two_systems_counts_once_and_both_are_named() -> None:
    found = one(
        record("a.json", patient(), epds(9)),
        record("b.json", patient(), observation("x", EPDS, "2026-02-20T09:30:00Z", valueQuantity={"value": 9})),
    )
    (kept,) = of_type(found, "Observation")
    assert kept["effectiveDateTime"] == "2026-02-20T09:30:00Z"
    url = next(e["fullUrl"] for e in found.bundle["entry"] if e["resource"] is kept)
    targets = [[t["reference"] for t in p["target"]] for p in of_type(found, "Provenance")]
    assert [url in of_one for of_one in targets] == [True, True]
    assert len(said(found, "duplicate")) == 1


def test_another_value_code_day_or_status_is_another_observation() -> None:
    others = [
        epds(10),
        epds(9, "2026-02-21"),
        observation("x", ITEM_10, valueInteger=9),
        epds(9, focus=[{"reference": "RelatedPerson/partner"}]),
        epds(9, status="preliminary"),
    ]
    for other in others:
        found = one(record("a.json", patient(), epds(9)), record("b.json", patient(), other))
        assert len(of_type(found, "Observation")) == 2


def test_two_answers_at_two_times_of_one_day_stay_two() -> None:
    morning, evening = epds(9, "2026-02-20T08:00:00Z", "m"), epds(9, "2026-02-20T20:00:00Z", "e")
    found = one(record("a.json", patient(), morning), record("b.json", patient(), evening))
    assert len(of_type(found, "Observation")) == 2


def test_what_each_source_says_twice_is_there_twice() -> None:
    births = [observation(f"o{n}", concept(SCT, "281050002"), valueBoolean=True) for n in range(2)]
    found = one(record("a.json", patient(), *births), record("b.json", patient(), *births))
    assert len(of_type(found, "Observation")) == 2
    assert (
        len(of_type(one(record("a.json", patient(), *births), record("b.json", patient(), births[0])), "Observation"))
        == 2
    )


def test_codes_of_both_are_kept_and_what_only_one_says_is_added() -> None:
    both = {"coding": [{"system": LOINC, "code": "99046-5"}, EPDS["coding"][0]]}
    found = one(
        record("a.json", patient(), epds(9, note=[{"text": "in clinic"}])),
        record("b.json", patient(), observation("x", both, valueInteger=9, interpretation=[{"text": "low"}])),
    )
    (kept,) = of_type(found, "Observation")
    assert {c["code"] for c in kept["code"]["coding"]} == {"450320001", "99046-5"}
    assert (kept["note"], kept["interpretation"]) == ([{"text": "in clinic"}], [{"text": "low"}])


def test_what_is_withdrawn_in_one_source_only_is_said_and_both_are_kept() -> None:
    found = one(record("a.json", patient(), epds(9)), record("b.json", patient(), epds(9, status="entered-in-error")))
    assert len(of_type(found, "Observation")) == 2
    assert len(said(found, "data-conflict")) == 1


def test_a_newer_version_of_one_resource_takes_the_place_of_the_older() -> None:
    def version(number: int, total: int) -> Resource:
        ident = [{"system": "https://lab.example/result", "value": "1"}]
        return epds(total, name=f"v{number}", identifier=ident, meta={"lastUpdated": f"2026-02-2{number}T10:00:00Z"})

    found = one(record("a.json", patient(), version(1, 9)), record("b.json", patient(), version(2, 12)))
    assert [o["valueInteger"] for o in of_type(found, "Observation")] == [12]
    assert "newer version" in said(found, "duplicate")[0]


def test_two_versions_that_nobody_can_order_are_both_kept_and_said() -> None:
    ident = [{"system": "https://lab.example/result", "value": "1"}]
    found = one(
        record("a.json", patient(), epds(9, identifier=ident)), record("b.json", patient(), epds(12, identifier=ident))
    )
    assert sorted(o["valueInteger"] for o in of_type(found, "Observation")) == [9, 12]
    assert len(said(found, "data-conflict")) == 1


def test_results_of_one_order_are_not_versions_of_one_another() -> None:
    order = [{"system": "https://lab.example/order", "value": "1"}]
    found = one(
        record("a.json", patient(), epds(9, identifier=order)),
        record("b.json", patient(), observation("i", ITEM_10, identifier=order, valueInteger=1)),
    )
    assert len(of_type(found, "Observation")) == 2
    assert said(found, "data-conflict") == []


# --- the Patient -------------------------------------------------------------------------------------------------------
def test_another_birth_date_and_name_are_said_with_the_place_of_the_one_that_does_not_count() -> None:
    other = patient(birthDate="1994-07-15", name=[{"family": "SYNTHETIC", "given": ["ADELE"]}])
    found = one(record("a.json", patient(), epds(9)), record("b.json", other))
    (her,) = of_type(found, "Patient")
    assert her["birthDate"] == "1994-05-17"  # that of the source with the newest date about her
    assert [name["given"] for name in her["name"]] == [["ADA"], ["ADELE"]]
    places = [text.partition(": birthDate")[0] for text in said(found, "data-conflict")]
    assert "b.json: /entry/0/resource/birthDate" in places
    assert len(places) == 2
    assert not any("1994" in text or "ADELE" in text for text in said(found, "data-conflict"))


def test_what_is_only_less_precise_is_no_conflict() -> None:
    vague = patient(birthDate="1994", gender="unknown", name=[{"family": "synthetic"}], deceasedBoolean=True)
    found = one(record("a.json", vague, epds(9)), record("b.json", patient(deceasedDateTime="2026-02-01")))
    (her,) = of_type(found, "Patient")
    assert (her["birthDate"], her["gender"], her["deceasedDateTime"]) == ("1994-05-17", "female", "2026-02-01")
    assert "deceasedBoolean" not in her
    assert said(found, "data-conflict") == []


def test_dead_in_one_source_and_alive_in_the_other_is_said() -> None:
    found = one(
        record("a.json", patient(deceasedBoolean=False)), record("b.json", patient(deceasedDateTime="2026-02-01"))
    )
    assert len(said(found, "data-conflict")) == 1


def test_identifiers_addresses_and_names_add_up_without_repeating() -> None:
    home = {"use": "home", "line": ["1 Example Street"], "city": "Exampleton", "postalCode": "ZZ99 3VZ"}
    found = one(
        record("a.json", patient(identifier=[nhs(), local("L1")], address=[{"postalCode": "ZZ99 3VZ"}])),
        record("b.json", patient(identifier=[nhs(), local("L2", "RYY")], address=[home])),
    )
    (her,) = of_type(found, "Patient")
    assert [i["value"] for i in her["identifier"] if i["system"].endswith("nhs-number")] == ["9990000018"]
    assert {i["value"] for i in her["identifier"]} == {"9990000018", "L1", "L2"}
    assert her["address"] == [home]
    assert len(her["name"]) == 1


def test_ethnic_categories_that_differ_are_said_and_one_is_kept() -> None:
    def of(code: str) -> Resource:
        url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory"
        system = "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland"
        return patient(extension=[{"url": url, "valueCodeableConcept": concept(system, code)}])

    found = one(record("a.json", of("A")), record("b.json", of("H")))
    assert len(of_type(found, "Patient")[0]["extension"]) == 1
    assert len(said(found, "data-conflict")) == 1


# --- babies ------------------------------------------------------------------------------------------------------------
def birth(name: str, born: str = "2026-01-10", **more: object) -> list[Resource]:
    baby = {"resourceType": "Patient", "id": name, "birthDate": born, **more}
    by = {"resourceType": "RelatedPerson", "id": f"m-{name}", "patient": {"reference": f"Patient/{name}"}}
    role = concept("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "MTH")
    return [baby, {**by, "identifier": [nhs()], "relationship": [role]}]


def test_the_one_baby_of_a_day_is_one_baby() -> None:
    found = one(record("a.json", patient(), *birth("b1")), record("b.json", patient(), *birth("x")))
    assert len(of_type(found, "Patient")) == 2
    assert len(of_type(found, "RelatedPerson")) == 1


def test_twins_are_never_made_one() -> None:
    twins = [*birth("b1"), *birth("b2")]
    found = one(record("a.json", patient(), *twins), record("b.json", patient(), *twins))
    assert len(of_type(found, "Patient")) > 2
    assert said(found, "data-conflict")


def test_twins_with_identifiers_of_their_own_are_two() -> None:
    twins = [*birth("b1", identifier=[local("B1")]), *birth("b2", identifier=[local("B2")])]
    found = one(record("a.json", patient(), *twins), record("b.json", patient(), *reversed(twins)))
    assert len(of_type(found, "Patient")) == 3


def test_a_boy_and_a_girl_of_one_day_are_twins() -> None:
    for other, babies in (("male", 2), ("female", 1), ("unknown", 1)):
        girl = record("a.json", patient(), *birth("b", gender="female"))
        found = one(girl, record("b.json", patient(), *birth("b", gender=other)))
        assert len(of_type(found, "Patient")) == 1 + babies
        assert bool(said(found, "data-conflict")) == (babies == 2)


def test_two_numbers_of_one_hospital_are_two_babies() -> None:
    first = record("a.json", patient(), *birth("b", identifier=[local("B1")]))
    for number, organisation, babies in (("B2", "RXX", 2), ("B1", "RXX", 1), ("B2", "RYY", 1)):
        second = record("b.json", patient(), *birth("b", identifier=[local(number, organisation)]))
        assert len(of_type(one(first, second), "Patient")) == 1 + babies


# --- references and places ---------------------------------------------------------------------------------------------
def test_every_reference_means_what_it_meant_in_its_own_source() -> None:
    def seen_by(family: str) -> list[Resource]:
        doctor = {"resourceType": "Practitioner", "id": "1", "name": [{"family": family}]}
        return [patient(), epds(len(family), performer=[{"reference": "Practitioner/1"}]), doctor]

    found = one(record("a.json", *seen_by("Abel")), record("b.json", *seen_by("Charles")))
    index = Index(found.bundle)
    for entry in found.bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Observation":
            at = index.target(resource["performer"][0], entry["fullUrl"])
            assert at is not None
            assert len(index.resource_at(at)["name"][0]["family"]) == resource["valueInteger"]
    assert all(index.target(r) is not None for e in found.bundle["entry"] for r in references_in(e["resource"]))
    assert len({e["fullUrl"] for e in found.bundle["entry"]}) == len(found.bundle["entry"])


def test_a_reference_to_nothing_does_not_come_to_mean_another_sources_entry() -> None:
    medicine = {"resourceType": "Medication", "id": "1", "code": concept(SCT, "321998007")}
    taken = {"resourceType": "MedicationStatement", "id": "s", "status": "active"}
    taken |= {"subject": {"reference": "Patient/ada"}, "medicationReference": {"reference": "Medication/1"}}
    using = epds(9, derivedFrom=[{"reference": "https://elsewhere.example/Observation/7"}])
    found = one(record("a.json", patient(), taken), record("b.json", patient(), medicine, using))
    (statement,) = of_type(found, "MedicationStatement")
    assert statement["medicationReference"] == {"identifier": {"value": "Medication/1"}}
    (kept,) = of_type(found, "Observation")
    assert kept["derivedFrom"] == [{"reference": "https://elsewhere.example/Observation/7"}]


def test_every_element_has_its_place_in_its_own_source() -> None:
    found = one(record("a.json", patient(), epds(9)), record("b.json", patient(telecom=[{"value": "0"}])))
    (main, *_) = found.bundle["entry"]
    assert found.lineage[main["fullUrl"], "telecom[0].value"] == "b.json: /entry/0/resource/telecom/0/value"
    url = next(e["fullUrl"] for e in found.bundle["entry"] if e["resource"]["resourceType"] == "Observation")
    assert found.lineage[url, "valueInteger"] == "a.json: /entry/1/resource/valueInteger"
    assert (found.source, len(found.origins)) == ("a.json + b.json", 2)


def test_a_merged_record_is_valid_fhir_and_merging_changes_no_input() -> None:
    records = [record("a.json", patient(), epds(9)), record("b.json", patient(), epds(9), *birth("x"))]
    before = [orjson.dumps(r.bundle) for r in records]
    found: MappedBundle = one(*records)
    assert validate(found.bundle) == ()
    assert [orjson.dumps(r.bundle) for r in records] == before


def test_what_a_data_sets_own_rules_say_of_one_source_is_said_with_its_name() -> None:
    finding = Finding("MHS00120", "severity 1 warning", "PersonBirthDate is missing", "MHS001MPI row 2")
    left = NotChecked("needs a register", ("MHS00206 GMPReg",))
    held = replace(
        record("a", patient(), epds(9)), quality=(finding,), not_checked=(left,), issues=(as_issue(finding),)
    )
    found = one(held, replace(record("b", patient(), epds(9)), not_checked=(left,)))
    report = Findings()
    report.add(found)
    assert [(said["code"], said["count"], said["places"]) for said in report.united()] == [
        ("MHS00120", 1, ["a: MHS001MPI row 2"])
    ]
    assert report.not_checked() == [{"why": left.why, "rules": ["MHS00206 GMPReg"]}]
    assert as_issue(found.quality[0]) in found.issues
