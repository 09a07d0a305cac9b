"""HL7 v2 bytes to patients: framing, batches, character sets, refusals; the smallest message for each."""

from __future__ import annotations

import pytest

from adapter.errors import Malformed
from adapter.records import RawRecord
from adapter.sources.hl7v2 import read
from adapter.sources.model import SourceRecord

NHS, OTHER = "9990000018", "9990000026"
MSH = "MSH|^~\\&|MAT|RX1|PERI|RX1|20240301120000||{}|1|P|2.4"
PID = f"PID|1||{NHS}^^^NHS"
OBR = "OBR|1|P1|F1|71354-5^EPDS^LN|||20240301"
OBX = "OBX|1|NM|450320001^EPDS^SCT||14||||||F"


def message(*segments: str, kind: str = "ADT^A01") -> str:
    return "".join(f"{segment}\r" for segment in (MSH.format(kind), *segments))


ORU = message(PID, OBR, OBX, kind="ORU^R01")


def records(data: str | bytes) -> list[SourceRecord]:
    return list(read(RawRecord("in.hl7", data.encode() if isinstance(data, str) else data)))


def only(data: str | bytes) -> SourceRecord:
    (record,) = records(data)
    return record


def refusal(data: str | bytes) -> tuple[str, str, str]:
    record = only(data)
    assert record.refused
    assert not record.order
    return record.issues[0].severity, record.issues[0].detail, record.issues[0].place


def test_one_message_is_one_patient_with_its_segments_in_order() -> None:
    record = only(ORU)
    assert (record.source, record.kind, record.patient_key, record.issues) == ("in.hl7", "hl7v2", NHS, ())
    assert [row.name for row in record.order] == ["MSH", "PID", "OBR", "OBX"]
    assert [row.name for row in record.rows["OBX"]] == ["OBX"]


@pytest.mark.parametrize("separator", ["\r", "\n", "\r\n"])
def test_segment_separators(separator: str) -> None:
    assert len(only(ORU.replace("\r", separator)).order) == 4


def test_delimiters_are_those_of_the_message() -> None:
    text = ORU.translate(str.maketrans("|^~\\&", "*:+!$"))
    assert only(text).rows["OBX"][0].get("OBX-3.3") == "SCT"


def test_messages_of_one_patient_are_one_record_in_file_order() -> None:
    second = message(f"PID|1||{OTHER}^^^NHS")
    first, other = records(message(PID) + second + ORU)
    assert [row.place("") for row in first.rows["PID"]] == [
        "PID (segment 2 of message 1)",
        "PID (segment 2 of message 3)",
    ]
    assert other.patient_key == OTHER


def test_a_local_identifier_joins_the_nhs_number_it_was_seen_with() -> None:
    joined = only(message(f"PID|1||{NHS}^^^NHS~77^^^RX1^MR") + message("PID|1||77^^^RX1^MR||X"))
    assert joined.patient_key == NHS
    assert len(joined.rows["PID"]) == 2


def test_without_an_nhs_number_the_key_is_the_local_identifier_with_its_assigner() -> None:
    assert only(message("PID|1||77^^^RX1^MR")).patient_key == "RX1|77"
    assert len(records(message("PID|1||77^^^RX1") + message("PID|1||77^^^RX2"))) == 2


def test_an_nhs_number_that_fails_its_check_digit_is_no_key() -> None:
    assert only(message("PID|1||9990000019^^^NHS~77^^^RX1")).patient_key == "RX1|77"


@pytest.mark.parametrize("number", ["9990000019", "9999999999", "0000000000", "unknown"])
def test_what_is_no_nhs_number_never_makes_two_people_one(number: str) -> None:
    two = message(f"PID|1||{number}^^^NHS~77^^^RX1") + message(f"PID|1||{number}^^^NHS~78^^^RX1")
    assert [record.patient_key for record in records(two)] == ["RX1|77", "RX1|78"]


