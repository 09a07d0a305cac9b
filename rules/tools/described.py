"""A pack as a list of things with names, each described in words: what ``diff`` compares."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rules.engine.content import Ask, Concept, Content, Dated, FactDeclaration, Parameter, Provider, Rule, Service, Step
from rules.engine.directory import Directory
from rules.engine.errors import ContentError
from rules.engine.opening_hours import in_words
from rules.engine.parameters import Values, dated_at
from rules.tools.described_directory import directory_items
from rules.tools.items import Aspect, Item, item, one, valid
from rules.tools.steps import StepWords
from rules.tools.words import Lines, Words, blocks, source_lines

SECTIONS = (
    "pack",
    "provider",
    "rules",
    "parameters",
    "facts",
    "codes",
    "second stage",
    "asks",
    "services",
    "directory",
)
"""The parts of a pack, in the order in which differences are told."""
_NOT_LISTED = "none in the directory: referrals name the kind of service alone"


def describe(content: Content, directory: Directory, day: date, after: date) -> Mapping[tuple[str, str], Item]:
    """Every item of a pack and its directory as they stand on a day.

    Of parameters also the values that count from later than ``after``.

    Raises ContentError where a parameter has no value on that day, or a code list cannot be read.
    """
    values = Values(content.parameters, day)
    words, said = Words(content, values), StepWords(content, values)
    found = (
        _pack(content, words),
        _provider(content.provider, content.services, directory.lists(content.provider.name), day),
        *(_rule(rule, words, day) for rule in content.rules),
        *(_parameter(parameter, words, day, after) for parameter in content.parameters.values()),
        *(_fact(fact, words) for fact in content.facts.values()),
        *_code_lists(content.folder / "codes"),
        *(_step(step, words, said) for step in content.steps),
        *(_ask(ask, words) for ask in content.asks),
        *map(_service, content.services.values()),
        *directory_items(directory, content, day),
    )
    return {(each.section, each.id): each for each in found}


def _pack(content: Content, words: Words) -> Item:
    timeframes = tuple(f"{priority}: {words.within(each)}" for priority, each in sorted(content.timeframes.items()))
    return item(
        "pack",
        "pack",
        content.title,
        one("name", content.name),
        one("version", content.version),
        one("title", content.title),
        Aspect("timeframes", timeframes, flat=True),
        Aspect("outside the window when", words.condition(content.outside_when)),
    )


def _provider(provider: Provider, services: Mapping[str, Service], listed: bool, day: date) -> Item:
    offers, catchment = (provider.in_force(each, day) for each in (provider.offers, provider.catchment))
    lacking = services.keys() - offers.value if offers else set()
    fallbacks = _in_force(provider, provider.fallbacks, day)
    takes_over = tuple(f"{services[new].label} for {services[key].label} ({key})" for key, new in fallbacks)
    opening = tuple(
        f"{services[key].label} ({key}): {in_words(hours.spans)}"
        + (f"; emergencies when closed: {services[hours.closed].label}" if hours.closed else "")
        for key, hours in _in_force(provider, provider.hours, day)
    )
    not_offered = tuple(f"{services[key].label} ({key})" for key in sorted(lacking))
    return item(
        "provider",
        "provider",
        provider.title,
        one("name", provider.name),
        one("title", provider.title),
        valid(provider.valid_from, provider.valid_to, day),
        Aspect("does not offer", not_offered, flat=True),
        Aspect("takes over", takes_over, flat=True),
        one("teams", "by the directory" if listed else _NOT_LISTED),
        one("catchment by", catchment.value if catchment else ""),
        Aspect("opening hours", opening, flat=True),
        Aspect("sources", source_lines(provider.sources), flat=True),
    )


def _in_force(provider: Provider, by_service: Mapping[str, tuple[Dated, ...]], day: date) -> Iterator[tuple[str, Any]]:
    """What counts on a day for each service, in order of their keys."""
    for key, values in sorted(by_service.items()):
        if found := provider.in_force(values, day):
            yield key, found.value


def _rule(rule: Rule, words: Words, day: date) -> Item:
    outside: Lines = ()
    if rule.outside is not None:
        within = f", {words.within(rule.outside.within)}" if rule.outside.within else ""
        outside = (words.service(rule.outside.service) + within,)
    asks = blocks([_asked(ask, words) for ask in rule.asks])
    return item(
        "rules",
        rule.id,
        rule.title,
        one("title", rule.title),
        one("safety rule", "yes" if rule.safety else "no"),
        valid(rule.valid_from, rule.valid_to, day),
        Aspect("window", words.condition(rule.window)),
        Aspect("when", words.condition(rule.when)),
        Aspect("then", blocks([words.outcome(outcome) for outcome in rule.then])),
        Aspect("outside the window", outside),
        Aspect("asks", asks),
        Aspect("sources", source_lines(rule.sources), flat=True),
        safety=rule.safety,
    )


def _asked(ask: Ask, words: Words) -> Lines:
    task, *more = words.task(ask.task)
    return (task, *more, "  when", *(f"    {line}" for line in words.condition(ask.when)))


def _parameter(parameter: Parameter, words: Words, day: date, after: date) -> Item:
    dated = dated_at(parameter, day)
    own = ", the provider's own" if parameter.provider else ""
    since = f", in force from {dated.start}" if dated.start != date.min else ""
    value = f"{words.given(dated.value)} {parameter.unit}".rstrip()
    later = tuple(f"from {each.start}: {words.given(each.value)}" for each in parameter.values if each.start > after)
    return item(
        "parameters",
        parameter.name,
        parameter.label,
        Aspect("value", (f"{value}{own}{since}",), same=(repr(dated.value), parameter.unit)),
        Aspect("later", later, flat=True),
        one("label", parameter.label),
        one("to be confirmed by a clinical safety officer", "yes" if parameter.confirm else "no"),
        Aspect("sources", source_lines(parameter.sources), flat=True),
    )


def _fact(fact: FactDeclaration, words: Words) -> Item:
    limits = f"{fact.range[0]:g} to {fact.range[1]:g}" if fact.range else ""
    asked = ": ".join(part for part in (fact.ask or "", fact.ask_text) if part)
    read = tuple(f"{key}: {words.given(value)}" for key, value in sorted((fact.source or {}).items()))
    return item(
        "facts",
        fact.name,
        fact.label,
        one("label", fact.label),
        one("type", fact.type),
        one("range", limits),
        one("unit", fact.unit),
        one("not in the record means", fact.absent),
        one("is asked with", asked),
        Aspect("is read from", read, flat=True),
        Aspect("is true when", words.condition(fact.derive)),
        Aspect("is unknown when", words.condition(fact.unknown_when)),
    )


def _step(step: Step, words: Words, said: StepWords) -> Item:
    return item(
        "second stage",
        step.id,
        step.title,
        one("title", step.title),
        Aspect("is about", tuple(map(str, said.about(step))), flat=True),
        Aspect("when", words.condition(step.when)),
        Aspect("does", said.does(step)),
        Aspect("sources", source_lines(step.sources), flat=True),
    )


def _ask(ask: Ask, words: Words) -> Item:
    return item(
        "asks",
        ask.id,
        ask.title,
        one("title", ask.title),
        Aspect("asks", _asked(ask, words)),
        Aspect("sources", source_lines(ask.sources), flat=True),
    )


def _service(service: Service) -> Item:
    return item(
        "services",
        service.key,
        service.label,
        one("label", service.label),
        one("SNOMED CT", _concept(service.snomed)),
        one("referral code", _concept(service.referral_code)),
        one("MHSDS team type", service.mhsds_team_type),
        one("where it is not offered", service.fallback),
        one("is referred to", "never: it is named in tasks alone" if service.task_only else ""),
    )


def _concept(concept: Concept | None) -> str:
    return f"{concept.code} {concept.display}" if concept else ""


def _code_lists(folder: Path) -> Iterator[Item]:
    for path in sorted(folder.glob("*.csv")):
        yield item("codes", path.stem, "", Aspect("codes", _codes(path), flat=True))


def _codes(path: Path) -> Lines:
    """The codes of a list, a line each. Where they come from is said in the file and changes nothing."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise ContentError(f"the code list cannot be read: {wrong}", str(path), 1, 1, code="RC001") from None
    lines = set()
    for line, row in enumerate(rows, start=2):
        cells = {name: (row.get(name) or "").strip() for name in ("system", "code", "display", "match", "role")}
        if not cells["system"] or not cells["code"]:
            raise ContentError("a row of a code list needs a system and a code", str(path), line, 1, code="RC090")
        more = ", ".join(part for part in (cells["match"], cells["role"]) if part)
        lines.add(f"{cells['system']} {cells['code']} {cells['display']}".rstrip() + (f" ({more})" if more else ""))
    return tuple(sorted(lines))
