"""Statuses, asks, timeframes and merging."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rules import ContentError, DateSpan, Fact, State, Status, load_pack, why
from tests.unit.rules.tiny import AS_OF, known, rule, tiny, unknown, write


def test_a_fired_rule_refers_with_its_facts_reasons_and_timeframe(tmp_path: Path):
    decision = tiny(tmp_path).evaluate(known(score=20), AS_OF)
    (referral,) = decision.referrals
    assert (referral.service, referral.priority, referral.rules) == ("team", "routine", ("r1",))
    assert (referral.start, referral.end) == (AS_OF, date(2026, 3, 16))
    assert referral.reasons == ("high-score",)
    assert [fact.name for fact in referral.facts] == ["score"]
    assert decision.outcome("r1").facts == referral.facts
    assert (decision.pack, decision.version, decision.provider, decision.as_of) == ("tiny", "1.2.3", "home", AS_OF)


def test_working_days_skip_weekends_and_bank_holidays(tmp_path: Path):
    criteria = rule("{score: known}", then="[{refer: {service: team, priority: urgent}}]")
    pack = tiny(tmp_path, criteria=criteria)
    (referral,) = pack.evaluate(known(score=1), AS_OF).referrals  # Monday; Tuesday is a bank holiday
    assert referral.end == date(2026, 3, 5)
    (referral,) = pack.evaluate(known(score=1), date(2026, 3, 6)).referrals  # Friday
    assert referral.end == date(2026, 3, 10)


def test_a_referral_can_wait_after_a_date_and_never_starts_in_the_past(tmp_path: Path):
    then = "[{refer: {service: team, priority: routine, start: {fact: ended_on, plus_days: parameters.wait-days}}}]"
    pack = tiny(tmp_path, criteria=rule("{score: known}", then=then))
    starts = {
        date(2026, 2, 20): date(2026, 3, 20),
        date(2026, 1, 1): AS_OF,
        date(9999, 12, 31): AS_OF,
        None: AS_OF,
    }
    for ended_on, start in starts.items():
        facts = known(score=1) | (known(ended_on=ended_on) if ended_on else {})
        (referral,) = pack.evaluate(facts, AS_OF).referrals
        assert referral.start == start
        assert (referral.end - referral.start).days == 14


def test_a_task_names_the_known_facts_that_it_is_asked_for_and_asks_for_no_known_one(tmp_path: Path):
    ask = "ask: [{when: {all: [{score: {gte: 5}}, {unless: {ill: present}}]}, task: complete-item, for: [score, item]}]"
    criteria = rule("{score: {gte: 13}}", more=ask)
    (task,) = tiny(tmp_path, criteria=criteria).evaluate(known(score=9, ill=False), AS_OF).tasks
    assert task.because == (Fact("score", State.KNOWN, 9), Fact("ill", State.KNOWN, False))
    assert task.facts == ("item",)


def test_what_is_known_is_not_asked_for_although_the_task_does_not_rest_on_it(tmp_path: Path):
    ask = "ask: [{when: {all: [{score: {gte: 5}}, {unless: {in_window: present}}]}, task: complete-item, for: [pregnant]}]"
    criteria = rule("{score: {gte: 13}}", more=ask)
    facts = {**known(score=9, pregnant=False), **unknown("ended_on")}
    (task,) = tiny(tmp_path, criteria=criteria).evaluate(facts, AS_OF).tasks
    assert task.because == (Fact("score", State.KNOWN, 9),)
    assert task.facts == ()


def test_a_task_of_two_rules_names_the_facts_of_both_each_once(tmp_path: Path):
    then = "[{task: {code: complete-item}}]"
    criteria = rule("{score: {gte: 13}}", "r1", then=then) + rule(
        "{all: [{score: known}, {ill: present}]}", "r2", then=then
    )
    (task,) = tiny(tmp_path, criteria=criteria).evaluate(known(score=13, ill=True), AS_OF).tasks
    assert task.rules == ("r1", "r2")
    assert [fact.name for fact in task.because] == ["score", "ill"]


def test_what_an_undecided_rule_asks_for_is_asked_because_of_what_speaks_for_it(tmp_path: Path):
    criteria = rule("{all: [{score: {gte: 5}}, {ill: present}]}")
    (task,) = tiny(tmp_path, criteria=criteria).evaluate({**known(score=9), **unknown("ill")}, AS_OF).tasks
    assert (task.code, task.facts) == ("confirm-diagnosis", ("ill",))
    assert task.because == (Fact("score", State.KNOWN, 9),)


def test_an_unknown_rule_asks_for_what_would_decide_it(tmp_path: Path):
    criteria = rule("{all: [{ill: present}, {any: [{in_window: present}, {score: {gte: 5}}]}]}")
    decision = tiny(tmp_path, criteria=criteria).evaluate(unknown("ill", "pregnant", "score"), AS_OF)
    outcome = decision.outcome("r1")
    assert outcome.status is Status.UNKNOWN
    assert outcome.missing == ("ill", "pregnant", "score")
    assert [(task.code, task.priority, task.facts) for task in decision.tasks] == [
        ("confirm-diagnosis", "routine", ("ill",)),
        ("confirm-pregnancy-status", "routine", ("pregnant",)),
        ("complete-score", "routine", ("score",)),
    ]
    assert decision.tasks[2].text == "Do the form"


def test_what_is_decided_otherwise_is_not_asked_for(tmp_path: Path):
    criteria = rule("{all: [{ill: present}, {score: {gte: 5}}]}")
    decision = tiny(tmp_path, criteria=criteria).evaluate({**unknown("ill"), **known(score=1)}, AS_OF)
    assert decision.outcome("r1").missing == ()
    assert decision.tasks == ()


def test_tasks_of_several_rules_merge_and_safety_asks_sooner(tmp_path: Path):
    criteria = rule("{ill: present}", "r1") + rule("{ill: present}", "r2", more="safety: true")
    decision = tiny(tmp_path, criteria=criteria).evaluate(unknown("ill"), AS_OF)
    (task,) = decision.tasks
    assert (task.code, task.priority, task.rules, task.facts) == ("confirm-diagnosis", "asap", ("r1", "r2"), ("ill",))


def test_a_fact_can_say_for_itself_what_asks_for_it(tmp_path: Path):
    facts = {"ill": Fact("ill", State.UNKNOWN, ask="confirm-identity")}
    decision = tiny(tmp_path, criteria=rule("{ill: present}")).evaluate(facts, AS_OF)
    assert [task.code for task in decision.tasks] == ["confirm-identity"]


def test_an_undecided_safety_rule_that_nothing_asks_for_is_said_aloud(tmp_path: Path):
    criteria = rule("{started_on: {days_ago: {gte: 1}}}", more="safety: true")
    decision = tiny(tmp_path, criteria=criteria).evaluate({}, AS_OF)
    (issue,) = decision.issues
    assert (issue.code, issue.severity, issue.rules) == ("data-not-supplied", "warning", ("r1",))


def test_an_older_value_gives_out_of_date_and_no_referral(tmp_path: Path):
    facts = {"score": Fact("score", State.ABSENT, older=20, older_on=date(2025, 12, 1))}
    decision = tiny(tmp_path).evaluate(facts, AS_OF)
    outcome = decision.outcome("r1")
    assert (outcome.status, outcome.missing, decision.referrals) == (Status.OUT_OF_DATE, ("score",), ())
    assert "too old to count" in " ".join(why(outcome))


def test_an_older_value_beside_a_current_one_changes_nothing(tmp_path: Path):
    facts = {"score": Fact("score", State.KNOWN, 1, older=20)}
    assert tiny(tmp_path).evaluate(facts, AS_OF).outcome("r1").status is Status.NOT_FIRED


def test_a_rule_does_nothing_out_of_its_dates(tmp_path: Path):
    criteria = rule("{score: known}", more="valid: {from: 2026-03-02, to: 2026-03-03}")
    pack = tiny(tmp_path, criteria=criteria)
    statuses = {day: pack.evaluate(known(score=1), date(2026, 3, day)).outcome("r1").status for day in (1, 2, 3, 4)}
    assert [day for day, status in statuses.items() if status is Status.FIRED] == [2, 3]
    assert statuses[1] is statuses[4] is Status.OUT_OF_DATE
    assert why(pack.evaluate({}, date(2026, 3, 4)).outcome("r1"))[-1] == "The rule is not valid on this day."


OUTSIDE = "window: in_window\noutside: {service: adult-team}"


def test_outside_its_window_a_rule_goes_to_the_lighter_service(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{score: {gte: 5}}", more=OUTSIDE))
    facts = known(score=9, pregnant=False, ended_on=date(2020, 1, 1))
    decision = pack.evaluate(facts, AS_OF)
    outcome = decision.outcome("r1")
    assert (outcome.status, outcome.suppressed_by) == (Status.SUPPRESSED, ("outside-window",))
    (referral,) = decision.referrals
    assert (referral.service, referral.priority, referral.end) == ("adult-team", "routine", date(2026, 3, 16))
    assert [issue.code for issue in decision.issues] == ["outside-window"]
    assert pack.evaluate(known(score=9, pregnant=False), AS_OF).outcome("r1").status is Status.NOT_FIRED
    assert pack.evaluate(known(score=1, pregnant=False), AS_OF).referrals == ()
    assert pack.evaluate({**facts, **unknown("pregnant")}, AS_OF).outcome("r1").status is Status.UNKNOWN


@pytest.mark.parametrize(("safety", "priority"), [("false", "urgent"), ("true", "asap")])
def test_outside_the_window_only_safety_rules_keep_asap(tmp_path: Path, safety: str, priority: str):
    criteria = rule(
        "{score: known}", then="[{refer: {service: team, priority: asap}}]", more=f"{OUTSIDE}\nsafety: {safety}"
    )
    decision = tiny(tmp_path, criteria=criteria).evaluate(
        known(score=1, pregnant=False, ended_on=date(2020, 1, 1)), AS_OF
    )
    assert decision.referrals[0].priority == priority


def test_branches_apply_where_their_own_condition_is_met(tmp_path: Path):
    acts = (
        "{when: {item: {gte: 2}}, refer: {service: crisis, priority: asap, reason: a}}",
        "{when: {unless: {item: {gte: 2}}}, refer: {service: gp, priority: asap, reason: b}}",
        "{flag: {code: postpartum-watch}}",
        "{task: {code: review-medicine, priority: urgent, text: Review, for: [item]}}",
        "{issue: {code: data-conflict, severity: warning, text: Look}}",
    )
    then = f"[{', '.join(acts)}]"
    pack = tiny(tmp_path, criteria=rule("{score: known}", then=then))
    assert {r.service for r in pack.evaluate(known(score=1, item=2), AS_OF).referrals} == {"crisis"}
    decision = pack.evaluate(known(score=1, item=1), AS_OF)
    assert {r.service for r in decision.referrals} == {"gp"}
    assert [(flag.code, flag.start) for flag in decision.flags] == [("postpartum-watch", AS_OF)]
    assert [(task.code, task.priority, task.facts) for task in decision.tasks] == [
        ("review-medicine", "urgent", ("item",))
    ]
    assert [issue.code for issue in decision.issues] == ["data-conflict"]


def test_an_undecided_branch_of_a_fired_rule_is_asked_for(tmp_path: Path):
    then = "[{when: {item: {gte: 2}}, refer: {service: crisis, priority: asap}}]"
    decision = tiny(tmp_path, criteria=rule("{score: known}", then=then)).evaluate(
        {**known(score=1), **unknown("item")}, AS_OF
    )
    assert decision.outcome("r1").status is Status.FIRED
    assert [task.code for task in decision.tasks] == ["complete-item"]


def test_asks_are_made_whatever_the_rules_say(tmp_path: Path):
    more = "ask: [{when: {item: missing}, task: complete-item, priority: asap, for: [item]}]"
    asks = "- {id: a1, title: A, when: {pregnant: missing}, task: confirm-pregnancy-status, sources: [{document: d}]}"
    decision = tiny(tmp_path, criteria=rule("{score: {gte: 5}}", more=more), asks=asks).evaluate({}, AS_OF)
    assert [(task.code, task.priority, task.rules) for task in decision.tasks] == [
        ("complete-item", "asap", ("r1",)),
        ("confirm-pregnancy-status", "routine", ()),
    ]


def test_referrals_to_one_service_become_one_with_the_highest_priority(tmp_path: Path):
    criteria = (
        rule("{score: known}", "r2", then="[{refer: {service: team, priority: urgent, reason: b, text: B}}]")
        + rule("{score: known}", "r1", then="[{refer: {service: team, priority: routine, reason: a, text: A}}]")
        + rule("{item: known}", "r3", then="[{refer: {service: gp, priority: asap, reason: c}}]")
    )
    decision = tiny(tmp_path, criteria=criteria).evaluate(known(score=1, item=1), AS_OF)
    assert [(r.service, r.priority) for r in decision.referrals] == [("gp", "asap"), ("team", "urgent")]
    team = decision.referrals[1]
    assert (team.rules, team.reasons, team.notes) == (("r1", "r2"), ("a", "b"), ("A", "B"))
    assert team.end == date(2026, 3, 5)


def test_a_provider_out_of_its_dates_is_said_and_still_decides(tmp_path: Path):
    home = "provider: home\ntitle: H\nvalid: {from: 2027-01-01}\n"
    decision = tiny(tmp_path, home=home).evaluate(known(score=20), AS_OF)
    assert decision.referrals
    assert [issue.code for issue in decision.issues] == ["unsupported"]


def test_the_same_facts_give_the_same_decision(tmp_path: Path):
    facts = known(score=20, pregnant=True, ended_on=date(2026, 1, 1))
    first = tiny(tmp_path).evaluate(facts, AS_OF)
    assert load_pack(tmp_path).evaluate(dict(reversed(facts.items())), AS_OF) == first


def test_a_trace_names_its_thresholds_parameters_and_facts(tmp_path: Path):
    criteria = rule("{all: [{score: {gte: parameters.cut-off}}, {weight: {lt: 60.5}}]}", more="window: in_window")
    outcome = (
        tiny(tmp_path, criteria=criteria).evaluate(known(score=14, weight=50.0, pregnant=True), AS_OF).outcome("r1")
    )
    window, when = outcome.trace.children
    assert (window.kind, window.text, window.truth) == ("derived", "In the window", True)
    assert window.fact == Fact("in_window", State.KNOWN, True)
    score, weight = when.children
    assert (score.kind, score.text, score.parameter) == ("compare", "Score is at least 13", "cut-off")
    assert (score.since, weight.since) == (date(2026, 1, 1), None)
    assert weight.text == "Weight is below 60.5 kg"
    assert score.fact == Fact("score", State.KNOWN, 14)
    assert why(outcome) == [
        "In the window: met.",
        "Pregnant is present: met; the record says yes.",
        "Score is at least 13: met; the record says 14; threshold from parameter cut-off, in force from 2026-01-01.",
        "Weight is below 60.5 kg: met; the record says 50.0.",
    ]


def test_why_names_what_is_missing_and_what_decided_against(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{all: [{ill: present}, {ended_on: {days_ago: {lte: 5}}}]}"))
    assert why(pack.evaluate({}, AS_OF).outcome("r1")) == [
        "End of pregnancy: days ago is at most 5: not met; nothing in the record, which counts as not met."
    ]
    span = Fact("ended_on", State.KNOWN, DateSpan(date(2026, 2, 1), date(2026, 3, 1)))
    assert why(pack.evaluate({"ended_on": span}, AS_OF).outcome("r1")) == [
        "Ill is present: unknown; not known.",
        "End of pregnancy: days ago is at most 5: unknown; the record says between 2026-02-01 and 2026-03-01.",
    ]


def test_a_closed_pack_cannot_evaluate(tmp_path: Path):
    from rules import EngineError

    pack = tiny(tmp_path)
    pack.close()
    with pytest.raises(EngineError, match="closed"):
        pack.evaluate({}, AS_OF)


def test_a_rules_unknown_outcome_name_is_a_key_error(tmp_path: Path):
    with pytest.raises(KeyError):
        tiny(tmp_path).evaluate({}, AS_OF).outcome("r9")


def test_content_errors_carry_their_place(tmp_path: Path):
    write(tmp_path, criteria=rule("{nope: present}"))
    with pytest.raises(ContentError) as caught:
        load_pack(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/criteria/a.yaml:5:10: ")


# --- what cannot be decided is never passed over -------------------------------------------------------------------
SAID = "Rule r1: met, but a part of what it asks for cannot be decided without: Start of pregnancy"


@pytest.mark.parametrize(
    ("when", "tasks", "issues"),
    [
        ("{ill: present}", [("confirm-diagnosis", ("ill",))], []),
        ("{started_on: {within_months: 3}}", [], [("data-not-supplied", "warning", SAID, ("r1",))]),  # no task asks
    ],
)
def test_a_part_of_a_met_rule_that_cannot_be_decided_is_asked_for_or_said(
    tmp_path: Path, when: str, tasks: list[object], issues: list[object]
):
    criteria = rule("{score: known}", then=f"[{{when: {when}, refer: {{service: team, priority: routine}}}}]")
    decision = tiny(tmp_path, criteria=criteria).evaluate(known(score=20) | unknown("ill", "started_on"), AS_OF)
    assert (decision.referrals, decision.outcome("r1").status) == ((), Status.FIRED)
    assert decision.outcome("r1").missing == (("ill",) if tasks else ("started_on",))
    assert [(task.code, task.facts) for task in decision.tasks] == tasks
    assert [(issue.code, issue.severity, issue.text, issue.rules) for issue in decision.issues] == issues


def test_outside_the_window_what_cannot_be_decided_is_asked_for_and_said(tmp_path: Path):
    """The window is over for certain; that the lighter service is not asked must not look like a decision."""
    criteria = rule(
        "{all: [{score: {gte: 13}}, {ill: present}]}", more="window: in_window\noutside: {service: adult-team}"
    )
    pack = tiny(tmp_path, criteria=criteria)
    over = known(score=20, pregnant=False, ended_on=date(2020, 1, 1))
    decision = pack.evaluate(over | unknown("ill"), AS_OF)
    assert (decision.outcome("r1").status, decision.referrals) == (Status.NOT_FIRED, ())
    assert decision.outcome("r1").missing == ("ill",)
    (task,) = decision.tasks
    assert (task.code, task.facts, task.rules) == ("confirm-diagnosis", ("ill",), ("r1",))
    assert [fact.name for fact in task.because] == ["score"]
    said = "Rule r1: outside the window; whether she is referred to Adult team cannot be decided without: Ill"
    assert [(issue.code, issue.text) for issue in decision.issues] == [("data-not-supplied", said)]
    for settled in (known(ill=False), known(ill=True)):
        decision = pack.evaluate(over | settled, AS_OF)
        assert decision.tasks == ()
        assert all(issue.code == "outside-window" for issue in decision.issues)
    nobody = pack.evaluate(known(score=20, pregnant=False) | unknown("ill"), AS_OF)  # no end of a pregnancy: nobody's
    assert (nobody.tasks, nobody.issues) == ((), ())
