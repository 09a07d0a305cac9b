"""The table in the repository is the one that its generator writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_is_what_the_generator_writes() -> None:
    pytest.importorskip("fhir.resources")
    spec = importlib.util.spec_from_file_location("make_r4_elements", ROOT / "tools" / "make_r4_elements.py")
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    assert generator.TABLE.read_text("utf-8") == generator.written()
