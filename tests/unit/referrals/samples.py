"""A hand-built record and decision: a woman with a positive self-harm item, a pregnancy and unanswered questions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from adapter.records import Evidence, Issue, MappedBundle
from rules import (
    DateSpan,
    Decision,
    DecisionIssue,
    Fact,
    ProposedFlag,
    ProposedReferral,
    ProposedTask,
    RuleOutcome,
    Source,
    State,
    Status,
    Trace,
)

BASE = "https://perinatal-referrals.example/fhir"
AS_OF = date(2026, 3, 10)
NHS_NUMBER = "9990000018"
R03, R05, R07, R09, R12 = (
    "r03-any-self-harm-answer",
    "r05-current-severe-mental-illness",
    "r07-family-history",
    "r09-moderate-illness",
    "r12-birth-trauma",
)
PATIENT, EPDS, ITEM, CONDITION, ENCOUNTER, PRACTITIONER, FAMILY, UNUSED = range(8)


def url(index: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{index:012d}"


def coding(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def observation(code: dict[str, Any], value: int, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": code,
        "subject": {"reference": url(PATIENT)},
        "effectiveDateTime": "2026-03-09",
        "valueInteger": value,
        **more,
    }


def bundle() -> dict[str, Any]:
    """Eight entries; the last is quoted by nothing."""
    sct = "http://snomed.info/sct"
    item_10 = coding(f"{BASE}/CodeSystem/perinatal-concept", "epds-item-10", "EPDS item 10")
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "Patient",
            "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NHS_NUMBER}],
            "name": [{"family": "Example", "given": ["Ada", "May"]}],
            "birthDate": "1996-03-11",
            "generalPractitioner": [{"reference": "Organization/elsewhere", "display": "A practice"}],
        },
        observation(coding(sct, "450320001", "EPDS score"), 14, encounter={"reference": url(ENCOUNTER)}),
        observation(item_10, 2),
        {
            "resourceType": "Condition",
            "code": coding(sct, "13746004", "Bipolar disorder"),
            "clinicalStatus": coding("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"),
            "subject": {"reference": url(PATIENT)},
            "onsetDateTime": "2015",
        },
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": url(PATIENT)},
            "participant": [{"individual": {"reference": url(PRACTITIONER)}}],
        },
        {"resourceType": "Practitioner", "name": [{"family": "Midwife"}]},
        {
            "resourceType": "FamilyMemberHistory",
            "status": "completed",
            "patient": {"reference": url(PATIENT)},
            "relationship": coding("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "MTH", "mother"),
        },
        observation(coding(sct, "720433000", "PHQ-9 score"), 3),
    ]
    entries = [
        {"fullUrl": url(index), "resource": {**resource, "id": f"own-{index}"}}
        for index, resource in enumerate(resources)
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


LINEAGE = {
    (url(ITEM), "valueInteger"): "OBX-5 (segment 6 of message 1)",
    (url(EPDS), "valueInteger"): "OBX-5 (segment 5 of message 1)",
    (url(CONDITION), "code"): "DG1-3 (segment 8 of message 1)",
    (url(FAMILY), ""): "OBX (segment 9 of message 1)",
}


def record(**more: Any) -> MappedBundle:
    """The record as a mapped HL7 v2 message."""
    made = MappedBundle("ward 7, Ada Example.hl7", bundle(), lineage=LINEAGE, mapping="hl7v2@1.2.0")
    return replace(made, **more)


def fhir_record() -> MappedBundle:
    """The same record as if it had come as FHIR."""
    return MappedBundle("record.json", bundle())


EPDS_TOTAL = Fact("epds_total", State.KNOWN, 14, date(2026, 3, 9), (Evidence(EPDS, "valueInteger", "2026-03-09"),))
SELF_HARM = Fact("epds_item_10", State.KNOWN, 2, date(2026, 3, 9), (Evidence(ITEM, "valueInteger", "2026-03-09"),))
BIPOLAR = Fact(
    "severe_mental_illness", State.KNOWN, True, date(2015, 1, 1), (Evidence(CONDITION, "code.coding[0].code", "2015"),)
)
RELATION = Fact(
    "first_degree_bipolar", State.UNKNOWN, evidence=(Evidence(FAMILY, "relationship"),), note="relation-unknown"
)
ENDED = Fact("pregnancy_ended_on", State.KNOWN, DateSpan(date(2026, 2, 1), date(2026, 2, 3)))
ANXIETY = Fact(
    "gad7_total", State.ABSENT, note="out-of-date", older=12, older_on=date(2025, 6, 1), evidence=(Evidence(EPDS, ""),)
)
FACTS = {fact.name: fact for fact in (EPDS_TOTAL, SELF_HARM, BIPOLAR, RELATION, ENDED, ANXIETY)}

NICE = (Source("NICE CG192", section="1.5.9", version="2020", says="refer to a specialist service", confidence="V"),)


def compare(fact: Fact, text: str, truth: bool | None, parameter: str = "") -> Trace:
    return Trace(truth, "compare", text, fact, parameter)


def outcomes() -> tuple[RuleOutcome, ...]:
    """One rule of each status that a person may ask about."""
    item = compare(SELF_HARM, "EPDS item 10 is more than 0", True)
    window = Trace(
        True,
        "derived",
        "within the perinatal window",
        Fact("in_window", State.KNOWN, True),
        children=(compare(ENDED, "the pregnancy ended within 24 months", True, "perinatal-team-window-months"),),
    )
    high = compare(EPDS_TOTAL, "EPDS total is 13 or more", True, "moderate-epds")
    low = compare(EPDS_TOTAL, "EPDS total is 20 or more", False, "severe-epds")
    relation = compare(RELATION, "a first-degree relative has bipolar disorder", None)
    stale = compare(ANXIETY, "GAD-7 total is 10 or more", False, "moderate-gad7")
    return (
        RuleOutcome(
            R03,
            "Any positive answer to a self-harm item",
            True,
            Status.FIRED,
            Trace(True, "any", "any of", children=(item, low)),
            sources=NICE,
            facts=(SELF_HARM,),
        ),
        RuleOutcome(
            R05,
            "Severe mental illness now",
            False,
            Status.FIRED,
            Trace(True, "all", "all of", children=(compare(BIPOLAR, "severe mental illness", True), window)),
            sources=NICE,
            facts=(BIPOLAR, ENDED),
        ),
        RuleOutcome(R07, "Family history", False, Status.UNKNOWN, relation, missing=("first_degree_bipolar",)),
        RuleOutcome(R09, "Moderate illness", False, Status.SUPPRESSED, high, suppressed_by=("open-episode",)),
        RuleOutcome(R12, "Birth trauma", False, Status.OUT_OF_DATE, stale, missing=("gad7_total",)),
        RuleOutcome("r22-eating-disorder", "Eating disorder", False, Status.NOT_FIRED, low),
    )


def decision(**more: Any) -> Decision:
    """Two referrals, three tasks, two flags and an issue."""
    made = Decision(
        pack="perinatal-mental-health",
        version="0.1.0",
        provider="england-default",
        as_of=AS_OF,
        outcomes=outcomes(),
        referrals=(
            ProposedReferral(
                "perinatal-community-team",
                "urgent",
                AS_OF,
                date(2026, 3, 12),
                (R05,),
                ("severe-mental-illness",),
                (BIPOLAR, ENDED),
            ),
            ProposedReferral(
                "crisis-team",
                "asap",
                AS_OF,
                date(2026, 3, 11),
                (R03, R05),
                ("self-harm-risk", "tokophobia"),
                (SELF_HARM, EPDS_TOTAL),
                ("Out of hours",),
            ),
        ),
        tasks=(
            ProposedTask("assess-suicide-risk", "asap", (R03,), service="crisis-team", text="Ask today"),
            ProposedTask("confirm-family-relation", "routine", (R07,), facts=("first_degree_bipolar",)),
            ProposedTask("update-open-team", "routine", (R09,), service="talking-therapies"),
        ),
        flags=(
            ProposedFlag("postpartum-watch", (R05,), AS_OF, date(2026, 4, 10)),
            ProposedFlag("safeguarding-concern", (R03,), AS_OF),
        ),
        issues=(DecisionIssue("suppressed", "information", "Held back: a team already has her", (R09,)),),
        facts=FACTS,
    )
    return replace(made, **more)


ISSUES = (Issue("warning", "code-invalid", "a code is not known", "unmapped-code", "OBX-3 (segment 7 of message 1)"),)
