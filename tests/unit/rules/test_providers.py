from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from rules import EVERYWHERE, Availability, ContentError, Decision, Fact, Policy, State, load_pack, why
from tests.unit.rules.tiny import AS_OF, PACK, known, rule, tiny, write

WINDOW = "{all: [{score: known}, {ended_on: {within_months: parameters.window-months}}]}"
TEAM_RULE = rule(WINDOW)


def home(text: str, valid: str = "{from: 2024-01-01}") -> str:
    return f"provider: home\ntitle: Home\nvalid: {valid}\n{text}\n"


def decide(folder: Path, policy: str, on: date = AS_OF, given: dict[str, Fact] | None = None, **files: str) -> Decision:
    availability = files.pop("availability", EVERYWHERE)  # type: ignore[arg-type]
    pack = tiny(folder, **{"home": policy, "criteria": TEAM_RULE, **files})
    try:
        return pack.evaluate(
            given if given is not None else known(score=1, ended_on=date(2025, 1, 1)), on, availability
        )  # type: ignore[arg-type]
    finally:
        pack.close()


def services(decision: Decision) -> dict[str, str]:
    return {referral.service: referral.priority for referral in decision.referrals}


# --- dated values --------------------------------------------------------------------------------------------------
DATED = "parameters: {window-months: [{from: 2025-01-01, value: 24}, {from: 2026-03-01, value: 6}]}"


@pytest.mark.parametrize(
    ("day", "fires"),
    [
        (date(2024, 12, 31), False),  # the pack's own 12 months, from a birth on 1 October 2023
        (date(2025, 1, 1), True),
        (date(2025, 10, 1), True),  # 24 months to the day
        (date(2025, 10, 2), False),
    ],
)
def test_a_dated_value_counts_from_its_day_and_the_packs_until_then(tmp_path: Path, day: date, fires: bool):
    decision = decide(tmp_path, home(DATED), day, known(score=1, ended_on=date(2023, 10, 1)))
    assert bool(decision.referrals) == fires


@pytest.mark.parametrize(("day", "fires"), [(date(2026, 2, 28), True), (date(2026, 3, 1), False)])
def test_the_same_woman_before_and_after_a_policy_date(tmp_path: Path, day: date, fires: bool):
    assert bool(decide(tmp_path, home(DATED), day).referrals) == fires


@pytest.mark.parametrize(
    ("day", "fires", "said"),
    [
        (date(2023, 12, 31), False, True),  # 12 months, since the policy has not begun
        (date(2024, 1, 1), True, False),
        (date(2025, 6, 30), True, False),
        (date(2025, 7, 1), False, True),
    ],
)
def test_a_plain_value_counts_while_the_policy_does(tmp_path: Path, day: date, fires: bool, said: bool):
    policy = home("parameters: {window-months: 36}", "{from: 2024-01-01, to: 2025-06-30}")
    decision = decide(tmp_path, policy, day, known(score=1, ended_on=date(2022, 8, 1)))
    assert bool(decision.referrals) == fires
    assert ("unsupported" in {issue.code for issue in decision.issues}) == said


# --- whose policy it was -------------------------------------------------------------------------------------------
def test_a_trace_names_the_provider_whose_threshold_it_is(tmp_path: Path):
    decision = decide(tmp_path, home("parameters: {window-months: 15}"))
    (sentence,) = [line for line in why(decision.outcome("r1")) if "window-months" in line]
    assert "threshold from parameter window-months, home, in force from 2024-01-01" in sentence
    (policy,) = decision.referrals[0].policies
    assert policy == Policy("window-months", policy.value, "home", date(2024, 1, 1), "r1")
    assert policy.value == "End of pregnancy is within the last 15 months"


def test_the_packs_own_values_are_nobodys_policy(tmp_path: Path):
    decision = decide(tmp_path, home(""), given=known(score=1, ended_on=date(2025, 12, 1)))
    assert decision.referrals[0].policies == ()
    assert ", home" not in " ".join(why(decision.outcome("r1")))


