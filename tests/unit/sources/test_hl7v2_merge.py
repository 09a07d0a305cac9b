"""ADT^A40: which records join, which do not, and what becomes of the identifiers that end."""

from __future__ import annotations

import pytest

from adapter.mapping.run import load_mapping
from adapter.records import MappedBundle, RawRecord
from adapter.settings import Settings
from adapter.sources.hl7v2 import read
from adapter.sources.model import SourceRecord

NHS, OTHER, THIRD = "9990000018", "9990000026", "9990000034"
SURVIVOR = f"PID|||{NHS}^^^NHS~100^^^RX1||JONES^Ann"
MAPPING = load_mapping(Settings().mappings_path / "hl7v2")


def message(kind: str, *segments: str) -> str:
    head = f"MSH|^~\\&|MAT|RX1|||20240301120000||{kind}|1|P|2.4"
    return "".join(f"{segment}\r" for segment in (head, *segments))


def score(pid: str, value: int, status: str = "F") -> str:
    return message("ORU^R01", pid, "OBR|1|P1|F1||||20240301", f"OBX|1|NM|450320001^EPDS^SCT||{value}||||||{status}")


def a40(prior: str, pid: str = SURVIVOR) -> str:
    return message("ADT^A40^ADT_A39", "EVN|A40|20240301", pid, f"MRG|{prior}")


def records(text: str) -> list[SourceRecord]:
    return list(read(RawRecord("in.hl7", text.encode())))


def only(text: str) -> MappedBundle:
    (record,) = records(text)
    assert not record.refused
    return MAPPING.run(record)


def remarks(record: SourceRecord) -> list[tuple[str, str, str]]:
    return [(i.severity, i.detail, i.place) for i in record.issues]


@pytest.mark.parametrize("after", [False, True], ids=["before the merge", "after the merge"])
def test_the_prior_record_joins_the_surviving_one(after: bool) -> None:
    prior = score("PID|||77^^^RX1||SMITH^Ann||19940101", 14)
    text = a40("77^^^RX1") + prior if after else prior + a40("77^^^RX1")
    (record,) = records(text)
    assert record.patient_key == NHS
    assert remarks(record) == [("information", "", f"MRG-1 (segment 4 of message {1 if after else 2})")]
    patient, observation = (entry["resource"] for entry in MAPPING.run(record).bundle["entry"])
    assert patient["name"] == [{"family": "JONES", "given": ["Ann"]}]
    assert patient["birthDate"] == "1994-01-01"
    assert [(i.get("use"), i["value"]) for i in patient["identifier"]] == [(None, NHS), (None, "100"), ("old", "77")]
    assert observation["subject"] == {"reference": f"urn:uuid:{patient['id']}"}


def test_each_identifier_keeps_its_place() -> None:
    bundle = only(score("PID|||77^^^RX1", 14) + a40("77^^^RX1"))
    url = bundle.bundle["entry"][0]["fullUrl"]
    assert [bundle.lineage[url, f"identifier[{n}].value"] for n in range(3)] == [
        "PID-3.1 (segment 3 of message 2)",
        "PID-3[2].1 (segment 3 of message 2)",
        "MRG-1.1 (segment 4 of message 2)",
    ]


def test_a_result_of_the_prior_record_is_corrected_in_the_surviving_one() -> None:
    _, observation = only(score("PID|||77^^^RX1", 14) + a40("77^^^RX1") + score(SURVIVOR, 4, "C")).bundle["entry"]
    assert (observation["resource"]["status"], observation["resource"]["valueInteger"]) == ("corrected", 4)


def test_a_merge_whose_prior_record_is_elsewhere_is_said() -> None:
    (record,) = records(a40("77^^^RX1"))
    assert [issue.text for issue in record.issues] == ["no record of the prior identifier came with this one"]


def test_an_identifier_that_both_have_is_no_prior_one() -> None:
    (entry,) = only(a40(f"77^^^RX1~{NHS}^^^NHS~100^^^RX1")).bundle["entry"]
    assert [i["value"] for i in entry["resource"]["identifier"] if i.get("use") == "old"] == ["77"]


