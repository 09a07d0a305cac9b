"""Reads a provider's policy: its own values of the pack's parameters, and what else it decides for itself.

A plain value counts from the day on which the policy does (``valid.from``), a list of ``{from, value}`` from each day.
On days on which the policy does not count, the pack's own values do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rules.engine.conditions import Compare, View, walk
from rules.engine.content import Content, Dated, Hours, Parameter, Provider, Service
from rules.engine.cursor import Cursor, sources
from rules.engine.errors import ContentError
from rules.engine.load_rules import refuse_task_only
from rules.engine.names import named_conditions
from rules.engine.opening_hours import load_spans
from rules.engine.schema_check import check
from rules.engine.yaml_file import load_yaml

DESTINATION = "destination-"
_ONE_DAY = timedelta(days=1)


def provider_file(folder: Path, name: str) -> Cursor:
    """The file of a provider in the pack's folder, checked against its schema. Raises ContentError."""
    path = folder / "providers" / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in (folder / "providers").glob("*.yaml"))) or "none"
        raise ContentError(f"no provider is called {name!r}; there are: {known}", str(path), 1, 1, code="RC025")
    document = load_yaml(path)
    check(document, "provider")
    policy = Cursor.top(document)
    if policy.data["provider"] != name:
        raise policy["provider"].error(f"the provider's name must be that of its file: {name}", code="RC025")
    return policy


def load_provider(policy: Cursor, services: Mapping[str, Service]) -> Provider:
    """All of a policy but its parameter values. Raises ContentError."""
    valid = policy.child("valid")
    first, last = (valid.date("from", date.min), valid.date("to", date.max)) if valid else (date.min, date.max)
    if valid and first > last:
        raise valid["to"].error(
            f"the policy ends before it begins ({first}): correct one of the two days", code="RC020"
        )
    provider = Provider(policy.data["provider"], policy.data["title"], first, last, sources(policy))

    def one(at: Cursor) -> str:
        return _destination(at, services)

    def several(at: Cursor) -> frozenset[str]:
        return frozenset(_service(item, services) for item in at.each())

    def hours(at: Cursor) -> Hours:
        closed = at.child("closed")
        return Hours(load_spans(at["open"]), _destination(closed, services) if closed else "")

    provider = replace(
        provider,
        offers=_optional(policy, "offers", provider, several),
        catchment=_optional(policy, "catchment", provider, lambda at: at.data),
        fallbacks=_by_service(policy, "fallbacks", services, provider, one),
        hours=_by_service(policy, "hours", services, provider, hours),
    )
    _refuse_circles(policy, provider, services)
    return provider


def with_overrides(
    parameters: Mapping[str, Parameter], policy: Cursor, provider: Provider, services: Mapping[str, Service]
) -> dict[str, Parameter]:
    """The pack's parameters with the provider's own values in their places. Raises ContentError."""
    changed = dict(parameters)
    given = dict(_overrides(policy))
    for name, at in given.items():
        if name not in parameters:
            raise at.error(f"no parameter is called {name!r}: parameters.yaml does not have it", code="RC023")
        own = _dated(at, provider, lambda value: value.data)
        for item in _values(at):
            _fits(parameters[name], item, services)
        changed[name] = replace(
            parameters[name], values=_joined(parameters[name].values, own, provider), place=at.place
        )
    for name, parameter in parameters.items():
        if parameter.where_offered and name not in given and provider.offers:
            own = tuple(
                Dated(each.start, parameter.where_offered, provider.name)
                if parameter.where_offered in each.value
                else Dated(each.start, _before(parameter.values, each.start))
                for each in provider.offers
            )
            changed[name] = replace(parameter, values=_joined(parameter.values, own, provider))
    return {
        name: replace(each, provider=True) if any(dated.provider for dated in each.values) else each
        for name, each in changed.items()
    }


def check_instruments(policy: Cursor, content: Content) -> None:
    """Refuse a provider's threshold that no score of any instrument it is compared with can have.

    One above the highest score may be set: it switches the criterion off.
    """
    limits: dict[str, tuple[float, float, str]] = {}
    conditions = [named.condition for named in named_conditions(content).values()]
    for fact in content.facts.values():
        conditions += [each for each in (fact.derive, fact.unknown_when) if each is not None]
    for condition in conditions:
        for each in walk(condition):
            if isinstance(each, Compare) and each.threshold.parameter and each.operand.view is View.VALUE:
                declared = content.facts[each.operand.fact]
                if declared.range is not None:
                    wider = (*declared.range, declared.label)
                    known = limits.setdefault(each.threshold.parameter, wider)
                    limits[each.threshold.parameter] = max(known, wider, key=lambda limit: limit[1] - limit[0])
    for name, at in _overrides(policy):
        if name not in limits:
            continue
        low, high, label = limits[name]
        for item in _values(at):
            if not low <= item.data <= high + 1:
                scores = f"{low:g} to {high:g} (or {high + 1:g}: never)"
                raise item.error(f"{item.data} is out of the range of {label}: write {scores}", code="RC065")


