"""Where a service is not there: who takes over, and what the steps of the second stage say of that one."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from rules import EVERYWHERE, LIBRARY, Availability, ContentError, Decision, Fact, Status, load_pack
from tests.unit.rules.test_second_stage import services, steps
from tests.unit.rules.tiny import AS_OF, PACK, known, rule, tiny

TELL = "{task: {code: update-open-team, priority: same, service: this}}"
OPEN = f"safety: false\nopen: true\ndo: [{TELL}, {{hold: true}}]"
REFUSED = (
    "safety: false\nrefused: true\ndo: [{task: {code: seek-consent, priority: same, service: this}}, {hold: true}]"
)
REFUSED_SAFETY = "rules: [r2]\nrefused: true\ndo: [{note: She has not consented.}]"
OPEN_CRISIS = f"services: [crisis]\nopen: true\ndo: [{TELL}, {{hold: true}}]"
OPEN_SAFETY = f"rules: [r2]\nopen: true\ndo: [{TELL}, {{move_to: crisis}}]"
YOUNG = "when: {age_years: {lt: 16}}\nservices: [team]\ndo: [{move_to: camhs}]"
FALL_BACK = "do: [{fall_back: true}]"
WHEN_CLOSED = "do: [{when_closed: true}]"

ROUTINE = rule("{score: known}", "r1")
TO_TEAM = ROUTINE + rule(
    "{item: known}", "r2", "[{refer: {service: team, priority: asap, reason: risk}}]", "safety: true"
)


def home(text: str) -> str:
    return f"provider: home\ntitle: Home\nvalid: {{from: 2024-01-01}}\n{text}\n"


def decide(
    folder: Path,
    second: str,
    given: dict[str, Fact],
    policy: str = "",
    there: Availability = EVERYWHERE,
    criteria: str = TO_TEAM,
) -> Decision:
    pack = tiny(folder, criteria=criteria, steps=second, home=home(policy))
    try:
        return pack.evaluate(given, AS_OF, there)
    finally:
        pack.close()


def told(decision: Decision) -> dict[str, tuple[str, str]]:
    """The service and priority of each task, by code."""
    return {task.code: (task.service, task.priority) for task in decision.tasks}


NO_TEAM = Availability(uncovered=frozenset({"team"}))


@pytest.mark.parametrize("fallback_at", ["first", "last", "not written"])
@pytest.mark.parametrize("how", ["not offered", "not covered"])
def test_who_takes_over_and_already_has_her_is_told(tmp_path: Path, how: str, fallback_at: str):
    written = {"first": (FALL_BACK, OPEN), "last": (OPEN, FALL_BACK), "not written": (OPEN,)}[fallback_at]
    policy, there = ("offers: [adult-team, gp]", EVERYWHERE) if how == "not offered" else ("", NO_TEAM)
    given = known(score=1, open_services=frozenset({"adult-team"}))
    decision = decide(tmp_path, steps(*written), given, policy, there)
    assert services(decision) == {}
    assert told(decision) == {"update-open-team": ("adult-team", "routine")}
    held = "s1" if fallback_at != "first" else "s2"
    assert (decision.outcome("r1").status, decision.outcome("r1").suppressed_by) == (Status.SUPPRESSED, (held,))
    (issue,) = decision.issues
    assert (issue.code, issue.rules) == ("no-service-covers", ("r1",))
    assert "Perinatal team" in issue.text
    assert "Adult team takes its place" in issue.text


@pytest.mark.parametrize("refused", ["adult-team", "team", "all"])
def test_who_takes_over_is_not_asked_where_she_refuses(tmp_path: Path, refused: str):
    given = known(score=1, consent_refused_for=frozenset({refused}))
    decision = decide(tmp_path, steps(REFUSED_SAFETY, REFUSED, FALL_BACK), given, "offers: [adult-team, gp]")
    assert services(decision) == {}
    assert decision.outcome("r1").suppressed_by == ("s2",)
    assert told(decision) == {"seek-consent": ("adult-team" if refused == "adult-team" else "team", "routine")}


def test_a_refusal_of_who_takes_over_never_stops_a_safety_rule(tmp_path: Path):
    given = known(score=1, item=1, consent_refused_for=frozenset({"adult-team"}))
    decision = decide(tmp_path, steps(REFUSED_SAFETY, REFUSED), given, "offers: [adult-team, gp]")
    (referral,) = decision.referrals
    assert (referral.service, referral.priority, referral.rules) == ("adult-team", "asap", ("r2",))
    assert referral.notes[-1] == "She has not consented."
    assert decision.outcome("r1").status is Status.SUPPRESSED
    assert decision.outcome("r2").status is Status.FIRED


def test_a_fallback_of_a_fallback_says_every_one(tmp_path: Path):
    given = known(item=1)
    criteria = rule("{item: known}", "r2", "[{refer: {service: crisis, priority: asap}}]", "safety: true")
    decision = decide(tmp_path, steps("do: [{note: N}]"), given, "offers: [adult-team, gp]", criteria=criteria)
    (referral,) = decision.referrals
    assert (referral.service, referral.priority) == ("adult-team", "asap")
    assert referral.notes == ("N", "Crisis team is not offered by this provider: Adult team takes its place.")
    assert decision.outcome("r2").status is Status.FIRED


def test_where_the_fallback_is_not_there_either_the_gp_is_told_who_has_her(tmp_path: Path):
    there = Availability(uncovered=frozenset({"team", "adult-team"}))
    decision = decide(tmp_path, steps(OPEN), known(score=1, open_services=frozenset({"gp"})), there=there)
    assert services(decision) == {}
    assert told(decision) == {"update-open-team": ("gp", "routine")}


def test_a_fallback_brings_a_referral_to_the_steps_about_its_new_service(tmp_path: Path):
    criteria = rule("{score: known}", then="[{refer: {service: therapies, priority: urgent}}]")
    policy = "offers: [team, camhs, gp]\nfallbacks: {therapies: team}"
    for second in (steps(YOUNG), steps(YOUNG, FALL_BACK), steps(FALL_BACK, YOUNG)):
        assert services(decide(tmp_path, second, known(score=1, age_years=15), policy, criteria=criteria)) == {
            "camhs": "urgent"
        }
        assert services(decide(tmp_path, second, known(score=1, age_years=16), policy, criteria=criteria)) == {
            "team": "urgent"
        }


def test_a_step_decides_about_what_was_wanted_before_anybody_takes_over(tmp_path: Path):
    """Under 16 the young people's team takes the place of the perinatal team, there or not: no adult team does."""
    decision = decide(tmp_path, steps(YOUNG), known(score=1, age_years=15), "offers: [camhs, adult-team, gp]")
    assert services(decision) == {"camhs": "routine"}
    assert decision.issues == ()


