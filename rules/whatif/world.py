"""A pack as explanations need it: compiled conditions of every rule, and the pack itself to confirm what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from rules.engine.availability import Services
from rules.engine.check_facts import FactChecker
from rules.engine.conditions import Condition, facts_of
from rules.engine.content import Content, Refer, Rule
from rules.engine.errors import RulesError
from rules.engine.model import OUTSIDE_WINDOW, Availability, Decision, Fact, RuleOutcome, Status
from rules.engine.names import named_conditions
from rules.engine.pack import Pack
from rules.engine.parameters import Bands, Values
from rules.engine.tracer import Node, Tracer
from rules.whatif.cone import Cone
from rules.whatif.domain import Domain
from rules.whatif.links import load_links
from rules.whatif.model import Change, Setting


@dataclass(frozen=True, slots=True)
class Compiled:
    """One named condition; ``never`` are the conditions about the same facts that no change may make true.

    ``facts`` are those it looks at, in the order in which it reads, then those that these follow from.
    """

    root: Node
    cone: Cone
    never: tuple[Node, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """Everything compiled with the parameter values of one band of days."""

    values: Values
    tracer: Tracer
    named: Mapping[str, Compiled]


class World:
    """One pack. Raises ContentError where its ``what_if.yaml`` is wrong."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self.content: Content = pack.content
        self.links = load_links(self.content)
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in self.content.rules}
        self._missing = FactChecker(self.content.facts).missing
        self._bands = Bands(self.content.parameters)
        self._compiled: dict[int, Band] = {}
        self._moves = self.links.moves

    def band(self, as_of: date) -> Band:
        number = self._bands.at(as_of)
        if number not in self._compiled:
            self._compiled[number] = self._band(Values(self.content.parameters, self._bands.first_day(number)))
        return self._compiled[number]

    def _band(self, values: Values) -> Band:
        tracer = Tracer(self.content.facts, values, self._missing)
        conditions = {name: each.condition for name, each in named_conditions(self.content).items()}
        nodes = {name: tracer.compile(condition) for name, condition in conditions.items()}
        bans = [(self.supplied_of(each), tracer.compile(each)) for each in self.links.never]
        named = {}
        for name, root in nodes.items():
            about = self.supplied_of(conditions[name])
            about |= {follow.other for follow in self.links.follows if follow.fact in about}
            never = tuple(node for facts, node in bans if facts & about)
            cone = Cone(tracer, (root, *never))
            causes = [follow.fact for follow in self.links.follows if follow.other in cone.facts]
            named[name] = Compiled(root, cone, never, tuple(dict.fromkeys((*cone.facts, *causes))))
        return Band(values, tracer, named)

    def domain(self, cone: Cone, facts: Mapping[str, Fact], as_of: date) -> Domain:
        return Domain(self.content.facts, self.band(as_of).values, cone.leaves, facts, as_of, self._moves)

    def supplied(self, decision: Decision) -> dict[str, Fact]:
        """The facts that a decision was made on."""
        declared = self.content.facts
        return {name: fact for name, fact in decision.facts.items() if declared[name].derive is None}

    def supplied_of(self, condition: Condition) -> frozenset[str]:
        """The supplied facts that a condition looks at, also through derived ones."""
        found: set[str] = set()
        for name in facts_of(condition):
            declaration = self.content.facts[name]
            if declaration.derive is None:
                found.add(name)
            for inner in (declaration.derive, declaration.unknown_when):
                found |= self.supplied_of(inner) if inner is not None else set()
        return frozenset(found)

    def services(self, decision: Decision) -> Services:
        """The services that there are for her, as the decision was told."""
        content = self.content
        return Services(content.provider, content.services, decision.as_of, decision.availability)

    def evaluated(
        self, changes: Mapping[str, Fact], facts: Mapping[str, Fact], as_of: date, availability: Availability
    ) -> Decision | None:
        """What both evaluators say with these changes; None where they do not agree or a value does not fit."""
        try:
            return self._pack.evaluate({**facts, **self.links.settled(changes, facts)}, as_of, availability)
        except RulesError:
            return None

    def change(self, before: Decision, after: Decision, rule: str, settings: tuple[Setting, ...]) -> Change:
        """Settings with everything else that they bring about."""
        facts, named = self.supplied(before), {each.fact for each in settings}
        settled = self.links.settled({each.fact: each.now for each in settings}, facts)
        met = {outcome.rule for outcome in before.outcomes if criteria_met(outcome)}
        then = {outcome.rule for outcome in after.outcomes if criteria_met(outcome)}
        return Change(
            settings,
            after.outcome(rule).status,
            tuple(Setting(name, facts[name], fact) for name, fact in settled.items() if name not in named),
            tuple(each.rule for each in after.outcomes if each.rule in then - met - {rule}),
            tuple(each.rule for each in after.outcomes if each.rule in met - then - {rule}),
            went(after, rule),
        )


def criteria_met(outcome: RuleOutcome) -> bool:
    """Whether the criteria of a rule are met: it fired, or only the second stage held it back."""
    if outcome.status is Status.SUPPRESSED:
        return OUTSIDE_WINDOW not in outcome.suppressed_by
    return outcome.status is Status.FIRED


def went(decision: Decision, rule: str) -> tuple[str, ...]:
    """The services to which a rule refers her in a decision, after the second stage."""
    return tuple(referral.service for referral in decision.referrals if rule in referral.rules)


def refers(rule: Rule) -> Iterator[tuple[int, Refer]]:
    """The referrals that a rule can make, each with its place among the rule's outcomes."""
    for index, outcome in enumerate(rule.then):
        if isinstance(outcome.act, Refer):
            yield index, outcome.act
