"""What is written together is what each record would become by itself: to the byte, and with the same coverage."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.coverage import Uses
from adapter.fhir.profiles import bundle_with_profiles
from adapter.mapping import Mapping, lines, load_mapping, plan, sight
from adapter.mapping.coverage import Shape
from adapter.mapping.writing import Writer
from adapter.pipeline import check as checked
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


FULL: dict[str, tuple[Tables, frozenset[str]]] = {
    "msds": (msds.FULL, frozenset(msds.KEYS)),
    "mhsds": ({name: row for name, (row,) in mhsds.FULL.items()}, frozenset(MHSDS_KEYS)),
}


def sources(mapping: Mapping, rows: dict[str, list[dict[str, str]]]) -> list[SourceRecord]:
    tables = []
    for name, given_rows in rows.items():
        columns = {column: index for index, column in enumerate(given_rows[0])}
        held = [TableRow(name, columns, number, list(line.values())) for number, line in enumerate(given_rows, 2)]
        tables.append(HeldTable(name, columns, held))
    return list(group_tables(tables, mapping, "test"))


def writer_of(mapping: Mapping) -> Writer:
    found = mapping.writer()
    assert found is not None
    return found


def line(made: MappedBundle) -> bytes:
    return orjson.dumps(bundle_with_profiles(made.bundle), option=orjson.OPT_APPEND_NEWLINE)


class Everything:
    """Takes everything as known, and counts fields and what became of them."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def knows(self, shape: Shape) -> bool:  # noqa: ARG002
        return True

    def count(self, shape: Shape, times: int) -> None:
        for (field, (fate, reason)), _ in shape.leaves:
            self.counts[field, fate, reason] += times


def compare(mapping: Mapping, writer: Writer, records: list[SourceRecord], *, saying: bool) -> int:
    """How many records were written; each is as it would be alone."""
    uses, expected, count = Everything(), Counter[tuple[str, str, str]](), 0
    for record, written in zip(records, writer.lines(records, uses, saying=saying), strict=True):
        if written is None:
            continue
        made = checked(mapping.run(record))
        assert not made.refused
        assert written == line(made)
        assert not saying or not made.issues
        for use in made.coverage:
            expected[use.field, use.fate, use.reason] += use.times
        count += 1
    assert uses.counts == expected
    return count


@pytest.mark.parametrize("saying", [False, True])
@pytest.mark.parametrize("name", FULL)
def test_records_of_a_data_set_are_written_as_each_would_be(
    name: str, saying: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "WORTHWHILE", 1)
    mapping = load_mapping(MAPPINGS / name)
    writer, (full, keys), count = writer_of(mapping), FULL[name], 0

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def check(data: st.DataObject) -> None:
        nonlocal count
        count += compare(mapping, writer, sources(mapping, data.draw(tables(full, keys))), saying=saying)

    check()
    assert count > (4 if saying else 10)


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


@pytest.mark.parametrize("saying", [False, True])
def test_of_a_mapping_with_everything_that_can_decide(
    saying: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "WORTHWHILE", 1)
    (tmp_path / "code_maps").mkdir()
    (tmp_path / "code_maps" / "kinds.csv").write_text(KINDS)
    mapping = load(tmp_path, HEAD, BLOCKS)
    writer, count = writer_of(mapping), 0
    line = {
        name: st.fixed_dictionaries({column: st.sampled_from(texts) for column, texts in columns.items()})
        for name, columns in TINY.items()
    }
    some = st.fixed_dictionaries({name: st.lists(of, min_size=1, max_size=5) for name, of in line.items()})

    @settings(max_examples=300, deadline=None)
    @given(some)
    def check(rows: dict[str, list[dict[str, str]]]) -> None:
        nonlocal count
        count += compare(mapping, writer, sources(mapping, rows), saying=saying)

    check()
    assert set(writer.plans) == {"people", "visit", "test"}
    assert count > 50


def people(count: int, born: str = "1990-01-01") -> dict[str, list[dict[str, str]]]:
    return {
        "MSD001MotherDemog": [
            {"LPIDMother": f"M{n}", "OrgIDLPID": "RX1", "PersonBirthDateMother": born} for n in range(count)
        ]
    }


def test_a_plan_is_made_only_for_rows_that_come_often() -> None:
    mapping = load_mapping(MAPPINGS / "msds")
    writer = writer_of(mapping)
    written = [writer.lines([record], Everything(), saying=False)[0] for record in sources(mapping, people(5))]
    assert [one is not None for one in written] == [False, False, True, True, True]


