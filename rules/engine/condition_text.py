"""Conditions in words, with their thresholds resolved."""

from __future__ import annotations

from collections.abc import Mapping

from rules.engine.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Derived,
    Is,
    Not,
    OlderTest,
    Presence,
    Threshold,
    Unless,
    View,
    WithinMonths,
)
from rules.engine.content import FactDeclaration
from rules.engine.parameters import Values

_GROUP_TEXTS: Mapping[type, str] = {
    AllOf: "all of",
    AnyOf: "any of",
    Not: "not",
    Unless: "unless it is certain that",
}
_OPS = {
    "eq": "is",
    "ne": "is not",
    "lt": "is below",
    "lte": "is at most",
    "gt": "is above",
    "gte": "is at least",
    "in": "is one of",
    "contains": "include",
}
_PRESENCE = {"present": "is present", "absent": "is absent", "known": "is known", "missing": "is missing"}


def threshold_of(condition: Condition) -> Threshold | None:
    """The right side of a condition, where it has one."""
    match condition:
        case Compare(threshold=threshold):
            return threshold
        case WithinMonths(operand=operand):
            return operand.months
        case OlderTest(test=test):
            return threshold_of(test)
    return None


def text_of(condition: Condition, declarations: Mapping[str, FactDeclaration], values: Values) -> str:
    """One condition; of a group only what kind of group it is."""
    match condition:
        case Derived(fact=name, test=test):
            label = declarations[name].label
            return label if test is Presence.PRESENT else f"{label} {_PRESENCE[test]}"
        case Is(operand=operand, test=test):
            return f"{declarations[operand.fact].label} {_PRESENCE[test]}"
        case OlderTest(test=AllOf(children=children)):
            parts = " and ".join(text_of(child, declarations, values) for child in children)
            return f"an earlier value, too old to count: {parts}"
        case OlderTest(test=inner):
            return f"an earlier value, too old to count: {text_of(inner, declarations, values)}"
        case WithinMonths(operand=operand) if operand.months is not None:
            return f"{declarations[operand.fact].label} is within the last {values.of(operand.months)} months"
        case Compare():
            return _comparison(condition, declarations, values)
    return _GROUP_TEXTS[type(condition)]


def _comparison(condition: Compare, declarations: Mapping[str, FactDeclaration], values: Values) -> str:
    operand = condition.operand
    declaration = declarations[operand.fact]
    label, words = declaration.label, f"{_OPS[condition.op]} {_value(values.of(condition.threshold))}"
    match operand.view:
        case View.DAYS_AGO:
            return f"{label}: days ago {words}"
        case View.RECORDED:
            return f"{label}: days since it was recorded {words}"
        case View.AFTER:
            return f"{label}: days after {declarations[operand.other].label} {words}"
    return f"{label} {words} {declaration.unit}".rstrip()


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
