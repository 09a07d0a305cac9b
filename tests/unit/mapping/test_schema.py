"""The schemas for editors accept every mapping there is, and see the usual slips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from adapter.mapping.schema import blocks_schema, head_schema
from rules import load_yaml

FILES = sorted((Path(__file__).parents[3] / "mappings").glob("*/*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_file_fits(path: Path) -> None:
    schema = head_schema() if path.name == "mapping.yaml" else blocks_schema()
    assert [str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(load_yaml(path).data)] == []


@pytest.mark.parametrize(
    "blocks",
    [
        [{"resource": "Patient", "birthDate": {"from": "born", "az": "date"}}],
        [{"resource": "Patient", "birthDate": {"from": "born", "as": "dat"}}],
        [{"resource": "Patient", "when": {"sex": {"shape": "round"}}}],
        [{"for_each": "people"}],
        {"resource": "Patient"},
    ],
)
def test_slips_are_seen(blocks: Any) -> None:
    assert not jsonschema_rs.validator_for(blocks_schema()).is_valid(blocks)
