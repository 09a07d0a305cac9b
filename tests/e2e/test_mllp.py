"""``perinatal serve --mllp``: a real process, killed in the middle, started again, stopped.

The examples of docs/hl7v2.md run here too.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import app
from tests import samples

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "hl7v2.md").read_text(encoding="utf-8")
SERVE = "from adapter.cli import main; main()"
KILLING = """
import os, signal
from adapter.mllp import run
from adapter.mllp.process import EvaluateToFolder

class Killing(EvaluateToFolder):
    def __call__(self, entry):
        if {after}:
            super().__call__(entry)
        os.kill(os.getpid(), signal.SIGKILL)

run.EvaluateToFolder = Killing
"""


class Listener:
    """The process; ``said`` is its standard error so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = ""

    def wait_for(self, pattern: str) -> str:
        """The first group of the line that matches."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            if found := re.search(pattern, line):
                return found[1]
        raise AssertionError(self.said)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=30)
        self.said += rest
        return self.process.returncode


@contextmanager
def serving(folder: Path, *options: str, code: str = SERVE) -> Iterator[Listener]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PERINATAL_JOURNAL": str(folder / "journal.sqlite3"),
        "PERINATAL_OUTBOX": str(folder / "outbox"),
    }
    command = [sys.executable, "-c", code, "serve", "--mllp", "0", *options]
    with subprocess.Popen(command, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Listener(process)
        finally:
            process.kill()


def send(port: int, *messages: bytes) -> list[str]:
    """What MSA-1 says to each; "" where the connection ended without an answer."""
    found = []
    for message in messages:
        data = b""
        with socket.create_connection(("127.0.0.1", port), 30) as connection, suppress(ConnectionResetError):
            connection.sendall(b"\x0b" + message + b"\x1c\r")
            while not data.endswith(b"\x1c\r") and (piece := connection.recv(4096)):
                data += piece
        found.append(data.partition(b"\rMSA|")[2][:2].decode())
    return found


@pytest.mark.parametrize("after", [False, True], ids=["before the result is written", "after it"])
def test_killed_between_journal_and_acknowledgement(tmp_path: Path, after: bool) -> None:
    outbox = tmp_path / "outbox"
    with serving(tmp_path, "--mllp-only", code=KILLING.format(after=after) + SERVE) as listener:
        assert send(int(listener.wait_for(r"MLLP on .*:(\d+)")), samples.ORU) == [""]
        assert listener.process.wait(30) == -signal.SIGKILL
    assert len(list(outbox.glob("*.ndjson"))) == after

    with serving(tmp_path, "--mllp-only") as listener:
        assert listener.wait_for(r"^(\d+) messages? of before") == "1"
        port = int(listener.wait_for(r"MLLP on .*:(\d+)"))
        (result,) = outbox.iterdir()
        content = result.read_bytes()
        assert content.count(b"\n") == 1
        assert send(port, samples.ORU) == ["AA"]
        assert [path.read_bytes() for path in outbox.iterdir()] == [content]
        assert send(port, samples.ORU.replace(b"MSG00001", b"MSG00002")) == ["AA"]
        assert len(list(outbox.iterdir())) == 2
        assert listener.stop() == 0
    assert "of before" in listener.said

    with serving(tmp_path, "--mllp-only") as listener:
        listener.wait_for(r"MLLP on .*:(\d+)")
        assert "of before" not in listener.said


def test_beside_http_and_nothing_of_a_patient_is_said(tmp_path: Path) -> None:
    with serving(tmp_path, "--port", "0") as listener:
        port = int(listener.wait_for(r"MLLP on .*:(\d+)"))
        http = listener.wait_for(r"running on http://(\S+)")
        messages = [samples.ORU, samples.ORU.replace(b"ORU^R01", b"SIU^S12"), samples.ORU[:420], b"junk"]
        assert send(port, *messages) == ["AA", "AR", "AE", ""]
        web = HTTPConnection(http, timeout=30)
        web.request("GET", "/health/live")
        assert web.getresponse().status == 200
        web.close()
        assert listener.stop() == 0
    for value in ("SYNTHETIC", samples.NHS_NUMBER, "EXAMPLE STREET", "L100"):
        assert value not in listener.said


def test_what_cannot_start_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").mkdir()
    with serving(tmp_path, "--mllp-only") as listener:
        assert listener.process.wait(30) == 2
        assert listener.process.stderr is not None
        assert "the journal cannot be opened" in listener.process.stderr.read()


def test_without_a_port_there_is_nothing_to_serve() -> None:
    assert CliRunner().invoke(app, ["serve", "--mllp-only"]).exit_code == 2


# the examples of the document


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.splitlines()[0])
def test_the_commands_print_what_the_document_shows(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    command, _, shown = block.removeprefix("$ ").partition("\n")
    program, *arguments = shlex.split(command)
    assert program == "perinatal"
    output = CliRunner(env={"COLUMNS": "120"}).invoke(app, arguments).output
    assert "".join(f"{line.rstrip()}\n" for line in output.splitlines()) == shown


def test_the_client_gets_the_answer_that_the_document_shows(tmp_path: Path) -> None:
    (client,) = blocks("python")
    shown, *_ = blocks("text")
    with serving(tmp_path, "--mllp-only") as listener:
        code = client.replace("2575", listener.wait_for(r"MLLP on .*:(\d+)"))
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert _without_time_and_id(done.stdout) == _without_time_and_id(shown)


def _without_time_and_id(text: str) -> str:
    return re.sub(r"\|\d{14}\+0000\|\|(\S+?)\|\w{20}\|", r"|TIME||\1|ID|", text)


def test_the_document_names_every_segment_and_setting() -> None:
    from adapter.mllp.settings import MllpSettings

    for name in MllpSettings.model_fields:
        wanted = f"PERINATAL_{name.upper()}" if name in ("journal", "outbox") else f"PERINATAL_MLLP_{name.upper()}"
        assert f"`{wanted}`" in DOC, wanted
    for file in (ROOT / "mappings" / "hl7v2").glob("*.yaml"):
        for field in re.findall(r"\b(?:for_each: |from: |each: )([A-Z][A-Z0-9]{2}(?:-\d+)?)", file.read_text()):
            segment, _, number = field.partition("-")
            row = next((line for line in DOC.splitlines() if line.startswith(f"| {segment} ")), "")
            assert row, segment
            assert not number or re.search(rf"\b{number}\b", row), field
