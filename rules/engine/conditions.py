"""Conditions as a tree: what a rule asks of the facts, with every name and type already checked.

Truth is three-valued (Kleene) except for ``Unless``, ``OlderTest`` and the ``known``/``missing`` tests, which are
never unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a content file (line and column from 1)."""

    file: str
    line: int
    column: int


class View(StrEnum):
    """What of a fact a comparison looks at."""

    VALUE = "value"  # the value itself
    DAYS_AGO = "days_ago"  # of a date: as-of minus the date, in days
    MONTHS = "within_months"  # of a date: days from the as-of date to the same day of the month, n months on
    RECORDED = "recorded_days_ago"  # of any fact: as-of minus Fact.on, in days
    AFTER = "days_after"  # of a date: this date minus the date ``other``, in days


@dataclass(frozen=True, slots=True)
class Operand:
    """The left side of a comparison: one view of one fact (``older``: of its value that is too old to count)."""

    fact: str
    view: View = View.VALUE
    other: str = ""
    months: Threshold | None = None
    older: bool = False


Scalar = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Threshold:
    """The right side: a literal, or the name of a dated parameter (then ``value`` is None until resolved)."""

    value: Scalar | tuple[Scalar, ...] | None
    parameter: str = ""


class Op(StrEnum):
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    CONTAINS = "contains"


class Presence(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    KNOWN = "known"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Compare:
    operand: Operand
    op: Op
    threshold: Threshold
    place: Place


@dataclass(frozen=True, slots=True)
class Is:
    """A test of a fact's state; ``boolean`` says that present and absent look at its value too."""

    operand: Operand
    test: Presence
    boolean: bool
    place: Place


@dataclass(frozen=True, slots=True)
class WithinMonths:
    """The date is not in the future, and ``months`` after it has not passed."""

    operand: Operand  # view MONTHS
    ago: Operand  # view DAYS_AGO
    place: Place


@dataclass(frozen=True, slots=True)
class OlderTest:
    """True when there is an out-of-date value that certainly passes the test, else False."""

    fact: str
    test: Condition
    place: Place


@dataclass(frozen=True, slots=True)
class Derived:
    """The truth of a named condition (a fact with ``derive``); ``test`` is PRESENT, KNOWN or MISSING."""

    fact: str
    test: Presence
    place: Place


@dataclass(frozen=True, slots=True)
class AllOf:
    children: tuple[Condition, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class AnyOf:
    children: tuple[Condition, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Not:
    child: Condition
    place: Place


@dataclass(frozen=True, slots=True)
class Unless:
    """True unless the child is certainly True."""

    child: Condition
    place: Place


Condition = Compare | Is | WithinMonths | OlderTest | Derived | AllOf | AnyOf | Not | Unless


def inner(condition: Condition) -> tuple[Condition, ...]:
    """The conditions directly inside a condition (of a derived fact: none)."""
    match condition:
        case AllOf(children=children) | AnyOf(children=children):
            return children
        case Not(child=child) | Unless(child=child):
            return (child,)
        case OlderTest(test=test):
            return (test,)
    return ()


def walk(condition: Condition) -> Iterator[Condition]:
    """A condition with everything inside it."""
    yield condition
    for child in inner(condition):
        yield from walk(child)


def facts_of(condition: Condition) -> frozenset[str]:
    """The names of the facts (also derived ones) that a condition speaks of."""
    match condition:
        case Compare(operand=operand) | Is(operand=operand) | WithinMonths(operand=operand):
            return frozenset((operand.fact, operand.other)) - {""}
        case OlderTest(fact=fact) | Derived(fact=fact):
            return frozenset((fact,))
        case AllOf(children=children) | AnyOf(children=children):
            return frozenset().union(*map(facts_of, children))
        case Not(child=child) | Unless(child=child):
            return facts_of(child)
