"""What MHSDS brought to the mapping language: tables of no patient, and reports; mistakes are named with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.mapping import load_mapping
from rules import ContentError

HEAD = (
    "name: t\nversion: 1.0.0\nsource: rows\npatient: {table: people, key: id}\njoins: {visits: {to: people, by: id}}\n"
)
GOOD = "- {resource: Patient, for_each: people, id: [id], birthDate: {from: born, as: date}}\n"


def load(folder: Path, head: str, blocks: str) -> None:
    (folder / "mapping.yaml").write_text(HEAD + head, encoding="utf-8")
    (folder / "blocks.yaml").write_text(GOOD + blocks, encoding="utf-8")
    load_mapping(folder)


def test_a_lookup_and_a_report(tmp_path: Path) -> None:
    lookup = "lookups: {teams: {by: team, of: {visits: team}}}\n"
    load(tmp_path, lookup, '- {report: not hers, for_each: visits, field: who, when: {teams.kind: "1"}}\n')


@pytest.mark.parametrize(
    ("head", "blocks", "place"),
    [
        ("lookups: {teams: {by: team}}\n", "", "mapping.yaml:6:"),
        ("lookups: {teams: {by: team, of: {wards: team}}}\n", "", "mapping.yaml:6:"),
        ("", "- {report: not hers, for_each: visits}\n", "blocks.yaml:2:"),
        ("", "- {report: not hers, for_each: wards, field: who}\n", "blocks.yaml:2:"),
        ("", "- {report: not hers, for_each: visits, field: who, why: x}\n", "blocks.yaml:2:"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, head: str, blocks: str, place: str) -> None:
    with pytest.raises(ContentError) as caught:
        load(tmp_path, head, blocks)
    assert place in str(caught.value)