def test_a_destination_and_a_time_by_policy_say_so(tmp_path: Path):
    policy = home("destinations: {moderate: gp}\nparameters: {routine-days: 28}")
    then = "[{refer: {service: parameters.destination-moderate, priority: routine}}]"
    decision = decide(tmp_path, policy, criteria=rule("{score: known}", then=then))
    (referral,) = decision.referrals
    assert (referral.service, referral.end) == ("gp", date(2026, 3, 30))
    assert [(each.name, each.value) for each in referral.policies] == [
        ("destination-moderate", "gp"),
        ("routine-days", "28"),
    ]


def test_a_service_that_is_offered_is_the_destination_from_that_day(tmp_path: Path):
    text = PACK["parameters.yaml"].replace("label: Where moderate illness goes,", "label: W, where_offered: camhs,")
    offers = (
        "offers: [{from: 2024-01-01, value: [therapies, gp]}, {from: 2026-03-02, value: [therapies, camhs, gp]},"
        " {from: 2026-03-09, value: [therapies, gp]}]"
    )
    criteria = rule("{score: known}", then="[{refer: {service: parameters.destination-moderate, priority: routine}}]")
    found = {}
    for day in (date(2026, 3, 1), AS_OF, date(2026, 3, 8), date(2026, 3, 9)):
        (referral,) = decide(tmp_path, home(offers), day, criteria=criteria, parameters=text).referrals
        found[day.isoformat()] = (referral.service, bool(referral.policies))
    assert found == {
        "2026-03-01": ("therapies", False),
        "2026-03-02": ("camhs", True),
        "2026-03-08": ("camhs", True),
        "2026-03-09": ("therapies", False),
    }
    own = home(f"{offers}\ndestinations: {{moderate: gp}}")  # what it says itself stands above
    assert services(decide(tmp_path, own, criteria=criteria, parameters=text)) == {"gp": "routine"}


# --- not offered, not covered, closed ------------------------------------------------------------------------------
def test_a_providers_fallback_comes_before_the_packs(tmp_path: Path):
    policy = home("parameters: {window-months: 24}\noffers: [therapies, adult-team]\nfallbacks: {team: therapies}")
    decision = decide(tmp_path, policy)
    assert services(decision) == {"therapies": "routine"}
    assert [(issue.code, issue.rules) for issue in decision.issues] == [("no-service-covers", ("r1",))]
    assert {policy.name for policy in decision.referrals[0].policies} == {"window-months", "offers", "fallbacks"}
    assert "is not offered by this provider" in decision.referrals[0].notes[-1]


def test_what_does_not_cover_her_falls_back_and_ends_at_the_gp(tmp_path: Path):
    policy = home("parameters: {window-months: 24}")
    one = Availability(uncovered=frozenset({"team"}))
    both = Availability(uncovered=frozenset({"team", "adult-team"}))
    everything = Availability(uncovered=frozenset({"team", "adult-team", "gp"}))
    assert services(decide(tmp_path, policy, availability=one)) == {"adult-team": "routine"}
    assert services(decide(tmp_path, policy, availability=both)) == {"gp": "routine"}
    assert services(decide(tmp_path, policy, availability=everything)) == {"gp": "routine"}


SAFETY = rule("{score: known}", then="[{refer: {service: team, priority: stat, reason: risk}}]", more="safety: true")


def test_an_emergency_for_a_closed_team_is_made_elsewhere_as_well(tmp_path: Path):
    hours = 'hours: {team: {open: [{days: [mon], from: "09:00", to: "17:00"}], closed: crisis}}'
    closed = Availability(closed={"team": "crisis"})
    decision = decide(tmp_path, home(hours), criteria=SAFETY, availability=closed)
    assert services(decision) == {"team": "stat", "crisis": "stat"}
    team, crisis = decision.referrals
    assert "Crisis team takes its emergencies" in team.notes[-1]
    assert "closed at this time" in crisis.notes[-1]
    assert [policy.name for policy in crisis.policies] == ["hours"]


