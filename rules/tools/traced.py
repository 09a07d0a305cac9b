"""A pack that is evaluated by the tracer alone: made in milliseconds, and every truth inside it can be looked at.

The two evaluators are held against each other where the tests themselves run (``rules.engine.rule_tests``); to measure
the tests, one of them is enough. This is the only file of the tools that knows how the engine is put together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rules.engine.check_facts import FactChecker
from rules.engine.comparisons import older_fact
from rules.engine.conditions import Condition
from rules.engine.content import Content
from rules.engine.decide import Decider, Evaluation
from rules.engine.errors import RulesError
from rules.engine.loader import load_content
from rules.engine.model import EVERYWHERE, Availability, Decision, Fact, State, Truth
from rules.engine.names import Named, named_conditions
from rules.engine.pack import load_pack
from rules.engine.parameters import Bands, Values
from rules.engine.rule_tests import RuleTest, differences, load_rule_tests
from rules.engine.tracer import Situation, Tracer


@dataclass(frozen=True, slots=True)
class _Band:
    tracer: Tracer
    values: Values
    places: Mapping[str, int]
    decider: Decider


class Seen:
    """One evaluation, to be looked into: the truth of any condition of the pack, also inside derived facts."""

    def __init__(self, situation: Situation, tracer: Tracer, values: Values) -> None:
        self._situation, self._tracer = situation, tracer
        self.facts, self.as_of, self.values = situation.facts, situation.as_of, values

    def truth(self, condition: Condition) -> Truth:
        """The truth of a condition that the pack contains."""
        return self._situation.truths[self._tracer.compile(condition).place]


class TracedPack:
    """The content of a pack for one provider, evaluated without durable_rules."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self._checker = FactChecker(content.facts)
        self.named: Mapping[str, Named] = named_conditions(content)
        self._bands = Bands(content.parameters)
        self._compiled: dict[int, _Band] = {}

    def evaluate(self, facts: Mapping[str, Fact], as_of: date, availability: Availability = EVERYWHERE) -> Decision:
        """The decision about one person on one day. Raises FactError and ContentError like ``Pack.evaluate``."""
        band = self._band(as_of)
        complete, telling = self._checker.complete(facts)
        situation = Situation(band.tracer, complete, as_of, telling)
        truths = {name: situation.truths[place] for name, place in band.places.items()}
        stale = [name for name in telling if facts[name].older is not None and facts[name].state is not State.KNOWN]
        if not stale:
            return band.decider.decide(Evaluation(situation, truths), availability)
        renewed = {**complete, **{name: older_fact(facts[name]) for name in stale}}
        aged = Situation(band.tracer, renewed, as_of, telling)
        aged_truths = {name: aged.truths[place] for name, place in band.places.items()}
        return band.decider.decide(Evaluation(situation, truths, aged_truths, frozenset(stale)), availability)

    def look(self, facts: Mapping[str, Fact], as_of: date) -> Seen:
        """The same evaluation, opened. Raises FactError and ContentError."""
        band = self._band(as_of)
        complete, telling = self._checker.complete(facts)
        return Seen(Situation(band.tracer, complete, as_of, telling), band.tracer, band.values)

    def passes(self, test: RuleTest) -> bool:
        """Whether a test comes out as expected; an evaluation that fails does not."""
        try:
            decision = self.evaluate(test.given, test.as_of, test.availability)
        except RulesError:
            return False
        return not any(differences(decision, test.expect))

    def _band(self, as_of: date) -> _Band:
        number = self._bands.at(as_of)
        if number not in self._compiled:
            values = Values(self.content.parameters, self._bands.first_day(number))
            tracer = Tracer(self.content.facts, values, self._checker.missing)
            nodes = {name: tracer.compile(named.condition) for name, named in self.named.items()}
            derived = {name: tracer.derived(name) for name, each in self.content.facts.items() if each.derive}
            places = {name: node.place for name, node in nodes.items()}
            self._compiled[number] = _Band(tracer, values, places, Decider(self.content, nodes, derived, values))
        return self._compiled[number]


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests beside a pack's rules, and the pack for each provider that a test names ("" is the pack's own)."""

    folder: Path
    packs: Mapping[str, TracedPack]
    tests: tuple[RuleTest, ...]

    @property
    def pack(self) -> TracedPack:
        return self.packs[""]

    def failing(self) -> Iterator[RuleTest]:
        """The tests that do not hold: until there are none, nothing that is measured with them means anything."""
        return (test for test in self.tests if not self.packs[test.provider].passes(test))


def load_suite(folder: Path) -> Suite:
    """Read a pack with its tests. Raises ContentError."""
    pack = load_pack(folder)
    try:
        tests = tuple(load_rule_tests(folder, pack))
    finally:
        pack.close()
    providers = dict.fromkeys(("", *(test.provider for test in tests)))
    return Suite(folder, {name: TracedPack(load_content(folder, name or None)) for name in providers}, tests)
