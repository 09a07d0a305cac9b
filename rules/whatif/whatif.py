"""Asks the questions about a decision, and shows no change that the pack itself does not confirm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, product

from rules.engine import names
from rules.engine.check_facts import FactChecker
from rules.engine.conditions import Condition, facts_of
from rules.engine.content import Content, Refer, Rule, Step
from rules.engine.decide import OUTSIDE_WINDOW
from rules.engine.errors import RulesError
from rules.engine.load_steps import FACT_OPEN, FACT_REFUSED
from rules.engine.model import Decision, Fact, RuleOutcome, State, Status
from rules.engine.names import named_conditions
from rules.engine.pack import Pack
from rules.engine.parameters import Bands, Values
from rules.engine.proposals import RANK
from rules.engine.tracer import Node, Tracer
from rules.whatif.cone import MET, NOT_MET, Cone, Frame, Wanted
from rules.whatif.domain import Domain, value_from
from rules.whatif.links import load_links
from rules.whatif.model import Change, Goal, Setting, Turning, Unknown
from rules.whatif.search import Question, covers, exactly_known, settings, smallest, step

MOST_FACTS = 3
"""How many facts a change may have."""
MOST_SHOWN = 3
"""How many of the smallest changes are given."""


@dataclass(frozen=True, slots=True)
class _Rule:
    root: Node
    cone: Cone
    never: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class _Band:
    """Everything compiled with the parameter values of one band of days."""

    values: Values
    tracer: Tracer
    rules: Mapping[str, _Rule]
    branches: Mapping[str, Cone]
    nodes: Mapping[str, Node]


class WhatIf:
    """What decisions of one pack turned on. Raises ContentError where the pack's ``what_if.yaml`` is wrong."""

    def __init__(self, pack: Pack, most_facts: int = MOST_FACTS, most_shown: int = MOST_SHOWN) -> None:
        self._pack, self._most_facts, self._most_shown = pack, most_facts, most_shown
        self._content: Content = pack.content
        self._links = load_links(self._content)
        self._checker = FactChecker(self._content.facts)
        self._bands = Bands(self._content.parameters)
        self._compiled: dict[int, _Band] = {}
        self._rules = {rule.id: rule for rule in self._content.rules}

    # --- the questions ------------------------------------------------------------------------------------------------
    def turned_on(self, decision: Decision, rule: str) -> tuple[Turning, ...]:
        """What the status of a rule turned on; nothing for a rule that is not in force or failed. KeyError: no such rule."""
        outcome = decision.outcome(rule)
        if not self._rules[rule].valid(decision.as_of) or outcome.status is Status.ERROR:
            return ()
        if outcome.status is Status.UNKNOWN:
            goals = ((Goal.FIRE, MET, True), (Goal.SETTLE, NOT_MET, True))
            return tuple(self._turning(decision, outcome, *goal) for goal in goals)
        if not criteria_met(outcome):
            return (self._turning(decision, outcome, Goal.FIRE, MET, False),)
        held = self._held(decision, outcome)
        stop = self._turning(decision, outcome, Goal.STOP, NOT_MET, False)
        return (held, stop) if held else (stop,)

    def unknowns(self, decision: Decision) -> tuple[Unknown, ...]:
        """The missing facts of the undecided rules, in order of how much they would decide.

        Compared are the rules that a fact would settle: safety rules first, then by the highest priority of what a rule
        refers; of each kind first how many by some value, then how many whatever the value; last the order of the pack.
        """
        undecided = [outcome for outcome in decision.outcomes if outcome.status is Status.UNKNOWN]
        found = {name: ([], []) for outcome in undecided for name in outcome.missing}
        some: dict[str, list[str]] = {name: lists[0] for name, lists in found.items()}
        surely: dict[str, list[str]] = {name: lists[1] for name, lists in found.items()}
        for outcome in undecided:
            for name in outcome.missing:
                truths = self._truths_by_value(decision, outcome.rule, name)
                if any(truth is not None for truth in truths):
                    some[name].append(outcome.rule)
                    if all(truth is not None for truth in truths):
                        surely[name].append(outcome.rule)
        order = {name: place for place, name in enumerate(self._content.facts)}
        made = [Unknown(name, tuple(some[name]), tuple(surely[name])) for name in found]
        return tuple(sorted(made, key=lambda each: (self._weights(each), order[each.fact])))

    def services(self, rule: str, as_of: date) -> tuple[str, ...]:
        """The services that a rule can refer to, before the second stage. KeyError: no such rule."""
        values = self._band(as_of).values
        return tuple(dict.fromkeys(values.of(refer.service) for refer in _refers(self._rules[rule])))

    # --- criteria: the first stage --------------------------------------------------------------------------------
    def _turning(
        self, decision: Decision, outcome: RuleOutcome, goal: Goal, wanted: Wanted, additions_only: bool
    ) -> Turning:
        compiled, facts = self._band(decision.as_of).rules[outcome.rule], self._supplied(decision)
        question = Question(
            compiled.cone,
            compiled.root,
            compiled.never,
            compiled.cone.frame(facts, decision.as_of),
            wanted,
            self._domain(compiled.cone, facts, decision.as_of),
            self._links,
            self._content.facts,
            additions_only,
            self._most_facts,
        )
        shown: list[Change] = []
        more = 0
        for changes in smallest(question):
            if any(_covered(change, changes) for change in shown):
                continue
            if len(shown) == self._most_shown:
                more += 1
            elif change := self._confirmed(decision, outcome.rule, wanted, settings(question, changes)):
                shown.append(change)
        return Turning(goal, tuple(shown), more, self._most_facts)

    def _confirmed(
        self, decision: Decision, rule: str, wanted: Wanted, changed: tuple[Setting, ...]
    ) -> Change | None:
        """The change with what the whole pack says of it, where both evaluators agree that it does what it should.

        The ends of the values that should do the same are tried too.
        """
        facts = self._supplied(decision)
        for setting in changed:
            for end in (setting.low, setting.high):
                if end is not None and not (setting.low_open or setting.high_open):
                    kind = self._content.facts[setting.fact].type
                    other = {each.fact: each.now for each in changed}
                    other[setting.fact] = setting.now._replace(value=value_from(end, kind))
                    ended = self._evaluated(other, facts, decision.as_of)
                    if ended is None or criteria_met(ended.outcome(rule)) is not (True in wanted):
                        return None
        after = self._evaluated({each.fact: each.now for each in changed}, facts, decision.as_of)
        if after is None or criteria_met(after.outcome(rule)) is not (True in wanted):
            return None
        if after.outcome(rule).status is Status.UNKNOWN:
            return None
        return self._change(decision, after, rule, changed)

    def _change(self, before: Decision, after: Decision, rule: str, changed: tuple[Setting, ...]) -> Change:
        facts, named = self._supplied(before), {each.fact for each in changed}
        settled = self._links.settled({each.fact: each.now for each in changed}, facts)
        met = {outcome.rule for outcome in before.outcomes if criteria_met(outcome)}
        then = {outcome.rule for outcome in after.outcomes if criteria_met(outcome)}
        return Change(
            changed,
            after.outcome(rule).status,
            tuple(Setting(name, facts[name], fact) for name, fact in settled.items() if name not in named),
            tuple(each.rule for each in after.outcomes if each.rule in then - met - {rule}),
            tuple(each.rule for each in after.outcomes if each.rule in met - then - {rule}),
        )

    def _evaluated(self, changes: Mapping[str, Fact], facts: Mapping[str, Fact], as_of: date) -> Decision | None:
        try:
            return self._pack.evaluate({**facts, **self._links.settled(changes, facts)}, as_of)
        except RulesError:  # the evaluators do not agree, or a value does not fit: then nothing is said of it
            return None

    # --- the second stage -------------------------------------------------------------------------------------------
    def _held(self, decision: Decision, outcome: RuleOutcome) -> Turning | None:
        """What held or moved the referrals of a rule, and without what they would go; None where nothing did."""
        sent = self._sent(decision, outcome.rule)
        lost = tuple(service for service in sent if service not in _went(decision, outcome.rule))
        if not lost:
            return None
        steps = [one for one in self._content.steps if _touches(one)]
        tries = self._step_tries(decision, steps, sent)
        facts = self._supplied(decision)
        found: list[tuple[tuple[object, ...], Change]] = []
        for count in range(1, min(self._most_facts, len(tries)) + 1):
            for some in combinations(tries, count):
                for chosen in product(*(tries[name] for name in some)):
                    changes = dict(zip(some, chosen, strict=True))
                    after = self._evaluated(changes, facts, decision.as_of)
                    if after is not None and set(lost) <= set(_went(after, outcome.rule)):
                        changed = tuple(Setting(name, facts[name], fact) for name, fact in changes.items())
                        cost = sum(step(facts[name], fact) for name, fact in changes.items())
                        lasting = sum(name in self._links.lasting for name in some)
                        found.append(((lasting, cost), self._change(decision, after, outcome.rule, changed)))
            if found:
                break
        found.sort(key=lambda each: each[0])  # type: ignore[arg-type,return-value]
        changes_found = [change for _, change in found]
        turned = {setting.fact for change in changes_found[:1] for setting in change.settings}
        by = tuple(one.id for one in steps if one.id in outcome.suppressed_by)
        by = by or tuple(one.id for one in steps if turned & self._step_facts(one) and self._holds(one, decision, sent))
        shown = tuple(changes_found[: self._most_shown])
        return Turning(Goal.GO, shown, len(changes_found) - len(shown), self._most_facts, by, lost)

    def _sent(self, decision: Decision, rule: str) -> tuple[str, ...]:
        """The services to which a rule, on these facts, sends her before the second stage."""
        band, found = self._band(decision.as_of), []
        for index, outcome in enumerate(self._rules[rule].then):
            if isinstance(outcome.act, Refer):
                name = names.branch(rule, index)
                if outcome.when is not None:
                    frame = band.branches[name].frame(self._supplied(decision), decision.as_of)
                    if frame.truths[band.nodes[name].place] is not True:
                        continue
                found.append(band.values.of(outcome.act.service))
        return tuple(dict.fromkeys(found))

    def _step_facts(self, one: Step) -> frozenset[str]:
        found = self._supplied_of(one.when) if one.when is not None else frozenset[str]()
        return found | ({FACT_OPEN} if one.open else set()) | ({FACT_REFUSED} if one.refused else set())

    def _holds(self, one: Step, decision: Decision, sent: Sequence[str]) -> bool:
        """Whether a step is about one of these services, and its own condition is met."""
        if one.services is not None and not one.services.intersection(sent):
            return False
        if one.open and not frozenset(sent) & _codes(decision.facts[FACT_OPEN]):
            return False
        name = names.step(one.id)
        band = self._band(decision.as_of)
        if one.when is None:
            return True
        frame = band.branches[name].frame(self._supplied(decision), decision.as_of)
        return frame.truths[band.nodes[name].place] is True

    def _step_tries(
        self, decision: Decision, steps: Sequence[Step], sent: Sequence[str]
    ) -> dict[str, tuple[Fact, ...]]:
        """What could be different in the second stage: the facts of its conditions, open services and refusals."""
        facts, band = self._supplied(decision), self._band(decision.as_of)
        cones = [band.branches[names.step(one.id)] for one in steps if one.when is not None]
        tries: dict[str, tuple[Fact, ...]] = {}
        for cone in cones:
            domain = self._domain(cone, facts, decision.as_of)
            for name in cone.facts:
                tries[name] = tuple(dict.fromkeys((*tries.get(name, ()), *domain.tries(name))))
        for name in (FACT_OPEN, FACT_REFUSED):
            present = _codes(facts[name]) if name in facts else frozenset[str]()
            if present:
                tries[name] = tuple(_fewer(facts[name], present))
        return {name: found for name, found in tries.items() if found}

    # --- unknown facts ------------------------------------------------------------------------------------------------
    def _truths_by_value(self, decision: Decision, rule: str, name: str) -> list[bool | None]:
        """What a rule's criteria come to for each value that a missing fact could have."""
        band, facts = self._band(decision.as_of), self._supplied(decision)
        compiled = band.rules[rule]
        frame, place = compiled.cone.frame(facts, decision.as_of), compiled.root.place
        if self._content.facts[name].derive is not None:
            node = band.tracer.derived(name)
            return [compiled.cone.forced(frame, node.place, truth).truths[place] for truth in (True, False)]
        domain = self._domain(compiled.cone, facts, decision.as_of)
        settled = [self._links.settled({name: fact}, facts) for fact in domain.tries(name)]
        frames: list[Frame] = [compiled.cone.changed(frame, changes) for changes in settled]
        return [
            each.truths[place]
            for each in frames
            if not any(each.truths[node.place] and not frame.truths[node.place] for node in compiled.never)
        ]

    def _weights(self, unknown: Unknown) -> tuple[int, ...]:
        """Smaller is more: for each kind of rule, how many are settled by some value, and how many by any."""
        counts: dict[int, list[int]] = {kind: [0, 0] for kind in range(len(RANK) + 2)}
        for index, settled in enumerate((unknown.some, unknown.surely)):
            for name in settled:
                counts[_kind(self._rules[name])][index] -= 1
        return tuple(count for kind in sorted(counts) for count in counts[kind])

    # --- compiled once ------------------------------------------------------------------------------------------------
    def _band(self, as_of: date) -> _Band:
        number = self._bands.at(as_of)
        if number not in self._compiled:
            values = Values(self._content.parameters, self._bands.first_day(number))
            tracer = Tracer(self._content.facts, values, self._checker.missing)
            named = named_conditions(self._content)
            nodes = {name: tracer.compile(each.condition) for name, each in named.items()}
            never = [(self._supplied_of(each), tracer.compile(each)) for each in self._links.never]
            made = {}
            for rule in self._rules:
                about = self._with_links(self._supplied_of(named[rule].condition))
                bans = tuple(node for facts, node in never if facts & about)
                made[rule] = _Rule(nodes[rule], Cone(tracer, (nodes[rule], *bans)), bans)
            branches = {name: Cone(tracer, (node,)) for name, node in nodes.items() if name not in self._rules}
            self._compiled[number] = _Band(values, tracer, made, branches, nodes)
        return self._compiled[number]

    def _with_links(self, facts: frozenset[str]) -> frozenset[str]:
        return facts | {follow.other for follow in self._links.follows if follow.fact in facts}

    def _supplied_of(self, condition: Condition) -> frozenset[str]:
        """The supplied facts that a condition looks at, also through derived ones."""
        found: set[str] = set()
        todo = set(facts_of(condition))
        while todo:
            name = todo.pop()
            declaration = self._content.facts[name]
            if declaration.derive is None:
                found.add(name)
                continue
            for inner in (declaration.derive, declaration.unknown_when):
                todo |= facts_of(inner) if inner is not None else set()
        return frozenset(found)

    def _domain(self, cone: Cone, facts: Mapping[str, Fact], as_of: date) -> Domain:
        return Domain(self._content.facts, self._band(as_of).values, cone.leaves, facts, as_of)

    def _supplied(self, decision: Decision) -> dict[str, Fact]:
        declared = self._content.facts
        return {name: fact for name, fact in decision.facts.items() if declared[name].derive is None}


