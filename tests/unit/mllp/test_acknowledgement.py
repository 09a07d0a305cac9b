"""The acknowledgement field by field, judged by the ``hl7`` library."""

from __future__ import annotations

import hl7
import pytest

from adapter.mllp.acknowledgement import MOST_ERRORS, Answer, acknowledge
from adapter.mllp.faults import ERRORS, Fault, Location, fault_of, locate
from adapter.mllp.header import find_header
from adapter.records import Issue
from tests.unit.mllp.messages import NOW, OBR, OBX, PID, message, read_ack

BAD = Fault(102, "this is no date", Location("OBX", 2, 5, 1, 2))


def ack(data: bytes, *faults: Fault, code: str = "AE") -> bytes:
    header = find_header(data)
    assert header is not None
    return acknowledge(header, Answer(code, faults), NOW, "ID1")


def test_every_field_of_a_plain_yes() -> None:
    assert ack(message(), code="AA") == (
        b"MSH|^~\\&|PERI|RX2|MAT|RX1|20260302101500+0000||ACK^R01|ID1|P|2.4\rMSA|AA|M1\r"
    )


@pytest.mark.parametrize(
    ("version", "kind", "text", "place"),
    [
        ("2.3", "ACK^R01", "this is no date", "OBX^2^5^102&Data type error&HL70357"),
        ("2.4", "ACK^R01", "this is no date", "OBX^2^5^102&Data type error&HL70357"),
        ("2.5", "ACK^R01^ACK", "", ""),
        ("2.5.1", "ACK^R01^ACK", "", ""),
    ],
)
def test_a_reason_in_the_version_of_the_message(version: str, kind: str, text: str, place: str) -> None:
    found = read_ack(ack(message(version=version), BAD))
    assert (found.msh[9], found.msh[12]) == (kind, version)
    assert found.msa == ["MSA", "AE", "M1", *([text] if text else [])]
    assert found.errors == [
        ["ERR", place, "OBX^2^5^1^2", "102^Data type error^HL70357", "E", "", "", "", "this is no date"]
    ]


def test_a_reason_without_a_place() -> None:
    found = read_ack(ack(message(), Fault(207, "x")))
    assert found.errors[0][:4] == [
        "ERR",
        "^^^207&Application internal error&HL70357",
        "",
        "207^Application internal error^HL70357",
    ]


def test_the_delimiters_and_the_character_set_of_the_message() -> None:
    data = b"MSH$%~\\&$M\xe9$$$$$$ADT%A01$7$P$2.5$$$$$$8859/1\r"
    text = ack(data, Fault(100, "a$b%c|d")).decode("latin-1")
    assert text.startswith("MSH$%~\\&$$$M\xe9$$")
    assert text.split("\r")[0].endswith("$$$$$$8859/1")
    assert "$a\\F\\b\\S\\c|d\r" in text


def test_what_the_library_reads() -> None:
    read = hl7.parse(ack(message(version="2.5"), BAD, Fault(101, "a|b^c")).decode())
    assert str(read["MSA"][0][2]) == "M1"
    assert [str(error[2]) for error in read["ERR"]] == ["OBX^2^5^1^2", ""]
    assert read.unescape(str(read["ERR"][1][8])) == "a|b^c"


@pytest.mark.parametrize(
    ("data", "version", "kind"),
    [
        (message(version="2.7"), "2.7", "ACK^R01^ACK"),
        (message(version=""), "2.5", "ACK^R01^ACK"),
        (message(version="XX^Y"), "2.5", "ACK^R01^ACK"),
        (message(version="2.3", kind="nonsense"), "2.3", "ACK"),
        (b"MSH\r", "2.5", "ACK^^ACK"),
    ],
)
def test_an_answer_to_a_header_that_makes_no_sense(data: bytes, version: str, kind: str) -> None:
    found = read_ack(ack(data, Fault(203, "x"), code="AR"))
    assert (found.msh[12], found.msh[9]) == (version, kind)


def test_warnings_go_with_a_yes_from_version_2_5_and_only_a_few() -> None:
    warning = Fault(103, "not in the table", Location("PID", 1, 8), "W")
    assert read_ack(ack(message(version="2.5"), warning, code="AA")).reasons == [("PID^1^8", "103", "W")]
    assert not read_ack(ack(message(version="2.4"), warning, code="AA")).errors
    assert len(read_ack(ack(message(version="2.5"), *[warning] * 99)).errors) == MOST_ERRORS


# faults

MESSAGE = message(PID, OBR, OBX, "NTE|1", OBX)


@pytest.mark.parametrize(
    ("place", "parts"),
    [
        ("OBX-5 (segment 4 of message 1)", ["OBX", "1", "5"]),
        ("OBX-5.1 (segment 6 of message 1)", ["OBX", "2", "5", "", "1"]),
        ("PID-3[2].4.2 (segment 2 of message 1)", ["PID", "1", "3", "2", "4", "2"]),
        ("segment 6 of message 1", ["OBX", "2"]),
        ("PID-3 (segment 4 of message 1)", ["OBX", "1"]),
    ],
)
def test_places(place: str, parts: list[str]) -> None:
    location = locate(place, MESSAGE)
    assert location is not None
    assert location.parts() == parts


@pytest.mark.parametrize("place", ["", "Bundle.entry[1]", "BTS-1", "segment 9 of message 1", "segment 0 of message 1"])
def test_what_is_no_place_of_the_message(place: str) -> None:
    assert locate(place, MESSAGE) is None


@pytest.mark.parametrize(
    ("issue", "code", "severity"),
    [
        (Issue("error", "structure", "x", "malformed", "segment 4 of message 1"), 100, "E"),
        (Issue("error", "structure", "x", "malformed", "PID-3 (segment 2 of message 1)"), 101, "E"),
        (Issue("fatal", "exception", "x"), 207, "E"),
        (Issue("warning", "value", "x", "", "PID-7 (segment 2 of message 1)"), 102, "W"),
        (Issue("information", "code-invalid", "x"), 103, "I"),
        (Issue("error", "required", "x"), 101, "E"),
        (Issue("error", "business-rule", "x", "wrong-subject", "OBX-3 (segment 4 of message 1)"), 102, "E"),
        (Issue("warning", "conflict", "x", "data-conflict", "OBX-11 (segment 4 of message 1)"), 0, "W"),
        (Issue("warning", "informational", "x", "withdrawn-result"), 0, "W"),
        (Issue("warning", "business-rule", "x", "implausible-value", "OBX-5 (segment 4 of message 1)"), 102, "W"),
    ],
)
def test_issues_as_faults(issue: Issue, code: int, severity: str) -> None:
    fault = fault_of(issue, MESSAGE)
    assert (fault.code, fault.severity, fault.text) == (code, severity, "x")
    assert fault.code in ERRORS
