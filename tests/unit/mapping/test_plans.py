"""What plans make is what the closures make: resources, lineage, coverage and issues."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.mapping import Mapping, load_mapping, plan, sight
from adapter.records import MappedBundle
from adapter.sources.csv_files import HeldTable, TableRow
from adapter.sources.model import SourceRecord
from adapter.sources.tables import group_tables
from tests.unit.mapping import test_msds as msds
from tests.unit.mhsds import test_mhsds as mhsds
from tests.unit.mhsds.records import KEYS as MHSDS_KEYS
from tests.unit.vendor.folders import load

MAPPINGS = Path(__file__).parents[3] / "mappings"
VALUES = st.sampled_from(
    """01 02 05 Y N 2026-02-03 2026-02-04 20260204 2026-02-30 2027 2026-02-03T10:00 F53.1 F532 13746004 58214004
    epds-item-10 EPDS-total -1 9.5 7.5 64 65 10:15:00 en fr English kg cm 9990000107 9990000115 9990000116 LS1 R17.1
    V81997 B86001 RX1 x""".split()  # noqa: SIM905  a list would take forty lines
)
Tables = dict[str, dict[str, str]]


def both(folder: Path) -> tuple[Mapping, Mapping]:
    """A mapping, and the same one without plans."""
    plain = load_mapping(folder)
    plain._plans.clear()
    return load_mapping(folder), plain


PAIRS = {
    "msds": (*both(MAPPINGS / "msds"), msds.FULL, frozenset(msds.KEYS)),
    "mhsds": (
        *both(MAPPINGS / "mhsds"),
        {name: row for name, (row,) in mhsds.FULL.items()},
        frozenset(MHSDS_KEYS),
    ),
}


def sources(mapping: Mapping, rows: dict[str, list[dict[str, str]]]) -> list[SourceRecord]:
    tables = []
    for name, lines in rows.items():
        columns = {column: index for index, column in enumerate(lines[0])}
        held = [TableRow(name, columns, number, list(line.values())) for number, line in enumerate(lines, 2)]
        tables.append(HeldTable(name, columns, held))
    return list(group_tables(tables, mapping, "test"))


def seen(made: MappedBundle) -> object:
    return orjson.dumps(made.bundle), dict(made.lineage), list(made.coverage), made.issues, made.refused


def planned(mapping: Mapping) -> int:
    """How many plans there are."""
    return sum(found is not None for plans in mapping._plans.values() for found in plans._plans.values())


@pytest.mark.parametrize("name", PAIRS)
def test_rows_that_are_seen_alike_become_what_each_would_become(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_WORTHWHILE", 1)
    with_plans, without, full, keys = PAIRS[name]

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def check(data: st.DataObject) -> None:
        rows = data.draw(tables(full, keys))
        for record in sources(with_plans, rows):
            if not record.refused:
                assert seen(with_plans.run(record)) == seen(without.run(record))

    check()
    assert planned(with_plans) > 20


@st.composite
def tables(draw: st.DrawFn, full: Tables, keys: frozenset[str]) -> dict[str, list[dict[str, str]]]:
    """Some rows of each of some tables, most of whose cells are as usual."""
    found: dict[str, list[dict[str, str]]] = {}
    for name, usual in full.items():
        free = [column for column in usual if column not in keys]
        lines = draw(st.integers(0 if len(found) > 1 else 1, 3))
        for number in range(lines):
            line = dict(usual)
            if free:
                line.update(draw(st.dictionaries(st.sampled_from(free), st.just("") | VALUES, max_size=4)))
            own = next((column for column in line if column in keys), "")
            if number and own and len(found) > 1:
                line[own] = draw(st.sampled_from([line[own], f"{line[own]}{number}"]))
            found.setdefault(name, []).append(line)
    return found


HEAD = """\
name: tiny
version: 1.0.0
source: csv
patient: {table: people, key: id}
joins: {visit: {to: people, by: id}, test: {to: visit, by: visit}}
lookups: {team: {by: code, of: {visit: team}}}
"""
BLOCKS = """\
- resource: Patient
  for_each: people
  id: [id]
  birthDate: {from: born, as: date}
  contact:
    - relationship: {each: visit, do: {text: {from: kind, default: none}}}
  generalPractitioner: {each: visit, do: {reference_to: gp, when: {gp: present}}}
- resource: Organization
  name: gp
  for_each: visit
  id: [gp]
  when: {gp: present}
  requires: [identifier]
  identifier: [{system: "urn:x", value: {from: gp, as: ods_code}}]
