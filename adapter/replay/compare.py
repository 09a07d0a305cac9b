"""Compares what came out with what was expected; each difference is a line a clinician can read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from adapter.records import Resource
from adapter.replay.expected import Expected, Person, Referral
from rules import PRIORITIES, Decision, Status, why


class Replayed(Protocol):
    """One result of the pipeline: a decision about a person, or an OperationOutcome where a record was refused."""

    @property
    def patient(self) -> str: ...
    @property
    def bundle(self) -> Resource | None: ...
    @property
    def outcome(self) -> Resource | None: ...
    @property
    def decision(self) -> Decision | None: ...


@dataclass(frozen=True, slots=True)
class Difference:
    """``text`` says what differs; ``trace`` why a rule came out as it did, or what a refusal said."""

    text: str
    trace: tuple[str, ...] = ()


def compare(expected: Expected, results: Sequence[Replayed]) -> tuple[Difference, ...]:
    """The differences between a fixture and the results of one of its inputs; none means that they agree."""
    return tuple(_differences(expected, results))


def _differences(expected: Expected, results: Sequence[Replayed]) -> Iterator[Difference]:
    people = [(result, decision) for result in results if (decision := result.decision) is not None]
    refusals = [result for result in results if result.decision is None]
    if len(people) != expected.results:
        yield Difference(f"results: expected {expected.results}, got {len(people)}")
    if len(refusals) != expected.refused:
        said = tuple(text for refusal in refusals for text in _texts(refusal.outcome))
        yield Difference(f"refused: expected {expected.refused}, got {len(refusals)}", said)

    everywhere = {code for result in results for code in issue_codes(result)}
    yield from _missing("issues", expected.everyone.issues, everywhere)
    yield from _forbidden("issues", expected.everyone.must_not, everywhere)

    seen: set[str] = set()
    for number, (result, decision) in enumerate(people, 1):
        if not expected.patients:
            yield from _person(expected.everyone, decision)
            continue
        name = next((name for name in identifiers(result) if name in expected.patients), None)
        if name is None:
            yield Difference(f"result {number}: nobody in expected.yaml has this patient's identifier")
            continue
        seen.add(name)
        person, found = expected.patients[name], issue_codes(result)
        for difference in (
            *_missing("issues", person.issues, found),
            *_forbidden("issues", person.must_not, found),
            *_person(person, decision),
        ):
            yield Difference(f"patient {name}: {difference.text}", difference.trace)
    for name in expected.patients:
        if name not in seen:
            yield Difference(f"patient {name}: no result")


def _person(expected: Person, decision: Decision) -> Iterator[Difference]:
    referrals = {r.service: Referral(r.priority, r.end) for r in decision.referrals}
    for service in sorted({*expected.referrals, *referrals}):
        want, got = expected.referrals.get(service), referrals.get(service)
        if want is None or got is None or not _agrees(want, got):
            yield Difference(f"referrals: expected {_referral(service, want)}, got {_referral(service, got)}")
    yield from _statuses(expected, decision)
    yield from _tasks(expected, decision)
    flags = {flag.code for flag in decision.flags}
    for code in sorted(expected.flags ^ flags):
        want_flag, got_flag = (code, "nothing") if code in expected.flags else ("nothing", code)
        yield Difference(f"flags: expected {want_flag}, got {got_flag}")
    fired = {outcome.rule for outcome in decision.outcomes if outcome.status is Status.FIRED}
    yield from _forbidden("referrals", expected.must_not, referrals)
    yield from _forbidden("fired", expected.must_not, fired)
    yield from _forbidden("tasks", expected.must_not, {task.code for task in decision.tasks})
    yield from _forbidden("flags", expected.must_not, flags)


def _statuses(expected: Person, decision: Decision) -> Iterator[Difference]:
    for outcome in decision.outcomes:
        want = expected.statuses.get(outcome.rule, Status.NOT_FIRED)
        if outcome.status is not want:
            missing = f" for want of {', '.join(outcome.missing)}" if outcome.status is Status.UNKNOWN else ""
            yield Difference(f"{outcome.rule}: expected {want}, got {outcome.status}{missing}", tuple(why(outcome)))
    in_pack = {outcome.rule for outcome in decision.outcomes}
    for rule in sorted(set(expected.statuses) - in_pack):
        yield Difference(f"{rule}: expected {expected.statuses[rule]}, but the pack has no such rule")


def _tasks(expected: Person, decision: Decision) -> Iterator[Difference]:
    got = task_priorities(decision)
    for code in sorted({*expected.tasks, *got}):
        if code not in got:
            yield Difference(f"tasks: expected {code}, got nothing")
        elif code not in expected.tasks:
            yield Difference(f"tasks: expected nothing, got {code} {got[code]}")
        elif expected.tasks[code] not in ("", got[code]):
            yield Difference(f"tasks: expected {code} {expected.tasks[code]}, got {code} {got[code]}")


def task_priorities(decision: Decision) -> dict[str, str]:
    """The highest priority of each task code."""
    priorities: dict[str, str] = {}
    for task in decision.tasks:
        priorities[task.code] = max(priorities.get(task.code, task.priority), task.priority, key=PRIORITIES.index)
    return priorities


def _agrees(want: Referral, got: Referral) -> bool:
    return want.priority == got.priority and want.by in (None, got.by)


def _referral(service: str, referral: Referral | None) -> str:
    if referral is None:
        return "nothing"
    return f"{service} {referral.priority}" + (f" by {referral.by}" if referral.by else "")


def _missing(kind: str, wanted: Collection[str], found: Collection[str]) -> Iterator[Difference]:
    for code in sorted(set(wanted) - set(found)):
        yield Difference(f"{kind}: expected {code}, got {', '.join(sorted(found)) or 'nothing'}")


def _forbidden(kind: str, must_not: Mapping[str, frozenset[str]], found: Collection[str]) -> Iterator[Difference]:
    for code in sorted(must_not.get(kind, frozenset()).intersection(found)):
        yield Difference(f"must not: {kind} has {code}")


def identifiers(result: Replayed) -> list[str]:
    """The values of the patient's identifiers, the one that names the result first."""
    entries = (result.bundle or {}).get("entry", [])
    resources: Iterator[Resource] = (entry["resource"] for entry in entries)
    patient: Resource = next((r for r in resources if r["resourceType"] == "Patient"), {})
    return [result.patient, *(identifier.get("value", "") for identifier in patient.get("identifier", []))]


def issue_codes(result: Replayed) -> set[str]:
    """The perinatal-issue codes that a result or a refusal carries."""
    codes = {issue.code for issue in result.decision.issues} if result.decision else set()
    return codes | {
        coding["code"]
        for issue in _outcome_issues(result)
        for coding in issue.get("details", {}).get("coding", [])
        if "code" in coding
    }


def _outcome_issues(result: Replayed) -> Iterator[Resource]:
    entries = (result.bundle or {}).get("entry", [])
    for resource in (result.outcome or {}, *(entry["resource"] for entry in entries)):
        if resource.get("resourceType") == "OperationOutcome":
            yield from resource["issue"]


def _texts(outcome: Resource | None) -> Iterator[str]:
    for issue in (outcome or {}).get("issue", []):
        place = ", ".join(issue.get("expression", []) or issue.get("location", []))
        said = issue.get("diagnostics") or issue.get("details", {}).get("text", "")
        yield f"{place}: {said}" if place else said
