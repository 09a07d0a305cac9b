"""The numbers of docs/mhsds.md are real; tests/e2e runs its commands."""

from __future__ import annotations

from pathlib import Path

from adapter.quality import load_rules

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "mhsds.md").read_text(encoding="utf-8")


def test_the_number_of_rules_is_that_of_the_file() -> None:
    assert f"{len(load_rules(ROOT / 'mappings' / 'mhsds' / 'validation.csv'))} of the 503" in " ".join(TEXT.split())
