"""Reads the folder of a pack and gives its checked content for one provider.

Every error is a ContentError with file, line and column. The files of rules are read by ``load_rules`` and
``load_steps``; this module reads what those refer to: facts, parameters, services and the provider's policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from rules.engine.conditions import Condition, facts_of
from rules.engine.content import Concept, Content, Dated, FactDeclaration, Parameter, Provider, Service, Within
from rules.engine.cursor import Cursor, period, sources
from rules.engine.errors import ContentError
from rules.engine.load_rules import load_asks, load_rules
from rules.engine.load_steps import load_steps
from rules.engine.parse import Parser
from rules.engine.schema_check import check
from rules.engine.yaml_file import load_yaml

LIBRARY = Path(__file__).resolve().parents[1] / "library" / "perinatal_mental_health"
DESTINATION = "destination-"


def load_content(folder: Path, provider: str | None = None) -> Content:
    """Read and check a pack. Raises ContentError."""
    if not (folder / "pack.yaml").is_file():
        message = "there is no such file, so this folder is no pack: name the folder of a pack"
        raise ContentError(message, str(folder / "pack.yaml"), 1, 1, code="RC056")
    pack = _read(folder / "pack.yaml", "pack")
    facts_file = _read(folder / "facts.yaml", "facts")
    services = _services(_read(folder / "services.yaml", "services"))
    name = provider or pack.data["default_provider"]
    policy = _provider_file(folder, name)
    parameters = _parameters(_read(folder / "parameters.yaml", "parameters"), policy)
    types = {fact: at.data["type"] for fact, at in facts_file.items()}
    derived = frozenset(fact for fact, at in facts_file.items() if "derive" in at)
    parser = Parser(types, derived, parameters)
    facts = _facts(facts_file, parser)
    given = pack.child("timeframes")
    timeframes = {priority: _timeframe(at, parser) for priority, at in given.items()} if given else {}
    files = [_read(path, "criteria") for path in sorted((folder / "criteria").glob("*.yaml"))]
    rules = load_rules(files, parser, parameters, services, timeframes)
    if not rules:
        raise pack.error(f"the pack has no rules: write at least one in {folder / 'criteria'}", code="RC055")
    steps_file, asks_file = _optional(folder / "second_stage.yaml"), _optional(folder / "asks.yaml")
    at = pack.child("outside_when")
    return Content(
        folder=folder,
        name=pack.data["name"],
        version=pack.data["version"],
        title=pack.data["title"],
        provider=_provider(policy, services),
        facts=facts,
        parameters=parameters,
        services=services,
        rules=rules,
        steps=load_steps(steps_file, parser, parameters, services, timeframes, rules) if steps_file else (),
        asks=load_asks(asks_file, parser) if asks_file else (),
        timeframes=timeframes,
        outside_when=parser.condition(at) if at else None,
    )


def _read(path: Path, schema: str) -> Cursor:
    document = load_yaml(path)
    check(document, schema)
    return Cursor.top(document)


def _optional(path: Path) -> Cursor | None:
    return _read(path, path.stem) if path.exists() else None


def _timeframe(at: Cursor, parser: Parser) -> Within:
    if isinstance(at.data, dict):
        return Within(parser.days(at["within"]), bool(at.get("working", False)))
    return Within(parser.days(at))


def _provider_file(folder: Path, name: str) -> Cursor:
    path = folder / "providers" / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in (folder / "providers").glob("*.yaml"))) or "none"
        raise ContentError(f"no provider is called {name!r}; there are: {known}", str(path), 1, 1, code="RC025")
    policy = _read(path, "provider")
    if policy.data["provider"] != name:
        raise policy["provider"].error(f"the provider's name must be that of its file: {name}", code="RC025")
    return policy


def _provider(policy: Cursor, services: Mapping[str, Service]) -> Provider:
    for at in policy.each("offers"):
        if at.data not in services:
            raise at.error(
                f"no service is called {at.data!r}: add it to services.yaml, or correct the name", code="RC021"
            )
    valid_from, valid_to = period(policy, "valid")
    offers = policy.get("offers")
    return Provider(
        name=policy.data["provider"],
        title=policy.data["title"],
        valid_from=valid_from,
        valid_to=valid_to,
        sources=sources(policy),
        offers=None if offers is None else frozenset(offers),
    )


def _services(at: Cursor) -> Mapping[str, Service]:
    services: dict[str, Service] = {}
    for key, item in at.items():
        concepts = {name: Concept(**item.data[name]) for name in ("snomed", "referral_code") if name in item.data}
        services[key] = Service(key, **(item.data | concepts))
    for key in services:
        service, seen = services[key], {key}
        while service.fallback:
            if service.fallback not in services:
                raise at[key]["fallback"].error(f"no service is called {service.fallback!r}", code="RC021")
            if service.fallback in seen:
                raise at[key].error(f"the fallbacks of {key} go round in a circle", code="RC053")
            seen.add(service.fallback)
            service = services[service.fallback]
    if "gp" not in services:
        raise at.error("the service 'gp' is missing: it takes what no other service covers", code="RC054")
    return services


def _parameters(at: Cursor, policy: Cursor) -> Mapping[str, Parameter]:
    parameters = {
        name: Parameter(
            name=name,
            label=item.data["label"],
            values=_dated(item["values"]),
            place=item.place,
            unit=item.get("unit", ""),
            confirm=item.get("confirm", False),
            sources=sources(item),
        )
        for name, item in at.items()
    }
    for section, prefix in (("parameters", ""), ("destinations", DESTINATION)):
        overrides = policy.child(section)
        for key, item in overrides.items() if overrides else ():
            name = prefix + key
            if name not in parameters:
                raise item.error(f"no parameter is called {name!r}: parameters.yaml does not have it", code="RC023")
            values = _override(item)
            wanted, given = {_kind(v.value) for v in parameters[name].values}, {_kind(v.value) for v in values}
            if not given <= wanted:
                raise item.error(
                    f"{name} is {' or '.join(sorted(wanted))}, not {' or '.join(sorted(given - wanted))}", code="RC061"
                )
            parameters[name] = replace(parameters[name], values=values, place=item.place, provider=True)
    if "bank-holidays" in parameters:
        _bank_holidays(parameters["bank-holidays"])
    return parameters


def _kind(value: Any) -> str:
    return "text" if isinstance(value, str) else "a list" if isinstance(value, list) else "a number"


def _override(at: Cursor) -> tuple[Dated, ...]:
    """A provider's value: dated like those of parameters.yaml, or plain (then it counts for every day)."""
    if isinstance(at.data, list) and at.data and all(isinstance(item, dict) for item in at.data):
        for item in at.each():
            if set(item.data) != {"from", "value"}:
                raise item.error("a dated value has the keys 'from' and 'value'", code="RC060")
        return _dated(at)
    return (Dated(date.min, at.data),)


