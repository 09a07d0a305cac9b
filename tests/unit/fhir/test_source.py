"""Bytes to records: one per patient, each refused for its own errors only."""

from __future__ import annotations

import copy
from uuid import uuid5

import orjson
import pytest

from adapter.errors import AdapterError, Malformed, Unprocessable
from adapter.fhir.ids import NAMESPACE, stable_id
from adapter.fhir.references import Index
from adapter.records import MappedBundle, RawRecord, Resource
from adapter.sources.fhir import read_fhir
from tests.unit.fhir.resources import bundle, condition, observation, patient, related


def read(document: object, name: str = "in.json") -> list[MappedBundle]:
    return list(read_fhir(RawRecord(name, orjson.dumps(document))))


def lines(*documents: object, name: str = "in.ndjson") -> list[MappedBundle]:
    data = b"\n".join(d if isinstance(d, bytes) else orjson.dumps(d) for d in documents)
    return list(read_fhir(RawRecord(name, data)))


def ids(record: MappedBundle) -> list[str]:
    return [entry["resource"]["id"] for entry in record.bundle.get("entry", ())]


def family() -> list[Resource]:
    """A mother, her twins (one linked from each side), their father with a Patient of his own, and a practitioner."""
    return [
        patient("mother"),
        patient("twin1", birthDate="2024-03-01", gender="unknown", identifier=[{"system": "s", "value": "t1"}]),
        related("mother-of-1", "Patient/twin1", "MTH", identifier=patient("mother")["identifier"]),
        patient("twin2", birthDate="2024-03-01", identifier=[], link=None),
        related("child-2", "Patient/mother", "NCHILD"),
        patient("father", gender="male", identifier=[], link=None),
        related("father-of-1", "Patient/twin1", "FTH"),
        observation("hers", "Patient/mother", performer=[{"reference": "Practitioner/pr"}]),
        observation("of-twin", "Patient/twin2"),
        observation("his", "Patient/father"),
        {"resourceType": "Practitioner", "id": "pr"},
    ]


def linked() -> Resource:
    made = family()
    for resource in made:
        resource.pop("identifier", None) if resource.get("identifier") == [] else None
    made[3]["link"] = [{"other": {"reference": "RelatedPerson/child-2"}, "type": "seealso"}]
    made[5]["link"] = [{"other": {"reference": "RelatedPerson/father-of-1"}, "type": "seealso"}]
    return bundle(*made)


def test_a_mother_has_her_babies_and_the_father_a_record_of_his_own() -> None:
    hers, his = read(linked())
    assert ids(hers) == [
        "mother", "twin1", "mother-of-1", "twin2", "child-2", "father-of-1", "hers", "of-twin", "pr",
    ]  # fmt: skip
    assert ids(his) == ["father", "father-of-1", "his"]
    assert (hers.source, his.source) == ("in.json, Bundle.entry[0]", "in.json, Bundle.entry[5]")


def test_the_partners_record_refers_to_nobody_who_is_not_in_it() -> None:
    hers, his = read(
        bundle(
            patient("mother"),
            patient("partner", gender="male", link=[{"other": {"reference": "RelatedPerson/r"}, "type": "seealso"}]),
            related("r", "Patient/mother", "SPS"),
            observation("about-him", "Patient/mother", focus=[{"reference": "RelatedPerson/r"}]),
            observation("directly", "Patient/mother", focus=[{"reference": "Patient/partner"}]),
        )
    )
    somebody = {"type": "Patient", "display": "another patient, who is not in this record"}
    mine = {entry["resource"]["id"]: entry["resource"] for entry in his.bundle["entry"]}
    assert list(mine) == ["partner", "r", "about-him", "directly"]
    assert mine["r"]["patient"] == mine["about-him"]["subject"] == mine["directly"]["subject"] == somebody
    assert mine["about-him"]["focus"] == [{"reference": "RelatedPerson/r"}]
    of_her = {entry["resource"]["id"]: entry["resource"] for entry in hers.bundle["entry"]}
    assert of_her["about-him"]["subject"] == {"reference": "Patient/mother"}
    assert of_her["directly"]["focus"] == [somebody]
    assert [len(each["entry"]) for each in his.kin] == [4]
    assert hers.kin == ()


