"""Terms of the Clinical Quality Language, each as text for people and as the ELM that the same text translates to.

CQL 1.5 and ELM r1 (HL7). ELM is written as the reference translator writes it, without its annotations, locators and
signatures: tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import IntEnum
from functools import reduce
from textwrap import indent
from typing import Any, NamedTuple

Elm = dict[str, Any]
Scalar = bool | int | float | str

TYPES = "{urn:hl7-org:elm-types:r1}"
WIDEST = 100  # a longer term stands on several lines


class Binding(IntEnum):
    """How tightly a term holds together, and so where it needs parentheses."""

    LOOSE = 0  # and, or
    TEST = 1  # comparisons, is null, not: stands beside ``and`` and ``or`` as it is
    TIGHT = 2  # names, literals, calls


class Term(NamedTuple):
    """An expression. ``type`` is that of the System model where it matters, or ""."""

    cql: str
    elm: Elm
    binding: Binding = Binding.TEST
    type: str = ""


def quoted(name: str) -> str:
    """A name as a CQL identifier."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def inner(term: Term, least: Binding = Binding.TIGHT) -> str:
    """The text of a term inside another, in parentheses where it holds less tightly than is needed there."""
    if term.binding >= least:
        return term.cql
    if "\n" in term.cql:
        return f"(\n{indent(term.cql, '  ')}\n)"
    return f"({term.cql})"


def reference(kind: str, name: str, of_type: str = "") -> Term:
    """What a name stands for; ``kind`` is ParameterRef, ExpressionRef or OperandRef."""
    return Term(quoted(name), {"type": kind, "name": name}, Binding.TIGHT, of_type)


def literal(value: Scalar) -> Term:
    """A Boolean, Integer, Decimal (never with an exponent) or String."""
    match value:
        case bool():
            text, kind = ("true" if value else "false"), "Boolean"
        case int():
            text, kind = str(value), "Integer"
        case float():
            text, kind = format(Decimal(repr(value)), "f"), "Decimal"
            text = text if "." in text else f"{text}.0"
        case str():
            elm = {"type": "Literal", "valueType": f"{TYPES}String", "value": value}
            escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
            return Term(f"'{escaped}'", elm, Binding.TIGHT, "String")
    if text.startswith("-"):
        positive = Term(
            text[1:], {"type": "Literal", "valueType": f"{TYPES}{kind}", "value": text[1:]}, Binding.TIGHT, kind
        )
        return Term(text, {"type": "Negate", "operand": positive.elm}, Binding.TEST, kind)
    return Term(text, {"type": "Literal", "valueType": f"{TYPES}{kind}", "value": text}, Binding.TIGHT, kind)


def day(when: date) -> Term:
    parts = {"year": when.year, "month": when.month, "day": when.day}
    return Term(
        f"@{when.isoformat()}", {"type": "Date", **{k: literal(v).elm for k, v in parts.items()}}, Binding.TIGHT, "Date"
    )


def null(of_type: str) -> Term:
    """Null where the text around it says what type it has."""
    kind: Elm = {"asType": f"{TYPES}{of_type}"}
    if of_type.endswith(">"):
        kind = {"asTypeSpecifier": type_specifier(of_type)}
    return Term("null", {"type": "As", "operand": {"type": "Null"}, **kind}, Binding.TIGHT, of_type)


def decimal(term: Term) -> Term:
    """An Integer where a Decimal is needed: CQL converts it by itself, ELM says so."""
    return term._replace(elm={"type": "ToDecimal", "operand": term.elm}, type="Decimal")


def listed(items: Sequence[Term]) -> Term:
    cql = ", ".join(item.cql for item in items)
    return Term(
        f"{{ {cql} }}",
        {"type": "List", "element": [item.elm for item in items]},
        Binding.TIGHT,
        f"List<{items[0].type}>",
    )


_COMPARISONS = {
    "=": "Equal",
    "<": "Less",
    "<=": "LessOrEqual",
    ">": "Greater",
    ">=": "GreaterOrEqual",
    "in": "In",
    "contains": "Contains",
}


def compared(left: Term, sign: str, right: Term) -> Term:
    """``left sign right``; ``!=`` is the negation of ``=``, as in ELM. An Integer beside a Decimal is converted."""
    if left.type == "Decimal" and right.type == "Integer":
        right = decimal(right)
    elif left.type == "Integer" and right.type == "Decimal":
        left = decimal(left)
    equal = sign == "!="
    elm: Elm = {"type": _COMPARISONS["=" if equal else sign], "operand": [left.elm, right.elm]}
    elm = {"type": "Not", "operand": elm} if equal else elm
    return Term(f"{inner(left)} {sign} {inner(right)}", elm, Binding.TEST, "Boolean")


