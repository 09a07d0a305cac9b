"""The truth of a pack's conditions as formulas of z3, for one day: what holds for every possible set of facts.

A fact is its state (known, absent or unknown), a value inside its declared range, the day it was recorded on, and an
older value with its own day. A condition is two formulas, certainly true and certainly false; where neither holds it
is unknown. What a formula means is what ``rules.engine.comparisons`` works out: a property test holds them equal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import z3

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
    facts_of,
)
from rules.engine.content import FactDeclaration
from rules.engine.model import Fact, State
from rules.engine.parameters import Values, last_inside
from rules.engine.parse import MAX_INTEGER

Formula = Any
"""A Boolean expression of z3, which has no types."""


@dataclass(frozen=True, slots=True)
class Truths:
    """Where a condition is certainly true, and where it is certainly false."""

    true: Formula
    false: Formula


@dataclass(frozen=True, slots=True)
class Cell:
    """A value: one variable, the two ends of a span, or a Boolean for each code asked for."""

    kind: str
    name: str
    single: Any = None
    low: Any = None
    high: Any = None

    def has(self, code: str) -> Formula:
        return z3.Bool(f"{self.name}/has/{code}")


@dataclass(frozen=True, slots=True)
class Variables:
    """What is asked about one fact; ``on`` and ``older_on`` count days like ``date.toordinal``."""

    known: Formula
    absent: Formula
    value: Cell
    dated: Formula
    on: Any
    has_older: Formula
    older: Cell
    older_dated: Formula
    older_on: Any

    def seen(self, older: bool) -> tuple[Formula, Formula, Cell]:
        """Known, absent and value, of the fact or of its older value."""
        return (self.has_older, z3.Not(self.has_older), self.older) if older else (self.known, self.absent, self.value)


class Encoder:
    """Makes the formulas with the parameter values of one day; equal conditions give the same formulas."""

    def __init__(self, declarations: Mapping[str, FactDeclaration], values: Values, as_of: date) -> None:
        self.declarations, self.values, self.as_of = declarations, values, as_of
        self.variables: dict[str, Variables] = {}
        self._texts: dict[str, int] = {}
        self._codes: dict[str, set[str]] = {}
        self._done: dict[Condition, Truths] = {}

    def truths(self, condition: Condition) -> Truths:
        """Where a condition is true, and where it is false."""
        if condition not in self._done:
            self._done[condition] = self._encode(condition)
        return self._done[condition]

    @staticmethod
    def neither(truths: Truths) -> Formula:
        """Where a condition is unknown."""
        return z3.Not(z3.Or(truths.true, truths.false))

    def domain(self, name: str) -> Iterator[Formula]:
        """What holds of every fact of this name: one state at most, values of its type and inside its range."""
        each, declaration = self.of(name), self.declarations[name]
        yield z3.Not(z3.And(each.known, each.absent))
        for cell in (each.value, each.older):
            least, most = _limits(declaration)
            if cell.low is not None:
                yield z3.And(cell.low <= cell.high, cell.low >= least, cell.high <= most)
            elif cell.kind in ("integer", "number", "text"):
                yield z3.And(cell.single >= least, cell.single <= most)
        for day in (each.on, each.older_on):
            yield z3.And(day >= date.min.toordinal(), day <= date.max.toordinal())

    def of(self, name: str) -> Variables:
        if name not in self.variables:
            kind = self.declarations[name].type
            self.variables[name] = Variables(
                known=z3.Bool(f"{name}/known"),
                absent=z3.Bool(f"{name}/absent"),
                value=_cell(kind, f"{name}/value"),
                dated=z3.Bool(f"{name}/dated"),
                on=z3.Int(f"{name}/on"),
                has_older=z3.Bool(f"{name}/has_older"),
                older=_cell(kind, f"{name}/older"),
                older_dated=z3.Bool(f"{name}/older_dated"),
                older_on=z3.Int(f"{name}/older_on"),
            )
        return self.variables[name]

    def codes(self, name: str) -> frozenset[str]:
        """The codes that conditions ask a fact of type codes for."""
        return frozenset(self._codes.get(name, ()))

    def texts(self) -> Mapping[int, str]:
        return {number: text for text, number in self._texts.items()}

    def fixed(self, fact: Fact) -> Iterator[tuple[Any, Any]]:
        """Each variable of a fact with what it is for this one."""
        each = self.of(fact.name)
        yield each.known, z3.BoolVal(fact.state is State.KNOWN)
        yield each.absent, z3.BoolVal(fact.state is State.ABSENT)
        yield from self._fixed(each.value, fact.value)
        yield each.dated, z3.BoolVal(fact.on is not None)
        yield each.on, z3.IntVal((fact.on or date.min).toordinal())
        yield each.has_older, z3.BoolVal(fact.older is not None)
        yield from self._fixed(each.older, fact.older)
        yield each.older_dated, z3.BoolVal(fact.older_on is not None)
        yield each.older_on, z3.IntVal((fact.older_on or date.min).toordinal())

    def _fixed(self, cell: Cell, value: Any) -> Iterator[tuple[Any, Any]]:
        if value is None:
            return
        if cell.low is not None:
            low, high = (end.toordinal() if isinstance(end, date) else end for end in value)
            yield cell.low, z3.IntVal(low)
            yield cell.high, z3.IntVal(high)
        elif cell.kind == "codes":
            name = cell.name.split("/")[0]
            yield from ((cell.has(code), z3.BoolVal(code in value)) for code in self.codes(name))
        else:
            yield cell.single, self._constant(cell.kind, value)

    def _constant(self, kind: str, value: Any) -> Any:
        if kind == "boolean":
            return z3.BoolVal(value)
        if kind == "text":
            return z3.IntVal(self._texts.setdefault(value, len(self._texts)))
        if kind == "number":
            return z3.RealVal(str(Fraction(value)))
        return z3.IntVal(value)

    def _encode(self, condition: Condition) -> Truths:
        match condition:
            case AllOf(children=children):
                found = [self.truths(child) for child in children]
                return Truths(z3.And(*(each.true for each in found)), z3.Or(*(each.false for each in found)))
            case AnyOf(children=children):
                found = [self.truths(child) for child in children]
                return Truths(z3.Or(*(each.true for each in found)), z3.And(*(each.false for each in found)))
            case Not(child=child):
                inner = self.truths(child)
                return Truths(inner.false, inner.true)
            case Unless(child=child):
                return _two(z3.Not(self.truths(child).true))
            case OlderTest(fact=name, test=test):
                return _two(z3.And(self.of(name).has_older, self.truths(test).true))
            case Derived(fact=name, test=test):
                return self._derived(name, test)
            case Is(operand=operand, test=test, boolean=boolean):
                return self._presence(operand, test, boolean)
            case WithinMonths(operand=operand):
                return self._within(operand)
            case Compare():
                return self._compare(condition)

    def _derived(self, name: str, test: Presence) -> Truths:
        declaration = self.declarations[name]
        assert declaration.derive is not None  # noqa: S101 - the parser only names derived facts
        found = self.truths(declaration.derive)
        if declaration.unknown_when is not None:
            found = Truths(found.true, z3.And(found.false, self.truths(declaration.unknown_when).false))
        if test is Presence.PRESENT:
            return found
        known = z3.Or(found.true, found.false)
        return _two(known if test is Presence.KNOWN else z3.Not(known))

    def _presence(self, operand: Operand, test: Presence, boolean: bool) -> Truths:
        known, absent, cell = self.of(operand.fact).seen(operand.older)
        if test in (Presence.KNOWN, Presence.MISSING):
            return _two(known if test is Presence.KNOWN else z3.Not(known))
        present = z3.And(known, cell.single) if boolean else known
        not_present = z3.Or(absent, z3.And(known, z3.Not(cell.single))) if boolean else absent
        found = Truths(present, not_present)
        return found if test is Presence.PRESENT else Truths(found.false, found.true)

    def _within(self, operand: Operand) -> Truths:
        assert operand.months is not None  # noqa: S101 - the parser always sets it
        known, absent, cell = self.of(operand.fact).seen(operand.older)
        today, edge = self.as_of.toordinal(), last_inside(self.as_of, self.values.of(operand.months)).toordinal()
        inside = z3.And(cell.high <= today, cell.low >= edge)
        return _asked(known, absent, inside, z3.Or(cell.low > today, cell.high < edge))

    def _compare(self, condition: Compare) -> Truths:
        operand, op, threshold = condition.operand, condition.op, self.values.of(condition.threshold)
        each = self.of(operand.fact)
        known, absent, cell = each.seen(operand.older)
        today = self.as_of.toordinal()
        match operand.view:
            case View.DAYS_AGO:
                return _asked(known, absent, *_span(op, today - cell.high, today - cell.low, threshold))
            case View.AFTER:
                that = self.of(operand.other)
                ends = _span(op, cell.low - that.value.high, cell.high - that.value.low, threshold)
                return _asked(z3.And(known, that.known), z3.Or(absent, that.absent), *ends)
            case View.RECORDED:
                dated, on = (each.older_dated, each.older_on) if operand.older else (each.dated, each.on)
                holds = _COMPARE[op](today - on, threshold)
                return _asked(z3.And(known, dated), z3.Not(known), holds, z3.Not(holds))
        if cell.low is not None:
            return _asked(known, absent, *_span(op, cell.low, cell.high, threshold))
        if op is Op.CONTAINS:
            self._codes.setdefault(operand.fact, set()).add(threshold)
            holds = cell.has(threshold)
        elif op is Op.IN:
            holds = z3.Or(*(cell.single == self._constant(cell.kind, item) for item in threshold))
        else:
            holds = _COMPARE[op](cell.single, self._constant(cell.kind, threshold))
        return _asked(known, absent, holds, z3.Not(holds))


def _cell(kind: str, name: str) -> Cell:
    if kind in ("date", "days"):
        return Cell(kind, name, low=z3.Int(f"{name}/low"), high=z3.Int(f"{name}/high"))
    if kind == "codes":
        return Cell(kind, name)
    make: Callable[[str], Any] = {"boolean": z3.Bool, "number": z3.Real}.get(kind, z3.Int)
    return Cell(kind, name, single=make(name))


def _limits(declaration: FactDeclaration) -> tuple[Any, Any]:
    """The least and the greatest value (of a text: the number that stands for it)."""
    if declaration.type == "date":
        return date.min.toordinal(), date.max.toordinal()
    if declaration.type == "text":
        return 0, MAX_INTEGER
    largest = sys.float_info.max if declaration.type == "number" else MAX_INTEGER
    least, most = declaration.range or (-largest, largest)
    if declaration.type == "number":
        return z3.RealVal(str(Fraction(least))), z3.RealVal(str(Fraction(most)))
    return int(least), int(most)


def _two(formula: Formula) -> Truths:
    return Truths(formula, z3.Not(formula))


def _asked(known: Formula, absent: Formula, holds: Formula, fails: Formula) -> Truths:
    """A comparison: absent is not met, unknown is unknown."""
    return Truths(z3.And(known, holds), z3.Or(absent, z3.And(known, fails)))


_COMPARE: Mapping[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: lambda left, right: left == right,
    Op.NE: lambda left, right: left != right,
    Op.LT: lambda left, right: left < right,
    Op.LTE: lambda left, right: left <= right,
    Op.GT: lambda left, right: left > right,
    Op.GTE: lambda left, right: left >= right,
}


def _span(op: Op, low: Any, high: Any, n: int) -> tuple[Formula, Formula]:
    """Where a comparison holds for the whole span, and where for none of it."""
    equal, apart = z3.And(low == n, high == n), z3.Or(low > n, high < n)
    return {
        Op.EQ: (equal, apart),
        Op.NE: (apart, equal),
        Op.LT: (high < n, low >= n),
        Op.LTE: (high <= n, low > n),
        Op.GT: (low > n, high <= n),
        Op.GTE: (low >= n, high < n),
    }[op]


def facts_in(conditions: Iterable[Condition], declarations: Mapping[str, FactDeclaration]) -> frozenset[str]:
    """The facts that are given from outside and that conditions rest on, also through derived ones."""
    found: set[str] = set()
    waiting = [name for condition in conditions for name in facts_of(condition)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            declaration = declarations[name]
            below = (each for each in (declaration.derive, declaration.unknown_when) if each is not None)
            waiting += [inner for condition in below for inner in facts_of(condition)]
    return frozenset(name for name in found if declarations[name].derive is None)
