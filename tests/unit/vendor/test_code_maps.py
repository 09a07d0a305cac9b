"""Code maps: equivalence, version, and what FHIR's ConceptMap adds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapter.mapping.code_maps import find_code_map, load_code_map
from rules import ContentError
from tests.unit.vendor.folders import load as load_tiny
from tests.unit.vendor.folders import resources, run, write

HEAD = "name: t\nversion: 1.0.0\nsource: csv\npatient: {table: p, key: id}\n"


def test_equivalence_version_and_policy_of_a_csv(tmp_path: Path) -> None:
    text = "# version: 2.1.0\n# unmapped: drop\nsource,target,equivalence\na,x,equivalent\nb,y,disjoint\n"
    (tmp_path / "m.csv").write_text(text)
    found = load_code_map(tmp_path, "m")
    assert (found.version, found.unmapped) == ("2.1.0", "drop")
    assert (found.targets["a"].code, found.targets["b"].code) == ("x", "")


def test_of_several_counterparts_the_closest_is_taken(tmp_path: Path) -> None:
    targets = [{"code": "w", "equivalence": "wider"}, {"code": "e", "equivalence": "equivalent"}]
    group = {"target": "urn:t", "element": [{"code": "a", "target": targets}, {"code": "b"}]}
    (tmp_path / "m.json").write_text(json.dumps({"version": "3", "group": [group]}))
    found = load_code_map(tmp_path, "m")
    assert (found.targets["a"].code, found.targets["a"].system, found.version) == ("e", "urn:t", "3")
    assert found.targets["b"].code == ""


def test_a_counterpart_that_says_more_than_the_source_is_used_and_reported(tmp_path: Path) -> None:
    write(tmp_path, **{"tiny__code_maps__m.csv": "source,target,equivalence\na,female,narrower\n"})
    mapping = load_tiny(tmp_path, HEAD, "- {resource: Patient, for_each: p, id: [id], gender: {from: g, map: m}}\n")
    (result,) = run(mapping, "id,g\n1,a\n")
    assert resources(result)[0]["gender"] == "female"
    assert [(i.severity, i.detail, i.place) for i in result.issues] == [("information", "unmapped-code", "p row 2, g")]


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("m.csv", "source,target,equivalence\na,b,same\n", ":2:1: equivalence is one of"),
        ("m.csv", "# extends: nowhere\nsource,target\n", ":1:1: there is no code map nowhere"),
        ("m.csv", "# extends: m\nsource,target\n", ":1:1: there is no code map m to extend"),
        ("m.json", '{"group": [{"unmapped": {"mode": "other-map"}, "element": []}]}', "mode other-map is not followed"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, file: str, text: str, says: str) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(ContentError, match=says):
        find_code_map((tmp_path,), "m")
