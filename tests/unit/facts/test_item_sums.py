"""Totals that are sums of coded items: components of one form, or Observations of one day."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from adapter.facts import FactReader, FactResult, compile_facts
from rules import State
from tests.unit.facts.records import (
    AS_OF,
    BASE,
    LOCAL,
    SCT,
    VALID,
    FakePack,
    bundle,
    coded,
    details,
    epds,
    observation,
    person,
)

DAY = "2025-06-10"
ITEMS = {"prefix": "epds", "count": 10, "list": "epds-items"}
SOURCES = {
    "epds": ("integer", (0, 30), {"score": "epds-total", "questionnaire": "epds", "items": ITEMS, **VALID}),
    "item": ("integer", (0, 3), {"item": "epds-item-10", "questionnaire": "epds", "total": "epds-total", **VALID}),
    "mismatch": ("boolean", None, {"observed": "score_mismatch"}),
}


@cache
def reader() -> FactReader:
    return compile_facts(FakePack(SOURCES), BASE)


def read(*resources: dict[str, Any]) -> FactResult:
    return reader().read(bundle(person("mother", "1994-03-02"), *resources), AS_OF)


def answer(number: int, score: int) -> dict[str, Any]:
    return {"code": coded(LOCAL, f"epds-item-{number}"), "valueInteger": score}


def components(*scores: int) -> list[dict[str, Any]]:
    """The components of a form that was answered from its first item on."""
    return [answer(number, score) for number, score in enumerate(scores, start=1)]


def panel(*scores: int, on: str | None = DAY, **more: Any) -> dict[str, Any]:
    """A form without a total, its items as components."""
    return observation(coded(SCT, "450320001"), on, component=components(*scores), **more)


def test_components_of_all_items_make_a_total() -> None:
    result = read(panel(1, 1, 1, 1, 1, 1, 1, 1, 1, 2))
    fact = result.facts["epds"]
    assert (fact.state, fact.value, str(fact.on)) == (State.KNOWN, 11, DAY)
    assert {(e.entry, e.path) for e in fact.evidence} == {(1, f"component[{n}].code.coding[0].code") for n in range(10)}
    assert result.facts["item"].value == 2
    assert not details(result)


def test_components_in_any_order_and_beside_others() -> None:
    scores = [*reversed(components(0, 1, 2, 3, 0, 1, 2, 3, 0, 1)), {"code": coded(SCT, "1"), "valueInteger": 9}]
    assert read(observation(coded(SCT, "450320001"), DAY, component=scores)).facts["epds"].value == 13


def test_components_with_one_missing_make_no_total() -> None:
    result = read(panel(1, 1, 1, 1, 1, 1, 1, 1, 1))
    assert result.facts["epds"].state is State.ABSENT
    assert (result.facts["item"].state, result.facts["item"].note) == (State.UNKNOWN, "item-missing")


def test_components_of_two_forms_are_not_added_up() -> None:
    first, second = panel(1, 1, 1, 1, 1), panel()
    second["component"] = [answer(number, 1) for number in range(6, 11)]
    assert read(first, second).facts["epds"].state is State.ABSENT


@pytest.mark.parametrize(("total", "counted", "differs"), [(9, 10, True), (12, 12, True), (10, 10, False)])
def test_a_total_is_compared_with_its_components(total: int, counted: int, differs: bool) -> None:
    result = read(epds(total, DAY, component=components(*[1] * 10)))
    assert result.facts["epds"].value == counted
    assert result.facts["mismatch"].value is differs
    assert details(result) == ["score-item-mismatch"] * differs


def test_items_of_their_own_of_one_day_make_a_total() -> None:
    own = [observation(coded(LOCAL, f"epds-item-{number}"), DAY, valueInteger=1) for number in range(1, 11)]
    assert read(*own).facts["epds"].value == 10
    own[3]["effectiveDateTime"] = "2025-06-09"
    assert read(*own).facts["epds"].state is State.ABSENT


def test_the_higher_of_an_item_given_twice() -> None:
    twice = panel(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    twice["component"].append(answer(10, 3))
    result = read(twice)
    assert (result.facts["epds"].value, result.facts["item"].value) == (12, 3)


def test_a_form_that_is_not_final_or_has_no_date_makes_no_total() -> None:
    assert read(panel(*[1] * 10, status="preliminary")).facts["epds"].state is State.ABSENT
    fact = read(panel(*[1] * 10, on=None)).facts["epds"]
    assert (fact.state, fact.note) == (State.UNKNOWN, "no-date")
