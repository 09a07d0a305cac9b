"""The flat, typed properties that durable_rules sees, written straight as JSON text.

Only what is known or explicitly absent or unknown is written: no null, no array, no nested object. A span is two
properties, a list of codes one boolean per code asked for. Numbers are written without an exponent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from rules.engine.conditions import Operand, View
from rules.engine.model import Fact, State
from rules.engine.parameters import add_months

Write = Callable[[Mapping[str, Fact], date], str]


@dataclass(slots=True)
class Group:
    """The properties of one operand: their names, and how to write them."""

    operand: Operand
    type: str
    months: int | None
    codes: list[str] = field(default_factory=list)

    @property
    def is_span(self) -> bool:
        view = self.operand.view
        return self.type == "days" if view is View.VALUE else view is not View.RECORDED

    def flag(self, what: str) -> str:
        """The name of a property: value, low, high, known, absent, unknown or missing."""
        return f"{self._stem}__{what}"

    def has(self, code: str) -> str:
        """The name of the property that says whether a list of codes holds this one."""
        if code not in self.codes:
            self.codes.append(code)
        return self.flag(f"has_{self.codes.index(code)}")

    def owns(self, name: str) -> bool:
        """Whether a property is one of this group's."""
        return name.rpartition("__")[0] == self._stem

    @property
    def _stem(self) -> str:
        operand = self.operand
        parts = [operand.fact]
        if operand.older:
            parts.append("older")
        if operand.view is not View.VALUE:
            parts.append(operand.view.value)
        if operand.other:
            parts.append(operand.other)
        if self.months is not None:
            parts.append(str(self.months))
        return "__".join(parts)

    def writer(self, wanted: frozenset[str]) -> Write:
        """A function from the facts and the as-of date to the wanted JSON members of this group, "" for none."""
        known, absent, unknown = (self._constant(state, wanted) for state in State)
        value_of, text_of = self._value(), self._text(wanted)

        def write(facts: Mapping[str, Fact], as_of: date) -> str:
            state, value = value_of(facts, as_of)
            if state is State.ABSENT:
                return absent
            if state is State.UNKNOWN:
                return unknown
            return known + text_of(value) if text_of is not None else known

        return write

    def _constant(self, state: State, wanted: frozenset[str]) -> str:
        flags = ("known",) if state is State.KNOWN else (state.value, "missing")
        return "".join(f',"{name}":true' for name in map(self.flag, flags) if name in wanted)

    def _value(self) -> Callable[[Mapping[str, Fact], date], tuple[State, Any]]:
        name, other, view, months = self.operand.fact, self.operand.other, self.operand.view, self.months or 0
        older = self.operand.older

        def this(facts: Mapping[str, Fact]) -> tuple[State, Any, date | None]:
            fact = facts[name]
            if not older:
                return fact.state, fact.value, fact.on
            return (State.ABSENT if fact.older is None else State.KNOWN), fact.older, fact.older_on

        def plain(facts: Mapping[str, Fact], as_of: date) -> tuple[State, Any]:  # noqa: ARG001
            state, value, _ = this(facts)
            return state, value

        def recorded(facts: Mapping[str, Fact], as_of: date) -> tuple[State, Any]:
            state, _, on = this(facts)
            if state is not State.KNOWN:
                return State.ABSENT, None
            return (State.UNKNOWN, None) if on is None else (state, (as_of - on).days)

        def days_ago(facts: Mapping[str, Fact], as_of: date) -> tuple[State, Any]:
            state, span, _ = this(facts)
            if state is not State.KNOWN:
                return state, None
            return state, ((as_of - span.high).days, (as_of - span.low).days)

        def within_months(facts: Mapping[str, Fact], as_of: date) -> tuple[State, Any]:
            state, span, _ = this(facts)
            if state is not State.KNOWN:
                return state, None
            return state, tuple((add_months(day, months) - as_of).days for day in span)

        def days_after(facts: Mapping[str, Fact], as_of: date) -> tuple[State, Any]:  # noqa: ARG001
            left, right = facts[name], facts[other]
            states = (left.state, right.state)
            if State.ABSENT in states:
                return State.ABSENT, None
            if State.UNKNOWN in states:
                return State.UNKNOWN, None
            one: Any = left.value
            two: Any = right.value
            return State.KNOWN, ((one.low - two.high).days, (one.high - two.low).days)

        ways = {View.VALUE: plain, View.RECORDED: recorded, View.DAYS_AGO: days_ago}
        return {**ways, View.MONTHS: within_months, View.AFTER: days_after}[view]

    def _text(self, wanted: frozenset[str]) -> Callable[[Any], str] | None:
        members = [(code, f',"{self.flag(f"has_{i}")}":') for i, code in enumerate(self.codes)]
        members = [(code, member) for code, member in members if member[2:-2] in wanted]
        if members:
            return lambda codes: "".join(member + ("true" if code in codes else "false") for code, member in members)
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
        kind = "integer" if self.operand.view is View.RECORDED else self.type
        json: Callable[[Any], str] = _JSON[kind]
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
