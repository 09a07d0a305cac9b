"""What is done with a message: its record evaluated, the result in a folder, the reasons with their places."""

from __future__ import annotations

import logging
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapter.bootstrap import Adapter
from adapter.errors import CannotStart
from adapter.mllp.acknowledgement import Answer
from adapter.mllp.process import EvaluateToFolder, write_whole
from adapter.store.journal import Entry, Journal, State
from tests import samples
from tests.unit.mllp.messages import FAMILY, NHS, NOW, OBR, OBX, PID, message

ADAPTER = Adapter()
TODAY = date(2026, 3, 2)


def run(folder: Path, data: bytes, number: int = 1) -> tuple[Answer, list[dict[str, Any]]]:
    journal = Journal(folder.with_suffix(".sqlite3"), lambda: NOW)
    process = EvaluateToFolder(ADAPTER, journal, folder, lambda: TODAY)
    entry = Entry(number, NOW, "mllp", sha256(data).hexdigest(), data, State.PENDING)
    answer = process(entry)
    journal.close()
    (file,) = folder.glob(f"{number:09d}-*")
    assert file.name == f"{number:09d}-{entry.digest[:12]}.ndjson"
    return answer, [orjson.loads(line) for line in file.read_bytes().splitlines()]


def kinds(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["resourceType"] for entry in bundle["entry"]]


def reasons(answer: Answer) -> list[tuple[int, str, str]]:
    return [(f.code, "^".join(f.location.parts()) if f.location else "", f.severity) for f in answer.faults]


def test_a_record_is_evaluated_as_of_today_and_its_digest_is_that_of_the_journal(tmp_path: Path) -> None:
    answer, (bundle,) = run(tmp_path, samples.ORU)
    assert answer == Answer("AA")
    assert kinds(bundle).count("ServiceRequest") == 1
    assert f"sha256:{sha256(samples.ORU).hexdigest()}" in str(bundle)
    assert {entry["resource"].get("authoredOn") for entry in bundle["entry"]} >= {TODAY.isoformat()}


def test_the_same_message_and_day_give_the_same_file(tmp_path: Path) -> None:
    run(tmp_path, samples.ORU)
    (file,) = tmp_path.iterdir()
    first = file.read_bytes()
    run(tmp_path, samples.ORU)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [first]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (message("PID|1", OBR, OBX), (101, "PID^1^3", "E")),
        (message(PID, OBR, OBX[:36]), (100, "OBX^1", "E")),
        (message(PID, OBX), (100, "OBX^1", "E")),
        (message("EVN|A01", kind="ADT^A01"), (100, "EVN^1", "E")),
        (message(PID, "not a segment", OBR, OBX), (100, "", "E")),
        (message(PID, "MRG|", kind="ADT^A40"), (101, "MRG^1^1", "E")),
        (message(PID, OBR, OBX) + b"\x1cPID|1\r", (100, "", "E")),
    ],
)
def test_content_that_is_refused_names_its_place(tmp_path: Path, data: bytes, expected: tuple[int, str, str]) -> None:
    answer, lines = run(tmp_path, data)
    assert answer.code == "AE"
    assert expected in reasons(answer)
    assert "OperationOutcome" in {line["resourceType"] for line in lines}


def test_a_score_filed_under_a_baby_names_the_result(tmp_path: Path) -> None:
    baby = "PID|1||9990000026^^^NHS||XXTESTPATIENT^BABY||20260220|1|||||||||||||9990000018^^^NHS"
    answer, _ = run(tmp_path, message(baby, OBR, OBX))
    assert answer.code == "AE"
    assert [place.partition("^")[0] for _, place, _ in reasons(answer)] == ["OBX"]


def test_one_patient_of_two_is_refused_and_the_other_one_is_done(tmp_path: Path) -> None:
    answer, lines = run(tmp_path, message(PID, OBR, OBX, "PID|2", OBR, OBX))
    assert answer.code == "AE"
    assert [line["resourceType"] for line in lines] == ["Bundle", "OperationOutcome"]


@pytest.mark.parametrize(
    "data",
    [
        message("PID|1||9990000026^^^NHS||XXTESTPATIENT^BABY||20260302|1", kind="ADT^A01"),
        message(PID, kind="ADT^A03", version="2.3"),
        message(PID, "MRG|77^^^RX1", kind="ADT^A40^ADT_A39", version="2.5"),
    ],
)
def test_messages_without_anything_to_decide_are_taken(tmp_path: Path, data: bytes) -> None:
    answer, (bundle,) = run(tmp_path, data)
    assert answer.code == "AA"
    assert bundle["resourceType"] == "Bundle"


def test_warnings_go_with_a_yes(tmp_path: Path) -> None:
    answer, _ = run(tmp_path, message("PID|1||9990000019^^^NHS~77^^^RX1", OBR, OBX))
    assert answer.code == "AA"
    assert (102, "PID^1^3^^1", "W") in reasons(answer)


def test_the_end_of_the_frame_is_the_end_of_the_message(tmp_path: Path) -> None:
    answer, _ = run(tmp_path, message().rstrip(b"\r"))
    assert answer == Answer("AA")


def test_no_patient_in_faults_or_logs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bad = message(f"PID|1||{NHS}^^^NHS||{FAMILY}||31021994|{FAMILY}", OBR, f"OBX|1|NM|1^{FAMILY}^X||{FAMILY}||||||F")
    with caplog.at_level(logging.DEBUG):
        answers = [run(tmp_path, data, n)[0] for n, data in enumerate((bad, message(f"PID|1||^^^NHS||{FAMILY}")))]
    assert all(answer.faults for answer in answers)
    assert FAMILY not in str(answers) + caplog.text
    assert NHS not in str(answers) + caplog.text


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space"):
        write_whole(tmp_path / "x", b"data")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart):
        EvaluateToFolder(
            ADAPTER, Journal(tmp_path / "journal", lambda: NOW), tmp_path / "file" / "outbox", lambda: TODAY
        )
