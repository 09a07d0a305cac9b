"""What a fact is called, and the FHIR DataRequirement that would supply it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapter.records import Resource
from adapter.referrals.scope import SNOMED
from adapter.referrals.terms import humanise
from adapter.referrals.words import finding, not_known, spoken
from rules import Fact, FactDeclaration, ProposedTask

_BY_CODE_LIST = {
    "score": "Observation",
    "item": "Observation",
    "flag_score": "Observation",
    "finding": "Observation",
    "condition": "Condition",
    "medication": "MedicationStatement",
    "family_history": "FamilyMemberHistory",
}
"""The key of a fact's ``from`` whose value is a code list → the resource type that carries the fact."""

_PERSON = {"age_years": "Patient", "open_services": "EpisodeOfCare", "consent_refused_for": "Consent"}

CODE_PATHS = {
    "MedicationStatement": "medication",
    "FamilyMemberHistory": "condition.code",
    "EpisodeOfCare": "type",
    "Consent": "category",
}
"""Where a resource type has its code; elsewhere it is ``code``."""

_MOST_CODES = 12  # a longer list is asked for by the fact's label


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fact as people and as machines may ask for it; ``situation``: it says where she is in a pregnancy or after."""

    label: str
    requirement: Resource = field(default_factory=dict)
    situation: bool = False


def wanted(name: str, known: Mapping[str, Wanted]) -> Wanted:
    """What is ``known`` of this fact, or what its name alone says."""
    return known.get(name) or Wanted(humanise(name), _requirement("Observation", humanise(name), ()))


def because(facts: Sequence[Fact], known: Mapping[str, Wanted]) -> str:
    """What the record says, as reasons: ``Because of EPDS item 10: 1 on 20-Feb-2026; gestation: 196 days``."""
    said = (f"{wanted(fact.name, known).label}: {finding(fact, spoken)}" for fact in facts)
    return f"Because of {'; '.join(said)}" if facts else ""


def task_reasons(task: ProposedTask, known: Mapping[str, Wanted], facts: Mapping[str, Fact]) -> list[str]:
    """Why something is to be asked or done: what the record says, then what is not known, and why not.

    Where the record says no more than that she is pregnant or when she was, what is not known is the reason and comes
    first. ``facts`` are those of the decision.
    """
    asked = not_known((wanted(name, known).label, facts.get(name)) for name in task.facts)
    parts = [because(task.because, known), f"Not known: {asked}" if asked else ""]
    if all(wanted(fact.name, known).situation for fact in task.because):
        parts.reverse()
    return [part for part in parts if part]


def compile_wanted(declarations: Mapping[str, FactDeclaration], codes: Path, base: str) -> dict[str, Wanted]:
    """Every declared fact's label and DataRequirement; once per pack.

    ``codes`` is the pack's folder of code lists (``NAME.csv`` with system, code, display). Any code of a list will do;
    a fact with a long list, or with none, is asked for by its label, as a coding's display.
    """
    systems = code_systems(base)
    found = {}
    for name, declaration in declarations.items():
        kind, code_list = carrier(declaration.source or {})
        codings = _codings(codes / f"{code_list}.csv", systems) if code_list else []
        requirement = _requirement(kind, declaration.label, codings)
        found[name] = Wanted(declaration.label, requirement, is_situation(declaration))
    return found


def is_situation(declaration: FactDeclaration) -> bool:
    """Whether a fact says where she is in a pregnancy or after one."""
    return "pregnancy" in (declaration.source or {})


def code_systems(base: str) -> dict[str, str]:
    """The word for a code system in a code list → its uri."""
    return {
        "sct": SNOMED,
        "loinc": "http://loinc.org",
        "icd10": "http://hl7.org/fhir/sid/icd-10",
        "dmd": "https://dmd.nhs.uk",
        "local": f"{base}/CodeSystem/perinatal-concept",
    }


def carrier(source: Mapping[str, Any]) -> tuple[str, str]:
    """The resource type that carries a fact, and its code list or ""."""
    for key, kind in _BY_CODE_LIST.items():
        if key in source:
            return kind, str(source[key])
    if "observed" in source:
        return str(source["observed"]), ""
    return _PERSON.get(str(source.get("person")), "Observation"), ""


def _codings(path: Path, systems: Mapping[str, str]) -> list[Resource]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {"system": systems[row["system"]], "code": row["code"], "display": row["display"]}
            for row in csv.DictReader(file)
            if row["system"] in systems
        ]


def _requirement(kind: str, label: str, codings: Sequence[Resource]) -> Resource:
    if kind == "Patient":
        return {"type": kind, "mustSupport": ["birthDate"]}
    asked = list(codings) if 0 < len(codings) <= _MOST_CODES else [{"display": label}]
    return {"type": kind, "codeFilter": [{"path": CODE_PATHS.get(kind, "code"), "code": asked}]}