def test_one_patient_keeps_every_entry_as_it_came() -> None:
    made = bundle(patient(), observation(), {"resourceType": "Organization", "id": "x"}, kind="searchset")
    made["entry"][0]["fullUrl"] = "https://example.org/Patient/p"
    before = copy.deepcopy(made)
    [record] = read(made)
    assert [e["resource"] for e in record.bundle["entry"]] == [e["resource"] for e in before["entry"]]
    assert [e["fullUrl"] for e in record.bundle["entry"]] == [
        "https://example.org/Patient/p",
        f"urn:uuid:{uuid5(NAMESPACE, 'Observation/o')}",
        f"urn:uuid:{uuid5(NAMESPACE, 'Organization/x')}",
    ]
    assert record.bundle["type"] == "collection"
    assert (record.refused, record.issues, record.source) == (False, (), "in.json")


def test_a_single_patient_is_a_record() -> None:
    [record] = read(patient())
    assert ids(record) == ["p"]


def test_entries_without_ids_or_with_the_same_get_urls_of_their_own() -> None:
    nameless = observation()
    del nameless["id"]
    [record] = read(
        bundle(
            patient(), nameless, nameless, observation("x"), observation("x", component=[{"code": {"text": "another"}}])
        )
    )
    urls = [entry["fullUrl"] for entry in record.bundle["entry"]]
    assert len(set(urls)) == 5
    assert urls[1] == f"urn:uuid:{stable_id('Observation', '', '#1')}"


def test_a_grandmother_does_not_make_the_mother_a_baby() -> None:
    [hers, grandmothers] = read(
        bundle(
            patient("mother", birthDate="1995"),
            patient("baby", birthDate="2024-01-01", identifier=[{"value": "b"}]),
            related("m", "Patient/baby", "MTH", identifier=patient("mother")["identifier"]),
            patient("gran", birthDate="1965", identifier=[{"system": "s", "value": "g"}]),
            related("g", "Patient/mother", "NMTH", identifier=[{"system": "s", "value": "g"}]),
        )
    )
    assert ids(hers) == ["mother", "baby", "m", "g"]
    assert ids(grandmothers) == ["gran"]


def test_a_grown_up_daughter_has_a_record_of_her_own() -> None:
    records = read(
        bundle(
            patient("mother", birthDate="1980"),
            patient("daughter", birthDate="2005", identifier=[{"value": "d"}]),
            related("m", "Patient/daughter", "MTH", identifier=patient("mother")["identifier"]),
            observation("o", "Patient/daughter", effectiveDateTime="2024-01-01"),
        )
    )
    assert [ids(record)[0] for record in records] == ["mother", "daughter"]


def test_a_baby_linked_straight_to_the_mother() -> None:
    baby = patient("b", birthDate="2024-01-01", identifier=[{"value": "b"}])
    baby["link"] = [{"other": {"reference": "Patient/p"}, "type": "seealso"}]
    [record] = read(bundle(patient("p", birthDate="1990"), baby))
    assert ids(record) == ["p", "b"]


def test_subjects_by_full_url_uuid_identifier_and_search() -> None:
    other = patient("q", identifier=[{"system": "s", "value": "q"}])
    made = bundle(
        patient(),
        other,
        observation("a", "https://example.org/Patient/p"),
        observation("b", "urn:uuid:0b2b6f58-0000-4000-8000-000000000001"),
        observation("c") | {"subject": {"identifier": {"system": "s", "value": "q"}}},
        observation("d", "Patient?identifier=s|q"),
    )
    made["entry"][0]["fullUrl"] = "https://example.org/Patient/p"
    made["entry"][1]["fullUrl"] = "urn:uuid:0b2b6f58-0000-4000-8000-000000000001"
    first, second = read(made)
    assert (ids(first), ids(second)) == (["p", "a"], ["q", "b", "c", "d"])