def test_a_routine_referral_waits_until_the_team_is_open(tmp_path: Path):
    policy = home("parameters: {window-months: 24}")
    assert services(decide(tmp_path, policy, availability=Availability(closed={"team": "crisis"}))) == {
        "team": "routine"
    }


def test_a_closed_team_whose_emergencies_nobody_takes_is_said_and_kept(tmp_path: Path):
    decision = decide(tmp_path, home(""), criteria=SAFETY, availability=Availability(closed={"team": ""}))
    assert services(decision) == {"team": "stat"}
    assert [issue.code for issue in decision.issues] == ["no-service-covers"]


def test_who_takes_emergencies_may_itself_not_cover_her(tmp_path: Path):
    both = Availability(uncovered=frozenset({"crisis"}), closed={"team": "crisis"})
    decision = decide(tmp_path, home("fallbacks: {crisis: camhs}"), criteria=SAFETY, availability=both)
    assert services(decision) == {"team": "stat", "camhs": "stat"}


# --- the day on which a count reaches its weeks --------------------------------------------------------------------
WAIT = """
- id: wait
  title: Wait
  sources: [{document: d}]
  services: [team]
  safety: false
  highest: {priority: routine}
  do: [{start_from: {fact: gestation, weeks: parameters.lowest-weeks}}]
"""
LOWEST = dedent(PACK["parameters.yaml"]) + "lowest-weeks: {label: Lowest, values: [{from: 2020-01-01, value: 0}]}\n"


@pytest.mark.parametrize(
    ("weeks", "days", "start"),
    [(0, 10, AS_OF), (2, 13, date(2026, 3, 3)), (2, 14, AS_OF), (2, 15, AS_OF), (2, 0, date(2026, 3, 16))],
)
def test_a_referral_starts_on_the_day_the_weeks_are_reached(tmp_path: Path, weeks: int, days: int, start: date):
    policy = home(f"parameters: {{lowest-weeks: {weeks}}}")
    more = {"steps": WAIT, "parameters": LOWEST, "criteria": rule("{score: known}")}
    (referral,) = decide(tmp_path, policy, given=known(score=1, gestation=days), **more).referrals
    assert referral.start == start
    assert (referral.end - referral.start).days == 14
    assert any("reaches" in note for note in referral.notes) == (start > AS_OF)


def test_an_unknown_count_is_not_guessed(tmp_path: Path):
    more = {"steps": WAIT, "parameters": LOWEST, "criteria": rule("{score: known}")}
    given = known(score=1) | {"gestation": Fact("gestation", State.UNKNOWN, ask="confirm-pregnancy-status")}
    decision = decide(tmp_path, home("parameters: {lowest-weeks: 13}"), given=given, **more)
    assert decision.referrals[0].start == AS_OF
    assert [task.code for task in decision.tasks] == ["confirm-pregnancy-status"]
    assert [issue.code for issue in decision.issues] == ["data-not-supplied"]


def test_a_step_cannot_delay_a_safety_rule(tmp_path: Path):
    steps, criteria = WAIT.replace("  safety: false\n", ""), rule("{score: known}", more="safety: true")
    with pytest.raises(ContentError, match=r"second_stage.yaml:2:3: .*delay a referral of a safety rule"):
        tiny(tmp_path, steps=steps, parameters=LOWEST, criteria=criteria)


