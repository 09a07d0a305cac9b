"""Fields of an HL7 v2 segment: names, escapes, repetitions, places, and what a segment hangs on."""

from __future__ import annotations

import pytest

from adapter.records import RawRecord
from adapter.sources.hl7v2 import read
from adapter.sources.hl7v2_rows import Encoding, Segment, parse_path
from adapter.sources.model import Row


def segment(text: str) -> Segment:
    return Segment(text.split("|"), 2, 1, Encoding(), {}, {})


PID = segment('PID|1||123^^^A&1.2&ISO~456^^^B||A\\T\\B^ C ||19900101|""|""^|| ~x|')


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("PID-1", "1"),
        ("PID-1.1", "1"),
        ("PID-1.1.1", "1"),
        ("PID-1.2", None),
        ("PID-2", None),
        ("PID-3", "123"),
        ("PID-3.4", "A"),
        ("PID-3.4.1", "A"),
        ("PID-3.4.2", "1.2"),
        ("PID-3.4.9", None),
        ("PID-3.9", None),
        ("PID-3[2].1", "456"),
        ("PID-3[3].1", None),
        ("PID-5", "A&B"),
        ("PID-5.2", "C"),
        ("PID-8", None),
        ("PID-9.1", None),
        ("PID-99", None),
        ("OBX-5", None),
    ],
)
def test_get(field: str, value: str | None) -> None:
    assert PID.get(field) == value


def test_populated_names_every_leaf_once() -> None:
    names = list(PID.populated())
    assert names == [
        "PID-1", "PID-3.1", "PID-3.4.1", "PID-3.4.2", "PID-3.4.3", "PID-3[2].1", "PID-3[2].4",
        "PID-5.1", "PID-5.2", "PID-7", "PID-8", "PID-9.1", "PID-11[2]",
    ]  # fmt: skip


def test_repetitions_are_rows_of_components() -> None:
    first, second = PID.each("PID-3")
    assert [first.get(name) for name in ("1", "4", "4.2", "5", "PID-7")] == ["123", "A", "1.2", None, "19900101"]
    assert second.place("4") == "PID-3[2].4 (segment 2 of message 1)"
    assert second.place("") == "PID-3[2] (segment 2 of message 1)"
    assert first.place("4.2") == "PID-3.4.2 (segment 2 of message 1)"
    assert list(first.populated()) == ["1", "4.1", "4.2", "4.3"]
    assert [list(row.populated()) for row in PID.each("PID-11")] == [["1"]]
    assert PID.each("PID-2") == []
    assert first.each("1") == []
    assert len(first.each("PID-3")) == 2


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f"),
        (r"\H\bold\N\ text", "bold text"),
        (r"one\.br\two", "one\ntwo"),
        (r"\X48692e\ ", "Hi."),
        (r"\XC3A2\ \XE2\ ", "â â"),
        (r"a\X00\b", "a b"),
        (r"\XZZ\ \Zown\ \C2842\ ", r"\XZZ\ \Zown\ \C2842" "\\"),
        ("50\\% of", "50\\% of"),
        ("a\\b\\F\\", "a\\b|"),
        ("\\", "\\"),
    ],
)
def test_escape_sequences(raw: str, text: str) -> None:
    assert Encoding().text(raw) == text


def test_bytes_are_of_the_messages_character_set() -> None:
    assert Encoding(codec="iso8859-15").text(r"\XA4\ ") == "€"


@pytest.mark.parametrize("name", ["PID", "PID-", "PID-0", "PID-x", "pid-3", "3[2]", "1.2.3", "", "PID-3.1.1.1"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="no HL7 v2 field name"):
        parse_path(name)


TEXT = """\
MSH|^~\\&|MAT|RX1|||20240301||ORU^R01|1|P|2.4
PID|1||9990000018^^^NHS
PD1|||P^^A81001
NTE|1||about the patient
PV1|1|O
ORC|RE|P1
OBR|1|P1|F1|a
NTE|1||about the order
OBX|1|NM|a||1||||||F
NTE|1||about the result
NTE|2||and more
OBX|2|NM|b||1||||||F
OBR|2|P2|F2|a
OBX|1|NM|c||1||||||F
"""


def rows() -> dict[int, Row]:
    (record,) = read(RawRecord("x", TEXT.encode()))
    return dict(enumerate(record.order, 1))


def test_what_a_segment_hangs_on() -> None:
    at = rows()
    assert at[9].get("OBR-3") == "F1"
    assert at[9].get("ORC-2") == "P1"
    assert at[9].get("PID-3") == "9990000018"
    assert at[9].get("PV1-2") == "O"
    assert at[9].get("MSH-9.2") == "R01"
    assert at[9].place("OBR-3") == "OBR-3 (segment 7 of message 1)"
    assert at[14].get("OBR-3") == "F2"
    assert at[14].get("ORC-2") is None
    assert at[2].get("PD1-3.3") == "A81001"
    assert at[2].get("OBR-3") is None
    assert at[10].get("OBX-3") == "a"
    assert at[4].related("OBX") is None
    assert at[8].related("OBX") is None
    assert at[9].each("PID-3")[0].get("1") == "9990000018"
    assert at[9].each("MRG-1") == []


def test_notes_hang_on_the_result_before_them() -> None:
    at = rows()
    assert (at[10].related("OBX"), at[11].related("OBX")) == (at[9], at[9])
    assert at[9].each("NTE") == []


def test_the_header_keeps_its_delimiters() -> None:
    head = rows()[1]
    assert (head.get("MSH-1"), head.get("MSH-2"), head.get("MSH-3"), head.get("MSH-9.2")) == (
        "|",
        "^~\\&",
        "MAT",
        "R01",
    )
    assert list(head.populated())[:3] == ["MSH-1", "MSH-2", "MSH-3"]
    assert head.place("") == "MSH (segment 1 of message 1)"
