"""What the judge of exported rules is asked: the engine's evaluations of the fixtures, each with its provider's library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from adapter.pipeline import Result
from adapter.replay import find_fixtures, read_expected
from adapter.replay.evaluate import evaluate_input
from rules import LIBRARY, Decision, Fact
from rules.engine.loader import load_content
from rules.tools.cql import CqlLibrary, cql_library
from rules.tools.traced import Suite, TracedPack, load_suite
from tests.judges.cql_judge import Case

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"

Seen = tuple[str, Case]
"""A case with the provider whose policies count, "" for the pack's own."""


@cache
def suite() -> Suite:
    return load_suite(LIBRARY)


@cache
def pack_of(provider: str) -> TracedPack:
    return suite().packs.get(provider) or TracedPack(load_content(LIBRARY, provider))


@cache
def library(provider: str = "") -> CqlLibrary:
    return cql_library(pack_of(provider).content)


def by_provider(cases: Iterable[Seen]) -> list[tuple[CqlLibrary, list[Case]]]:
    """Each provider's library with the cases that are judged by it."""
    found: dict[str, list[Case]] = {}
    for provider, case in cases:
        found.setdefault(provider, []).append(case)
    return [(library(provider), each) for provider, each in found.items()]


def seen(name: str, facts: Mapping[str, Fact], as_of: date, provider: str = "") -> Case:
    pack = pack_of(provider)
    look = pack.look(facts, as_of)
    return Case(name, as_of, look.facts, {each: look.truth(named.condition) for each, named in pack.named.items()})


def of_decision(name: str, decision: Decision) -> Case:
    """The case of a decision: its own facts and, for each rule, the truth that it found."""
    declared = suite().pack.content.facts
    facts = {each: fact for each, fact in decision.facts.items() if declared[each].derive is None}
    case = seen(name, facts, decision.as_of, decision.provider)
    return replace(case, truths={**case.truths, **{each.rule: each.trace.truth for each in decision.outcomes}})


@cache
def of_fixtures() -> tuple[Seen, ...]:
    """Every record of every fixture; the truth of each rule is that of the decision itself."""
    return tuple((decision.provider, of_decision(name, decision)) for name, _, decision in decided())


@cache
def decided() -> tuple[tuple[str, Result, Decision], ...]:
    """Every record of every fixture about which something was decided, by fixture, inputs and, of several, its place."""
    found = []
    for folder in find_fixtures(FIXTURES):
        expected = read_expected(folder)
        for names in expected.inputs:
            results = evaluate_input([folder / name for name in names], expected.as_of, expected.provider)
            for place, result in enumerate(results, start=1):
                if result.decision is not None:
                    name = f"{folder.name}/{' + '.join(names)}" + (f" {place}" if len(results) > 1 else "")
                    found.append((name, result, result.decision))
    return tuple(found)
