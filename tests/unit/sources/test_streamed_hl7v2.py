"""A batch that is too large to be held is read like one that is held, message by message."""

from __future__ import annotations

import gc
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import Malformed
from adapter.records import RawRecord
from adapter.sources import pieces
from adapter.sources.hl7v2 import read, read_file
from adapter.sources.hl7v2_rows import Segment
from adapter.sources.model import SourceRecord

NUMBERS = ("9990000018", "9990000026", "9990000034")
_person = st.sampled_from(
    [*(f"{n}^^^NHS" for n in NUMBERS[:2]), "A^^^RX1", "B^^^RX1", f"A^^^RX1~{NUMBERS[0]}^^^NHS", ""]
)
_messages = st.builds(
    lambda kind, pid, prior, more: (
        f"MSH|^~\\&|A|B|C|D|20260227||{kind}|{more}|P|2.5\rPID|1||{pid}||XXTESTPATIENT^É\r"
        + (f"MRG|{prior}\r" if kind == "ADT^A40" else "OBR|1|O|||||20260227\rOBX|1|NM|E||9||||||F\r")
        + ("PID|2||B^^^RX1\r" if more == 2 else "")
    ),
    st.sampled_from(["ORU^R01", "ADT^A40", "SIU^S12"]),
    _person,
    _person,
    st.integers(0, 2),
)
_between = st.sampled_from(["", "\r", "\n", "\x1c\r", "\x1c\r\x0b", "\x0b", "junk\r", "BHS|^~\\&\r", "BTS|1\r", " \n"])
_batches = st.lists(st.tuples(_between, _messages), min_size=1, max_size=6).map(
    lambda found: "".join(between + message for between, message in found)
)


def _seen(record: SourceRecord) -> object:
    rows = [(row.place(""), dict(row.texts)) for row in record.order]
    return (
        record.patient_key,
        record.refused,
        record.issues,
        rows,
        [row.place("") for row in record.rows.get("PID", ())],
    )


def _streamed(data: bytes, longest: int = 10**6) -> list[SourceRecord]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "in.hl7"
        path.write_bytes(data)
        return list(read_file(path, longest))


@settings(max_examples=150, deadline=None)
@given(_batches, st.sampled_from(["", "\x1c", "\x1c\r", "OBX|1|NM|E"]), st.integers(1, 300))
def test_streamed_is_as_held(text: str, end: str, chunk: int) -> None:
    data = (text + end).encode()
    before = pieces._CHUNK
    pieces._CHUNK = chunk
    try:
        streamed = [_seen(record) for record in _streamed(data)]
    finally:
        pieces._CHUNK = before
    assert streamed == [_seen(record) for record in read(RawRecord("in.hl7", data))]


ORU = "MSH|^~\\&|A|B|C|D|20260227||ORU^R01|{}|P|2.5\rPID|1||{}^^^RX1\rOBR|1|O|||||20260227\rOBX|1|NM|E||9||||||F\r"


def test_a_message_or_a_patient_that_is_too_long_is_refused_and_the_others_are_read() -> None:
    short, hers = ORU.format(1, "A"), ORU.format(2, "B")
    long = ORU.format(3, "C").replace("|9|", f"|{'9' * 400}|")
    many = "".join(hers.replace("|2|P", f"|{n}|P") for n in range(5))
    data = f"{short}{long}{many}{'x' * 500}".encode()
    for records in (_streamed(data, 300), _streamed(data + b"\r" + short.encode(), 300)):
        assert [(r.patient_key, r.refused, [i.code for i in r.issues if i.severity == "error"]) for r in records] == [
            ("RX1|A", False, []),
            ("RX1|B", True, ["too-long"]),
            ("", True, ["too-long"]),
            ("", True, ["too-long"]),
        ][: len(records)]


def test_few_messages_are_alive_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_CHUNK", 1000)
    path = tmp_path / "in.hl7"
    path.write_text("".join(ORU.format(n, f"P{n % 100}") for n in range(200)))
    gc.collect()
    before, most, rows = _live(), 0, []
    for record in read_file(path):
        rows.append(len(record.order))
        most = max(most, _live() - before)
    assert rows == [8] * 100
    assert 0 < most <= 40


def _live() -> int:
    gc.collect()
    return sum(type(one) is Segment for one in gc.get_objects())


def test_a_file_without_a_message_is_refused() -> None:
    with pytest.raises(Malformed, match="no HL7 v2 message"):
        _streamed(b"BHS|^~\\&\rBTS|0\r")
