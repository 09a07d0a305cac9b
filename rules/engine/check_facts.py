"""Checks the facts of a caller against their declarations. A FactError never repeats a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from math import isfinite
from typing import Any

from rules.engine.content import FactDeclaration
from rules.engine.errors import FactError
from rules.engine.model import ABSENT, KNOWN, UNKNOWN, DateSpan, DaySpan, Fact
from rules.engine.parse import MAX_INTEGER

_DAY = (date, type(None))
_ABSENCE = {"not-met": ABSENT, "unknown": UNKNOWN}


class FactChecker:
    """Completes a set of facts with the declared state of those that are missing, and checks each one given."""

    def __init__(self, declarations: Mapping[str, FactDeclaration]) -> None:
        self._declarations = declarations
        given = {name: each for name, each in declarations.items() if each.derive is None}
        self.missing = {name: Fact(name, _ABSENCE[each.absent]) for name, each in given.items()}
        self._types = {name: _TYPES[each.type] for name, each in given.items()}
        self._quiet: dict[str, Fact] = {}
        self._ranges = {name: each.range for name, each in given.items() if each.range is not None}

    def complete(self, facts: Mapping[str, Fact]) -> tuple[dict[str, Fact], list[str]]:
        """All declared facts (without derived ones), and the names of those that say more than a missing fact.

        Raises FactError.
        """
        complete = {**self.missing, **facts}
        if len(complete) != len(self.missing):
            raise self._unexpected(facts)
        quiet = self._quiet
        telling = [name for name, fact in facts.items() if quiet.get(name) is not fact and self._tells(name, fact)]
        return complete, telling

    def _tells(self, name: str, fact: Fact) -> bool:
        """Checks a fact. One that says no more than a missing one is remembered, unless it holds evidence."""
        self._check(name, fact)
        if fact.state is not self.missing[name].state or fact.older is not None:
            return True
        if not fact.evidence:
            self._quiet[name] = fact
        return False

    def _unexpected(self, facts: Mapping[str, Fact]) -> FactError:
        name = next(name for name in facts if name not in self.missing)
        if name in self._declarations:
            return FactError(f"{name} is derived by the pack: it cannot be given")
        return FactError(f"no fact is called {name!r} in this pack")

    def _check(self, name: str, fact: Fact) -> None:
        if fact.name != name:
            raise FactError(f"the fact under {name} has another name: {fact.name}")
        state = fact.state
        if state is KNOWN:
            self._value(name, fact.value)
        elif state is not ABSENT and state is not UNKNOWN:
            raise FactError(f"{name}: the state must be one of State's")
        elif fact.value is not None:
            raise FactError(f"{name}: only a known fact has a value")
        if fact.older is not None:
            self._value(name, fact.older)
        if type(fact.on) not in _DAY or type(fact.older_on) not in _DAY:
            raise FactError(f"{name}: a date without a time is needed")

    def _value(self, name: str, value: Any) -> None:
        if not self._types[name](value):
            raise FactError(f"{name}: the value does not fit the type {self._declarations[name].type}")
        if name in self._ranges:
            least, most = self._ranges[name]
            low, high = value if type(value) is DaySpan else (value, value)
            if low < least or high > most:
                raise FactError(f"{name}: the value is out of the range {least} to {most}")


def _boolean(value: Any) -> bool:
    return type(value) is bool


def _integer(value: Any) -> bool:
    return type(value) is int and -MAX_INTEGER <= value <= MAX_INTEGER


def _number(value: Any) -> bool:
    return isfinite(value) if type(value) is float else _integer(value)


def _text(value: Any) -> bool:
    return type(value) is str and (value.isascii() or _encodes(value))


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _codes(value: Any) -> bool:
    return type(value) is frozenset and all(type(code) is str for code in value)


def _date(value: Any) -> bool:
    return type(value) is DateSpan and type(value.low) is date and type(value.high) is date and value.low <= value.high


def _days(value: Any) -> bool:
    return type(value) is DaySpan and _integer(value.low) and _integer(value.high) and value.low <= value.high


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "text": _text,
    "codes": _codes,
    "date": _date,
    "days": _days,
}
