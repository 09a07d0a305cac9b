"""``perinatal rules docs``: its exit codes, and the adapter's words for tasks and alerts."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapter.cli import app
from tests.unit.rules.tiny import rule, write
from tests.unit.rules_docs.pages import text

FAILING = "- {name: a, as_of: 2026-03-02, given: {score: 1}, expect: {fired: [r1]}}"


def docs(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rules", "docs", *arguments])


def test_it_writes_the_pages_and_says_where(tmp_path: Path):
    pack, out = write(tmp_path / "pack"), tmp_path / "deep" / "site"
    result = docs(str(pack), "--out", str(out), "--as-of", "2026-03-02")
    assert result.exit_code == 0
    assert result.stdout == f"10 files in {out}: open {out / 'index.html'}\n"
    assert len(list(out.iterdir())) == 10
    assert "0 of 6" in (out / "index.html").read_text()


def test_tasks_and_alerts_are_in_the_words_of_their_code_systems(tmp_path: Path):
    then = "[{task: {code: assess-bonding}}, {flag: {code: postpartum-watch}}]"
    pack, out = write(tmp_path / "pack", criteria=rule("{ill: present}", then=then)), tmp_path / "site"
    assert docs(str(pack), "--out", str(out), "--no-coverage").exit_code == 0
    words = text((out / "rule-r1.html").read_text())
    assert "Task: Complete the Postpartum Bonding Questionnaire" in words
    assert "Alert: High risk in the first weeks after birth" in words


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--provider", "nowhere"], "no provider is called 'nowhere'; there are: home"),
        (["--as-of", "2.3.2026"], "--as-of takes a date as YYYY-MM-DD"),
        (["--as-of", "2001-01-01"], "has no value on 2001-01-01"),
    ],
)
def test_what_cannot_start_says_why_in_a_line_and_writes_nothing(tmp_path: Path, arguments: list[str], says: str):
    out = tmp_path / "site"
    result = docs(str(write(tmp_path / "pack")), "--out", str(out), "--no-coverage", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert not out.exists()


def test_a_test_that_does_not_hold_stops_it_unless_nothing_is_measured(tmp_path: Path):
    pack = write(tmp_path / "pack")
    (pack / "tests").mkdir()
    (pack / "tests" / "t.yaml").write_text(FAILING)
    result = docs(str(pack), "--out", str(tmp_path / "site"))
    assert result.exit_code == 2
    assert "the test 'a' does not hold: run 'perinatal rules test' first" in result.stderr
    assert docs(str(pack), "--out", str(tmp_path / "site"), "--no-coverage").exit_code == 0


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    result = docs(str(write(tmp_path / "pack")), "--out", str(tmp_path / "file" / "site"), "--no-coverage")
    assert result.exit_code == 2
    assert result.stderr.startswith("perinatal: ")
