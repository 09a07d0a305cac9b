"""A record with everything in it, mapped from HL7 v2 and held against R4 and UK Core by others' validators."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from adapter.fhir.profiles import with_profile
from adapter.fhir.validate import validate
from adapter.mapping.run import load_mapping
from adapter.records import MappedBundle, RawRecord
from adapter.sources.hl7v2 import read
from tests.shared import SHARED, needs_shared

MAPPING = load_mapping(Path(__file__).resolve().parents[3] / "mappings" / "hl7v2")


def segment(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


def head(kind: str, number: int) -> str:
    return f"MSH|^~\\&|MAT|RX1|PERI|RX1|20240301120000||{kind}|{number}|P|2.4|||||GBR|UNICODE UTF-8"


PID = segment(
    "PID",
    {
        1: "1", 3: "9990000018^^^NHS~77^^^RX1&2.16.840.1&ISO^MR", 5: "SMITH^Jane^Ann^^Mrs^^L~JONES^^^^^^M", 6: "Brown",
        7: "199001020304", 8: "2", 9: "Janie^^^^^^N", 11: "1 High St&&^Flat 2^Leeds^Yorks^LS1 1AA^GBR^H",
        13: "01134960000^PRN^PH~^NET^Internet^jane@example.org", 14: "01134960001^WPN^FX", 15: "pl^Polish", 16: "S",
        17: "C1^Catholic", 18: "4711", 21: "9990000026^^^NHS", 22: "A^British", 23: "Leeds", 24: "Y", 25: "2",
        29: "20240301", 30: "Y",
    },
)  # fmt: skip
NK1 = segment(
    "NK1",
    {
        1: "1", 2: "SMITH^John", 3: "DOM^Partner", 4: "1 High St^^Leeds", 5: "0113", 6: "^^^j@example.org", 7: "N",
        8: "20200101", 15: "M", 16: "19880101", 33: "78^^^RX1",
    },
)  # fmt: skip
PV1 = segment("PV1", {1: "1", 2: "I", 3: "WARD1", 10: "501", 19: "V1^^^RX1", 44: "202402010900", 45: "202403021000"})
RESULTS = (
    "NM|450320001^EPDS^SCT||14|{score}|0-30|H|||F|||20240301101500",
    "NM|epds-item-10^Item 10^99PNR||2||||||C",
    "NM|412726003^Gestation at birth^SCT||259|d||||||F",
    "NM|27113001^Weight^SCT||62.5|kg^kilogram^UCUM|||||F",
    "SN|1^Count^LN||>^20|||||F",
    "SN|2^Range^LN||^1^-^5|cm|||||F",
    "SN|3^Ratio^LN||^1^:^8||||||F",
    "CWE|82810-3^Pregnancy status^LN||77386006^Pregnant^SCT||||||F",
    "DT|11778-8^EDD^LN||20241201||||||F",
    "CWE|267013003^Outcome^SCT||281050002^Live birth^SCT||||||F|||20240229",
    "ST|tokophobia^Fear of birth^99PNR||Y||||||F",
    "ST|Q1^Local question^HOSP||some words||||||W",
    "NM|Q2||||||||X",
    "ED|Q3^^LN||x^y||||||F",
    "CE|4^Answer^LN||A^Yes^99LOC||||||P",
)
TEXT = "\r".join(
    [
        head("ADT^A03", 1), "EVN|A03|20240301", PID, "PD1|||HIGH ST SURGERY^^A81001|1234567^WHO^Doctor^^^DR^^^GMC",
        NK1, PV1,
        "DG1|1||F32.2^Severe episode^I10|Depression|20240301|F", "DG1|2||13746004^Bipolar^SCT||2020|W", "AL1|1|DA|PEN",
        head("ORU^R01", 2), "PID|||9990000018^^^NHS", "OBR|1|P1|F1|71354-5^EPDS^LN|||20240301",
        *(f"OBX|{number}|{text}" for number, text in enumerate(RESULTS, 1)),
        "NTE|1||a comment", "",
    ]
)  # fmt: skip


def mapped() -> MappedBundle:
    (record,) = read(RawRecord("in.hl7", TEXT.encode()))
    return MAPPING.run(record)


def test_what_comes_of_a_full_record() -> None:
    kinds = Counter(entry["resource"]["resourceType"] for entry in mapped().bundle["entry"])
    assert kinds == {
        "Patient": 1,
        "Organization": 1,
        "Practitioner": 1,
        "RelatedPerson": 2,
        "Encounter": 1,
        "Condition": 2,
        "Observation": len(RESULTS),
    }


def test_it_is_valid() -> None:
    assert validate(mapped().bundle) == ()


def test_the_same_bytes_give_the_same_bundle() -> None:
    assert mapped() == mapped()


@needs_shared
def test_it_is_what_r4_and_uk_core_say(tmp_path: Path) -> None:
    bundle = mapped().bundle
    entries = [{**entry, "resource": with_profile(entry["resource"])} for entry in bundle["entry"]]
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(with_profile({**bundle, "entry": entries})), "utf-8")
    check = [sys.executable, str(SHARED / "conformance" / "check"), "--require-profile", str(file)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