@pytest.mark.parametrize("number", ["9990000019", "9999999999"])
def test_a_patient_with_nothing_but_a_number_that_is_none_is_heard_and_joined_with_nobody(number: str) -> None:
    two = records(message(f"PID|1||{number}^^^NHS") + message(f"PID|1||{number}^^^NHS||ANOTHER"))
    assert not any(record.refused for record in two)
    assert len({record.patient_key for record in two}) == 2
    assert [[(issue.detail, issue.place) for issue in record.issues] for record in two] == [
        [("nhs-number-invalid", f"PID-3.1 (segment 2 of message {number_of})")] for number_of in (1, 2)
    ]
    again = message(f"PID|1||{number}^^^NHS")
    assert [record.patient_key for record in records(again + again)] == [two[0].patient_key]


def test_two_people_of_one_message_with_the_same_number_that_is_none_are_two() -> None:
    first = f"PID|1||9990000019^^^NHS||ONE\r{OBR}\r{OBX}"
    found = records(message(first) + f"PID|2||9990000019^^^NHS||TWO\r{OBR}\r{OBX}\r")
    assert len({record.patient_key for record in found}) == 2


def test_no_record_joins_that_of_somebody_without_a_valid_identifier() -> None:
    (record,) = records(message("PID|1||9990000019^^^NHS\rMRG|77^^^RX1", kind="ADT^A40"))
    assert record.refused
    assert [(issue.detail, issue.place) for issue in record.issues] == [
        ("nhs-number-invalid", "PID-3 (segment 2 of message 1)")
    ]


@pytest.mark.parametrize(
    "authority",
    ["^^^NHS", "^^^NH", "^^^&2.16.840.1.113883.2.1.4.1&ISO", "^^^^NH", "^^^X^2.16.840.1.113883.2.1.3.2.4.18.23"],
)
def test_forms_of_the_nhs_number(authority: str) -> None:
    assert only(message(f"PID|1||999 000 0018{authority}")).patient_key == NHS


def test_two_nhs_numbers_in_one_segment_are_a_conflict() -> None:
    record = only(message(f"PID|1||{NHS}^^^NHS~{OTHER}^^^NHS"))
    assert record.patient_key == NHS
    assert [(i.detail, i.place) for i in record.issues] == [("data-conflict", "PID-3[2].1 (segment 2 of message 1)")]


def test_patients_of_one_message_are_kept_apart() -> None:
    first, second = records(ORU + f"PID|2||{OTHER}^^^NHS\r{OBR}\r{OBX}\r")
    assert (first.patient_key, second.patient_key) == (NHS, OTHER)
    assert [row.name for row in second.order] == ["MSH", "PID", "OBR", "OBX"]
    related = second.rows["OBX"][0].related("PID")
    assert related is not None
    assert related.get("PID-3") == OTHER
    assert second.rows["OBX"][0].place("OBX-5") == "OBX-5 (segment 7 of message 1)"


def test_the_same_message_again_is_said_and_not_repeated() -> None:
    record = only(ORU + ORU)
    assert len(record.order) == 4
    assert [(i.detail, i.place) for i in record.issues] == [("duplicate", "MSH (segment 1 of message 2)")]


# framing and batches


def test_mllp_frames() -> None:
    frames = b"".join(b"\x0b" + text.encode() + b"\x1c\r" for text in (ORU, message(f"PID|1||{OTHER}^^^NHS")))
    assert [record.patient_key for record in records(frames)] == [NHS, OTHER]


def test_the_last_segment_in_a_frame_needs_no_separator() -> None:
    assert only(b"\x0b" + ORU.rstrip("\r").encode() + b"\x1c\r").issues == ()


def test_a_file_that_ends_inside_a_frame() -> None:
    assert refusal(b"\x0b" + ORU.encode()) == ("error", "malformed", "segment 4 of message 1")


def test_text_between_frames_is_refused_and_the_frames_are_read() -> None:
    read_, junk = records(b"\x0b" + ORU.encode() + b"\x1c\rjunk\r\n")
    assert not read_.refused
    assert junk.refused


