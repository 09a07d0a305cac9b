"""Conditions in words, with their thresholds resolved: for traces as one text, for documentation in its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

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
_PRESENCE = {
    Presence.PRESENT: "is present",
    Presence.ABSENT: "is absent",
    Presence.KNOWN: "is known",
    Presence.MISSING: "is missing",
}
_OLDER = "an earlier value, too old to count"


class Phrase(NamedTuple):
    """A comparison in its parts: ``onset of illness``, ``days ago``, ``is at most 90``.

    ``view`` says what of the fact is compared, where it is not its value. ``text`` joins them.
    """

    label: str
    test: str
    view: str = ""

    @property
    def text(self) -> str:
        return f"{self.label}: {self.view} {self.test}" if self.view else f"{self.label} {self.test}".rstrip()


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
        case Derived(fact=name, test=Presence.PRESENT):
            return declarations[name].label
        case OlderTest(test=AllOf(children=children)):
            return f"{_OLDER}: {' and '.join(text_of(child, declarations, values) for child in children)}"
        case OlderTest(test=inner):
            return f"{_OLDER}: {text_of(inner, declarations, values)}"
    phrase = phrase_of(condition, declarations, values)
    return phrase.text if phrase else group_text(condition)


def group_text(condition: Condition) -> str:
    """What kind of group a condition is: ``all of``, ``not`` …"""
    return _OLDER if isinstance(condition, OlderTest) else _GROUP_TEXTS[type(condition)]


def phrase_of(condition: Condition, declarations: Mapping[str, FactDeclaration], values: Values) -> Phrase | None:
    """The parts of a comparison; None for a group of conditions."""
    match condition:
        case Derived(fact=name, test=test):
            return Phrase(declarations[name].label, _PRESENCE[test])
        case Is(operand=operand, test=test):
            return Phrase(declarations[operand.fact].label, _PRESENCE[test])
        case WithinMonths(operand=operand) if operand.months is not None:
            return Phrase(declarations[operand.fact].label, f"is within the last {values.of(operand.months)} months")
        case Compare():
            return _comparison(condition, declarations, values)
    return None


def _comparison(condition: Compare, declarations: Mapping[str, FactDeclaration], values: Values) -> Phrase:
    operand = condition.operand
    declaration = declarations[operand.fact]
    label, words = declaration.label, f"{_OPS[condition.op]} {_value(values.of(condition.threshold))}"
    match operand.view:
        case View.DAYS_AGO:
            return Phrase(label, words, "days ago")
        case View.RECORDED:
            return Phrase(label, words, "days since it was recorded")
        case View.AFTER:
            return Phrase(label, words, f"days after {declarations[operand.other].label}")
    return Phrase(label, f"{words} {declaration.unit}".rstrip())


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