- resource: Encounter
  for_each: visit
  id: [visit, {from: on, as: date}]
  status: {first: [{from: kind, map: kinds}, {from: team.name}, {const: unknown}]}
  subject: {reference_to: Patient}
  serviceProvider: {reference_to: gp}
  period: {start: {from: on, as: datetime}, end: {from: until, as: datetime}}
- resource: Observation
  for_each: test
  id: [visit, {join_text: [visit.kind, what]}]
  status: final
  requires: [code]
  code: {text: {join_text: [what, visit.kind], with: "/"}}
  subject: {reference_to: Patient}
  encounter: {reference_to: Encounter}
  valueInteger: {from: value, as: integer, when: {value: {shape: integer}}}
  valueQuantity: {requires: [unit], value: {from: value, as: decimal}, unit: {from: unit}}
- report: a visit of nobody's kind
  for_each: visit
  field: kind
  when: {kind: [odd]}
"""
KINDS = "source,target,system\nA,planned,urn:a\nB,finished,urn:a\n"
TINY: dict[str, dict[str, list[str]]] = {
    "people": {"id": ["1", "2"], "born": ["1990-01-01", "1991-01-01", "x", ""]},
    "visit": {
        "visit": ["v1", "v2", "v3"],
        "id": ["1", "2"],
        "kind": ["A", "B", "odd", ""],
        "team": ["T", "U", "W", ""],
        "gp": ["A81001", "A81002", "?", ""],
        "on": ["2026-01-01", "2026-01-02", "x", ""],
        "until": ["2026-01-01", "2025-01-02", "2026", ""],
    },
    "test": {"visit": ["v1", "v2"], "what": ["a", "b", ""], "value": ["1", "2", "1.5", "x", ""], "unit": ["kg", ""]},
    "team": {"code": ["T", "U"], "name": ["x", "y", ""]},
}


def test_of_a_mapping_with_everything_that_can_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_WORTHWHILE", 1)
    (tmp_path / "code_maps").mkdir()
    (tmp_path / "code_maps" / "kinds.csv").write_text(KINDS)
    with_plans = load(tmp_path, HEAD, BLOCKS)
    without = load_mapping(tmp_path / "tiny")
    without._plans.clear()
    line = {
        name: st.fixed_dictionaries({column: st.sampled_from(texts) for column, texts in columns.items()})
        for name, columns in TINY.items()
    }
    some = st.fixed_dictionaries({name: st.lists(of, min_size=1, max_size=5) for name, of in line.items()})

    @settings(max_examples=300, deadline=None)
    @given(some)
    def check(rows: dict[str, list[dict[str, str]]]) -> None:
        for record in sources(with_plans, rows):
            if not record.refused:
                assert seen(with_plans.run(record)) == seen(without.run(record))

    check()
    assert set(with_plans._plans) == {"people", "visit", "test"}
    assert planned(with_plans) > 50


def test_a_plan_is_made_only_for_rows_that_come_often() -> None:
    mapping = load_mapping(MAPPINGS / "msds")
    people = [{"LPIDMother": f"M{n}", "OrgIDLPID": "RX1", "PersonBirthDateMother": "1990-01-01"} for n in range(4)]
    counts = []
    for record in sources(mapping, {"MSD001MotherDemog": people}):
        mapping.run(record)
        counts.append(planned(mapping))
    assert counts == [0, 0, 1, 1]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_WORTHWHILE", 1)
    monkeypatch.setattr(plan, "_MOST", 10)
    monkeypatch.setattr(sight, "_MOST", 12)
    mapping = load_mapping(MAPPINGS / "msds")
    codes = (f"{n}X" for n in range(100_000))
    rows = {
        "MSD001MotherDemog": [{"LPIDMother": "M1"}],
        "MSD101PregnancyBooking": [{"PregnancyID": "P1", "LPIDMother": "M1"}],
        "MSD106DiagnosisPreg": [{"PregnancyID": "P1", "DiagScheme": "06", "Diag": code} for code in islice(codes, 50)],
    }
    (record,) = sources(mapping, rows)
    mapping.run(record)
    plans = mapping._plans["MSD106DiagnosisPreg"]
    assert 0 < len(plans._plans) <= 10
    assert all(len(texts.known) <= 12 and len(texts._numbers) <= 12 for texts in plans._view.columns[0]._found.values())
    assert orjson.dumps(mapping.run(record).bundle) == orjson.dumps(PAIRS["msds"][1].run(record).bundle)


def test_what_repeats_inside_a_row_has_no_plan() -> None:
    assert load_mapping(MAPPINGS / "hl7v2")._plans == {}
    assert set(PAIRS["msds"][0]._plans) == {block.block.for_each for block in PAIRS["msds"][0]._blocks}
