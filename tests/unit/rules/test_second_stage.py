from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rules import Decision, Fact, Status
from tests.unit.rules.tiny import AS_OF, known, rule, tiny, unknown

TWO_RULES = rule("{score: known}", "r1") + rule(
    "{item: known}", "r2", then="[{refer: {service: crisis, priority: asap, reason: risk}}]", more="safety: true"
)


def steps(*bodies: str) -> str:
    """Steps s1, s2 … with these bodies."""
    return "".join(
        f"- id: s{index}\n  title: Step\n  sources: [{{document: d}}]\n"
        + "".join(f"  {line}\n" for line in body.strip().splitlines())
        for index, body in enumerate(bodies, 1)
    )


def decide(folder: Path, second_stage: str, facts: dict[str, Fact], **files: str) -> Decision:
    pack = tiny(folder, **{"criteria": TWO_RULES, "steps": second_stage, **files})
    decision = pack.evaluate(facts, AS_OF)
    pack.close()
    return decision


def services(decision: Decision) -> dict[str, str]:
    return {referral.service: referral.priority for referral in decision.referrals}


BOTH = known(score=1, item=1)


def test_a_referral_moves_and_keeps_its_priority(tmp_path: Path):
    second = steps(
        "when: {age_years: {lt: 16}}\nservices: [team]\ndo: [{move_to: camhs}, {flag: {code: safeguarding-concern}}]"
    )
    assert services(decide(tmp_path, second, BOTH | known(age_years=15))) == {"crisis": "asap", "camhs": "routine"}
    decision = decide(tmp_path, second, BOTH | known(age_years=16))
    assert services(decision) == {"crisis": "asap", "team": "routine"}
    assert decision.flags == ()


def test_a_step_whose_condition_is_unknown_does_nothing(tmp_path: Path):
    second = steps("when: {age_years: {lt: 16}}\nservices: [team]\ndo: [{move_to: camhs}]")
    assert services(decide(tmp_path, second, BOTH | unknown("age_years"))) == {"crisis": "asap", "team": "routine"}


def test_another_service_is_asked_besides(tmp_path: Path):
    second = steps("services: [team]\ndo: [{also_refer: camhs}]")
    decision = decide(tmp_path, second, known(score=1))
    assert services(decision) == {"team": "routine", "camhs": "routine"}
    assert all(referral.rules == ("r1",) for referral in decision.referrals)


def test_a_held_referral_suppresses_its_rule_and_says_by_what(tmp_path: Path):
    second = steps(
        "safety: false\nopen: true\ndo: [{hold: true}, {task: {code: update-open-team, priority: same, service: this}}]"
    )
    facts = BOTH | known(open_services=frozenset({"team", "crisis"}))
    decision = decide(tmp_path, second, facts)
    outcome = decision.outcome("r1")
    assert (outcome.status, outcome.suppressed_by) == (Status.SUPPRESSED, ("s1",))
    assert decision.outcome("r2").status is Status.FIRED
    assert services(decision) == {"crisis": "asap"}
    (task,) = decision.tasks
    assert (task.code, task.priority, task.service, task.rules) == ("update-open-team", "routine", "team", ("r1",))


def test_a_rule_with_another_referral_left_is_not_suppressed(tmp_path: Path):
    criteria = rule(
        "{score: known}",
        then="[{refer: {service: team, priority: routine}}, {refer: {service: gp, priority: routine}}]",
    )
    decision = decide(tmp_path, steps("services: [team]\ndo: [{hold: true}]"), known(score=1), criteria=criteria)
    assert decision.outcome("r1").status is Status.FIRED
    assert services(decision) == {"gp": "routine"}


def test_a_safety_referral_can_only_be_held_where_it_goes_elsewhere(tmp_path: Path):
    second = steps("rules: [r2]\nopen: true\ndo: [{hold: true}, {also_refer: team}]")
    decision = decide(tmp_path, second, known(item=1, open_services=frozenset({"crisis"})))
    assert services(decision) == {"team": "asap"}
    assert decision.outcome("r2").status is Status.FIRED