def _dated(at: Cursor) -> tuple[Dated, ...]:
    values = tuple(Dated(item.date("from", date.min), item.data["value"]) for item in at.each())
    starts = [dated.start for dated in values]
    if starts != sorted(set(starts)):
        raise at.error("the values must be in the order of their dates, each date once", code="RC060")
    return values


def _bank_holidays(parameter: Parameter) -> None:
    for dated in parameter.values:
        try:
            for day in dated.value:
                date.fromisoformat(day)
        except (TypeError, ValueError) as error:
            place = parameter.place
            message = "bank-holidays must be a list of dates such as 2024-12-25"
            raise ContentError(message, place.file, place.line, place.column, code="RC062") from error


def _facts(at: Cursor, parser: Parser) -> Mapping[str, FactDeclaration]:
    facts: dict[str, FactDeclaration] = {}
    for name, item in at.items():
        if ("from" in item) == ("derive" in item):
            raise item.error(f"{name} needs either 'from' or 'derive'", code="RC050")
        if "derive" in item and item.data["type"] != "boolean":
            raise item["type"].error(f"{name} is derived from a condition: its type must be boolean", code="RC050")
        if "unknown_when" in item and "derive" not in item:
            raise item["unknown_when"].error("'unknown_when' belongs to 'derive'", code="RC050")
        facts[name] = _fact(name, item, parser)
    _refuse_cycles(facts)
    return facts


def _fact(name: str, item: Cursor, parser: Parser) -> FactDeclaration:
    limits, derive, unknown = item.child("range"), item.child("derive"), item.child("unknown_when")
    if limits and (item.data["type"] not in ("integer", "number", "days") or limits.data[0] > limits.data[1]):
        raise limits.error("a range is [lowest, highest], for facts of type integer, number or days", code="RC051")
    return FactDeclaration(
        name=name,
        label=item.data["label"],
        type=item.data["type"],
        place=item.place,
        range=(limits.data[0], limits.data[1]) if limits else None,
        unit=item.get("unit", ""),
        absent=item.get("absent", "not-met"),
        ask=item.get("ask"),
        ask_text=item.get("ask_text", ""),
        source=item.get("from"),
        derive=parser.condition(derive) if derive else None,
        unknown_when=parser.condition(unknown) if unknown else None,
    )


def _refuse_cycles(facts: Mapping[str, FactDeclaration]) -> None:
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            circle = " → ".join((*above[above.index(name) :], name))
            place = facts[name].place
            raise ContentError(
                f"derived facts go round in a circle: {circle}", place.file, place.line, place.column, code="RC052"
            )
        if name in done:
            return
        declaration = facts[name]
        inner: list[Condition] = [c for c in (declaration.derive, declaration.unknown_when) if c is not None]
        for condition in inner:
            for other in sorted(facts_of(condition)):
                visit(other, (*above, name))
        done.add(name)

    for name in facts:
        visit(name, ())
