"""What lint says of a mapping that loads, and that it has nothing to say of those that are shipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import app
from adapter.mapping.lint import lint_mapping

MAPPINGS = Path(__file__).parents[3] / "mappings"
HEAD = """\
name: tiny
version: 1.0.0
source: rows
patient: {table: people, key: id}
"""
MAP = "source,target\nF,female\n"


def made(path: Path, blocks: str, **maps: str) -> Path:
    folder = path / "tiny"
    (folder / "code_maps").mkdir(parents=True)
    for name, text in maps.items():
        (folder / "code_maps" / f"{name}.csv").write_text(text)
    (folder / "mapping.yaml").write_text(HEAD)
    (folder / "blocks.yaml").write_text(blocks)
    return folder


@pytest.mark.parametrize("name", ["msds", "hl7v2"])
def test_the_shipped_mappings_are_clean(name: str) -> None:
    assert lint_mapping(MAPPINGS / name) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("gendre: {from: sex}", "Patient.gendre is no element of FHIR R4"),
        ("_gendre: {extension: []}", "Patient._gendre is no element of FHIR R4"),
        ("name: [{famly: {from: a}}]", "Patient.name.famly is no element of FHIR R4"),
        ("name: {family: {from: a}}", "Patient.name holds a list: write [ … ] or each"),
        ("name: {from: a}", "Patient.name holds a list: write [ … ] or each"),
        ("name: [{from: a}]", "Patient.name is of type HumanName, and a plain value fills it"),
        ("name: [Jo]", "Patient.name is of type HumanName, and a plain value fills it"),
        ("gender: [{from: sex}]", "Patient.gender holds one value: this is a list"),
        ("gender: {code: {from: sex}}", "Patient.gender is of type code, which has no elements of its own"),
        ("gender: {const: {code: x}}", "Patient.gender is of type code, which has no elements of its own"),
        ("gender: {reference_to: Patient}", "Patient.gender is of type code, and this is a Reference"),
        ("managingOrganization: {const: {ref: x}}", "Patient.managingOrganization.ref is no element of FHIR R4"),
        ("link: [{other: {reference_to: Patient}}]", "Patient.link.type is missing and FHIR requires it"),
        (
            "maritalStatus: {first: [{from: a}, {text: {from: b}}]}",
            "Patient.maritalStatus is of type CodeableConcept, and a plain value fills it",
        ),
    ],
)
def test_what_fhir_does_not_know_is_named(tmp_path: Path, body: str, problem: str) -> None:
    folder = made(tmp_path, f"- {{resource: Patient, for_each: people, id: [id], {body}}}\n")
    assert lint_mapping(folder) == [f"tiny: Patient-people: {problem}"]


def test_a_resource_type_that_does_not_exist(tmp_path: Path) -> None:
    folder = made(tmp_path, "- {resource: Patent, for_each: people, id: [id], gender: {from: sex}}\n")
    assert lint_mapping(folder) == ["tiny: Patent-people: Patent is no resource type of FHIR R4"]


PATIENT = "- {resource: Patient, for_each: people, id: [id], gender: {from: sex, map: sexes}}\n"


def test_a_code_map_that_nothing_uses(tmp_path: Path) -> None:
    folder = made(tmp_path, PATIENT, sexes=MAP, idle=MAP)
    assert lint_mapping(folder) == [f"{folder / 'code_maps' / 'idle.csv'}: no mapping uses this code map"]


def test_a_code_map_beside_mappings_is_used_when_one_of_them_uses_it(tmp_path: Path) -> None:
    one, other = made(tmp_path / "a", PATIENT, sexes=MAP), tmp_path / "a" / "other"
    (one / "code_maps").rename(tmp_path / "a" / "code_maps")
    other.mkdir()
    (other / "mapping.yaml").write_text(HEAD)
    (other / "blocks.yaml").write_text("- {resource: Patient, for_each: people, id: [id], gender: {from: sex}}\n")
    assert lint_mapping(one) == lint_mapping(other) == []


def test_a_code_map_that_is_not_there_keeps_it_from_loading(tmp_path: Path) -> None:
    (problem,) = lint_mapping(made(tmp_path, PATIENT))
    assert "there is no code map sexes" in problem
    assert "blocks.yaml:1:" in problem


def test_two_blocks_of_one_name(tmp_path: Path) -> None:
    block = "- {resource: Patient, for_each: people, id: [id], gender: {from: sex}}\n"
    (problem,) = lint_mapping(made(tmp_path, block * 2))
    assert "a block named Patient-people exists" in problem


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("{from: sex}", True),
        ("{join_text: [other, sex]}", True),
        ("{first: [{from: sex}, {from: other}]}", True),
        ("{first: [{from: other}, {from: sex}]}", False),
        ("{from: sex, when: {other: present}}", False),
    ],
)
def test_a_field_that_is_ignored_and_always_read(tmp_path: Path, value: str, wrong: bool) -> None:
    blocks = f"""\
- {{resource: Patient, for_each: people, id: [id], gender: {value}}}
- ignore: {{people.sex: we need it not}}
"""
    said = "tiny: Patient-people: people.sex is ignored, and read here: take one of them out"
    assert lint_mapping(made(tmp_path, blocks)) == ([said] if wrong else [])


def test_the_command_names_each_problem_and_fails(tmp_path: Path) -> None:
    folder = made(tmp_path, "- {resource: Patient, for_each: people, id: [id], gendre: {from: sex}}\n")
    wrong = CliRunner().invoke(app, ["mappings", "lint", str(folder)])
    assert (wrong.exit_code, wrong.stdout.splitlines()[-1]) == (1, "1 mappings checked, 1 problems")
    assert "Patient.gendre" in wrong.stdout
    assert CliRunner().invoke(app, ["mappings", "lint"]).exit_code == 0


def test_the_command_prints_the_schemas() -> None:
    printed = CliRunner().invoke(app, ["mappings", "schema"])
    assert printed.exit_code == 0
    schemas = json.loads(printed.stdout)
    assert (schemas["mapping"]["type"], schemas["blocks"]["type"]) == ("object", "array")
