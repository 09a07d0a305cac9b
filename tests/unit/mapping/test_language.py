"""The mapping language: what a block makes, what is reported, and that mistakes are named with their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.mapping import Mapping, load_mapping
from adapter.records import MappedBundle
from adapter.sources.csv_files import HeldTable, TableRow
from adapter.sources.tables import group_tables
from rules import ContentError

HEAD = """\
name: tiny
version: 1.0.0
source: rows
patient: {table: people, key: id}
joins: {facts: {to: people, by: id}}
"""


def load(path: Path, blocks: str, head: str = HEAD, **maps: str) -> Mapping:
    folder = path / "mappings" / "tiny"
    folder.mkdir(parents=True)
    (path / "mappings" / "code_maps").mkdir()
    for name, text in maps.items():
        (path / "mappings" / "code_maps" / f"{name}.csv").write_text(text)
    (folder / "mapping.yaml").write_text(head)
    (folder / "blocks.yaml").write_text(blocks)
    return load_mapping(folder)


def run(mapping: Mapping, **tables: list[dict[str, str]]) -> MappedBundle:
    made = []
    for name, rows in tables.items():
        columns = {c: i for i, c in enumerate(dict.fromkeys(c for row in rows for c in row))}
        made.append(
            HeldTable(
                name,
                columns,
                [TableRow(name, columns, n, [r.get(c, "") for c in columns]) for n, r in enumerate(rows, 2)],
            )
        )
    (record,) = group_tables(made, mapping, "test")
    return mapping.run(record)


def resources(result: MappedBundle) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in result.bundle.get("entry", ())]


def fates(result: MappedBundle) -> dict[str, str]:
    return {use.field: use.fate for use in result.coverage}


def details(result: MappedBundle) -> list[str]:
    return [issue.detail for issue in result.issues]


def test_holes_that_are_not_filled_take_their_constants_with_them(tmp_path: Path) -> None:
    mapping = load(
        tmp_path,
        """
- resource: Patient
  for_each: people
  id: [id]
  active: true
  name: [{use: official, family: {from: family}}]
  birthDate: {from: born, as: date}
""",
    )
    (patient,) = resources(run(mapping, people=[{"id": "1", "born": "1990-01-02"}]))
    assert {k: v for k, v in patient.items() if k != "id"} == {
        "resourceType": "Patient",
        "active": True,
        "birthDate": "1990-01-02",
    }


def test_lineage_names_row_and_column_of_each_value(tmp_path: Path) -> None:
    mapping = load(
        tmp_path, "- {resource: Patient, for_each: people, id: [id], name: [{given: [{from: a}, {from: b}]}]}\n"
    )
    result = run(mapping, people=[{"id": "1", "a": "", "b": "Jo"}])
    url = result.bundle["entry"][0]["fullUrl"]
    assert result.lineage == {(url, "name[0].given[0]"): "people row 2, b", (url, ""): "people row 2"}
    assert result.bundle["entry"][0]["resource"]["id"] == url.removeprefix("urn:uuid:")


def test_first_reports_the_field_that_was_not_needed(tmp_path: Path) -> None:
    mapping = load(
        tmp_path,
        """
- resource: Patient
  for_each: people
  id: [id]
  birthDate: {first: [{from: a, as: date}, {from: b, as: date}]}
""",
    )
    result = run(mapping, people=[{"id": "1", "a": "1990", "b": "1991"}])
    assert resources(result)[0]["birthDate"] == "1990"
    assert [(u.fate, u.reason) for u in result.coverage if u.field == "people.b"] == [
        ("ignored", "another field filled the element")
    ]
    again = run(mapping, people=[{"id": "1", "a": "1990-13", "b": "1991"}])
    assert resources(again)[0]["birthDate"] == "1991"
    assert (fates(again)["people.a"], fates(again)["people.b"]) == ("refused", "mapped")


def test_a_field_counts_where_it_was_used_not_where_it_might_have_been(tmp_path: Path) -> None:
    mapping = load(
        tmp_path,
        """
- {resource: Patient, for_each: people, id: [id], active: true, birthDate: {from: born, as: date}}
- resource: Observation
  for_each: facts
  when: {kind: [x]}
  status: final
  valueString: {from: value}
- ignore: {facts.note: notes are for the office}
""",
    )
    result = run(
        mapping,
        people=[{"id": "1", "born": "1990"}],
        facts=[
            {"id": "1", "kind": "x", "value": "seen", "note": "n"},
            {"id": "1", "kind": "y", "value": "not seen", "note": ""},
        ],
    )
    assert len(resources(result)) == 2
    uses = {(u.field, u.fate): (u.times, u.places) for u in result.coverage}
    assert uses["facts.value", "mapped"] == (1, ("facts row 2, value",))
    assert uses["facts.value", "unmapped"] == (1, ("facts row 3, value",))
    assert uses["facts.kind", "mapped"][0] == 2
    assert uses["facts.note", "ignored"][0] == 1
    assert details(result) == ["unmapped-field"]


def test_what_cannot_be_made_is_reported_and_nothing_refers_to_it(tmp_path: Path) -> None:
    mapping = load(
        tmp_path,
        """
