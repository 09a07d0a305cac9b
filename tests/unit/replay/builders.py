"""Decisions, results and fixtures made by hand, for the tests of the replay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rules import (
    Decision,
    DecisionIssue,
    ProposedFlag,
    ProposedReferral,
    ProposedTask,
    RuleOutcome,
    Status,
    Trace,
)

AS_OF = date(2026, 3, 2)
RULE = "r03-any-self-harm-answer"
OTHER_RULE = "r16-bonding"
MINIMAL = """\
title: A title
from: "Referral criteria 1.11 R03"
as_of: 2026-03-02
inputs: [record.json]
expect:
"""


@dataclass(frozen=True)
class OneResult:
    patient: str = "9990001014"
    bundle: dict[str, Any] | None = None
    outcome: dict[str, Any] | None = None
    decision: Decision | None = None


def write_fixture(folder: Path, expect: str, top: str = MINIMAL) -> Path:
    """A fixture with one input; ``expect`` are the lines below ``expect:``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "record.json").write_text("{}", encoding="utf-8")
    (folder / "expected.yaml").write_text(top + expect, encoding="utf-8")
    return folder


def rule(name: str = RULE, status: Status = Status.FIRED, missing: tuple[str, ...] = ()) -> RuleOutcome:
    return RuleOutcome(name, name, True, status, Trace(True, "compare", "EPDS item 10 at least 1"), missing)


def referral(service: str = "gp", priority: str = "asap", end: date = AS_OF) -> ProposedReferral:
    return ProposedReferral(service, priority, AS_OF, end, (RULE,), (), ())


def decision(
    *outcomes: RuleOutcome,
    referrals: tuple[ProposedReferral, ...] = (),
    tasks: tuple[ProposedTask, ...] = (),
    flags: tuple[str, ...] = (),
    issues: tuple[str, ...] = (),
) -> Decision:
    return Decision(
        pack="perinatal-mental-health",
        version="0.1.0",
        provider="england-default",
        as_of=AS_OF,
        outcomes=outcomes,
        referrals=referrals,
        tasks=tasks,
        flags=tuple(ProposedFlag(code, (), AS_OF) for code in flags),
        issues=tuple(DecisionIssue(code, "warning", "") for code in issues),
    )


def outcome(code: str, place: str = "PID-7", text: str = "cut off") -> dict[str, Any]:
    system = "https://perinatal-referrals.example/fhir/CodeSystem/perinatal-issue"
    issue = {
        "severity": "error",
        "code": "structure",
        "details": {"coding": [{"system": system, "code": code}]},
        "diagnostics": text,
        "expression": [place],
    }
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def refused(code: str = "malformed") -> OneResult:
    return OneResult(patient="", outcome=outcome(code))


def evaluated(decided: Decision, patient: str = "9990001014", *resources: dict[str, Any]) -> OneResult:
    first = {"resourceType": "Patient", "identifier": [{"value": patient}, {"value": f"LOCAL-{patient}"}]}
    return OneResult(patient, {"entry": [{"resource": r} for r in (first, *resources)]}, None, decided)
