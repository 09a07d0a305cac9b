"""The three-valued evaluator: conditions compiled once to closures over the facts.

It decides nothing alone (durable_rules must agree) and it explains everything: a compiled node knows its condition,
so a trace, the facts that are missing and the facts that decided are found afterwards, on demand (``trace.py``).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

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
    Operand,
    Presence,
    Unless,
    View,
    WithinMonths,
)
from rules.engine.content import FactDeclaration
from rules.engine.model import Fact, State, Truth
from rules.engine.parameters import Values, add_months

KNOWN, ABSENT = State.KNOWN, State.ABSENT


@dataclass(slots=True)
class Situation:
    """The facts of one person on one day; ``derived`` remembers the truth of named conditions."""

    facts: Mapping[str, Fact]
    as_of: date
    derived: dict[str, Truth] = field(default_factory=dict)


Evaluate = Callable[[Situation], Truth]


@dataclass(slots=True)
class Node:
    """A compiled condition."""

    condition: Condition
    truth: Evaluate
    children: tuple[Node, ...] = ()
    threshold: Any = None
    text: str = ""  # the condition in words, once a trace has needed it


class Tracer:
    """Compiles conditions with the parameter values of one day. Named (derived) conditions are compiled once."""

    def __init__(self, declarations: Mapping[str, FactDeclaration], values: Values) -> None:
        self._declarations = declarations
        self._values = values
        self._derived: dict[str, Node] = {}

    def compile(self, condition: Condition) -> Node:
        match condition:
            case AllOf(children=children):
                nodes = tuple(map(self.compile, children))
                return Node(condition, _all(tuple(node.truth for node in nodes)), nodes)
            case AnyOf(children=children):
                nodes = tuple(map(self.compile, children))
                return Node(condition, _any(tuple(node.truth for node in nodes)), nodes)
            case Not(child=child):
                node = self.compile(child)
                return Node(condition, _not(node.truth), (node,))
            case Unless(child=child):
                node = self.compile(child)
                return Node(condition, _unless(node.truth), (node,))
            case Derived(fact=name, test=test):
                node = self.derived(name)
                return Node(condition, _derived_test(node.truth, test), node.children)
            case OlderTest(fact=name, test=test):
                node = self.compile(test)
                return Node(condition, _older(name, node.truth), (node,))
            case Is(operand=operand, test=presence, boolean=boolean):
                return Node(condition, _is(operand, presence, boolean))
            case WithinMonths(operand=operand):
                assert operand.months is not None  # noqa: S101 - the parser always sets it
                months = self._values.of(operand.months)
                return Node(condition, _within_months(operand, months), threshold=months)
            case Compare(operand=operand, op=op, threshold=threshold):
                value = self._values.of(threshold)
                return Node(condition, self._compare(operand, op, value), threshold=value)

    def derived(self, name: str) -> Node:
        """The named condition ``derive`` of a fact; its children are ``derive`` and, if any, ``unknown_when``."""
        if name not in self._derived:
            declaration = self._declarations[name]
            assert declaration.derive is not None  # noqa: S101 - the parser only names derived facts
            children = [self.compile(declaration.derive)]
            if declaration.unknown_when is not None:
                children.append(self.compile(declaration.unknown_when))
            truth = _remember(name, *(child.truth for child in children))
            condition = Derived(name, Presence.PRESENT, declaration.place)
            self._derived[name] = Node(condition, truth, tuple(children))
        return self._derived[name]

    def _compare(self, operand: Operand, op: Op, value: Any) -> Evaluate:
        if operand.view is View.VALUE:
            kind = self._declarations[operand.fact].type
            if kind == "days":
                return _span(operand, _SPANS[op], value)
            return _plain(operand, _PLAIN[op], value)
        if operand.view is View.DAYS_AGO:
            return _days_ago(operand, _SPANS[op], value)
        if operand.view is View.RECORDED:
            return _recorded(operand, _PLAIN[op], value)
        return _days_after(operand.fact, operand.other, _SPANS[op], value)


def older_fact(fact: Fact) -> Fact:
    """The fact as it would be if its out-of-date value still counted (absent when there is none)."""
    if fact.older is None:
        return fact._replace(state=ABSENT, value=None, on=None)
    return fact._replace(state=KNOWN, value=fact.older, on=fact.older_on)


def _all(children: tuple[Evaluate, ...]) -> Evaluate:
    def truth(situation: Situation) -> Truth:
        result: Truth = True
        for child in children:
            found = child(situation)
            if found is False:
                return False
            if found is None:
                result = None
        return result

    return truth


def _any(children: tuple[Evaluate, ...]) -> Evaluate:
    def truth(situation: Situation) -> Truth:
        result: Truth = False
        for child in children:
            found = child(situation)
            if found is True:
                return True
            if found is None:
                result = None
        return result

    return truth


def _not(child: Evaluate) -> Evaluate:
    def truth(situation: Situation) -> Truth:
        found = child(situation)
        return None if found is None else not found

    return truth


def _unless(child: Evaluate) -> Evaluate:
    return lambda situation: child(situation) is not True


def _remember(name: str, derive: Evaluate, unknown_when: Evaluate | None = None) -> Evaluate:
    def truth(situation: Situation) -> Truth:
        known = situation.derived
        if name in known:
            return known[name]
        found = derive(situation)
        if found is False and unknown_when is not None and unknown_when(situation) is not False:
            found = None
        known[name] = found
        return found

    return truth


def _derived_test(derived: Evaluate, test: Presence) -> Evaluate:
    if test is Presence.KNOWN:
        return lambda situation: derived(situation) is not None
    if test is Presence.MISSING:
        return lambda situation: derived(situation) is None
    return derived


def _older(name: str, test: Evaluate) -> Evaluate:
    return lambda situation: situation.facts[name].older is not None and test(situation) is True


def _is(operand: Operand, test: Presence, boolean: bool) -> Evaluate:
    name, older = operand.fact, operand.older
    positive = test in (Presence.PRESENT, Presence.KNOWN)
    if test in (Presence.KNOWN, Presence.MISSING):
        if older:
            return lambda situation: (situation.facts[name].older is not None) is positive
        return lambda situation: (situation.facts[name].state is KNOWN) is positive

    def truth(situation: Situation) -> Truth:
        fact = older_fact(situation.facts[name]) if older else situation.facts[name]
        if fact.state is KNOWN:
            return (fact.value is True or not boolean) is positive
        return not positive if fact.state is ABSENT else None

    return truth


def _plain(operand: Operand, compare: Callable[[Any, Any], bool], threshold: Any) -> Evaluate:
    name, older = operand.fact, operand.older

    def truth(situation: Situation) -> Truth:
        fact = older_fact(situation.facts[name]) if older else situation.facts[name]
        if fact.state is KNOWN:
            return compare(fact.value, threshold)
        return False if fact.state is ABSENT else None

    return truth


def _recorded(operand: Operand, compare: Callable[[Any, Any], bool], threshold: Any) -> Evaluate:
    name, older = operand.fact, operand.older

    def truth(situation: Situation) -> Truth:
        fact = older_fact(situation.facts[name]) if older else situation.facts[name]
        if fact.state is not KNOWN:
            return False
        return None if fact.on is None else compare((situation.as_of - fact.on).days, threshold)

    return truth


def _ends(fact: Fact) -> tuple[Any, Any]:
    """The two ends of a known DateSpan or DaySpan."""
    return fact.value  # type: ignore[return-value]


SpanTest = Callable[[int, int, int], Truth]


def _span(operand: Operand, compare: SpanTest, threshold: int) -> Evaluate:
    name, older = operand.fact, operand.older

    def truth(situation: Situation) -> Truth:
        fact = older_fact(situation.facts[name]) if older else situation.facts[name]
        if fact.state is KNOWN:
            low, high = _ends(fact)
            return compare(low, high, threshold)
        return False if fact.state is ABSENT else None

    return truth


def _days_ago(operand: Operand, compare: SpanTest, threshold: int) -> Evaluate:
    name, older = operand.fact, operand.older

    def truth(situation: Situation) -> Truth:
        fact = older_fact(situation.facts[name]) if older else situation.facts[name]
        if fact.state is KNOWN:
            low, high = _ends(fact)
            as_of = situation.as_of
            return compare((as_of - high).days, (as_of - low).days, threshold)
        return False if fact.state is ABSENT else None

    return truth


def _days_after(name: str, other: str, compare: SpanTest, threshold: int) -> Evaluate:
    def truth(situation: Situation) -> Truth:
        this, that = situation.facts[name], situation.facts[other]
        if this.state is ABSENT or that.state is ABSENT:
            return False
        if this.state is not KNOWN or that.state is not KNOWN:
            return None
        low, high = _ends(this)
        from_low, from_high = _ends(that)
        return compare((low - from_high).days, (high - from_low).days, threshold)

    return truth


def _within_months(operand: Operand, months: int) -> Evaluate:
    name, older = operand.fact, operand.older

    def truth(situation: Situation) -> Truth:
        fact = older_fact(situation.facts[name]) if older else situation.facts[name]
        if fact.state is not KNOWN:
            return False if fact.state is ABSENT else None
        low, high = _ends(fact)
        as_of = situation.as_of
        if high <= as_of <= add_months(low, months):
            return True
        return False if low > as_of or add_months(high, months) < as_of else None

    return truth


def _eq_span(low: int, high: int, n: int) -> Truth:
    if low == n == high:
        return True
    return None if low <= n <= high else False


def _ne_span(low: int, high: int, n: int) -> Truth:
    equal = _eq_span(low, high, n)
    return None if equal is None else not equal


_PLAIN: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LTE: operator.le,
    Op.GT: operator.gt,
    Op.GTE: operator.ge,
    Op.IN: lambda value, values: value in values,
    Op.CONTAINS: operator.contains,
}
_SPANS: Mapping[Op, SpanTest] = {
    Op.EQ: _eq_span,
    Op.NE: _ne_span,
    Op.LT: lambda low, high, n: True if high < n else None if low < n else False,
    Op.LTE: lambda low, high, n: True if high <= n else None if low <= n else False,
    Op.GT: lambda low, high, n: True if low > n else None if high > n else False,
    Op.GTE: lambda low, high, n: True if low >= n else None if high >= n else False,
}
