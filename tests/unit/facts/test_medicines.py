"""Medicines: taken, stopped, said by findings, and those that no rule can see."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rules import DateSpan, State
from tests.unit.facts.records import (
    SCT,
    coded,
    condition,
    details,
    observation,
    read,
    ref,
)

DAY = DateSpan(date(2025, 6, 1), date(2025, 6, 1))
OLANZAPINE = coded(SCT, "108441004")


def statement(status: str, concept: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    named = {} if "medicationReference" in more else {"medicationCodeableConcept": concept or OLANZAPINE}
    return {"resourceType": "MedicationStatement", "status": status, "subject": ref("mother"), **named, **more}


@pytest.mark.parametrize(
    ("resource", "state"),
    [
        (statement("active"), State.KNOWN),
        (statement("intended"), State.KNOWN),
        (statement("active", coded("https://dmd.nhs.uk", "108441004")), State.KNOWN),
        ({**statement("active"), "resourceType": "MedicationRequest", "intent": "order"}, State.KNOWN),
        (statement("on-hold"), State.UNKNOWN),
        (statement("active", effectivePeriod={"end": "2025-01-01"}), State.UNKNOWN),
        (statement("stopped"), State.ABSENT),
        (statement("entered-in-error"), State.ABSENT),
        (statement("not-taken"), State.ABSENT),
        (statement("active", {"text": "olanzapine"}), State.ABSENT),
    ],
)
def test_medicines_taken(resource: dict[str, Any], state: State) -> None:
    assert read(resource).facts["taking"].state is state


def test_a_medicine_whose_code_is_in_no_list_is_said_to_be() -> None:
    assert "unmapped-code" not in details(read(statement("active")))
    brand = coded("https://dmd.nhs.uk", "999000001105")
    assert "unmapped-code" in details(read(statement("active", brand)))
    elsewhere = {"resourceType": "Medication", "id": "m", "code": brand}
    referred = statement("active", medicationReference=ref("m", "Medication"))
    assert "unmapped-code" in details(read(referred, elsewhere))


def test_medicines_stopped() -> None:
    stopped = statement("stopped", effectivePeriod={"start": "2024-01-01", "end": "2025-06-01"})
    assert read(stopped).facts["stopped"].value == DAY
    assert read({**stopped, "status": "completed"}).facts["stopped"].value == DAY
    assert read(statement("stopped")).facts["stopped"].note == "no-date"
    assert read(stopped, statement("active")).facts["stopped"].state is State.ABSENT
    other = statement("active", coded(SCT, "108443001"))
    assert read(stopped, other).facts["stopped"].value == DAY


def test_a_medicine_in_an_entry_of_its_own_and_contained() -> None:
    medicine = {"resourceType": "Medication", "id": "m", "code": OLANZAPINE}
    assert read(medicine, statement("active", medicationReference=ref("m", "Medication"))).facts["taking"].value is True
    inside = statement("active", medicationReference={"reference": "#m"}, contained=[medicine])
    assert read(inside).facts["taking"].value is True
    lost = read(statement("active", medicationReference=ref("m", "Medication")))
    assert details(lost) == ["uncoded-text"]


# --- medicines said by findings, and those inside others ------------------------------------------------------------
ON_LITHIUM = coded(SCT, "268514004")


@pytest.mark.parametrize(
    ("resource", "taking", "stopped"),
    [
        (observation(ON_LITHIUM, "2025-06-01"), State.KNOWN, State.ABSENT),
        (observation(ON_LITHIUM, "2025-06-01", valueBoolean=False), State.ABSENT, State.ABSENT),
        (
            observation(ON_LITHIUM, "2025-06-01", valueCodeableConcept=coded(SCT, "373067005")),
            State.ABSENT,
            State.ABSENT,
        ),
        (observation(ON_LITHIUM, "2025-06-01", valueString="see letter"), State.UNKNOWN, State.ABSENT),
        (observation(ON_LITHIUM, "2025-06-01", status="cancelled"), State.ABSENT, State.ABSENT),
        (condition(ON_LITHIUM), State.KNOWN, State.ABSENT),
        (condition(ON_LITHIUM, verified="provisional"), State.UNKNOWN, State.ABSENT),
        (condition(ON_LITHIUM, verified="refuted"), State.ABSENT, State.ABSENT),
        (condition(ON_LITHIUM, verified="entered-in-error"), State.ABSENT, State.ABSENT),
        (condition(ON_LITHIUM, clinical="resolved", abatementDateTime="2025-06-01"), State.ABSENT, State.KNOWN),
        (condition(ON_LITHIUM, clinical="resolved"), State.ABSENT, State.UNKNOWN),
    ],
)
def test_a_finding_that_a_medicine_is_taken(resource: dict[str, Any], taking: State, stopped: State) -> None:
    facts = read(resource).facts
    assert (facts["taking"].state, facts["stopped"].state) == (taking, stopped)


@pytest.mark.parametrize(
    ("concept", "said"),
    [
        (coded("https://dmd.nhs.uk", "999000001105"), "unmapped-code"),
        ({"text": "lithium"}, "uncoded-text"),
        ({"coding": [{"display": "lithium"}]}, "uncoded-text"),
    ],
)
def test_a_medicine_that_no_rule_can_see_is_said_wherever_it_is(concept: dict[str, Any], said: str) -> None:
    medicine = {"resourceType": "Medication", "id": "m", "code": concept}
    inside = statement("active", medicationReference={"reference": "#m"}, contained=[medicine])
    elsewhere = [statement("active", medicationReference=ref("m", "Medication")), medicine]
    for record in ([statement("active", concept)], [inside], elsewhere):
        assert details(read(*record)) == [said]
    assert details(read(statement("active", medicationReference={"reference": "#m"}))) == ["uncoded-text"]
