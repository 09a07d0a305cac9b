"""A body compiled for one text of its selector makes what the general body makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.mapping import nodes
from adapter.mapping.nodes import Array, Each, Field, First, From, Literal, Nothing, Object
from adapter.mapping.parse import parse_mapping
from adapter.mapping.prune import prune, selector
from adapter.mapping.run import Mapping, load_mapping
from adapter.records import RawRecord
from adapter.sources.hl7v2 import read

HL7V2 = Path(__file__).parents[3] / "mappings" / "hl7v2"
SPECIAL, GENERAL = load_mapping(HL7V2), load_mapping(HL7V2)
for block in GENERAL._blocks:
    block.selector = None
KIND = Field("OBX", "OBX-2", "OBX-2")
VALUE = Field("OBX", "OBX-5", "OBX-5")
IS_NUMBER = nodes.Test(KIND, frozenset({"NM"}))


def made(mapping: Mapping, kind: str, value: str, unit: str) -> object:
    obx = f"OBX|1|{kind}|450320001^EPDS^SCT||{value}|{unit}|||||F|||20240301"
    data = f"MSH|^~\\&|A|B|||20240301||ORU^R01|1|P|2.4\rPID|||9990000018^^^NHS\rOBR||P1|F1\r{obx}\r"
    (record,) = read(RawRecord("x", data.encode()))
    result = mapping.run(record)
    return result.bundle, result.lineage, [issue for issue in result.issues if issue.detail != "unmapped-field"]


@pytest.mark.parametrize("unit", ["", "mg", "{score}"])
@pytest.mark.parametrize("value", ["", "14", "1.5", "Y", "text", "<^5", "1^-^9", "20240301", "1^b^SCT"])
@pytest.mark.parametrize("kind", ["", "NM", "SN", "ST", "CWE", "DT", "ED"])
def test_it_makes_the_same(kind: str, value: str, unit: str) -> None:
    assert made(SPECIAL, kind, value, unit) == made(GENERAL, kind, value, unit)


def test_the_value_type_selects_what_a_result_becomes() -> None:
    (block,) = [block for block in parse_mapping(HL7V2).blocks if block.for_each == "OBX"]
    found = selector(block.body, "OBX")
    assert found is not None
    assert found[0].key == "OBX-2"
    assert {"NM", "SN", "ST"} <= found[1]


def test_few_conditions_select_nothing() -> None:
    body = Object((("a", From(VALUE, when=(IS_NUMBER,))),))
    assert selector(body, "OBX") is None


def test_what_is_ruled_out_stays_a_hole_of_its_dict() -> None:
    number = From(VALUE, when=(IS_NUMBER,))
    body = Object(
        (("a", number), ("b", First((number, Literal(1)))), ("c", Array((number,))), ("d", Each(VALUE, number)))
    )
    pruned = prune(body, KIND, "ST")
    assert isinstance(pruned, Object)
    assert dict(pruned.items) == {
        "a": Nothing(dynamic=True),
        "b": First((Literal(1),)),
        "c": Array((Nothing(dynamic=True),)),
        "d": Each(VALUE, number),
    }
    kept = prune(body, KIND, "NM")
    assert isinstance(kept, Object)
    assert dict(kept.items)["a"] == From(VALUE)
