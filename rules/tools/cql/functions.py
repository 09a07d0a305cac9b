"""The few functions that every exported library begins with: comparisons of spans, which are three-valued.

A span is a value that is known to lie between two ends, both included; CQL calls that an uncertainty. A comparison is
true where it holds of every value of the span, false where it holds of none, and unknown (null) otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import indent

from rules.engine.conditions import Op
from rules.tools.cql import terms
from rules.tools.cql.terms import Elm, Term, both, compared, either, negated, perhaps

AS_OF = terms.reference("ParameterRef", "AsOf", "Date")
SPAN_TESTS: Mapping[Op, str] = {
    Op.EQ: "is exactly",
    Op.NE: "is not exactly",
    Op.LT: "is below",
    Op.LTE: "is at most",
    Op.GT: "is above",
    Op.GTE: "is at least",
}
DAYS_AGO, DAYS_AFTER, WITHIN_MONTHS = "days ago", "days after", "within months"


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    comment: str
    operands: tuple[tuple[str, str], ...]  # name and type
    body: Term

    @property
    def text(self) -> str:
        operands = ", ".join(f"{terms.quoted(name)} {kind}" for name, kind in self.operands)
        return (
            f"// {self.comment}\n"
            f"define function {terms.quoted(self.name)}({operands}):\n{indent(self.body.cql, '  ')}\n"
        )

    @property
    def elm(self) -> Elm:
        operands = [{"name": name, "operandTypeSpecifier": terms.type_specifier(kind)} for name, kind in self.operands]
        return {
            "type": "FunctionDef",
            "name": self.name,
            "context": "Unfiltered",
            "accessLevel": "Public",
            "expression": self.body.elm,
            "operand": operands,
        }


def functions() -> tuple[Function, ...]:
    span, n = (terms.reference("OperandRef", name) for name in ("span", "n"))
    low, high = terms.start(span), terms.end(span)
    exactly = either(
        both(compared(low, "=", n), compared(high, "=", n)),
        perhaps(both(compared(low, "<=", n), compared(n, "<=", high))),
    )
    bodies = {
        Op.EQ: exactly,
        Op.NE: negated(terms.called(SPAN_TESTS[Op.EQ], span, n)),
        Op.LT: either(compared(high, "<", n), perhaps(compared(low, "<", n))),
        Op.LTE: either(compared(high, "<=", n), perhaps(compared(low, "<=", n))),
        Op.GT: either(compared(low, ">", n), perhaps(compared(high, ">", n))),
        Op.GTE: either(compared(low, ">=", n), perhaps(compared(high, ">=", n))),
    }
    operands = (("span", "Interval<Integer>"), ("n", "Integer"))
    tests = (Function(SPAN_TESTS[op], f"The span {SPAN_TESTS[op]} n", operands, body) for op, body in bodies.items())
    return (*tests, _days_ago(), _days_after(), _within_months())


def _days_ago() -> Function:
    span = terms.reference("OperandRef", "span")
    ends = (terms.days_between(terms.end(span), AS_OF), terms.days_between(terms.start(span), AS_OF))
    body = terms.unless_missing(terms.missing(span), terms.interval(*ends))
    return Function(DAYS_AGO, "From a date to the as-of date, in days", (("span", "Interval<Date>"),), body)


def _days_after() -> Function:
    span, other = (terms.reference("OperandRef", name) for name in ("span", "other"))
    ends = (
        terms.days_between(terms.end(other), terms.start(span)),
        terms.days_between(terms.start(other), terms.end(span)),
    )
    unknown = either(terms.missing(span), terms.missing(other))
    body = terms.unless_missing(unknown, terms.interval(*ends))
    operands = (("span", "Interval<Date>"), ("other", "Interval<Date>"))
    return Function(DAYS_AFTER, "From the date other to the date span, in days", operands, body)


def _within_months() -> Function:
    span, n = (terms.reference("OperandRef", name) for name in ("span", "n"))
    low, high = terms.start(span), terms.end(span)
    certain = both(compared(high, "<=", AS_OF), compared(AS_OF, "<=", terms.months_after(low, n)))
    possible = both(compared(low, "<=", AS_OF), compared(AS_OF, "<=", terms.months_after(high, n)))
    comment = "The date is not in the future, and the same day of the month n months later has not passed"
    operands = (("span", "Interval<Date>"), ("n", "Integer"))
    return Function(WITHIN_MONTHS, comment, operands, either(certain, perhaps(possible)))