@pytest.mark.parametrize(("refused", "held"), [({"all"}, True), ({"team"}, True), ({"crisis"}, False), (set(), False)])
def test_refused_consent_holds_the_service_or_all_of_them(tmp_path: Path, refused: set[str], held: bool):
    second = steps("safety: false\nrefused: true\ndo: [{hold: true}, {task: {code: seek-consent, priority: same}}]")
    decision = decide(tmp_path, second, BOTH | known(consent_refused_for=frozenset(refused)))
    assert ("team" not in services(decision)) is held
    assert "crisis" in services(decision)


def test_a_step_can_depend_on_another_referral(tmp_path: Path):
    second = steps("rules: [r1]\nbeside: {priority: asap}\ndo: [{note: Follows the other one.}, {start_now: true}]")
    start = "[{refer: {service: team, priority: routine, start: {fact: ended_on, plus_days: 28}}}]"
    criteria = rule("{score: known}", "r1", then=start) + rule(
        "{item: known}", "r2", then="[{refer: {service: crisis, priority: asap}}]"
    )
    facts = known(score=1, ended_on=date(2026, 2, 20))
    (alone,) = decide(tmp_path, second, facts, criteria=criteria).referrals
    assert (alone.start, alone.notes) == (date(2026, 3, 20), ())
    together = decide(tmp_path, second, facts | known(item=1), criteria=criteria).referrals[1]
    assert (together.start, together.end, together.notes) == (AS_OF, date(2026, 3, 16), ("Follows the other one.",))


def test_a_priority_is_capped_with_its_own_timeframe(tmp_path: Path):
    criteria = rule("{score: known}", then="[{refer: {service: team, priority: urgent}}]")
    second = steps("do: [{priority: routine, within: 20}]")
    (referral,) = decide(tmp_path, second, known(score=1), criteria=criteria).referrals
    assert (referral.priority, referral.end) == ("routine", date(2026, 3, 22))
    criteria = rule("{score: known}", then="[{refer: {service: team, priority: routine, within: 3}}]")
    (referral,) = decide(tmp_path, second, known(score=1), criteria=criteria).referrals
    assert referral.end == date(2026, 3, 5)


def test_steps_are_applied_in_order(tmp_path: Path):
    second = steps("services: [team]\ndo: [{move_to: camhs}]", "services: [camhs]\ndo: [{also_refer: gp}]")
    assert services(decide(tmp_path, second, known(score=1))) == {"camhs": "routine", "gp": "routine"}


def test_an_issue_of_a_step_names_the_rules(tmp_path: Path):
    second = steps("safety: false\ndo: [{issue: {code: suppressed, severity: information, text: Why}}]")
    (issue,) = decide(tmp_path, second, BOTH).issues
    assert (issue.code, issue.rules) == ("suppressed", ("r1",))


def test_a_service_that_is_not_offered_falls_back_and_says_so(tmp_path: Path):
    home = "provider: home\ntitle: H\noffers: [adult-team]\n"
    decision = decide(tmp_path, steps("do: [{note: N}]"), BOTH, home=home)
    assert services(decision) == {"adult-team": "asap"}
    assert decision.referrals[0].rules == ("r1", "r2")
    assert {issue.code for issue in decision.issues} == {"no-service-covers"}
    home = "provider: home\ntitle: H\noffers: [camhs]\n"
    assert services(decide(tmp_path, steps("do: [{note: N}]"), BOTH, home=home)) == {"gp": "asap"}


def test_the_referral_outside_a_window_goes_through_the_second_stage_too(tmp_path: Path):
    criteria = rule("{score: known}", more="window: in_window\noutside: {service: adult-team}")
    second = steps("services: [adult-team]\nrefused: true\ndo: [{hold: true}]")
    facts = known(score=1, pregnant=False, ended_on=date(2020, 1, 1), consent_refused_for=frozenset({"all"}))
    decision = decide(tmp_path, second, facts, criteria=criteria)
    assert decision.referrals == ()
    assert decision.outcome("r1").suppressed_by == ("outside-window", "s1")
