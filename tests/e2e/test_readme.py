"""Every command that the README (and docs/merging.md) shows runs, and prints what is shown.

Outputs are written by ``python -m tests.e2e.test_readme`` and read by a person before they are committed.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "docs" / "merging.md")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that follows it."""
    found: list[tuple[str, str]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        else:
            command, output = found[-1]
            found[-1] = (command, f"{output}{line}\n")
    return found


def run(command: str) -> str:
    program, *arguments = shlex.split(command)
    assert program == "perinatal"
    result = CliRunner(env={"COLUMNS": "120"}).invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    shown = (line if len(line) <= 700 else line[:120] + " …" for line in result.output.splitlines())
    return "".join(f"{line.rstrip()}\n" for line in shown)


EXAMPLES = [
    example
    for page in PAGES
    for block in BLOCK.findall(page.read_text(encoding="utf-8"))
    for example in commands(block)
]


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_the_readme_shows_what_happens(
    command: str, output: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(command.replace("coverage.txt", str(tmp_path / "coverage.txt"))) == output


def write() -> None:
    """Put what the commands print now into the pages."""

    def shown(match: re.Match[str]) -> str:
        return "```console\n" + "".join(f"$ {command}\n{run(command)}" for command, _ in commands(match[1])) + "```"

    for page in PAGES:
        page.write_text(BLOCK.sub(shown, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
