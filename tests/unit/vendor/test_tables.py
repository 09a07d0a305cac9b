"""Several tables of a vendor's own: lookups, reports and overlays of them, and the rules of the data set behind one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from adapter.bootstrap import Adapter
from adapter.errors import AdapterError
from adapter.mapping.lint import lint_mapping
from adapter.mapping.overlay import layers
from adapter.pipeline import read_path
from adapter.records import MappedBundle
from adapter.settings import Settings
from rules import ContentError
from tests.unit.vendor.folders import fates, load, resources, said, write

ROOT = Path(__file__).resolve().parents[3]
HEAD = """\
name: base
version: 1.0.0
source: csv
format: {delimiter: ";", dates: DD/MM/YYYY}
patient: {table: women, key: Id, same: [Born]}
lookups: {clinics: {by: Code, of: {women: Clinic}}}
"""
BLOCKS = """\
- resource: Patient
  for_each: women
  id: [Id]
  birthDate: {from: Born, as: date}
  address: [{city: {from: clinics.Town}}]
- report: she is seen elsewhere
  for_each: women
  field: Clinic
  when: {clinics.Kind: {map: elsewhere}}
"""
ELSEWHERE = "source,target\nX,other\n"
WOMEN = "Id;Born;Clinic;Team\n1;17/06/1994;C1;T1\n2;01/02/1990;C1;\n3;01/02/1991;C9;\n"
CLINICS = "Code;Town;Kind\nC1;Leeds;X\nC2;York;Y\n"


def read(mappings: Path, folder: Path, mapping: str) -> list[MappedBundle]:
    adapter = Adapter(Settings(mappings_path=mappings))
    found: Sequence[MappedBundle | AdapterError] = list(read_path(adapter, folder, mapping))
    return [record for record in found if isinstance(record, MappedBundle)]


@pytest.fixture
def mappings(tmp_path: Path) -> Path:
    write(tmp_path, base__mapping=HEAD, base__blocks=BLOCKS)
    (tmp_path / "base" / "code_maps").mkdir()
    (tmp_path / "base" / "code_maps" / "elsewhere.csv").write_text(ELSEWHERE, encoding="utf-8")
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "women.csv").write_text(WOMEN, encoding="utf-8")
    (folder / "clinics.csv").write_text(CLINICS, encoding="utf-8")
    return tmp_path


def test_a_lookup_needs_no_join_and_goes_into_each_record_it_is_about(mappings: Path) -> None:
    first, second, third = read(mappings, mappings / "export", "base")
    assert [resources(record)[0].get("address") for record in (first, second, third)] == [[{"city": "Leeds"}]] * 2 + [
        None
    ]
    assert said(first) == [("", "women row 2, Clinic")]
    assert said(third) == [("", "women row 4, Clinic")]
    assert fates(first) == {
        "women.Id": "mapped",
        "women.Born": "mapped",
        "women.Clinic": "mapped",
        "women.Team": "unmapped",
        "clinics.Code": "mapped",
        "clinics.Town": "mapped",
        "clinics.Kind": "mapped",
    }


def test_a_code_map_that_only_a_report_asks_for_is_used(mappings: Path) -> None:
    assert lint_mapping(mappings / "base") == []


def test_an_overlay_adds_lookups_and_reports(mappings: Path) -> None:
    write(
        mappings,
        site__mapping="name: site\nversion: 2.0.0\nextends: base\nlookups: {teams: {by: T, of: {women: Team}}}\n",
        site__more='- {report: the team is closed, for_each: women, field: Team, when: {teams.Open: "N"}}\n',
    )
    (mappings / "export" / "teams.csv").write_text("T;Open\nT1;N\n", encoding="utf-8")
    first, *_ = read(mappings, mappings / "export", "site")
    assert [issue.text for issue in first.issues] == ["she is seen elsewhere", "the team is closed"]
    assert set(fates(first).values()) == {"mapped"}


def test_one_key_and_two_women_is_refused(mappings: Path) -> None:
    (mappings / "export" / "women.csv").write_text("Id;Born\n1;17/06/1994\n1;18/06/1994\n", encoding="utf-8")
    (both,) = read(mappings, mappings / "export", "base")
    assert both.refused
    assert ("data-conflict", "women row 3, Born") in said(both)


def test_json_has_no_lookups(tmp_path: Path) -> None:
    head = "name: j\nversion: 1.0.0\nsource: json\npatient: {table: p, key: id}\nrows: {p: '$.p[*]'}\n"
    with pytest.raises(ContentError, match=r"mapping\.yaml:6:.*lookups is for tables"):
        load(tmp_path, f"{head}lookups: {{teams: {{by: id, of: {{p: team}}}}}}\n", "[]\n")


def test_an_overlay_of_a_data_set_is_held_against_its_rules(tmp_path: Path) -> None:
    write(tmp_path, trust__mapping="name: trust\nversion: 1.0.0\nextends: mhsds\n")
    folder = ROOT / "fixtures" / "57-mhsds-schizophrenia-under-the-wrong-scheme" / "mhsds"
    shipped, own = (read(tmp_path, folder, name) for name in ("mhsds", "trust"))
    assert [layer.folder.name for layer in layers(tmp_path / "trust")] == ["mhsds", "trust"]
    assert shipped[0].quality == own[0].quality != ()
