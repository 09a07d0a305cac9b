"""Which pack a command is about where none is named: the one in use."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import app
from tests.unit.rules.tiny import AS_OF, write

TEST = "- {name: n, as_of: 2026-03-02, given: {score: 20}, expect: {fired: [r1]}}\n"
COMMANDS = {
    "test": ["test"],
    "coverage": ["coverage"],
    "lint": ["lint", "--as-of", AS_OF.isoformat()],
    "docs": ["docs", "--no-coverage", "--as-of", AS_OF.isoformat(), "--out", "OUT"],
    "export": ["export", "--as-of", AS_OF.isoformat(), "--out", "OUT"],
}


def run(arguments: list[str], out: Path) -> tuple[int, str, list[str]]:
    """The exit code, what was printed, and the files written."""
    written = [str(out) if each == "OUT" else each for each in arguments]
    found = CliRunner().invoke(app, ["rules", *written])
    return found.exit_code, found.output.replace(str(out), ""), sorted(path.name for path in out.glob("*"))


@pytest.mark.parametrize("command", COMMANDS)
def test_where_no_folder_is_named_it_is_the_one_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    pack = write(tmp_path / "pack")
    (pack / "tests").mkdir()
    (pack / "tests" / "t.yaml").write_text(TEST, encoding="utf-8")
    monkeypatch.delenv("RULES_PATH", raising=False)
    named = run([*COMMANDS[command], str(pack)], tmp_path / "named")
    monkeypatch.setenv("RULES_PATH", str(pack))
    assert run(COMMANDS[command], tmp_path / "in-use") == named
    monkeypatch.setenv("RULES_PATH", str(tmp_path / "nowhere"))
    assert run([*COMMANDS[command], str(pack)], tmp_path / "above-the-settings") == named
    code, output, written = run(COMMANDS[command], tmp_path / "nothing")
    assert (code, written) == (2, [])
    assert "there is no such file, so this folder is no pack" in output


@pytest.mark.parametrize("command", ["docs", "export"])
def test_where_no_provider_is_named_it_is_the_one_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    pack = write(tmp_path / "pack")
    (pack / "providers" / "away.yaml").write_text("provider: away\ntitle: Away\n", encoding="utf-8")
    monkeypatch.setenv("PERINATAL_PROVIDER", "away")
    assert run([*COMMANDS[command], str(pack)], tmp_path / "out")[0] == 0
    written = "".join(path.read_text(encoding="utf-8") for path in sorted((tmp_path / "out").rglob("*.*")))
    assert "away" in written


def test_without_settings_it_is_the_shipped_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from adapter.commands.arguments import pack_in_use
    from rules import LIBRARY

    monkeypatch.delenv("RULES_PATH", raising=False)
    monkeypatch.delenv("PERINATAL_RULES_PATH", raising=False)
    assert pack_in_use(None) == LIBRARY
