"""Another engine, given only the converted records, retrieves the simple facts as the adapter reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from adapter.bootstrap import Adapter
from adapter.pipeline import evaluate_all, read
from adapter.records import RawRecord, Resource
from rules import State
from tests.judges.cql_cases import by_provider, decided, of_decision
from tests.judges.cql_facts import (
    BASE,
    DIAGNOSIS,
    RETRIEVED,
    SCORES,
    Disagreement,
    Found,
    Record,
    disagreements,
    needs_retrieval,
    record_of,
    retrieve,
    value_sets,
)
from tests.judges.cql_judge import differences
from tests.samples import AS_OF, LOCAL, LOINC, SCT, concept, fhir, observation, patient

pytestmark = needs_retrieval

UNREAD = {
    # The library reads no questionnaire. The answers are 1+1+2+2+2+2+1+2+1+0 = 14, the recorded total is 9: the higher
    # counts; and the tenth answer is 0.
    Disagreement("15-items-do-not-add-up/record.json", "epds_total", "14 of 2026-02-26", "9 of 2026-02-26"),
    Disagreement("15-items-do-not-add-up/record.json", "epds_item_10", "0 of 2026-02-26", "unknown"),
    # The library does no arithmetic: a total of 0 leaves item 10 no room to be anything else.
    Disagreement("41-epds-zero/msds", "epds_item_10", "0 of 2026-02-24", "unknown"),
    Disagreement("41-epds-zero/record.json", "epds_item_10", "0 of 2026-02-24", "unknown"),
    # The library does not read that a clinician assessed the answer (of 20 February) the day after: no current risk.
    Disagreement("45-self-harm-answer-assessed/messages.hl7", "epds_item_10", "0 of 2026-02-20", "1 of 2026-02-20"),
    Disagreement("45-self-harm-answer-assessed/record.json", "epds_item_10", "0 of 2026-02-20", "1 of 2026-02-20"),
    # The second person is the father. His score stands in her record, and is his by Observation.focus, through a
    # RelatedPerson: the library reads only what has the patient as its subject and no focus.
    Disagreement("82-the-fathers-score-in-her-record/record.json 2", "epds_total", "11 of 2026-02-26", "absent"),
    Disagreement("82-the-fathers-score-in-her-record/record.json 2", "epds_item_10", "0 of 2026-02-26", "absent"),
}
"""Every form in the fixtures that the library does not read, each checked by hand against the record."""


@cache
def records() -> tuple[Record, ...]:
    return tuple(record_of(name, result) for name, result, _ in decided())


@cache
def retrieved() -> list[Mapping[str, Found]]:
    (facts,) = retrieve((records(), value_sets(records())))
    return facts


# --- the fixtures --------------------------------------------------------------------------------------------------
def test_what_is_retrieved_from_each_fixture_is_what_the_adapter_reads() -> None:
    assert len(records()) >= 120
    assert disagreements(records(), retrieved()) == UNREAD


def test_the_fixtures_show_each_fact_known_and_not() -> None:
    """So that agreement means something. GAD-7 is in no fixture: the made records show it."""
    found = {name: {facts[name].state for facts in retrieved()} for name in RETRIEVED}
    assert found["epds_item_10"] == found["phq9_item_9"] == {State.KNOWN, State.UNKNOWN, State.ABSENT}
    assert found["epds_total"] == found["phq9_total"] == found[DIAGNOSIS] == {State.KNOWN, State.ABSENT}
    assert found["gad7_total"] == {State.ABSENT}


def test_the_rules_find_the_same_with_the_retrieved_facts() -> None:
    """From the record to the truth of every rule in other people's engine; all other facts are ours."""
    unread = {each.record for each in UNREAD}
    agreed, other = [], []
    for (name, _, decision), found in zip(decided(), retrieved(), strict=True):
        case = of_decision(name, decision)
        facts = {each: case.facts[each]._replace(**fact._asdict()) for each, fact in found.items() if each in SCORES}
        facts[DIAGNOSIS] = case.facts[DIAGNOSIS]._replace(state=found[DIAGNOSIS].state, value=found[DIAGNOSIS].value)
        given = decision.provider, replace(case, facts={**case.facts, **facts})
        (other if name in unread else agreed).append(given)
    assert differences(*by_provider(agreed)) == []
    assert {each.partition(": ")[0] for each in differences(*by_provider(other))} == unread


# --- made records: the forms and boundaries that the fixtures do not have --------------------------------------------
EPDS, ITEM_10 = concept(SCT, "450320001"), concept(LOCAL, "epds-item-10")
PHQ_9, ITEM_9 = concept(LOINC, "44261-6"), concept(LOINC, "44260-8")
GAD_7 = concept(LOINC, "70274-6")
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
ANOTHER = {"display": "somebody who is not in the record"}
SCORE = {"unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"}


def result(code: Resource, value: float, day: str = "2026-02-20", **more: Any) -> Resource:
    return observation("", code, day, valueInteger=value, **more)