def criteria_met(outcome: RuleOutcome) -> bool:
    """Whether the criteria of a rule are met: it fired, or only the second stage held it back."""
    if outcome.status is Status.SUPPRESSED:
        return OUTSIDE_WINDOW not in outcome.suppressed_by
    return outcome.status is Status.FIRED


def _refers(rule: Rule) -> Iterator[Refer]:
    return (outcome.act for outcome in rule.then if isinstance(outcome.act, Refer))


def _kind(rule: Rule) -> int:
    """0 for a safety rule, then by the highest priority of what it refers, last those that refer nobody."""
    ranks = [RANK[refer.priority] for refer in _refers(rule)]
    return 0 if rule.safety else len(RANK) - max(ranks, default=-1)


def _went(decision: Decision, rule: str) -> tuple[str, ...]:
    return tuple(referral.service for referral in decision.referrals if rule in referral.rules)


def _touches(one: Step) -> bool:
    return any(type(action).__name__ in ("Hold", "MoveTo") for action in one.actions)


def _codes(fact: Fact) -> frozenset[str]:
    return fact.value if isinstance(fact.value, frozenset) else frozenset()


def _fewer(fact: Fact, present: frozenset[str]) -> Iterator[Fact]:
    """The fact with one code less, then two, three, and none."""
    for count in range(1, min(MOST_FACTS, len(present)) + 1):
        for out in combinations(sorted(present), count):
            yield fact._replace(value=present - frozenset(out))
    if len(present) > MOST_FACTS:
        yield fact._replace(value=frozenset())


def _covered(change: Change, changes: Mapping[str, Fact]) -> bool:
    """Whether a change is one of those that another one already stands for."""
    shown = {setting.fact: setting for setting in change.settings}
    return shown.keys() == changes.keys() and all(covers(shown[name], fact) for name, fact in changes.items())
