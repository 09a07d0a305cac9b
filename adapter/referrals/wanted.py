"""What a fact is called, and the FHIR DataRequirement that would supply it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapter.records import Resource
from adapter.referrals.scope import SNOMED
from adapter.referrals.terms import humanise
from rules import FactDeclaration

_TYPES = {
    "score": "Observation",
    "item": "Observation",
    "flag_score": "Observation",
    "finding": "Observation",
    "condition": "Condition",
    "medication": "MedicationStatement",
    "family_history": "FamilyMemberHistory",
    "pregnancy": "Observation",
    "person": "Patient",
    "observed": "",  # its value names the type
}
"""The first key of a fact's ``from`` → the resource type that carries it. Those that name no code list are in _NO_LIST."""

_NO_LIST = frozenset({"pregnancy", "person", "observed"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fact as people and as machines may ask for it."""

    label: str
    requirement: Resource = field(default_factory=dict)


def wanted(name: str, known: Mapping[str, Wanted]) -> Wanted:
    """What is ``known`` of this fact, or what its name alone says."""
    return known.get(name) or Wanted(humanise(name), _requirement("Observation", humanise(name), None))


def compile_wanted(declarations: Mapping[str, FactDeclaration], codes: Path, base: str) -> dict[str, Wanted]:
    """Every declared fact's label and DataRequirement; once per pack.

    ``codes`` is the pack's folder of code lists (``NAME.csv`` with system, code, display): the first code of a list is
    the one asked for. Where a fact has none, its label alone is given, as the coding's display.
    """
    systems = {
        "sct": SNOMED,
        "loinc": "http://loinc.org",
        "icd10": "http://hl7.org/fhir/sid/icd-10",
        "dmd": "https://dmd.nhs.uk",
        "local": f"{base}/CodeSystem/perinatal-concept",
    }
    found = {}
    for name, declaration in declarations.items():
        kind, code_list = _source(declaration.source or {})
        coding = _first_code(codes / f"{code_list}.csv", systems) if code_list else None
        found[name] = Wanted(declaration.label, _requirement(kind, declaration.label, coding))
    return found


def _source(source: Mapping[str, Any]) -> tuple[str, str]:
    for key, kind in _TYPES.items():
        if key in source:
            return kind or str(source[key]), "" if key in _NO_LIST else str(source[key])
    return "Observation", ""


def _first_code(path: Path, systems: Mapping[str, str]) -> Resource | None:
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["system"] in systems:
                return {"system": systems[row["system"]], "code": row["code"], "display": row["display"]}
    return None


def _requirement(kind: str, label: str, coding: Resource | None) -> Resource:
    if kind == "Patient":
        return {"type": kind, "mustSupport": ["birthDate"]}
    return {"type": kind, "codeFilter": [{"path": "code", "code": [coding or {"display": label}]}]}
