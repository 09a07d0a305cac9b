"""One CSV file of a vendor's own: whose a row is, what a cell may hold, and what happens to what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.errors import Malformed
from adapter.mapping import Mapping
from tests.unit.vendor.folders import fates, load, read, resources, run, said

HEAD = """\
name: tiny
version: 1.0.0
source: csv
format: {delimiter: ";", dates: [DD/MM/YYYY, MM/YYYY], lists: {Diagnoses: ","}}
patient: {table: visit, key: Number, same: [Born]}
"""
BLOCKS = """\
- {resource: Patient, for_each: visit, id: [Number], birthDate: {from: Born, as: date}}
- resource: Observation
  for_each: visit
  when: {Due: present}
  requires: [valueDateTime]
  status: final
  code: {text: due}
  valueDateTime: {from: Due, as: datetime}
- resource: Condition
  for_each: Diagnoses
  id: [value]
  code: {text: {from: value}}
  recordedDate: {from: visit.Seen, as: date}
  subject: {reference_to: Patient}
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Mapping:
    return load(tmp_path, HEAD, BLOCKS)


def test_rows_with_the_same_key_are_one_patients_wherever_they_stand(mapping: Mapping) -> None:
    text = "Number;Born;Due\n1 0;01/02/1990;\n2;;\n10;;03/04/2026\n"
    first, second = run(mapping, text)
    assert [r["resourceType"] for r in resources(first)] == ["Patient", "Observation"]
    assert resources(first)[0]["birthDate"] == "1990-02-01"
    assert resources(second) == []


def test_a_row_of_nobody_is_refused_and_the_others_are_not(mapping: Mapping) -> None:
    first, nobody, last = run(mapping, "Number;Born\n1;01/02/1990\n;05/06/1991\n2;07/08/1992\n")
    assert (first.refused, nobody.refused, last.refused) == (False, True, False)
    assert said(nobody) == [("malformed", "visit row 3, Number")]
    assert fates(nobody) == {"visit.Born": "refused"}


def test_one_key_and_two_women_is_refused(mapping: Mapping) -> None:
    (both,) = run(mapping, "Number;Born\n1;01/02/1990\n1;\n1;02/02/1990\n")
    assert both.refused
    assert said(both) == [("data-conflict", "visit row 4, Born")]


def test_dates_are_read_as_the_mapping_says_and_no_other_way(mapping: Mapping) -> None:
    lines = ["Number;Born;Due", "1;02/1990;31/02/2025", "2;1990-02-01;3/4/2026 9:05", "3;29/02/2023;29/02/2024"]
    one, two, three = run(mapping, "\n".join(lines))
    assert [r.get("birthDate") for r in resources(one)] == ["1990-02"]
    assert said(one)[0] == ("implausible-date", "visit row 2, Due")
    assert [r["valueDateTime"] for r in resources(two)] == ["2026-04-03T09:05:00+01:00"]
    assert said(two) == [("implausible-date", "visit row 3, Born")]
    assert [r["valueDateTime"] for r in resources(three)] == ["2024-02-29"]
    assert fates(three)["visit.Born"] == "refused"


def test_values_of_one_cell_are_rows_with_their_place(mapping: Mapping) -> None:
    (result,) = run(mapping, "Number;Born;Seen;Diagnoses\n1;01/02/1990;03/03/2026;a, b,,a\n")
    conditions = [r for r in resources(result) if r["resourceType"] == "Condition"]
    assert [c["code"]["text"] for c in conditions] == ["a", "b"]
    assert {c["recordedDate"] for c in conditions} == {"2026-03-03"}
    assert set(result.lineage.values()) >= {"visit row 2, Diagnoses (1)", "visit row 2, Diagnoses (2)"}
    assert "unmapped" not in fates(result).values()


def test_a_ragged_row_refuses_her_record(mapping: Mapping) -> None:
    first, second = run(mapping, "Number;Born\n1;01/02/1990;left over\n2;01/02/1990\n")
    assert (first.refused, second.refused) == (True, False)
    assert said(first) == [("malformed", "visit row 2")]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "visit"),
        ("Number;Born\n", "visit"),
        ("Number,Born\n1,2\n", "visit row 1"),
        ("Number;Number\n1;2\n", "visit row 1"),
    ],
)
def test_a_file_without_a_patient_is_refused_and_said(mapping: Mapping, text: str, place: str) -> None:
    (refused,) = read(mapping, text)
    assert refused.refused
    assert [issue.place for issue in refused.issues] == [place]


def test_encodings(tmp_path: Path) -> None:
    name = "- {resource: Patient, for_each: p, id: [k], name: [{family: {from: n}}]}\n"
    head = "name: t\nversion: 1.0.0\nsource: csv\nformat: {encoding: %s}\npatient: {table: p, key: k}\n"
    mapping = load(tmp_path, head % "utf-16", name)
    (found,) = run(mapping, "k,n\n1,Zoë\n".encode("utf-16"))
    assert resources(found)[0]["name"][0]["family"] == "Zoë"
    strict = load(tmp_path / "strict", head % "utf-8", name)
    with pytest.raises(Malformed, match="p row 2: this is not UTF-8"):
        read(strict, "k,n\n1,Zoë\n".encode("cp1252"))
    with pytest.raises(Malformed, match="p: this is not utf-16"):
        read(mapping, b"k,n\n1")
