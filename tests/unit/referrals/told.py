"""Accounts of hand-made decisions: the tiny pack's rules on a record of nobody's."""

from __future__ import annotations

from pathlib import Path

from adapter.referrals.explained import Explained, work_out
from rules import EVERYWHERE, Availability, Fact
from rules.whatif import WhatIf
from tests.unit.referrals.samples import record
from tests.unit.rules.tiny import AS_OF, PACK, tiny

FACTS = (
    PACK["facts.yaml"]
    .replace("label: Score,", 'label: "PHQ-9, total",')
    .replace("label: Ill, type: boolean, absent: unknown", "label: bipolar disorder, type: boolean, absent: unknown")
    .replace("from: {x: y}}\n        ended_on", "from: {pregnancy: pregnant}}\n        ended_on")
    .replace("label: End of pregnancy, type: date, from: {x: y}", "label: end of pregnancy, type: date, from: {pregnancy: pregnancy_ended_on}")
    .replace("type: days, from: {x: y}", "type: days, range: [0, 320], from: {pregnancy: gestation_days}")
    .replace("type: codes, from: {x: y}}\n        consent", "type: codes, from: {person: open_services}}\n        consent")
    + """    birth_on: {label: date of birth, type: date, from: {pregnancy: birth_on}}
        loss_on: {label: date of loss, type: date, from: {pregnancy: loss_on}}
        living: {label: a living baby, type: boolean, from: {pregnancy: living_baby}}
    """
)  # fmt: skip
WHO = "EXAMPLE, Ada May (NHS 999 000 0018, 29 years), on 02-Mar-2026"


def told(folder: Path, facts: dict[str, Fact], there: Availability = EVERYWHERE, **files: str) -> Explained:
    pack = tiny(folder, **{"facts": FACTS, **files})
    return work_out(pack.evaluate(facts, AS_OF, there), record(), 0, pack, WhatIf(pack))