def _joined(word: str, kind: str, terms: Sequence[Term]) -> Term:
    if len(terms) == 1:
        return terms[0]
    elm = reduce(lambda left, right: {"type": kind, "operand": [left, right]}, (term.elm for term in terms))
    texts = [inner(term, Binding.TEST) for term in terms]
    short = f" {word} ".join(texts)
    return Term(f"\n  {word} ".join(texts) if len(short) > WIDEST or "\n" in short else short, elm, Binding.LOOSE)


def both(*terms: Term) -> Term:
    """All of them (Kleene)."""
    return _joined("and", "And", terms)


def either(*terms: Term) -> Term:
    """At least one of them (Kleene)."""
    return _joined("or", "Or", terms)


def negated(term: Term) -> Term:
    return Term(f"not {inner(term)}", {"type": "Not", "operand": term.elm})


def perhaps(term: Term) -> Term:
    """Unknown where the term is true, and as it is where it is not."""
    return both(term, null("Boolean"))


def missing(term: Term) -> Term:
    return Term(f"{inner(term)} is null", {"type": "IsNull", "operand": term.elm})


def known(term: Term) -> Term:
    return Term(f"{inner(term)} is not null", {"type": "Not", "operand": missing(term).elm})


def certainly(term: Term) -> Term:
    return Term(f"{inner(term)} is true", {"type": "IsTrue", "operand": term.elm})


def not_true(term: Term) -> Term:
    return Term(f"{inner(term)} is not true", {"type": "Not", "operand": certainly(term).elm})


def start(of: Term) -> Term:
    return Term(f"start of {inner(of)}", {"type": "Start", "operand": of.elm})


def end(of: Term) -> Term:
    return Term(f"end of {inner(of)}", {"type": "End", "operand": of.elm})


def days_between(first: Term, last: Term) -> Term:
    elm = {"type": "DifferenceBetween", "precision": "Day", "operand": [first.elm, last.elm]}
    return Term(f"difference in days between {first.cql} and {last.cql}", elm, Binding.TEST, "Integer")


def months_after(first: Term, months: Term) -> Term:
    """The same day of the month, ``months`` later, clipped to the end of the month."""
    unit = literal("months")
    elements = [
        {"name": "value", "value": {"type": "ToDecimal", "operand": months.elm}},
        {"name": "unit", "value": unit.elm},
    ]
    quantity = {"type": "Instance", "classType": f"{TYPES}Quantity", "element": elements}
    cql = f"{first.cql} + Quantity {{ value: ToDecimal({months.cql}), unit: {unit.cql} }}"
    return Term(cql, {"type": "Add", "operand": [first.elm, quantity]})


def interval(low: Term, high: Term) -> Term:
    elm = {"type": "Interval", "lowClosed": True, "highClosed": True, "low": low.elm, "high": high.elm}
    return Term(f"Interval[{low.cql}, {high.cql}]", elm, Binding.TIGHT, f"Interval<{low.type}>")


def unless_missing(what: Term, then: Term) -> Term:
    """``then``, or null where ``what`` is true."""
    elm = {"type": "If", "condition": what.elm, "then": null(then.type).elm, "else": then.elm}
    short = f"if {what.cql} then null else {then.cql}"
    return Term(
        short if len(short) <= WIDEST else short.replace(" else ", "\n  else ", 1), elm, Binding.LOOSE, then.type
    )


def called(function: str, *arguments: Term) -> Term:
    text = ", ".join(argument.cql for argument in arguments)
    elm = {"type": "FunctionRef", "name": function, "operand": [argument.elm for argument in arguments]}
    return Term(f"{quoted(function)}({text})", elm, Binding.TIGHT)


def cases(when: Sequence[tuple[Term, Term]], otherwise: Term) -> Term:
    """The value of the first case that is true."""
    lines = "".join(f"\n  when {case.cql} then {value.cql}" for case, value in when)
    items = [{"when": case.elm, "then": value.elm} for case, value in when]
    elm = {"type": "Case", "caseItem": items, "else": otherwise.elm}
    return Term(f"case{lines}\n  else {otherwise.cql}\nend", elm)


def named_type(name: str) -> Mapping[str, str]:
    return {"type": "NamedTypeSpecifier", "name": f"{TYPES}{name}"}


def type_specifier(written: str) -> Mapping[str, Any]:
    """``Integer``, ``Interval<Date>`` or ``List<String>`` in ELM."""
    outer, _, point = written.rstrip(">").partition("<")
    if outer == "Interval":
        return {"type": "IntervalTypeSpecifier", "pointType": named_type(point)}
    if outer == "List":
        return {"type": "ListTypeSpecifier", "elementType": named_type(point)}
    return named_type(outer)
