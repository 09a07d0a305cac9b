"""Several inputs of one run: files, folders, a server and requests; one input alone is not put together."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
import responses
from click.testing import Result
from starlette.testclient import TestClient
from typer.testing import CliRunner

from adapter import merge
from adapter.bootstrap import Adapter
from adapter.cli import app
from adapter.errors import AdapterError
from adapter.http.app import create_app
from adapter.pipeline import evaluate_all
from adapter.records import MappedBundle
from adapter.referrals.explain import explain_json
from adapter.together import labels, read_inputs
from tests import samples

R03 = "r03-any-self-harm-answer"
AS_OF = date.fromisoformat(samples.AS_OF)
PREGNANCY = (samples.patient(), samples.fhir()["entry"][1]["resource"], samples.fhir()["entry"][2]["resource"])


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    return Adapter()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Her pregnancy as FHIR; her EPDS, and her pregnancy again, in HL7 v2."""
    (tmp_path / "mother.json").write_bytes(orjson.dumps(samples.fhir(*PREGNANCY)))
    (tmp_path / "oru.hl7").write_bytes(samples.ORU)
    return [tmp_path / "mother.json", tmp_path / "oru.hl7"]


def run(*arguments: str | Path, **more: Any) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], **more)


def records(adapter: Adapter, paths: list[Path]) -> list[MappedBundle]:
    found = [record for _, record in read_inputs(adapter, paths)]
    return [record for record in found if isinstance(record, MappedBundle)]


def test_a_mother_in_fhir_and_her_results_in_hl7_give_one_result(adapter: Adapter, files: list[Path]) -> None:
    (record,) = records(adapter, files)
    (result,) = evaluate_all(adapter, [record], AS_OF)
    assert result.decision is not None
    assert [outcome.rule for outcome in result.decision.outcomes if outcome.status == "fired"] == [R03]
    (explained,) = explain_json(result.decision, record, result.position, R03)
    assert any("oru.hl7: OBX-5 (segment 7 of message 1)" in because for because in explained["because"])


def test_the_result_names_both_sources_by_digest_and_not_by_name(adapter: Adapter, files: list[Path]) -> None:
    (result,) = evaluate_all(adapter, records(adapter, files), AS_OF)
    assert result.bundle is not None
    provenance = next(e["resource"] for e in result.bundle["entry"] if e["resource"]["resourceType"] == "Provenance")
    sources = [entity["what"] for entity in provenance["entity"] if entity["role"] == "source"]
    assert sorted(source["display"] for source in sources) == ["Source record (fhir)", "Source record (hl7v2)"]
    assert all(source["identifier"]["value"].startswith("sha256:") for source in sources)


def test_one_input_is_never_put_together(adapter: Adapter, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "merge_records", None)
    assert len(records(adapter, [files[0].parent])) == 2
    assert len(records(adapter, [files[0]])) == 1


def test_one_broken_input_stops_no_other(adapter: Adapter, files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_bytes(b"{")
    found = list(read_inputs(adapter, [files[0], tmp_path / "broken.json", files[1]]))
    assert [name for name, _ in found] == ["mother.json", "broken.json"]
    assert isinstance(found[1][1], AdapterError)


def test_files_of_the_same_name_are_told_apart(adapter: Adapter, files: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other" / "oru.hl7"
    other.parent.mkdir()
    other.write_bytes(samples.ORU.replace(b"||9|", b"||12|"))
    (record,) = records(adapter, [files[1], other])
    assert {place.partition(":")[0] for place in record.lineage.values()} == {
        "other/oru.hl7",
        f"{tmp_path.name}/oru.hl7",
    }


def test_labels_are_as_short_as_they_can_be() -> None:
    assert labels([Path("a.hl7"), Path("x/b.hl7")]) == ["a.hl7", "b.hl7"]
    assert labels([Path("/r/x/a.hl7"), Path("/r/y/a.hl7")]) == ["x/a.hl7", "y/a.hl7"]
    assert labels([Path("a.hl7"), Path("a.hl7")]) == ["a.hl7", "a.hl7"]


# --- the command line --------------------------------------------------------------------------------------------------
def test_convert_gives_one_bundle_with_a_provenance_of_each_source(files: list[Path]) -> None:
    result = run("convert", *files)
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    kinds = [entry["resource"]["resourceType"] for entry in orjson.loads(line)["entry"]]
    assert (kinds.count("Patient"), kinds.count("Provenance"), kinds.count("Observation")) == (1, 2, 4)


def test_explain_takes_several_too(files: list[Path]) -> None:
    result = run("explain", *files, "--as-of", samples.AS_OF, "--rule", R03)
    assert "oru.hl7: OBX-5 (segment 7 of message 1)" in result.stdout


def test_strict_exits_1_where_a_field_is_lost_and_else_0(files: list[Path], tmp_path: Path) -> None:
    assert run("convert", files[1], "--strict").exit_code == 0
    lossy = tmp_path / "lossy.hl7"
    lossy.write_bytes(samples.ORU + b"\rZZZ|1|something")
    assert run("convert", lossy).exit_code == 0
    strict = run("convert", lossy, "--strict")
    assert strict.exit_code == 1
    assert len(strict.stdout.splitlines()) == 1
    assert "--strict: " in strict.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["--patient", samples.NHS_NUMBER], ["--from-server", "https://fhir.example"]],
    ids=["nothing", "no server", "no patient"],
)
def test_a_command_without_an_input_cannot_start(arguments: list[str]) -> None:
    for command in ("convert", "evaluate", "explain"):
        assert run(command, *arguments).exit_code == 2


def test_a_record_on_a_server_is_put_together_with_a_file(files: list[Path]) -> None:
    base = "https://fhir.example/r4"
    with responses.RequestsMock() as server:
        server.post(f"{base}/Patient/_search", json=samples.fhir(samples.patient()))
        server.get(f"{base}/Patient/ada/$everything?_count=200", json=samples.fhir(*PREGNANCY))
        arguments = ["--from-server", base, "--patient", "-", "--format", "ndjson", "--as-of", samples.AS_OF]
        result = run("evaluate", files[1], *arguments, input=f"{samples.NHS_NUMBER}\n")
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == 1


# --- HTTP --------------------------------------------------------------------------------------------------------------
def test_several_records_of_one_request_are_one_record(adapter: Adapter) -> None:
    encoded = base64.b64encode(samples.ORU).decode()
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "record", "resource": samples.fhir(*PREGNANCY)},
            {"name": "record", "valueBase64Binary": encoded},
            {"name": "asOf", "valueDate": samples.AS_OF},
        ],
    }
    client = TestClient(create_app(adapter))
    headers = {"Content-Type": "application/fhir+json"}
    result = client.post("/fhir/R4/$evaluate-referrals", content=orjson.dumps(body), headers=headers).json()
    assert [e["resource"]["resourceType"] for e in result["entry"]].count("ServiceRequest") == 1
    converted = client.post("/fhir/R4/$convert", content=orjson.dumps(body), headers=headers).json()
    assert [e["resource"]["resourceType"] for e in converted["entry"]].count("Provenance") == 2
