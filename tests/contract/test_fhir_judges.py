"""Official examples of UK Core and BaRS against this validator, and against fhirkit-rs, which no one here wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from adapter.errors import Unprocessable
from adapter.fhir import validate as validation
from adapter.fhir.schemas import NOTHING
from adapter.fhir.validate import validate
from adapter.records import RawRecord
from adapter.sources.fhir import read_fhir
from tests.shared import SHARED, needs_shared

fhirkit = pytest.importorskip("fhirkit")
pytestmark = needs_shared

UK_CORE = sorted((SHARED / "nhs" / "ukcore-examples").glob("*.json"))
BARS = sorted((SHARED / "nhs" / "bars-examples").glob("*.json"))

# The official examples that are wrong, and what is wrong with them: the places, without the positions in lists.
WRONG = {
    "BOOKREQRESP01 - Booking Slot Searchset Response.json": {
        "Bundle.entry.resource.serviceCategory.coding.system": "a space before the URI"
    },
    "Extension-UKCore-ConditionEpisode-Example.json": {"Condition.extension.valueCodeableConcept": "two values"},
}
# What only this validator says: fhirkit-rs does not look at required bindings.
SLIPS = {
    "REFREQ04 - Referral Service Request - CAD Out of Area.json": {
        "Bundle.entry.resource.clinicalStatus": "the coding names no system (a warning)"
    },
    "REFREQ05 - Referral Service Request - CAD Mutal Aid Request.json": {
        "Bundle.entry.resource.clinicalStatus": "the coding names no system (a warning)"
    },
}


def load(file: Path) -> Any:
    return orjson.loads(file.read_bytes())


def without_positions(place: str) -> str:
    return "".join(part.partition("]")[2] if n else part for n, part in enumerate(place.split("[")))


@pytest.mark.parametrize("compiled", [False, True], ids=["walked", "compiled"])
def test_official_examples_are_accepted_but_for_the_wrong_ones(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_walked", [])
    monkeypatch.setattr(validation, "_fast", NOTHING)
    monkeypatch.setattr(validation, "WALKS_BEFORE_COMPILING", 0 if compiled else 10**9)
    found = {file.name: {without_positions(i.place) for i in validate(load(file))} for file in UK_CORE + BARS}
    assert {name: places for name, places in found.items() if places} == {
        name: set(places) for name, places in (WRONG | SLIPS).items()
    }


def test_fhirkit_finds_fault_with_the_same_examples() -> None:
    found = {file.name for file in UK_CORE + BARS if errors_of_fhirkit(file)}
    assert found == set(WRONG)


def errors_of_fhirkit(file: Path) -> list[Any]:
    return [issue for issue in fhirkit.validate(file.read_text("utf-8-sig")) if issue.severity == "error"]


def test_every_uk_core_example_goes_through_unchanged_beside_a_patient() -> None:
    patient = {"resourceType": "Patient", "id": "only"}
    for file in UK_CORE:
        example = load(file)
        if file.name in WRONG or example["resourceType"] == "Bundle":
            continue
        resources = [example] if example["resourceType"] == "Patient" else [patient, example]
        made = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
        [record] = read_fhir(RawRecord(file.name, orjson.dumps(made)))
        assert [entry["resource"] for entry in record.bundle["entry"]] == resources


def test_every_example_that_is_a_bundle_loses_nothing_or_is_nobodys() -> None:
    for file in UK_CORE + BARS:
        example = load(file)
        if file.name in WRONG or example["resourceType"] != "Bundle":
            continue
        resources = [entry["resource"] for entry in example.get("entry", ()) if "resource" in entry]
        if not any(resource["resourceType"] == "Patient" for resource in resources):
            with pytest.raises(Unprocessable):
                list(read_fhir(RawRecord(file.name, file.read_bytes())))
            continue
        records = list(read_fhir(RawRecord(file.name, file.read_bytes())))
        kept = [entry["resource"] for record in records for entry in record.bundle["entry"]]
        assert not any(record.refused for record in records)
        assert [resource for resource in resources if not any(holds(one, resource) for one in kept)] == []


def holds(whole: Any, part: Any) -> bool:
    """Whether all of ``part`` is in ``whole``, which may say more: that is what is added on the way in."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and holds(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(holds(item, one) for item in whole) for one in part)
    return bool(whole == part)
