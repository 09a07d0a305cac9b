"""Runs the tests that stand beside the rules of a pack (``tests/*.yaml``): given facts, expected outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rules.engine.content import FactDeclaration, Service
from rules.engine.cursor import Cursor
from rules.engine.errors import ContentError, RulesError
from rules.engine.model import (
    EVERYWHERE,
    PRIORITIES,
    Availability,
    DateSpan,
    DaySpan,
    Decision,
    Fact,
    FactValue,
    State,
    Status,
)
from rules.engine.pack import Pack, load_pack
from rules.engine.schema_check import check
from rules.engine.yaml_file import load_yaml

_STATUSES = {
    "fired": Status.FIRED,
    "not_fired": Status.NOT_FIRED,
    "unknown": Status.UNKNOWN,
    "suppressed": Status.SUPPRESSED,
    "out_of_date": Status.OUT_OF_DATE,
}


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One test of a file: facts given on a day for a provider ("" for the pack's own), and what must come of them.

    ``availability`` stands for the directory and the clock: which services cover her, and which are closed.
    """

    name: str
    file: str
    line: int
    as_of: date
    provider: str
    given: Mapping[str, Fact]
    expect: Mapping[str, Any]
    availability: Availability = EVERYWHERE


@dataclass(frozen=True, slots=True)
class RuleTestFailure:
    """A test that did not come out as expected. ``str()`` reads ``file:line: name: what differs``."""

    test: str
    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.test}: {self.message}"


def run_rule_tests(folder: Path) -> list[RuleTestFailure]:
    """Run every test of a pack's folder. Raises ContentError when a file of the pack or of its tests is wrong."""
    return [failure for _, failures in rule_test_results(folder) for failure in failures]


def rule_test_results(folder: Path) -> Iterator[tuple[RuleTest, list[RuleTestFailure]]]:
    """Each test with its failures (none: it passed)."""
    packs: dict[str, Pack] = {}
    try:
        packs[""] = load_pack(folder)
        for test in load_rule_tests(folder, packs[""]):
            if test.provider not in packs:
                packs[test.provider] = load_pack(folder, test.provider)
            yield test, run_rule_test(packs[test.provider], test)
    finally:
        for pack in packs.values():
            pack.close()


def load_rule_tests(folder: Path, pack: Pack) -> Iterator[RuleTest]:
    """The tests of ``tests/*.yaml``, read with the pack's fact declarations. Raises ContentError."""
    rules = frozenset(rule.id for rule in pack.rules)
    providers = sorted(file.stem for file in (folder / "providers").glob("*.yaml"))
    for path in sorted((folder / "tests").glob("*.yaml")):
        document = load_yaml(path)
        check(document, "tests")
        for at in Cursor.top(document).each():
            if "provider" in at and at.data["provider"] not in providers:
                message = f"no provider is called {at.data['provider']!r}; there are: {', '.join(providers)}"
                raise at["provider"].error(message, code="RC025")
            yield _test(at, pack.fact_declarations, rules, pack.services)


def run_rule_test(pack: Pack, test: RuleTest) -> list[RuleTestFailure]:
    """What of the decision differs from what the test expects."""
    try:
        decision = pack.evaluate(test.given, test.as_of, test.availability)
    except RulesError as error:
        found = [f"the evaluation failed: {error}"]
    else:
        found = list(differences(decision, test.expect))
    return [RuleTestFailure(test.name, test.file, test.line, difference) for difference in found]


def differences(decision: Decision, expect: Mapping[str, Any]) -> Iterator[str]:
    """What of a decision differs from what a test expects, in words."""
    for key, status in _STATUSES.items():
        for rule in expect.get(key, ()):
            outcome = decision.outcome(rule)
            if outcome.status is not status:
                lacking = f" (missing: {', '.join(outcome.missing)})" if outcome.missing else ""
                yield f"{rule} is {outcome.status}{lacking}, not {status}"
    referrals = {referral.service: referral.priority for referral in decision.referrals}
    for service, priority in expect.get("referrals", {}).items():
        if referrals.get(service) != priority:
            yield f"the referral to {service} is {referrals.get(service, 'not made')}, not {priority}"
    if "exactly_referrals" in expect and referrals != expect["exactly_referrals"]:
        yield f"the referrals are {_listed(referrals)}, not {_listed(expect['exactly_referrals'])}"
    yield from _other_days(decision, expect)
    notes = {referral.service: " ".join(referral.notes) for referral in decision.referrals}
    for service, words in expect.get("notes", {}).items():
        if words not in notes.get(service, ""):
            yield f"no note of the referral to {service} says {words!r}"
    for service, words in expect.get("no_notes", {}).items():
        if words in notes.get(service, ""):
            yield f"a note of the referral to {service} says {words!r}"
    urgency: dict[str, str] = {}
    for task in decision.tasks:
        urgency[task.code] = max(task.priority, urgency.get(task.code, task.priority), key=PRIORITIES.index)
    for code, priority in expect.get("task_priorities", {}).items():
        if urgency.get(code) != priority:
            yield f"the task {code} is {urgency.get(code, 'not made')}, not {priority}"
    codes = {
        "referrals": frozenset(referrals),
        "tasks": frozenset(task.code for task in decision.tasks),
        "flags": frozenset(flag.code for flag in decision.flags),
        "issues": frozenset(issue.code for issue in decision.issues),
    }
    for what, found in codes.items():
        if what != "referrals":
            yield from (f"{code} is not among the {what}" for code in expect.get(what, ()) if code not in found)
        yield from (f"{code} is among the {what}" for code in expect.get(f"no_{what}", ()) if code in found)


