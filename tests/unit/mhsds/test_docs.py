"""The numbers of docs/mhsds.md are real; tests/e2e runs its commands."""

from __future__ import annotations

from pathlib import Path

from adapter.quality import load_rules
from adapter.quality.rules import NOT_CHECKED
from adapter.quality.scores import load_ranges

ROOT = Path(__file__).resolve().parents[3]
MHSDS = ROOT / "mappings" / "mhsds"
TEXT = " ".join((ROOT / "docs" / "mhsds.md").read_text(encoding="utf-8").split())
RULES = load_rules(MHSDS / "validation.csv")


def test_the_number_of_rules_is_that_of_the_file() -> None:
    checked = [rule for rule in RULES if rule.check != NOT_CHECKED]
    assert f"{len(checked)} of the {len(RULES)} are checked" in TEXT
    assert f"for {len(load_ranges(MHSDS / 'score_ranges.csv'))} codes of tools" in TEXT


def test_each_rule_that_is_not_checked_is_named() -> None:
    left_out = [rule for rule in RULES if rule.check == NOT_CHECKED]
    assert [rule.code for rule in left_out if f" {rule.code} {rule.field}" not in TEXT] == []
    assert f"of the {sum(rule.against == 'codes' for rule in left_out)} missing lists" in TEXT
