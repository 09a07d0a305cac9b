"""What bad input gets: named with its place, never lost, never stopping the others, never showing whose it is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapter.bootstrap import Adapter
from adapter.pipeline import Result, evaluate_all, read_path
from adapter.settings import Settings
from tests import samples
from tests.samples import LOCAL, LOINC, SCT, concept, observation, patient

AS_OF = date.fromisoformat(samples.AS_OF)
SECRETS = ("SYNTHETIC", samples.NHS_NUMBER, "ZZ99", "19940517", "1994-05-17")


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    return Adapter()


def run(adapter: Adapter, path: Path) -> list[Result]:
    return list(evaluate_all(adapter, read_path(adapter, path), AS_OF, "", path.name))


def run_bytes(adapter: Adapter, folder: Path, name: str, data: bytes) -> list[Result]:
    path = folder / name
    path.write_bytes(data)
    return run(adapter, path)


def issues(result: Result) -> list[dict[str, Any]]:
    if result.outcome:
        found: list[dict[str, Any]] = result.outcome["issue"]
        return found
    assert result.bundle is not None
    outcomes = [e["resource"] for e in result.bundle["entry"] if e["resource"]["resourceType"] == "OperationOutcome"]
    return [issue for outcome in outcomes for issue in outcome["issue"]]


def details(result: Result) -> set[str]:
    return {c["code"] for issue in issues(result) for c in issue.get("details", {}).get("coding", [])}


def places(result: Result) -> str:
    return " ".join(str(issue.get("diagnostics", "")) + str(issue.get("expression", "")) for issue in issues(result))


def status_of(result: Result, rule: str) -> str:
    assert result.decision is not None
    return str(result.decision.outcome(rule).status)


# --- HL7 v2 --------------------------------------------------------------------------------------------------------
def test_a_truncated_message_is_refused_and_the_next_one_is_not(adapter: Adapter, tmp_path: Path) -> None:
    whole = samples.ORU.replace(b"9990000018", b"9990000026").replace(b"L100", b"L101")
    results = run_bytes(adapter, tmp_path, "batch.hl7", samples.ORU[:-45] + b"\r" + whole)
    good, cut = sorted(results, key=lambda result: result.status)
    assert (good.status, cut.status) == (200, 400)
    assert "segment 7 of message 1" in places(cut)
    assert good.decision is not None
    assert [r.service for r in good.decision.referrals] == ["gp"]


def test_a_wrong_check_digit_keeps_the_local_identifier_and_says_so(adapter: Adapter, tmp_path: Path) -> None:
    (result,) = run_bytes(adapter, tmp_path, "a.hl7", samples.ORU.replace(b"9990000018", b"9990000019"))
    assert result.status == 200
    assert "nhs-number-invalid" in details(result)
    assert result.bundle is not None
    identifiers = result.bundle["entry"][0]["resource"]["identifier"]
    assert [identifier["value"] for identifier in identifiers] == ["L100"]


def test_a_31_february_is_said_and_not_used(adapter: Adapter, tmp_path: Path) -> None:
    (result,) = run_bytes(adapter, tmp_path, "a.hl7", samples.ORU.replace(b"||20260525||", b"||20260231||"))
    assert result.status == 200
    assert "implausible-date" in details(result)
    assert "OBX-5 (segment 5 of message 1)" in places(result)
    assert result.decision is not None
    assert result.decision.facts["gestation_days"].state == "unknown"


def test_a_maternal_score_on_a_newborns_record_is_refused(adapter: Adapter, tmp_path: Path) -> None:
    (result,) = run_bytes(adapter, tmp_path, "a.hl7", samples.ORU.replace(b"19940517", b"20260210"))
    assert result.status == 422
    assert "wrong-subject" in details(result)


# --- scores and codes ----------------------------------------------------------------------------------------------
def pregnant(*more: dict[str, Any]) -> dict[str, Any]:
    return samples.fhir(
        patient(),
        observation("p", concept(LOINC, "82810-3"), valueCodeableConcept=concept(SCT, "77386006", "Pregnant")),
        observation("edd", concept(LOINC, "11778-8"), valueDateTime="2026-05-25"),
        *more,
    )


def evaluate_json(adapter: Adapter, folder: Path, record: Any) -> Result:
    (result,) = run_bytes(adapter, folder, "record.json", orjson.dumps(record))
    return result


def test_a_score_out_of_range_is_said_and_not_used(adapter: Adapter, tmp_path: Path) -> None:
    result = evaluate_json(adapter, tmp_path, pregnant(observation("e", concept(SCT, "450320001"), valueInteger=31)))
    assert "implausible-value" in details(result)
    assert status_of(result, "r09-moderate-depression-or-anxiety") != "fired"


def test_a_total_that_differs_from_its_items_uses_the_higher(adapter: Adapter, tmp_path: Path) -> None:
    items = [
        {"code": concept(LOCAL, f"epds-item-{n}"), "valueInteger": 2 if n < 8 else 0} for n in range(1, 11)
    ]  # the items make 14
    form = observation("e", concept(SCT, "450320001"), valueInteger=9, component=items)
    result = evaluate_json(adapter, tmp_path, pregnant(form))
    assert "score-item-mismatch" in details(result)
    assert result.decision is not None
    assert result.decision.facts["epds_total"].value == 14
    assert status_of(result, "r09-moderate-depression-or-anxiety") == "fired"


def test_a_code_whose_display_says_the_opposite_is_unknown(adapter: Adapter, tmp_path: Path) -> None:
    status = observation("p", concept(LOINC, "82810-3"), valueCodeableConcept=concept(SCT, "77386006", "Not pregnant"))
    fear = observation("t", concept(LOCAL, "tokophobia"))
    result = evaluate_json(adapter, tmp_path, samples.fhir(patient(), status, fear))
    assert "code-display-conflict" in details(result)
    assert status_of(result, "r13-tokophobia") == "unknown"


# --- files ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["empty.hl7", "empty.json", "empty.ndjson"])
def test_an_empty_file_is_refused(adapter: Adapter, tmp_path: Path, name: str) -> None:
    (result,) = run_bytes(adapter, tmp_path, name, b"")
    assert result.status == 400
    assert "malformed" in details(result)


def test_a_200_megabyte_file_is_refused_before_it_is_read(adapter: Adapter, tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    (result,) = run(adapter, path)
    assert result.status == 413


def test_a_bundle_of_a_thousand_patients_gives_a_thousand_results(adapter: Adapter, tmp_path: Path) -> None:
    entries: list[dict[str, Any]] = []
    for number in range(1000):
        for entry in samples.fhir()["entry"]:
            resource = {**entry["resource"], "id": f"{entry['resource']['id']}-{number}"}
            if resource["resourceType"] == "Patient":
                resource["identifier"] = [{"system": "https://local.example/id", "value": f"L{number}"}]
            else:
                resource["subject"] = {"reference": f"Patient/ada-{number}"}
            entries.append({"resource": resource})
    record = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    results = run_bytes(adapter, tmp_path, "many.json", orjson.dumps(record))
    assert len(results) == 1000
    assert {result.status for result in results} == {200}
    assert len({result.patient for result in results}) == 1000


def test_one_bad_line_of_ndjson_gives_an_outcome_of_its_own(adapter: Adapter, tmp_path: Path) -> None:
    good = orjson.dumps(samples.fhir())
    bad = orjson.dumps(samples.fhir({**patient(), "gender": "F"}))
    results = run_bytes(adapter, tmp_path, "many.ndjson", b"\n".join([good, bad, b"{broken", good]) + b"\n")
    assert [result.status for result in results] == [200, 400, 400, 200]


# --- FHIR, checked in full -----------------------------------------------------------------------------------------
def broken(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    record = samples.fhir()
    change(record["entry"][3]["resource"])
    return record


ELEVEN = {
    "unknown field": (lambda o: o.update(surprise=1), "Bundle.entry[3].resource.surprise"),
    "code outside a required binding": (lambda o: o.update(status="nope"), "Bundle.entry[3].resource.status"),
    "missing status": (lambda o: o.pop("status"), "Bundle.entry[3].resource.status"),
    "missing code": (lambda o: o.pop("code"), "Bundle.entry[3].resource.code"),
    "two values": (lambda o: o.update(valueString="9"), "Bundle.entry[3].resource.value"),
    "impossible date": (
        lambda o: o.update(effectiveDateTime="2026-02-31"),
        "Bundle.entry[3].resource.effectiveDateTime",
    ),
    "instant without a zone": (lambda o: o.update(issued="2026-02-20T09:30:00"), "Bundle.entry[3].resource.issued"),
    "text for an integer": (lambda o: o.update(valueInteger="9"), "Bundle.entry[3].resource.valueInteger"),
    "object for a list": (lambda o: o.update(category={"text": "x"}), "Bundle.entry[3].resource.category"),
    "unknown resource type": (lambda o: o.update(resourceType="Observations"), "Bundle.entry[3].resource"),
    "code of the wrong type": (lambda o: o.update(status=1), "Bundle.entry[3].resource.status"),
}


@pytest.mark.parametrize("kind", ELEVEN)
def test_each_kind_of_invalid_fhir_is_an_outcome_with_its_path(adapter: Adapter, tmp_path: Path, kind: str) -> None:
    change, path = ELEVEN[kind]
    result = evaluate_json(adapter, tmp_path, broken(change))
    assert result.status == 400
    assert any(path in str(issue.get("expression")) for issue in issues(result)), issues(result)


# --- and nothing of the patient is shown ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.hl7", samples.ORU[:-45]),
        ("a.hl7", samples.ORU.replace(b"19940517", b"19940231")),
        ("a.json", orjson.dumps(samples.fhir({**patient(), "birthDate": "17 May SYNTHETIC"}))),
        ("a.json", orjson.dumps(samples.fhir({**patient(), samples.NHS_NUMBER: "SYNTHETIC"}))),
        ("a.json", orjson.dumps(samples.fhir())[:-9]),
    ],
)
def test_no_outcome_and_no_log_line_shows_the_patient(
    adapter: Adapter, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, data: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    for result in run_bytes(adapter, tmp_path, name, data):
        said = str(issues(result)) + caplog.text
        assert not [secret for secret in SECRETS if secret in said]


def test_the_size_limit_is_a_setting(tmp_path: Path) -> None:
    (result,) = run_bytes(Adapter(Settings(max_file_bytes=10)), tmp_path, "a.json", orjson.dumps(samples.fhir()))
    assert result.status == 413


# --- and a fault of our own stops nobody else ----------------------------------------------------------------------
def test_a_record_that_breaks_the_program_gives_an_outcome_and_the_others_go_on(
    adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pack = adapter.content().pack
    evaluate, calls = type(pack).evaluate, []

    def break_once(self: Any, facts: Any, *on: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError("SYNTHETIC " + samples.NHS_NUMBER)
        return evaluate(self, facts, *on)

    monkeypatch.setattr(type(pack), "evaluate", break_once)
    line = orjson.dumps(samples.fhir())
    first, second = run_bytes(adapter, tmp_path, "two.ndjson", line + b"\n" + line)
    assert (first.status, second.status) == (500, 200)
    assert first.bundle is None
    assert "ZeroDivisionError" in str(first.outcome)
    assert not [secret for secret in SECRETS if secret in str(first.outcome) + caplog.text]
