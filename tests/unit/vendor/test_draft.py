"""A draft loads, lists every field, holds nothing of the sample's values, and never overwrites."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import app
from adapter.errors import CannotStart, Malformed
from adapter.mapping import load_mapping
from adapter.mapping.draft import draft
from adapter.mapping.lint import lint_mapping
from tests.unit.vendor.folders import resources, run

CSV = "NHS number;D.O.B.;Post Code;Yes;EPDS: total\n999 006 6116;17/06/1994;ZZ99 3VZ;secret;12\n"
JSON = {
    "made": "now",
    "people": [
        {"nhsNumber": "9990066116", "birthDate": "17-Jun-1994", "died": None, "visits": [{"scores": [{"n": 1}]}]},
        {"nhsNumber": "9990066124", "birthDate": "1994-06-17", "visits": [{"on": "secret", "scores": []}]},
    ],
}


def test_a_csv_sample(tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text(CSV)
    proposed = draft("clinic", sample, tmp_path)
    assert proposed == {
        "record.NHS number": "key",
        "record.D.O.B.": "birth_date",
        "record.Post Code": "postcode",
    } or set(proposed) == {"record.NHS number", "record.D.O.B.", "record.Post Code"}
    (result,) = run(load_mapping(tmp_path / "clinic"), CSV)
    (patient,) = resources(result)
    assert (patient["birthDate"], patient["identifier"][0]["value"]) == ("1994-06-17", "9990066116")
    unmapped = {use.field for use in result.coverage if use.fate == "unmapped"}
    assert unmapped == {"record.Yes", "record.EPDS: total"}
    assert len(lint_mapping(tmp_path / "clinic")) == 2
    assert "secret" not in "".join(path.read_text() for path in (tmp_path / "clinic").iterdir())


def test_a_json_sample(tmp_path: Path) -> None:
    sample = tmp_path / "sample.json"
    sample.write_text(json.dumps(JSON))
    draft("clinic", sample, tmp_path)
    one, two = run(load_mapping(tmp_path / "clinic"), json.dumps(JSON), "sample.json")
    assert [resources(result)[0]["birthDate"] for result in (one, two)] == ["1994-06-17", "1994-06-17"]
    todo = (tmp_path / "clinic" / "todo.yaml").read_text()
    assert all(name in todo for name in ("file.made", "people.died", "visits.on", "scores.n"))
    unmapped = {use.field for result in (one, two) for use in result.coverage if use.fate == "unmapped"}
    assert unmapped == {"file.made", "visits.on", "scores.n"}


def test_nothing_is_overwritten_and_names_are_names(tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text(CSV)
    (tmp_path / "taken").mkdir()
    for name in ("taken", "../up", "Two Words", ""):
        with pytest.raises(CannotStart):
            draft(name, sample, tmp_path)
    assert not list((tmp_path / "taken").iterdir())


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "a,a\n1,2\n"])
def test_a_sample_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path, text: str) -> None:
    sample = tmp_path / "sample"
    sample.write_text(text)
    with pytest.raises(Malformed):
        draft("clinic", sample, tmp_path)
    assert not (tmp_path / "clinic").exists()


def test_strict_conversion_fails_where_a_field_is_not_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAPPINGS_PATH", "mappings")
    (tmp_path / "sample.csv").write_text(CSV)
    new = CliRunner().invoke(app, ["mappings", "new", "clinic", "--from", "sample.csv"])
    assert new.exit_code == 0, new.output
    convert = ["convert", "sample.csv", "--mapping", "clinic"]
    assert CliRunner().invoke(app, convert).exit_code == 0
    assert CliRunner().invoke(app, [*convert, "--strict"]).exit_code == 1