def test_a_fallback_to_the_service_a_step_moved_her_from_comes_to_an_end(tmp_path: Path):
    policy = "offers: [team, gp]\nfallbacks: {camhs: team}"
    decision = decide(tmp_path, steps(YOUNG), known(score=1, age_years=15), policy)
    assert services(decision) == {"team": "routine"}
    assert decision.referrals[0].notes == (
        "Young people's team is not offered by this provider: Perinatal team takes its place.",
    )


SAFE = steps(OPEN_CRISIS, OPEN_SAFETY, OPEN, REFUSED_SAFETY, REFUSED)


@pytest.mark.parametrize(
    ("open_at", "policy", "made", "informed"),
    [
        # the team has her: the crisis team is asked, or who takes its place
        ({"team"}, "", {"crisis"}, {"team"}),
        ({"team"}, "offers: [team, adult-team, gp]\nfallbacks: {crisis: adult-team}", {"adult-team"}, {"team"}),
        # who takes its place has her too: told, and asked all the same
        (
            {"team", "adult-team"},
            "offers: [team, adult-team, gp]\nfallbacks: {crisis: adult-team}",
            {"adult-team"},
            {"team", "adult-team"},
        ),
        ({"team"}, "offers: [team, gp]", {"team"}, {"team"}),  # the crisis team's fallback is the team
        ({"gp"}, "offers: [gp]", {"gp"}, {"gp"}),
        # the crisis team itself has her: nobody else
        ({"team", "crisis"}, "", set(), {"team", "crisis"}),
        ({"crisis"}, "offers: [crisis, gp]\nfallbacks: {team: crisis, crisis: gp}", set(), {"crisis"}),
    ],
)
def test_a_safety_referral_ends_at_somebody_and_whoever_has_her_is_told(
    tmp_path: Path, open_at: set[str], policy: str, made: set[str], informed: set[str]
):
    decision = decide(tmp_path, SAFE, known(item=1, open_services=frozenset(open_at)), policy)
    assert services(decision) == dict.fromkeys(made, "asap")
    tasks = [task for task in decision.tasks if task.code == "update-open-team"]
    assert {task.service for task in tasks} == informed
    assert {task.priority for task in tasks} == {"asap"}


