"""Every operator at its boundaries, through load_pack and evaluate: both evaluators run for each."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rules import DateSpan, DaySpan, Fact, State, Status
from tests.unit.rules.tiny import AS_OF, known, rule, tiny, unknown

FIRED, NOT, UNKNOWN = Status.FIRED, Status.NOT_FIRED, Status.UNKNOWN
ABSENT: dict[str, Fact] = {}


def span(name: str, low: object, high: object) -> dict[str, Fact]:
    kind = DateSpan if isinstance(low, date) else DaySpan
    return {name: Fact(name, State.KNOWN, kind(low, high))}  # type: ignore[arg-type]


def recorded(name: str, value: int, on: date | None) -> dict[str, Fact]:
    return {name: Fact(name, State.KNOWN, value, on=on)}


def older(name: str, value: object, on: date | None = None) -> dict[str, Fact]:
    return {name: Fact(name, State.ABSENT, older=value, older_on=on)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("condition", "facts", "status"),
    [
        ("{ill: present}", known(ill=True), FIRED),
        ("{ill: present}", known(ill=False), NOT),
        ("{ill: present}", unknown("ill"), UNKNOWN),
        ("{ill: absent}", known(ill=False), FIRED),
        ("{ill: absent}", {"ill": Fact("ill", State.ABSENT)}, FIRED),
        ("{ill: absent}", unknown("ill"), UNKNOWN),
        ("{ill: true}", known(ill=True), FIRED),
        ("{ill: {ne: true}}", known(ill=False), FIRED),
        ("{ill: known}", unknown("ill"), NOT),
        ("{ill: missing}", unknown("ill"), FIRED),
        ("{score: missing}", ABSENT, FIRED),
        ("{score: present}", known(score=0), FIRED),
        ("{score: absent}", known(score=0), NOT),
        ("{score: 5}", known(score=5), FIRED),
        ("{score: {gt: 5}}", known(score=5), NOT),
        ("{score: {gte: 5}}", known(score=5), FIRED),
        ("{score: {lt: 5}}", known(score=5), NOT),
        ("{score: {lte: 5}}", known(score=5), FIRED),
        ("{score: {ne: 5}}", known(score=5), NOT),
        ("{score: {ne: 5}}", ABSENT, NOT),
        ("{not: {score: {ne: 5}}}", ABSENT, FIRED),
        ("{score: {gte: 5, lt: 7}}", known(score=7), NOT),
        ("{score: {in: [5, 7]}}", known(score=7), FIRED),
        ("{not: {score: {in: [5, 7]}}}", known(score=6), FIRED),
        ("{score: {gte: parameters.cut-off}}", known(score=12), NOT),
        ("{score: {gte: parameters.cut-off}}", known(score=13), FIRED),
        ("{weight: {gte: 1.5}}", known(weight=1.5), FIRED),
        ("{weight: {eq: 2}}", known(weight=2.0), FIRED),
        ("{word: hello}", known(word="hello"), FIRED),
        ("{word: {eq: known}}", known(word="known"), FIRED),
        ("{word: {in: [a, b]}}", known(word="c"), NOT),
        ("{open_services: {contains: team}}", known(open_services=frozenset({"gp", "team"})), FIRED),
        ("{open_services: {contains: team}}", known(open_services=frozenset()), NOT),
        ("{all: [{ill: present}, {score: {gte: 5}}]}", {**unknown("ill"), **known(score=4)}, NOT),
        ("{all: [{ill: present}, {score: {gte: 5}}]}", {**unknown("ill"), **known(score=5)}, UNKNOWN),
        ("{any: [{ill: present}, {score: {gte: 5}}]}", {**unknown("ill"), **known(score=5)}, FIRED),
        ("{any: [{ill: present}, {score: {gte: 5}}]}", {**unknown("ill"), **known(score=4)}, UNKNOWN),
        ("{not: {ill: present}}", unknown("ill"), UNKNOWN),
        ("{unless: {ill: present}}", unknown("ill"), FIRED),
        ("{unless: {ill: present}}", known(ill=True), NOT),
        ("{not: {unless: {ill: present}}}", unknown("ill"), NOT),
        ("{score: {recorded_days_ago: {lte: 14}}}", recorded("score", 5, date(2026, 2, 16)), FIRED),
        ("{score: {recorded_days_ago: {lte: 14}}}", recorded("score", 5, date(2026, 2, 15)), NOT),
        ("{score: {recorded_days_ago: {lte: 14}}}", recorded("score", 5, None), UNKNOWN),
        ("{score: {recorded_days_ago: {lte: 14}}}", unknown("score"), NOT),
        ("{score: {older: {gte: 5}}}", older("score", 5), FIRED),
        ("{score: {older: {gte: 5}}}", unknown("score"), NOT),
        ("{score: {older: known}}", older("score", 5), FIRED),
        ("{ill: {older: absent}}", unknown("ill"), NOT),
        ("{ill: {older: absent}}", older("ill", False), FIRED),
        ("{not: {ill: {older: present}}}", unknown("ill"), FIRED),
        ("{score: {older: {recorded_days_ago: {lte: 9}}}}", older("score", 5, date(2026, 2, 22)), FIRED),
        ("{score: {older: {recorded_days_ago: {lte: 9}}}}", older("score", 5), NOT),
        ("{ended_on: {days_ago: {gte: 10}}}", known(ended_on=date(2026, 2, 20)), FIRED),
        ("{ended_on: {days_ago: {gte: 10}}}", known(ended_on=date(2026, 2, 21)), NOT),
        ("{ended_on: {days_ago: {lt: 0}}}", known(ended_on=date(2026, 3, 3)), FIRED),
        ("{ended_on: {days_ago: {gte: 10}}}", span("ended_on", date(2026, 2, 20), date(2026, 2, 21)), UNKNOWN),
        ("{ended_on: {days_ago: {eq: 1}}}", span("ended_on", date(2026, 2, 20), date(2026, 2, 21)), NOT),
        ("{ended_on: {within_months: 12}}", known(ended_on=date(2025, 3, 2)), FIRED),
        ("{ended_on: {within_months: 12}}", known(ended_on=date(2025, 3, 1)), NOT),
        ("{ended_on: {within_months: 12}}", known(ended_on=date(2026, 3, 3)), NOT),
        ("{ended_on: {within_months: 12}}", span("ended_on", date(2025, 3, 1), date(2025, 3, 2)), UNKNOWN),
        (
            "{ended_on: {days_after: {fact: started_on, gte: 5}}}",
            known(started_on=date(2026, 1, 1), ended_on=date(2026, 1, 6)),
            FIRED,
        ),
        (
            "{ended_on: {days_after: {fact: started_on, gte: 5}}}",
            {**unknown("started_on"), **known(ended_on=date(2026, 1, 6))},
            UNKNOWN,
        ),
        ("{ended_on: {days_after: {fact: started_on, gte: 5}}}", unknown("started_on"), NOT),
        ("{gestation: {gte: 238}}", known(gestation=238), FIRED),
        ("{gestation: {gte: 238}}", span("gestation", 237, 238), UNKNOWN),
        ("{gestation: {eq: 238}}", span("gestation", 237, 238), UNKNOWN),
        ("{gestation: {ne: 240}}", span("gestation", 237, 238), FIRED),
        ("{in_window: present}", known(pregnant=True), FIRED),
        ("{in_window: present}", unknown("pregnant"), UNKNOWN),
        ("{in_window: absent}", known(pregnant=False), FIRED),
        ("{in_window: known}", unknown("pregnant"), NOT),
        ("{in_window: missing}", unknown("pregnant"), FIRED),
        ("{unless: {in_window: present}}", unknown("pregnant"), FIRED),
    ],
)
def test_operator(tmp_path: Path, condition: str, facts: dict[str, Fact], status: Status):
    pack = tiny(tmp_path, criteria=rule(condition))
    outcome = pack.evaluate(facts, AS_OF).outcome("r1")
    assert outcome.status is status
    assert outcome.trace.truth is {FIRED: True, NOT: False, UNKNOWN: None}[status]
    pack.close()


@pytest.mark.parametrize(
    ("ended_on", "as_of", "inside"),
    [
        (date(2024, 2, 29), date(2025, 2, 28), True),
        (date(2024, 2, 29), date(2025, 3, 1), False),
        (date(2023, 2, 28), date(2024, 2, 28), True),
        (date(2023, 2, 28), date(2024, 2, 29), False),
    ],
)
def test_twelve_months_end_on_the_same_day_of_the_month_clipped(
    tmp_path: Path, ended_on: date, as_of: date, inside: bool
):
    pack = tiny(tmp_path, criteria=rule("{ended_on: {within_months: 12}}"))
    status = pack.evaluate(known(ended_on=ended_on), as_of).outcome("r1").status
    assert status is (FIRED if inside else NOT)


def test_a_derived_fact_is_unknown_where_it_says_so(tmp_path: Path):
    facts = (
        "score: {label: S, type: integer, ask: complete-score, from: {}}\n"
        "other: {label: O, type: integer, from: {}}\n"
        "bad:\n  label: Bad\n  type: boolean\n  ask: assess-severity\n  derive: {score: {gte: 5}}\n"
        "  unknown_when: {score: missing}\n"
    )
    pack = tiny(tmp_path, facts=facts, pack=PACK_PLAIN, criteria=rule("{bad: present}"))
    assert pack.evaluate(known(score=5), AS_OF).outcome("r1").status is FIRED
    assert pack.evaluate(known(score=4), AS_OF).outcome("r1").status is NOT
    decision = pack.evaluate({}, AS_OF)
    assert decision.outcome("r1").missing == ("bad",)
    assert [task.code for task in decision.tasks] == ["assess-severity"]
    assert decision.facts["bad"].state is State.UNKNOWN


PACK_PLAIN = """
    name: tiny
    version: 1.2.3
    title: A tiny pack
    default_provider: home
    timeframes: {routine: 14}
"""


def test_parameters_change_with_the_day(tmp_path: Path):
    pack = tiny(tmp_path)
    assert pack.evaluate(known(score=12), date(2025, 12, 31)).outcome("r1").status is FIRED
    assert pack.evaluate(known(score=12), date(2026, 1, 1)).outcome("r1").status is NOT


@pytest.mark.parametrize(
    ("condition", "speaks"),
    [
        ("{all: [{score: {gte: 5}}, {ill: present}]}", ("score",)),
        ("{all: [{any: [{score: {gte: 9}}, {ill: present}]}, {score: {gte: 1}}]}", ("score",)),
        ("{any: [{score: {gte: 9}}, {ill: present}]}", ()),
        ("{ill: present}", ()),
    ],
)
def test_what_speaks_for_an_undecided_rule_is_what_is_met_so_far(
    tmp_path: Path, condition: str, speaks: tuple[str, ...]
) -> None:
    pack = tiny(tmp_path, criteria=rule(condition))
    (outcome,) = pack.evaluate({**known(score=5), **unknown("ill")}, AS_OF).outcomes
    assert outcome.status is UNKNOWN
    assert tuple(fact.name for fact in outcome.facts) == speaks
