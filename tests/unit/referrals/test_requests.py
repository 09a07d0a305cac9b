"""ServiceRequest, Task, Flag and their Provenance, element by element."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapter.records import Evidence
from adapter.referrals.result import build_result
from adapter.referrals.wanted import Wanted
from rules import Concept, Fact, Service, State, Status
from tests.unit.referrals.samples import (
    AS_OF,
    BASE,
    CONDITION,
    ENCOUNTER,
    ENDED,
    EPDS,
    FAMILY,
    ITEM,
    PATIENT,
    R03,
    R05,
    SELF_HARM,
    decision,
    record,
    url,
)

SNOMED = "http://snomed.info/sct"
SERVICES: Any = {
    "crisis-team": Service(
        key="crisis-team",
        label="Crisis resolution and home treatment team",
        snomed=Concept("92151000000102", "Mental health crisis resolution team"),
        referral_code=Concept("390866009", "Referral to mental health team"),
    )
}


def built(kind: str, services: Any = SERVICES, facts: Any = None, **more: Any) -> list[dict[str, Any]]:
    bundle = build_result(record(), PATIENT, decision(**more), (), services, BASE, facts=facts or {}, digest="ab")
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def test_a_referral_says_where_to_how_soon_and_by_which_rules() -> None:
    crisis, team = built("ServiceRequest")
    assert [crisis["priority"], team["priority"]] == ["asap", "urgent"]
    assert (crisis["status"], crisis["intent"], crisis["authoredOn"]) == ("draft", "proposal", "2026-03-10")
    assert crisis["instantiatesCanonical"] == [f"{BASE}/PlanDefinition/{rule}|0.1.0" for rule in (R03, R05)]
    assert crisis["occurrencePeriod"] == {"start": "2026-03-10", "end": "2026-03-11"}
    assert crisis["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] == "109721000000108"
    assert crisis["subject"] == {"reference": url(PATIENT)}
    assert crisis["note"] == [{"text": "Out of hours"}]
    assert "note" not in team


def test_a_service_is_coded_where_codes_are_known_and_worded_where_not() -> None:
    crisis, team = built("ServiceRequest")
    local = {"system": f"{BASE}/CodeSystem/referral-service", "code": "crisis-team"}
    assert crisis["performerType"]["coding"][0].items() >= local.items()
    assert crisis["performerType"]["coding"][1]["code"] == "92151000000102"
    assert crisis["code"]["coding"][0] == {
        "system": SNOMED,
        "code": "390866009",
        "display": "Referral to mental health team",
    }
    assert team["code"] == {"text": "Referral to Perinatal community team"}
    assert len(team["performerType"]["coding"]) == 1


def test_the_performer_is_the_service_itself() -> None:
    crisis = built("ServiceRequest")[0]
    services = {s["id"]: s for s in built("HealthcareService")}
    assert services[crisis["performer"][0]["reference"].removeprefix("urn:uuid:")]["type"] == [crisis["performerType"]]


def test_a_reason_is_coded_where_the_local_system_has_it() -> None:
    words, coded = built("ServiceRequest")[0]["reasonCode"]
    assert words == {"text": "Self-harm risk"}
    assert coded["coding"][0] == {
        "system": f"{BASE}/CodeSystem/perinatal-concept",
        "code": "tokophobia",
        "display": "Severe fear of childbirth",
    }


def test_evidence_is_a_reason_or_supports_one_and_she_is_neither() -> None:
    places = (PATIENT, CONDITION, ENCOUNTER, FAMILY, CONDITION)
    fact = Fact("x", State.KNOWN, True, evidence=tuple(Evidence(i, "") for i in places))
    (made,) = built("ServiceRequest", referrals=(replace(decision().referrals[0], facts=(fact,)),))
    assert made["reasonReference"] == [{"reference": url(CONDITION)}]
    assert made["supportingInfo"] == [{"reference": url(ENCOUNTER)}, {"reference": url(FAMILY)}]


def test_a_referral_without_facts_or_reasons_has_no_empty_lists() -> None:
    (made,) = built("ServiceRequest", referrals=(replace(decision().referrals[0], facts=(), reasons=()),))
    assert not {"reasonCode", "reasonReference", "supportingInfo", "note"} & made.keys()


def test_a_task_points_at_the_referral_of_its_service_or_else_at_the_service() -> None:
    crisis = built("ServiceRequest")[0]
    talking = built("HealthcareService")[-1]
    risk, _, tell = built("Task")
    assert risk["focus"] == {"reference": f"urn:uuid:{crisis['id']}"}
    assert tell["focus"] == {"reference": f"urn:uuid:{talking['id']}"}
    assert talking["name"] == "Talking therapies"


def test_a_task_says_what_to_do_and_what_is_not_known() -> None:
    facts = {"first_degree_bipolar": Wanted("Bipolar disorder of a first-degree relative")}
    risk, relation, _ = built("Task", facts=facts)
    assert (risk["description"], relation["description"]) == ("Ask today", "Confirm which relative is meant")
    assert relation["reasonCode"] == {
        "text": "Not known: Bipolar disorder of a first-degree relative: relation unknown"
    }
    assert relation["reasonReference"] == {"reference": url(FAMILY)}
    assert risk["code"]["coding"][0]["system"] == f"{BASE}/CodeSystem/perinatal-task"
    assert (risk["status"], risk["intent"], risk["priority"]) == ("requested", "proposal", "asap")
    assert "reasonCode" not in risk


def test_a_task_rests_on_the_facts_that_it_is_asked_for_and_says_them() -> None:
    risk, _, tell = decision().tasks
    made, other = built("Task", tasks=(replace(risk, because=(SELF_HARM,)), tell))
    assert made["reasonReference"] == {"reference": url(ITEM)}
    assert made["reasonCode"] == {"text": "Because of Epds item 10: 2 on 09-Mar-2026"}
    assert "reasonReference" not in other
    assert "reasonCode" not in other


def test_what_is_known_comes_before_what_is_asked_for() -> None:
    relation = replace(decision().tasks[1], because=(SELF_HARM,))
    (made,) = built("Task", tasks=(relation,))
    known, asked = made["reasonCode"]["text"].split(". ")
    assert known.startswith("Because of ")
    assert asked.startswith("Not known: ")
    assert made["reasonReference"] == {"reference": url(ITEM)}


def test_where_only_her_pregnancy_is_known_what_is_asked_for_comes_first() -> None:
    relation = replace(decision().tasks[1], because=(ENDED,))
    facts = {"pregnancy_ended_on": Wanted("end of the pregnancy", situation=True)}
    for also, first in ((), "Not known: "), ((SELF_HARM,), "Because of "):
        (made,) = built("Task", tasks=(replace(relation, because=(ENDED, *also)),), facts=facts)
        assert made["reasonCode"]["text"].startswith(first)


def test_a_task_says_what_else_must_be_known() -> None:
    tell = replace(decision().tasks[2], notes=("It does not cover her.", "She goes on taking it."))
    (made,) = built("Task", tasks=(tell,))
    assert made["note"] == [{"text": "It does not cover her."}, {"text": "She goes on taking it."}]
    assert all("note" not in each for each in built("Task"))


def test_a_task_about_a_confidential_service_is_for_no_more_eyes_than_a_referral_to_it() -> None:
    told = replace(decision().tasks[2], service="safeguarding")
    (made,) = built("Task", tasks=(told,), referrals=(), flags=())
    assert made["meta"]["security"][0]["code"] == "R"
    assert all("security" not in each["meta"] for each in built("Task"))


def test_a_referral_in_place_of_one_outside_its_window_says_so() -> None:
    outside = replace(decision().outcomes[1], status=Status.SUPPRESSED, suppressed_by=("outside-window",))
    (made,) = built("ServiceRequest", referrals=(decision().referrals[0],), outcomes=(outside,))
    assert made["note"] == [{"text": "Outside its window of time: Severe mental illness now"}]


def test_a_task_of_the_pack_itself_instantiates_no_rule() -> None:
    (made,) = built("Task", tasks=(replace(decision().tasks[2], rules=()),))
    assert "instantiatesCanonical" not in made


def test_the_same_task_for_two_services_is_two_tasks() -> None:
    tell = decision().tasks[2]
    made = built("Task", tasks=(tell, replace(tell, service="camhs")))
    assert len({task["id"] for task in made}) == 2


def test_a_flag_has_its_period() -> None:
    watch, safeguarding = built("Flag")
    assert watch["period"] == {"start": "2026-03-10", "end": "2026-04-10"}
    assert safeguarding["period"] == {"start": AS_OF.isoformat()}
    assert watch["code"]["text"] == "High risk in the first weeks after birth"


def test_each_proposal_is_accounted_for_by_rules_record_mapping_and_places() -> None:
    made = {p["target"][0]["reference"]: p for p in built("Provenance")}
    targets = [*built("ServiceRequest"), *built("Task"), *built("Flag")]
    assert set(made) == {f"urn:uuid:{target['id']}" for target in targets}
    crisis = made[f"urn:uuid:{targets[0]['id']}"]
    pack = f"{BASE}/PlanDefinition/perinatal-mental-health|0.1.0"
    assert crisis["policy"] == [pack, *targets[0]["instantiatesCanonical"]]
    assert crisis["recorded"] == "2026-03-10T00:00:00Z"
    assert crisis["entity"] == [
        {"role": "source", "what": {"display": "Source record (hl7v2)", "identifier": {"value": "sha256:ab"}}},
        {"role": "derivation", "what": {"identifier": {"value": "hl7v2@1.2.0"}, "display": "Mapping hl7v2@1.2.0"}},
        {"role": "quotation", "what": {"reference": url(ITEM), "display": "OBX-5 (segment 6 of message 1)"}},
        {"role": "quotation", "what": {"reference": url(EPDS), "display": "OBX-5 (segment 5 of message 1)"}},
    ]


def test_a_flag_rests_on_the_facts_of_its_rules() -> None:
    flag = built("Flag")[0]
    (account,) = [p for p in built("Provenance") if p["target"][0]["reference"] == f"urn:uuid:{flag['id']}"]
    assert account["entity"][-1]["what"] == {"reference": url(CONDITION), "display": "DG1-3 (segment 8 of message 1)"}
