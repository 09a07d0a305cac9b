"""Questions about all possible facts: can this be, what shows it, and which conditions exclude each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import z3

from rules.engine.check_facts import FactChecker
from rules.engine.conditions import AllOf, Condition, Derived, Presence
from rules.engine.content import Content
from rules.engine.model import DateSpan, DaySpan, Fact, FactValue, State
from rules.engine.parameters import Values
from rules.engine.parse import MAX_INTEGER
from rules.tools.lint.encoding import Cell, Encoder, Formula, Truths

RECENT_DAYS = 730
MILLISECONDS = 20_000
"""A question that takes longer is answered with "can be": the linter then says nothing."""


class Solver:
    """The conditions of a pack on one day, for one provider."""

    def __init__(self, content: Content, as_of: date) -> None:
        self.content, self.as_of = content, as_of
        self.values = Values(content.parameters, as_of)
        self.encoder = Encoder(content.facts, self.values, as_of)
        self._missing = FactChecker(content.facts).missing
        self._solver = z3.SimpleSolver()
        self._solver.set("timeout", MILLISECONDS)
        self._bounded: set[str] = set()

    def truths(self, condition: Condition) -> Truths:
        """A condition's formulas, with the ranges of its facts known to the solver."""
        found = self.encoder.truths(condition)
        for name in self.encoder.variables:
            if name not in self._bounded:
                self._bounded.add(name)
                self._solver.add(*self.encoder.domain(name))
        return found

    def true(self, condition: Condition) -> Formula:
        return self.truths(condition).true

    def false(self, condition: Condition) -> Formula:
        return self.truths(condition).false

    def at_rest(self, names: Iterable[str]) -> Formula:
        """These facts are as they are when nobody gives them."""
        return z3.And(*(formula for name in names for formula in self._rest(name)))

    def possible(self, *formulas: Formula) -> bool:
        """Whether some set of facts meets them all."""
        self._solver.push()
        try:
            self._solver.add(*formulas)
            return bool(self._solver.check() != z3.unsat)
        finally:
            self._solver.pop()

    def always(self, formula: Formula, *where: Formula) -> bool:
        """Whether a formula holds for all facts that meet ``where``."""
        return not self.possible(*where, z3.Not(formula))

    def same(self, one: Truths, other: Truths, *where: Formula, certain: bool = False) -> bool:
        """Whether two conditions come to the same for all facts (``certain``: where they are true, no more)."""
        differ = one.true != other.true if certain else z3.Or(one.true != other.true, one.false != other.false)
        return not self.possible(*where, differ)

    def excluding(self, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
        """The fewest of these conditions, by leaving out one after the other, that can never be true together."""
        kept = list(conditions)
        for condition in conditions:
            fewer = [each for each in kept if each is not condition]
            if fewer and not self.possible(*map(self.true, fewer)):
                kept = fewer
        return tuple(kept)

    def witness(self, *formulas: Formula) -> tuple[Fact, ...]:
        """The few facts that meet the formulas (which are possible): all others are not given.

        Dates are exact and recent where they can be.
        """
        solver = self._solver
        solver.push()
        try:
            solver.add(*formulas)
            if solver.check() != z3.sat:
                return ()
            told = [name for name in self.encoder.variables if not self._keep(self._rest(name))]
            for name in told:
                for wish in self._wishes(name):
                    self._keep((wish,))
            if solver.check() != z3.sat:
                return ()
            model = solver.model()
            return tuple(self._fact(name, model) for name in told)
        finally:
            solver.pop()

    def _keep(self, formulas: Iterable[Formula]) -> bool:
        """Add formulas where they can hold besides what is asked."""
        formulas = tuple(formulas)
        if self._solver.check(*self._named(formulas)) != z3.sat:
            return False
        self._solver.add(*formulas)
        return True

    def _named(self, formulas: Sequence[Formula]) -> Iterator[Any]:
        """Formulas as assumptions, which z3 takes as plain names only."""
        for formula in formulas:
            name = z3.FreshBool()
            self._solver.add(z3.Implies(name, formula))
            yield name

    def _rest(self, name: str) -> tuple[Formula, ...]:
        each, state = self.encoder.of(name), self._missing[name].state
        return (
            z3.Not(each.known),
            each.absent if state is State.ABSENT else z3.Not(each.absent),
            z3.Not(each.has_older),
        )

    def _wishes(self, name: str) -> Iterator[Formula]:
        each, today = self.encoder.of(name), self.as_of.toordinal()
        yield z3.Not(each.has_older)
        yield z3.Not(each.dated)
        yield z3.Not(each.older_dated)
        for day in (each.on, each.older_on):
            yield z3.And(day <= today, day >= today - RECENT_DAYS)
        for cell in (each.value, each.older):
            if cell.low is not None:
                yield cell.low == cell.high
            if cell.kind == "date":
                yield z3.And(cell.high <= today, cell.low >= today - RECENT_DAYS)
            elif cell.kind in ("number", "integer", "days"):
                least = cell.single if cell.low is None else cell.low
                yield least >= 0
            if cell.kind == "number":
                yield z3.IsInt(cell.single)

    def _fact(self, name: str, model: Any) -> Fact:
        each = self.encoder.of(name)

        def true(formula: Formula) -> bool:
            return bool(z3.is_true(model.eval(formula, model_completion=True)))

        def day(variable: Any) -> date:
            return date.fromordinal(model.eval(variable, model_completion=True).as_long())

        known, older = true(each.known), true(each.has_older)
        return Fact(
            name,
            State.KNOWN if known else State.ABSENT if true(each.absent) else State.UNKNOWN,
            self._value(each.value, model) if known else None,
            on=day(each.on) if known and true(each.dated) else None,
            older=self._value(each.older, model) if older else None,
            older_on=day(each.older_on) if older and true(each.older_dated) else None,
        )

    def _value(self, cell: Cell, model: Any) -> FactValue:
        def number(variable: Any) -> int:
            return int(model.eval(variable, model_completion=True).as_long())

        if cell.kind == "date":
            return DateSpan(date.fromordinal(number(cell.low)), date.fromordinal(number(cell.high)))
        if cell.kind == "days":
            return DaySpan(number(cell.low), number(cell.high))
        if cell.kind == "codes":
            asked = self.encoder.codes(cell.name.split("/")[0])
            return frozenset(code for code in asked if z3.is_true(model.eval(cell.has(code), model_completion=True)))
        found = model.eval(cell.single, model_completion=True)
        if cell.kind == "boolean":
            return bool(z3.is_true(found))
        if cell.kind == "number":
            fraction = found.as_fraction()
            whole = fraction.denominator == 1 and abs(fraction) <= MAX_INTEGER
            return int(fraction) if whole else float(fraction)
        if cell.kind == "text":
            return self.encoder.texts().get(found.as_long(), "another text")
        return int(found.as_long())


def conjuncts(condition: Condition, content: Content) -> Iterator[Condition]:
    """What must hold together for a condition to be true, looking through ``all`` and through derived facts."""
    match condition:
        case AllOf(children=children):
            for child in children:
                yield from conjuncts(child, content)
        case Derived(fact=name, test=Presence.PRESENT):
            derive = content.facts[name].derive
            if isinstance(derive, AllOf):
                yield from conjuncts(derive, content)
            else:
                yield condition
        case _:
            yield condition
