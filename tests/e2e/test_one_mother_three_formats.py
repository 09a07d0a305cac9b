"""The same mother by HL7 v2, by MSDS and by FHIR: one decision, and each explains itself down to its own source."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapter.bootstrap import Adapter
from adapter.pipeline import Result, evaluate_all, read_path
from adapter.referrals.explain import explain_json
from tests import samples

R03 = "r03-any-self-harm-answer"


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    return Adapter()


def the_mother(adapter: Adapter, folder: Path, source: str) -> Result:
    if source == "hl7v2":
        path = folder / "oru.hl7"
        path.write_bytes(samples.ORU)
    elif source == "msds":
        path = samples.write_msds(folder / "msds")
    else:
        path = folder / "record.json"
        path.write_bytes(orjson.dumps(samples.fhir()))
    (result,) = evaluate_all(adapter, read_path(adapter, path), date.fromisoformat(samples.AS_OF))
    return result


@pytest.mark.parametrize("source", ["hl7v2", "msds", "fhir"])
def test_a_self_harm_answer_is_referred_the_same_day(adapter: Adapter, tmp_path: Path, source: str) -> None:
    result = the_mother(adapter, tmp_path, source)
    assert result.decision is not None
    assert [o.rule for o in result.decision.outcomes if o.status == "fired"] == [R03]
    (referral,) = result.decision.referrals
    assert (referral.service, referral.priority, referral.end) == ("gp", "asap", date(2026, 3, 2))
    (request,) = resources(result, "ServiceRequest")
    assert request["priority"] == "asap"
    assert request["status"] == "draft"
    assert request["intent"] == "proposal"
    assert request["instantiatesCanonical"] == [
        f"https://perinatal-referrals.example/fhir/PlanDefinition/{R03}|{result.decision.version}"
    ]


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("hl7v2", "OBX-5 (segment 7 of message 1)"),
        ("msds", "MSD104CodedScoreAssPreg row 3, Score"),
        ("fhir", "/entry/4/resource/valueInteger"),
    ],
)
def test_the_explanation_names_the_field_of_the_source(
    adapter: Adapter, tmp_path: Path, source: str, place: str
) -> None:
    result = the_mother(adapter, tmp_path, source)
    assert result.decision is not None
    assert result.record is not None
    (explained,) = explain_json(result.decision, result.record, result.position, R03)
    assert explained["status"] == "fired"
    assert explained["patient"] == samples.NHS_NUMBER
    assert any(place in sentence for sentence in explained["because"]), explained["because"]


@pytest.mark.parametrize("source", ["hl7v2", "msds", "fhir"])
def test_the_same_record_gives_the_same_bytes(adapter: Adapter, tmp_path: Path, source: str) -> None:
    first, second = (the_mother(adapter, tmp_path, source) for _ in range(2))
    assert first.bundle is not None
    assert orjson.dumps(first.bundle) == orjson.dumps(second.bundle)


def resources(result: Result, kind: str) -> list[dict[str, Any]]:
    assert result.bundle is not None
    found = (entry["resource"] for entry in result.bundle["entry"])
    return [resource for resource in found if resource["resourceType"] == kind]
