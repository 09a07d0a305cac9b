"""What becomes of a text that a condition asks for, and that nobody writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.mapping import load_mapping
from adapter.records import RawRecord
from adapter.sources.exports import read_export

HEAD = "name: t\nversion: 1.0.0\nsource: csv\npatient: {table: visit, key: Id}\n"
BLOCKS = """\
- {resource: Patient, for_each: visit, id: [Id], gender: unknown}
- {resource: Observation, for_each: visit, status: final, code: {text: x}, subject: {reference_to: Patient}, %s}
"""


@pytest.mark.parametrize(
    ("element", "text", "fate"),
    [
        ("valueInteger: {from: A, as: integer, when: {A: {shape: integer}}}", "5", "mapped"),
        ("valueInteger: {from: A, as: integer, when: {A: {shape: integer}}}", "five", "refused"),
        ("valueInteger: {from: A, as: integer, when: {A: {not: {shape: yes_no}}}}", "five", "refused"),
        ("valueString: {const: late, when: {A: L}}", "L", "mapped"),
        ("valueString: {const: late, when: {A: L}}", "M", "refused"),
        ("valueString: {const: on time, when: {A: {not: L}}}", "L", "mapped"),
        ("valueString: {const: there, when: {A: present}}", "L", "unmapped"),
        ("valueString: {first: [{from: A, when: {A: M}}, {from: A, when: {A: {not: N}}}]}", "L", "mapped"),
        ("when: {A: present}", "L", "mapped"),
    ],
)
def test_a_text_counts_where_a_condition_names_it_or_a_row_is_chosen_by_it(
    tmp_path: Path, element: str, text: str, fate: str
) -> None:
    (tmp_path / "mapping.yaml").write_text(HEAD, encoding="utf-8")
    (tmp_path / "blocks.yaml").write_text(BLOCKS % element, encoding="utf-8")
    mapping = load_mapping(tmp_path)
    (record,) = read_export(RawRecord("export.csv", f"Id,A\n1,{text}\n".encode()), mapping)
    assert {use.field: use.fate for use in mapping.run(record).coverage}["visit.A"] == fate
