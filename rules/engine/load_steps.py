"""Reads second_stage.yaml, and refuses steps that could mask a safety rule."""

from __future__ import annotations

from collections.abc import Mapping

from rules.engine.conditions import Place
from rules.engine.content import (
    AddNote,
    AlsoRefer,
    CapPriority,
    FallBack,
    Hold,
    MoveTo,
    Parameter,
    Rule,
    Service,
    StartFrom,
    StartNow,
    Step,
    StepAction,
    TaskSpec,
    WhenClosed,
    Within,
)
from rules.engine.cursor import Cursor, sources
from rules.engine.load_rules import Destinations, plain_act
from rules.engine.parse import Parser

FACT_OPEN = "open_services"
FACT_REFUSED = "consent_refused_for"
WHERE_IT_GOES: Mapping[type[FallBack] | type[WhenClosed], tuple[str, str]] = {
    FallBack: ("fall_back", "Another service takes over where one is not offered, or covers her nowhere"),
    WhenClosed: ("when_closed", "An emergency to a service that is closed is made elsewhere as well"),
}
"""What every pack does, where its steps say so or after them: the key of each, and its title where it is implied."""


def load_steps(
    file: Cursor,
    parser: Parser,
    parameters: Mapping[str, Parameter],
    services: Mapping[str, Service],
    timeframes: Mapping[str, Within],
    rules: tuple[Rule, ...],
) -> tuple[Step, ...]:
    """The steps of the second stage, in order."""
    destinations = Destinations(parser, parameters, services, timeframes)
    by_id = {rule.id: rule for rule in rules}
    steps: dict[str, Step] = {}
    for at in file.each():
        step = _step(at, destinations, services, by_id)
        if step.id in steps:
            raise at["id"].error(f"the step {step.id} is given twice", code="RC026")
        _leave_nobody_out(at, step, tuple(steps.values()))
        _protect_safety(at, step, by_id)
        steps[step.id] = step
    return tuple(steps.values())


def with_implied(steps: tuple[Step, ...], place: Place) -> tuple[Step, ...]:
    """The steps of a pack, and after them what it does not say itself of services that are not there or closed.

    ``place`` is where the pack would say it. No step of a file can have the id of an implied one.
    """
    written = {type(action) for step in steps for action in step.actions}
    implied = (
        Step(key, title, (), (kind(),), place, implied=True)
        for kind, (key, title) in WHERE_IT_GOES.items()
        if kind not in written
    )
    return (*steps, *implied)


def _step(at: Cursor, destinations: Destinations, services: Mapping[str, Service], rules: Mapping[str, Rule]) -> Step:
    parser, when = destinations.parser, at.child("when")
    for key, fact in (("open", FACT_OPEN), ("refused", FACT_REFUSED)):
        if key in at:
            parser.fact(fact, at[key], "codes")
    beside, highest = at.get("beside"), at.get("highest")
    return Step(
        id=at.data["id"],
        title=at.data["title"],
        sources=sources(at),
        actions=tuple(_action(item, destinations, services) for item in at.each("do")),
        place=at.place,
        when=parser.condition(when) if when else None,
        services=_names(at, "services", services, "service"),
        rules=_names(at, "rules", rules, "rule"),
        not_rules=_names(at, "not_rules", rules, "rule") or frozenset(),
        safety=at.get("safety", True),
        beside=beside["priority"] if beside else "",
        highest=highest["priority"] if highest else "",
        open=at.get("open", False),
        refused=at.get("refused", False),
    )


def _names(at: Cursor, key: str, known: Mapping[str, object], what: str) -> frozenset[str] | None:
    if key not in at:
        return None
    for item in at.each(key):
        if item.data not in known:
            raise item.error(f"no {what} is called {item.data!r}: correct the name", code="RC024")
    return frozenset(at.data[key])


def _action(at: Cursor, destinations: Destinations, services: Mapping[str, Service]) -> StepAction:
    if "move_to" in at:
        return MoveTo(destinations.service(at["move_to"]))
    if "also_refer" in at:
        return AlsoRefer(destinations.service(at["also_refer"]))
    if "hold" in at:
        return Hold()
    if "fall_back" in at:
        return FallBack()
    if "when_closed" in at:
        return WhenClosed()
    if "priority" in at:
        return CapPriority(at.data["priority"], destinations.within(at, at.data["priority"]))
    if "start_now" in at:
        return StartNow()
    if "start_from" in at:
        start = at["start_from"]
        fact = destinations.parser.fact(start.data["fact"], start["fact"], "days")
        return StartFrom(fact, destinations.parser.days(start["weeks"]))
    if "note" in at:
        return AddNote(at.data["note"])
    task = at.child("task")
    if task and "service" in task and task.data["service"] not in ("this", *services):
        raise task["service"].error(
            f"no service is called {task.data['service']!r}: write 'this' or a service's key", code="RC021"
        )
    return plain_act(at, destinations.parser)


def _protect_safety(at: Cursor, step: Step, rules: Mapping[str, Rule]) -> None:
    """Safety rules are never masked: a step that can reach one may not lower its referral, nor hold it in silence.

    It may hold one where the team that is asked already has her and is told so in a Task.
    """
    kinds = {type(action) for action in step.actions}
    if Hold in kinds and MoveTo in kinds:
        raise at.error("'hold' and 'move_to' in one step: nothing would be left of the referral", code="RC042")
    if not step.safety:
        return
    reachable = (step.rules or frozenset(rules)) - step.not_rules
    safety = sorted(rule for rule in reachable if rules[rule].safety)
    told = step.open and any(isinstance(action, TaskSpec) and action.service == "this" for action in step.actions)
    if safety and Hold in kinds and AlsoRefer not in kinds and not told:
        message = "add 'safety: false', an 'also_refer', or with 'open: true' a 'task' for 'service: this'"
        raise at.error(f"this step could hold a referral of a safety rule ({safety[0]}): {message}", code="RC041")
    if safety and kinds & {CapPriority, StartFrom}:
        message = f"this step could lower or delay a referral of a safety rule ({safety[0]}): add 'safety: false'"
        raise at.error(message, code="RC041")


def _leave_nobody_out(at: Cursor, step: Step, before: tuple[Step, ...]) -> None:
    """What looks after services that are not there is about every referral, and stands once and alone."""
    for kind, (key, _) in WHERE_IT_GOES.items():
        if not any(isinstance(action, kind) for action in step.actions):
            continue
        if len(step.actions) > 1 or at.data.keys() - {"id", "title", "sources", "do"}:
            message = f"'{key}' is about every referral: write it in a step of its own, with no condition and no limits"
            raise at.error(message, code="RC043")
        if any(isinstance(action, kind) for each in before for action in each.actions):
            raise at.error(f"'{key}' is in a step before this one: write it once", code="RC043")
