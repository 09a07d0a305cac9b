"""What the linter says: one finding with its place, what to do about it, and the facts that show it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from rules.engine.conditions import Place
from rules.engine.content import FactDeclaration
from rules.engine.model import DateSpan, DaySpan, Fact, FactValue, State
from rules.tools.lint.catalogue import CATALOGUE


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Witness:
    """Facts that show a finding, in words and as ``given`` of a test beside the rules; no other fact is given."""

    as_of: date
    facts: tuple[Fact, ...]
    words: str
    given: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or doubtful. ``about`` names what an exception in lint.yaml can speak of.

    ``scope`` says for which provider and from which day, where it is not so for all.
    """

    code: str
    place: Place
    message: str
    about: tuple[str, ...] = ()
    witness: Witness | None = None
    scope: str = ""

    @property
    def severity(self) -> Severity:
        return Severity(CATALOGUE[self.code].severity)

    @property
    def advice(self) -> str:
        return CATALOGUE[self.code].advice

    def lines(self, file: str) -> Iterator[str]:
        """For reading; ``file`` is how the file is to be named."""
        scope = f" ({self.scope})" if self.scope else ""
        place = f"{file}:{self.place.line}:{self.place.column}"
        yield f"{place}: {self.severity} {self.code}: {self.message}{scope}"
        yield f"  do: {self.advice}"
        if self.witness:
            yield f"  shown by: {self.witness.words}"
            yield f"  as_of: {self.witness.as_of}"
            yield f"  given: {self.witness.given}"

    def json(self, file: str) -> dict[str, Any]:
        found: dict[str, Any] = {
            "code": self.code,
            "severity": self.severity.value,
            "file": file,
            "line": self.place.line,
            "column": self.place.column,
            "message": self.message,
            "advice": self.advice,
            "about": list(self.about),
        }
        if self.scope:
            found["scope"] = self.scope
        if self.witness:
            found["witness"] = {
                "as_of": self.witness.as_of.isoformat(),
                "words": self.witness.words,
                "given": self.witness.given,
            }
        return found


def witness(facts: tuple[Fact, ...], as_of: date, declarations: Mapping[str, FactDeclaration]) -> Witness:
    """Facts in words, and as a test beside the rules would give them."""
    words = "; ".join(f"{declarations[fact.name].label}: {_words(fact)}" for fact in facts)
    given = ", ".join(f"{fact.name}: {_given(fact)}" for fact in facts)
    return Witness(as_of, facts, words or "nothing on record", f"{{{given}}}")


def _words(fact: Fact) -> str:
    on = f" on {fact.on}" if fact.on else ""
    if fact.state is State.KNOWN and fact.value is not None:
        said = f"{_value(fact.value)}{on}"
    else:
        said = "not in the record" if fact.state is State.ABSENT else "not known"
    if fact.older is None:
        return said
    older_on = f" of {fact.older_on}" if fact.older_on else ""
    return f"{said}, and {_value(fact.older)}{older_on}, too old to count"


def _value(value: FactValue) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case DateSpan(low=low, high=high):
            return str(low) if low == high else f"between {low} and {high}"
        case DaySpan(low=low, high=high):
            return f"{low} days" if low == high else f"{low} to {high} days"
        case frozenset():
            return ", ".join(sorted(value)) or "none"
    return str(value)


def _given(fact: Fact) -> str:
    """A fact in the words of ``tests/*.yaml``."""
    value = None if fact.value is None else _plain(fact.value)
    if fact.older is None and fact.on is None:
        return fact.state.value if value is None else value
    parts = [f"value: {value}"] if value is not None else [f"state: {fact.state}"]
    if fact.on:
        parts.append(f"on: {fact.on}")
    if fact.older is not None:
        parts.append(f"older: {_plain(fact.older)}")
        if fact.older_on:
            parts.append(f"older_on: {fact.older_on}")
    return f"{{{', '.join(parts)}}}"


def _plain(value: FactValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case DateSpan(low=low, high=high) | DaySpan(low=low, high=high):
            return str(low) if low == high else f"{{low: {low}, high: {high}}}"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case frozenset():
            return f"[{', '.join(json.dumps(code, ensure_ascii=False) for code in sorted(value))}]"
    return str(value)
