"""What a safety rule asks for is nobody's local policy: a provider may ask for less, and never for more."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

import rules
from rules import ContentError, DateSpan, Fact, State, Status

R03, AS_OF = "r03-any-self-harm-answer", date(2026, 3, 2)


def with_policy(folder: Path, parameters: str) -> Path:
    pack = folder / "pack"
    shutil.copytree(rules.LIBRARY, pack)
    text = f"provider: local\ntitle: Local\nvalid: {{from: 2024-01-01}}\nparameters: {{{parameters}}}\n"
    (pack / "providers" / "local.yaml").write_text(text, encoding="utf-8")
    return pack


def test_a_shorter_one_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"local\.yaml:4:.*safety-window-months.*from 24"):
        rules.load_pack(with_policy(tmp_path, "safety-window-months: 12"), "local")


@pytest.mark.parametrize("months", [0, 1, 12, 23, 24, 36])
def test_whatever_the_teams_own_window_a_self_harm_answer_is_acted_on(tmp_path: Path, months: int) -> None:
    pack = rules.load_pack(with_policy(tmp_path, f"perinatal-team-window-months: {months}"), "local")
    ended = DateSpan(date(2024, 3, 2), date(2024, 3, 2))
    facts = {
        "pregnant": Fact("pregnant", State.KNOWN, False),
        "pregnancy_ended_on": Fact("pregnancy_ended_on", State.KNOWN, ended),
        "epds_total": Fact("epds_total", State.KNOWN, 9, on=AS_OF),
        "epds_item_10": Fact("epds_item_10", State.KNOWN, 3, on=AS_OF),
    }
    decision = pack.evaluate(facts, AS_OF)
    assert decision.outcome(R03).status is Status.FIRED
    assert "crisis-team" in {referral.service for referral in decision.referrals}
    pack.close()


@pytest.mark.parametrize(
    "parameters",
    [
        "self-harm-item-gp: 2",
        "self-harm-item-crisis: 3",
        "self-harm-item-intent: 4",
        "core-10-item-6-positive: 3",
        "pbq-harm-positive: 2",
        "red-flag-valid-days: 7",
        "self-harm-finding-valid-days: 7",
        "psychosis-after-birth-days: 14",
    ],
)
def test_no_policy_makes_a_safety_rule_ask_for_more(tmp_path: Path, parameters: str) -> None:
    with pytest.raises(ContentError, match=rf"local\.yaml:4:.*{parameters.partition(':')[0]}"):
        rules.load_pack(with_policy(tmp_path, parameters), "local")