# --- mistakes ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("parameters: {nope: 1}", "4:14", "no parameter is called 'nope'"),
        ("destinations: {nope: gp}", "4:16", "no parameter is called 'destination-nope'"),
        ("destinations: {moderate: nope}", "4:16", "no service is called 'nope'"),
        ("destinations: {moderate: [{from: 2024-01-01, value: nope}]}", "4:46", "no service is called 'nope'"),
        ("parameters: {cut-off: 32}", "4:14", r"32 is out of the range of Score: write 0 to 30 \(or 31: never\)"),
        ("parameters: {cut-off: 12.5}", "4:14", "cut-off is a whole number, not a number"),
        ("parameters: {window-months: -1}", "4:14", "-1 is out of the range of window-months: write a number from 0"),
        ("parameters: {ranged: 61}", "4:14", "61 is out of the range of ranged: write a number from 0 to 60"),
        (
            "parameters: {cut-off: [{from: 2025-01-01, value: 9}, {from: 2025-01-01, value: 8}]}",
            "4:55",
            "overlaps with the value before it",
        ),
        ("parameters: {cut-off: [{from: 2023-12-31, value: 9}]}", "4:25", "it is valid from 2024-01-01"),
        ("parameters: {cut-off: [{from: 2024-02-30, value: 9}]}", "4:25", "not a date"),
        ("parameters: {cut-off: [{from: 2024-02-01}]}", "4:24", "'value' is missing"),
        ("parameters: {cut-off: [{from: 2024-01-01, value: 3, since: x}]}", "4:53", "unknown key 'since'"),
        ("offers: [team, nope]", "4:16", "no service is called 'nope'"),
        ("offers: [{from: 2024-01-01, value: [nope]}]", "4:37", "no service is called 'nope'"),
        ("fallbacks: {nope: gp}", "4:13", "no service is called 'nope'"),
        ("fallbacks: {team: nope}", "4:13", "no service is called 'nope'"),
        ("fallbacks: {adult-team: team}", "4:13", "go round in a circle"),
        ("catchment: anywhere", "4:1", "must be one of gp-registration, residence, either"),
        ('hours: {team: {open: [{days: [mon], from: "17:00", to: "09:00"}]}}', "4:", "write two spans"),
        ('hours: {team: {open: [{days: [mon], from: "29:00", to: "09:00"}]}}', "4:", "not a time of day"),
        ("hours: {team: {open: [{days: [mon]}]}}", "4:", "'from' is missing"),
        ("hours: {team: {open: [{days: [monday], all_day: true}]}}", "4:", "must be one of mon, tue"),
        ("hours: {team: {open: [], closed: nope}}", "4:", "no service is called 'nope'"),
        ("windows: 3", "4:1", "unknown key 'windows'"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_to_do(tmp_path: Path, text: str, place: str, words: str):
    ranged = "ranged: {label: R, range: [0, 60], values: [{from: 2020-01-01, value: 24}]}\n"
    write(tmp_path, home=home(text), parameters=dedent(PACK["parameters.yaml"]) + ranged)
    with pytest.raises(ContentError, match=words) as caught:
        load_pack(tmp_path)
    assert f"providers/home.yaml:{place}" in str(caught.value)


def test_a_policy_cannot_end_before_it_begins(tmp_path: Path):
    with pytest.raises(ContentError, match=r"home.yaml:3:\d+: the policy ends before it begins"):
        tiny(tmp_path, home=home("", "{from: 2025-01-01, to: 2024-12-31}"))


def test_a_threshold_one_above_the_scale_switches_a_criterion_off(tmp_path: Path):
    criteria = rule("{score: {gte: parameters.cut-off}}")
    decision = decide(tmp_path, home("parameters: {cut-off: 31}"), given=known(score=30), criteria=criteria)
    assert decision.referrals == ()


def test_a_parameters_own_values_lie_in_its_range(tmp_path: Path):
    wrong = "ranged: {label: R, range: [0, 60], values: [{from: 2020-01-01, value: 61}]}\n"
    with pytest.raises(ContentError, match=r"parameters.yaml:\d+:\d+: the values of the parameter itself"):
        tiny(tmp_path, parameters=dedent(PACK["parameters.yaml"]) + wrong)
