"""``perinatal rules export``: what it writes, and how it says that it cannot."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from adapter.cli import app
from tests.unit.rules import tiny


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["rules", "export", *map(str, arguments)])


def test_a_file_for_each_resource_and_the_logic_beside_them(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    done = run(tiny.write(tmp_path / "pack"), "--out", out, "--base", "https://site.example/fhir/")
    assert done.exit_code == 0
    # the referral, and the task for a score that is not known
    assert done.stdout.split()[:4] == ["2", "PlanDefinition", "2", "ActivityDefinition"]
    plan = json.loads((out / "PlanDefinition-r1.json").read_bytes())
    assert plan["url"] == "https://site.example/fhir/PlanDefinition/r1"
    assert (out / "logic" / "Tiny.cql").read_text().startswith("library Tiny version '1.2.3'\n")
    assert json.loads((out / "logic" / "Tiny.json").read_bytes())["library"]["identifier"]["id"] == "Tiny"
    assert sum(path.suffix == ".json" for path in out.iterdir()) == sum(map(int, done.stdout.split()[::2]))


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    pack = tiny.write(tmp_path / "pack")
    for name in ("a", "b"):
        assert run(pack, "--out", tmp_path / name).exit_code == 0
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.*")} for name in ("a", "b")]
    assert files[0] == files[1]


def refused(done: Result, says: str) -> None:
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit)
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_what_it_cannot_start_with(tmp_path: Path) -> None:
    pack, out = tiny.write(tmp_path / "pack"), tmp_path / "out"
    refused(run(pack, "--out", out, "--as-of", "2026-02-30"), "'2026-02-30' is no date as YYYY-MM-DD")
    refused(run(pack, "--out", out, "--as-of", "2019-12-31"), "has no value on 2019-12-31")
    refused(run(pack, "--out", out, "--provider", "elsewhere"), "no provider is called 'elsewhere'")
    refused(run(tmp_path / "nothing", "--out", out), "pack.yaml")
    assert not out.exists()


def test_a_code_list_that_cannot_be_read(tmp_path: Path) -> None:
    pack = tiny.write(tmp_path / "pack")
    (pack / "codes").mkdir()
    (pack / "codes" / "list.csv").write_text("system,code,display\nsct,1,One\nsnomed,2,Two\n")
    refused(run(pack, "--out", tmp_path / "out"), "list.csv:3: system is one of sct, loinc, icd10, dmd, local")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(run(tiny.write(tmp_path / "pack"), "--out", tmp_path / "file"), "cannot be written")
