"""The judge of the simple facts: ``Facts.cql`` retrieves them from a record's own Bundle, in another engine of CQL.

``Record`` is what the adapter had and read of one person on one day; ``disagreements`` says where what is retrieved
from it is something else.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import pytest

from adapter.export import export_resources
from adapter.pipeline import Result
from adapter.records import Resource
from rules import Fact, FactValue, State, load_pack
from tests.judges.cql_judge import FOLDER, lacking

BASE = "https://perinatal-referrals.example/fhir"
SCORES = ("epds_total", "epds_item_10", "phq9_total", "phq9_item_9", "gad7_total")
DIAGNOSIS = "severe_mental_illness"
RETRIEVED = (*SCORES, DIAGNOSIS)

needs_retrieval = pytest.mark.skipif(
    bool(lacking("cql-exec-fhir")), reason=lacking("cql-exec-fhir") or "the CQL judge is here"
)

ValueSets = Mapping[str, Sequence[tuple[str, str]]]
"""The url of each value set → its codes: system and code."""


@dataclass(frozen=True, slots=True)
class Record:
    """``bundle``: the converted record; her Patient is its first entry, and there is no other Patient in it."""

    name: str
    as_of: date
    bundle: Resource
    facts: Mapping[str, Fact]


class Found(NamedTuple):
    """What is known of a fact, and of which day a score is."""

    state: State
    value: FactValue | None = None
    on: date | None = None

    def __str__(self) -> str:
        if self.state is not State.KNOWN:
            return str(self.state)
        return f"{self.value} of {self.on}" if self.on else str(self.value)


class Disagreement(NamedTuple):
    """A fact that the adapter reads and the library retrieves otherwise."""

    record: str
    fact: str
    read: str
    retrieved: str


Question = tuple[Sequence[Record], ValueSets]


def record_of(name: str, result: Result) -> Record:
    assert result.record is not None
    assert result.decision is not None
    entries = result.record.bundle["entry"]
    others = [entry for entry in entries if entry["resource"]["resourceType"] != "Patient"]
    bundle = {**result.record.bundle, "entry": [entries[result.position], *others]}
    return Record(name, result.decision.as_of, bundle, result.decision.facts)


# --- retrieving ----------------------------------------------------------------------------------------------------
def retrieve(*questions: Question) -> list[list[Mapping[str, Found]]]:
    """For each question and each of its records the facts. Fails where the translator says anything of the text."""
    asked = [
        {
            "valueSets": {
                url: [{"system": system, "code": code} for system, code in codes] for url, codes in value_sets.items()
            },
            "cases": [{"asOf": record.as_of.isoformat(), "bundle": record.bundle} for record in records],
        }
        for records, value_sets in questions
    ]
    done = subprocess.run(
        ["node", "retrieve.mjs"], cwd=FOLDER, input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == "", done.stderr[-3000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert not answer["errors"], answer["errors"]
    return [[_facts(found) for found in each] for each in answer["facts"]]


def _facts(found: Mapping[str, Any]) -> Mapping[str, Found]:
    scores = {name: _score(found[name], found.get(f"{name} not answered")) for name in SCORES}
    return {**scores, DIAGNOSIS: Found(State.KNOWN, True) if found[DIAGNOSIS] else Found(State.ABSENT)}


def _score(newest: Mapping[str, Any] | None, not_answered: bool | None) -> Found:
    if newest is None:
        return Found(State.UNKNOWN if not_answered else State.ABSENT)
    return Found(State.KNOWN, newest["value"], date.fromisoformat(newest["on"]))


def read(fact: Fact) -> Found:
    """What the adapter read, as far as the library says the same: the day of a diagnosis is not retrieved."""
    if fact.state is not State.KNOWN:
        return Found(fact.state)
    return Found(fact.state, fact.value, fact.on if fact.name in SCORES else None)


def disagreements(records: Sequence[Record], retrieved: Sequence[Mapping[str, Found]]) -> set[Disagreement]:
    """Each fact of each record that is not retrieved as it was read."""
    return {
        Disagreement(record.name, name, str(ours), str(found[name]))
        for record, found in zip(records, retrieved, strict=True)
        for name in RETRIEVED
        if (ours := read(record.facts[name])) != found[name]
    }


# --- the value sets of the export ----------------------------------------------------------------------------------
@cache
def _composed() -> tuple[Resource, ...]:
    return tuple(each for each in export_resources(load_pack(), BASE) if each["resourceType"] == "ValueSet")


def value_sets(records: Iterable[Record]) -> ValueSets:
    """The exported ValueSets as a terminology server expands them, so far as the records have codes below a family's."""
    used = set(_codings([record.bundle for record in records]))
    return {each["url"]: sorted(_expanded(each, used)) for each in _composed()}


def _expanded(value_set: Resource, used: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for include in value_set["compose"]["include"]:
        for concept in include.get("concept", ()):
            yield include["system"], concept["code"]
        for family in include.get("filter", ()):
            yield from (each for each in used if each[0] == include["system"] and _below(each[1], family["value"]))


def _below(code: str, family: str) -> bool:
    """Whether an ICD-10 code is the family's or one below it; with or without its dot."""
    return code.replace(".", "").startswith(family.replace(".", ""))


def _codings(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        if isinstance(node.get("system"), str) and isinstance(node.get("code"), str):
            yield node["system"], node["code"]
        for value in node.values():
            yield from _codings(value)
    elif isinstance(node, list):
        for each in node:
            yield from _codings(each)