def quantity(code: Resource, value: float, day: str = "2026-02-20", **more: Any) -> Resource:
    return observation("", code, day, valueQuantity={"value": value, **SCORE}, **more)


def condition(code: str, verification: str, clinical: str = "active", system: str = "") -> Resource:
    url = "http://terminology.hl7.org/CodeSystem/condition"
    statuses = {"clinicalStatus": concept(f"{url}-clinical", clinical)} if clinical else {}
    return {
        "resourceType": "Condition",
        **statuses,
        "verificationStatus": concept(f"{url}-ver-status", verification),
        "code": concept(system or "http://hl7.org/fhir/sid/icd-10", code),
        "subject": {"reference": "Patient/ada"},
        "recordedDate": "2026-02-20",
    }


MADE: Mapping[str, tuple[list[Resource], Mapping[str, str]]] = {
    "28 days old": ([result(EPDS, 12, "2026-02-02")], {"epds_total": "12 of 2026-02-02", "epds_item_10": "unknown"}),
    "29 days old": ([result(EPDS, 12, "2026-02-01")], {}),
    "of today": ([result(GAD_7, 15, AS_OF)], {"gad7_total": f"15 of {AS_OF}"}),
    "of tomorrow": ([result(GAD_7, 15, "2026-03-03")], {}),
    "a quantity": ([quantity(GAD_7, 21)], {"gad7_total": "21 of 2026-02-20"}),
    "half a point": ([quantity(GAD_7, 9.5)], {}),
    "amended": ([result(GAD_7, 9, status="amended")], {"gad7_total": "9 of 2026-02-20"}),
    "corrected": ([result(GAD_7, 9, status="corrected")], {"gad7_total": "9 of 2026-02-20"}),
    **{
        status: ([result(GAD_7, 9, status=status)], {})
        for status in ("registered", "preliminary", "cancelled", "entered-in-error", "unknown")
    },
    "the highest": (
        [result(PHQ_9, 27), result(ITEM_9, 3)],
        {"phq9_total": "27 of 2026-02-20", "phq9_item_9": "3 of 2026-02-20"},
    ),
    "above the highest": (
        [result(PHQ_9, 28), result(ITEM_9, 4), result(EPDS, 31), result(GAD_7, 22)],
        {"phq9_item_9": "unknown", "epds_item_10": "unknown"},
    ),
    "below zero": ([result(GAD_7, -1), result(ITEM_9, -1)], {"phq9_item_9": "unknown"}),
    "an item left blank": (
        [observation("", ITEM_10, dataAbsentReason=concept(ABSENT, "unknown"))],
        {"epds_item_10": "unknown"},
    ),
    "an old code": (
        [result(concept(SCT, "506701000000100"), 11)],
        {"phq9_total": "11 of 2026-02-20", "phq9_item_9": "unknown"},
    ),
    "two days": ([result(GAD_7, 12, "2026-02-20"), result(GAD_7, 5, "2026-02-19")], {"gad7_total": "12 of 2026-02-20"}),
    "two hours": (
        [result(GAD_7, 5, "2026-02-20T15:00:00Z"), result(GAD_7, 12, "2026-02-20T09:00:00Z")],
        {"gad7_total": "5 of 2026-02-20"},
    ),
    "issued later, and first in the record": (
        [
            result(GAD_7, 5, "2026-02-20T09:00:00Z", issued="2026-02-20T11:00:00Z"),
            result(GAD_7, 12, "2026-02-20T09:00:00Z", issued="2026-02-20T10:00:00Z"),
        ],
        {"gad7_total": "5 of 2026-02-20"},
    ),
    "issued later, and last in the record": (
        [
            result(GAD_7, 12, "2026-02-20T09:00:00Z", issued="2026-02-20T10:00:00Z"),
            result(GAD_7, 5, "2026-02-20T09:00:00Z", issued="2026-02-20T11:00:00Z"),
        ],
        {"gad7_total": "5 of 2026-02-20"},
    ),
    "done earlier and issued later": (
        [
            result(GAD_7, 12, "2026-02-20T08:00:00Z", issued="2026-02-20T11:00:00Z"),
            result(GAD_7, 5, "2026-02-20T09:00:00Z", issued="2026-02-20T10:00:00Z"),
        ],
        {"gad7_total": "5 of 2026-02-20"},
    ),
    "a newer one withdrawn": (
        [result(GAD_7, 12, "2026-02-19"), result(GAD_7, 5, "2026-02-20", status="entered-in-error")],
        {"gad7_total": "12 of 2026-02-19"},
    ),
    "an item as a component": (
        [result(EPDS, 7, component=[{"code": ITEM_10, "valueInteger": 2}])],
        {"epds_total": "7 of 2026-02-20", "epds_item_10": "2 of 2026-02-20"},
    ),
    "an item as a component's quantity": (
        [result(PHQ_9, 7, component=[{"code": ITEM_9, "valueQuantity": {"value": 1, **SCORE}}])],
        {"phq9_total": "7 of 2026-02-20", "phq9_item_9": "1 of 2026-02-20"},
    ),
    "a component of what is not final": (
        [result(EPDS, 7, status="preliminary", component=[{"code": ITEM_10, "valueInteger": 2}])],
        {"epds_item_10": "unknown"},
    ),
    "an item that is not final": ([result(ITEM_10, 2, status="preliminary")], {"epds_item_10": "unknown"}),
    "an item that was withdrawn": ([result(ITEM_10, 2, status="entered-in-error")], {}),
    "a later zero": (
        [result(ITEM_10, 2, "2026-02-10"), result(ITEM_10, 0, "2026-02-20")],
        {"epds_item_10": "0 of 2026-02-20"},
    ),
    "left blank in the newest form": (
        [result(EPDS, 9, "2026-02-10"), result(ITEM_10, 2, "2026-02-10"), result(EPDS, 8, "2026-02-20")],
        {"epds_total": "8 of 2026-02-20", "epds_item_10": "2 of 2026-02-10"},
    ),
    "about somebody else": ([result(EPDS, 20, focus=[{"reference": "RelatedPerson/partner"}])], {}),
    "of another subject": (
        [result(GAD_7, 20, subject=ANOTHER), {**condition("F31.7", "confirmed"), "subject": ANOTHER}],
        {},
    ),
    **{
        f"bipolar disorder {verification}": ([condition("F31.7", verification)], {DIAGNOSIS: "True"})
        for verification in ("confirmed", "provisional", "differential", "unconfirmed")
    },
    "bipolar disorder refuted": ([condition("F31.7", "refuted")], {}),
    "bipolar disorder entered in error": ([condition("F31.7", "entered-in-error", "")], {}),
    "schizophrenia in remission": ([condition("58214004", "confirmed", "remission", SCT)], {DIAGNOSIS: "True"}),
    "schizophrenia, resolved": ([condition("58214004", "confirmed", "resolved", SCT)], {DIAGNOSIS: "True"}),
    "a moderate depressive episode": ([condition("F32.1", "confirmed")], {}),
    "a depressive episode, severe": ([condition("F32.2", "confirmed")], {DIAGNOSIS: "True"}),
}
"""Resources of a record → what is known of which fact; every other fact is absent. Worked out by hand."""


