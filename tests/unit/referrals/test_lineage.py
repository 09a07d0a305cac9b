"""From a fact's evidence to its element and its place in the source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.records import Evidence
from adapter.referrals.lineage import element, place, pointer
from tests.unit.referrals.samples import fhir_record, record, url


def lineage_of(path: str, *known: str) -> str:
    made = replace(record(), lineage={(url(3), name): f"at {name or 'the whole'}" for name in known})
    return place(made, Evidence(3, path))


def test_the_element_is_named_with_its_type() -> None:
    assert element(record(), Evidence(1, "valueInteger")) == "Observation.valueInteger"
    assert element(record(), Evidence(3, "")) == "Condition"


@pytest.mark.parametrize(
    ("path", "known", "expected"),
    [
        ("valueInteger", ("valueInteger", "code"), "at valueInteger"),
        ("code.coding[0].code", ("code.coding[0]", "code"), "at code.coding[0]"),
        ("code.coding[0].code", ("code.coding", "code"), "at code.coding"),
        ("code.coding[1].code", ("code.coding[0].code", "code"), "at code"),
        ("code.coding[0].code", ("",), "at the whole"),
        ("code", ("status", "code.coding[0].code"), "at code.coding[0].code"),
        ("code", ("codeExtra",), "/entry/3/resource/code"),
        ("", ("code",), "at code"),
        ("code", ("", "code.coding[0].code"), "at code.coding[0].code"),
        ("code", ("", "status"), "at the whole"),
    ],
)
def test_the_nearest_place_is_found(path: str, known: tuple[str, ...], expected: str) -> None:
    assert lineage_of(path, *known) == expected


def test_another_resources_place_is_never_taken() -> None:
    assert place(record(), Evidence(6, "status")) == "OBX (segment 9 of message 1)"
    assert place(record(), Evidence(4, "status")) == "/entry/4/resource/status"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("valueInteger", "/entry/3/resource/valueInteger"),
        ("component[1].code.coding[0].code", "/entry/3/resource/component/1/code/coding/0/code"),
        ("", "/entry/3/resource"),
    ],
)
def test_a_fhir_record_is_its_own_place(path: str, expected: str) -> None:
    assert pointer(Evidence(3, path)) == expected
    assert place(fhir_record(), Evidence(3, path)) == expected
