"""The trace from a rule down to the place in the source."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from adapter.referrals.explain import explain_json, explain_text, patient_name
from rules import Fact, State, Status, Trace
from tests.unit.referrals.samples import (
    BIPOLAR,
    EPDS_TOTAL,
    NHS_NUMBER,
    R03,
    R05,
    R07,
    R09,
    R12,
    compare,
    decision,
    fhir_record,
    outcomes,
    record,
)

NO, YES, UNSURE = (compare(EPDS_TOTAL, f"is {truth}", truth) for truth in (False, True, None))


def because(rule: str, **more: object) -> list[str]:
    (explained,) = explain_json(decision(**more), record(), 0, rule)
    sentences = explained["because"]
    assert isinstance(sentences, list)
    return sentences


def of_trace(trace: Trace) -> list[str]:
    """The first words of each sentence for a rule with this trace."""
    made = replace(outcomes()[0], trace=trace)
    return [sentence.partition(":")[0] for sentence in because(R03, outcomes=(made,))]


def test_every_rule_is_explained_in_the_words_of_the_contract() -> None:
    explained = explain_json(decision(), record(), 0)
    assert [e["rule"] for e in explained] == [o.rule for o in outcomes()]
    assert all(list(e) == ["patient", "rule", "status", "missing", "because"] for e in explained)
    assert {e["patient"] for e in explained} == {NHS_NUMBER}
    assert explained[2]["status"] == "unknown"
    assert explained[2]["missing"] == ["first_degree_bipolar"]


def test_a_sentence_goes_from_the_criterion_to_its_place() -> None:
    assert because(R03) == [
        "EPDS item 10 is more than 0: met, 2 on 2026-03-09, "
        "from Observation.valueInteger at OBX-5 (segment 6 of message 1)"
    ]


def test_a_record_that_came_as_fhir_is_its_own_source() -> None:
    (explained,) = explain_json(decision(), fhir_record(), 0, R03)
    assert explained["because"][0].endswith("Observation.valueInteger at /entry/2/resource/valueInteger")


def test_thresholds_name_their_parameter_and_partial_dates_stay_partial() -> None:
    severe, window = because(R05)
    assert severe.startswith("severe mental illness: met, yes on 2015, from Condition.code.coding[0].code at DG1-3")
    assert window == (
        "the pregnancy ended within 24 months: met, between 2026-02-01 and 2026-02-03 "
        "(threshold perinatal-team-window-months), from nothing in the record"
    )


def test_what_is_not_known_and_what_is_too_old_say_so() -> None:
    assert "cannot tell, not known (relation unknown), from FamilyMemberHistory.relationship at OBX" in because(R07)[0]
    assert "only 12 of 2025-06-01, too old to count" in because(R12)[0]


def test_what_held_a_rule_back_comes_first() -> None:
    first, second = because(R09)
    assert first == "Held back by open-episode, a step of perinatal-mental-health 0.1.0"
    assert second.startswith("EPDS total is 13 or more: met")


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (Trace(True, "any", "", children=(YES, NO, UNSURE)), ["is True"]),
        (Trace(False, "all", "", children=(YES, NO, UNSURE)), ["is False"]),
        (Trace(None, "all", "", children=(YES, NO, UNSURE)), ["is True", "is None"]),
        (Trace(None, "any", "", children=(NO, UNSURE)), ["is None"]),
        (Trace(True, "not", "", children=(NO,)), ["is False"]),
        (Trace(True, "unless", "", children=(UNSURE,)), ["is None"]),
        (Trace(None, "derived", "", children=(Trace(False, "any", "", children=(NO,)),)), ["is False"]),
        (Trace(True, "all", "", children=(YES, Trace(True, "any", "", children=(NO, YES)))), ["is True"]),
    ],
)
def test_only_what_decided_is_said_and_each_thing_once(trace: Trace, expected: list[str]) -> None:
    assert of_trace(trace) == expected


def test_a_stale_fact_is_said_although_another_criterion_decided() -> None:
    stale = compare(Fact("old", State.ABSENT, older=9), "old is high", None)
    trace = Trace(False, "all", "", children=(NO, Trace(None, "all", "", children=(stale, UNSURE))))
    made = replace(outcomes()[0], trace=trace, status=Status.OUT_OF_DATE, missing=("old",))
    said = because(R03, outcomes=(made,))
    assert [s.partition(":")[0] for s in said] == ["is False", "old is high"]


def test_a_rule_that_failed_or_is_not_in_force_says_so() -> None:
    empty = Trace(None, "all", "nothing")
    failed = replace(outcomes()[0], status=Status.ERROR, trace=empty)
    assert because(R03, outcomes=(failed,))[0].startswith("The rule could not be evaluated")
    expired = replace(outcomes()[0], status=Status.OUT_OF_DATE, trace=empty)
    assert because(R03, outcomes=(expired,))[0].startswith("The rule is not in force on 2026-03-10")


def test_a_dated_threshold_says_since_when_it_is_in_force() -> None:
    dated = YES._replace(parameter="cut-off", since=date(2024, 1, 1))
    (sentence,) = because(R03, outcomes=(replace(outcomes()[0], trace=dated),))
    assert "(threshold cut-off, in force from 2024-01-01)" in sentence


def test_the_text_shows_the_tree_with_source_threshold_and_place() -> None:
    text = explain_text(decision(), record(), R05)
    assert "perinatal-mental-health 0.1.0, england-default, as of 2026-03-10" in text
    assert f"{R05}: fired\n" in text
    assert "Source: NICE CG192, 1.5.9, 2020, refer to a specialist service [V]" in text
    assert "(threshold perinatal-team-window-months)" in text
    assert "    severe mental illness: met, yes on 2015\n      Condition.code.coding[0].code at DG1-3" in text


def test_without_a_rule_those_that_do_not_apply_are_named_in_a_line() -> None:
    text = explain_text(decision(), record())
    assert text.endswith("Not fired: r22-eating-disorder\n")
    assert f"{R03}: fired (safety rule)" in text
    assert "Held back by: open-episode" in text
    assert "Missing: first_degree_bipolar" in text


def test_a_rule_that_does_not_apply_is_explained_when_asked_for() -> None:
    assert "r22-eating-disorder: not-fired" in explain_text(decision(), record(), "r22-eating-disorder")


def test_an_unknown_rule_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        explain_text(decision(), record(), "r99")
    with pytest.raises(KeyError):
        explain_json(decision(), record(), 0, "r99")


def test_a_patient_without_identifier_is_named_by_her_id() -> None:
    made = record()
    del made.bundle["entry"][0]["resource"]["identifier"]
    assert patient_name(made, 0) == "own-0"


def test_evidence_in_several_places_gives_them_all() -> None:
    both = BIPOLAR._replace(evidence=(*BIPOLAR.evidence, *EPDS_TOTAL.evidence))
    made = replace(outcomes()[0], trace=compare(both, "both", True))
    assert because(R03, outcomes=(made,))[0].endswith(
        "from Condition.code.coding[0].code at DG1-3 (segment 8 of message 1); "
        "Observation.valueInteger at OBX-5 (segment 5 of message 1)"
    )
