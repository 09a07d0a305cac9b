"""Which entry a reference means."""

from __future__ import annotations

import pytest

from adapter.fhir.references import Index, references_in
from adapter.records import Resource

A = "https://a.example/fhir"
U = "urn:uuid:0b2b6f58-0000-4000-8000-000000000001"


def entry(url: str, kind: str, own: str, **more: object) -> Resource:
    return {"fullUrl": url, "resource": {"resourceType": kind, "id": own, **more}}


INDEX = Index(
    {
        "resourceType": "Bundle",
        "entry": [
            entry(f"{A}/Patient/1", "Patient", "1", identifier=[{"system": "s", "value": "n"}]),
            entry("https://b.example/fhir/Patient/1", "Patient", "1"),
            entry(U, "Observation", "o", identifier=[{"system": "s", "value": "n"}]),
            {"resource": {"resourceType": "Practitioner", "id": "p", "identifier": {"value": "bare"}}},
        ],
    }
)


@pytest.mark.parametrize(
    ("reference", "from_url", "found"),
    [
        ("Patient/1", "", 0),
        ("Patient/1", f"{A}/Observation/9", 0),
        ("Patient/1", "https://b.example/fhir/Observation/9", 1),
        ("Patient/1/_history/3", "https://b.example/fhir/Observation/9", 1),
        ("https://b.example/fhir/Patient/1", "", 1),
        ("https://c.example/fhir/Patient/1", "", None),
        (U, "", 2),
        ("Observation/o", "", 2),
        ("https://c.example/fhir/Practitioner/p", "", 3),
        ("Practitioner/p#part", "", 3),
        ("#contained", "", None),
        ("", "", None),
        ("1", "", None),
        ("Patient/2", "", None),
        ("urn:uuid:0b2b6f58-0000-4000-8000-000000000002", "", None),
        ("Patient?identifier=s|n", "", 0),
        ("Patient?identifier=s%7Cn", "", 0),
        ("Patient?identifier=n", "", 0),
        ("Patient?identifier=t|n", "", None),
        ("Patient?family=n", "", None),
        ("Practitioner?identifier=bare", "", 3),
        ("Practitioner?identifier=|bare", "", 3),
    ],
)
def test_resolving(reference: str, from_url: str, found: int | None) -> None:
    assert INDEX.resolve(reference, from_url) == found


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ({"reference": "Patient/1"}, 0),
        ({"reference": "Patient/2", "identifier": {"system": "s", "value": "n"}}, None),
        ({"type": "Patient", "identifier": {"system": "s", "value": "n"}}, 0),
        ({"identifier": {"system": "s", "value": "n"}}, None),
        ({"identifier": {"value": "bare"}}, 3),
        ({"display": "somebody"}, None),
        ("Patient/1", None),
        (None, None),
    ],
)
def test_a_reference_by_its_identifier_means_the_one_that_has_it(reference: object, found: int | None) -> None:
    assert INDEX.target(reference) == found


@pytest.mark.parametrize(
    "broken", [{}, {"entry": 3}, {"entry": [1, {"resource": 2}, {"fullUrl": 4, "resource": {"id": []}}]}]
)
def test_a_broken_bundle_finds_nothing(broken: Resource) -> None:
    assert Index(broken).resolve("Patient/1") is None
    assert Index(broken).target({"identifier": {"value": "x"}}) is None


def test_references_at_every_depth() -> None:
    resource = {"subject": {"reference": "a"}, "x": [{"y": {"who": {"reference": "b"}}}], "reference": 3}
    assert [found["reference"] for found in references_in(resource)] == ["a", "b"]
