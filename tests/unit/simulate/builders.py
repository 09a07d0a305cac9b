"""Cohorts of synthetic mothers and changed copies of the shipped pack, for the tests of the simulation."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from adapter.simulate import Plan, Simulation, simulate
from rules import LIBRARY
from rules.tools import parse_side
from tests.samples import LOCAL, LOINC, SCT, concept, fhir, observation, patient

AS_OF = date(2026, 3, 2)


def mother(epds: int, item: int = 0, *more: dict[str, Any]) -> dict[str, Any]:
    """A pregnant woman with this EPDS total and answer to item 10, ten days before the day of the tests."""
    return fhir(
        patient(),
        observation("pregnant", concept(LOINC, "82810-3"), valueCodeableConcept=concept(SCT, "77386006", "Pregnant")),
        observation("edd", concept(LOINC, "11778-8"), valueDateTime="2026-05-25"),
        observation("epds", concept(SCT, "450320001"), valueInteger=epds),
        observation("item-10", concept(LOCAL, "epds-item-10"), valueInteger=item),
        *more,
    )


def cohort(folder: Path, **records: dict[str, Any] | str) -> Path:
    """A folder with a file for each record; a text is written as it is."""
    folder.mkdir(parents=True)
    for name, record in records.items():
        text = record if isinstance(record, str) else json.dumps(record)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def pack(folder: Path, **parameters: str) -> Path:
    """A copy of the shipped pack with other values of these parameters (``epds_possible="11"``)."""
    shutil.copytree(LIBRARY, folder)
    for name, value in parameters.items():
        start = f"\n{name.replace('_', '-')}:"
        before, after = (folder / "parameters.yaml").read_text(encoding="utf-8").split(start)
        head, tail = after.split("values: ", 1)
        rest = tail.split("\n", 1)[1]
        head = re.sub(r"  range: .*\n", "", head)  # what a provider may set is not what is tried here
        text = f"{before}{start}{head}values: [{{from: 2024-01-01, value: {value}}}]\n{rest}"
        (folder / "parameters.yaml").write_text(text, encoding="utf-8")
    return folder


def edit(folder: Path, name: str, old: str, new: str) -> Path:
    """Replace the one ``old`` in a file of a pack."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, text.count(old)
    path.write_text(text.replace(old, new), encoding="utf-8")
    return folder


def provider(folder: Path, name: str, lines: str) -> Path:
    """Add a provider's policy to a pack."""
    text = f"provider: {name}\ntitle: A made-up provider\n{lines}"
    (folder / "providers" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def simulated(folder: Path, b: str, a: str = "", jobs: int = 1, worth: int = 200) -> Simulation:
    return simulate(folder, Plan(parse_side(a), parse_side(b), AS_OF), jobs, worth)


def changes(found: Simulation) -> list[tuple[str, str, str, str]]:
    """Each referral that differs: record, kind, and the service with its priority on A and on B."""

    def spoken(referral: Any) -> str:
        return f"{referral.service} {referral.priority}" if referral else ""

    return [
        (person.name, change.kind.value, spoken(change.a), spoken(change.b))
        for person in found.changed
        for change in person.compared.referrals
    ]
