"""Conditions as terms of CQL. Both are three-valued (Kleene): an unknown truth is null.

A fact is a parameter of the library. Null where it is not given: whether that means "not met" (absent) or "not known"
says a second parameter, ``FACT.absent``, whose default is what the pack declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

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
    Threshold,
    Unless,
    View,
    WithinMonths,
)
from rules.engine.content import Content, Parameter
from rules.engine.errors import ContentError
from rules.tools.cql import terms
from rules.tools.cql.functions import AS_OF, DAYS_AFTER, DAYS_AGO, SPAN_TESTS, WITHIN_MONTHS
from rules.tools.cql.terms import Scalar, Term, both, compared, either, known, missing, negated, not_true, perhaps

TYPES: Mapping[str, str] = {
    "boolean": "Boolean",
    "integer": "Integer",
    "number": "Decimal",
    "text": "String",
    "codes": "List<String>",
    "date": "Interval<Date>",
    "days": "Interval<Integer>",
}
"""The type of a fact → the type of its parameter. A date or a number of days has two ends, equal where it is exact."""

LARGEST_INTEGER = 2**31 - 1
_SIGNS = {
    Op.EQ: "=",
    Op.NE: "!=",
    Op.LT: "<",
    Op.LTE: "<=",
    Op.GT: ">",
    Op.GTE: ">=",
    Op.IN: "in",
    Op.CONTAINS: "contains",
}


@dataclass(frozen=True, slots=True)
class Input:
    """A parameter of the library: what whoever runs it supplies. ``fact`` is the fact it tells of."""

    name: str
    type: str
    label: str
    fact: str
    default: bool | None = None


class Logic:
    """Translates conditions; ``inputs`` and ``parameters`` collect what the translated ones speak of, by name."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self.inputs: dict[str, Input] = {}
        self.parameters: dict[str, Parameter] = {}

    def term(self, condition: Condition) -> Term:
        match condition:
            case AllOf(children=children):
                return both(*map(self.term, children))
            case AnyOf(children=children):
                return either(*map(self.term, children))
            case Not(child=child):
                return negated(self.term(child))
            case Unless(child=child):
                return not_true(self.term(child))
            case Derived(fact=name, test=test):
                named = terms.reference("ExpressionRef", name, "Boolean")
                if test is Presence.PRESENT:
                    return named
                return known(named) if test is Presence.KNOWN else missing(named)
            case OlderTest(fact=name, test=test):
                return both(known(self._value(Operand(name, older=True))), terms.certainly(self.term(test)))
            case Is(operand=operand, test=test, boolean=boolean):
                return self._is(operand, test, boolean)
            case WithinMonths(operand=operand) if operand.months is not None:
                test_term = terms.called(WITHIN_MONTHS, self._value(operand), self._threshold(operand.months))
                return both(self._counts(operand), test_term)
            case Compare():
                return self._compare(condition)
        raise AssertionError(condition)

    def derived(self, name: str) -> Term:
        """The definition of a named condition: unknown, not false, where ``unknown_when`` is not certainly false."""
        declaration = self._content.facts[name]
        assert declaration.derive is not None  # noqa: S101 - asked for derived facts only
        term = self.term(declaration.derive)
        if declaration.unknown_when is None:
            return term
        return either(term, perhaps(self.term(declaration.unknown_when)))

    def parameter(self, parameter: Parameter) -> Term:
        """The definition of a dated parameter: the last value that counts on the as-of date, null before the first."""
        *later, first = ((value.start, self._stated(parameter, value.value)) for value in reversed(parameter.values))
        if first[0] == date.min:
            otherwise = first[1]
        else:
            later, otherwise = [*later, first], terms.null(first[1].type)
        if not later:
            return otherwise
        return terms.cases([(compared(AS_OF, ">=", terms.day(start)), value) for start, value in later], otherwise)

    def absent(self, name: str) -> Term:
        """The definition ``FACT is absent``: it is not in the record, and that means not met."""
        return both(missing(self._value(Operand(name))), self._input(name, "absent", "Boolean"))

    def unknown(self, name: str) -> Term:
        """The definition ``FACT is unknown``: neither known nor absent."""
        return both(missing(self._value(Operand(name))), negated(self._input(name, "absent", "Boolean")))

    def _counts(self, operand: Operand) -> Term:
        """That the operand is not absent (an older value: that there is one)."""
        return known(self._value(operand)) if operand.older else negated(self._absent(operand))

    def _absent(self, operand: Operand) -> Term:
        if operand.older:
            return missing(self._value(operand))
        self._input(operand.fact, "absent", "Boolean")
        return terms.reference("ExpressionRef", absence(operand.fact))

    def _value(self, operand: Operand) -> Term:
        kind = TYPES[self._content.facts[operand.fact].type]
        return self._input(operand.fact, "older" if operand.older else "", kind)

    def _recorded_on(self, operand: Operand) -> Term:
        return self._input(operand.fact, "older.on" if operand.older else "on", "Date")

    def _input(self, fact: str, what: str, kind: str) -> Term:
        declaration = self._content.facts[fact]
        name = f"{fact}.{what}" if what else fact
        default = declaration.absent == "not-met" if what == "absent" else None
        self.inputs.setdefault(name, Input(name, kind, _LABELS[what].format(declaration.label), fact, default))
        return terms.reference("ParameterRef", name, kind)

    def _is(self, operand: Operand, test: Presence, boolean: bool) -> Term:
        value = self._value(operand)
        if test is Presence.KNOWN:
            return known(value)
        if test is Presence.MISSING:
            return missing(value)
        if test is Presence.PRESENT:
            return both(self._counts(operand), value if boolean else either(known(value), terms.null("Boolean")))
        return either(self._absent(operand), negated(value) if boolean else perhaps(missing(value)))

    def _compare(self, condition: Compare) -> Term:
        operand, op, limit = condition.operand, condition.op, condition.threshold
        value = self._value(operand)
        if value.type == "Decimal" and isinstance(limit.value, tuple):
            limit = Threshold(tuple(map(float, limit.value)))
        threshold = self._threshold(limit)
        match operand.view:
            case View.RECORDED:
                ago = terms.days_between(self._recorded_on(operand), AS_OF)
                return both(known(value), compared(ago, _SIGNS[op], threshold))
            case View.DAYS_AGO:
                return both(
                    self._counts(operand), terms.called(SPAN_TESTS[op], terms.called(DAYS_AGO, value), threshold)
                )
            case View.AFTER:
                other = Operand(operand.other)
                after = terms.called(DAYS_AFTER, value, self._value(other))
                test = terms.called(SPAN_TESTS[op], after, threshold)
                return both(self._counts(operand), self._counts(other), test)
        if self._content.facts[operand.fact].type == "days":
            test = terms.called(SPAN_TESTS[op], value, threshold)
        else:
            test = compared(value, _SIGNS[op], threshold)
        if op in (Op.IN, Op.CONTAINS):  # of a null that is false in CQL, not null
            test = terms.unless_missing(missing(value), test)
        return both(self._counts(operand), test)

    def _threshold(self, threshold: Threshold) -> Term:
        if not threshold.parameter:
            assert threshold.value is not None  # noqa: S101 - a literal, or else a parameter
            return self._literals(threshold.value)
        parameter = self.parameters.setdefault(threshold.parameter, self._content.parameters[threshold.parameter])
        of_type = self._stated(parameter, parameter.values[-1].value).type
        return terms.reference("ExpressionRef", parameter_name(parameter.name), of_type)

    def _stated(self, parameter: Parameter, value: Scalar | list[Scalar]) -> Term:
        """A parameter's value; an integer as a decimal where another value of the parameter is one."""
        mixed = any(type(dated.value) is float for dated in parameter.values)
        return self._literals(float(value) if mixed and type(value) is int else value)

    def _literals(self, value: Scalar | tuple[Scalar, ...] | list[Scalar]) -> Term:
        if isinstance(value, tuple | list):
            return terms.listed([self._literals(item) for item in value])
        if type(value) is int and abs(value) > LARGEST_INTEGER:
            raise ContentError(
                f"{value} is too large for an Integer of CQL", str(self._content.folder), 1, 1, code="RC092"
            )
        return terms.literal(value)


_LABELS = {
    "": "{}",
    "absent": "{}: where it is not given, whether that means not met (true) or not known (false)",
    "on": "{}: the day of which it is",
    "older": "{}: a value that is too old to count",
    "older.on": "{}: the day of the value that is too old to count",
}


def absence(fact: str) -> str:
    """The name of the definition that says whether a fact is absent."""
    return f"{fact} is absent"


def parameter_name(parameter: str) -> str:
    """The name of the definition of a dated parameter."""
    return f"parameters.{parameter}"