def _service(at: Cursor, services: Mapping[str, Service]) -> str:
    if at.data not in services:
        raise at.error(f"no service is called {at.data!r}: add it to services.yaml, or correct the name", code="RC021")
    return str(at.data)


def _destination(at: Cursor, services: Mapping[str, Service]) -> str:
    service = _service(at, services)
    refuse_task_only(services[service], at)
    return service


def _optional(policy: Cursor, key: str, provider: Provider, read: Callable[[Cursor], Any]) -> tuple[Dated, ...]:
    at = policy.child(key)
    return _dated(at, provider, read) if at else ()


def _by_service(
    policy: Cursor, key: str, services: Mapping[str, Service], provider: Provider, read: Callable[[Cursor], Any]
) -> dict[str, tuple[Dated, ...]]:
    found: dict[str, tuple[Dated, ...]] = {}
    section = policy.child(key)
    for name, item in section.items() if section else ():
        if name not in services:
            raise item.error(
                f"no service is called {name!r}: add it to services.yaml, or correct the name", code="RC021"
            )
        found[name] = _dated(item, provider, read)
    return found


def _overrides(policy: Cursor) -> Iterator[tuple[str, Cursor]]:
    for section, prefix in (("parameters", ""), ("destinations", DESTINATION)):
        overrides = policy.child(section)
        for key, item in overrides.items() if overrides else ():
            yield prefix + key, item


def _is_dated(at: Cursor) -> bool:
    return isinstance(at.data, list) and any(isinstance(item, dict) for item in at.data)


def _values(at: Cursor) -> Iterator[Cursor]:
    """A plain value, or each of the dated ones."""
    if not _is_dated(at):
        yield at
        return
    for item in at.each():
        yield item["value"]


def _dated(at: Cursor, provider: Provider, read: Callable[[Cursor], Any]) -> tuple[Dated, ...]:
    if not _is_dated(at):
        return (Dated(provider.valid_from, read(at), provider.name),)
    found: list[Dated] = []
    for item in at.each():
        start = item.date("from", date.min)
        if not provider.counts(start):
            when = f"from {provider.valid_from}" + ("" if provider.valid_to == date.max else f" to {provider.valid_to}")
            raise item["from"].error(f"the policy itself does not count on this day: it is valid {when}", code="RC066")
        if found and start <= found[-1].start:
            raise item["from"].error(
                "this overlaps with the value before it: write the values in the order of their dates, each date once",
                code="RC060",
            )
        found.append(Dated(start, read(item["value"]), provider.name))
    return tuple(found)


def _joined(base: tuple[Dated, ...], own: tuple[Dated, ...], provider: Provider) -> tuple[Dated, ...]:
    """The pack's values until the provider's begin and after its policy has ended."""
    before = tuple(dated for dated in base if dated.start < own[0].start)
    if provider.valid_to == date.max:
        return before + own
    end = provider.valid_to + _ONE_DAY
    return (*before, *own, Dated(end, _before(base, end)), *(dated for dated in base if dated.start > end))


def _before(values: tuple[Dated, ...], day: date) -> Any:
    """The pack's value on a day; its first one on a day before that."""
    return next((dated.value for dated in reversed(values) if dated.start <= day), values[0].value)


def _fits(parameter: Parameter, at: Cursor, services: Mapping[str, Service]) -> None:
    """Refuse a value of another kind than the pack's, or out of the parameter's range."""
    name, wanted = parameter.name, {_kind(dated.value) for dated in parameter.values}
    if _kind(at.data) not in wanted and not (_kind(at.data) == "a whole number" and "a number" in wanted):
        raise at.error(f"{name} is {' or '.join(sorted(wanted))}, not {_kind(at.data)}", code="RC061")
    if isinstance(at.data, str) and any(dated.value in services for dated in parameter.values):
        _destination(at, services)
    if isinstance(at.data, int | float):
        low, high = parameter.range or (0, float("inf"))
        if not low <= at.data <= high:
            limits = f"from {low:g}" + ("" if high == float("inf") else f" to {high:g}")
            raise at.error(f"{at.data} is out of the range of {name}: write a number {limits}", code="RC065")


def _kind(value: Any) -> str:
    kinds = {str: "text", list: "a list", float: "a number", int: "a whole number"}
    return kinds.get(type(value), "something else")


def _refuse_circles(policy: Cursor, provider: Provider, services: Mapping[str, Service]) -> None:
    """On each day on which a fallback changes, every chain of fallbacks must come to an end."""
    for key, values in provider.fallbacks.items():
        for day in {dated.start for each in provider.fallbacks.values() for dated in each} | {values[0].start}:
            seen, service = {key}, key
            while service := fallback(provider, services, service, day)[0]:
                if service in seen:
                    raise policy["fallbacks"][key].error(f"the fallbacks of {key} go round in a circle", code="RC053")
                seen.add(service)


def fallback(
    provider: Provider, services: Mapping[str, Service], service: str, as_of: date
) -> tuple[str, Dated | None]:
    """Which service takes over from one on a day ("" for none), and the provider's own policy that says so, if any."""
    own = provider.in_force(provider.fallbacks.get(service, ()), as_of)
    return (own.value, own) if own else (services[service].fallback, None)
