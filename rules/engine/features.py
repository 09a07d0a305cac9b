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
from rules.engine.model import ABSENT, KNOWN, UNKNOWN, DateSpan, Fact, State
from rules.engine.parameters import add_months

_FLAGS = ("value", "low", "high", "known", "absent", "unknown", "missing")

Find = Callable[[Mapping[str, Fact], date], Any]
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
        find, text = self._find(), self._text(known, wanted)

        def write(facts: Mapping[str, Fact], as_of: date) -> str:
            found = find(facts, as_of)
            return absent if found is ABSENT else unknown if found is UNKNOWN else text(found)

        return write

    def _constant(self, state: State, wanted: frozenset[str]) -> str:
        flags = ("known",) if state is KNOWN else (state.value, "missing")
        return "".join(f',"{name}":true' for name in map(self.flag, flags) if name in wanted)

    def _find(self) -> Find:
        """How to find the value of the operand, or the state that says why it has none."""
        name, months, plain = self.operand.fact, self.months or 0, self._plain()

        def recorded(facts: Mapping[str, Fact], as_of: date) -> Any:
            fact = facts[name]
            if isinstance(plain(facts, as_of), State):
                return ABSENT
            on = fact.older_on if self.operand.older else fact.on
            return UNKNOWN if on is None else (as_of - on).days

        def days_ago(facts: Mapping[str, Fact], as_of: date) -> Any:
            span = plain(facts, as_of)
            return span if isinstance(span, State) else ((as_of - span.high).days, (as_of - span.low).days)

        def within_months(facts: Mapping[str, Fact], as_of: date) -> Any:
            span = plain(facts, as_of)
            return span if isinstance(span, State) else [(add_months(day, months) - as_of).days for day in span]

        views = {View.VALUE: plain, View.RECORDED: recorded, View.DAYS_AGO: days_ago, View.MONTHS: within_months}
        return views.get(self.operand.view, self._days_after)

    def _plain(self) -> Find:
        name = self.operand.fact

        def older(facts: Mapping[str, Fact], as_of: date) -> Any:  # noqa: ARG001
            value = facts[name].older
            return ABSENT if value is None else value

        def plain(facts: Mapping[str, Fact], as_of: date) -> Any:  # noqa: ARG001
            fact = facts[name]
            state = fact.state
            return fact.value if state is KNOWN else state

        return older if self.operand.older else plain

    def _days_after(self, facts: Mapping[str, Fact], as_of: date) -> Any:  # noqa: ARG002
        left, right = (facts[name] for name in self.facts)
        states = (left.state, right.state)
        if ABSENT in states:
            return ABSENT
        if UNKNOWN in states:
            return UNKNOWN
        one, two = cast(DateSpan, left.value), cast(DateSpan, right.value)
        return (one.low - two.high).days, (one.high - two.low).days

    def _text(self, known: str, wanted: frozenset[str]) -> Callable[[Any], str]:
        """How to write a value, after what is written of every known one."""
        low, high, value = (
            f',"{name}":' if name in wanted else None for name in map(self.flag, ("low", "high", "value"))
        )
        if low and high:
            return lambda span: f"{known}{low}{span[0]}{high}{span[1]}"
        if low:
            return lambda span: f"{known}{low}{span[0]}"
        if high:
            return lambda span: f"{known}{high}{span[1]}"
        if value is None:
            return lambda found: known  # noqa: ARG005
        before = known + value
        if self.code is not None:
            return lambda codes: before + boolean_json(self.code in codes)
        kind = "integer" if self.operand.view is View.RECORDED else self.type
        if kind == "boolean":
            return {truth: before + boolean_json(truth) for truth in (True, False)}.__getitem__
        json = _JSON[kind]
        return lambda found: before + json(found)


def boolean_json(value: bool) -> str:
    return "true" if value else "false"


def number_json(value: float) -> str:
    """A finite number, always with a decimal point and never with an exponent."""
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text if "." in text else f"{text}.0"


_JSON: Mapping[str, Callable[[Any], str]] = {
    "integer": str,
    "number": number_json,
    "text": encode_basestring,
}
