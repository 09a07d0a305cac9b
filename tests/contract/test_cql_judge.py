"""Another engine, given the same facts, finds every condition as ours does: true, false or unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapter.replay import find_fixtures, read_expected
from adapter.replay.evaluate import evaluate_input
from rules import LIBRARY, Fact, RulesError
from rules.engine.content import Content, Dated
from rules.engine.loader import load_content
from rules.tools.boundaries import boundaries
from rules.tools.coverage import cover
from rules.tools.cql import CqlLibrary, cql_library
from rules.tools.traced import Suite, TracedPack, load_suite
from tests.judges.cql_judge import Case, differences, judge, needs_cql_judge

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
IGNORED = {"annotation", "localId", "locator", "signature"}

pytestmark = needs_cql_judge


@cache
def suite() -> Suite:
    return load_suite(LIBRARY)


def case(name: str, pack: TracedPack, facts: Mapping[str, Fact], as_of: Any) -> Case:
    seen = pack.look(facts, as_of)
    truths = {each: seen.truth(named.condition) for each, named in pack.named.items()}
    return Case(name, as_of, seen.facts, truths)


def of_fixtures() -> Iterator[Case]:
    """Every record of every fixture; the truth of each rule is that of the decision itself."""
    pack = suite().pack
    for folder in find_fixtures(FIXTURES):
        expected = read_expected(folder)
        for names in expected.inputs:
            for result in evaluate_input([folder / name for name in names], expected.as_of, expected.provider):
                if result.decision is None:
                    continue
                facts = {name: fact for name, fact in result.decision.facts.items() if not derived(name)}
                whole = case(f"{folder.name}/{' + '.join(names)}", pack, facts, expected.as_of)
                decided = {each.rule: each.trace.truth for each in result.decision.outcomes}
                yield replace(whole, truths={**whole.truths, **decided})


def derived(name: str) -> bool:
    return suite().pack.content.facts[name].derive is not None


def of_tests() -> Iterator[Case]:
    """Every test beside the rules, for the pack's own provider."""
    for test in suite().tests:
        if not test.provider:
            yield case(test.name, suite().pack, test.given, test.as_of)


def beside_thresholds() -> Iterator[Case]:
    """Just below, at and just above every threshold; for dates also from 29 February and where a month is clipped."""
    _, sight = cover(suite())
    for boundary in boundaries(suite(), sight):
        for each in boundary.cases:
            try:
                yield case(f"{boundary.criterion}: {each.value}", suite().pack, each.given, each.as_of)
            except RulesError:
                continue


@pytest.mark.parametrize(("make", "at_least"), [(of_fixtures, 110), (of_tests, 390), (beside_thresholds, 300)])
def test_the_judge_finds_what_the_engine_finds(make: Any, at_least: int) -> None:
    cases = list(make())
    assert len(cases) >= at_least
    found = differences(library(), cases)
    assert not found, "\n".join(found[:40])


@cache
def library() -> CqlLibrary:
    return cql_library(suite().pack.content)


def test_every_rule_is_seen_true_false_and_unknown() -> None:
    """So that agreement means something: the cases together show each rule in all three ways."""
    seen = {rule.id: set() for rule in suite().pack.content.rules}
    for each in (*of_fixtures(), *of_tests(), *beside_thresholds()):
        for rule, truths in seen.items():
            truths.add(each.truths[rule])
    assert [rule for rule, truths in seen.items() if truths != {True, False, None}] == []


def test_the_elm_is_that_of_the_reference_translator() -> None:
    translated = _plain(judge(library(), []).translated)
    ours = library().elm
    assert translated["library"]["parameters"] == ours["library"]["parameters"]
    theirs = {each["name"]: each for each in translated["library"]["statements"]["def"]}
    assert {each["name"]: each for each in ours["library"]["statements"]["def"]} == theirs


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items() if key not in IGNORED}
    return [_plain(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize("name", ["epds-probable", "perinatal-team-window-months", "self-harm-item-gp"])
def test_a_wrong_threshold_is_caught(name: str) -> None:
    """The negative control: a library of which one threshold is moved by one."""
    content = suite().pack.content
    parameter = content.parameters[name]
    moved = tuple(Dated(each.start, each.value + 1) for each in parameter.values)
    wrong: Content = replace(content, parameters={**content.parameters, name: replace(parameter, values=moved)})
    cases = [*of_fixtures(), *of_tests()]
    assert differences(cql_library(wrong), cases)