def test_a_number_of_another_assigner_is_somebody_elses() -> None:
    assert len(records(score("PID|||77^^^RX2", 14) + a40("77^^^RX1"))) == 2


def test_merges_follow_one_another() -> None:
    first = a40("77^^^RX1", "PID|||88^^^RX1")
    (record,) = records(score("PID|||77^^^RX1", 14) + first + a40("88^^^RX1"))
    assert record.patient_key == NHS


def test_a_merge_there_and_back_comes_to_an_end() -> None:
    (record,) = records(a40("77^^^RX1", "PID|||88^^^RX1") + a40("88^^^RX1", "PID|||77^^^RX1"))
    assert record.patient_key == "RX1|88"


def test_several_merges_of_one_message() -> None:
    text = score("PID|||77^^^RX1", 14) + score("PID|||78^^^RX1", 9)
    text += message("ADT^A40", SURVIVOR, "MRG|77^^^RX1", f"PID|2||{OTHER}^^^NHS", "MRG|78^^^RX1")
    assert [record.patient_key for record in records(text)] == [NHS, OTHER]
    assert [len(record.rows["OBX"]) for record in records(text)] == [1, 1]


def test_a_valid_nhs_number_that_is_not_named_keeps_a_record_apart() -> None:
    other, survivor = records(score(f"PID|||{OTHER}^^^NHS~77^^^RX1", 14) + a40("77^^^RX1"))
    assert (other.patient_key, survivor.patient_key) == (OTHER, NHS)
    assert remarks(survivor) == [("warning", "data-conflict", "MRG-1 (segment 4 of message 2)")]


def test_an_nhs_number_that_is_named_ends() -> None:
    (record,) = records(score(f"PID|||{OTHER}^^^NHS~77^^^RX1", 14) + a40(f"{OTHER}^^^NHS"))
    identifiers = MAPPING.run(record).bundle["entry"][0]["resource"]["identifier"]
    assert [(i.get("use"), i["value"]) for i in identifiers] == [
        (None, "77"), (None, NHS), (None, "100"), ("old", OTHER),
    ]  # fmt: skip


def test_a_survivor_without_an_nhs_number_takes_one_and_no_second() -> None:
    survivor = "PID|||100^^^RX1"
    text = score(f"PID|||{OTHER}^^^NHS~77^^^RX1", 14) + score(f"PID|||{THIRD}^^^NHS~78^^^RX1", 9)
    text += a40("77^^^RX1", survivor) + a40("78^^^RX1", survivor)
    assert [len(record.rows["PID"]) for record in records(text)] == [3, 1]


def test_an_mrg_of_another_event_merges_nothing_and_is_reported() -> None:
    text = score("PID|||77^^^RX1", 14) + message("ADT^A31", SURVIVOR, "MRG|77^^^RX1")
    _, survivor = records(text)
    mapped = MAPPING.run(survivor)
    assert len(mapped.bundle["entry"][0]["resource"]["identifier"]) == 2
    assert "unmapped-field" not in {issue.detail for issue in MAPPING.run(records(a40("77^^^RX1"))[0]).issues}
    assert "MRG-1 (segment 3 of message 2)" in {
        place.replace("MRG-1.1", "MRG-1") for use in mapped.coverage for place in use.places
    }


def test_a_discharge_is_read() -> None:
    patient, encounter = only(
        message("ADT^A03", SURVIVOR, "PV1|1|I|||||||||||||||||V1||||||||||||||||||||||||||20240301|20240303")
    ).bundle["entry"]
    assert encounter["resource"]["status"] == "finished"
    assert patient["resource"]["resourceType"] == "Patient"


def test_version_2_3_names_its_type_without_a_structure() -> None:
    text = (score(SURVIVOR, 14) + a40("77^^^RX1")).replace("|P|2.4", "|P|2.3").replace("^ADT_A39", "")
    assert len(only(text).bundle["entry"]) == 2
