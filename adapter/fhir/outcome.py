"""Issues as FHIR: one OperationOutcome."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from adapter.fhir.elements import RESOURCE_TYPES
from adapter.fhir.profiles import profile_for
from adapter.records import Issue, Resource

_FHIR_PATH = re.compile(r"([A-Z][A-Za-z]+)(?:\.[A-Za-z_][A-Za-z0-9]*(?:\[[0-9]+\])?)*")

NOTHING_TO_SAY = Issue("information", "informational", "nothing to report")


def operation_outcome(issues: Iterable[Issue], base: str) -> Resource:
    """The issues in their order; one that says so when there are none, for FHIR wants at least one.

    base: the canonical base of the perinatal-issue code system. The place goes into ``expression`` when it is a
    FHIRPath, and into ``diagnostics`` when it is a place in another format.
    """
    return {
        "resourceType": "OperationOutcome",
        "meta": {"profile": [profile_for("OperationOutcome")]},
        "issue": [_issue(issue, base) for issue in issues] or [_issue(NOTHING_TO_SAY, base)],
    }


def errors_in(outcome: Resource) -> Iterator[str]:
    """What an OperationOutcome says against a record, each with its place: ``PID-3 (segment 2 of message 1): …``."""
    for issue in outcome["issue"]:
        if issue["severity"] in ("fatal", "error"):
            place = issue.get("diagnostics") or " ".join(issue.get("expression", []))
            yield ": ".join(part for part in (place, issue["details"]["text"]) if part)


def _issue(issue: Issue, base: str) -> Resource:
    details: Resource = {"text": issue.text}
    if issue.detail:
        details = {"coding": [{"system": f"{base}/CodeSystem/perinatal-issue", "code": issue.detail}]} | details
    made: Resource = {"severity": issue.severity, "code": issue.code, "details": details}
    if is_fhir_path(issue.place):
        made["expression"] = [issue.place.replace("._", ".")]  # FHIRPath has no sidecars
    elif issue.place:
        made["diagnostics"] = issue.place
    return made


def is_fhir_path(place: str) -> bool:
    """Whether a place is an element of a FHIR resource, and not a field of another format."""
    found = _FHIR_PATH.fullmatch(place)
    return found is not None and (found[1] in RESOURCE_TYPES or found[1] == "Resource")