def test_what_refers_to_a_record_goes_with_it_and_the_rest_is_named() -> None:
    made = bundle(
        patient("p"),
        patient("q", identifier=[{"value": "q"}]),
        observation("o", "Patient/q"),
        {"resourceType": "Provenance", "id": "pv", "target": [{"reference": "Observation/o"}],
         "recorded": "2024-01-01T00:00:00Z", "agent": [{"who": {"reference": "Organization/org"}}]},
        {"resourceType": "Organization", "id": "org"},
        {"resourceType": "Organization", "id": "nobodys"},
    )  # fmt: skip
    first, second = read(made)
    assert (ids(first), ids(second)) == (["p"], ["q", "o", "pv", "org"])
    [issue] = first.issues
    assert (issue.severity, issue.place) == ("information", "Bundle.entry[5].resource")
    assert second.issues == ()


def test_resources_about_nobody_here_are_refused_and_the_patients_go_on() -> None:
    made = bundle(patient("p"), patient("q"), observation("o", "Patient/elsewhere"))
    first, second, nobody = read(made)
    assert not first.refused
    assert not second.refused
    assert nobody.refused
    assert [(i.detail, i.place) for i in nobody.issues] == [("wrong-subject", "Bundle.entry[2].resource")]


def test_only_the_patient_with_the_broken_resource_is_refused() -> None:
    made = bundle(
        patient("p"), patient("q"), observation("o", "Patient/p", status="nope"), observation("r", "Patient/q")
    )
    first, second = read(made)
    assert first.refused
    assert [i.place for i in first.issues] == ["Bundle.entry[2].resource.status"]
    assert not second.refused
    assert ids(second) == ["q", "r"]


@pytest.mark.parametrize(
    "extra",
    [
        {"resourceType": "Organization", "id": "x", "active": "yes"},
        {"resourceType": "Nothing", "id": "x"},
        {"id": "x"},
        7,
        observation("o", "Patient/elsewhere", status="nope"),
    ],
)
def test_a_broken_resource_of_nobody_refuses_the_whole(extra: Resource) -> None:
    with pytest.raises(Malformed) as caught:
        read(bundle(patient("p"), patient("q"), extra))
    assert all(issue.place.startswith("Bundle.entry[2]") for issue in caught.value.issues)


def test_a_broken_resource_that_both_use_refuses_both() -> None:
    organisation: Resource = {"resourceType": "Organization", "id": "x", "active": "yes"}
    uses = {"managingOrganization": {"reference": "Organization/x"}}
    assert [r.refused for r in read(bundle(patient("p", **uses), patient("q", **uses), organisation))] == [True, True]


def test_a_single_broken_record_raises() -> None:
    with pytest.raises(Malformed) as caught:
        read(bundle(patient(), observation(status="nope")))
    assert [i.place for i in caught.value.issues] == ["Bundle.entry[1].resource.status"]
    with pytest.raises(Malformed) as caught:
        read(patient(gender="F"))
    assert [i.place for i in caught.value.issues] == ["Patient.gender"]


def test_a_warning_goes_with_its_record() -> None:
    slip = condition()
    del slip["clinicalStatus"]["coding"][0]["system"]
    [record] = read(bundle(patient(), slip))
    assert [i.severity for i in record.issues] == ["warning"]
    first, second = read(bundle(patient(), patient("q"), slip))
    assert (len(first.issues), len(second.issues)) == (1, 0)


@pytest.mark.parametrize("kind", ["batch", "collection", "document", "message", "searchset", "transaction"])
def test_types_of_bundle_that_hold_records(kind: str) -> None:
    assert len(read(bundle(patient(), kind=kind))) == 1