- {resource: Patient, for_each: people, id: [id], requires: [birthDate], birthDate: {from: born, as: date}}
- resource: Observation
  for_each: facts
  requires: [subject]
  status: final
  subject: {reference_to: Patient}
  valueString: {from: value}
- resource: Basic
  for_each: facts
  subject: {reference_to: Patient}
  code: {text: {from: value}}
""",
    )
    result = run(mapping, people=[{"id": "1", "born": "never"}], facts=[{"id": "1", "value": "v"}])
    assert [r["resourceType"] for r in resources(result)] == ["Basic"]
    assert "subject" not in resources(result)[0]
    assert [(i.code, i.place) for i in result.issues] == [
        ("value", "people row 2, born"),
        ("required", "people row 2"),
        ("required", "facts row 2"),
    ]
    assert fates(result)["facts.value"] == "mapped"


def test_an_element_that_lacks_what_it_requires_is_left_out(tmp_path: Path) -> None:
    mapping = load(
        tmp_path,
        """
- resource: Patient
  for_each: people
  id: [id]
  active: true
  identifier: [{requires: [value], type: {text: {from: kind}}, value: {from: number, as: nhs_number}}]
  birthDate: {from: born}
""",
    )
    result = run(mapping, people=[{"id": "1", "kind": "k", "number": "1", "born": "1990"}])
    assert "identifier" not in resources(result)[0]
    assert fates(result) == {
        "people.id": "mapped",
        "people.kind": "refused",
        "people.number": "refused",
        "people.born": "mapped",
    }
    assert [path for _, path in result.lineage] == ["birthDate", ""]


MAP = "# unmapped: {}\nsource,target,display,system\nF,female,Female,urn:s\n?,,not told,\n"


@pytest.mark.parametrize(
    ("policy", "code", "gender", "severity"),
    [
        ("keep", "F", "female", None),
        ("keep", "Q", "Q", "warning"),
        ("drop", "Q", None, "warning"),
        ("error", "Q", None, "error"),
        ("keep", "?", None, "warning"),
    ],
)
def test_code_maps(tmp_path: Path, policy: str, code: str, gender: str | None, severity: str | None) -> None:
    mapping = load(
        tmp_path,
        "- {resource: Patient, for_each: people, id: [id], birthDate: {from: born}, gender: {from: sex, map: sex}}\n",
        sex=MAP.format(policy),
    )
    result = run(mapping, people=[{"id": "1", "sex": code, "born": "1990"}])
    assert resources(result)[0].get("gender") == gender
    assert [(i.severity, i.detail) for i in result.issues] == ([(severity, "unmapped-code")] if severity else [])
    assert fates(result)["people.sex"] == ("unmapped-code" if severity else "mapped")


def test_a_map_gives_system_and_display_where_nothing_else_does(tmp_path: Path) -> None:
    mapping = load(
        tmp_path,
        """
- resource: Basic
  for_each: people
  code: {coding: [{code: {from: sex, map: sex}}, {display: own, code: {from: sex, map: sex}}]}
  subject: {from: sex, map: sex, as: concept}
""",
        sex=MAP.format("keep"),
    )
    coding = {"system": "urn:s", "code": "female", "display": "Female"}
    (known,) = resources(run(mapping, people=[{"id": "1", "sex": "F"}]))
    assert known["code"]["coding"] == [coding, {**coding, "display": "own"}]
    assert known["subject"] == {"coding": [coding]}
    (text,) = resources(run(mapping, people=[{"id": "1", "sex": "?"}]))
    assert text["subject"] == {"text": "not told"}


def test_a_later_patient_joins_an_earlier_one_and_others_replace_it(tmp_path: Path) -> None:
    mapping = load(
        tmp_path,
        """
- {resource: Patient, for_each: facts, id: [], birthDate: {from: born}, gender: {from: sex}}
- {resource: Basic, for_each: facts, id: [n], code: {text: {from: value}}}
""",
    )
    result = run(
        mapping,
        people=[{"id": "1"}],
        facts=[
            {"id": "1", "born": "1990", "sex": "", "n": "1", "value": "a"},
            {"id": "1", "born": "", "sex": "female", "n": "1", "value": "b"},
        ],
    )
    patient, basic = resources(result)
    assert (patient["birthDate"], patient["gender"]) == ("1990", "female")
    assert basic["code"]["text"] == "b"
    assert details(result) == ["duplicate"]
    assert {path: place for (_, path), place in result.lineage.items() if path} == {
        "birthDate": "facts row 2, born",
        "gender": "facts row 3, sex",
        "code.text": "facts row 3, value",
    }


def test_join_text_and_once_per_record(tmp_path: Path) -> None:
    mapping = load(
        tmp_path,
        """
