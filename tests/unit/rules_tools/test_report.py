"""The command ``perinatal rules coverage``, and what the shipped pack must reach."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import app
from rules import LIBRARY, ContentError
from rules.tools import measure, usual_jobs
from tests.unit.rules_tools.packs import case, folder

TESTS = case("score: 13", "fired: [r1]") + case("score: 12", "not_fired: [r1]")


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["rules", "coverage", *words])
    return result.exit_code, result.stdout


def test_what_is_missing_is_said_with_its_place_below_the_folder(tmp_path: Path):
    code, text = run(str(folder(tmp_path, TESTS)))
    assert code == 0
    assert "criteria/a.yaml:5: r1: score gte cut-off: unknown" in text.splitlines()
    assert "boundaries 1 of 1 tested on both sides" in text


def test_below_the_wanted_percentage_it_exits_with_1(tmp_path: Path):
    folder(tmp_path, TESTS)
    assert run(str(tmp_path), "--fail-under", "99")[0] == 1
    assert run(str(tmp_path), "--fail-under", "10")[0] == 0


def test_a_low_mutation_score_fails_too(tmp_path: Path):
    full = TESTS.replace("a case", "x") + case("score: unknown", "unknown: [r1]")
    folder(tmp_path, full)
    code, text = run(str(tmp_path), "--mutate", "--fail-under", "99")
    assert code == 1
    assert "refer team: another service" in text


def test_the_table_of_boundaries_shows_each_case(tmp_path: Path):
    _, text = run(str(folder(tmp_path, TESTS)), "--boundaries")
    assert "      12  not-fired" in text
    assert "      13  fired, team routine" in text


def test_json_says_the_same(tmp_path: Path):
    _, text = run(str(folder(tmp_path, TESTS)), "--mutate", "--format", "json")
    found = json.loads(text)
    assert found["tests"] == 2
    assert found["coverage"]["uncovered"][0] == {
        "file": "criteria/a.yaml",
        "line": 2,
        "group": "r1",
        "what": "the rule",
        "outcome": "unknown",
    }
    assert found["boundaries"][0]["cases"][0] == {"value": "12", "result": "not-fired"}
    assert set(found["mutation"]) == {"score", "killed", "total", "survivors"}


def test_with_a_test_that_fails_nothing_is_measured(tmp_path: Path):
    folder(tmp_path, case("score: 1", "fired: [r1]"))
    with pytest.raises(ContentError, match=r"t\.yaml:1:1: the test 'a case' does not hold"):
        measure(tmp_path)
    assert run(str(tmp_path))[0] == 2


def test_the_shipped_pack_is_covered_and_its_tests_notice_what_goes_wrong():
    report = measure(LIBRARY, mutation=True, jobs=usual_jobs())
    assert report.mutation is not None
    said = "\n".join(report.lines())
    assert report.coverage.percent >= 95, said
    assert report.mutation.score >= 95, said
    idle = {each.criterion for each in report.boundaries if not each.matters}
    off_the_scale = {"epds_total gte epds-severe", "epds_total gte epds-says-perinatal-from"}
    assert idle <= off_the_scale, said
