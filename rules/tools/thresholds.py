"""Which numbers and parameters the conditions and outcomes of a pack look at, and what truths a comparison can have."""

from __future__ import annotations

from collections.abc import Mapping

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
from rules.engine.content import AlsoRefer, CapPriority, Content, FactDeclaration, MoveTo, Refer, StartFrom, Within
from rules.engine.model import Truth
from rules.engine.names import named_conditions
from rules.engine.parameters import Values

NUMERIC = (Op.EQ, Op.NE, Op.LT, Op.LTE, Op.GT, Op.GTE)
EVERY: frozenset[Truth] = frozenset((True, False, None))
TWO: frozenset[Truth] = frozenset((True, False))


def used_parameters(content: Content) -> frozenset[str]:
    """The parameters that rules, derived facts and steps use (others are for whoever supplies the facts)."""
    conditions = [named.condition for named in named_conditions(content).values()]
    for fact in content.facts.values():
        conditions += [each for each in (fact.derive, fact.unknown_when) if each is not None]
    thresholds: list[Threshold | None] = []
    for condition in conditions:
        for each in walk(condition):
            match each:
                case Compare(threshold=threshold):
                    thresholds.append(threshold)
                case WithinMonths(operand=operand):
                    thresholds.append(operand.months)
    timeframes: list[Within | None] = []
    for rule in content.rules:
        for outcome in rule.then:
            if isinstance(outcome.act, Refer):
                thresholds.append(outcome.act.service)
                timeframes.append(outcome.act.within)
                if outcome.act.start:
                    thresholds.append(outcome.act.start.plus_days)
        if rule.outside is not None:
            thresholds.append(rule.outside.service)
            timeframes.append(rule.outside.within)
    for step in content.steps:
        for action in step.actions:
            match action:
                case MoveTo(service=service) | AlsoRefer(service=service):
                    thresholds.append(service)
                case CapPriority(within=within):
                    timeframes.append(within)
                case StartFrom(weeks=weeks):
                    thresholds.append(weeks)
    thresholds += [each.days for each in timeframes if each is not None]
    return frozenset(each.parameter for each in thresholds if each is not None) - {""}


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
