"""The tests beside the rules, readable: what was given, and what must come of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rules.engine.explain import value_text
from rules.engine.model import DaySpan, Fact, State
from rules.engine.rule_tests import RuleTest
from rules.tools.docs.words import Words
from rules.tools.words import PRIORITY_WORDS

STATUS_WORDS: Mapping[str, str] = {
    "fired": "fires",
    "not_fired": "does not fire",
    "unknown": "cannot tell",
    "suppressed": "is suppressed",
    "out_of_date": "is out of date",
}


@dataclass(frozen=True, slots=True)
class TestView:
    """One test in words. ``rules`` are those whose status it expects."""

    name: str
    as_of: str
    provider: str
    given: tuple[tuple[str, str], ...]
    expected: tuple[str, ...]
    rules: tuple[str, ...]


def test_view(test: RuleTest, words: Words) -> TestView:
    """A test's facts by their labels, and each thing that it expects as a sentence."""
    facts = words.content.facts
    return TestView(
        name=test.name,
        as_of=test.as_of.isoformat(),
        provider=test.provider,
        given=tuple((facts[name].label, _fact(fact)) for name, fact in test.given.items()),
        expected=tuple(_expected(test.expect, words)),
        rules=tuple(dict.fromkeys(rule for key in STATUS_WORDS for rule in test.expect.get(key, ()))),
    )


def _fact(fact: Fact) -> str:
    if fact.state is State.KNOWN:
        on = f", recorded {fact.on}" if fact.on else ""
        return f"{_value(fact.value)}{on}"
    if fact.older is not None:
        on = f" of {fact.older_on}" if fact.older_on else ""
        return f"only {_value(fact.older)}{on}, too old to count"
    return "not in the record" if fact.state is State.ABSENT else "unknown"


def _value(value: object) -> str:
    if not isinstance(value, DaySpan):
        return value_text(value) or "none"
    low, high = (f"{days // 7}+{days % 7}" for days in value)
    return f"{value_text(value)} days ({low if low == high else f'{low} to {high}'} weeks)"


def _expected(expect: Mapping[str, Any], words: Words) -> Iterator[str]:
    for key, status in STATUS_WORDS.items():
        yield from (f"{rule} {status}" for rule in expect.get(key, ()))
    for service, priority in expect.get("referrals", {}).items():
        yield f"a referral to {words.service(service)}: {PRIORITY_WORDS[priority]}"
    if "exactly_referrals" in expect:
        referrals = [f"{words.service(to)}: {PRIORITY_WORDS[how]}" for to, how in expect["exactly_referrals"].items()]
        yield f"these referrals and no others: {'; '.join(referrals)}" if referrals else "no referral at all"
    for key, verb in (("starts", "starts"), ("ends", "ends")):
        yield from (f"the referral to {words.service(to)} {verb} on {day}" for to, day in expect.get(key, {}).items())
    for key, has in (("notes", "says"), ("no_notes", "does not say")):
        yield from (f"the referral to {words.service(to)} {has} “{note}”" for to, note in expect.get(key, {}).items())
    for task, priority in expect.get("task_priorities", {}).items():
        yield f"task, {PRIORITY_WORDS[priority]}: {words.task(task)}"
    yield from (f"no referral to {words.service(service)}" for service in expect.get("no_referrals", ()))
    for key, kind, label in (
        ("tasks", "task", words.task),
        ("flags", "alert", words.flag),
        ("issues", "note in the result", str),
    ):
        yield from (f"{kind}: {label(code)}" for code in expect.get(key, ()))
        yield from (f"no {kind}: {label(code)}" for code in expect.get(f"no_{key}", ()))
