"""What a pack says, in words for a page: conditions as nested lists, timeframes, services, sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from rules.engine.condition_text import group_text, phrase_of, threshold_of
from rules.engine.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Derived,
    Is,
    Not,
    OlderTest,
    Presence,
    Threshold,
    Unless,
    WithinMonths,
    facts_of,
)
from rules.engine.content import Content, Dated, Parameter, Start, Within
from rules.engine.explain import value_text
from rules.engine.model import Source
from rules.engine.parameters import Values, dated_at
from rules.tools.words import Labels

_ANSWERS = {
    Presence.PRESENT: "yes",
    Presence.ABSENT: "no",
    Presence.KNOWN: "on record",
    Presence.MISSING: "not on record",
}


@dataclass(frozen=True, slots=True)
class Said:
    """A condition in words. A group has ``text`` and ``children``; a comparison a fact's label and what is asked of it.

    ``fact`` and ``parameters`` name what a reader can look up.
    """

    text: str
    test: str = ""
    fact: str = ""
    parameters: tuple[str, ...] = ()
    children: tuple[Said, ...] = ()

    def named(self) -> Iterator[str]:
        """The parameters in it, those of its parts too."""
        yield from self.parameters
        for child in self.children:
            yield from child.named()


class Words:
    """The words of one pack, for one provider, with the values of one day."""

    def __init__(self, content: Content, as_of: date, labels: Labels) -> None:
        self.content, self.as_of, self._labels = content, as_of, labels
        self.values = Values(content.parameters, as_of)

    def said(self, condition: Condition) -> Said:
        """A condition, with everything inside it."""
        match condition:
            case AllOf(children=children) if self._one_fact(children):
                parts = tuple(map(self.said, children))
                named = tuple(name for part in parts for name in part.parameters)
                return Said(parts[0].text, " and ".join(part.test for part in parts), parts[0].fact, named)
            case AllOf(children=children) | AnyOf(children=children):
                return Said(group_text(condition), children=tuple(map(self.said, children)))
            case Not(child=child) | Unless(child=child) | OlderTest(test=child):
                return Said(group_text(condition), children=(self.said(child),))
        return self._comparison(condition)

    def _one_fact(self, children: tuple[Condition, ...]) -> bool:
        """Whether these are comparisons of one thing: a band, such as 15 or more and below 20."""
        operands = {child.operand if isinstance(child, Compare) else None for child in children}
        return len(operands) == 1 and None not in operands

    def _comparison(self, condition: Compare | Is | WithinMonths | Derived) -> Said:
        phrase = phrase_of(condition, self.content.facts, self.values)
        assert phrase is not None  # noqa: S101 - only groups have none
        if isinstance(condition, Derived):
            return Said(phrase.label, _ANSWERS[condition.test], condition.fact)
        fact = condition.operand.fact
        if isinstance(condition, Is):
            boolean = condition.boolean or condition.test in (Presence.KNOWN, Presence.MISSING)
            return Said(phrase.label, _ANSWERS[condition.test] if boolean else phrase.test, fact)
        threshold = threshold_of(condition)
        named = (threshold.parameter,) if threshold and threshold.parameter else ()
        return Said(phrase.label, f"{phrase.test.removeprefix('is ')} {phrase.view}".rstrip(), fact, named)

    def closure(self, *conditions: Condition | None) -> tuple[str, ...]:
        """The facts that conditions rest on, those behind named conditions too, in the order of facts.yaml."""
        found: set[str] = set()
        pending = [condition for condition in conditions if condition is not None]
        while pending:
            for name in facts_of(pending.pop()) - found:
                found.add(name)
                declaration = self.content.facts[name]
                pending += [each for each in (declaration.derive, declaration.unknown_when) if each is not None]
        return tuple(name for name in self.content.facts if name in found)

    def deciding(self, *conditions: Condition | None) -> tuple[str, ...]:
        """The facts that can be named as missing where conditions are unknown: a named condition with an ``ask`` of
        its own stands for those behind it, and what is never unknown asks for nothing."""
        found: dict[str, None] = {}
        for condition in conditions:
            for name in self._deciding(condition):
                found[name] = None
        return tuple(found)

    def _deciding(self, condition: Condition | None) -> Iterator[str]:
        match condition:
            case AllOf(children=children) | AnyOf(children=children):
                for child in children:
                    yield from self._deciding(child)
            case Not(child=child):
                yield from self._deciding(child)
            case Derived(fact=name, test=Presence.PRESENT):
                declaration = self.content.facts[name]
                if declaration.ask:
                    yield name
                else:
                    yield from self._deciding(declaration.derive)
                    yield from self._deciding(declaration.unknown_when)
            case Is(operand=operand, test=Presence.PRESENT | Presence.ABSENT):
                yield operand.fact
            case Compare(operand=operand) | WithinMonths(operand=operand):
                yield operand.fact
                if operand.other:
                    yield operand.other

    def service(self, key: str) -> str:
        return self.content.services[key].label

    def destination(self, threshold: Threshold) -> str:
        """The key of the service that a referral goes to on the day."""
        key: str = self.values.of(threshold)
        return key

    def within(self, within: Within, start: Start | None = None) -> str:
        """A timeframe: ``the same day``, ``within 2 working days``."""
        days, kind = self.values.of(within.days), "working day" if within.working else "day"
        words = f"within {counted(days, kind)}" if days else "the same day"
        if start is None:
            return words
        after = counted(self.values.of(start.plus_days), "day")
        return f"{words}, counted from {after} after {self.content.facts[start.fact].label}"

    def task(self, code: str) -> str:
        return self._labels("perinatal-task", code)

    def flag(self, code: str) -> str:
        return self._labels("perinatal-flag", code)

    def value(self, parameter: Parameter) -> str:
        """The value on the day, with its unit."""
        return self.amount(self.in_force(parameter).value, parameter)

    def in_force(self, parameter: Parameter) -> Dated:
        return dated_at(parameter, self.as_of)

    def amount(self, value: object, parameter: Parameter) -> str:
        return f"{plain(value)} {parameter.unit}".rstrip()

    @cached_property
    def used_by(self) -> Mapping[str, tuple[str, ...]]:
        """The rules that rest on each fact."""
        found: dict[str, list[str]] = {}
        for rule in self.content.rules:
            asked = [ask.when for ask in rule.asks]
            branches = [outcome.when for outcome in rule.then]
            for name in self.closure(rule.window, rule.when, *branches, *asked):
                found.setdefault(name, []).append(rule.id)
        return {name: tuple(rules) for name, rules in found.items()}


def counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def plain(value: object) -> str:
    """A parameter's value: a list with commas, an empty one as ``none``."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return value_text(value)


def needs_confirming(source: Source) -> bool:
    """Whether a source carries any mark but [V], "read in a published source", or none at all."""
    return not source.confidence.startswith("V") or "K-" in source.confidence
