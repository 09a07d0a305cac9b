"""The naive way of the same record, as a first afternoon writes it: models, paths, durable_rules, models."""

from __future__ import annotations

import itertools
from typing import Any

import durable_rules_engine as engine
import orjson
from fhir.resources.R4B.bundle import Bundle
from fhirpathpy import evaluate as fhirpath

_CODE = "code.coding.where(code='{}').exists()"
PATHS = {
    "epds": "Bundle.entry.resource.where(" + _CODE.format("450320001") + ").valueInteger",
    "epds_item_10": "Bundle.entry.resource.where(" + _CODE.format("epds-item-10") + ").valueInteger",
    "phq9": "Bundle.entry.resource.where(" + _CODE.format("720433000") + ").valueInteger",
    "gad7": "Bundle.entry.resource.where(" + _CODE.format("445455005") + ").valueInteger",
    "edd": "Bundle.entry.resource.where(" + _CODE.format("11778-8") + ").valueDateTime",
    "pregnant": "Bundle.entry.resource.where(" + _CODE.format("82810-3") + ").valueCodeableConcept.coding.code",
    "smi": "Bundle.entry.resource.where(" + _CODE.format("13746004") + ").clinicalStatus.coding.code",
    "family": "Bundle.entry.resource.ofType(FamilyMemberHistory).relationship.coding.code",
    "medicine": "Bundle.entry.resource.ofType(MedicationStatement).medicationCodeableConcept.coding.code",
    "birth_date": "Bundle.entry.resource.ofType(Patient).birthDate",
}
RULES = {
    f"rule{number}": {"all": [{"m": {"$and": [{"kind": "facts"}, {"$gte": {name: limit}}]}}]}
    for number, (name, limit) in enumerate(itertools.product(["epds", "epds_item_10", "phq9", "gad7"], range(1, 7)))
}


class Naive:
    """Holds the compiled ruleset; ``run`` takes and gives bytes."""

    def __init__(self, result: bytes) -> None:
        rules: dict[str, Any] = {**RULES, "__end__": {"all": [{"m": {"kind": "__end__"}}], "pri": 9}}
        rules["__open__"] = {"all": [{"m": {"kind": "__open__"}}]}
        self.handle = engine.create_ruleset("naive", orjson.dumps(rules).decode())
        self.result = orjson.loads(result)

    def run(self, data: bytes) -> bytes:
        record = Bundle.model_validate(orjson.loads(data)).model_dump(mode="json")
        facts = {name: (fhirpath(record, path) or [None])[0] for name, path in PATHS.items()}
        self._decide({name: value for name, value in facts.items() if value is not None})
        return Bundle.model_validate(self.result).model_dump_json().encode()

    def _decide(self, facts: dict[str, Any]) -> list[str]:
        fired: list[str] = []
        for number, fact in enumerate(({"kind": "__open__"}, {"kind": "facts", **facts}, {"kind": "__end__"})):
            text = orjson.dumps({"id": f"f{number}", "sid": "s", **fact}).decode()
            _, state = engine.assert_fact(self.handle, text)
            if number != 1:
                fired += self._drain(state)
        engine.delete_state(self.handle, "s")
        return fired

    def _drain(self, state: int) -> list[str]:
        names: list[str] = []
        started = engine.start_action_for_state(self.handle, state)
        message = started[1] if started else None
        while message:
            names += orjson.loads(message)
            message = engine.complete_and_start_action(self.handle, state)
        return names
