"""GuidanceResponse with its Parameters, and the OperationOutcome: what was decided, and what must be said aloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from adapter.fhir.outcome import operation_outcome
from adapter.records import Issue, Resource
from adapter.referrals.scope import Scope, reference
from adapter.referrals.wanted import Wanted, wanted
from rules import Decision, DecisionIssue, RuleOutcome, Status

_ISSUE_TYPES = {
    "data-conflict": "conflict",
    "code-display-conflict": "conflict",
    "score-item-mismatch": "conflict",
    "duplicate": "duplicate",
    "unsupported": "not-supported",
    "malformed": "structure",
    "implausible-value": "value",
    "implausible-date": "value",
    "unmapped-code": "code-invalid",
}
"""perinatal-issue code → FHIR issue-type; the rest are business rules."""

_UNKNOWN, _ERROR = Status.UNKNOWN, Status.ERROR  # an enumeration is slow to ask for a member, once for each rule
_FAILED = "The rule could not be evaluated: do not read this as no referral"


def guidance_response(scope: Scope, known: Mapping[str, Wanted], statuses: str, outcome: str | None) -> Resource:
    """The entry for the pack: ``data-required``, with what is missing, where a rule lacks something; else ``success``.

    ``statuses`` is the full URL of the Parameters entry, ``outcome`` that of the OperationOutcome, if there is one.
    """
    undecided = [rule for rule in scope.decision.outcomes if rule.status is _UNKNOWN or lacks(rule)]
    missing = dict.fromkeys([name for rule in undecided for name in rule.missing])
    resource: Resource = {
        "resourceType": "GuidanceResponse",
        "moduleCanonical": scope.pack,
        "status": "data-required" if undecided else "success",
        "subject": scope.subject,
        "occurrenceDateTime": scope.day,
        "performer": scope.device,
        "outputParameters": reference(statuses),
    }
    if outcome:
        resource["evaluationMessage"] = [reference(outcome)]
    if missing:
        resource["dataRequirement"] = [wanted(name, known).requirement for name in missing]
    return scope.entry(resource)


def lacks(outcome: RuleOutcome) -> bool:
    """Whether something of what a rule asks for cannot be decided for want of data; old data is another matter."""
    return bool(outcome.missing) and outcome.status is not Status.OUT_OF_DATE


def rule_statuses(scope: Scope) -> Resource:
    """The entry with every rule's status: one parameter a rule, with parts status, missing and suppressed-by."""
    resource: Resource = {"resourceType": "Parameters"}
    if scope.decision.outcomes:  # FHIR allows no empty array
        resource["parameter"] = [_parameter(outcome) for outcome in scope.decision.outcomes]
    return scope.entry(resource)


def _parameter(outcome: RuleOutcome) -> Resource:
    plain = _status(outcome.rule, outcome.status)
    if not outcome.missing and not outcome.suppressed_by:
        return plain
    missing = [{"name": "missing", "valueString": name} for name in outcome.missing]
    suppressed = [{"name": "suppressed-by", "valueString": name} for name in outcome.suppressed_by]
    return {**plain, "part": [*plain["part"], *missing, *suppressed]}


@lru_cache(maxsize=4096)
def _status(rule: str, status: Status) -> Resource:
    return {"name": rule, "part": [{"name": "status", "valueCode": status.value}]}


def outcome_entry(scope: Scope, issues: Iterable[Issue]) -> Resource | None:
    """The OperationOutcome's entry: the record's issues, then the decision's; None where there is nothing to say."""
    everything = [*issues, *decision_issues(scope.decision)]
    return scope.entry(operation_outcome(everything, scope.base)) if everything else None


def decision_issues(decision: Decision) -> list[Issue]:
    """The decision's issues; a rule that could not be evaluated is always among them."""
    issues = [_issue(issue) for issue in decision.issues]
    issues += [
        Issue("error", "exception", _FAILED, place=outcome.rule)
        for outcome in decision.outcomes
        if outcome.status is _ERROR
    ]
    return issues


def _issue(issue: DecisionIssue) -> Issue:
    general = "informational" if issue.severity == "information" else "business-rule"
    code = _ISSUE_TYPES.get(issue.code, general)
    return Issue(issue.severity, code, issue.text, detail=issue.code, place=", ".join(issue.rules))