def _other_days(decision: Decision, expect: Mapping[str, Any]) -> Iterator[str]:
    """``starts`` and ``ends``: the days between which a referral asks to be seen."""
    for key, made in (
        ("starts", {each.service: each.start.isoformat() for each in decision.referrals}),
        ("ends", {each.service: each.end.isoformat() for each in decision.referrals}),
    ):
        for service, day in expect.get(key, {}).items():
            if made.get(service) != day:
                yield f"the referral to {service} {key} on {made.get(service, 'no day: it is not made')}, not {day}"


def _listed(referrals: Mapping[str, str]) -> str:
    return ", ".join(f"{service}: {priority}" for service, priority in sorted(referrals.items())) or "none"


def _test(
    at: Cursor,
    declarations: Mapping[str, FactDeclaration],
    rules: frozenset[str],
    services: Mapping[str, Service],
) -> RuleTest:
    expect = at["expect"]
    for key in _STATUSES:
        for item in expect.each(key):
            if item.data not in rules:
                raise item.error(f"no rule is called {item.data!r}: correct the name", code="RC024")
    return RuleTest(
        name=at.data["name"],
        file=at.place.file,
        line=at.place.line,
        as_of=at.date("as_of", date.min),
        provider=at.get("provider", ""),
        given={name: _given(name, item, declarations) for name, item in at["given"].items()},
        expect=expect.data,
        availability=_availability(at, services),
    )


def _availability(at: Cursor, services: Mapping[str, Service]) -> Availability:
    closed = at.child("closed")
    elsewhere = [*closed.items()] if closed else []
    for item in (*at.each("uncovered"), *(each for _, each in elsewhere if each.data)):
        _known(item.data, item, services)
    for service, item in elsewhere:
        _known(service, item, services)
    return Availability(frozenset(at.get("uncovered", ())), {service: item.data for service, item in elsewhere})


def _known(service: str, at: Cursor, services: Mapping[str, Service]) -> None:
    if service not in services:
        raise at.error(f"no service is called {service!r}: write a key of services.yaml", code="RC021")


def _given(name: str, at: Cursor, declarations: Mapping[str, FactDeclaration]) -> Fact:
    declaration = declarations.get(name)
    if declaration is None:
        raise at.error(f"no fact is called {name!r}: declare it in facts.yaml, or correct the name", code="RC022")
    if declaration.derive is not None:
        raise at.error(f"{name} is derived: give the facts that it is derived from", code="RC080")
    if at.data in ("absent", "unknown"):
        return Fact(name, State(at.data))
    if not isinstance(at.data, dict) or "low" in at.data:
        return Fact(name, State.KNOWN, _value(at, declaration.type))
    allowed = {"value", "state", "on", "older", "note", "ask", "older_on"}
    for key in at.data:
        if key not in allowed:
            raise at[key].error(f"unknown key {key!r}: use {', '.join(sorted(allowed))}, or low and high", code="RC011")
    value, older = at.child("value"), at.child("older")
    on = at.date("on", date.min) if "on" in at else None
    older_on = at.date("older_on", date.min) if "older_on" in at else None
    if value is None and older is None and "state" not in at:
        raise at.error("say a value, an older value, or a state (absent or unknown)", code="RC080")
    if "state" in at and at.data["state"] not in ("absent", "unknown"):
        raise at["state"].error("must be absent or unknown", code="RC080")
    state = State.KNOWN if value else State(at.get("state", "absent" if declaration.absent == "not-met" else "unknown"))
    return Fact(
        name,
        state,
        value=_value(value, declaration.type) if value else None,
        on=on if value else None,
        note=at.get("note", ""),
        older=_value(older, declaration.type) if older else None,
        older_on=(older_on or (None if value else on)) if older else None,
        ask=at.get("ask"),
    )


def _value(at: Cursor, kind: str) -> FactValue:
    """A fact's value as a test writes it: a date or a number alone, or ``{low: …, high: …}``; codes are a list."""
    if kind == "codes":
        if not isinstance(at.data, list):
            raise at.error("a list of codes is needed", code="RC080")
        return frozenset(at.data)
    if kind in ("date", "days"):
        ends: Mapping[str, Any] = at.data if isinstance(at.data, dict) else {"low": at.data, "high": at.data}
        try:
            low, high = ends["low"], ends["high"]
            if kind == "days":
                return DaySpan(int(low), int(high))
            return DateSpan(date.fromisoformat(low), date.fromisoformat(high))
        except (TypeError, ValueError) as error:
            raise at.error(
                f"a {'date such as 2026-01-31' if kind == 'date' else 'number of days'} is needed", code="RC080"
            ) from error
    if isinstance(at.data, bool | int | float | str):
        return at.data
    raise ContentError("a single value is needed", at.place.file, at.place.line, at.place.column, code="RC080")
