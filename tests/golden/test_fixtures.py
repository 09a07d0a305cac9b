"""The recorded patients themselves: what is written about them is well formed, and nobody in them is real."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hl7
import nhs_number
import pytest
from fhir.resources.R4B.bundle import Bundle

from adapter.replay import Expected, Person, find_fixtures, read_expected
from rules import load_yaml
from tests.shared import SHARED, needs_shared

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
FOLDERS = find_fixtures(FIXTURES)
VENDORS = ("example-csv", "example-json")
NHS_SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"
each_fixture = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def files(pattern: str) -> list[Any]:
    return [
        pytest.param(path, id=str(path.relative_to(FIXTURES)))
        for folder in FOLDERS
        for path in sorted(folder.glob(pattern))
    ]


def people(expected: Expected) -> list[Person]:
    return [expected.everyone, *expected.patients.values()]


def rule_ids() -> set[str]:
    criteria = ROOT / "rules" / "library" / "perinatal_mental_health" / "criteria"
    return {rule["id"] for path in criteria.glob("*.yaml") for rule in load_yaml(path).data}


def codes(name: str, column: str, system: str = "") -> set[str]:
    with (SHARED / "clinical" / name).open(encoding="utf-8", newline="") as file:
        return {row[column] for row in csv.DictReader(file) if not system or row["system"] == system}


def bundles(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()] if path.suffix == ".ndjson" else [json.loads(text)]


def messages(path: Path) -> list[str]:
    """The messages of a file, without batch segments, each with the separators of the standard."""
    segments = [s for s in path.read_text(encoding="utf-8").splitlines() if s[:3] not in ("FHS", "BHS", "BTS", "FTS")]
    return ["MSH" + part.replace("\n", "\r") for part in "\n".join(["", *segments]).split("\nMSH")[1:]]


def input_files(folder: Path) -> list[str]:
    """Every file of a fixture's inputs, also of those that are several files."""
    return [name for names in read_expected(folder).inputs for name in names]


def nhs_numbers(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.parent.name in VENDORS:
            numbers = re.findall(r"\b999 ?\d{3} ?\d{4}\b", path.read_text(encoding="utf-8"))
            yield from (number.replace(" ", "") for number in numbers)
        elif path.suffix in (".json", ".ndjson"):
            for bundle in bundles(path):
                for entry in bundle["entry"]:
                    for identifier in entry["resource"].get("identifier", []):
                        if identifier["system"] == NHS_SYSTEM:
                            yield identifier["value"]
        elif path.suffix == ".hl7":
            yield from re.findall(r"\|(?:[^|]*~)?(\d{10})\^\^\^NHS", path.read_text(encoding="utf-8"))
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    yield from (v for k, v in row.items() if k in ("NHSNumberMother", "NHSNumberBaby") and v)


def test_there_are_enough_patients_in_every_format() -> None:
    kinds = Counter(Path(name).suffix or name for folder in FOLDERS for name in input_files(folder))
    assert len(FOLDERS) >= 20
    assert min(kinds[".hl7"], kinds[".json"], kinds["msds"]) >= 15
    assert kinds[".ndjson"]


@each_fixture
def test_the_expectation_names_what_exists(folder: Path) -> None:
    for person in people(read_expected(folder)):
        assert {*person.statuses, *person.must_not.get("fired", ())} <= rule_ids()


@needs_shared
@each_fixture
def test_the_expectation_uses_the_codes_of_the_contract(folder: Path) -> None:
    lists = {
        "referrals": codes("services.csv", "key"),
        **{f"{k}s": codes("tasks-flags-issues.csv", "code", f"perinatal-{k}") for k in ("task", "flag", "issue")},
    }
    for person in people(read_expected(folder)):
        used = {"referrals": person.referrals, "tasks": person.tasks, "flags": person.flags, "issues": person.issues}
        for kind, known in lists.items():
            assert {*used[kind], *person.must_not.get(kind, ())} <= known


@each_fixture
def test_every_input_is_listed(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"expected.yaml", *input_files(folder)}


def test_the_table_of_patients_is_complete() -> None:
    readme = (FIXTURES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[([^\]]+)\]\(([^)]+)/\) \| (.+?) \|", readme, re.MULTILINE)
    assert rows == [(f.name[:2], f.name, read_expected(f).title) for f in FOLDERS]


@each_fixture
def test_nhs_numbers_are_of_nobody(folder: Path) -> None:
    numbers = set(nhs_numbers(folder))
    wrong = {number for number in numbers if not nhs_number.is_valid(number)}
    assert all(number.startswith("999") for number in numbers)
    assert bool(wrong) == ("nhs-number-invalid" in read_expected(folder).everyone.issues)


def test_no_two_patients_share_an_nhs_number() -> None:
    uses = Counter(number for folder in FOLDERS for number in set(nhs_numbers(folder)))
    assert [number for number, count in uses.items() if count > 1] == []


@each_fixture
def test_names_and_addresses_are_invented(folder: Path) -> None:
    for path in folder.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"\b[A-Z]{1,2}\d{1,2}[A-Z]? \d[A-Z]{2}\b", text)) <= {"ZZ99 3VZ"}
        assert set(re.findall(r'"family": "([^"]*)"', text)) <= {"XXTESTPATIENT"}
        assert all(name == "XXTESTPATIENT" for name in re.findall(r"^PID\|(?:[^|]*\|){4}([^|^]*)", text, re.MULTILINE))


@pytest.mark.parametrize("path", [*files("*.json"), *files("*.ndjson")])
def test_fhir_is_r4_and_refers_to_what_is_there(path: Path) -> None:
    for bundle in bundles(path):
        Bundle.model_validate(bundle)
        known = {entry["fullUrl"] for entry in bundle["entry"]}
        assert set(re.findall(r'"reference": "([^"]+)"', json.dumps(bundle))) <= known


@needs_shared
def test_fhir_conforms_to_the_official_definitions() -> None:
    paths = [str(path) for path in FIXTURES.rglob("*.json") if path.parent.name not in VENDORS]
    check = subprocess.run(
        [sys.executable, str(SHARED / "conformance" / "check"), *paths], capture_output=True, text=True
    )
    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.parametrize("path", files("*.hl7"))
def test_hl7_is_read_by_a_library_of_others(path: Path) -> None:
    expected = read_expected(path.parent)
    whole = messages(path)[: expected.results] if "malformed" in expected.everyone.issues else messages(path)
    for message in whole:
        parsed = hl7.parse(message)
        assert str(parsed.segment("MSH")[9][0][0]) in ("ADT", "ORU")
        assert parsed.segment("PID")[3]


@needs_shared
@pytest.mark.parametrize("path", files("msds/*.csv"))
def test_msds_tables_have_fields_of_the_data_set(path: Path) -> None:
    known = set(re.findall(r"\w+", (SHARED / "clinical" / "source-datasets.md").read_text(encoding="utf-8")))
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert {path.stem, *header} <= known
    assert rows
    assert all(len(row) == len(header) for row in rows)
