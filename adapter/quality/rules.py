"""Reads a mapping's ``validation.csv``: which rules of the data set are checked, and how."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from rules import ContentError

FILE = "validation.csv"
COLUMNS = ("code", "severity", "table", "field", "check", "against")
SEVERITIES = {
    "reject": "record rejected",
    "reject-group": "group rejected",
    "warn": "warning",
    "warn-1": "severity 1 warning",
}
"""As written in the file → as the data set calls it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One validation rule. ``check`` names a kind of ``adapter.quality.checks``; ``against`` is its argument."""

    code: str
    severity: str
    table: str
    field: str
    check: str
    against: str
    line: int


def load_rules(path: Path) -> tuple[Rule, ...]:
    """The rules of a ``validation.csv``, in its order. Raises ContentError with the line."""
    lines = [(n, line) for n, line in enumerate(path.read_text("utf-8").splitlines(), 1) if not line.startswith("#")]
    if not lines or tuple(next(csv.reader([lines[0][1]]))) != COLUMNS:
        raise ContentError(f"the header must be {','.join(COLUMNS)}", str(path), lines[0][0] if lines else 1, 1)
    rules: dict[str, Rule] = {}
    for number, line in lines[1:]:
        cells = next(csv.reader([line]), [])
        if len(cells) != len(COLUMNS):
            raise ContentError(f"{len(cells)} cells under {len(COLUMNS)} columns", str(path), number, 1)
        code, severity, table, field, check, against = cells
        if severity not in SEVERITIES:
            raise ContentError(f"severity is one of {', '.join(SEVERITIES)}", str(path), number, 1)
        if not code or code in rules:
            raise ContentError("the code is missing or given twice", str(path), number, 1)
        rules[code] = Rule(code, SEVERITIES[severity], table, field, check, against, number)
    return tuple(rules.values())
