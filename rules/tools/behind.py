"""What a rule rests on: the facts that its conditions look at, also through derived ones, and its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rules.engine.conditions import Condition, Threshold, facts_of
from rules.engine.content import Content, Refer, Rule, Within
from rules.engine.parse import PARAMETER
from rules.tools.thresholds import thresholds_in


def facts_behind(content: Content, conditions: Iterable[Condition]) -> tuple[str, ...]:
    """The facts of these conditions, given and derived, each once, in the order of the pack."""
    found: set[str] = set()
    waiting = list(conditions)
    while waiting:
        new = facts_of(waiting.pop()) - found
        found |= new
        for name in new:
            declaration = content.facts[name]
            waiting += [each for each in (declaration.derive, declaration.unknown_when) if each is not None]
    return tuple(name for name in content.facts if name in found)


def conditions_of(rule: Rule) -> tuple[Condition, ...]:
    """The window and the ``when`` of a rule, and those of its branches and asks."""
    own = (rule.window, rule.when, *(outcome.when for outcome in rule.then), *(ask.when for ask in rule.asks))
    return tuple(condition for condition in own if condition is not None)


def parameters_behind(content: Content, rule: Rule) -> tuple[str, ...]:
    """The parameters that decide about a rule: its thresholds and destinations, and those of the facts it looks at."""
    conditions = conditions_of(rule)
    facts = facts_behind(content, conditions)
    declared = [content.facts[name] for name in facts]
    derived = [each for one in declared for each in (one.derive, one.unknown_when) if each is not None]
    thresholds = [each for condition in (*conditions, *derived) for each in thresholds_in(condition)]
    named = {each.parameter for each in (*thresholds, *_of_outcomes(rule))}
    named.update(name for one in declared for name in _of_source(one.source))
    return tuple(name for name in content.parameters if name in named)


def _of_outcomes(rule: Rule) -> Iterator[Threshold]:
    timeframes: list[Within | None] = []
    for outcome in rule.then:
        if isinstance(outcome.act, Refer):
            yield outcome.act.service
            timeframes.append(outcome.act.within)
            if outcome.act.start is not None:
                yield outcome.act.start.plus_days
    if rule.outside is not None:
        yield rule.outside.service
        timeframes.append(rule.outside.within)
    yield from (within.days for within in timeframes if within is not None)


def _of_source(source: Any) -> Iterator[str]:
    """The parameters that a fact's ``from`` names, for whoever supplies the fact."""
    match source:
        case str() if source.startswith(PARAMETER):
            yield source.removeprefix(PARAMETER)
        case list():
            for item in source:
                yield from _of_source(item)
        case None | str() | int() | float():
            return
        case _:
            for item in source.values():
                yield from _of_source(item)
