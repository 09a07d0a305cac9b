"""Nothing is lost in silence: every populated field of any HL7 v2 message is in the FHIR or in the report."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapter.fhir.validate import validate
from adapter.mapping.run import load_mapping
from adapter.records import RawRecord
from adapter.sources.hl7v2 import read

MAPPING = load_mapping(Path(__file__).resolve().parents[2] / "mappings" / "hl7v2")
SELECTS = {"PID-21.1", "OBR-2", "OBR-3", "OBR-7", "OBX-2", "OBX-4", "OBX-11", "OBX-14", "DG1-5", "DG1-21", "PV1-44"}
"""Fields that choose or identify a resource rather than stand in it; tokens in them are no values of their type."""

LEAVES = st.sets(st.tuples(st.integers(2, 40), st.integers(1, 2), st.integers(1, 9)), min_size=1, max_size=12)
SEGMENTS = st.lists(
    st.tuples(st.sampled_from(["NK1", "PV1", "DG1", "OBX", "AL1", "ZZZ", "PD1"]), LEAVES),
    max_size=4,
    unique_by=lambda pair: pair[0],
)
TYPES = st.sampled_from(["NM", "SN", "ST", "CWE", "DT", "ED", ""])


def filled(name: str, leaves: set[tuple[int, int, int]], start: int) -> str:
    """A segment with a token of its own in each of the (field, repetition, component) leaves."""
    fields: dict[int, dict[int, dict[int, str]]] = {}
    for index, (field, repetition, component) in enumerate(sorted(leaves)):
        fields.setdefault(field, {}).setdefault(repetition, {})[component] = f"t{start + index}t"
    written = []
    for number in range(1, max(fields) + 1):
        repetitions = fields.get(number, {})
        texts = [
            "^".join(repetitions.get(r, {}).get(c, "") for c in range(1, max(repetitions.get(r, {1: ""})) + 1))
            for r in range(1, max(repetitions, default=0) + 1)
        ]
        written.append("~".join(texts))
    return "|".join([name, *written])


@settings(max_examples=150, deadline=None)
@given(LEAVES, SEGMENTS, TYPES)
@example({(5, 1, 1)}, [("OBX", {(3, 1, 1), (5, 1, 1)})], "NM")
@example({(5, 1, 1)}, [("OBX", {(3, 1, 1), (5, 1, 1), (5, 1, 3)})], "SN")
@example({(5, 1, 1)}, [("OBX", {(3, 1, 1), (5, 1, 1), (5, 1, 2)})], "ED")
def test_every_leaf_is_in_the_output_or_the_report(
    pid: set[tuple[int, int, int]], others: list[tuple[str, set[tuple[int, int, int]]]], kind: str
) -> None:
    lines = ["MSH|^~\\&|A|B|||20240301||ADT^A01|1|P|2.4", filled("PID", pid | {(3, 1, 1)}, 1000)]
    for number, (name, leaves) in enumerate(others, 2):
        line = filled(name, leaves, number * 1000).split("|")
        if name == "OBX":
            line += [""] * (12 - len(line))
            line[2], line[11] = kind, "F"
        lines.append("|".join(line))
    (record,) = read(RawRecord("x", ("\r".join(lines) + "\r").encode()))
    bundle = MAPPING.run(record)
    written = json.dumps(bundle.bundle)
    populated = [(row, name) for row in record.order for name in row.populated()]
    assert sum(use.times for use in bundle.coverage) == len(populated)
    assert validate(bundle.bundle) == ()
    fates = {place: use for use in bundle.coverage for place in use.places}
    for row, field in populated:
        text = row.get(field)
        use = fates.get(row.place(field))
        if use is not None and use.fate == "mapped" and text and text.startswith("t") and use.field not in SELECTS:
            assert text in written, use


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["NM", "SN", "ST", "FT", "CWE", "DT", "TS", "ED", ""]),
    st.lists(st.sampled_from(["", "5", "7.5", "word"]), min_size=1, max_size=5),
    st.sampled_from(["", "wk", "unit^UNIT"]),
)
@example("NM", ["word"], "")
@example("SN", ["", "5", "word"], "")
@example("SN", ["word", "word"], "")
@example("DT", ["word", "word"], "")
def test_a_value_that_is_none_of_its_type_is_written_or_reported(kind: str, parts: list[str], unit: str) -> None:
    value = "^".join(f"{part}{index}" if part == "word" else part for index, part in enumerate(parts))
    message = (
        f"MSH|^~\\&|A|B|||20240301||ORU^R01|1|P|2.4\rPID|||1\rOBR|1||7|x\rOBX|1|{kind}|epds||{value}|{unit}|||||F\r"
    )
    (record,) = read(RawRecord("x", message.encode()))
    bundle = MAPPING.run(record)
    written = json.dumps(bundle.bundle)
    (row,) = record.rows["OBX"]
    texts = {row.place(name): row.get(name) or "" for name in row.populated()}
    for use in bundle.coverage:
        for place in use.places if use.fate == "mapped" and use.field.startswith(("OBX-5", "OBX-6")) else ():
            assert texts[place] in written, use
