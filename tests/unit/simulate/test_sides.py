"""Facts are read once for both sides exactly where both would read the same."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapter.facts import SiteCodes, compile_facts
from adapter.facts.reading import OWN_PARAMETERS
from adapter.pipeline import check
from adapter.replay import find_fixtures, read_expected
from adapter.settings import Settings
from adapter.simulate.sides import Remembering, SharedReaders, adapters, reading_key
from adapter.together import read_inputs
from rules import LIBRARY, load_pack
from rules.tools import Side
from tests.e2e.console import ROOT
from tests.unit.simulate.builders import edit, pack, provider

BASE = "https://perinatal-referrals.example/fhir"


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda folder: pack(folder, epds_possible="11"), True),
        (lambda folder: pack(folder, destination_mild_moderate="gp"), True),
        (lambda folder: edit(pack(folder), "pack.yaml", "version: 0.2.0", "version: 9.0.0"), True),
        (lambda folder: edit(pack(folder), "facts.yaml", "label: gestation\n", "label: how far she is\n"), True),
        (lambda folder: pack(folder, screening_valid_days="14"), False),
        (lambda folder: pack(folder, maternal_score_youngest_age_years="12"), False),
        (lambda folder: pack(folder, longest_gestation_weeks="43"), False),
        (lambda folder: edit(pack(folder), "codes/epds-total.csv", "loinc,71354-5", "loinc,99046-4"), False),
        (lambda folder: edit(pack(folder), "services.yaml", '"901221000000102"', '"310117003"'), False),
        (lambda folder: edit(pack(folder), "facts.yaml", "  range: [0, 320]\n", "  range: [0, 310]\n"), False),
    ],
    ids=["threshold", "destination", "version", "label", "validity", "age", "gestation", "codes", "services", "range"],
)  # fmt: skip
def test_packs_share_a_reader_where_nothing_that_it_reads_differs(tmp_path: Path, change: Any, same: bool) -> None:
    a, b = adapters(Side(), Side("b", change(tmp_path / "b")))
    assert (a.content().reader is b.content().reader) is same


def test_a_provider_whose_own_value_is_read_has_a_reader_of_its_own(tmp_path: Path) -> None:
    folder = provider(pack(tmp_path / "b"), "other", "parameters: {screening-valid-days: 10}\n")
    provider(folder, "third", "parameters: {epds-possible: 11}\n")
    readers = SharedReaders()
    home, other, third = (readers(load_pack(folder, name), BASE, SiteCodes()) for name in (None, "other", "third"))
    assert home is third
    assert home is not other


def test_a_record_is_read_once_for_each_day_and_person() -> None:
    class Counting:
        def __init__(self) -> None:
            self.read_on: list[date] = []

        def read(self, bundle: Any, as_of: date, patient: int | None = None, kin: Any = ()) -> Any:
            self.read_on.append(as_of)
            return [bundle, patient, kin]

    counting, bundle, first, second = Counting(), {}, date(2026, 3, 2), date(2026, 3, 3)
    reader = Remembering(counting)  # type: ignore[arg-type]
    once = reader.read(bundle, first, 0)
    assert reader.read(bundle, first, 0) is once
    assert reader.read(bundle, second, 0) is not once
    reader.read({}, second, 0)
    reader.read(bundle, second, 1)
    assert counting.read_on == [first, second, second, second]


def test_the_key_names_every_parameter_that_reading_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all fixtures: whatever a reader asks the pack for is in the key, so that a change of it is seen."""
    loaded = load_pack()
    asked: set[str] = set()
    value = type(loaded).parameter

    def parameter(self: Any, name: str, as_of: date) -> Any:
        asked.add(name)
        return value(self, name, as_of)

    monkeypatch.setattr(type(loaded), "parameter", parameter)
    reader = compile_facts(loaded, BASE)
    adapter, _ = adapters(Side(), Side())
    for folder in find_fixtures(ROOT / "fixtures"):
        fixture = read_expected(folder)
        for _name, record in read_inputs(adapter, [folder / name for name in fixture.inputs[0]]):
            if not isinstance(record, Exception) and not check(record).refused:
                reader.read(record.bundle, fixture.as_of)
    _declared, dated, *_rest = reading_key(loaded)
    assert asked <= {name for name, _ in dated}  # type: ignore[union-attr]
    assert {name.removeprefix("parameters.") for name in OWN_PARAMETERS} <= asked


def test_a_side_without_a_folder_is_the_pack_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(LIBRARY, tmp_path / "own")
    monkeypatch.setenv("RULES_PATH", str(tmp_path / "own"))
    a, b = adapters(Side(), Side("x", LIBRARY))
    assert (a.content().pack.folder, b.content().pack.folder) == (tmp_path / "own", LIBRARY)
    assert Settings().rules_path == tmp_path / "own"
