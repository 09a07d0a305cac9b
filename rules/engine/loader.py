"""Reads the folder of a pack and gives its checked content for one provider.

Every error is a ContentError with file, line and column. The files of rules are read by ``load_rules`` and
``load_steps``; this module reads what those refer to: facts, parameters, services and the provider's policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from rules.engine.conditions import Condition, Place, facts_of
from rules.engine.content import Concept, Content, Dated, FactDeclaration, Parameter, Provider, Service, Within
from rules.engine.cursor import Cursor, sources
from rules.engine.errors import ContentError
from rules.engine.load_provider import check_instruments, load_provider, provider_file, with_overrides
from rules.engine.load_rules import load_asks, load_rules, refuse_task_only
from rules.engine.load_steps import load_steps, with_implied
from rules.engine.parse import Parser
from rules.engine.schema_check import check
from rules.engine.yaml_file import load_yaml

LIBRARY = Path(__file__).resolve().parents[1] / "library" / "perinatal_mental_health"
STEPS = "second_stage.yaml"


def load_content(folder: Path, provider: str | None = None) -> Content:
    """Read and check a pack. Raises ContentError."""
    if not (folder / "pack.yaml").is_file():
        message = "there is no such file, so this folder is no pack: name the folder of a pack"
        raise ContentError(message, str(folder / "pack.yaml"), 1, 1, code="RC056")
    pack = _read(folder / "pack.yaml", "pack")
    facts_file = _read(folder / "facts.yaml", "facts")
    services = _services(_read(folder / "services.yaml", "services"))
    name = provider or pack.data["default_provider"]
    policy = provider_file(folder, name)
    own = load_provider(policy, services)
    parameters = _parameters(_read(folder / "parameters.yaml", "parameters"), policy, own, services)
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
    steps_file, asks_file = _optional(folder / STEPS), _optional(folder / "asks.yaml")
    steps = load_steps(steps_file, parser, parameters, services, timeframes, rules) if steps_file else ()
    at = pack.child("outside_when")
    content = Content(
        folder=folder,
        name=pack.data["name"],
        version=pack.data["version"],
        title=pack.data["title"],
        provider=own,
        facts=facts,
        parameters=parameters,
        services=services,
        rules=rules,
        steps=with_implied(steps, steps_file.place if steps_file else Place(str(folder / STEPS), 1, 1)),
        asks=load_asks(asks_file, parser) if asks_file else (),
        timeframes=timeframes,
        outside_when=parser.condition(at) if at else None,
        default_provider=pack.data["default_provider"],
    )
    check_instruments(policy, content)
    return content


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
            refuse_task_only(services[service.fallback], at[key])
            if service.fallback in seen:
                raise at[key].error(f"the fallbacks of {key} go round in a circle", code="RC053")
            seen.add(service.fallback)
            service = services[service.fallback]
    if "gp" not in services:
        raise at.error("the service 'gp' is missing: it takes what no other service covers", code="RC054")
    return services


def _parameters(
    at: Cursor, policy: Cursor, provider: Provider, services: Mapping[str, Service]
) -> Mapping[str, Parameter]:
    parameters = {
        name: Parameter(
            name=name,
            label=item.data["label"],
            values=_dated(item["values"]),
            place=item.place,
            unit=item.get("unit", ""),
            confirm=item.get("confirm", False),
            sources=sources(item),
            range=_range(item),
            where_offered=_where_offered(item, services),
        )
        for name, item in at.items()
    }
    parameters = with_overrides(parameters, policy, provider, services)
    if "bank-holidays" in parameters:
        _bank_holidays(parameters["bank-holidays"])
    return parameters


def _range(at: Cursor) -> tuple[float, float] | None:
    limits = at.child("range")
    if limits is None:
        return None
    low, high = limits.data
    for value in at["values"].each():
        if not isinstance(value.data["value"], int | float) or not low <= value.data["value"] <= high:
            raise limits.error("the values of the parameter itself must be numbers in its range", code="RC065")
    return low, high


def _where_offered(at: Cursor, services: Mapping[str, Service]) -> str:
    service = at.child("where_offered")
    if service and service.data not in services:
        message = f"no service is called {service.data!r}: add it to services.yaml, or correct the name"
        raise service.error(message, code="RC021")
    return str(service.data) if service else ""


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
