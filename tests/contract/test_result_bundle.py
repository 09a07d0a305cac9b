"""What the contract says of a result Bundle, held against independent judges."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapter.records import Evidence, MappedBundle
from adapter.referrals.result import build_result
from rules import Fact, State
from tests.shared import SHARED, needs_shared
from tests.unit.referrals import samples
from tests.unit.referrals.samples import BASE, ISSUES, decision, fhir_record, record


def result(made: MappedBundle | None = None, **more: Any) -> dict[str, Any]:
    return build_result(made or record(), 0, decision(**more), ISSUES, {}, BASE, digest="ab" * 32)


def quiet() -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(("referrals", "tasks", "flags", "issues", "outcomes"), ())
    return build_result(fhir_record(), 0, decision(**nothing), (), {}, BASE)


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def test_the_entries_stand_in_the_order_of_the_contract() -> None:
    kinds = [e["resource"]["resourceType"] for e in result()["entry"]]
    assert kinds == [
        "Patient",
        *["ServiceRequest"] * 2,
        *["Task"] * 3,
        *["Flag"] * 2,
        "GuidanceResponse",
        "Parameters",
        "OperationOutcome",
        *["HealthcareService"] * 3,
        "Device",
        *["Provenance"] * 7,
        *["Observation"] * 2,
        "Condition",
        "Encounter",
        "Practitioner",
        "FamilyMemberHistory",
    ]


def test_a_quiet_record_still_has_its_patient_and_its_guidance() -> None:
    kinds = [e["resource"]["resourceType"] for e in quiet()["entry"]]
    assert kinds == ["Patient", "GuidanceResponse", "Parameters", "Device"]
    assert resources(quiet(), "GuidanceResponse")[0]["status"] == "success"


@pytest.mark.parametrize("bundle", [result(), result(fhir_record()), quiet()])
def test_every_reference_resolves_and_every_resource_claims_a_profile(bundle: dict[str, Any]) -> None:
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(urls) == len(set(urls))
    assert all(url.startswith("urn:uuid:") for url in urls)
    for node in walk(bundle):
        if isinstance(node.get("reference"), str):
            assert node["reference"] in urls
    assert bundle["type"] == "collection"
    assert all(r["meta"]["profile"] for r in [bundle, *(e["resource"] for e in bundle["entry"])])


def test_the_same_input_gives_the_same_bytes_and_leaves_the_record_as_it_was() -> None:
    made = record()
    before = orjson.dumps(made.bundle)
    assert orjson.dumps(result(made)) == orjson.dumps(result(made))
    assert orjson.dumps(made.bundle) == before


@pytest.mark.parametrize(
    "change", [{"as_of": date(2026, 3, 11)}, {"version": "0.2.0"}, {"pack": "other"}, {"provider": "elsewhere"}]
)
def test_ids_follow_from_day_pack_version_and_provider(change: dict[str, Any]) -> None:
    for kind in ("ServiceRequest", "Task", "Flag", "Provenance", "GuidanceResponse"):
        ours = {r["id"] for r in resources(result(), kind)}
        theirs = {r["id"] for r in resources(result(**change), kind)}
        assert ours.isdisjoint(theirs)
    assert result()["id"] != result(**change)["id"]


def test_ids_follow_from_the_first_identifier_not_from_where_the_record_stood() -> None:
    moved = fhir_record()
    moved.bundle["entry"][0]["resource"]["id"] = "another"
    assert [r["id"] for r in resources(result(moved), "ServiceRequest")] == [
        r["id"] for r in resources(result(), "ServiceRequest")
    ]


def test_nothing_from_the_name_of_the_file_is_in_the_result() -> None:
    assert b"ward 7" not in orjson.dumps(result())


def test_a_safeguarding_flag_restricts_itself_and_the_bundle_and_nothing_else() -> None:
    bundle = result()
    restricted = [
        r["resourceType"] for r in [bundle, *(e["resource"] for e in bundle["entry"])] if "security" in r["meta"]
    ]
    assert restricted == ["Bundle", "Flag"]
    assert resources(bundle, "Flag")[1]["meta"]["security"][0]["code"] == "R"
    assert "security" not in result(flags=())["meta"]


def test_a_result_can_be_changed_at_its_top_without_changing_the_next() -> None:
    first = result()
    for entry in first["entry"]:
        entry["resource"]["language"] = "cy"
    assert not any("language" in entry["resource"] for entry in result()["entry"])


@pytest.mark.parametrize("bundle", [result(), result(fhir_record()), quiet()])
def test_the_models_of_fhir_resources_accept_every_resource(bundle: dict[str, Any]) -> None:
    for entry in [*bundle["entry"], {"resource": bundle}]:
        kind = entry["resource"]["resourceType"]
        model = getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
        assert model.model_validate(entry["resource"])


@needs_shared
def test_the_conformance_judge_finds_nothing(tmp_path: Path) -> None:
    judge = SHARED / "conformance" / "check"
    if not judge.exists():
        pytest.skip("no conformance judge there")
    baby = Fact("birth_on", State.KNOWN, evidence=(Evidence(samples.ENCOUNTER, ""), Evidence(samples.FAMILY, "")))
    referral = replace(decision().referrals[0], facts=(baby,), service="safeguarding")
    made = {
        "hl7v2": result(),
        "fhir": result(fhir_record()),
        "quiet": quiet(),
        "supporting": result(referrals=(referral,)),
    }
    for name, bundle in made.items():
        (tmp_path / f"{name}.json").write_bytes(orjson.dumps(bundle))
    done = subprocess.run(
        [sys.executable, str(judge), "--require-profile", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
