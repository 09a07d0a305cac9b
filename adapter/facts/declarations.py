"""The ``from:`` declarations of a pack, compiled once: each to the function that works its fact out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from adapter.errors import CannotStart
from adapter.facts import conditions, family, findings, items, medication, partner, person, scores
from adapter.facts.codes import CodeLists, Concept
from adapter.facts.pregnancy_facts import FACTS, Pregnancy
from adapter.facts.reading import Declared, Extractor, Reading
from adapter.records import Issue
from rules import Fact, State

NO_CONSENT = Concept("no-consent-to-referral", "local", "no-consent-to-referral", "Does not consent to this referral")
MISMATCH = "score_mismatch"
"""``from: {observed: score_mismatch}``: whether the total of any instrument differs from its items."""
OBSERVED: Mapping[str, tuple[str, ...]] = {
    "condition": ("Condition",),
    "medication": ("MedicationStatement", "MedicationRequest"),
    "family_history": ("FamilyMemberHistory",),
}
"""Kinds of data that rules use, and the resource types that carry them."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """``sighted``: facts that need something sighted; ``always``: those that are worked out for every record."""

    sighted: tuple[Extractor, ...]
    always: tuple[tuple[str, Callable[[Reading], Fact]], ...]
    pregnancy: tuple[tuple[Declared, Callable[[Declared, Pregnancy], Fact]], ...]
    partner: tuple[tuple[Declared, Callable[[Declared, partner.Partner], Fact]], ...]
    score_lists: frozenset[str]
    finding_lists: frozenset[str]
    kinds: tuple[str, ...]  # of OBSERVED, those that any fact comes from
    questionnaires: frozenset[str]


def compile_declarations(declarations: Mapping[str, Any], lists: CodeLists, services: person.Services) -> Compiled:
    """Compile every declaration that has ``from``. Raises CannotStart where one cannot be understood."""
    sighted: list[Extractor] = []
    always: list[tuple[str, Callable[[Reading], Fact]]] = []
    pregnancy: list[tuple[Declared, Callable[[Declared, Pregnancy], Fact]]] = []
    partners: list[tuple[Declared, Callable[[Declared, partner.Partner], Fact]]] = []
    for name, declaration in declarations.items():
        source = declaration.source
        if not source:
            continue
        fact = declared(name, declaration)
        try:
            if "pregnancy" in source:
                pregnancy.append((fact, FACTS[_one_of(source["pregnancy"], FACTS)]))
            elif "partner" in source:
                partners.append((fact, partner.compiled(source)))
            elif "person" in source or "observed" in source:
                always.append((name, _standing(fact, source, services)))
            else:
                sighted.append(_extractor(fact, source, lists))
        except (KeyError, TypeError, ValueError) as wrong:
            message = f"facts.yaml:{declaration.line}:1: {name}: `from` cannot be understood: {wrong}"
            raise CannotStart(Issue("fatal", "exception", message, "", "facts.yaml")) from None
    scored = frozenset(name for one in sighted if one.questionnaires for name in one.lists)
    return Compiled(
        tuple(sighted),
        tuple(always),
        tuple(pregnancy),
        tuple(partners),
        scored,
        frozenset(one.source["finding"] for one in declarations.values() if one.source and "finding" in one.source),
        tuple(_kinds(declarations)),
        frozenset(name for one in sighted for name in one.questionnaires),
    )


def declared(name: str, declaration: Any) -> Declared:
    """What the extraction needs of a declaration."""
    low, high = declaration.range or (None, None)
    absent = State.UNKNOWN if declaration.absent == "unknown" else State.ABSENT
    return Declared(name, declaration.type, low, high, absent)


def _one_of(value: Any, known: Mapping[str, object]) -> str:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(known)}")
    return str(value)


def _kinds(declarations: Mapping[str, Any]) -> Iterator[str]:
    for kind in OBSERVED:
        if any(declaration.source and kind in declaration.source for declaration in declarations.values()):
            yield kind


def _standing(fact: Declared, source: Mapping[str, Any], services: person.Services) -> Callable[[Reading], Fact]:
    if source.get("observed") == MISMATCH:
        return lambda reading: fact.known(bool(reading.mismatches), None, tuple(reading.mismatches))
    if "observed" in source:
        kinds = OBSERVED[_one_of(source["observed"], OBSERVED)]
        return lambda reading: fact.known(any(kind in reading.hers for kind in kinds))
    makers: Mapping[str, Callable[[Reading], Fact]] = {
        "age_years": partial(person.age, fact),
        "open_services": partial(person.open_services, fact, services),
        "consent_refused_for": partial(person.consent_refused, fact, NO_CONSENT.list, services),
    }
    return makers[_one_of(source["person"], makers)]


def _extractor(fact: Declared, source: Mapping[str, Any], lists: CodeLists) -> Extractor:
    names: dict[str, None] = {}

    def listed(value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError("a code list is named by its file")
        lists.get(value)
        names[value] = None
        return value

    resolve, questionnaire = _resolver(fact, source, listed, lists)
    questionnaires = frozenset({questionnaire} - {""})
    return Extractor(fact.name, frozenset(names), questionnaires, resolve, fact.missing())


def _resolver(
    fact: Declared, source: Mapping[str, Any], listed: Callable[[Any], str], lists: CodeLists
) -> tuple[Callable[[Reading], Fact], str]:
    valid_days = source.get("valid_days")
    closed_by = listed(source["closed_by"]) if "closed_by" in source else ""
    if "score" in source:
        score = _score(fact, source, listed, lists)
        return partial(scores.resolve, score), score.questionnaire
    if "flag_score" in source:
        return partial(scores.resolve_flag, scores.Flag(fact, listed(source["flag_score"]), valid_days)), ""
    if "item" in source:
        item = items.Item(
            fact,
            listed(source["item"]),
            source.get("questionnaire", ""),
            source.get("link_id", ""),
            listed(source["total"]) if "total" in source else "",
            source.get("zero_total_means_zero", False) is True,
            valid_days,
            source.get("older_days"),
            closed_by,
        )
        return partial(items.resolve, item), item.questionnaire
    if "condition" in source:
        when = _one_of(source.get("when", "ever"), conditions.TESTS)
        pick = source.get("pick", "latest") == "earliest"
        condition = conditions.Condition(fact, listed(source["condition"]), when, "date" in source, pick)
        return partial(conditions.resolve, condition), ""
    if "finding" in source:
        return partial(findings.resolve, findings.Finding(fact, listed(source["finding"]), valid_days, closed_by)), ""
    if "medication" in source:
        stopped = source.get("state", "current") == "stopped"
        taken = medication.Medication(fact, listed(source["medication"]), stopped, "date" in source)
        return partial(medication.resolve, taken), ""
    return partial(family.resolve, family.Family(fact, listed(source["family_history"]))), ""


def _score(fact: Declared, source: Mapping[str, Any], listed: Callable[[Any], str], lists: CodeLists) -> scores.Score:
    parts = source.get("items") or {}
    count = int(parts.get("count", 0))
    own = listed(parts["list"]) if "list" in parts else ""
    return scores.Score(
        fact,
        listed(source["score"]),
        source.get("questionnaire", ""),
        parts.get("prefix", ""),
        count,
        own,
        len({concept.code for concept in lists.get(own)}) if own else 0,
        source.get("valid_days"),
        fact.high / count if fact.high is not None and count and fact.high % count == 0 else None,
    )


def resolve_partner(compiled: Compiled, reading: Reading, hers: Sequence[Pregnancy], facts: dict[str, Fact]) -> None:
    """All the facts of a partner; ``hers``: the pregnancies of those whose partner the person is."""
    found = partner.Partner(reading, hers, facts)
    for fact, resolve in compiled.partner:
        facts[fact.name] = resolve(fact, found)


def resolve_pregnancy(compiled: Compiled, reading: Reading, facts: dict[str, Fact]) -> None:
    """All the facts of pregnancy, from one story."""
    pregnancy = Pregnancy(reading)
    for fact, resolve in compiled.pregnancy:
        facts[fact.name] = resolve(fact, pregnancy)
