"""The truth of one condition: of a group by its parts, of all else as a closure over what it needs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Protocol

from rules.engine.conditions import Op, Operand, Presence
from rules.engine.model import ABSENT, KNOWN, Fact, Truth
from rules.engine.parameters import add_months


class Facts(Protocol):
    """The facts of one person on one day, and the truths of the conditions so far, by their place."""

    @property
    def facts(self) -> Mapping[str, Fact]: ...
    @property
    def as_of(self) -> date: ...
    @property
    def truths(self) -> list[Truth]: ...


Evaluate = Callable[[Facts], Truth]


Step = tuple[int, Evaluate | None, bool, tuple[int, ...]]
"""How the truth at a place follows from others: as a function says, or from all or any of its parts.

The bool is the truth of one part that settles it: False of all, True of any. (Named, it would be slower to take apart.)
"""


def settle(steps: Iterable[Step], situation: Facts) -> None:
    """Work out the truths of these places, parts before what rests on them."""
    truths = situation.truths
    for place, evaluate, decisive, parts in steps:
        if evaluate is not None:
            truths[place] = evaluate(situation)
            continue
        truth: Truth = not decisive
        for part in parts:
            found = truths[part]
            if found is decisive:
                truth = found
                break
            if found is None:
                truth = None
        truths[place] = truth


def negated(place: int) -> Evaluate:
    def truth(situation: Facts) -> Truth:
        found = situation.truths[place]
        return None if found is None else not found

    return truth


def unless(place: int) -> Evaluate:
    return lambda situation: situation.truths[place] is not True


def derived(derive: int, unknown_when: int) -> Evaluate:
    def truth(situation: Facts) -> Truth:
        found = situation.truths[derive]
        return None if found is False and situation.truths[unknown_when] is not False else found

    return truth


def decided(place: int, test: Presence) -> Evaluate:
    """Whether a derived fact is known (or missing)."""
    known = test is Presence.KNOWN
    return lambda situation: (situation.truths[place] is not None) is known


def older(name: str, test: int) -> Evaluate:
    return lambda situation: situation.facts[name].older is not None and situation.truths[test] is True


def older_fact(fact: Fact) -> Fact:
    """The fact as it would be if its out-of-date value still counted (absent when there is none)."""
    if fact.older is None:
        return fact._replace(state=ABSENT, value=None, on=None)
    return fact._replace(state=KNOWN, value=fact.older, on=fact.older_on)


def presence(operand: Operand, test: Presence, boolean: bool) -> Evaluate:
    name, older = operand.fact, operand.older
    positive = test in (Presence.PRESENT, Presence.KNOWN)
    if test in (Presence.KNOWN, Presence.MISSING):
        if older:
            return lambda situation: (situation.facts[name].older is not None) is positive
        return lambda situation: (situation.facts[name].state is KNOWN) is positive

    def truth(situation: Facts) -> Truth:
        fact = older_fact(situation.facts[name]) if older else situation.facts[name]
        if fact.state is KNOWN:
            return (fact.value is True or not boolean) is positive
        return not positive if fact.state is ABSENT else None

    return truth


def plain(operand: Operand, compare: Callable[[Any, Any], bool], threshold: Any) -> Evaluate:
    name, older = operand.fact, operand.older

    def truth(situation: Facts) -> Truth:
        fact = older_fact(situation.facts[name]) if older else situation.facts[name]
        if fact.state is KNOWN:
            return compare(fact.value, threshold)
        return False if fact.state is ABSENT else None

    return truth


def recorded(operand: Operand, compare: Callable[[Any, Any], bool], threshold: Any) -> Evaluate:
    name, older = operand.fact, operand.older

    def truth(situation: Facts) -> Truth:
        fact = older_fact(situation.facts[name]) if older else situation.facts[name]
        if fact.state is not KNOWN:
            return False
        return None if fact.on is None else compare((situation.as_of - fact.on).days, threshold)

    return truth


def _ends(fact: Fact) -> tuple[Any, Any]:
    """The two ends of a known DateSpan or DaySpan."""
    return fact.value  # type: ignore[return-value]


SpanTest = Callable[[int, int, int], Truth]


def span(operand: Operand, compare: SpanTest, threshold: int) -> Evaluate:
    name, older = operand.fact, operand.older

    def truth(situation: Facts) -> Truth:
        fact = older_fact(situation.facts[name]) if older else situation.facts[name]
        if fact.state is KNOWN:
            low, high = _ends(fact)
            return compare(low, high, threshold)
        return False if fact.state is ABSENT else None

    return truth


def days_ago(operand: Operand, compare: SpanTest, threshold: int) -> Evaluate:
    name, older = operand.fact, operand.older

    def truth(situation: Facts) -> Truth:
        fact = older_fact(situation.facts[name]) if older else situation.facts[name]
        if fact.state is KNOWN:
            low, high = _ends(fact)
            as_of = situation.as_of
            return compare((as_of - high).days, (as_of - low).days, threshold)
        return False if fact.state is ABSENT else None

    return truth


def days_after(name: str, other: str, compare: SpanTest, threshold: int) -> Evaluate:
    def truth(situation: Facts) -> Truth:
        this, that = situation.facts[name], situation.facts[other]
        if this.state is ABSENT or that.state is ABSENT:
            return False
        if this.state is not KNOWN or that.state is not KNOWN:
            return None
        low, high = _ends(this)
        from_low, from_high = _ends(that)
        return compare((low - from_high).days, (high - from_low).days, threshold)

    return truth


def within_months(operand: Operand, months: int) -> Evaluate:
    name, older = operand.fact, operand.older

    def truth(situation: Facts) -> Truth:
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


PLAIN: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LTE: operator.le,
    Op.GT: operator.gt,
    Op.GTE: operator.ge,
    Op.IN: lambda value, values: value in values,
    Op.CONTAINS: operator.contains,
}
SPANS: Mapping[Op, SpanTest] = {
    Op.EQ: _eq_span,
    Op.NE: _ne_span,
    Op.LT: lambda low, high, n: True if high < n else None if low < n else False,
    Op.LTE: lambda low, high, n: True if high <= n else None if low <= n else False,
    Op.GT: lambda low, high, n: True if low > n else None if high > n else False,
    Op.GTE: lambda low, high, n: True if low >= n else None if high >= n else False,
}
