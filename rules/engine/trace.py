"""What an evaluation rested on, worked out afterwards from compiled nodes: traces, missing facts, supporting facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

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
    Unless,
    View,
    WithinMonths,
)
from rules.engine.content import FactDeclaration
from rules.engine.model import Fact, State, Trace, Truth
from rules.engine.tracer import Node, Situation

Declarations = Mapping[str, FactDeclaration]

_GROUPS: Mapping[type, str] = {AllOf: "all", AnyOf: "any", Not: "not", Unless: "unless"}
_GROUP_TEXTS = {"all": "all of", "any": "any of", "not": "not", "unless": "unless it is certain that"}
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


def trace(node: Node, situation: Situation, declarations: Declarations) -> Trace:
    """The whole tree of a condition, every branch of it, with truths, thresholds and facts."""
    condition, truth, facts = node.condition, node.truth(situation), situation.facts
    text = node.text = node.text or _text(node, declarations)
    match condition:
        case Compare() | Is() | WithinMonths() | OlderTest():
            return Trace(truth, "compare", text, facts[_name(condition)], _parameter(condition))
    children = tuple([trace(child, situation, declarations) for child in node.children])
    match condition:
        case Derived(fact=name):
            return Trace(truth, "derived", text, derived_fact(name, situation.derived.get(name)), children=children)
    return Trace(truth, _GROUPS[type(condition)], text, children=children)


@cache
def derived_fact(name: str, truth: Truth) -> Fact:
    """A named condition as a fact."""
    return Fact(name, State.UNKNOWN) if truth is None else Fact(name, State.KNOWN, truth)


def missing(node: Node, situation: Situation, declarations: Declarations) -> tuple[str, ...]:
    """The facts that would decide an unknown condition, in the order of the trace, each once.

    They are the unknown leaves under unknown parents; a derived fact with its own ``ask`` counts as a leaf, and so
    does one that is unknown although nothing below it is.
    """
    return tuple(dict.fromkeys(_missing(node, situation, declarations)))


def _missing(node: Node, situation: Situation, declarations: Declarations) -> Iterator[str]:
    if node.truth(situation) is not None:
        return
    condition = node.condition
    match condition:
        case Derived(fact=name):
            below = () if declarations[name].ask else _below(node, situation, declarations)
            yield from below or (name,)
        case AllOf() | AnyOf() | Not():
            yield from _below(node, situation, declarations)
        case Compare(operand=operand) if operand.view is View.AFTER:
            for name in (operand.fact, operand.other):
                if situation.facts[name].state is State.UNKNOWN or _is_span(situation.facts[name]):
                    yield name
        case _:
            yield _name(condition)


def _below(node: Node, situation: Situation, declarations: Declarations) -> tuple[str, ...]:
    return tuple(name for child in node.children for name in _missing(child, situation, declarations))


def _is_span(fact: Fact) -> bool:
    value = fact.value
    return isinstance(value, tuple) and value[0] != value[1]


def support(node: Node, situation: Situation) -> tuple[Fact, ...]:
    """The known facts on which the truth of a condition rests, in the order of the trace, each once."""
    names = dict.fromkeys(_support(node, situation))
    return tuple(
        fact for fact in map(situation.facts.__getitem__, names) if fact.state is State.KNOWN or fact.older is not None
    )


def _support(node: Node, situation: Situation) -> Iterator[str]:
    condition, truth = node.condition, node.truth(situation)
    match condition:
        case Compare(operand=operand):
            yield operand.fact
            if operand.other:
                yield operand.other
        case Is() | WithinMonths() | OlderTest():
            yield _name(condition)
        case AllOf() | AnyOf():
            for child in node.children:
                if child.truth(situation) is truth:
                    yield from _support(child, situation)
        case _:
            for child in node.children:
                yield from _support(child, situation)


def leaves(node: Node) -> Iterator[str]:
    """The names of all facts that a condition looks at, also through derived ones."""
    match node.condition:
        case Compare(operand=operand):
            yield operand.fact
            if operand.other:
                yield operand.other
        case Is() | WithinMonths() | OlderTest():
            yield _name(node.condition)
        case _:
            for child in node.children:
                yield from leaves(child)


def _name(condition: Condition) -> str:
    match condition:
        case Compare(operand=operand) | Is(operand=operand) | WithinMonths(operand=operand):
            return operand.fact
        case OlderTest(fact=name) | Derived(fact=name):
            return name
    raise TypeError(type(condition).__name__)


def _parameter(condition: Condition) -> str:
    match condition:
        case Compare(threshold=threshold):
            return threshold.parameter
        case WithinMonths(operand=operand) if operand.months is not None:
            return operand.months.parameter
        case OlderTest(test=test):
            return _parameter(test)
    return ""


def _text(node: Node, declarations: Declarations) -> str:
    """A condition in words, with its threshold resolved."""
    condition = node.condition
    if type(condition) in _GROUPS:
        return _GROUP_TEXTS[_GROUPS[type(condition)]]
    label = declarations[_name(condition)].label
    match condition:
        case Derived(test=test):
            return label if test is Presence.PRESENT else f"{label} {_PRESENCE[test]}"
        case Is(test=test):
            return f"{label} {_PRESENCE[test]}"
        case OlderTest():
            inner = node.children[0]
            return f"an earlier value, too old to count: {_all_texts(inner, declarations)}"
        case WithinMonths():
            return f"{label} is within the last {node.threshold} months"
        case Compare(operand=operand, op=op):
            words = f"{_OPS[op]} {_value(node.threshold)}"
            match operand.view:
                case View.DAYS_AGO:
                    return f"{label}: days ago {words}"
                case View.RECORDED:
                    return f"{label}: days since it was recorded {words}"
                case View.AFTER:
                    return f"{label}: days after {declarations[operand.other].label} {words}"
            unit = declarations[operand.fact].unit
            return f"{label} {words} {unit}".rstrip()
    raise TypeError(type(condition).__name__)


def _all_texts(node: Node, declarations: Declarations) -> str:
    """The test of an older value, whose parts are joined where it has several."""
    if isinstance(node.condition, AllOf):
        return " and ".join(_text(child, declarations) for child in node.children)
    return _text(node, declarations)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
