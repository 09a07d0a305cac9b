"""Every code that is raised is explained in docs/rule-errors.md, and every code explained there is raised."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import rules
from rules.tools.lint import CATALOGUE

ROOT = Path(rules.__file__).parents[1]
PAGE = (ROOT / "docs" / "rule-errors.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if re.match(r"\| R[CL]\d", line)
]
FILES = sorted((ROOT / "rules").rglob("*.py"))
FORWARDING = {"errors.py", "cursor.py", "yaml_file.py", "schema_check.py"}
"""Files in which a helper takes the code from its caller."""


def errors_made(path: Path) -> Iterator[ast.Call]:
    """The calls in a file that make a ContentError."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("ContentError", "error"):
                yield node


def raised() -> set[str]:
    found: set[str] = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and re.fullmatch(r"R[CL]\d{3}", node.value)
            ):
                found.add(node.value)
    return found


def test_the_page_explains_what_is_raised_and_nothing_else():
    explained = [row[0].split()[0] for row in ROWS]
    assert len(explained) == len(set(explained))
    assert set(explained) == raised()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_content_error_has_a_code(path: Path):
    for call in errors_made(path):
        code = next((each.value for each in call.keywords if each.arg == "code"), None)
        forwarded = path.name in FORWARDING and not isinstance(code, ast.Constant)
        assert forwarded or (isinstance(code, ast.Constant) and code.value.startswith("RC")), call.lineno


def test_every_row_says_what_it_means_and_what_to_do():
    assert [row[0] for row in ROWS if len(row) < 3 or not row[1] or not row[-1]] == []


def test_the_page_and_the_linter_agree_on_what_is_an_error():
    said = {row[0].split()[0]: row[0].split()[1] for row in ROWS if row[0].startswith("RL")}
    assert said == {code: entry.severity for code, entry in CATALOGUE.items()}
