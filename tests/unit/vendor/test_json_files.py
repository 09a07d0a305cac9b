"""A vendor's JSON: nesting as rows, JSON pointers as places, and nothing lost in an array that no line reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapter.errors import Malformed
from adapter.mapping import Mapping
from rules import ContentError
from tests.unit.vendor.folders import fates, load, read, resources, run, said

HEAD = """\
name: tiny
version: 1.0.0
source: json
rows:
  file: $
  patient: $.people[*]
  score: $.people[*].visits[*].scores[*]
  note: $.notes[*]
patient: {table: patient, key: id}
joins: {note: {to: patient, by: person, key: id}}
"""
BLOCKS = """\
- resource: Patient
  for_each: patient
  id: [id]
  name: [{given: [{each: name.given, do: {from: value}}]}]
  birthDate: {from: born, as: date}
- resource: Observation
  for_each: score
  id: [tool]
  status: final
  code: {text: {join_text: [file.system, tool]}}
  valueInteger: {from: total, as: integer}
- resource: Basic
  for_each: note
  code: {text: {from: text}}
  subject: {reference_to: Patient}
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Mapping:
    return load(tmp_path, HEAD, BLOCKS)


def test_objects_in_arrays_are_rows_with_their_pointers(mapping: Mapping) -> None:
    document = {
        "system": "EPR",
        "people": [
            {
                "id": 7,
                "born": "1990-01-02",
                "name": {"given": ["A", None, "B"]},
                "visits": [{"scores": []}, {"on": "x/y", "scores": [{"tool": "EPDS", "total": 9}]}],
            }
        ],
        "notes": [{"person": 7, "text": "n"}],
    }
    (result,) = run(mapping, json.dumps(document), "export.json")
    patient, observation, basic = resources(result)
    assert patient["name"] == [{"given": ["A", "B"]}]
    assert (observation["code"]["text"], observation["valueInteger"]) == ("EPR EPDS", 9)
    assert basic["subject"]["reference"].endswith(patient["id"])
    places = {path: place for (_, path), place in result.lineage.items()}
    assert places["valueInteger"] == "/people/0/visits/1/scores/0/total"
    assert places["name[0].given[1]"] == "/people/0/name/given/2"
    assert fates(result)["$.people[*].visits[*].on"] == "unmapped"
    assert fates(result)["patient.name.given.value"] == "mapped"
    assert next(use for use in result.coverage if use.fate == "unmapped").places == ("/people/0/visits/1/on",)


def test_what_no_line_reads_is_named_down_to_the_item_of_an_array(mapping: Mapping) -> None:
    document = {"people": [{"id": "1", "born": "1990", "kin": [{"phone": ["1", "2"]}], "a/b": {"~": True}}]}
    (result,) = run(mapping, json.dumps(document), "export.json")
    unmapped = {use.field: use.places[0] for use in result.coverage if use.fate == "unmapped"}
    assert unmapped == {
        "patient.kin[0].phone[0]": "/people/0/kin/0/phone/0",
        "patient.kin[0].phone[1]": "/people/0/kin/0/phone/1",
        "patient.a/b.~": "/people/0/a~1b/~0",
    }


def test_an_array_is_ignored_by_its_name(tmp_path: Path) -> None:
    ignored = BLOCKS + "- ignore: {patient.kin: of other people}\n"
    mapping = load(tmp_path, HEAD, ignored)
    (result,) = run(mapping, '{"people": [{"id": "1", "born": "1990", "kin": [{"phone": "1"}]}]}', "export.json")
    assert fates(result)["patient.kin[0].phone"] == "ignored"


def test_what_belongs_to_nobody_is_refused_and_stops_nobody(mapping: Mapping) -> None:
    text = '{"people": [{"id": "1", "born": "1990"}, {"born": "1991"}], "notes": [{"person": "2", "text": "x"}]}'
    good, nobody, orphans = run(mapping, text, "export.json")
    assert (good.refused, nobody.refused, orphans.refused) == (False, True, True)
    assert said(nobody) == [("malformed", "/people/1/id")]
    assert said(orphans) == [("malformed", "/notes/0")]


def test_numbers_keep_the_text_they_came_as(mapping: Mapping) -> None:
    (record,) = read(
        mapping, '{"people": [{"id": 1, "a": 1.50, "b": 0.1e3, "c": true, "d": " x ", "e": ""}]}', "x.json"
    )
    (patient,) = record.rows["patient"]
    assert dict(patient.texts) == {"id": "1", "a": "1.50", "b": "0.1e3", "c": "true", "d": "x"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"people": [{"id": 1, "id": 2}]}', "the same key twice"),
        ('{"people": [{"id": NaN}]}', "NaN"),
        ('{"people": [', "not JSON"),
        ('{"persons": []}', "there is no patient"),
        ('{"people": [{"id": 1, "a": {"b": 1}, "a.b": 2}]}', "come to the same name"),
        ("[" * 100_000, "nested too deep"),
        (b'{"people": "\xff"}', "not UTF-8"),
    ],
)
def test_what_is_no_such_file_is_said(mapping: Mapping, text: str | bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        read(mapping, text, "export.json")


def test_a_broken_line_of_ndjson_stops_no_other(mapping: Mapping) -> None:
    lines = '{"people": [{"id": 1, "born": "1990"}]}\n{"people": \n\n{"people": [{"id": 2, "born": "1991"}]}\n'
    results = run(mapping, lines, "export.ndjson")
    assert [result.refused for result in results] == [False, True, False]
    assert said(results[1]) == [("malformed", "line 2, line 1")]
    assert "line 4, /people/0/born" in results[2].lineage.values()


def test_a_list_at_the_top(tmp_path: Path) -> None:
    head = "name: t\nversion: 1.0.0\nsource: json\nrows: {p: '$[*]'}\npatient: {table: p, key: id}\n"
    mapping = load(tmp_path, head, "- {resource: Patient, for_each: p, id: [id], birthDate: {from: born}}\n")
    one, two = run(mapping, '[{"id": 1, "born": "1990"}, {"id": 2, "born": "1991"}]', "export.json")
    assert [resources(r)[0]["birthDate"] for r in (one, two)] == ["1990", "1991"]
    assert "/1/born" in two.lineage.values()


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (HEAD.replace("patient: $.people[*]", "patient: people"), "a path is"),
        (HEAD.replace("  patient: $.people[*]\n", ""), "rows names the objects"),
        (HEAD.replace("joins: {note: {to: patient, by: person, key: id}}\n", ""), "outside of patient"),
        (HEAD + "format: {delimiter: ';'}\n", "'delimiter' is not known"),
        (HEAD.replace("source: json", "source: csv"), "rows is for source: json"),
        (HEAD.replace("  file: $", "  file: $\n  other: $"), "each path has one name"),
    ],
)
def test_mistakes_in_the_head_are_named(tmp_path: Path, head: str, says: str) -> None:
    with pytest.raises(ContentError, match=rf"mapping\.yaml:\d+:\d+: .*{says}"):
        load(tmp_path, head, "[]\n")