BATCH = "FHS|^~\\&\rBHS|^~\\&\r{}BTS|{}\rFTS|{}\r"


def test_a_batch_whose_counts_agree() -> None:
    assert only(BATCH.format(message(PID) + ORU, 2, 1)).issues == ()


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (BATCH.format(ORU, 2, 1), "BTS-1"),
        (BATCH.format(ORU, 1, 3), "FTS-1"),
        ("BHS|^~\\&\r" + ORU, "after message 1"),
        (ORU + "BTS|1\r", "BTS"),
    ],
)
def test_a_batch_that_is_not_whole_is_said_and_its_messages_are_read(data: str, place: str) -> None:
    patient, file = records(data)
    assert not patient.refused
    assert file.refused
    assert (file.issues[0].detail, file.issues[0].place) == ("malformed", place)


# character sets


@pytest.mark.parametrize(
    ("declared", "codec", "issues"),
    [
        ("", "utf-8", []),
        ("UNICODE UTF-8", "utf-8", []),
        ("8859/1", "latin-1", []),
        ("8859/15", "iso8859-15", []),
        ("", "latin-1", ["data-conflict"]),
        ("UNICODE UTF-8", "latin-1", ["data-conflict"]),
        ("ASCII", "utf-8", ["data-conflict"]),
        ("KLINGON", "utf-8", ["unsupported"]),
    ],
)
def test_character_sets(declared: str, codec: str, issues: list[str]) -> None:
    text = f"{MSH.format('ADT^A01')}||||||{declared}\r{PID}||Siân\r"
    record = only(text.encode(codec))
    assert record.rows["PID"][0].get("PID-5") == "Siân"
    assert [issue.detail for issue in record.issues] == issues


@pytest.mark.parametrize("form", ["\x0b\ufeff{0}\x1c\r", "\ufeff{0}\ufeff{1}", "\x0b{1}\x1c\r\x0b\r\n\ufeff{0}\x1c\r"])
def test_a_byte_order_mark_before_any_message_is_no_part_of_it(form: str) -> None:
    other = message(f"PID|1||{OTHER}^^^NHS")
    found = records(form.format(ORU, other))
    assert {record.patient_key for record in found} <= {NHS, OTHER}
    assert not any(record.issues for record in found)
    assert [row.get("OBX-5") for record in found for row in record.rows.get("OBX", ())] == ["14"]


def test_a_byte_order_mark_is_no_part_of_the_message() -> None:
    assert not only(b"\xef\xbb\xbf" + ORU.encode()).refused


# refusals


