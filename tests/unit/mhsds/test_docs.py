"""The commands and numbers of docs/mhsds.md are real."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from adapter.cli import app
from adapter.quality import load_rules

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "mhsds.md").read_text(encoding="utf-8")


def test_the_commands_run_and_print_what_is_shown(tmp_path: Path) -> None:
    report = tmp_path / "coverage.txt"
    commands = re.findall(r"^\$ perinatal (.*)$", TEXT, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        arguments = [str(ROOT / part) if part.startswith("fixtures/") else part for part in command.split()]
        arguments = [str(report) if part == "coverage.txt" else part for part in arguments]
        assert CliRunner().invoke(app, arguments).exit_code == 0, command
    shown = [line for line in TEXT.splitlines() if line.startswith("record rejected")]
    assert [line for line in report.read_text("utf-8").splitlines() if "rejected" in line] == shown


def test_the_number_of_rules_is_that_of_the_file() -> None:
    assert f"{len(load_rules(ROOT / 'mappings' / 'mhsds' / 'validation.csv'))} of the 503" in " ".join(TEXT.split())
