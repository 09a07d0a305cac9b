"""The two commands at the terminal: exit codes, where output goes, and what is said when they cannot start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from adapter.cli import app, main
from tests.unit.simulate.builders import cohort, mother, pack


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, ["rules", *arguments])


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(tmp_path_factory.mktemp("packs") / "b", epds_possible="11", self_harm_item_gp="2")


def test_diff_exits_0_where_nothing_differs() -> None:
    result = run("diff", "", "")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "no difference")


def test_diff_exits_1_where_something_does_and_names_the_safety_rule(other: Path) -> None:
    result = run("diff", "@2026-03-02", f"{other}@2026-03-02")
    assert result.exit_code == 1
    assert "!  This touches the safety rules r03-any-self-harm-answer\n" in result.stdout


def test_diff_as_data(other: Path) -> None:
    result = run("diff", "", str(other), "--format", "json", "--as-of", "2026-03-02")
    assert {each["id"] for each in json.loads(result.stdout)["changes"] if each["section"] == "parameters"} == {
        "epds-possible",
        "self-harm-item-gp",
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("diff", "nowhere", ""), "perinatal: A: there is no folder 'nowhere'"),
        (("diff", "", "@soon"), "perinatal: B: after '@' comes a day"),
        (("diff", "", ":nobody"), "no provider is called 'nobody'"),
        (("diff", "", "", "--as-of", "soon"), "perinatal: --as-of takes a date"),
        (("diff", "", "@2001-01-01"), "has no value on 2001-01-01"),
        (("simulate", "--cohort", ".", "--b", "nowhere"), "perinatal: B: there is no folder 'nowhere'"),
        (("simulate", "--cohort", ".", "--a", "@soon", "--b", ""), "perinatal: A: after '@' comes a day"),
    ],
)
def test_what_cannot_start_exits_2_with_one_line(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_side_that_cannot_be_loaded_exits_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = cohort(tmp_path / "c", a=mother(10))
    monkeypatch.setattr("sys.argv", ["perinatal", "rules", "simulate", "--cohort", str(folder), "--b", ":nobody"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr() == ("", "perinatal: B: there is no provider 'nobody'\n")


def test_simulate_prints_a_table_and_writes_both_files(tmp_path: Path, other: Path) -> None:
    folder = cohort(tmp_path / "c", a=mother(10), b=mother(9, 1))
    result = run(
        "simulate",
        "--cohort",
        str(folder),
        "--b",
        str(other),
        "--as-of",
        "2026-03-02",
        "--json",
        str(tmp_path / "s.json"),
        "--html",
        str(tmp_path / "s.html"),
    )
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    first, second = (next(at for at, line in enumerate(lines) if name in line) for name in ("│ b.json", "│ a.json"))
    assert first < second
    assert "SAFETY RULE" in lines[first]
    assert "SAFETY RULE" not in lines[second]
    assert lines[-2] == "SAFETY RULE: lost, later or not decided in B for b.json"
    assert lines[-1] == "2 records, 2 changed; referrals: 2 lost"
    assert json.loads((tmp_path / "s.json").read_text())["summary"]["safety"] == 1
    assert (tmp_path / "s.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_simulate_as_data_prints_nothing_else(tmp_path: Path, other: Path) -> None:
    folder = cohort(tmp_path / "c", a=mother(10), broken="{")
    result = run("simulate", "--cohort", str(folder), "--b", str(other), "--format", "json", "--as-of", "2026-03-02")
    assert result.exit_code == 1
    assert [each["record"] for each in json.loads(result.stdout)["failed"]] == ["broken.json"]


def test_simulate_says_that_nothing_differs(tmp_path: Path) -> None:
    result = run("simulate", "--cohort", str(cohort(tmp_path / "c", a=mother(10))), "--b", "", "--as-of", "2026-03-02")
    assert result.exit_code == 0
    assert "Nothing differs for anybody." in result.stdout
