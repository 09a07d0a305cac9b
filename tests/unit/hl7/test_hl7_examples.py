"""The examples beside the HL7 v2 mapping come out as they say."""

from __future__ import annotations

from pathlib import Path

from adapter.mapping.mapping_tests import run_mapping_tests
from adapter.sources.hl7v2 import read


def test_examples() -> None:
    folder = Path(__file__).resolve().parents[3] / "mappings" / "hl7v2"
    assert run_mapping_tests(folder, read) == []
