"""The flat, typed properties that durable_rules sees, written straight as JSON text.

Only what is known or explicitly absent or unknown is written: no null, no array, no nested object. A span is two
properties, a list of codes one boolean per code asked for. Numbers are written without an exponent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, cast

from rules.engine.conditions import Operand, View
from rules.engine.model import DateSpan, Fact, State
from rules.engine.parameters import add_months

_FLAGS = ("value", "low", "high", "known", "absent", "unknown", "missing")

Write = Callable[[Mapping[str, Fact], date], str]


@dataclass(frozen=True, slots=True)
class Group:
    """The properties of one operand (of a list of codes: of one code): their names, and how to write them."""

    operand: Operand
    type: str
    number: int
    months: int | None = None
    code: str | None = None

    @property
    def is_span(self) -> bool:
        view = self.operand.view
        return self.type == "days" if view is View.VALUE else view is not View.RECORDED

    def flag(self, what: str) -> str:
        """The name of a property: value, low, high, known, absent, unknown or missing."""
        return f"{self.operand.fact}__{self.number}__{what}"

    def names(self, wanted: frozenset[str]) -> frozenset[str]:
        """Which of these properties are this group's."""
        return wanted.intersection(map(self.flag, _FLAGS))

    @property
    def facts(self) -> tuple[str, ...]:
        """The names of the facts it is made from."""
        return (self.operand.fact, self.operand.other) if self.operand.other else (self.operand.fact,)

    def writer(self, wanted: frozenset[str]) -> Write:
        """A function from the facts and the as-of date to the wanted JSON members of this group, "" for none."""
        known, absent, unknown = (self._constant(state, wanted) for state in State)
        value_of, text_of = self._value(), self._text(wanted)

        def write(facts: Mapping[str, Fact], as_of: date) -> str:
            state, value = value_of(facts, as_of)
            if state is State.KNOWN:
                return known if text_of is None else known + text_of(value)
            return absent if state is State.ABSENT else unknown

        return write

    def _constant(self, state: State, wanted: frozenset[str]) -> str:
        flags = ("known",) if state is State.KNOWN else (state.value, "missing")
        return "".join(f',"{name}":true' for name in map(self.flag, flags) if name in wanted)

    def _value(self) -> Callable[[Mapping[str, Fact], date], tuple[State, Any]]:
        """How to find the state and the value of the operand."""
        name, older, months = self.operand.fact, self.operand.older, self.months or 0

        def plain(facts: Mapping[str, Fact], as_of: date) -> tuple[State, Any]:  # noqa: ARG001
            fact = facts[name]
            if older:
                return (State.ABSENT if fact.older is None else State.KNOWN), fact.older
            return fact.state, fact.value

        def recorded(facts: Mapping[str, Fact], as_of: date) -> tuple[State, Any]:
            fact = facts[name]
            if plain(facts, as_of)[0] is not State.KNOWN:
                return State.ABSENT, None
            on = fact.older_on if older else fact.on
            return (State.UNKNOWN, None) if on is None else (State.KNOWN, (as_of - on).days)

        def days_ago(facts: Mapping[str, Fact], as_of: date) -> tuple[State, Any]:
            state, span = plain(facts, as_of)
            return state, span and ((as_of - span.high).days, (as_of - span.low).days)

        def within_months(facts: Mapping[str, Fact], as_of: date) -> tuple[State, Any]:
            state, span = plain(facts, as_of)
            return state, span and tuple((add_months(day, months) - as_of).days for day in span)

        views = {View.VALUE: plain, View.RECORDED: recorded, View.DAYS_AGO: days_ago, View.MONTHS: within_months}
        return views.get(self.operand.view, self._days_after)

    def _days_after(self, facts: Mapping[str, Fact], as_of: date) -> tuple[State, Any]:  # noqa: ARG002
        left, right = (facts[name] for name in self.facts)
        states = (left.state, right.state)
        if State.ABSENT in states:
            return State.ABSENT, None
        if State.UNKNOWN in states:
            return State.UNKNOWN, None
        one, two = cast(DateSpan, left.value), cast(DateSpan, right.value)
        return State.KNOWN, ((one.low - two.high).days, (one.high - two.low).days)

    def _text(self, wanted: frozenset[str]) -> Callable[[Any], str] | None:
        low, high, value = (
            f',"{name}":' if name in wanted else None for name in map(self.flag, ("low", "high", "value"))
        )
        if low and high:
            return lambda span: f"{low}{span[0]}{high}{span[1]}"
        if low:
            return lambda span: f"{low}{span[0]}"
        if high:
            return lambda span: f"{high}{span[1]}"
        if value is None:
            return None
        if self.code is not None:
            return lambda codes: value + boolean_json(self.code in codes)
        json = _JSON["integer" if self.operand.view is View.RECORDED else self.type]
        return lambda found: value + json(found)


def boolean_json(value: bool) -> str:
    return "true" if value else "false"


def number_json(value: float) -> str:
    """A finite number, always with a decimal point and never with an exponent."""
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text if "." in text else f"{text}.0"


_JSON: Mapping[str, Callable[[Any], str]] = {
    "boolean": boolean_json,
    "integer": str,
    "number": number_json,
    "text": encode_basestring,
}
