"""Documents whose console blocks are run, and whose files (a code block named like one) are written first.

A block named ``>>FILE`` is what a reader adds at the end of a file.

``python -m tests.e2e.console DOCUMENT…`` puts what the commands print now into the documents, for a person to read
before it is committed. Commands but ``perinatal``, ``curl``, ``cat``, ``cp -r``, ``grep``, ``sed`` and ``export`` are shown
and not run. ``curl`` asks a server in this process, whatever host it names.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi.testclient import TestClient
from typer.testing import CliRunner

from adapter.bootstrap import NoSuchProvider
from adapter.cli import app
from adapter.errors import CannotStart
from adapter.http.app import create_app

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(?P<kind>\w+)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LONGEST = 700


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a reader does: writes a file (``name`` set), or gives a command and reads its output."""

    name: str
    text: str
    output: str = ""


def steps(document: str) -> Iterator[Step]:
    """The steps of a document, in order."""
    for block in _BLOCK.finditer(document):
        if block["kind"] == "console":
            for command, output in commands(block["text"]):
                yield Step("", command, output)
        elif block["name"]:
            yield Step(block["name"], block["text"])


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


def run(command: str) -> str | None:
    """What a command prints; None for one that is not run here."""
    program, *arguments = shlex.split(command)
    if program == "export":
        name, _, value = arguments[0].partition("=")
        os.environ[name] = value
        return ""
    if program == "grep":
        pattern, name = arguments
        lines = Path(name).read_text(encoding="utf-8").splitlines(keepends=True)
        return "".join(line for line in lines if re.search(pattern, line))
    if program == "cp":
        _, source, target = arguments
        shutil.copytree(source, target)
        return ""
    if program == "cat":
        return "".join(Path(name).read_text(encoding="utf-8") for name in arguments)
    if program == "sed":
        return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout
    if program == "curl":
        return _shown(_asked(arguments))
    if program != "perinatal":
        return None
    result = CliRunner(env={"COLUMNS": "120"}).invoke(app, arguments)
    output = result.output
    if isinstance(result.exception, CannotStart | NoSuchProvider):
        output += f"perinatal: {result.exception}\n"
    elif result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return _shown(output)


def _shown(output: str) -> str:
    lines = (line if len(line) <= _LONGEST else line[:120] + " …" for line in output.splitlines())
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _asked(arguments: list[str]) -> str:
    """What ``curl -s [-H HEADER] [--data-binary TEXT or @FILE] [-w FORMAT] URL`` prints."""
    options = ArgumentParser()
    options.add_argument("-s", action="store_true")
    options.add_argument("-H", action="append", default=[])
    options.add_argument("--data-binary")
    options.add_argument("-w", default="")
    options.add_argument("url")
    given = options.parse_args(arguments)
    url = given.url.split("//", 1)[1].partition("/")[2]
    headers = dict(header.split(": ", 1) for header in given.H)
    with TestClient(create_app()) as client:
        if given.data_binary is None:
            answer = client.get(f"/{url}", headers=headers)
        else:
            text = given.data_binary
            body = Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
            answer = client.post(f"/{url}", content=body, headers=headers)
    return answer.text + given.w.replace("\\n", "\n").replace("%{http_code}", str(answer.status_code))


def follow(document: str) -> Iterator[tuple[Step, str | None]]:
    """Each command with what it prints when all steps before it have been taken, here."""
    for step in steps(document):
        if step.name:
            path = Path(step.name.removeprefix(">>"))
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a" if step.name.startswith(">>") else "w", encoding="utf-8") as file:
                file.write(step.text)
        else:
            yield step, run(step.text)


def enter(folder: Path) -> None:
    """Go to where a document is followed: an empty folder, but for what a clone has to read."""
    for name in ("fixtures", "docs", "rules"):
        (folder / name).symlink_to(ROOT / name)
    os.chdir(folder)


def write(path: Path) -> None:
    """Put what the commands print now into a document."""
    document = path.read_text(encoding="utf-8")
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        enter(Path(folder))
        outputs = iter([output for _, output in follow(document)])
        os.chdir(ROOT)
    os.environ.clear()  # what one document exports is not there in the next
    os.environ.update(before)

    def shown(block: re.Match[str]) -> str:
        if block["kind"] != "console":
            return block[0]
        parts = []
        for command, output in commands(block["text"]):
            now = next(outputs)
            parts.append(f"$ {command}\n{output if now is None else now}")
        return "```console\n" + "".join(parts) + "```"

    path.write_text(_BLOCK.sub(shown, document), encoding="utf-8")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        write(ROOT / argument)
