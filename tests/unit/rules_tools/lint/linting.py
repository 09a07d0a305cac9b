"""Linting the tiny pack of the rules' own tests, with some of its files replaced."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from rules.tools.lint import Finding, lint
from tests.unit.rules.tiny import write

DAY = date(2026, 3, 2)
QUIET = ("RL5", "RL7")
"""The tiny pack names no sources of its parameters, uses few of its facts and has no tests."""


def found(folder: Path, *wanted: str, day: date | None = DAY, **files: str) -> list[Finding]:
    """The findings in the tiny pack with these files, of these codes (or without what QUIET says)."""
    findings = lint(write(folder, **files), as_of=day).findings
    if wanted:
        return [each for each in findings if each.code in wanted]
    return [each for each in findings if not each.code.startswith(QUIET)]


def codes(findings: list[Finding]) -> list[str]:
    return [each.code for each in findings]


def given(finding: Finding) -> str:
    assert finding.witness is not None
    return finding.witness.given