@pytest.mark.parametrize("data", [b"", b"\r\n", b"hello", b"\x0b\x1c\r", b"MS", b"{}"])
def test_no_message_at_all(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(RawRecord("in.hl7", data))


@pytest.mark.parametrize(
    ("data", "detail", "place"),
    [
        (message(PID, kind="SIU^S12"), "unsupported", "MSH-9 (segment 1 of message 1)"),
        (message(PID, "MRG|1", kind="ADT^A34"), "unsupported", "MSH-9 (segment 1 of message 1)"),
        (message(PID, kind="ADT^A40"), "malformed", "segment 2 of message 1"),
        (message(PID, "MRG||", kind="ADT^A40"), "malformed", "MRG-1 (segment 3 of message 1)"),
        (message(PID, f"MRG|{NHS}^^^NHS", kind="ADT^A40"), "malformed", "MRG-1 (segment 3 of message 1)"),
        ("MSH|^~\\&|A\r", "malformed", "MSH-9 (segment 1 of message 1)"),
        ("MSH|^~\r" + PID, "malformed", "segment 1 of message 1"),
        ("MSH|^^\\&|\r" + PID, "malformed", "segment 1 of message 1"),
        (message("EVN|A01"), "malformed", "segment 2 of message 1"),
        (message(PID, OBR, kind="ORU^R01"), "malformed", "segment 3 of message 1"),
        (message(PID, OBX, kind="ORU^R01"), "malformed", "segment 3 of message 1"),
        (
            message(PID, OBR, OBX, "OBX|2|NM|720433000^PHQ-9^SCT||1", kind="ORU^R01"),
            "malformed",
            "segment 5 of message 1",
        ),
        (message(PID, OBR, OBX, "OBR|2", kind="ORU^R01"), "malformed", "segment 5 of message 1"),
        (message(PID, "PV"), "malformed", "segment 3 of message 1"),
        (message(PID, "PV1"), "malformed", "segment 3 of message 1"),
        (message("PID|1||^^^NHS"), "malformed", "PID-3 (segment 2 of message 1)"),
        (message(PID + "||A\\T"), "", ""),
        (message(PID + "||A\\T").rstrip("\r"), "malformed", "segment 2 of message 1"),
    ],
)
def test_refused_messages_name_their_place(data: str, detail: str, place: str) -> None:
    if not detail:
        assert not only(data).refused
        return
    assert refusal(data) == ("error", detail, place)


def test_an_unsupported_type_is_named() -> None:
    assert "SIU^S12" in only(message(PID, kind="SIU^S12")).issues[0].text


def test_a_refused_message_stops_no_other() -> None:
    good, bad = records(message(PID, kind="SIU^S12") + ORU)
    assert (good.refused, bad.refused) == (False, True)
    assert good.rows["PID"][0].place("") == "PID (segment 2 of message 2)"


def test_segments_before_the_first_message_are_refused() -> None:
    good, bad = records("PID|1\r" + ORU)
    assert not good.refused
    assert bad.issues[0].place == "segment 1 of message 1"


def test_a_message_cut_anywhere_is_refused_or_says_so() -> None:
    data = (ORU.rstrip("\r") + "|||20240229\r").encode()
    for length in range(3, len(data)):
        for record in records(data[:length]):
            assert record.refused or any("terminator" in issue.text for issue in record.issues), length


def test_an_adt_message_cut_inside_a_segment_is_refused_or_says_so() -> None:
    data = message(PID + "||SMITH^Jane||19900101", "PV1|1|I", "DG1|1||F32.2^^I10||20240301|F").encode()
    for length in range(3, len(data)):
        if data[length - 1 : length] != b"\r":
            for record in records(data[:length]):
                assert record.refused or any("terminator" in issue.text for issue in record.issues), length


def test_a_frame_cut_anywhere_is_refused_unless_only_framing_is_missing() -> None:
    data = b"\x0b" + ORU.encode() + b"\x1c\r"
    for length in range(4, len(data) - 2):
        assert only(data[:length]).refused
    assert not only(data[:-1]).refused


# remarks


def test_other_versions_are_read_and_said() -> None:
    record = only(ORU.replace("|P|2.4", "|P|2.7"))
    assert [(i.severity, i.place) for i in record.issues] == [("information", "MSH-12 (segment 1 of message 1)")]
    assert only(ORU.replace("|P|2.4", "|P|2.3.1")).issues == ()


def test_a_missing_result_status_is_said() -> None:
    record = only(message(PID, OBR, "OBX|1|NM|1^a^LN||1", OBX, kind="ORU^R01"))
    assert [i.place for i in record.issues] == ["OBX-11 (segment 4 of message 1)"]


@pytest.mark.parametrize("status", ["D", "W"])
def test_withdrawn_results_are_said(status: str) -> None:
    record = only(ORU.replace("|F\r", f"|{status}\r"))
    assert [(i.detail, i.place) for i in record.issues] == [("withdrawn-result", "OBX-11 (segment 4 of message 1)")]


def test_a_correction_that_names_another_time_is_said() -> None:
    later = ORU.replace("|F\r", "|C|||20240302\r")
    assert [i.detail for i in only(ORU + later).issues] == ["data-conflict"]
    assert only(ORU + ORU.replace("14||||||F", "9||||||C")).issues == ()
