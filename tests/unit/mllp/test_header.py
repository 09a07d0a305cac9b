"""What can be told of a message from its MSH alone: whether it can be taken, and where an answer goes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.mllp.acknowledgement import Answer, acknowledge
from adapter.mllp.header import Header, find_header, refusal
from tests.unit.mllp.messages import NOW, PID, message


def refused(data: bytes, taken: str = "P") -> tuple[int, list[str]] | None:
    header = find_header(data)
    assert header is not None
    fault = refusal(header, data, taken)
    return fault and (fault.code, fault.location.parts() if fault.location else [])


def test_fields_of_the_header() -> None:
    assert find_header(message(version="2.4^GBR") + b"PID|1") == Header(
        "|", "^~\\&", ("MAT", "RX1"), ("PERI", "RX2"), "ORU", "R01", "M1", "P", "2.4", "", True
    )


def test_delimiters_and_character_set_are_those_of_the_message() -> None:
    header = find_header(b"MSH$%~\\&$M\xe9$$$$$$ADT%A01$7$P%T$2.3$$$$$$8859/1\r")
    assert header is not None
    assert (header.separator, header.marks, header.sending[0]) == ("$", "%~\\&", "M\xe9")
    assert (header.kind, header.event, header.processing_id, header.charset) == ("ADT", "A01", "P", "8859/1")


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n\r\n", b"xMSH|^~\\&|", b"\x16\x03\x01\x02"])
def test_no_header(data: bytes) -> None:
    assert find_header(data) is None


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1"])
@pytest.mark.parametrize("kind", ["ADT^A01", "ADT^A40^ADT_A39", "ORU^R01"])
def test_what_is_taken(version: str, kind: str) -> None:
    assert refused(message(version=version, kind=kind)) is None


@pytest.mark.parametrize(
    ("data", "code", "location"),
    [
        (b"junk\r" + message(), 100, []),
        (message() + message(), 100, []),
        (message() + b"BTS|1\r", 100, []),
        (b"FHS|^~\\&\r" + message(), 100, []),
        (b"MSH\r", 102, ["MSH", "1", "2"]),
        (b"MSH|^^\\&|A\r", 102, ["MSH", "1", "2"]),
        (message(kind=""), 101, ["MSH", "1", "9"]),
        (message(control_id=""), 101, ["MSH", "1", "10"]),
        (message(p=""), 101, ["MSH", "1", "11"]),
        (message(version=""), 101, ["MSH", "1", "12"]),
        (b"MSH|^~\\&|A\r", 101, ["MSH", "1", "9"]),
        (message(kind="SIU^S12"), 200, ["MSH", "1", "9", "1", "1"]),
        (message(kind="ADT^A34"), 201, ["MSH", "1", "9", "1", "2"]),
        (message(kind="ADT"), 201, ["MSH", "1", "9", "1", "2"]),
        (message(p="T"), 202, ["MSH", "1", "11"]),
        (message(version="2.6"), 203, ["MSH", "1", "12"]),
        (message(version="3"), 203, ["MSH", "1", "12"]),
    ],
)
def test_what_cannot_be_taken(data: bytes, code: int, location: list[str]) -> None:
    assert refused(data) == (code, location)


def test_training_messages_are_taken_where_a_site_says_so() -> None:
    assert refused(message(p="T"), "PT") is None


def test_the_field_names_of_other_segments_are_no_header() -> None:
    assert refused(message(PID, "ZMS|MSH|^~\\&|")) is None


def test_what_is_said_of_a_type_is_a_name_and_no_text_of_the_message() -> None:
    data = message(kind="XXTESTPATIENT^ADA")
    header = find_header(data)
    assert header is not None
    fault = refusal(header, data, "P")
    assert fault is not None
    assert "XXTEST" not in fault.text


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*b"MSHPID|^~\\&\r\n\x1c2.4AR01\xc3\xff \x00"]), max_size=60).map(bytes))
def test_no_bytes_crash_it_and_every_answer_is_one_message(tail: bytes) -> None:
    for data in (tail, b"MSH" + tail, b"MSH|^~\\&|" + tail, message(control_id=tail.decode("latin-1"))):
        header = find_header(data)
        if header is not None:
            fault = refusal(header, data, "P")
            answer = acknowledge(header, Answer("AR", (fault,) if fault else ()), NOW, "ID1")
            assert answer.count(b"MSH" + header.separator.encode("latin-1") + header.marks.encode("latin-1")) == 1
            assert answer.startswith(b"MSH")
            assert b"\x0b" not in answer
            assert b"\x1c\r" not in answer
