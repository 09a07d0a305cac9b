"""Which rules, steps and asks look at a parameter, a fact or a code list, also through derived facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rules.engine.conditions import Condition, facts_of
from rules.engine.content import Content, Step
from rules.engine.parse import PARAMETER
from rules.tools.thresholds import parts, thresholds_in

Key = tuple[str, str]
"""A section of a pack and a name in it."""


class Reach:
    """What looks at what in one pack; ``safe`` are its safety rules."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self.safe = frozenset(rule.id for rule in content.rules if rule.safety)
        self._steps = {step.id: step for step in content.steps}
        self._users: dict[Key, set[str]] = {}
        for part in parts(content):
            seen: set[Key] = {("parameters", each.parameter) for each in part.thresholds if each.parameter}
            self._look(part.conditions, part.facts, seen)
            for key in seen:
                self._users.setdefault(key, set()).add(part.id.split("/")[0])

    def users(self, section: str, name: str) -> frozenset[str]:
        """The ids of what looks at it; none for a rule or a step itself."""
        return frozenset(self._users.get((section, name), ()))

    def safety(self, section: str, name: str) -> frozenset[str]:
        """The safety rules that a change of it touches."""
        if section == "rules":
            return self.safe & {name}
        if section == "second stage":
            return self._held(self._steps[name]) if name in self._steps else frozenset()
        return self.safe & self.users(section, name)

    def _held(self, step: Step) -> frozenset[str]:
        """The safety rules whose referrals a step reaches."""
        if not step.safety:
            return frozenset()
        return (self.safe if step.rules is None else self.safe & step.rules) - step.not_rules

    def _look(self, conditions: Iterable[Condition], facts: Iterable[str], seen: set[Key]) -> None:
        names = list(facts)
        for condition in conditions:
            names += facts_of(condition)
            seen.update(("parameters", each.parameter) for each in thresholds_in(condition) if each.parameter)
        for name in names:
            if ("facts", name) in seen:
                continue
            seen.add(("facts", name))
            fact = self._content.facts[name]
            inner = [each for each in (fact.derive, fact.unknown_when) if each is not None]
            self._look(inner, (), seen)
            for text in _texts(fact.source):
                if text.startswith(PARAMETER):
                    seen.add(("parameters", text.removeprefix(PARAMETER)))
                else:
                    seen.add(("codes", text))


def _texts(value: Any) -> Iterator[str]:
    """Every text of a declaration. Some name a code list; what names nothing is never asked for."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
