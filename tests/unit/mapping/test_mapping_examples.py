"""The examples beside each mapping come out as written."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from adapter.mapping.mapping_tests import is_part, run_mapping_tests
from rules import ContentError

MAPPINGS = Path(__file__).parents[3] / "mappings"
FOLDERS = sorted(path.parent for path in MAPPINGS.glob("*/mapping.yaml"))


def _message_reader() -> Any:
    if importlib.util.find_spec("adapter.sources.hl7v2") is None:
        return None
    return importlib.import_module("adapter.sources.hl7v2").read


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_examples(folder: Path) -> None:
    assert run_mapping_tests(folder, _message_reader()) == []


MAPPING = """\
name: tiny
version: 1.0.0
source: rows
patient: {table: people, key: id}
"""
BLOCK = "- {resource: Patient, for_each: people, id: [id], birthDate: {from: born, as: date}}\n"


def _folder(path: Path, cases: str) -> Path:
    (path / "tests").mkdir()
    (path / "mapping.yaml").write_text(MAPPING)
    (path / "blocks.yaml").write_text(BLOCK)
    (path / "tests" / "cases.yaml").write_text(cases)
    return path


def test_a_wrong_example_is_named_with_its_line(tmp_path: Path) -> None:
    cases = """\
given: {people: [{id: "1", born: 1990-02-03}]}
cases:
  - {name: all is wrong, count: 2, resources: [{birthDate: 1990-02-04}], issues: [duplicate], unmapped: [x]}
"""
    problems = run_mapping_tests(_folder(tmp_path, cases))
    assert len(problems) == 4
    assert all(f"{tmp_path / 'tests' / 'cases.yaml'}:3:" in problem for problem in problems)


def test_what_would_be_refused_for_not_being_fhir_is_no_example_that_comes_out_right(tmp_path: Path) -> None:
    folder = _folder(
        tmp_path, 'given: {people: [{id: "1"}]}\ncases:\n  - {name: two values, count: 1, resources: []}\n'
    )
    both = "- {resource: Observation, for_each: people, id: [id], valueBoolean: true, valueString: also}\n"
    (folder / "blocks.yaml").write_text(both)
    problems = run_mapping_tests(folder)
    assert any("only one value[x] may be" in problem for problem in problems)
    assert all(problem.startswith(f"{folder / 'tests' / 'cases.yaml'}:3:5: two values:") for problem in problems)


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"cases\.yaml:1:"):
        run_mapping_tests(_folder(tmp_path, "- {name: x}\n"))


@pytest.mark.parametrize(
    ("expected", "actual", "part"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ([2], [1, 2], True),
        ([1, 1], [1, 2], False),
        (1, True, False),
        ({"a": None}, {}, False),
    ],
)
def test_is_part(expected: Any, actual: Any, part: bool) -> None:
    assert is_part(expected, actual) is part
