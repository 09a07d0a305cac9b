"""Conditions that are wrong in one small way each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import TypeVar

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
    Place,
    Presence,
    Threshold,
    Unless,
    WithinMonths,
)
from rules.engine.content import Content
from rules.engine.parameters import Values
from rules.tools.thresholds import table

T = TypeVar("T")
Change = tuple[Place, str, T]

_FLIPS: Mapping[Op, Op] = {
    Op.GTE: Op.GT,
    Op.GT: Op.GTE,
    Op.LTE: Op.LT,
    Op.LT: Op.LTE,
    Op.EQ: Op.NE,
    Op.NE: Op.EQ,
}
_OPPOSITES: Mapping[Presence, Presence] = {
    Presence.PRESENT: Presence.ABSENT,
    Presence.ABSENT: Presence.PRESENT,
    Presence.KNOWN: Presence.MISSING,
    Presence.MISSING: Presence.KNOWN,
}


def other_threshold(service: Threshold, services: list[str]) -> Threshold:
    """Another service than this one."""
    return Threshold(next(each for each in services if each != service.value))


def mutated(condition: Condition, content: Content) -> Iterator[Change[Condition]]:
    """Every condition that differs from this one in one place, and differs for some value its fact can have."""
    match condition:
        case AllOf(children=children) | AnyOf(children=children):
            yield from _group(condition, children, content)
        case Not(child=child):
            yield condition.place, "drops 'not'", child
            for place, words, changed in mutated(child, content):
                yield place, words, replace(condition, child=changed)
        case Unless(child=child):
            yield condition.place, "drops 'unless'", child
            yield condition.place, "unless → not", Not(child, condition.place)
            for place, words, changed in mutated(child, content):
                yield place, words, replace(condition, child=changed)
        case OlderTest(test=test, fact=fact):
            yield condition.place, f"{fact}: older → the value that counts", _counting(test)
            for place, words, changed in mutated(test, content):
                yield place, f"older: {words}", replace(condition, test=changed)
        case Derived(fact=fact, test=presence):
            if presence is Presence.PRESENT:
                yield condition.place, f"{fact}: present → absent", Not(condition, condition.place)
            else:
                opposite = replace(condition, test=_OPPOSITES[presence])
                yield condition.place, f"{fact}: {presence} → {_OPPOSITES[presence]}", opposite
        case Is(operand=operand, test=presence):
            words = f"{operand.fact}: {presence} → {_OPPOSITES[presence]}"
            yield condition.place, words, replace(condition, test=_OPPOSITES[presence])
        case Compare():
            yield from _comparison(condition, content)
        case WithinMonths(operand=operand) if operand.months is not None and not operand.months.parameter:
            for step, changed_months in _shifted(operand.months):
                moved = replace(operand, months=changed_months)
                words = f"{operand.fact}: within_months {step:+d}"
                yield condition.place, words, replace(condition, operand=moved)


def _group(condition: AllOf | AnyOf, children: tuple[Condition, ...], content: Content) -> Iterator[Change[Condition]]:
    words, other = ("all → any", AnyOf) if isinstance(condition, AllOf) else ("any → all", AllOf)
    if len(children) > 1:
        yield condition.place, words, other(children, condition.place)
    for index, child in enumerate(children):
        rest = (*children[:index], *children[index + 1 :])
        if rest:
            yield child.place, f"drops {name_of(child)}", replace(condition, children=rest)
        for place, changed_words, changed in mutated(child, content):
            parts = (*children[:index], changed, *children[index + 1 :])
            yield place, changed_words, replace(condition, children=parts)


def _comparison(condition: Compare, content: Content) -> Iterator[Change[Condition]]:
    fact = condition.operand.fact
    changes: list[tuple[str, Compare]] = []
    if condition.op in _FLIPS:
        flipped = replace(condition, op=_FLIPS[condition.op])
        changes.append((f"{fact}: {condition.op} → {flipped.op}", flipped))
    if not condition.threshold.parameter:
        for step, threshold in _shifted(condition.threshold):
            changes.append((f"{fact}: {condition.op} {step:+d}", replace(condition, threshold=threshold)))
    values = Values(content.parameters, date.max)
    before = table(condition, content.facts, values)
    for words, changed in changes:
        if before is None or table(changed, content.facts, values) != before:
            yield condition.place, words, changed


def _shifted(threshold: Threshold) -> Iterator[tuple[int, Threshold]]:
    """A literal number one up and one down; a parameter is moved where it is declared."""
    value = threshold.value
    if type(value) is int or type(value) is float:
        for step in (1, -1):
            yield step, Threshold(value + step)


def _counting(test: Condition) -> Condition:
    """A test of an older value, as a test of the value that counts."""
    match test:
        case Compare(operand=operand) | Is(operand=operand):
            return replace(test, operand=replace(operand, older=False))
        case WithinMonths(operand=operand, ago=ago):
            return replace(test, operand=replace(operand, older=False), ago=replace(ago, older=False))
        case AllOf(children=children):
            return replace(test, children=tuple(map(_counting, children)))
    return test


def name_of(condition: Condition) -> str:
    """A few words for a criterion: its fact and how it is tested."""
    match condition:
        case AllOf():
            return "an 'all'"
        case AnyOf():
            return "an 'any'"
        case Not(child=child):
            return f"not {name_of(child)}"
        case Unless(child=child):
            return f"unless {name_of(child)}"
        case Compare(operand=operand, op=op, threshold=threshold):
            shown = threshold.parameter or threshold.value
            view = "" if operand.view == "value" else f" {operand.view}"
            return f"{operand.fact}{view} {op} {shown}"
        case Is(operand=operand, test=presence):
            return f"{operand.fact} {presence}"
        case WithinMonths(operand=operand):
            months = operand.months
            return f"{operand.fact} within_months {(months.parameter or months.value) if months else ''}"
        case Derived(fact=fact, test=presence):
            return f"{fact} {presence}"
        case OlderTest(fact=fact, test=test):
            return f"older {name_of(test)}" if inner_fact(test) == fact else f"{fact} older"


def inner_fact(condition: Condition) -> str:
    return condition.operand.fact if isinstance(condition, Compare | Is | WithinMonths) else ""
