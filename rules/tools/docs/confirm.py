"""What a clinician must still confirm: every parameter marked so, and everything whose source is not marked [V]."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rules.engine.model import Source
from rules.tools.docs.words import Words, needs_confirming


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A line of a code list. ``match`` and ``role`` say how it is read, where they say anything."""

    system: str
    code: str
    display: str
    source: str
    mark: str
    match: str
    role: str


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the sign-off sheet: what it is, what the pack holds, and why somebody has to look at it."""

    kind: str
    name: str
    title: str
    holds: str
    sources: tuple[Source, ...]
    why: str
    page: str


def code_lists(folder: Path) -> dict[str, tuple[CodeRow, ...]]:
    """The lists of a pack (``codes/NAME.csv``) by name, in the order of their names."""
    found = {}
    for path in sorted((folder / "codes").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem] = tuple(
                CodeRow(**{name: row.get(name) or "" for name in CodeRow.__slots__}) for row in csv.DictReader(file)
            )
    return found


def to_confirm(words: Words, lists: dict[str, tuple[CodeRow, ...]]) -> tuple[Item, ...]:
    """Everything on the sign-off sheet: parameters, rules, steps, asks, the provider's policy and codes."""
    return (*_parameters(words), *_rules(words), *_steps(words), *_policy(words), *_codes(lists))


def _parameters(words: Words) -> Iterator[Item]:
    for parameter in words.content.parameters.values():
        if parameter.confirm or _why(parameter.sources):
            why = "; ".join(
                filter(None, ("marked for confirmation" if parameter.confirm else "", _why(parameter.sources)))
            )
            page = f"parameters.html#{parameter.name}"
            yield Item(
                "Parameter", parameter.name, parameter.label, words.value(parameter), parameter.sources, why, page
            )


def _rules(words: Words) -> Iterator[Item]:
    for rule in words.content.rules:
        if why := _why(rule.sources):
            holds = "safety rule" if rule.safety else "rule"
            yield Item("Rule", rule.id, rule.title, holds, rule.sources, why, f"rule-{rule.id}.html")


def _steps(words: Words) -> Iterator[Item]:
    for step in words.content.steps:
        if not step.implied and (why := _why(step.sources)):
            yield Item("Step after the rules", step.id, step.title, "step", step.sources, why, f"after.html#{step.id}")
    for ask in words.content.asks:
        if why := _why(ask.sources):
            holds = words.task(ask.task.code)
            yield Item("Ask of no rule", ask.id, ask.title, holds, ask.sources, why, f"after.html#{ask.id}")


def _policy(words: Words) -> Iterator[Item]:
    provider = words.content.provider
    if why := _why(provider.sources):
        own = [f"{p.name}: {words.value(p)}" for p in words.content.parameters.values() if p.provider]
        holds = "; ".join(own) or "no values of its own"
        yield Item(
            "Provider's policy", provider.name, provider.title, holds, provider.sources, why, "pack.html#provider"
        )


def _codes(lists: dict[str, tuple[CodeRow, ...]]) -> Iterator[Item]:
    for name, rows in lists.items():
        sources = tuple(Source(row.source or f"codes/{name}.csv", confidence=row.mark) for row in rows)
        unsure = [row for row, source in zip(rows, sources, strict=True) if needs_confirming(source)]
        if unsure:
            holds = "; ".join(f"{row.system} {row.code} {row.display}" for row in unsure)
            distinct = tuple(dict.fromkeys(source for source in sources if needs_confirming(source)))
            yield Item("Code list", name, f"Codes of {name}", holds, distinct, _why(distinct), f"codes.html#{name}")


def _why(sources: tuple[Source, ...]) -> str:
    """The marks that have to be looked at, or "" where every source was read in print."""
    if not sources:
        return "no source"
    marks = dict.fromkeys(source.confidence or "no mark" for source in sources if needs_confirming(source))
    return "; ".join(marks)