def test_two_referrals_that_fall_back_onto_one_service_become_one(tmp_path: Path):
    criteria = rule("{score: known}", "r1", "[{refer: {service: therapies, priority: routine, reason: low-mood}}]") + (
        rule("{item: known}", "r2", "[{refer: {service: team, priority: urgent, reason: risk}}]")
    )
    policy = "offers: [adult-team, gp]\nfallbacks: {therapies: adult-team}"
    decision = decide(tmp_path, steps("do: [{note: N}]"), known(score=1, item=1), policy, criteria=criteria)
    (referral,) = decision.referrals
    assert (referral.service, referral.priority, referral.end) == ("adult-team", "urgent", date(2026, 3, 5))
    assert (referral.rules, referral.reasons) == (("r1", "r2"), ("low-mood", "risk"))
    assert {fact.name for fact in referral.facts} == {"score", "item"}
    assert referral.notes == (
        "N",
        "Talking therapies is not offered by this provider: Adult team takes its place.",
        "Perinatal team is not offered by this provider: Adult team takes its place.",
    )


def test_one_that_falls_back_and_one_that_is_open_there_are_both_told(tmp_path: Path):
    criteria = rule("{score: known}", "r1", "[{refer: {service: adult-team, priority: routine}}]") + (
        rule("{item: known}", "r2", "[{refer: {service: team, priority: urgent}}]")
    )
    given = known(score=1, item=1, open_services=frozenset({"adult-team"}))
    decision = decide(tmp_path, steps(OPEN), given, there=NO_TEAM, criteria=criteria)
    (task,) = decision.tasks
    assert (task.service, task.priority, task.rules) == ("adult-team", "urgent", ("r1", "r2"))
    assert services(decision) == {}


LATER = (
    "services: [team]\nsafety: false\nhighest: {priority: routine}\ndo: [{start_from: {fact: gestation, weeks: 13}}]"
)


def test_a_wait_of_the_service_that_was_wanted_is_no_wait_of_who_takes_over(tmp_path: Path):
    given = known(score=1, gestation=63)
    (waiting,) = decide(tmp_path, steps(FALL_BACK, LATER), given).referrals
    assert (waiting.service, waiting.start) == ("team", date(2026, 3, 30))
    (taken,) = decide(tmp_path, steps(FALL_BACK, LATER), given, "offers: [adult-team, gp]").referrals
    assert (taken.service, taken.start) == ("adult-team", AS_OF)
    assert not any("Starts when" in note for note in taken.notes)


def test_a_step_that_is_repeated_at_another_service_says_its_note_once(tmp_path: Path):
    decision = decide(tmp_path, steps("do: [{note: N}]"), known(score=1), there=NO_TEAM)
    assert decision.referrals[0].notes.count("N") == 1


# --- an emergency to a service that is closed ---------------------------------------------------------------------
CLOSED = Availability(closed={"team": "crisis"})


def test_who_takes_emergencies_and_has_her_already_is_told(tmp_path: Path):
    given = known(item=1, open_services=frozenset({"crisis"}))
    decision = decide(tmp_path, SAFE, given, there=CLOSED)
    assert services(decision) == {"team": "asap"}
    assert told(decision) == {"update-open-team": ("crisis", "asap")}


def test_who_takes_emergencies_may_be_closed_too(tmp_path: Path):
    there = Availability(closed={"team": "crisis", "crisis": "adult-team"})
    assert services(decide(tmp_path, SAFE, known(item=1), there=there)) == dict.fromkeys(
        ("team", "crisis", "adult-team"), "asap"
    )
    round_in_a_circle = Availability(closed={"team": "crisis", "crisis": "team"})
    assert services(decide(tmp_path, SAFE, known(item=1), there=round_in_a_circle)) == dict.fromkeys(
        ("team", "crisis"), "asap"
    )


