"""Translates three-valued conditions to what durable_rules can be asked.

durable_rules is two-valued. So each condition becomes the question "is it certainly true?", with every ``not`` pushed
down to the comparisons, where "certainly false" and "not certainly true" are questions of their own about explicit
properties (``…__absent``, ``…__unknown``). Derived conditions are inlined. No property is ever asked for by its
absence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
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
from rules.engine.expressions import Expression, Leaf, alternatives, conjunction
from rules.engine.features import Group
from rules.engine.parameters import Values


class Ask(Enum):
    """The two-valued questions about a three-valued truth."""

    TRUE = "certainly true"
    FALSE = "certainly false"
    NOT_TRUE = "not certainly true"
    NOT_FALSE = "not certainly false"


_OPPOSITE = {Ask.TRUE: Ask.FALSE, Ask.FALSE: Ask.TRUE, Ask.NOT_TRUE: Ask.NOT_FALSE, Ask.NOT_FALSE: Ask.NOT_TRUE}
_CONJUNCTIVE = (Ask.TRUE, Ask.NOT_FALSE)  # of an ``all``, these must hold for every part
_OPS = {Op.EQ: "", Op.NE: "$neq", Op.LT: "$lt", Op.LTE: "$lte", Op.GT: "$gt", Op.GTE: "$gte"}
_NEGATED = {Op.EQ: Op.NE, Op.NE: Op.EQ, Op.LT: Op.GTE, Op.GTE: Op.LT, Op.GT: Op.LTE, Op.LTE: Op.GT}


def _true(name: str) -> Leaf:
    return Leaf("", name, True)


class Translator:
    """Translates conditions with the parameter values of one day; ``groups`` collects what properties they look at."""

    def __init__(self, declarations: Mapping[str, FactDeclaration], values: Values) -> None:
        self._declarations = declarations
        self._values = values
        self.groups: dict[tuple[Any, ...], Group] = {}

    def conjuncts(self, condition: Condition) -> Iterator[tuple[Expression, Expression | None]]:
        """What must all hold where a condition is certainly true.

        With each comes, for what is negated, its opposite: that must not hold.
        """
        match condition:
            case AllOf(children=children):
                for child in children:
                    yield from self.conjuncts(child)
            case Derived(fact=name, test=Presence.PRESENT):
                derive = self._declarations[name].derive
                assert derive is not None  # noqa: S101 - the parser only names derived facts
                yield from self.conjuncts(derive)
            case Not(child=child):
                yield self.expression(child, Ask.FALSE), self.expression(child, Ask.NOT_FALSE)
            case Unless(child=child):
                yield self.expression(child, Ask.NOT_TRUE), self.expression(child, Ask.TRUE)
            case _:
                yield self.expression(condition, Ask.TRUE), None

    def expression(self, condition: Condition, ask: Ask) -> Expression:
        match condition:
            case AllOf(children=children):
                parts = [self.expression(child, ask) for child in children]
                return conjunction(*parts) if ask in _CONJUNCTIVE else alternatives(*parts)
            case AnyOf(children=children):
                parts = [self.expression(child, ask) for child in children]
                return alternatives(*parts) if ask in _CONJUNCTIVE else conjunction(*parts)
            case Not(child=child):
                return self.expression(child, _OPPOSITE[ask])
            case Unless(child=child):
                return self.expression(child, Ask.NOT_TRUE if ask in _CONJUNCTIVE else Ask.TRUE)
            case Derived(fact=name, test=test):
                return self._derived(name, test, ask)
            case OlderTest(test=test, fact=name):
                certain = ask in _CONJUNCTIVE
                group = self._group(Operand(name, older=True))
                inner = self.expression(test, Ask.TRUE if certain else Ask.NOT_TRUE)
                guard = group.flag("known" if certain else "missing")
                return (conjunction if certain else alternatives)(_true(guard), inner)
            case Is():
                return self._is(condition, ask)
            case WithinMonths():
                return self._within_months(condition, ask)
            case Compare():
                return self._compare(condition, ask)

    def _derived(self, name: str, test: Presence, ask: Ask) -> Expression:
        certain = ask in _CONJUNCTIVE
        if test is Presence.KNOWN:
            asks = (Ask.TRUE, Ask.FALSE) if certain else (Ask.NOT_TRUE, Ask.NOT_FALSE)
            parts = [self._truth(name, each) for each in asks]
            return alternatives(*parts) if certain else conjunction(*parts)
        if test is Presence.MISSING:
            return self._derived(name, Presence.KNOWN, Ask.NOT_TRUE if certain else Ask.TRUE)
        return self._truth(name, ask)

    def _truth(self, name: str, ask: Ask) -> Expression:
        declaration = self._declarations[name]
        assert declaration.derive is not None  # noqa: S101 - the parser only names derived facts
        derive = self.expression(declaration.derive, ask)
        if declaration.unknown_when is None or ask in (Ask.TRUE, Ask.NOT_TRUE):
            return derive
        unknown = self.expression(declaration.unknown_when, ask)
        return (conjunction if ask is Ask.FALSE else alternatives)(derive, unknown)

    def _group(self, operand: Operand, months: int | None = None, code: str | None = None) -> Group:
        key = (operand.fact, operand.view, operand.other, months, operand.older, code)
        if key not in self.groups:
            self.groups[key] = Group(operand, self._declarations[operand.fact].type, len(self.groups), months, code)
        return self.groups[key]

    def _states(self, group: Group, positive: Expression, negative: Expression, ask: Ask) -> Expression:
        """``positive`` and ``negative`` are two-valued and opposite where the fact is known."""
        match ask:
            case Ask.TRUE:
                return positive
            case Ask.FALSE:
                return alternatives(negative, _true(group.flag("absent")))
            case Ask.NOT_TRUE:
                return alternatives(negative, _true(group.flag("missing")))
            case Ask.NOT_FALSE:
                return alternatives(positive, _true(group.flag("unknown")))

    def _is(self, condition: Is, ask: Ask) -> Expression:
        group = self._group(condition.operand)
        if condition.test in (Presence.KNOWN, Presence.MISSING):
            is_known = (condition.test is Presence.KNOWN) == (ask in _CONJUNCTIVE)
            return _true(group.flag("known" if is_known else "missing"))
        if condition.test is Presence.ABSENT:
            ask = _OPPOSITE[ask]
        if condition.boolean:
            value = group.flag("value")
            return self._states(group, _true(value), Leaf("", value, False), ask)
        flags = {
            Ask.TRUE: ("known",),
            Ask.FALSE: ("absent",),
            Ask.NOT_TRUE: ("missing",),
            Ask.NOT_FALSE: ("known", "unknown"),
        }
        return alternatives(*(_true(group.flag(flag)) for flag in flags[ask]))

    def _within_months(self, condition: WithinMonths, ask: Ask) -> Expression:
        assert condition.operand.months is not None  # noqa: S101 - the parser always sets it
        until = self._group(condition.operand, months=self._values.of(condition.operand.months))
        ago = self._group(condition.ago)
        parts = [self._span(group, Op.GTE, 0, ask) for group in (until, ago)]
        return conjunction(*parts) if ask in _CONJUNCTIVE else alternatives(*parts)

    def _compare(self, condition: Compare, ask: Ask) -> Expression:
        operand, op, threshold = condition.operand, condition.op, self._values.of(condition.threshold)
        group = self._group(operand, code=threshold if op is Op.CONTAINS else None)
        value = group.flag("value")
        if group.is_span:
            return self._span(group, op, threshold, ask)
        if op is Op.CONTAINS:
            return self._states(group, _true(value), Leaf("", value, False), ask)
        if group.type == "number" and operand.view is View.VALUE:
            threshold = tuple(map(float, threshold)) if op is Op.IN else float(threshold)
        if op is Op.IN:
            positive = alternatives(*(Leaf("", value, item) for item in threshold))
            negative = conjunction(*(Leaf("$neq", value, item) for item in threshold))
        else:
            positive = Leaf(_OPS[op], value, threshold)
            negative = Leaf(_OPS[_NEGATED[op]], value, threshold)
        return self._states(group, positive, negative, ask)

    def _span(self, group: Group, op: Op, n: int, ask: Ask) -> Expression:
        whole, none = self._certain(group, op, n), self._certain(group, _NEGATED[op], n)
        match ask:
            case Ask.TRUE:
                return whole
            case Ask.FALSE:
                return alternatives(none, _true(group.flag("absent")))
            case Ask.NOT_TRUE:
                return alternatives(self._possible(group, _NEGATED[op], n), _true(group.flag("missing")))
            case Ask.NOT_FALSE:
                return alternatives(self._possible(group, op, n), _true(group.flag("unknown")))

    def _certain(self, group: Group, op: Op, n: int) -> Expression:
        """The comparison holds for the whole span."""
        low, high = group.flag("low"), group.flag("high")
        if op is Op.EQ:
            return conjunction(Leaf("", low, n), Leaf("", high, n))
        if op is Op.NE:
            return alternatives(Leaf("$gt", low, n), Leaf("$lt", high, n))
        return Leaf(_OPS[op], low if op in (Op.GT, Op.GTE) else high, n)

    def _possible(self, group: Group, op: Op, n: int) -> Expression:
        """The comparison holds for some of the span."""
        low, high = group.flag("low"), group.flag("high")
        if op is Op.EQ:
            return conjunction(Leaf("$lte", low, n), Leaf("$gte", high, n))
        if op is Op.NE:
            return alternatives(Leaf("$neq", low, n), Leaf("$neq", high, n))
        return Leaf(_OPS[op], high if op in (Op.GT, Op.GTE) else low, n)
