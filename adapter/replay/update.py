"""Writes what came out into ``expected.yaml``, after a change of the rules that somebody has decided on.

What stands above ``expect:`` is left as it is, and so is every ``must_not``: a run never takes a warning away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from adapter.replay.compare import Replayed, identifiers, issue_codes, task_priorities
from adapter.replay.expected import FILE, STATUS_KEYS, Expected, Person
from adapter.replay.report import ReplayReport
from rules import Decision


def update(folder: Path, report: ReplayReport) -> tuple[list[str], list[str]]:
    """Rewrite the expectations below ``folder`` that differ. Returns the names of the fixtures rewritten and left.

    A fixture is left as it was where an input could not be evaluated or its inputs do not agree with one another.
    """
    paths = {path.parent.name: path for path in folder.rglob(FILE)}
    done, left = [], []
    for name, cases in groupby(report.cases, key=lambda case: case.fixture):
        group = list(cases)
        if not any(case.differences for case in group):
            continue
        seen = {case.observed for case in group}
        if len(seen) > 1 or "" in seen:
            left.append(name)
            continue
        above = re.split(r"^expect:", paths[name].read_text(encoding="utf-8"), maxsplit=1, flags=re.MULTILINE)[0]
        paths[name].write_text(f"{above}expect:\n{seen.pop()}", encoding="utf-8")
        done.append(name)
    return done, left


def observed(expected: Expected, results: Sequence[Replayed]) -> str:
    """What came out of one input, as the lines below ``expect:``."""
    people = [(result, decision) for result in results if (decision := result.decision) is not None]
    found = {code for result in results for code in issue_codes(result)}
    lines = [f"results: {len(people)}"] if len(people) != 1 else []
    if refused := len(results) - len(people):
        lines.append(f"refused: {refused}")
    if len(people) == 1 and not expected.patients:
        lines += _person(expected.everyone, people[0][1], found)
    else:
        lines += _codes("issues", expected.everyone.issues & found)
        lines += _must_not(expected.everyone)
    if len(people) > 1 or expected.patients:
        lines.append("patients:")
        for result, decision in people:
            name = next((name for name in identifiers(result) if name in expected.patients), result.patient)
            mine = _person(expected.patients.get(name, expected.everyone), decision, issue_codes(result))
            lines += [f'  "{name}":', *(f"    {line}" for line in mine)]
    return "".join(f"  {line}\n" for line in lines)


def _person(expected: Person, decision: Decision, found: set[str]) -> list[str]:
    by_service = sorted(decision.referrals, key=lambda referral: referral.service)
    lines = ["referrals:"] if by_service else ["referrals: {}"]
    lines += [f"  {r.service}: {{priority: {r.priority}, by: {r.end}}}" for r in by_service]
    for key, status in STATUS_KEYS.items():
        lines += _codes(key, [outcome.rule for outcome in decision.outcomes if outcome.status is status])
    lines += _mapping("tasks", task_priorities(decision))
    lines += _codes("flags", sorted(flag.code for flag in decision.flags))
    lines += _codes("issues", expected.issues & found)
    return [*lines, *_must_not(expected)]


def _must_not(expected: Person) -> Iterator[str]:
    if expected.must_not:
        yield from _mapping("must_not", {key: _list(codes) for key, codes in expected.must_not.items()})


def _codes(key: str, codes: Sequence[str] | frozenset[str]) -> Iterator[str]:
    if codes:
        yield f"{key}: {_list(codes)}"


def _list(codes: Sequence[str] | frozenset[str]) -> str:
    ordered = codes if isinstance(codes, list) else sorted(codes)
    return f"[{', '.join(ordered)}]"


def _mapping(key: str, entries: Mapping[str, str]) -> Iterator[str]:
    if entries:
        yield f"{key}: {{{', '.join(f'{name}: {value}' for name, value in sorted(entries.items()))}}}"