def test_who_takes_over_may_be_closed(tmp_path: Path):
    there = Availability(uncovered=frozenset({"team"}), closed={"adult-team": "crisis"})
    assert services(decide(tmp_path, SAFE, known(item=1), there=there)) == dict.fromkeys(
        ("adult-team", "crisis"), "asap"
    )


def test_where_closing_is_written_it_comes_before_the_steps_after_it(tmp_path: Path):
    """Without it the routine referral would say that it waits, though an emergency to the same team does not."""
    criteria = ROUTINE + rule(
        "{item: known}", "r2", "[{refer: {service: crisis, priority: asap, reason: risk}}]", "safety: true"
    )
    there = Availability(closed={"crisis": "team"})
    given = known(score=1, item=1, gestation=63)
    decision = decide(tmp_path, steps(FALL_BACK, WHEN_CLOSED, LATER), given, there=there, criteria=criteria)
    team = next(referral for referral in decision.referrals if referral.service == "team")
    assert (team.priority, team.rules) == ("asap", ("r1", "r2"))
    assert not any("Starts when" in note for note in team.notes)


def notes(decision: Decision) -> dict[str, tuple[str, ...]]:
    return {referral.service: referral.notes for referral in decision.referrals}


def test_who_takes_emergencies_is_said_on_both_referrals_in_the_same_words(tmp_path: Path):
    decision = decide(tmp_path, SAFE, known(item=1), there=CLOSED)
    words = ("Perinatal team is closed at this time: Crisis team takes its emergencies.",)
    assert notes(decision) == {"team": words, "crisis": words}
    assert decision.issues == ()


def test_of_closed_services_one_after_another_the_open_one_is_named(tmp_path: Path):
    there = Availability(closed={"team": "crisis", "crisis": "adult-team"})
    both = "Perinatal team and Crisis team are closed at this time: Adult team takes their emergencies."
    one = "Crisis team is closed at this time: Adult team takes its emergencies."
    assert notes(decide(tmp_path, SAFE, known(item=1), there=there)) == {
        "team": (both,),
        "crisis": (both, one),
        "adult-team": (both, one),
    }


@pytest.mark.parametrize("closed", [{"team": "crisis", "crisis": "team"}, {"crisis": "team", "team": "crisis"}])
def test_two_teams_that_close_onto_each_other_say_that_nobody_is_open(tmp_path: Path, closed: dict[str, str]):
    decision = decide(tmp_path, SAFE, known(item=1), there=Availability(closed=closed))
    words = (
        "Perinatal team and Crisis team are closed at this time, and no other service takes their emergencies: "
        "a person must find who sees her now"
    )
    assert notes(decision) == {"team": (f"{words}.",), "crisis": (f"{words}.",)}
    assert [(issue.code, issue.severity, issue.text) for issue in decision.issues] == [
        ("no-service-covers", "warning", words)
    ]


@pytest.mark.parametrize("closed", [{"team": ""}, {"team": "team"}])
def test_that_nobody_takes_its_emergencies_is_said_on_the_referral(tmp_path: Path, closed: dict[str, str]):
    decision = decide(tmp_path, SAFE, known(item=1), there=Availability(closed=closed))
    words = (
        "Perinatal team is closed at this time, and no other service takes its emergencies: "
        "a person must find who sees her now"
    )
    assert notes(decision) == {"team": (f"{words}.",)}
    assert [issue.text for issue in decision.issues] == [words]


def test_who_takes_emergencies_is_named_by_who_is_there_for_her(tmp_path: Path):
    there = Availability(uncovered=frozenset({"crisis"}), closed={"team": "crisis"})
    decision = decide(tmp_path, SAFE, known(item=1), "fallbacks: {crisis: camhs}", there)
    closed = "Perinatal team is closed at this time: Young people's team takes its emergencies."
    moved = "Crisis team does not cover her by the directory: Young people's team takes its place."
    assert notes(decision) == {"team": (closed,), "camhs": (closed, moved)}