@cache
def made() -> tuple[Record, ...]:
    return tuple(_made(name, resources) for name, (resources, _) in MADE.items())


def _made(name: str, resources: list[Resource]) -> Record:
    partner = {"resourceType": "RelatedPerson", "id": "partner", "patient": {"reference": "Patient/ada"}}
    numbered = ({**each, "id": f"r{number}"} for number, each in enumerate(resources))
    adapter = Adapter()
    found = read(adapter, RawRecord(name, json.dumps(fhir(patient(), partner, *numbered)).encode()))
    (result,) = evaluate_all(adapter, found, date.fromisoformat(AS_OF))
    return record_of(name, result)


def test_a_made_record_is_read_and_retrieved_as_it_should_be() -> None:
    (facts,) = retrieve((made(), value_sets(made())))
    for record, found in zip(made(), facts, strict=True):
        known = {name: str(fact) for name, fact in found.items() if fact.state is not State.ABSENT}
        assert known == MADE[record.name][1], record.name
    assert disagreements(made(), facts) == set()


# --- negative controls ---------------------------------------------------------------------------------------------
def test_a_moved_day_and_a_dropped_code_are_caught() -> None:
    """One day earlier or later the validity ends elsewhere; without one code of a list its results are not found."""
    every = (*records(), *made())
    codes = value_sets(every)
    moved = [[replace(each, as_of=each.as_of + timedelta(days=days)) for each in every] for days in (-1, 1)]
    dropped = {
        "epds-total": (SCT, "450320001"),
        "epds-item-10": (LOCAL, "epds-item-10"),
        "phq-9-total": (SCT, "720433000"),
        "phq-9-item-9": (LOINC, "44260-8"),
        "gad-7-total": (LOINC, "70274-6"),
        "severe-mental-illness": ("http://hl7.org/fhir/sid/icd-10", "F32.2"),
    }
    without = []
    for name, code in dropped.items():
        url = f"{BASE}/ValueSet/{name}"
        assert code in codes[url]
        without.append({**codes, url: [each for each in codes[url] if each != code]})
    days = (every, *moved, *(every for _ in without))
    sets = (codes, codes, codes, *without)
    found = retrieve(*zip(days, sets, strict=True))
    same, earlier, later, *lacking = (disagreements(each, facts) for each, facts in zip(days, found, strict=True))
    assert same == UNREAD
    assert Disagreement("29 days old", "epds_total", "absent", "12 of 2026-02-01") in earlier
    assert Disagreement("28 days old", "epds_total", "12 of 2026-02-02", "absent") in later
    assert {name: bool(each - UNREAD) for name, each in zip(dropped, lacking, strict=True)} == dict.fromkeys(
        dropped, True
    )
