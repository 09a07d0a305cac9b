"""The self-harm item: what erases a positive answer, and what does not."""

from __future__ import annotations

import pytest

from rules import Fact, State
from tests.unit.facts.records import (
    LOCAL,
    SCT,
    coded,
    condition,
    details,
    epds,
    item10,
    observation,
    read,
    response,
)

CLOSED = "self-harm-item-assessed-no-current-risk"


def item(*resources: dict[str, object]) -> Fact:
    return read(*resources).facts["item"]


@pytest.mark.parametrize(
    "resource",
    [
        item10(2, "2025-06-10"),
        epds(9, "2025-06-10", component=[{"code": coded(LOCAL, "epds-item-10"), "valueInteger": 2}]),
        response([1] * 9 + [2], "2025-06-10"),
    ],
    ids=["own observation", "component", "questionnaire"],
)
def test_every_form_of_an_item(resource: dict[str, object]) -> None:
    assert item(resource).value == 2


def test_an_answer_code_carries_its_score() -> None:
    score = [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 3}]
    form = response([1] * 10, "2025-06-10")
    form["item"][9] = {"linkId": "epds-10", "answer": [{"valueCoding": {"code": "a", "extension": score}}]}
    assert item(form).value == 3


def test_no_form_is_absent_and_a_form_without_the_item_is_unknown() -> None:
    assert item().state is State.ABSENT
    for form in (epds(11, "2025-06-10"), response([1] * 9 + [None], "2025-06-10"), response([1] * 9, "2025-06-10")):
        fact = item(form)
        assert (fact.state, fact.note) == (State.UNKNOWN, "item-missing")


def test_an_old_form_without_the_item_is_absent() -> None:
    assert item(epds(11, "2025-05-17")).state is State.ABSENT


def test_a_total_of_zero_says_the_item_is_zero() -> None:
    assert item(epds(0, "2025-06-10")).value == 0


def test_a_blank_does_not_erase_an_earlier_positive_answer() -> None:
    fact = item(response([1] * 9 + [1], "2025-05-18"), response([1] * 9 + [None], "2025-06-10"))
    assert (fact.state, fact.value) == (State.KNOWN, 1)


def test_a_blank_after_an_earlier_zero_is_unknown() -> None:
    fact = item(item10(0, "2025-06-01"), epds(14, "2025-06-10"))
    assert (fact.state, fact.note) == (State.UNKNOWN, "item-missing")


def test_a_later_zero_closes() -> None:
    assert item(item10(3, "2025-06-01"), item10(0, "2025-06-10")).value == 0
    assert item(item10(3, "2025-06-01"), epds(0, "2025-06-10")).value == 0


def test_two_answers_of_one_day_the_higher_counts() -> None:
    result = read(item10(0, "2025-06-10T15:00:00Z"), item10(2, "2025-06-10T09:00:00Z"))
    assert result.facts["item"].value == 2
    assert "data-conflict" in details(result)


@pytest.mark.parametrize(
    ("day", "value", "note"),
    [("2025-06-09", 2, ""), ("2025-06-10", 0, "closed"), ("2025-06-12", 0, "closed"), ("2025-06-16", 2, "")],
)
def test_a_clinician_closes_an_answer_of_the_day_or_before(day: str, value: int, note: str) -> None:
    fact = item(item10(2, "2025-06-10"), observation(coded(LOCAL, CLOSED), day))
    assert (fact.value, fact.note) == (value, note)


def test_a_negated_or_withdrawn_closing_closes_nothing() -> None:
    for more in ({"valueBoolean": False}, {"status": "entered-in-error"}):
        closing = observation(coded(LOCAL, CLOSED), "2025-06-12", **more)
        assert item(item10(2, "2025-06-10"), closing).value == 2


@pytest.mark.parametrize(("day", "older"), [("2025-05-17", 2), ("2024-06-15", 2), ("2024-06-14", None)])
def test_an_old_positive_answer_is_asked_about_for_a_year(day: str, older: int | None) -> None:
    fact = item(item10(2, day))
    assert (fact.state, fact.value, fact.older) == (State.ABSENT, None, older)


def test_an_old_answer_that_was_closed_is_not_asked_about() -> None:
    assert item(item10(2, "2025-03-01"), observation(coded(LOCAL, CLOSED), "2025-03-02")).older is None


def test_an_old_positive_answer_and_a_new_blank() -> None:
    fact = item(item10(2, "2025-03-01"), epds(11, "2025-06-10"))
    assert (fact.state, fact.note, fact.older) == (State.UNKNOWN, "item-missing", 2)


