"""Another engine, given the same facts, finds every condition as ours does: true, false or unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from rules import Status, Truth
from rules.engine.check_facts import FactChecker
from rules.engine.content import Ask, Dated, TaskSpec
from rules.tools.boundaries import boundaries
from rules.tools.coverage import cover
from rules.tools.cql import CqlLibrary, cql_library
from tests.judges.cql_cases import Seen, by_provider, decided, library, of_fixtures, seen, suite
from tests.judges.cql_judge import Case, differences, judge, needs_cql_judge
from tests.property.rules.languages import AS_OF, Draw, reference

PACKS = 40
NULL = {"type": "Null"}

pytestmark = needs_cql_judge


@cache
def of_tests() -> tuple[Seen, ...]:
    """Every test beside the rules, with its provider's policies."""
    return tuple((test.provider, seen(test.name, test.given, test.as_of, test.provider)) for test in suite().tests)


def beside_thresholds() -> Iterator[Seen]:
    """Just below, at and just above every threshold; for dates also from 29 February and where a month is clipped."""
    _, sight = cover(suite())
    for boundary in boundaries(suite(), sight):
        for each in boundary.cases:
            yield "", seen(f"{boundary.criterion}: {each.value}", each.given, each.as_of)


@pytest.mark.parametrize(("make", "at_least"), [(of_fixtures, 120), (of_tests, 490), (beside_thresholds, 300)])
def test_the_judge_finds_what_the_engine_finds(make: Callable[[], Iterable[Seen]], at_least: int) -> None:
    cases = list(make())
    assert len(cases) >= at_least
    found = differences(*by_provider(cases))
    assert not found, "\n".join(found[:40])


def test_every_rule_is_seen_true_false_and_unknown() -> None:
    """So that agreement means something: the cases together show each rule in all three ways."""
    found: dict[str, set[Truth]] = {rule.id: set() for rule in suite().pack.content.rules}
    for _, case in (*of_fixtures(), *of_tests()):
        for rule, truths in found.items():
            truths.add(case.truths[rule])
    assert [rule for rule, truths in found.items() if truths != {True, False, None}] == []


def test_a_rule_fires_where_its_definition_is_true() -> None:
    """What the definitions mean: of no record does a rule fire that the judge finds false or unknown, or the reverse."""
    statuses = Counter((each.status, each.trace.truth) for _, _, decision in decided() for each in decision.outcomes)
    assert {truth for status, truth in statuses if status is Status.FIRED} == {True}
    assert {truth for status, truth in statuses if status is Status.UNKNOWN} == {None}
    assert {truth for status, truth in statuses if status is Status.NOT_FIRED} == {False}


def test_a_wrong_threshold_is_caught() -> None:
    """The negative control: three libraries, in each of which one threshold is moved by one."""
    content = suite().pack.content
    wrong = []
    for name in ("epds-probable", "phq-9-moderate", "self-harm-item-gp"):
        parameter = content.parameters[name]
        moved = tuple(Dated(each.start, each.value + 1) for each in parameter.values)
        wrong.append(replace(content, parameters={**content.parameters, name: replace(parameter, values=moved)}))
    own = [case for provider, case in of_fixtures() if provider == content.provider.name]
    assert differences((library(), own)) == []
    for changed in wrong:
        assert differences((cql_library(changed), own))


def test_an_elm_that_is_not_that_of_its_text_is_caught() -> None:
    """The other negative control: the text says one thing and the ELM another."""
    text = library()
    bent = replace(
        text, definitions=tuple(replace(each, term=each.term._replace(elm=NULL)) for each in text.definitions)
    )
    with pytest.raises(AssertionError):
        judge([(bent, [])])


# --- random packs, held against the reference evaluator of the rule language -----------------------------------------
class Held(Draw):
    """Draws what CQL can hold: Decimals of at most eight places, texts that a JSON document can carry."""

    def number(self) -> float:
        return self.rng.choice([self.small(), self.rng.randint(-40, 70) / 10, 0.30000001])

    def text(self) -> str:
        return self.rng.choice(["", "5", "a", "A", "é", '"', "'", "\\", "\n", "\t", "😀", "null", "x" * 300])

    def value(self, kind: str) -> Any:
        return self.text() if kind == "text" else super().value(kind)


def random_pack(seed: int) -> tuple[CqlLibrary, list[Case]]:
    draw = Held(seed)
    named, declarations, parameters, raw, derived = draw.pack()
    place = next(iter(named.values())).place
    asks = tuple(Ask(name, each.condition, TaskSpec("any"), place) for name, each in named.items())
    content = replace(
        suite().pack.content,
        facts=declarations,
        parameters=parameters,
        rules=(),
        steps=(),
        asks=asks,
        outside_when=None,
    )
    cases = []
    for number in range(6):
        complete, _ = FactChecker(declarations).complete(draw.facts())
        truths = {f"ask/{name}": reference(data, complete, derived) for name, data in raw.items()}
        cases.append(Case(f"pack {seed}, facts {number}", AS_OF, complete, truths))
    return cql_library(content), cases


def test_random_packs_mean_the_same_in_cql() -> None:
    """Every kind of condition, over spans, months from 29 February, decimals, texts and lists of codes."""
    packs = [random_pack(seed) for seed in range(PACKS)]
    found = differences(*packs)
    assert not found, "\n".join(found[:20])
    kinds = Counter(truth for _, cases in packs for case in cases for truth in case.truths.values())
    assert min(kinds[truth] for truth in (True, False, None)) > PACKS