# --- what a referral that is held leaves in its task ---------------------------------------------------------------
def held_notes(decision: Decision) -> tuple[str, ...]:
    assert services(decision) == {}
    (task,) = decision.tasks
    return task.notes


@pytest.mark.parametrize("how", ["not offered", "not covered"])
@pytest.mark.parametrize("given", [{"consent_refused_for": "team"}, {"open_services": "team"}])
def test_a_task_says_that_its_service_is_not_there_for_her(tmp_path: Path, how: str, given: dict[str, str]):
    policy, there = ("offers: [adult-team, gp]", EVERYWHERE) if how == "not offered" else ("", NO_TEAM)
    facts = known(score=1, **{name: frozenset({code}) for name, code in given.items()})
    why = "is not offered by this provider" if how == "not offered" else "does not cover her by the directory"
    assert held_notes(decide(tmp_path, steps(OPEN, REFUSED, FALL_BACK), facts, policy, there)) == (
        f"Perinatal team {why}: what it cannot take goes to Adult team.",
    )
    assert held_notes(decide(tmp_path, steps(OPEN, REFUSED, FALL_BACK), facts)) == ()


@pytest.mark.parametrize("given", [{"consent_refused_for": "adult-team"}, {"open_services": "adult-team"}])
def test_a_task_says_whose_place_its_service_takes(tmp_path: Path, given: dict[str, str]):
    facts = known(score=1, **{name: frozenset({code}) for name, code in given.items()})
    assert held_notes(decide(tmp_path, steps(OPEN, REFUSED, FALL_BACK), facts, there=NO_TEAM)) == (
        "Perinatal team does not cover her by the directory: Adult team takes its place.",
    )


def test_a_task_says_what_the_referral_would_have_said(tmp_path: Path):
    """The words of the rule are for whoever has her too: to go on with a medicine until somebody has advised her."""
    criteria = rule("{score: known}", then="[{refer: {service: team, priority: urgent, text: Goes on taking it}}]")
    facts = known(score=1, open_services=frozenset({"team"}))
    assert held_notes(decide(tmp_path, steps(OPEN), facts, criteria=criteria)) == ("Goes on taking it",)


@pytest.mark.parametrize(("priority", "said"), [("urgent", False), ("asap", True)])
def test_a_task_says_that_its_service_is_closed_where_that_matters(tmp_path: Path, priority: str, said: bool):
    criteria = rule("{score: known}", then=f"[{{refer: {{service: team, priority: {priority}}}}}]")
    facts = known(score=1, open_services=frozenset({"team"}))
    words = ("Perinatal team is closed at this time: Crisis team takes its emergencies.",) if said else ()
    assert held_notes(decide(tmp_path, steps(OPEN), facts, there=CLOSED, criteria=criteria)) == words


def test_a_task_of_another_service_says_what_is_amiss_with_that_one_alone(tmp_path: Path):
    criteria = rule("{score: known}", then="[{refer: {service: camhs, priority: routine, text: Words}}]")
    second = steps("services: [camhs]\ndo: [{task: {code: update-open-team, service: team}}]")
    decision = decide(tmp_path, second, known(score=1), there=NO_TEAM, criteria=criteria)
    (task,) = decision.tasks
    assert task.notes == (
        "Perinatal team does not cover her by the directory: what it cannot take goes to Adult team.",
    )
    assert notes(decision) == {"camhs": ("Words",)}


# --- what a pack may not say --------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", ["fall_back", "when_closed"])
@pytest.mark.parametrize(
    "body",
    [
        "safety: false\ndo: [{KEY: true}]",
        "services: [team]\ndo: [{KEY: true}]",
        "rules: [r1]\ndo: [{KEY: true}]",
        "not_rules: [r1]\ndo: [{KEY: true}]",
        "when: {score: known}\ndo: [{KEY: true}]",
        "beside: {priority: asap}\ndo: [{KEY: true}]",
        "highest: {priority: asap}\ndo: [{KEY: true}]",
        "open: true\ndo: [{KEY: true}]",
        "refused: true\ndo: [{KEY: true}]",
        "do: [{KEY: true}, {note: N}]",
        "do: [{hold: true}, {KEY: true}]",
    ],
)
def test_a_step_for_services_that_are_not_there_leaves_nobody_out(tmp_path: Path, key: str, body: str):
    with pytest.raises(ContentError, match=rf"second_stage.yaml:1:3: '{key}' .*\[RC043\]"):
        decide(tmp_path, steps(body.replace("KEY", key)), known(score=1))


