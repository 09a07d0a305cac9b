"""Facts that do not fit are refused, and no message repeats a value."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from rules import DateSpan, DaySpan, Fact, FactError, Pack, State
from tests.unit.rules.tiny import AS_OF, tiny


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return tiny(tmp_path_factory.mktemp("pack"))


DAY = date(2026, 1, 1)
BAD_VALUES = [
    ("score", "5"),
    ("score", True),
    ("score", 5.0),
    ("score", None),
    ("score", 31),
    ("score", -1),
    ("weight", float("nan")),
    ("weight", float("inf")),
    ("weight", 2**53 + 1),
    ("weight", True),
    ("ill", 1),
    ("ill", "true"),
    ("word", "\ud800"),
    ("word", 5),
    ("ended_on", DAY),
    ("ended_on", "2026-01-01"),
    ("ended_on", DateSpan(date(2026, 1, 2), DAY)),
    ("ended_on", DateSpan(datetime(2026, 1, 1), datetime(2026, 1, 1))),
    ("ended_on", (DAY, DAY)),
    ("gestation", 200),
    ("gestation", DaySpan(5, 4)),
    ("gestation", DaySpan(True, True)),
    ("open_services", ["team"]),
    ("open_services", frozenset({5})),
]


@pytest.mark.parametrize(("name", "value"), BAD_VALUES)
def test_a_value_that_does_not_fit_is_refused(pack: Pack, name: str, value: object):
    for fact in (
        Fact(name, State.KNOWN, value),  # type: ignore[arg-type]
        Fact(name, State.ABSENT, older=value) if value is not None else Fact(name, State.KNOWN),  # type: ignore[arg-type]
    ):
        with pytest.raises(FactError, match=f"^{name}: ") as caught:
            pack.evaluate({name: fact}, AS_OF)
        assert str(value) not in str(caught.value) or value in (5, -1, 1, True, None, 5.0, "5")


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (Fact("nope", State.UNKNOWN), "no fact is called 'nope'"),
        (Fact("in_window", State.KNOWN, True), "derived"),
        (Fact("score", State.ABSENT, 5), "only a known fact"),
        (Fact("score", "odd", None), "state"),  # type: ignore[arg-type]
        (Fact("score", State.KNOWN, 5, on=datetime(2026, 1, 1)), "without a time"),
    ],
)
def test_a_fact_that_is_not_declared_so_is_refused(pack: Pack, fact: Fact, words: str):
    with pytest.raises(FactError, match=words):
        pack.evaluate({fact.name: fact}, AS_OF)


def test_an_as_of_date_has_no_time(pack: Pack):
    with pytest.raises(FactError, match="without a time"):
        pack.evaluate({}, datetime(2026, 3, 2))


def test_a_fact_under_another_name_is_refused(pack: Pack):
    with pytest.raises(FactError, match="another name"):
        pack.evaluate({"score": Fact("item", State.KNOWN, 1)}, AS_OF)


def test_facts_that_are_not_given_have_the_state_they_are_declared_to_have(pack: Pack):
    decision = pack.evaluate({}, AS_OF)
    assert decision.facts["score"].state is State.ABSENT
    assert decision.facts["ill"].state is State.UNKNOWN
    assert decision.facts["in_window"].state is State.UNKNOWN