def test_what_is_not_known_well_enough_to_be_counted_is_left() -> None:
    mapping = load_mapping(MAPPINGS / "msds")
    writer, uses = writer_of(mapping), Uses()
    records = sources(mapping, people(8))
    assert writer.lines(records[:4], uses, saying=False) == [None] * 4
    for record in records[:2]:
        uses.add(mapping.run(record).coverage)
    assert writer.lines(records[2:4], uses, saying=False) == [None, None]  # two places are known, three are told
    uses.add(mapping.run(records[2]).coverage)
    assert None not in writer.lines(records[3:], uses, saying=False)
    alone = Uses()
    for record in records:
        alone.add(mapping.run(record).coverage)
    assert uses.united() == alone.united()


def test_what_two_rows_of_a_record_make_one_of_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "WORTHWHILE", 1)
    mapping = load_mapping(MAPPINGS / "msds")
    rows = people(5)
    rows["MSD002GP"] = [{"LPIDMother": f"M{n}", "OrgCodeGMPMother": "A81001"} for n in (0, 1, 2, 2, 3)]
    written = writer_of(mapping).lines(sources(mapping, rows), Everything(), saying=False)
    assert [one is not None for one in written] == [True, True, False, True, True]


def test_a_text_that_is_no_valid_value_where_it_stands_is_left(tmp_path: Path) -> None:
    blocks = "- {resource: Patient, for_each: people, id: [id], language: {from: tongue}, photo: [{url: {from: at}}]}\n"
    head = "name: tiny\nversion: 1.0.0\nsource: csv\npatient: {table: people, key: id}\njoins: {visit: {to: people, by: id}}\n"
    mapping = load(tmp_path, head, blocks)
    tongues, urls = ["en", "cy", "fr", "de\x01", "pl", "ro"], ["urn:a", "urn:b", "u", "v", "not one", "w"]
    rows = [{"id": str(n), "tongue": one, "at": url} for n, (one, url) in enumerate(zip(tongues, urls, strict=True))]
    records = sources(mapping, {"people": rows})
    written = writer_of(mapping).lines(records, Everything(), saying=False)
    assert [one is not None for one in written] == [True, True, True, False, False, True]
    assert [checked(mapping.run(record)).refused for record in records] == [False, False, False, True, True, False]


@pytest.mark.parametrize(
    "element",
    [
        "contained: [{resourceType: Organization, name: {from: what}}]",
        "active: {nothing: {from: what}}",
        "nosuchelement: {from: what}",
        "name: [{nosuch: {from: what}}]",
        "gender: {from: what}",
        "identifier: [{system: {from: what}, value: x}]",
    ],
)
def test_a_value_whose_place_is_not_plain_is_left_to_the_closures(tmp_path: Path, element: str) -> None:
    head = "name: tiny\nversion: 1.0.0\nsource: csv\npatient: {table: people, key: id}\njoins: {visit: {to: people, by: id}}\n"
    mapping = load(tmp_path, head, f"- {{resource: Patient, for_each: people, id: [id], {element}}}\n")
    records = sources(mapping, {"people": [{"id": str(n), "what": "female"} for n in range(6)]})
    assert writer_of(mapping).lines(records, Everything(), saying=False) == [None] * 6


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "WORTHWHILE", 1)
    monkeypatch.setattr(plan, "_MOST", 10)
    monkeypatch.setattr(sight, "MOST", 12)
    monkeypatch.setattr(lines, "MOST", 12)
    mapping = load_mapping(MAPPINGS / "msds")
    codes = (f"{n}X" for n in range(100_000))
    rows = {
        **people(1),
        "MSD101PregnancyBooking": [{"PregnancyID": "P1", "LPIDMother": "M0"}],
        "MSD106DiagnosisPreg": [
            {"PregnancyID": "P1", "DiagScheme": "06", "Diag": code, "DiagDate": f"20{n:02}-01-01"}
            for n, code in enumerate(islice(codes, 50), 20)
        ],
    }
    writer = writer_of(mapping)
    assert compare(mapping, writer, sources(mapping, rows), saying=False) == 1
    plans = writer.plans["MSD106DiagnosisPreg"]
    assert 0 < len(plans._plans) <= 10
    seen = plans.view.columns[0].values()
    assert all(len(texts) <= 12 and len(texts._numbers) <= 12 for texts in seen)
    assert all(len(encoder) <= 12 for encoder in writer._encoders.values())


def test_only_tables_whose_rows_can_be_told_apart_are_written_together() -> None:
    assert load_mapping(MAPPINGS / "hl7v2").writer() is None
    assert load_mapping(MAPPINGS / "example-csv").writer() is None
