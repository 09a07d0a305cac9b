"""OBR and OBX: results, their kinds, corrections and places. Each feature by its smallest message."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.hl7.messages import (
    LOINC,
    NHS,
    OBR,
    PID,
    PNR,
    SCT,
    V2,
    adt,
    issues,
    mapped,
    message,
    resources,
    result,
    results,
    segment,
    valued,
)


def test_score_total() -> None:
    assert result("NM|450320001^EPDS^SCT||14|{score}|0-30|N|||F") == {
        "code": {"coding": [{"system": SCT, "code": "450320001", "display": "EPDS"}]},
        "valueInteger": 14,
        "interpretation": [{"coding": [{"system": f"{V2}/v3-ObservationInterpretation", "code": "N"}]}],
        "referenceRange": [{"text": "0-30"}],
    }


@pytest.mark.parametrize(
    ("kind", "value", "unit", "expected"),
    [
        ("NM", "14", "", {"valueInteger": 14}),
        ("NM", "+3", "1", {"valueInteger": 3}),
        ("NM", "14.5", "", {"valueQuantity": {"value": 14.5}}),
        (
            "NM",
            "259",
            "d^days^UCUM",
            {"valueQuantity": {"value": 259, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}},
        ),
        ("NM", "5", "furlong", {"valueQuantity": {"value": 5, "unit": "furlong"}}),
        ("SN", "^14", "", {"valueQuantity": {"value": 14}}),
        ("SN", "=^14", "", {"valueQuantity": {"value": 14}}),
        ("SN", ">^20", "", {"valueQuantity": {"comparator": ">", "value": 20}}),
        ("SN", "^1^-^5", "", {"valueRange": {"low": {"value": 1}, "high": {"value": 5}}}),
        ("SN", "^1^:^8", "", {"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 8}}}),
        ("SN", "^2^+", "", {"valueString": "2+"}),
        ("SN", "<>^2", "", {"valueString": "<>2"}),
        ("ST", "Y", "", {"valueBoolean": True}),
        ("CWE", "N^No^HL70136", "", {"valueBoolean": False}),
        ("ST", "feels well", "", {"valueString": "feels well"}),
        ("FT", r"a\.br\b", "", {"valueString": "a\nb"}),
        ("DT", "20241201", "", {"valueDateTime": "2024-12-01"}),
        ("TS", "202407011530", "", {"valueDateTime": "2024-07-01T15:30:00+01:00"}),
        ("CE", "L^Live^99X", "", {"valueCodeableConcept": {"coding": [{"code": "L", "display": "Live"}]}}),
        ("CE", "^^^281050002^^SCT", "", {"valueCodeableConcept": {"coding": [{"system": SCT, "code": "281050002"}]}}),
        ("CWE", "^^^^Live birth", "", {"valueCodeableConcept": {"text": "Live birth"}}),
        ("CWE", "^^^^^^^^Live birth", "", {"valueCodeableConcept": {"text": "Live birth"}}),
        ("CWE", "^Live birth", "", {"valueCodeableConcept": {"text": "Live birth"}}),
        (
            "CWE",
            "281050002^Live birth^SCT^LB^^99PNR",
            "",
            {
                "valueCodeableConcept": {
                    "coding": [
                        {"system": SCT, "code": "281050002", "display": "Live birth"},
                        {"system": PNR, "code": "LB"},
                    ]
                }
            },
        ),
        ("", "14", "", {"valueInteger": 14}),
        ("", "some", "", {"valueString": "some"}),
        ("", "", "", {}),
    ],
)
def test_values(kind: str, value: str, unit: str, expected: dict[str, Any]) -> None:
    assert valued(kind, value, unit) == expected


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [("NM", "", "unknown"), ("CWE", '""', "unknown"), ("ST", "", "unknown"), ("NM", "many", "error"),
     ("SN", "x", "error"), ("DT", "20260231", "error"), ("TS", "25/05/2026", "error"), ("ED", "x^y", "unsupported")],
)  # fmt: skip
def test_a_result_without_a_usable_value_never_reads_as_a_finding(kind: str, value: str, reason: str) -> None:
    assert valued(kind, value) == {
        "dataAbsentReason": {"coding": [{"system": f"{V2}/data-absent-reason", "code": reason}]}
    }


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [("NM", "many", ("implausible-value", "OBX-5")), ("NM", ">14", ("implausible-value", "OBX-5")),
     ("SN", "x", ("implausible-value", "OBX-5")), ("SN", "^x", ("implausible-value", "OBX-5.2")),
     ("DT", "20260231", ("implausible-date", "OBX-5")),
     ("NM", "14", None), ("NM", "", None), ("NM", '""', None), ("SN", "^14", None), ("SN", ">^14", None)],
)  # fmt: skip
def test_a_value_that_is_not_what_its_type_says_is_said(kind: str, value: str, said: tuple[str, str] | None) -> None:
    text = message("ORU^R01", PID, OBR, f"OBX||{kind}|1^x^LN||{value}||||||F")
    wanted = [(said[0], f"{said[1]} (segment 4 of message 1)")] if said else []
    assert issues(text) == wanted


def test_end_of_a_pregnancy() -> None:
    (one,) = results("OBX||CWE|267013003^Past pregnancy outcome^SCT||281050002^Live birth^SCT||||||F|||20240229")
    assert one == {
        "status": "final",
        "code": {"coding": [{"system": SCT, "code": "267013003", "display": "Past pregnancy outcome"}]},
        "effectiveDateTime": "2024-02-29",
        "valueCodeableConcept": {"coding": [{"system": SCT, "code": "281050002", "display": "Live birth"}]},
    }


def test_twins_are_two_results() -> None:
    outcome = "OBX||CWE|267013003^^SCT|{}|281050002^^SCT||||||F"
    assert len(results(outcome.format(1), outcome.format(2))) == 2


@pytest.mark.parametrize("order", ["OBR|1|P1|F1", "OBR|1||||||20240229", "OBR|1"])
def test_twins_without_a_sub_id_are_two_results_and_each_is_corrected(order: str) -> None:
    outcome = "OBX||CWE|267013003^^SCT||{}^^SCT||||||F"
    text = message("ORU^R01", PID, order, outcome.format("281050002"), outcome.format("237364002"))
    assert [value_code(one) for one in resources(text)[1:]] == ["281050002", "237364002"]
    assert not issues(text)
    if order != "OBR|1":
        again = text.replace("281050002", "17369002").replace("|||F", "|||C").replace("|1|P|", "|2|P|")
        assert [value_code(one) for one in resources(text + again)[1:]] == ["17369002", "237364002"]


@pytest.mark.parametrize(
    ("status", "changed", "left", "doubt"),
    [
        ("D", "237364002^^SCT", ["final", "entered-in-error"], False),
        ("C", "237364002^^SCT", ["final", "corrected"], False),
        ("C", "17369002^^SCT", ["corrected", "final"], True),
        ("D", "", ["entered-in-error", "final"], True),
    ],
)
def test_a_change_of_one_of_twins_is_of_the_one_with_its_value_or_in_doubt(
    status: str, changed: str, left: list[str], doubt: bool
) -> None:
    outcome = "OBX||CWE|267013003^^SCT||{}||||||{}"
    given = [outcome.format(f"{code}^^SCT", "F") for code in ("281050002", "237364002")]
    before = message("ORU^R01", PID, OBR, *given)
    after = message("ORU^R01", PID, OBR, outcome.format(changed, status)).replace("|1|P|2.4", "|2|P|2.4")
    assert [one["status"] for one in resources(before + after)[1:]] == left
    assert (("data-conflict", "OBX-11 (segment 4 of message 2)") in issues(before + after)) == doubt


def value_code(observation: dict[str, Any]) -> str:
    return str(observation["valueCodeableConcept"]["coding"][0]["code"])


def sent(number: int, result: str) -> str:
    """A message of its own with one result that names neither order nor time."""
    text = message("ORU^R01", PID, "OBR|1", result)
    return text.replace("|1|P|2.4", f"|{number}|P|2.4").replace("20240301120000", f"2024030{number}120000")


def test_results_of_several_messages_with_neither_order_nor_time_take_no_others_place() -> None:
    item = "OBX||NM|epds-item-10^^99PNR||{}||||||{}"
    text = sent(1, item.format(2, "F")) + sent(2, item.format("", "F")) + sent(3, item.format(2, "F"))
    one, other = resources(text)[1:]
    assert (one["valueInteger"], one["issued"]) == (2, "2024-03-03T12:00:00+00:00")
    assert "valueInteger" not in other
    changed = text + sent(4, item.format(1, "C"))
    assert [one.get("valueInteger") for one in resources(changed)[1:]] == [2, 1]
    assert ("data-conflict", "OBX-11 (segment 4 of message 4)") in issues(changed)


def test_a_result_that_is_final_takes_the_place_of_the_preliminary_one() -> None:
    score = "OBX||NM|450320001^^SCT||{}||||||{}"
    text = message("ORU^R01", PID, OBR, score.format(14, "P"), score.format(15, "F"))
    (one,) = resources(text)[1:]
    assert (one["status"], one["valueInteger"]) == ("final", 15)


def test_a_value_that_repeats_is_so_many_results_each_with_its_place() -> None:
    text = message("ORU^R01", PID, OBR, "OBX||CWE|267013003^^SCT||281050002^^SCT~237364002^^SCT||||||", "NTE|1||n")
    text += message("ORU^R01", PID, OBR, "OBX||NM|450320001^^SCT||14~15||||||F").replace("|1|P|", "|2|P|")
    found = resources(text)[1:]
    assert [value_code(one) for one in found[:2]] == ["281050002", "237364002"]
    assert [one["valueInteger"] for one in found[2:]] == [14, 15]
    assert [issue[1] for issue in issues(text)] == ["OBX-11 (segment 4 of message 1)"]
    assert "OBX-5[2] (segment 4 of message 2)" in mapped(text).lineage.values()


@pytest.mark.parametrize("kind", ["TX", "FT", "ST"])
def test_a_text_that_repeats_is_its_lines(kind: str) -> None:
    (one,) = results(f"OBX||{kind}|1^^LN||first~second~||||||F")
    assert one["valueString"] == "first\nsecond"


def test_result_codes() -> None:
    assert result("NM|epds-item-10^Item 10^99PNR^71354-5^EPDS^LN||0||||||F")["code"] == {
        "coding": [
            {"system": PNR, "code": "epds-item-10", "display": "Item 10"},
            {"system": LOINC, "code": "71354-5", "display": "EPDS"},
        ]
    }


def test_a_code_that_stands_second_alone_is_the_code() -> None:
    code = {"coding": [{"system": PNR, "code": "epds-item-10", "display": "Item 10"}], "text": "Q10"}
    one, other = results("OBX||NM|^Q10^^epds-item-10^Item 10^99PNR||1||||||F", "OBX||NM|^Q9||0||||||F")
    assert (one["code"], other["code"]) == (code, {"text": "Q9"})


def test_an_unknown_coding_system_is_kept_as_it_came_and_reported() -> None:
    text = message("ORU^R01", PID, OBR, "OBX||NM|Q10^Ten^HOSP||2||||||F")
    assert resources(text)[1]["code"] == {"coding": [{"code": "Q10", "display": "Ten"}], "text": "Q10 Ten HOSP"}
    assert issues(text) == [("unmapped-code", "OBX-3.3 (segment 4 of message 1)")]


def test_a_code_whose_system_is_not_named() -> None:
    text = message("ORU^R01", PID, OBR, "OBX||NM|450320001||14||||||F", "OBX||NM|Q10||1||||||F")
    _, known, unknown = resources(text)
    assert known["code"] == {"coding": [{"system": SCT, "code": "450320001"}]}
    assert unknown["code"] == {"text": "Q10"}
    assert issues(text) == [
        ("data-conflict", "OBX-3 (segment 4 of message 1)"),
        ("unmapped-code", "OBX-3 (segment 5 of message 1)"),
    ]


def test_a_result_without_a_code_is_reported() -> None:
    text = message("ORU^R01", PID, OBR, "OBX||NM|||14||||||F")
    assert len(resources(text)) == 1
    assert ("", "OBX (segment 4 of message 1)") in issues(text)


@pytest.mark.parametrize(
    ("code", "status"),
    [("F", "final"), ("P", "preliminary"), ("C", "corrected"), ("D", "entered-in-error"), ("W", "entered-in-error"),
     ("X", "cancelled"), ("R", "preliminary"), ("I", "registered"), ("U", "final"), ("Q", "unknown")],
)  # fmt: skip
def test_result_status(code: str, status: str) -> None:
    (one,) = results(f"OBX||NM|1^^LN||1||||||{code}")
    assert one["status"] == status


def test_a_missing_status_in_the_middle_is_final_and_reported() -> None:
    first, _ = results("OBX||NM|1^^LN||1", "OBX||NM|2^^LN||1||||||F")
    assert first["status"] == "final"


@pytest.mark.parametrize(("code", "status"), [("C", "corrected"), ("D", "entered-in-error"), ("W", "entered-in-error")])
def test_a_change_takes_the_place_of_the_result(code: str, status: str) -> None:
    before = message("ORU^R01", PID, OBR, "OBX|1|NM|450320001^EPDS^SCT||14||||||F|||20240301")
    after = before.replace("||14||||||F", f"||4||||||{code}").replace("|1|P|2.4", "|2|P|2.4")
    bundle = mapped(before + after)
    _, one = (entry["resource"] for entry in bundle.bundle["entry"])
    assert (one["status"], one["valueInteger"]) == (status, 4)
    assert ("withdrawn-result" in {issue.detail for issue in bundle.issues}) == (code != "C")
    alone = mapped(after).bundle["entry"][1]["resource"]
    assert alone["id"] == one["id"]


def test_time_of_a_result() -> None:
    (own,) = results("OBX||NM|1^^LN||1||||||F|||20240229")
    assert own["effectiveDateTime"] == "2024-02-29"
    text = message("ORU^R01", PID, "OBR|1", "OBX||NM|1^^LN||1||||||F")
    assert resources(text)[1]["issued"] == "2024-03-01T12:00:00+00:00"


def test_notes_and_method() -> None:
    one, two = results(
        "OBX|1|NM|1^^LN||1||||||F||||||by phone", "NTE|1||first", "NTE|2||second", "OBX|2|NM|2^^LN||1||||||F"
    )
    assert one["note"] == [{"text": "first"}, {"text": "second"}]
    assert one["method"] == {"text": "by phone"}
    assert "note" not in two


def test_results_in_an_adt_message() -> None:
    _, one = adt(PID, "OBX||NM|1^^LN||1||||||F", kind="ADT^A08")
    assert one["valueInteger"] == 1


# what is not mapped


def test_segments_that_no_line_reads_are_reported() -> None:
    found = issues(message("ADT^A28", PID, "AL1|1|DA|PEN", "IN1|1", "ZPT|x"))
    assert [place.partition(" ")[0] for detail, place in found if detail == "unmapped-field"] == [
        "AL1-1", "AL1-2", "AL1-3", "IN1-1", "ZPT-1",
    ]  # fmt: skip


def test_lineage_names_segment_and_field() -> None:
    text = message("ORU^R01", PID, OBR, "OBX||NM|1^^LN||1||||||F")
    bundle = mapped(text)
    url = bundle.bundle["entry"][1]["fullUrl"]
    assert bundle.lineage[url, ""] == "OBX (segment 4 of message 1)"
    assert bundle.lineage[url, "valueInteger"] == "OBX-5 (segment 4 of message 1)"
    assert bundle.lineage[url, "effectiveDateTime"] == "OBR-7 (segment 3 of message 1)"
    assert bundle.lineage[url, "code.coding[0].code"] == "OBX-3 (segment 4 of message 1)"
    assert bundle.mapping == "hl7v2@1.0.0"


def test_a_correction_is_of_the_same_result_wherever_its_time_stands() -> None:
    obx = {1: "1", 2: "NM", 3: "450320001^EPDS^SCT", 5: "14", 11: "F"}
    timed = {**obx, 5: "15", 11: "C", 14: "202403011200"}
    first = message("ORU^R01", PID, "OBR||P1|F1||||20240301120000", segment("OBX", obx))
    for second in (timed, {**timed, 14: "20240301120000"}):
        corrected = message("ORU^R01", PID, "OBR||P1|F1||||20240301120000", segment("OBX", second))
        _, only = resources(first + corrected)
        assert (only["status"], only["valueInteger"]) == ("corrected", 15)
        assert [detail for detail, _ in issues(first + corrected)] == ["duplicate"]


def test_what_sites_send_and_no_resource_holds_is_ignored_for_a_reason() -> None:
    uses = mapped(
        message(
            "ORU^R01",
            f"PID|||{NHS[:-1]}9^^^NHS^NH~{NHS}^^^NHS^NH",
            "NK1|1|A^B|MTH^Mother^HL70063",
            "PV1|1|O|ANC^^^RZZ99",
            "OBR||P1^EPR|F1^LAB||||20240301",
            segment("OBX", {1: "1", 2: "NM", 3: "450320001^EPDS^SCT", 5: "14", 11: "F"}),
        )
    ).coverage
    assert [use.field for use in uses if use.fate == "unmapped"] == []
    ignored = {use.field for use in uses if use.fate == "ignored"}
    assert {"PID-3.5", "NK1-3.3", "PV1-3.1", "PV1-3.4", "OBR-2.2", "OBR-3.2"} <= ignored
