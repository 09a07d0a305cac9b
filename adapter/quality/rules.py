"""Reads a mapping's ``validation.csv``: which rules of the data set are checked and how, and which are not and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adapter.quality.files import read_lines

FILE = "validation.csv"
COLUMNS = ("code", "severity", "table", "field", "check", "against")
SEVERITIES = {
    "reject": "record rejected",
    "reject-group": "group rejected",
    "warn": "warning",
    "warn-1": "severity 1 warning",
}
"""As written in the file → as the data set calls it."""

NOT_CHECKED = "not-checked"
REASONS = {
    "codes": "no list of the codes was found published for this version",
    "tools": "no whole list of the assessment tools was found published",
    "organisations": "needs the register of organisations",
    "portal": "needs what the submission portal knows",
    "staff": "needs the table of staff, which is not read",
    "file": "needs all records of the submission at once",
}
"""Why a rule is ``not-checked``, as written in ``against`` → in words."""

PARTLY = {
    "score": "outside the assessment tools whose range is known",
    "unique": "beyond the rows of one record",
}
"""Kinds of check that see a part of what their rules are about → what they do not see."""


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
    rules: dict[str, Rule] = {}
    for line in read_lines(path, COLUMNS):
        code, severity, table, field, check, against = line.cells.values()
        if severity not in SEVERITIES:
            raise line.wrong(f"severity is one of {', '.join(SEVERITIES)}")
        if not code or code in rules:
            raise line.wrong("the code is missing or given twice")
        if check == NOT_CHECKED and against not in REASONS:
            raise line.wrong(f"a rule is not checked for one of {', '.join(REASONS)}")
        rules[code] = Rule(code, SEVERITIES[severity], table, field, check, against, line.number)
    return tuple(rules.values())
