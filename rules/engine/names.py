"""The named conditions of a pack: every truth that both evaluators are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.engine.conditions import AllOf, Condition, Not, Place
from rules.engine.content import Content

OUTSIDE_WHEN = "pack/outside-when"


@dataclass(frozen=True, slots=True)
class Named:
    """A condition with the name under which both evaluators report it."""

    name: str
    condition: Condition
    place: Place


def branch(rule: str, index: int) -> str:
    """The own ``when`` of a rule's outcome."""
    return f"{rule}/then/{index}"


def outside(rule: str) -> str:
    """``when`` true and the window false, for a rule with an outside service."""
    return f"{rule}/outside"


def ask(ask_id: str) -> str:
    return f"ask/{ask_id}"


def step(step_id: str) -> str:
    return f"step/{step_id}"


def named_conditions(content: Content) -> Mapping[str, Named]:
    """Every rule (``when`` and window together), branch, ask and step that has a condition, in the pack's order."""
    found: list[Named] = []
    for rule in content.rules:
        whole: Condition = rule.when if rule.window is None else AllOf((rule.window, rule.when), rule.place)
        found.append(Named(rule.id, whole, rule.place))
        if rule.window is not None and rule.outside is not None:
            not_in_window = AllOf((rule.when, Not(rule.window, rule.place)), rule.place)
            found.append(Named(outside(rule.id), not_in_window, rule.place))
        for index, outcome in enumerate(rule.then):
            if outcome.when is not None:
                found.append(Named(branch(rule.id, index), outcome.when, outcome.place))
        found.extend(Named(ask(item.id), item.when, item.place) for item in rule.asks)
    found.extend(Named(ask(item.id), item.when, item.place) for item in content.asks)
    found.extend(Named(step(item.id), item.when, item.place) for item in content.steps if item.when is not None)
    if content.outside_when is not None:
        found.append(Named(OUTSIDE_WHEN, content.outside_when, content.outside_when.place))
    return {named.name: named for named in found}
