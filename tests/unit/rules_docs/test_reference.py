"""The reference of the rule language is what its generator writes, and its examples are true."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from rules import LIBRARY, load_pack, load_yaml
from rules.engine import comparisons
from rules.engine.conditions import facts_of
from rules.engine.cursor import Cursor
from rules.engine.parse import Parser
from rules.tools.schemas import KINDS, schemas

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "rule-language.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_rule_language", ROOT / "tools" / "make_rule_language.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_document_is_what_the_generator_writes(generator: ModuleType):
    assert generator.document(DOCUMENT) == DOCUMENT, "run python tools/make_rule_language.py"


def test_every_key_of_every_file_is_in_it():
    assert all(f"\n### {place}\n" in DOCUMENT for place in KINDS.values())
    keys = {key for each in schemas().values() for node in _objects(each) for key in node["properties"]}
    assert len(keys) > 80
    assert [key for key in sorted(keys) if f"`{key}`" not in DOCUMENT] == []


def _objects(node: Any):
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield node
        for key, inner in node.items():
            if key != "examples":
                yield from _objects(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _objects(inner)


def test_an_example_means_in_yaml_what_it_means_in_the_schema(generator: ModuleType, tmp_path: Path):
    judged = 0
    for each in schemas().values():
        for node in _objects(each):
            for inner in (each for each in node["properties"].values() if isinstance(each, dict)):
                for example in inner.get("examples", ()):
                    path = tmp_path / "example.yaml"
                    path.write_text(f"example: {generator.flow(example)}\n", encoding="utf-8")
                    assert load_yaml(path).data == {"example": example}
                    judged += 1
    assert judged > 150


def test_every_link_in_it_leads_to_a_heading_or_a_file():
    headings = re.findall(r"^#+ (.+)$", DOCUMENT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(([^)]+)\)", DOCUMENT)
    assert len(links) > 30
    for link in links:
        name, _, anchor = link.partition("#")
        assert not name or (ROOT / "docs" / name).is_file(), link
        assert not anchor or name or anchor in anchors, link


def test_the_conditions_it_shows_can_be_written(tmp_path: Path):
    pack = load_pack()
    pack.close()
    content = pack.content
    (text,) = re.findall(r"^```yaml condition\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    path = tmp_path / "condition.yaml"
    path.write_text(text, encoding="utf-8")
    types = {name: fact.type for name, fact in content.facts.items()}
    derived = frozenset(name for name, fact in content.facts.items() if fact.derive)
    found = Parser(types, derived, content.parameters).condition(Cursor.top(load_yaml(path)))
    assert len(facts_of(found)) > 10


def test_the_truth_table_is_that_of_the_evaluator():
    words = {"met": True, "not met": False, "unknown": None}
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCUMENT.splitlines()
        if line.startswith("| a ")
    ]
    assert len(lines) == 8
    for situation, both, either, negated, unless in lines:
        truths = [words[part.strip()[2:]] for part in situation.split(",")]
        seen: Any = SimpleNamespace(truths=[truths[0], truths[-1], None, None, None, None])
        steps: list[comparisons.Step] = [
            (2, None, False, (0, 1)),
            (3, None, True, (0, 1)),
            (4, comparisons.negated(0), False, (0,)),
            (5, comparisons.unless(0), False, (0,)),
        ]
        comparisons.settle(steps, seen)
        assert seen.truths[2:] == [words[both], words[either], words[negated], words[unless]]


def test_the_settings_for_an_editor_name_every_kind_of_file():
    named = dict(re.findall(r'"\.schemas/(\w+)\.schema\.json": "our-rules/([^"]+)"', DOCUMENT))
    assert named == dict(KINDS)
    assert all(sorted(LIBRARY.glob(place)) for place in named.values())
