"""What a result quotes of a record: closure, full URLs, and references that lead nowhere."""

from __future__ import annotations

from typing import Any

from adapter.records import MappedBundle
from adapter.referrals.excerpt import Excerpt


def excerpt(*entries: dict[str, Any]) -> Excerpt:
    return Excerpt(MappedBundle("x", {"resourceType": "Bundle", "type": "collection", "entry": list(entries)}), "key")


def entry(kind: str, ident: str, full_url: str | None = None, **more: Any) -> dict[str, Any]:
    resource = {"resourceType": kind, "id": ident, **more}
    return {"resource": resource} if full_url is None else {"fullUrl": full_url, "resource": resource}


PATIENT = entry("Patient", "p", "https://a.example/fhir/Patient/p")


def test_only_what_was_asked_for_and_what_it_leads_to_is_quoted() -> None:
    made = excerpt(
        PATIENT,
        entry("Encounter", "e", "https://a.example/fhir/Encounter/e", subject={"reference": "Patient/p"}),
        entry("Observation", "o", "https://a.example/fhir/Observation/o", encounter={"reference": "Encounter/e"}),
        entry("Observation", "unasked", "https://a.example/fhir/Observation/unasked"),
    )
    asked = made.url(2)
    head, rest = made.entries(0)
    assert head["resource"]["id"] == "p"
    assert [e["resource"]["id"] for e in rest] == ["e", "o"]
    assert rest[1]["fullUrl"] == asked
    assert rest[1]["resource"]["encounter"] == {"reference": rest[0]["fullUrl"]}
    assert rest[0]["resource"]["subject"] == {"reference": head["fullUrl"]}


def test_resources_that_refer_to_each_other_are_quoted_once() -> None:
    made = excerpt(
        entry("Patient", "p", "urn:uuid:a", link=[{"other": {"reference": "urn:uuid:b"}}]),
        entry("Patient", "q", "urn:uuid:b", link=[{"other": {"reference": "urn:uuid:a"}}]),
    )
    head, rest = made.entries(0)
    assert [head["fullUrl"], *(e["fullUrl"] for e in rest)] == ["urn:uuid:a", "urn:uuid:b"]


def test_a_reference_to_nothing_becomes_a_logical_one() -> None:
    made = excerpt(
        entry(
            "Patient",
            "p",
            "urn:uuid:a",
            generalPractitioner=[{"reference": "Organization/x", "type": "Organization", "display": "A practice"}],
            managingOrganization={"reference": "Organization/y", "identifier": {"value": "ABC"}},
        )
    )
    patient = made.entries(0)[0]["resource"]
    assert patient["generalPractitioner"] == [
        {"type": "Organization", "display": "A practice", "identifier": {"value": "Organization/x"}}
    ]
    assert patient["managingOrganization"] == {"identifier": {"value": "ABC"}}


def test_references_to_contained_resources_stay() -> None:
    made = excerpt(
        entry(
            "Patient",
            "p",
            "urn:uuid:a",
            contained=[{"resourceType": "Organization", "id": "o"}],
            managingOrganization={"reference": "#o"},
        )
    )
    assert made.entries(0)[0]["resource"]["managingOrganization"] == {"reference": "#o"}


def test_full_urls_become_uuids_that_depend_on_whose_record_it_is() -> None:
    same, other = excerpt(PATIENT), Excerpt(MappedBundle("x", {"entry": [PATIENT]}), "another key")
    assert excerpt(PATIENT).url(0) == same.url(0) != other.url(0)
    assert same.url(0).startswith("urn:uuid:")


def test_entries_without_or_with_the_same_full_url_stay_apart() -> None:
    made = excerpt(
        PATIENT,
        entry("Observation", "o"),
        entry("Observation", "o", "urn:uuid:twice"),
        entry("Observation", "o", "urn:uuid:twice"),
    )
    assert len({made.url(index) for index in range(4)}) == 4


def test_the_record_is_not_changed_and_untouched_parts_are_shared() -> None:
    code = {"coding": [{"code": "x"}]}
    observation = entry("Observation", "o", "urn:uuid:o", code=code, subject={"reference": "Patient/p"})
    made = excerpt(PATIENT, observation)
    made.url(1)
    (quoted,) = made.entries(0)[1]
    assert observation["resource"]["subject"] == {"reference": "Patient/p"}
    assert "meta" not in observation["resource"]
    assert quoted["resource"]["code"] is code


def test_references_deep_inside_a_resource_are_rewritten_as_well() -> None:
    referring = entry(
        "Observation",
        "o",
        "urn:uuid:o",
        subject={"reference": "Patient/p", "identifier": {"assigner": {"reference": "Organization/x"}}},
        performer=[{"display": "A midwife"}, {"reference": "Patient/p"}],
        note=[{"text": '"reference":', "authorReference": {"reference": "Patient/p"}}],
    )
    made = excerpt(PATIENT, referring)
    made.url(1)
    head, (quoted,) = made.entries(0)
    her, resource = head["fullUrl"], quoted["resource"]
    assert resource["subject"]["reference"] == her
    assert resource["subject"]["identifier"]["assigner"] == {"identifier": {"value": "Organization/x"}}
    assert resource["performer"] == [{"display": "A midwife"}, {"reference": her}]
    assert resource["note"][0]["authorReference"] == {"reference": her}