@pytest.mark.parametrize(
    ("document", "place", "code"),
    [
        (bundle(patient(), kind="history"), "Bundle.type", "not-supported"),
        (bundle(observation()), "Bundle", "required"),
        (bundle(observation() | {"subject": {"identifier": {"value": "1"}}}), "Bundle", "required"),
        ({"resourceType": "Bundle", "type": "collection"}, "Bundle", "required"),
        (observation(), "Observation", "required"),
        (bundle(patient(), bundle(patient())), "Bundle.entry[1].resource", "not-supported"),
    ],
)
def test_what_cannot_be_evaluated(document: Resource, place: str, code: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        read(document)
    assert [(i.place, i.code) for i in caught.value.issues] == [(place, code)]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", ""),
        (b" \n ", ""),
        (b"nonsense", "line 1, column 1, byte 0"),
        (b'{"resourceType": "Patient",\n "name": [}', "line 2, column 11, byte 38"),
        ('{"id": "é", nonsense}'.encode(), "line 1, column 13, byte 13"),
        (b'{"id": "\xff"}', "byte 8"),
        (b"[1]", "Resource"),
        (b"null", "Resource"),
        (b'{"resourceType": "ReferralRequest"}', "ReferralRequest.resourceType"),
    ],
)
def test_bytes_that_are_no_fhir(data: bytes, place: str) -> None:
    with pytest.raises(Malformed) as caught:
        list(read_fhir(RawRecord("in.json", data)))
    assert [i.place for i in caught.value.issues] == [place]
    assert caught.value.__cause__ is None


def test_a_byte_order_mark_is_no_error() -> None:
    assert len(list(read_fhir(RawRecord("in.json", b"\xef\xbb\xbf" + orjson.dumps(patient()))))) == 1


@pytest.mark.parametrize("name", ["in.ndjson", "request body"])
def test_lines_fail_one_by_one(name: str) -> None:
    cut_off = b'{"resourceType": "Patient", '
    broken = bundle(patient("b", gender="F"))
    records = lines(bundle(patient("a")), cut_off, b"", broken, bundle(patient("c")), bundle(observation()), name=name)
    assert [(r.source, r.refused) for r in records] == [
        (f"{name}, line 1", False),
        (f"{name}, line 2", True),
        (f"{name}, line 4", True),
        (f"{name}, line 5", False),
        (f"{name}, line 6", True),
    ]
    assert [i.place for r in records if r.refused for i in r.issues] == [
        "line 2, column 29, byte 28",
        "Bundle.entry[0].resource.gender",
        "Bundle",
    ]


def test_resources_on_lines_of_their_own_are_put_together_by_patient() -> None:
    records = lines(
        patient("a"), patient("b"), observation("o", "Patient/b"), observation("x", "Patient/a", status="x")
    )
    assert [(r.source, r.refused) for r in records] == [("in.ndjson, line 1", True), ("in.ndjson, line 2", False)]
    assert [i.place for i in records[0].issues] == ["line 4: Observation.status"]
    assert ids(records[1]) == ["b", "o"]


def test_a_broken_line_of_nobody_is_refused_alone() -> None:
    records = lines(patient("a"), {"resourceType": "Nothing"}, 7)
    assert [(r.source, r.refused) for r in records] == [
        ("in.ndjson, line 2", True),
        ("in.ndjson, line 3", True),
        ("in.ndjson, line 1", False),
    ]


def test_lines_without_any_patient_are_each_refused() -> None:
    assert [r.refused for r in lines(observation("a"), observation("b"))] == [True, True]


def test_nothing_that_was_read_is_changed_and_the_same_comes_out_twice() -> None:
    assert read(linked()) == read(linked())


def test_errors_hold_no_data() -> None:
    data = orjson.dumps(patient("p", name=[{"family": "Secretname", "given": "x"}])) + b"Secretname}"
    for tried in (data, data.removesuffix(b"Secretname}")):
        with pytest.raises(AdapterError) as caught:
            list(read_fhir(RawRecord("in.json", tried)))
        assert "Secretname" not in repr(caught.value) + str(caught.value)


def test_the_work_grows_with_the_size_and_not_with_its_square(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = []
    resolve = Index.resolve
    monkeypatch.setattr(Index, "resolve", lambda *arguments: looked_up.append(1) or resolve(*arguments))
    made = [r for n in range(300) for r in (patient(f"p{n}"), observation(f"o{n}", f"Patient/p{n}"))]
    assert len(read(bundle(*made))) == 300
    assert len(looked_up) < 5 * len(made)
