"""Which numbers and parameters the conditions and outcomes of a pack look at, and what truths a comparison can have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rules.engine.comparisons import PLAIN, SPANS
from rules.engine.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Derived,
    Is,
    Not,
    OlderTest,
    Op,
    Presence,
    Threshold,
    Unless,
    View,
    WithinMonths,
    walk,
)
from rules.engine.content import AlsoRefer, CapPriority, Content, FactDeclaration, MoveTo, Refer, Rule, StartFrom
from rules.engine.model import Truth
from rules.engine.parameters import Values

NUMERIC = (Op.EQ, Op.NE, Op.LT, Op.LTE, Op.GT, Op.GTE)
EVERY: frozenset[Truth] = frozenset((True, False, None))
TWO: frozenset[Truth] = frozenset((True, False))


@dataclass(frozen=True, slots=True)
class Part:
    """A rule, step or ask: the conditions it looks at, and the thresholds of what it does."""

    id: str
    conditions: tuple[Condition, ...]
    thresholds: tuple[Threshold, ...] = ()
    facts: tuple[str, ...] = ()  # named outside of conditions


def parts(content: Content) -> Iterator[Part]:
    """The rules, steps and asks of a pack, in order."""
    for rule in content.rules:
        yield _rule_part(rule, content.outside_when)
    for step in content.steps:
        services = [action.service for action in step.actions if isinstance(action, MoveTo | AlsoRefer)]
        days = [action.within.days for action in step.actions if isinstance(action, CapPriority)]
        days += [action.weeks for action in step.actions if isinstance(action, StartFrom)]
        yield Part(step.id, (step.when,) if step.when else (), (*services, *days))
    for ask in content.asks:
        yield Part(ask.id, (ask.when,))


def _rule_part(rule: Rule, outside_when: Condition | None) -> Part:
    conditions = [rule.when, rule.window, *(each.when for each in rule.then), *(ask.when for ask in rule.asks)]
    thresholds: list[Threshold] = []
    facts: list[str] = []
    for outcome in rule.then:
        if isinstance(outcome.act, Refer):
            thresholds += [outcome.act.service, outcome.act.within.days]
            if outcome.act.start:
                thresholds.append(outcome.act.start.plus_days)
                facts.append(outcome.act.start.fact)
    if rule.outside is not None:
        conditions.append(outside_when)
        thresholds.append(rule.outside.service)
        if rule.outside.within is not None:
            thresholds.append(rule.outside.within.days)
    return Part(rule.id, tuple(each for each in conditions if each), tuple(thresholds), tuple(facts))


def thresholds_in(condition: Condition) -> Iterator[Threshold]:
    """The right sides of the comparisons in a condition."""
    for each in walk(condition):
        match each:
            case Compare(threshold=threshold):
                yield threshold
            case WithinMonths(operand=operand) if operand.months is not None:
                yield operand.months


def used_parameters(content: Content) -> frozenset[str]:
    """The parameters that rules, derived facts and steps use (others are for whoever supplies the facts)."""
    every = list(parts(content))
    conditions = [condition for part in every for condition in part.conditions]
    for fact in content.facts.values():
        conditions += [each for each in (fact.derive, fact.unknown_when) if each is not None]
    thresholds = [threshold for part in every for threshold in part.thresholds]
    thresholds += [threshold for condition in conditions for threshold in thresholds_in(condition)]
    return frozenset(threshold.parameter for threshold in thresholds) - {""}


def domain(condition: Compare, facts: Mapping[str, FactDeclaration]) -> range | None:
    """The whole numbers that the compared fact can have, where its declaration bounds them."""
    declaration, view = facts[condition.operand.fact], condition.operand.view
    if view is not View.VALUE or declaration.range is None or declaration.type not in ("integer", "days"):
        return None
    return range(int(declaration.range[0]), int(declaration.range[1]) + 1)


def table(condition: Compare, facts: Mapping[str, FactDeclaration], values: Values) -> tuple[Truth, ...] | None:
    """The truth of a comparison for each value that its fact can have, or None where those are not bounded."""
    numbers = domain(condition, facts)
    if numbers is None or condition.op not in NUMERIC:
        return None
    threshold = values.of(condition.threshold)
    if facts[condition.operand.fact].type == "days":
        return tuple(SPANS[condition.op](number, number, threshold) for number in numbers)
    return tuple(PLAIN[condition.op](number, threshold) for number in numbers)


def possible(condition: Condition, facts: Mapping[str, FactDeclaration], values: Values) -> frozenset[Truth]:
    """The truths that a condition can have, as far as declarations tell. Any fact can be unknown (in conflict)."""
    match condition:
        case Compare():
            found = table(condition, facts, values)
            return EVERY if found is None else frozenset((*found, None, False))
        case Is(test=test):
            return TWO if test in (Presence.KNOWN, Presence.MISSING) else EVERY
        case OlderTest():
            return TWO
        case Unless(child=child):
            return frozenset(truth is not True for truth in possible(child, facts, values))
        case Not(child=child):
            return frozenset(None if truth is None else not truth for truth in possible(child, facts, values))
        case Derived(fact=name, test=test):
            if test is not Presence.PRESENT:
                return TWO
            derive = facts[name].derive
            return EVERY if derive is None else possible(derive, facts, values)
        case AllOf(children=children) | AnyOf(children=children):
            truths = [possible(child, facts, values) for child in children]
            both = frozenset[Truth]().union(*truths)
            decisive = isinstance(condition, AnyOf)
            return both if all((not decisive) in each for each in truths) else both - {not decisive}
    return EVERY