@pytest.mark.parametrize("key", ["fall_back", "when_closed"])
def test_a_step_for_services_that_are_not_there_is_written_once(tmp_path: Path, key: str):
    with pytest.raises(ContentError, match=rf"second_stage.yaml:5:3: '{key}' .*\[RC043\]"):
        decide(tmp_path, steps(*[f"do: [{{{key}: true}}]"] * 2), known(score=1))


@pytest.mark.parametrize(
    ("policy", "place"),
    [
        ("fallbacks: {team: team}", "4:13"),
        ("fallbacks:\n  gp: crisis", "5:3"),  # crisis → team → adult-team → gp, where the pack's own rest on it
        ("fallbacks: {adult-team: [{from: 2024-01-01, value: gp}, {from: 2026-01-01, value: team}]}", "4:13"),
        ("fallbacks:\n  camhs: therapies\n  therapies: [{from: 2027-01-01, value: camhs}]", "5:3"),
    ],
)
def test_fallbacks_that_go_round_in_a_circle_are_refused_with_their_place(tmp_path: Path, policy: str, place: str):
    criteria = ROUTINE
    if "gp: crisis" in policy:
        policy += "\n  adult-team: gp"
    with pytest.raises(ContentError, match=rf"home.yaml:{place}: .*go round in a circle.*\[RC053\]"):
        decide(tmp_path, steps("do: [{note: N}]"), known(score=1), policy, criteria=criteria)


# --- services that only tasks may name ---------------------------------------------------------------------------
SERVICES = PACK["services.yaml"].rstrip() + "\n        ward: {label: Ward, task_only: true}\n"
TO_WARD = "[{refer: {service: ward, priority: routine}}]"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"criteria": rule("{score: known}", then=TO_WARD)}, "a.yaml:6:"),
        ({"criteria": rule("{score: known}", more="window: in_window\noutside: {service: ward}")}, "a.yaml:8:"),
        ({"steps": steps("do: [{move_to: ward}]")}, "second_stage.yaml:4:"),
        ({"steps": steps("do: [{also_refer: ward}]")}, "second_stage.yaml:4:"),
        ({"home": home("fallbacks: {team: ward}")}, "home.yaml:4:"),
        ({"home": home("destinations: {moderate: ward}")}, "home.yaml:4:"),
        ({"home": home("hours: {team: {open: [{days: [mon], all_day: true}], closed: ward}}")}, "home.yaml:4:"),
    ],
)
def test_no_referral_comes_to_a_service_that_only_tasks_may_name(tmp_path: Path, files: dict[str, str], place: str):
    with pytest.raises(ContentError, match=rf"{place}\d+: no referral is made to ward .*\[RC027\]"):
        tiny(tmp_path, **{"services": SERVICES, **files})


def test_a_task_may_name_it_and_a_provider_may_offer_it(tmp_path: Path):
    task = "[{task: {code: consider-mother-and-baby-unit, priority: stat}}]"
    second = steps("do: [{task: {code: consider-mother-and-baby-unit, service: ward}}]")
    criteria = ROUTINE + rule("{item: known}", "r2", task)
    pack = tiny(tmp_path, services=SERVICES, criteria=criteria, steps=second, home=home("offers: [team, ward, gp]"))
    decision = pack.evaluate(known(score=1, item=1), AS_OF)
    pack.close()
    assert {task.service for task in decision.tasks} == {"", "ward"}
    assert services(decision) == {"team": "routine"}


def test_the_shipped_pack_never_refers_to_a_mother_and_baby_unit(tmp_path: Path):
    folder = shutil.copytree(LIBRARY, tmp_path / "pack")
    policy = "provider: mine\ntitle: Mine\nfallbacks: {crisis-team: mother-and-baby-unit}\n"
    (folder / "providers" / "mine.yaml").write_text(policy, encoding="utf-8")
    with pytest.raises(ContentError, match=r"mine.yaml:3:13: no referral is made to mother-and-baby-unit"):
        load_pack(folder, "mine")