def test_an_item_out_of_range_is_not_an_answer() -> None:
    result = read(item10(4, "2025-06-10"))
    assert result.facts["item"].note == "item-missing"
    assert "implausible-value" in details(result)


def test_an_undated_answer_is_unknown() -> None:
    assert item(item10(2, None)).note == "no-date"


def test_the_partner_s_answer_is_never_hers() -> None:
    partner = {"resourceType": "RelatedPerson", "id": "p", "patient": {"reference": "Patient/mother"}}
    focus = [{"reference": "https://records.example/RelatedPerson/p"}]
    assert item(partner, item10(3, "2025-06-10", focus=focus)).state is State.ABSENT


def test_suicidal_thoughts_are_closed_alike() -> None:
    thoughts = observation(coded(SCT, "6471006"), "2025-06-10")
    assert read(thoughts).facts["thoughts"].value is True
    fact = read(thoughts, observation(coded(LOCAL, CLOSED), "2025-06-11")).facts["thoughts"]
    assert (fact.value, fact.note) == (False, "closed")


@pytest.mark.parametrize(("hour", "open_"), [("09", True), ("16", False)])
def test_a_closing_earlier_that_day_closes_nothing_that_was_said_later(hour: str, open_: bool) -> None:
    closing = observation(coded(LOCAL, CLOSED), f"2025-06-10T{hour}:00:00Z")
    thoughts = observation(coded(SCT, "6471006"), "2025-06-10T15:00:00Z")
    facts = read(item10(2, "2025-06-10T15:00:00Z"), thoughts, closing).facts
    assert (facts["item"].value, facts["thoughts"].value) == (2 if open_ else 0, open_)


def test_every_positive_answer_of_the_day_must_be_closed() -> None:
    closing = observation(coded(LOCAL, CLOSED), "2025-06-10T12:00:00Z")
    assert item(item10(2, "2025-06-10T09:00:00Z"), closing).value == 0
    assert item(item10(2, "2025-06-10T09:00:00Z"), item10(1, "2025-06-10T15:00:00Z"), closing).value == 2


@pytest.mark.parametrize("verified", ["refuted", "entered-in-error"])
def test_a_closing_that_was_refuted_closes_nothing(verified: str) -> None:
    closing = condition(coded(LOCAL, CLOSED), verified=verified, recordedDate="2025-06-12")
    assert item(item10(2, "2025-06-10"), closing).value == 2
    assert item(item10(2, "2025-06-10"), condition(coded(LOCAL, CLOSED), recordedDate="2025-06-12")).value == 0


def test_a_zero_of_that_month_does_not_hide_an_answer_of_a_day() -> None:
    result = read(item10(0, "2025-06"), item10(3, "2025-06-12"))
    assert result.facts["item"].value == 3
    assert "data-conflict" in details(result)
    assert item(item10(3, "2025"), item10(1, "2025-06-12")).value == 1


def test_an_undated_positive_answer_beside_a_zero_is_unknown() -> None:
    fact = item(item10(2, None), item10(0, "2025-06-10"))
    assert (fact.state, fact.note) == (State.UNKNOWN, "no-date")
    assert item(item10(0, None), item10(0, "2025-06-10")).value == 0


@pytest.mark.parametrize("status", ["preliminary", "registered", "unknown"])
def test_an_answer_that_is_not_final_is_a_form_without_the_item(status: str) -> None:
    fact = item(item10(3, "2025-06-10", status=status))
    assert (fact.state, fact.note) == (State.UNKNOWN, "item-missing")
    assert item(item10(3, "2025-06-10", status="entered-in-error")).state is State.ABSENT


def test_an_answer_whose_display_denies_its_code_is_a_form_without_the_item() -> None:
    fact = item(observation(coded(LOCAL, "epds-item-10", "Not EPDS item 10"), "2025-06-10", valueInteger=3))
    assert (fact.state, fact.note) == (State.UNKNOWN, "item-missing")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("in-progress", State.UNKNOWN),
        ("stopped", State.UNKNOWN),
        ("entered-in-error", State.ABSENT),
        ("amended", State.KNOWN),
    ],
)
def test_a_form_that_is_not_complete_asks_for_the_item(status: str, state: State) -> None:
    assert item(response([1] * 9 + [3], "2025-06-10", status)).state is state
    assert item(response([None] * 10, "2025-06-10", "in-progress")).state is State.ABSENT
    assert item(response([1] * 9 + [1], "2025-06-01"), response([0] * 10, "2025-06-10", "in-progress")).value == 1
