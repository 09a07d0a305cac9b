"""No patient data in log lines, in refusals or in what is said about a record (invariant 7)."""

from __future__ import annotations

import logging
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapter.bootstrap import Adapter
from adapter.errors import AdapterError
from adapter.pipeline import Result, evaluate_all, read_path

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
PERSONAL = re.compile(r"\b999\d{7}\b|XXTESTPATIENT|\bZZ99\b|Exampleton|DEMO-\d+")


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    return Adapter()


def test_the_pattern_knows_whom_the_fixtures_are_about() -> None:
    named = {p.relative_to(FIXTURES).parts[0] for p in FIXTURES.rglob("*.*") if PERSONAL.search(p.read_text("utf-8"))}
    assert len(named) >= 45


def said(result: Result) -> list[Any]:
    if result.outcome:
        return [result.outcome]
    assert result.bundle is not None
    entries = (entry["resource"] for entry in result.bundle["entry"])
    return [resource["issue"] for resource in entries if resource["resourceType"] == "OperationOutcome"]


@pytest.mark.parametrize("folder", [path for path in sorted(FIXTURES.iterdir()) if path.is_dir()], ids=lambda p: p.name)
def test_nothing_that_is_logged_or_said_names_the_patient(
    adapter: Adapter, caplog: pytest.LogCaptureFixture, folder: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    records = list(read_path(adapter, folder))
    for record in records:
        if isinstance(record, AdapterError):
            assert not PERSONAL.search(str(record))
        else:
            assert not PERSONAL.search(str(record.issues))
            assert not PERSONAL.search(str(record.coverage))
    for result in evaluate_all(adapter, records, date(2026, 3, 2)):
        assert not PERSONAL.search(str(said(result)))
    assert not PERSONAL.search(caplog.text)
