"""The schemas that editors get: valid, complete in themselves, described, and true of the shipped pack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import orjson
import pytest
from typer.testing import CliRunner

from adapter.cli import app
from rules import LIBRARY, load_yaml
from rules.tools.schemas import KINDS, schema

Found = tuple[str, dict[str, Any]]
_MAPS = ("properties", "$defs")
_NESTED = ("items", "additionalProperties", "propertyNames")


def parts(node: dict[str, Any], path: str = "") -> Iterator[Found]:
    """Every schema inside a schema, with where it stands; what is under ``examples`` is data and no schema."""
    yield path, node
    for keyword in _MAPS:
        for name, inner in node.get(keyword, {}).items():
            yield from parts(inner, f"{path}/{keyword}/{name}")
    for keyword in _NESTED:
        if isinstance(node.get(keyword), dict):
            yield from parts(node[keyword], f"{path}/{keyword}")
    for index, inner in enumerate(node.get("anyOf", ())):
        yield from parts(inner, f"{path}/anyOf/{index}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_a_schema_of_its_draft(kind: str):
    assert schema(kind)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_is_inside_the_schema(kind: str):
    whole = schema(kind)
    for path, part in parts(whole):
        reference = part.get("$ref", "#/$defs/name")
        assert reference.startswith("#/$defs/"), path
        assert reference == "#/$defs/name" or reference.removeprefix("#/$defs/") in whole["$defs"], path


@pytest.mark.parametrize("kind", KINDS)
def test_every_property_says_what_it_is_with_an_example_that_is_true(kind: str):
    whole = schema(kind)
    judged = 0
    for path, part in parts(whole):
        described = path == "" or path.rsplit("/", 2)[-2] in _MAPS
        assert not described or part.get("description", "").endswith("."), f"{kind}{path} has no description"
        for example in part.get("examples", ()):
            validator = jsonschema.Draft202012Validator({**part, "$defs": whole["$defs"]})
            assert [error.message for error in validator.iter_errors(example)] == [], f"{kind}{path}"
            judged += 1
    assert judged > 5


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_of_the_shipped_pack_are_what_the_schemas_say(kind: str):
    validator = jsonschema_rs.validator_for(schema(kind))
    files = sorted(LIBRARY.glob(KINDS[kind]))
    assert files
    for path in files:
        assert [error.message for error in validator.iter_errors(load_yaml(path).data)] == [], path.name


def test_a_mistake_is_seen_through_a_shared_definition():
    rule = {"id": "r1", "title": "x", "sources": [{"document": "d"}], "then": [{"flag": {"code": "f"}}]}
    judge = jsonschema_rs.validator_for(schema("criteria"))
    assert judge.is_valid([{**rule, "when": {"any": [{"score": {"gte": 1}}]}}])
    assert not judge.is_valid([{**rule, "when": {"any": [{"score": {"atleast": 1}}]}}])
    assert not judge.is_valid([{**rule, "when": {"any": []}}])


def test_the_command_prints_all_or_one_and_writes_files(tmp_path: Path):
    run = CliRunner()
    every = orjson.loads(run.invoke(app, ["rules", "schema"]).stdout)
    assert list(every) == list(KINDS)
    assert orjson.loads(run.invoke(app, ["rules", "schema", "criteria"]).stdout) == every["criteria"]
    written = run.invoke(app, ["rules", "schema", "--out", str(tmp_path / "schemas")])
    assert written.exit_code == 0
    assert {path.name for path in (tmp_path / "schemas").iterdir()} == {f"{kind}.schema.json" for kind in KINDS}
    assert orjson.loads((tmp_path / "schemas" / "facts.schema.json").read_bytes()) == every["facts"]


def test_a_kind_of_file_that_there_is_not_cannot_start():
    result = CliRunner().invoke(app, ["rules", "schema", "criterion"])
    assert result.exit_code == 2
    assert "no kind of file is called 'criterion'; there are: pack, facts" in result.stderr
