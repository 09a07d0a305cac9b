"""``perinatal explain`` on recorded patients: what was expected of each was worked out from its ``expected.yaml`` by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from adapter.cli import app
from adapter.referrals.explain import explain_json, explain_text
from adapter.referrals.explained import work_out
from adapter.replay.evaluate import evaluate_input
from rules import LIBRARY, load_pack
from rules.whatif import WhatIf
from tests.e2e.console import ROOT

FIXTURES = ROOT / "fixtures"
AS_OF = "2026-03-02"
RECORDS = sorted(path for path in FIXTURES.glob("*/record.json"))


def run(fixture: str, *arguments: str) -> str:
    (folder,) = FIXTURES.glob(f"{fixture}-*")
    result = CliRunner().invoke(app, ["explain", str(folder / "record.json"), "--as-of", AS_OF, *arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def rule(fixture: str, name: str) -> dict[str, Any]:
    (explained,) = orjson.loads(run(fixture, "--rule", name, "--format", "json"))
    assert isinstance(explained, dict)
    return explained


def says(fixture: str, name: str) -> list[str]:
    return [sentence for turning in rule(fixture, name)["would_change"] for sentence in turning["says"]]


@pytest.mark.parametrize(
    ("fixture", "name", "first"),
    [
        (
            "01",
            "r03-any-self-harm-answer",
            "It would not be met with EPDS item 10 (the self-harm item) of 0 instead of 1.",
        ),
        (
            "01",
            "r09-moderate-depression-or-anxiety",
            "It would be met with Edinburgh Postnatal Depression Scale total of 13 or more instead of 9.",
        ),
        (
            "17",
            "r05-severe-mental-illness-now",
            "It would be met with gestation of 36+0 weeks or more instead of 16+0; then “A history of severe mental "
            "illness at any time, well now” would no longer be met.",
        ),
        ("22", "r13-tokophobia", "It would not be met with severe fear of childbirth: no instead of yes."),
        (
            "25",
            "r16-bonding",
            "It would not be met with Postpartum Bonding Questionnaire total of 25 or less instead of 26.",
        ),
        (
            "27",
            "r09-moderate-depression-or-anxiety",
            "It would be met with PHQ-9 total of 15 to 19 (not on record).",
        ),
        (
            "30",
            "r09-moderate-depression-or-anxiety",
            "The team already has her: it would go to the specialist perinatal mental health community team with her "
            "not already open to the specialist perinatal mental health community team.",
        ),
        (
            "32",
            "r09-moderate-depression-or-anxiety",
            "Under 16, the child and adolescent service takes the place of the perinatal team: it would go to the "
            "specialist perinatal mental health community team with age of 16 years or more instead of 15.",
        ),
        (
            "34",
            "r05-severe-mental-illness-now",
            "It would be met with end of the most recent pregnancy on or after 02-Mar-2024 instead of 01-Feb-2024.",
        ),
        (
            "42",
            "r09-moderate-depression-or-anxiety",
            "She does not consent to this referral: it would go to NHS Talking Therapies with her consent.",
        ),
    ],
)
def test_what_a_decision_turned_on(fixture: str, name: str, first: str) -> None:
    assert says(fixture, name)[0] == first


def test_a_stale_score_would_do_if_it_still_counted() -> None:
    stale = "Edinburgh Postnatal Depression Scale total of 17 on 01-Feb-2026 if it were not too old to count"
    assert f"Or with {stale}." in says("27", "r09-moderate-depression-or-anxiety")
    assert "is too old to count" in rule("27", "r09-moderate-depression-or-anxiety")["letter"]


def test_the_window_turns_on_the_day_of_the_birth_and_the_birth_follows_the_end() -> None:
    (turning,) = rule("34", "r05-severe-mental-illness-now")["would_change"]
    first = turning["changes"][0]
    assert [(fact["fact"], fact["was"], fact["now"]) for fact in first["facts"]] == [
        ("pregnancy_ended_on", "2024-02-01", "2024-03-02")
    ]
    assert first["follows"] == ["birth_on"]


def test_an_unknown_pregnancy_is_what_would_decide_most() -> None:
    explained = rule("03", "r06-history-of-severe-mental-illness")
    assert [each["fact"] for each in explained["would_decide"]] == ["pregnant", "pregnancy_ended_on"]
    assert explained["missing"] == ["pregnant", "pregnancy_ended_on"]
    assert says("03", "r06-history-of-severe-mental-illness")[:2] == [
        "It would be met with pregnant: yes (not known).",
        "Or with end of the most recent pregnancy on or after 02-Mar-2024 (not known).",
    ]


def test_a_missing_self_harm_item_comes_before_whatever_else_is_missing() -> None:
    text = run("40")
    assert "Not known, in order of how much it would decide:\n  1. " in text
    text = run("38")
    assert (
        "  1. EPDS item 10 (the self-harm item): would decide “Suicidal intent or plan, or harm to the baby” and"
        in text
    )


def test_the_letter_of_a_referral() -> None:
    assert rule("01", "r03-any-self-harm-answer")["letter"] == (
        "A referral to the GP practice is proposed, very urgent (asap), by 02-Mar-2026. "
        "A positive answer to a self-harm item, for review the same day. "
        "Her record shows: Edinburgh Postnatal Depression Scale total of 9 on 27-Feb-2026; "
        "EPDS item 10 (the self-harm item) of 1 on 27-Feb-2026. "
        "This meets the criterion “Any positive answer to a self-harm item, whatever the total” "
        "(Referral criteria as used in England, 1.11 R03)."
    )


def test_the_answer_that_a_task_rests_on_is_said_although_no_rule_fired() -> None:
    (todo,) = rule("99", "r03-any-self-harm-answer")["to_do"]
    assert todo == (
        "To do, very urgent (asap): Ask today about suicidal thoughts, intent and means. "
        "Her record shows: PHQ-9 item 9 (the self-harm item) of 3 on 27-Feb-2026; "
        "end of the most recent pregnancy on 01-Feb-2024. "
        "Asked for by “Any positive answer to a self-harm item, whatever the total” "
        "(Referral criteria as used in England, 1.11 R03)."
    )
    assert todo in " ".join(run("99").split())


def test_why_not_says_what_is_in_the_way() -> None:
    assert rule("02", "r12-birth-trauma")["letter"] == (
        "Not referred to the maternal mental health service under “Post-traumatic stress of the pregnancy, the birth or a "
        "loss” (NHS England maternal mental health services): not on record: City Birth Trauma Scale, DSM-5 algorithm "
        "positive; no PCL-5 total is on record."
    )


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.parent.name)
def test_every_record_is_explained_and_both_formats_agree(path: Path) -> None:
    pack = load_pack(LIBRARY)
    what_if = WhatIf(pack)
    try:
        for result in evaluate_input([path], date.fromisoformat(AS_OF), ""):
            if result.decision is None or result.record is None:
                continue
            told = work_out(result.decision, result.record, result.position, pack, what_if)
            text = " ".join(explain_text(result.decision, result.record, None, result.routing, told).split())
            data = explain_json(result.decision, result.record, result.position, None, result.routing, told)
            assert [each["rule"] for each in data] == [outcome.rule for outcome in result.decision.outcomes]
            for each in data:
                assert each["letter"]
                assert [one["fact"] for one in each["would_decide"]] == sorted(
                    each["missing"] if each["status"] == "unknown" else [],
                    key=[unknown.fact for unknown in told.unknowns].index,
                )
                says = [sentence for turning in each["would_change"] for sentence in turning["says"]]
                if each["status"] != "not-fired":
                    assert says
                    assert all(sentence in text for sentence in says)
                assert "_" not in each["letter"] + "".join(says)  # no internal name
    finally:
        pack.close()


def test_a_stillbirth_is_a_loss_and_a_twin_that_lives_a_birth() -> None:
    assert "10 weeks after a loss (20-Dec-2025)." in run("08")
    assert "after a birth and a loss (" in run("37")
