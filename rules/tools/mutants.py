"""Packs that are wrong in one small way each: what an author could have written instead of what was meant.

Every mutant is made from the content as it was read (frozen dataclasses), so it needs no file and no parsing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rules.engine.conditions import Place
from rules.engine.content import (
    AlsoRefer,
    Ask,
    CapPriority,
    Content,
    FactDeclaration,
    MoveTo,
    Outcome,
    Refer,
    Rule,
    Step,
    StepAction,
    TaskSpec,
)
from rules.engine.model import PRIORITIES
from rules.tools.mutated_conditions import Change, mutated, other_threshold
from rules.tools.thresholds import used_parameters

Apply = Callable[[Content], Content]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change to a pack: ``rule`` is the id of the rule, step or ask, or the name of the fact or parameter."""

    rule: str
    place: Place
    change: str
    apply: Apply

    def __str__(self) -> str:
        return f"{self.place.file}:{self.place.line}: {self.rule}: {self.change}"


def mutants(content: Content) -> Iterator[Mutant]:
    """Every mutant of a pack, in the order of its rules, derived facts, steps, asks and parameters."""
    for rule in content.rules:
        for place, words, changed in _rule(rule, content):
            yield Mutant(rule.id, place, words, _with_rule(rule.id, changed))
    for declaration in content.facts.values():
        for place, words, fact in _derived(declaration, content):
            yield Mutant(declaration.name, place, words, _with_fact(fact))
    for number, step in enumerate(content.steps):
        if step.implied:
            continue
        for place, words, other in _step(step, content):
            yield Mutant(step.id, place, words, _with_step(number, other))
    for number, ask in enumerate(content.asks):
        for place, words, asking in _ask(ask, content):
            yield Mutant(ask.id, place, words, _with_ask(number, asking))
    if content.outside_when is not None:
        for place, words, condition in mutated(content.outside_when, content):
            yield Mutant("outside_when", place, words, _with_outside_when(condition))
        place = content.outside_when.place
        yield Mutant("outside_when", place, "drops outside_when", _with_outside_when(None))
    yield from _parameters(content)


def _rule(rule: Rule, content: Content) -> Iterator[Change[Rule]]:
    for place, words, when in mutated(rule.when, content):
        yield place, words, replace(rule, when=when)
    if rule.window is not None:
        yield rule.window.place, "drops the window", replace(rule, window=None, outside=None)
    if rule.outside is not None:
        yield rule.outside.place, "drops outside", replace(rule, outside=None)
        if not rule.outside.service.parameter:
            words = f"outside: {rule.outside.service.value} → another service"
            service = other_threshold(rule.outside.service, list(content.services))
            yield rule.outside.place, words, replace(rule, outside=replace(rule.outside, service=service))
    for index, outcome in enumerate(rule.then):
        rest = _without(rule.then, index)
        outside = rule.outside if any(isinstance(each.act, Refer) for each in rest) else None
        yield outcome.place, f"drops {_named(outcome)}", replace(rule, then=rest, outside=outside)
        for place, words, changed in _outcome(outcome, content):
            yield place, words, replace(rule, then=_exchanged(rule.then, index, changed))
    for index, ask in enumerate(rule.asks):
        yield ask.place, f"drops the ask {ask.task.code}", replace(rule, asks=_without(rule.asks, index))
        for place, words, asking in _ask_changed(ask, content):
            yield place, words, replace(rule, asks=_exchanged(rule.asks, index, asking))


def _outcome(outcome: Outcome, content: Content) -> Iterator[Change[Outcome]]:
    place, act = outcome.place, outcome.act
    if outcome.when is not None:
        yield place, f"{_named(outcome)} without its 'when'", replace(outcome, when=None)
        for inner, words, when in mutated(outcome.when, content):
            yield inner, words, replace(outcome, when=when)
    if isinstance(act, Refer):
        for priority in _neighbours(act.priority):
            words = f"{_named(outcome)}: priority {act.priority} → {priority}"
            yield place, words, replace(outcome, act=replace(act, priority=priority))
        if not act.service.parameter:
            words = f"{_named(outcome)}: another service"
            service = other_threshold(act.service, list(content.services))
            yield place, words, replace(outcome, act=replace(act, service=service))
        if act.start is not None:
            yield place, f"{_named(outcome)}: starts at once", replace(outcome, act=replace(act, start=None))
        if act.within.working:
            words = f"{_named(outcome)}: working days → days"
            yield place, words, replace(outcome, act=replace(act, within=replace(act.within, working=False)))
    if isinstance(act, TaskSpec):
        for priority in _neighbours(act.priority):
            words = f"{_named(outcome)}: priority {act.priority} → {priority}"
            yield place, words, replace(outcome, act=replace(act, priority=priority))


def _derived(declaration: FactDeclaration, content: Content) -> Iterator[Change[FactDeclaration]]:
    if declaration.derive is not None:
        for place, words, condition in mutated(declaration.derive, content):
            yield place, words, replace(declaration, derive=condition)
    if declaration.unknown_when is not None:
        yield declaration.unknown_when.place, "drops unknown_when", replace(declaration, unknown_when=None)
        for place, words, condition in mutated(declaration.unknown_when, content):
            yield place, f"unknown_when: {words}", replace(declaration, unknown_when=condition)


