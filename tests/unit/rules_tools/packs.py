"""The tiny pack of the rules' own tests, with tests beside its rules."""

from __future__ import annotations

from pathlib import Path

from rules.tools.traced import Suite, load_suite
from tests.unit.rules.tiny import write


def folder(path: Path, tests: str, **files: str) -> Path:
    """A tiny pack with these tests beside its rules."""
    write(path, **files)
    (path / "tests").mkdir(exist_ok=True)
    (path / "tests" / "t.yaml").write_text(tests, encoding="utf-8")
    return path


def suite(path: Path, tests: str, **files: str) -> Suite:
    return load_suite(folder(path, tests, **files))


def case(given: str, expect: str, as_of: str = "2026-03-02") -> str:
    return f"- {{name: a case, as_of: {as_of}, given: {{{given}}}, expect: {{{expect}}}}}\n"
