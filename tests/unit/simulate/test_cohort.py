from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from adapter.bootstrap import Adapter
from adapter.simulate import find_cases
from tests.e2e.console import ROOT
from tests.samples import write_msds
from tests.unit.simulate.builders import changes, cohort, mother, pack, simulated

EXPECTED = (
    "title: T\nfrom: X\nas_of: 2026-01-31\nprovider: england-default\ninputs: [a.json, [a.json, b.json]]\nexpect: {}\n"
)


def names(folder: Path, mapping: str = "") -> list[str]:
    return [case.name for case in find_cases(Adapter(), folder, mapping)]


def test_each_file_and_data_set_is_an_input(tmp_path: Path) -> None:
    folder = cohort(tmp_path / "c", b=mother(9), a=mother(9))
    write_msds(folder / "export")
    cohort(folder / "more", z=mother(9))
    (folder / "notes.txt").write_text("no record", encoding="utf-8")
    assert names(folder) == ["a.json", "b.json", "export", "more/z.json"]


def test_a_data_set_is_a_cohort_itself(tmp_path: Path) -> None:
    assert names(write_msds(tmp_path / "export")) == ["export"]


def test_a_vendors_export_is_read_as_a_whole(tmp_path: Path) -> None:
    assert names(ROOT / "fixtures" / "60-vendor-epds-nine-item-ten-one" / "example-json") == ["example-json"]
    (folder := tmp_path / "rows").mkdir()
    (folder / "maternity.csv").write_text("a,b\n", encoding="utf-8")
    assert names(folder, "example-csv") == ["rows"]


def test_fixtures_bring_their_day_and_provider_and_others_stand_beside_them(tmp_path: Path) -> None:
    fixture = cohort(tmp_path / "c" / "01", a=mother(9), b=mother(9))
    (fixture / "expected.yaml").write_text(EXPECTED, encoding="utf-8")
    cohort(tmp_path / "c" / "plain", a=mother(9))
    cases = list(find_cases(Adapter(), tmp_path / "c"))
    assert [(case.name, case.group, case.day, case.provider) for case in cases] == [
        ("a.json", "01", date(2026, 1, 31), "england-default"),
        ("a.json + b.json", "01", date(2026, 1, 31), "england-default"),
        ("plain/a.json", "", None, ""),
    ]


@pytest.mark.parametrize(("second", "named"), [(10, ["01"]), (9, ["01/a.json"])])
def test_a_fixtures_inputs_count_once_where_they_agree(tmp_path: Path, second: int, named: list[str]) -> None:
    fixture = cohort(tmp_path / "c" / "01", a=mother(10), b=mother(second))
    (fixture / "expected.yaml").write_text(
        EXPECTED.replace("[a.json, b.json]", "b.json").replace("2026-01-31", "2026-03-02"), encoding="utf-8"
    )
    found = simulated(tmp_path / "c", str(pack(tmp_path / "b", epds_possible="11")))
    assert [name for name, *_ in changes(found)] == named
    assert len(found.people) == (1 if second == 10 else 2)


def test_several_people_in_one_input_are_told_by_their_place(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    import json

    lines = [json.dumps(mother(score)) for score in (9, 10, 14)]
    (folder / "women.ndjson").write_text("\n".join(lines), encoding="utf-8")
    found = simulated(folder, str(pack(tmp_path / "b", epds_possible="11")))
    assert [person.name for person in found.people] == [f"women.ndjson, record {place}" for place in (1, 2, 3)]
    assert [name for name, *_ in changes(found)] == ["women.ndjson, record 2"]
