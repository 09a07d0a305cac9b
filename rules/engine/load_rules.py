"""Reads the criteria files (lists of rules) and asks.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rules.engine.conditions import Derived, Is, Operand, Presence, Threshold
from rules.engine.content import (
    Ask,
    FlagSpec,
    IssueSpec,
    Outcome,
    Outside,
    Parameter,
    Refer,
    Rule,
    Service,
    Start,
    TaskSpec,
    Within,
)
from rules.engine.cursor import Cursor, period, sources
from rules.engine.parse import Parser


def refuse_task_only(service: Service, at: Cursor) -> None:
    """Refuse a service to which no referral is made as the destination of one."""
    if service.task_only:
        raise at.error(
            f"no referral is made to {service.key} (task_only in services.yaml): name another service, or write a task",
            code="RC027",
        )


class Destinations:
    """Checks the names of services, also behind parameters, and finds the timeframe of a referral."""

    def __init__(
        self,
        parser: Parser,
        parameters: Mapping[str, Parameter],
        services: Mapping[str, Service],
        timeframes: Mapping[str, Within],
    ) -> None:
        self.parser = parser
        self._parameters = parameters
        self._services = services
        self._timeframes = timeframes

    def service(self, at: Cursor) -> Threshold:
        threshold = self.parser.threshold(at, "text")
        named = threshold.parameter
        values = [dated.value for dated in self._parameters[named].values] if named else [threshold.value]
        for value in values:
            if value not in self._services:
                raise at.error(
                    f"no service is called {value!r}: add it to services.yaml, or correct the name", code="RC021"
                )
            refuse_task_only(self._services[str(value)], at)
        return threshold

    def within(self, at: Cursor, priority: str) -> Within:
        """The ``within`` beside a priority, or the pack's timeframe for it."""
        found = self.own_within(at) or self._timeframes.get(priority)
        if found is None:
            raise at.error(f"'within' is missing, and pack.yaml has no timeframe for {priority}", code="RC040")
        return found

    def own_within(self, at: Cursor) -> Within | None:
        days = at.child("within")
        if days is None:
            if "working" in at:
                raise at["working"].error("'working' belongs to 'within'", code="RC040")
            return None
        return Within(self.parser.days(days), bool(at.get("working", False)))


def load_rules(
    files: Sequence[Cursor],
    parser: Parser,
    parameters: Mapping[str, Parameter],
    services: Mapping[str, Service],
    timeframes: Mapping[str, Within],
) -> tuple[Rule, ...]:
    """The rules of all criteria files, in the order of their ids (that is the order of the pack)."""
    destinations = Destinations(parser, parameters, services, timeframes)
    rules: dict[str, Rule] = {}
    for file in files:
        for at in file.each():
            rule = _rule(at, destinations)
            if rule.id in rules:
                first = rules[rule.id].place
                raise at["id"].error(f"the rule {rule.id} is already in {first.file}:{first.line}", code="RC026")
            rules[rule.id] = rule
    return tuple(sorted(rules.values(), key=lambda rule: rule.id))


def load_asks(file: Cursor, parser: Parser) -> tuple[Ask, ...]:
    """The asks that belong to no rule."""
    asks: dict[str, Ask] = {}
    for at in file.each():
        if at.data["id"] in asks:
            raise at["id"].error(f"the ask {at.data['id']} is given twice", code="RC026")
        asks[at.data["id"]] = _ask(at, at.data["id"], parser)
    return tuple(asks.values())


def _rule(at: Cursor, destinations: Destinations) -> Rule:
    parser = destinations.parser
    window, outside = at.child("window"), at.child("outside")
    if outside and not window:
        raise outside.error("'outside' needs a 'window'", code="RC040")
    if outside and not any("refer" in item for item in at.each("then")):
        raise outside.error(
            "'outside' is for rules that refer: its priority and timeframe come from 'refer'", code="RC040"
        )
    if window:
        parser.fact(window.data, window, "boolean")
    rule_id = at.data["id"]
    valid_from, valid_to = period(at, "valid")
    return Rule(
        id=rule_id,
        title=at.data["title"],
        safety=at.get("safety", False),
        sources=sources(at),
        when=parser.condition(at["when"]),
        then=tuple(_outcome(item, destinations) for item in at.each("then")),
        place=at.place,
        window=_window(window, parser) if window else None,
        outside=Outside(destinations.service(outside["service"]), destinations.own_within(outside), outside.place)
        if outside
        else None,
        asks=tuple(_ask(item, f"{rule_id}/ask/{index}", parser) for index, item in enumerate(at.each("ask"))),
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _window(at: Cursor, parser: Parser) -> Derived | Is:
    if parser.is_derived(at.data):
        return Derived(at.data, Presence.PRESENT, at.place)
    return Is(Operand(at.data), Presence.PRESENT, True, at.place)


def _outcome(at: Cursor, destinations: Destinations) -> Outcome:
    when = at.child("when")
    condition = destinations.parser.condition(when) if when else None
    if refer := at.child("refer"):
        return Outcome(_refer(refer, destinations), at.place, condition)
    return Outcome(plain_act(at, destinations.parser), at.place, condition)


def plain_act(at: Cursor, parser: Parser) -> TaskSpec | FlagSpec | IssueSpec:
    """The outcomes that are the same in rules and in the second stage: task, flag and issue."""
    if task := at.child("task"):
        return TaskSpec(
            code=task.data["code"],
            priority=task.get("priority", "routine"),
            text=task.get("text", ""),
            facts=_asked(task, parser),
            service=task.get("service", ""),
        )
    if flag := at.child("flag"):
        return FlagSpec(flag.data["code"])
    return IssueSpec(**at.data["issue"])


def _refer(at: Cursor, destinations: Destinations) -> Refer:
    start = at.child("start")
    parser, priority = destinations.parser, at.data["priority"]
    return Refer(
        service=destinations.service(at["service"]),
        priority=priority,
        within=destinations.within(at, priority),
        start=Start(parser.fact(start.data["fact"], start["fact"], "date"), parser.days(start["plus_days"]))
        if start
        else None,
        reason=at.get("reason", ""),
        text=at.get("text", ""),
    )


def _asked(at: Cursor, parser: Parser) -> tuple[str, ...]:
    return tuple(parser.fact(item.data, item) for item in at.each("for"))


def _ask(at: Cursor, ask_id: str, parser: Parser) -> Ask:
    task = TaskSpec(at.data["task"], at.get("priority", "routine"), at.get("text", ""), _asked(at, parser))
    return Ask(ask_id, parser.condition(at["when"]), task, at.place, at.get("title", ""), sources(at))
