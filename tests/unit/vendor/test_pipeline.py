"""A vendor's files the whole way: by ``--mapping``, by the name of their folder, one file or several joined tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.bootstrap import Adapter
from adapter.cli import app
from adapter.coverage import united
from adapter.errors import AdapterError
from adapter.pipeline import check, read_path
from adapter.records import MappedBundle
from adapter.settings import Settings
from tests.unit.vendor.folders import fates, resources, write

MAPPINGS = Path(__file__).resolve().parents[3] / "mappings"
CSV = MAPPINGS / "example-csv" / "tests" / "maternity-epr.csv"
JSON = MAPPINGS / "example-json" / "tests" / "maternity-epr.json"


def made(path: Path, mapping: str = "", adapter: Adapter | None = None) -> list[MappedBundle]:
    found = list(read_path(adapter or Adapter(), path, mapping))
    assert not [one for one in found if isinstance(one, AdapterError)]
    return [check(one) for one in found if isinstance(one, MappedBundle)]


@pytest.mark.parametrize(("path", "mapping", "women"), [(CSV, "example-csv", 2), (JSON, "example-json", 1)])
def test_the_examples_are_valid_and_leave_nothing_unmapped(path: Path, mapping: str, women: int) -> None:
    records = made(path, mapping)
    assert [record.refused for record in records] == [False] * women
    assert "unmapped" not in {use.fate for use in united(use for record in records for use in record.coverage)}


def test_a_folder_named_like_the_mapping_is_read_with_it(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox" / "example-csv"
    inbox.mkdir(parents=True)
    shutil.copy(CSV, inbox / "a.txt")
    assert [r.bundle for r in made(tmp_path / "inbox")] == [r.bundle for r in made(CSV, "example-csv")]


def test_several_tables_of_one_export_are_joined(tmp_path: Path) -> None:
    write(
        tmp_path,
        mappings__two__mapping="""\
name: two
version: 1.0.0
source: csv
format: {delimiter: "|", dates: DD/MM/YYYY, lists: {Problems: /}}
patient: {table: women, key: Id}
joins: {visits: {to: women, by: Woman, key: Id}}
""",
        mappings__two__blocks="""\
- {resource: Patient, for_each: women, id: [Id], birthDate: {from: Born, as: date}}
- {resource: Condition, for_each: Problems, code: {text: {from: value}}, recordedDate: {from: visits.On, as: date}}
""",
    )
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "women.csv").write_text("Id|Born\n1|01/02/1990\n")
    (folder / "visits.csv").write_text("Woman|On|Problems\n1|03/04/2026|a/b\n9|03/04/2026|c\n")
    adapter = Adapter(Settings(MAPPINGS_PATH=tmp_path / "mappings"))  # type: ignore[call-arg]
    hers, orphans = made(folder, "two", adapter)
    assert [r.get("recordedDate") for r in resources(hers)] == [None, "2026-04-03", "2026-04-03"]
    assert orphans.refused
    assert set(fates(hers).values()) == {"mapped"}


def test_one_mother_in_csv_and_json_is_decided_alike() -> None:
    folder = Path(__file__).resolve().parents[3] / "fixtures" / "60-vendor-epds-nine-item-ten-one"
    rule = ["--as-of", "2026-03-02", "--rule", "r03-any-self-harm-answer"]
    csv, json = (
        CliRunner().invoke(app, ["explain", str(folder / f"example-{kind}"), *rule]) for kind in ("csv", "json")
    )
    assert "Observation.valueInteger at contact row 3, EPDS Q10" in csv.output
    assert "Observation.valueInteger at /patients/0/assessments/0/items/0/score" in json.output


def test_a_mapping_that_is_not_there_cannot_start() -> None:
    result = CliRunner().invoke(app, ["convert", str(CSV), "--mapping", "nowhere"])
    assert result.exit_code != 0
    assert "there is no mapping 'nowhere'" in str(result.exception)
