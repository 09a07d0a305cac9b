"""GuidanceResponse, the statuses in Parameters, and the OperationOutcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapter.referrals.guidance import decision_issues
from adapter.referrals.result import build_result
from adapter.referrals.wanted import Wanted
from rules import DecisionIssue, Status
from tests.unit.referrals.samples import BASE, ISSUES, R07, R09, R12, decision, outcomes, record


def built(kind: str, facts: Any = None, issues: Any = ISSUES, **more: Any) -> list[dict[str, Any]]:
    bundle = build_result(record(), 0, decision(**more), issues, {}, BASE, facts=facts or {})
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def test_what_would_decide_an_unknown_rule_is_required() -> None:
    requirement = {"type": "FamilyMemberHistory", "codeFilter": [{"path": "code", "code": [{"display": "Relative"}]}]}
    (made,) = built("GuidanceResponse", {"first_degree_bipolar": Wanted("Relative", requirement)})
    assert made["status"] == "data-required"
    assert made["dataRequirement"] == [requirement]
    assert made["moduleCanonical"] == f"{BASE}/PlanDefinition/perinatal-mental-health|0.1.0"
    assert made["occurrenceDateTime"] == "2026-03-10"


def test_a_fact_that_nobody_described_is_asked_for_by_its_name() -> None:
    (made,) = built("GuidanceResponse")
    assert made["dataRequirement"][0]["codeFilter"][0]["code"] == [{"display": "First degree bipolar"}]


def test_a_fact_that_two_rules_miss_is_required_once() -> None:
    twice = tuple(replace(o, status=Status.UNKNOWN, missing=("a", "b", "a")) for o in outcomes()[:2])
    (made,) = built("GuidanceResponse", outcomes=twice)
    assert len(made["dataRequirement"]) == 2


def test_what_would_decide_a_part_of_a_rule_is_required_and_old_data_is_not() -> None:
    fired = replace(outcomes()[0], missing=("a",))
    outside = replace(outcomes()[-1], missing=("b",))
    (made,) = built("GuidanceResponse", outcomes=(fired, outside, outcomes()[4]))
    assert (made["status"], len(made["dataRequirement"])) == ("data-required", 2)
    (old,) = built("GuidanceResponse", outcomes=outcomes()[4:5])
    assert old["status"] == "success"


def test_nothing_unknown_is_success() -> None:
    (made,) = built("GuidanceResponse", outcomes=outcomes()[:2])
    assert made["status"] == "success"
    assert "dataRequirement" not in made


def test_every_rule_has_its_status_for_machines() -> None:
    (made,) = built("Parameters")
    by_rule = {p["name"]: p["part"] for p in made["parameter"]}
    assert [p["name"] for p in made["parameter"]] == [o.rule for o in outcomes()]
    assert by_rule[R07] == [
        {"name": "status", "valueCode": "unknown"},
        {"name": "missing", "valueString": "first_degree_bipolar"},
    ]
    assert by_rule[R09][1] == {"name": "suppressed-by", "valueString": "open-episode"}
    assert by_rule[R12][0] == {"name": "status", "valueCode": "out-of-date"}


def test_the_outcome_holds_the_records_issues_and_the_decisions() -> None:
    (made,) = built("OperationOutcome")
    assert [issue["severity"] for issue in made["issue"]] == ["warning", "information"]
    (guidance,) = built("GuidanceResponse")
    assert guidance["evaluationMessage"] == [{"reference": f"urn:uuid:{made['id']}"}]


def test_nothing_to_say_is_no_outcome() -> None:
    bundle = build_result(record(), 0, decision(issues=()), (), {}, BASE)
    kinds = [e["resource"]["resourceType"] for e in bundle["entry"]]
    assert "OperationOutcome" not in kinds
    assert "evaluationMessage" not in bundle["entry"][kinds.index("GuidanceResponse")]["resource"]


def test_a_rule_that_failed_is_always_said_aloud() -> None:
    failed = decision(outcomes=(replace(outcomes()[0], status=Status.ERROR),), issues=())
    (issue,) = decision_issues(failed)
    assert (issue.severity, issue.code, issue.place) == ("error", "exception", outcomes()[0].rule)


def test_issues_get_the_type_that_fits_their_code() -> None:
    def said(code: str, severity: str) -> str:
        return decision_issues(decision(issues=(DecisionIssue(code, severity, "text"),)))[0].code

    assert said("data-conflict", "warning") == "conflict"
    assert said("suppressed", "information") == "informational"
    assert said("no-service-covers", "warning") == "business-rule"