- resource: Patient
  name: whole
  id: []
  deceasedDateTime: {join_text: [people.day, people.time], with: T, as: datetime}
  generalPractitioner: {each: facts, do: {display: {from: value}, when: {value: {not: [hidden]}}}}
""",
    )
    result = run(
        mapping,
        people=[{"id": "1", "day": "2026-02-03", "time": "10:15"}],
        facts=[{"id": "1", "value": "hidden"}, {"id": "1", "value": "seen"}],
    )
    (patient,) = resources(result)
    assert patient["deceasedDateTime"] == "2026-02-03T10:15:00+00:00"
    assert patient["generalPractitioner"] == [{"display": "seen"}]


def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    mapping = load(tmp_path, "- {resource: Patient, for_each: people, id: [id], birthDate: {from: born}}\n")
    rows = [{"id": "1", "born": "1990"}]
    assert run(mapping, people=rows) == run(mapping, people=rows)


@pytest.mark.parametrize(
    ("blocks", "place", "says"),
    [
        ("- resource: Patient\n  birthDate: {from: born, az: date}\n", "2:27", "'az' is not known"),
        ("- resource: Patient\n  birthDate: {from: born, as: dat}\n", "2:27", "as is one of"),
        ("- resource: Patient\n  gender: {from: sex, map: nowhere}\n", "2:23", "no code map nowhere"),
        ("- resource: Patient\n  for_each: nowhere\n", "2:3", "no table"),
        ("- resource: Patient\n  managingOrganization: {reference_to: Org}\n", "2:26", "no block is named Org"),
        ("- resource: Patient\n  when: {sex: 1}\n", "2:10", "in quotes"),
        ("- resource: Patient\n  when: {sex: {shape: round}}\n", "2:16", "a shape is one of"),
        ("- resource: Patient\n  requires: [name]\n", "2:3", "no line here fills it"),
        ("- resource: Patient\n  id: born\n", "2:3", "id is a list"),
        ("- resource: Patient\n- resource: Patient\n", "2:3", "a block named Patient exists"),
        ("- ignore: {x: no}\n", "1:12", "say in words"),
        ("- make: Patient\n", "1:3", "a block begins with"),
        ("resource: Patient\n", "1:1", "is a list"),
        ("- resource: Patient\n  gender:\n", "2:3", "nothing is written here"),
        ("- resource: Basic\n  code: {coded: a, scheme: b}\n", "2:3", "coded needs"),
        ("- resource: Basic\n  code: {system: 'urn:x', code: {from: a, map: kept}}\n", "2:27", "which is false"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, blocks: str, place: str, says: str) -> None:
    with pytest.raises(ContentError, match=rf"blocks\.yaml:{place}: .*{says}"):
        load(tmp_path, blocks, kept="source,target\na,b\n")


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("name: x\nversion: 1.0.0\n", "source is missing"),
        ("name: x\nversion: 1.0.0\nsource: rows\n", "mapping of names"),
        ("name: x\nversion: 1.0.0\nsource: rows\npatient: {table: a}\n", "which table and key"),
        (HEAD.replace("to: people", "to: facts"), "leads back to itself"),
        (HEAD.replace("to: people", "to: others"), "ends at others"),
        (HEAD + "files: [other.yaml]\n", "files must list"),
        (HEAD + "filez: []\n", "'filez' is not known"),
    ],
)
def test_mistakes_in_the_head(tmp_path: Path, head: str, says: str) -> None:
    with pytest.raises(ContentError, match=rf"mapping\.yaml:\d+:\d+: .*{says}"):
        load(tmp_path, "[]\n", head)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("code,target\na,b\n", ":1:1: the header"),
        ("source,target\na,b,c\n", ":2:1: 3 cells"),
        ("source,target\na,b\na,c\n", ":3:1: source is empty or given twice"),
        ("# unmapped: guess\nsource,target\n", ":1:1: unmapped is one of"),
    ],
)
def test_mistakes_in_a_code_map(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ContentError, match=says):
        load(tmp_path, "- {resource: Patient, gender: {from: people.sex, map: sex}}\n", sex=text)


def test_a_concept_map_serves_as_code_map(tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "tiny" / "code_maps"
    folder.mkdir(parents=True)
    (folder / "sex.json").write_text(
        '{"resourceType": "ConceptMap", "group": [{"target": "urn:s",'
        ' "element": [{"code": "F", "target": [{"code": "female", "display": "Female"}]}]}]}'
    )
    (folder.parent / "mapping.yaml").write_text(HEAD)
    (folder.parent / "blocks.yaml").write_text(
        "- {resource: Patient, for_each: people, gender: {from: sex, map: sex}}\n"
    )
    (patient,) = resources(run(load_mapping(folder.parent), people=[{"id": "1", "sex": "F"}]))
    assert patient["gender"] == "female"