def _step(step: Step, content: Content) -> Iterator[Change[Step | None]]:
    yield step.place, "drops the step", None
    if step.when is not None:
        yield step.place, "drops its 'when'", replace(step, when=None)
        for place, words, when in mutated(step.when, content):
            yield place, words, replace(step, when=when)
    if step.services is not None:
        yield step.place, "for every service", replace(step, services=None)
        for service in sorted(step.services):
            yield step.place, f"not for {service}", replace(step, services=step.services - {service})
    if step.rules is not None:
        yield step.place, "for every rule", replace(step, rules=None)
        for rule in sorted(step.rules):
            yield step.place, f"not for {rule}", replace(step, rules=step.rules - {rule})
    if not step.safety:
        yield step.place, "for safety rules too", replace(step, safety=True)
    if step.beside:
        yield step.place, "drops 'beside'", replace(step, beside="")
        for priority in _neighbours(step.beside):
            yield step.place, f"beside: {step.beside} → {priority}", replace(step, beside=priority)
    if step.highest:
        yield step.place, "drops 'highest'", replace(step, highest="")
        for priority in _neighbours(step.highest):
            yield step.place, f"highest: {step.highest} → {priority}", replace(step, highest=priority)
    for key in ("open", "refused"):
        if getattr(step, key):
            changed: dict[str, Any] = {key: False}
            yield step.place, f"drops '{key}'", replace(step, **changed)
    for index, action in enumerate(step.actions):
        if len(step.actions) > 1:
            words = f"drops {_action_named(action)}"
            yield step.place, words, replace(step, actions=_without(step.actions, index))
        if isinstance(action, MoveTo | AlsoRefer) and not action.service.parameter:
            other: StepAction = replace(action, service=other_threshold(action.service, list(content.services)))
            words = f"{_action_named(action)}: another service"
            yield step.place, words, replace(step, actions=_exchanged(step.actions, index, other))
        if isinstance(action, CapPriority):
            for priority in _neighbours(action.priority):
                words = f"caps at {action.priority} → {priority}"
                capped = _exchanged(step.actions, index, replace(action, priority=priority))
                yield step.place, words, replace(step, actions=capped)


def _ask(ask: Ask, content: Content) -> Iterator[Change[Ask | None]]:
    yield ask.place, f"drops the ask {ask.task.code}", None
    yield from _ask_changed(ask, content)


def _ask_changed(ask: Ask, content: Content) -> Iterator[Change[Ask]]:
    for place, words, when in mutated(ask.when, content):
        yield place, words, replace(ask, when=when)
    for priority in _neighbours(ask.task.priority):
        words = f"asks {ask.task.code}: priority {ask.task.priority} → {priority}"
        yield ask.place, words, replace(ask, task=replace(ask.task, priority=priority))


def _parameters(content: Content) -> Iterator[Mutant]:
    """Each number that the rules use one unit up and down, each service exchanged."""
    for name in sorted(used_parameters(content)):
        parameter = content.parameters[name]
        values = [dated.value for dated in parameter.values]
        if all(type(value) in (int, float) for value in values):
            for step in (1, -1):
                if min(values) + step >= 0:
                    words = f"every value {step:+d}"
                    yield Mutant(name, parameter.place, words, _with_parameter(name, partial(operator.add, step)))
        elif all(value in content.services for value in values):
            exchange = partial(_other_service, list(content.services))
            yield Mutant(name, parameter.place, "another service", _with_parameter(name, exchange))


def _other_service(services: list[str], service: str) -> str:
    return next(each for each in services if each != service)


def _with_rule(rule_id: str, changed: Rule) -> Apply:
    return lambda content: replace(
        content, rules=tuple(changed if rule.id == rule_id else rule for rule in content.rules)
    )


def _with_fact(changed: FactDeclaration) -> Apply:
    return lambda content: replace(content, facts={**content.facts, changed.name: changed})


def _with_step(number: int, changed: Step | None) -> Apply:
    if changed is None:
        return lambda content: replace(content, steps=_without(content.steps, number))
    return lambda content: replace(content, steps=_exchanged(content.steps, number, changed))


def _with_ask(number: int, changed: Ask | None) -> Apply:
    if changed is None:
        return lambda content: replace(content, asks=_without(content.asks, number))
    return lambda content: replace(content, asks=_exchanged(content.asks, number, changed))


def _with_outside_when(condition: Any) -> Apply:
    return lambda content: replace(content, outside_when=condition)


def _with_parameter(name: str, change: Callable[[Any], Any]) -> Apply:
    def apply(content: Content) -> Content:
        parameter = content.parameters[name]
        values = tuple(replace(dated, value=change(dated.value)) for dated in parameter.values)
        return replace(content, parameters={**content.parameters, name: replace(parameter, values=values)})

    return apply


def _neighbours(priority: str) -> tuple[str, ...]:
    """The priorities next to this one ("same" has none)."""
    if priority not in PRIORITIES:
        return ()
    rank = PRIORITIES.index(priority)
    return tuple(PRIORITIES[each] for each in (rank - 1, rank + 1) if 0 <= each < len(PRIORITIES))


def _without(items: Sequence[Any], index: int) -> tuple[Any, ...]:
    return (*items[:index], *items[index + 1 :])


def _exchanged(items: Sequence[Any], index: int, item: Any) -> tuple[Any, ...]:
    return (*items[:index], item, *items[index + 1 :])


def _named(outcome: Outcome) -> str:
    act = outcome.act
    if isinstance(act, Refer):
        return f"refer {act.service.value or 'parameters.' + act.service.parameter}"
    return f"{'task' if isinstance(act, TaskSpec) else 'flag or issue'} {act.code}"


def _action_named(action: StepAction) -> str:
    words = {"MoveTo": "move_to", "AlsoRefer": "also_refer", "CapPriority": "priority", "StartNow": "start_now"}
    kind = type(action).__name__
    name = words.get(kind, kind.removeprefix("Add").removesuffix("Spec").lower())
    code = getattr(action, "code", "")
    return f"{name} {code}".rstrip()
