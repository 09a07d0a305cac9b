"""What a rule turned on, in packs small enough to be sure of by reading."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rules import Availability, Fact, Pack, State, Status
from rules.whatif import Goal, Turning, WhatIf
from tests.unit.rules.tiny import AS_OF, known, rule, tiny, unknown


def turned(pack: Pack, facts: dict[str, Fact], name: str = "r1", as_of: date = AS_OF) -> tuple[Turning, ...]:
    return WhatIf(pack).turned_on(pack.evaluate(facts, as_of), name)


def only(pack: Pack, facts: dict[str, Fact]) -> Turning:
    (turning,) = turned(pack, facts)
    return turning


def values(turning: Turning) -> list[dict[str, object]]:
    """Of each change: the facts and the values they would have (None: not on record)."""
    return [{setting.fact: setting.now.value for setting in change.settings} for change in turning.changes]


def ends(turning: Turning) -> tuple[object, object]:
    setting = turning.changes[0].settings[0]
    return setting.low, setting.high


def day(setting_value: object) -> date:
    low, high = setting_value  # type: ignore[misc]
    assert low == high
    return low  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("test", "score", "goal", "now", "low", "high"),
    [
        ("gte: 13", 12, Goal.FIRE, 13, 13, 30),
        ("gte: 13", 13, Goal.STOP, 12, 0, 12),
        ("gt: 13", 13, Goal.FIRE, 14, 14, 30),
        ("lte: 3", 9, Goal.FIRE, 3, 0, 3),
        ("lt: 3", 0, Goal.STOP, 3, 3, 30),
        ("eq: 5", 9, Goal.FIRE, 5, 5, 5),
        ("gte: 10, lt: 13", 20, Goal.FIRE, 12, 10, 12),
        ("gte: 10, lt: 13", 3, Goal.FIRE, 10, 10, 12),
        ("in: [2, 3, 9]", 5, Goal.FIRE, 3, 2, 3),
    ],
)
def test_a_score_moves_to_the_nearest_value(
    tmp_path: Path, test: str, score: int, goal: Goal, now: int, low: int, high: int
):
    turning = only(tiny(tmp_path, criteria=rule(f"{{score: {{{test}}}}}")), known(score=score))
    assert (turning.goal, values(turning)[0], *ends(turning)) == (goal, {"score": now}, low, high)


def test_both_ways_out_of_a_band_are_given_the_nearer_first(tmp_path: Path):
    turning = only(tiny(tmp_path, criteria=rule("{score: {gte: 10, lt: 13}}")), known(score=12))
    assert values(turning) == [{"score": 13}, {"score": 9}]


def test_a_number_that_is_not_whole_says_where_its_span_is_open(tmp_path: Path):
    turning = only(tiny(tmp_path, criteria=rule("{weight: {gt: 54}}")), known(weight=50.5))
    (setting,) = turning.changes[0].settings
    assert (setting.low, setting.low_open, setting.high) == (54, True, None)
    assert setting.now.value == pytest.approx(54.01)


def test_a_band_between_two_thresholds_of_a_number_has_two_open_ends(tmp_path: Path):
    turning = only(tiny(tmp_path, criteria=rule("{weight: {gt: 54, lt: 54.01}}")), known(weight=50.5))
    (setting,) = turning.changes[0].settings
    assert 54 < setting.now.value < 54.01  # type: ignore[operator]
    assert (setting.low, setting.high, setting.low_open, setting.high_open) == (54, 54.01, True, True)


@pytest.mark.parametrize(
    ("as_of", "last_inside"),
    [
        (date(2026, 3, 2), date(2025, 3, 2)),
        (date(2025, 2, 28), date(2024, 2, 28)),
        (date(2025, 3, 1), date(2024, 3, 1)),
        (date(2028, 2, 29), date(2027, 3, 1)),
    ],
)
def test_a_date_moves_to_the_edge_of_its_window(tmp_path: Path, as_of: date, last_inside: date):
    pack = tiny(tmp_path, criteria=rule("{ended_on: {within_months: 12}}"))
    (turning,) = turned(pack, known(ended_on=date(2020, 1, 1)), as_of=as_of)
    assert day(values(turning)[0]["ended_on"]) == last_inside
    assert ends(turning) == (last_inside.toordinal(), as_of.toordinal())


def test_no_date_after_the_day_itself_is_tried(tmp_path: Path):
    turning = only(tiny(tmp_path, criteria=rule("{ended_on: {days_ago: {lt: 0}}}")), known(ended_on=AS_OF))
    assert turning.changes == ()


def test_two_dates_move_against_each_other(tmp_path: Path):
    condition = "{all: [{ended_on: {days_after: {fact: started_on, gte: 14}}}, {started_on: {days_ago: {lte: 10}}}]}"
    given = known(ended_on=AS_OF, started_on=date(2026, 3, 1))
    assert only(tiny(tmp_path, criteria=rule(condition)), given).changes == ()
    condition = condition.replace("gte: 14", "gte: 8")
    turning = only(tiny(tmp_path / "b", criteria=rule(condition)), given)
    assert day(values(turning)[0]["started_on"]) == date(2026, 2, 22)


def test_when_it_was_recorded_can_move_alone(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{score: {recorded_days_ago: {lte: 14}}}"))
    facts = {"score": Fact("score", State.KNOWN, 5, date(2026, 1, 1))}
    (setting,) = only(pack, facts).changes[0].settings
    assert (setting.now.value, setting.now.on) == (5, date(2026, 2, 16))


def test_a_value_that_is_too_old_would_do_if_it_still_counted(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{score: {gte: 10}}"))
    facts = {"score": Fact("score", State.ABSENT, older=17, older_on=date(2026, 1, 1))}
    (turning,) = turned(pack, facts)
    assert turning.goal is Goal.FIRE
    assert (turning.changes[0].settings[0].now.value, turning.changes[0].settings[0].now.on) == (17, date(2026, 1, 1))


def test_fewest_facts_first_and_facts_that_only_move_before_others(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{any: [{item: {gte: 1}}, {score: {gte: 13}}, {all: [{ill: present}]}]}"))
    turning = only(pack, {**known(score=9, item=0), **known(ill=False)})
    assert values(turning) == [{"item": 1}, {"score": 13}, {"ill": True}]


def test_of_many_only_the_first_are_given_and_the_others_counted(tmp_path: Path):
    each = "{any: [{item: {gte: 1}}, {score: {gte: 13}}, {ill: present}, {pregnant: present}, {word: known}]}"
    turning = only(tiny(tmp_path, criteria=rule(each)), known(ill=False, pregnant=False))
    assert len(turning.changes) == 3
    assert turning.more == 2


def test_three_facts_together_and_none_of_more(tmp_path: Path):
    three = "{all: [{ill: present}, {score: {gte: 13}}, {item: {gte: 1}}]}"
    given = known(ill=False, score=0, item=0, pregnant=False)
    assert values(only(tiny(tmp_path, criteria=rule(three)), given)) == [{"ill": True, "score": 13, "item": 1}]
    four = three.replace("]}", ", {pregnant: present}]}")
    turning = only(tiny(tmp_path / "b", criteria=rule(four)), given)
    assert (turning.changes, turning.most_facts) == ((), 3)


def test_the_code_that_a_condition_names_is_put_in_or_taken_out(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule('{open_services: {contains: "team"}}'))
    fire = only(pack, known(open_services=frozenset({"camhs"})))
    assert values(fire) == [{"open_services": frozenset({"camhs", "team"})}]
    stop = turned(pack, known(open_services=frozenset({"camhs", "team"})))[-1]
    assert values(stop)[0] == {"open_services": frozenset({"camhs"})}


def test_an_undecided_rule_says_what_would_fire_it_and_what_would_settle_it(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{all: [{score: {gte: 13}}, {in_window: present}]}"))
    fire, settle = turned(pack, {**known(score=15), **unknown("pregnant")})
    assert (fire.goal, values(fire)[0]) == (Goal.FIRE, {"pregnant": True})
    assert (settle.goal, values(settle)) == (Goal.SETTLE, [{"pregnant": False}])


def test_an_undecided_rule_asks_for_nothing_that_is_known(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{all: [{score: {gte: 13}}, {ill: present}, {pregnant: present}]}"))
    fire, settle = turned(pack, {**known(score=15), **unknown("ill", "pregnant")})
    assert values(fire) == [{"ill": True, "pregnant": True}]
    assert values(settle) == [{"ill": False}, {"pregnant": False}]


def test_other_rules_that_would_be_met_or_no_longer_be_met_are_named(tmp_path: Path):
    two = rule("{score: {gte: 10, lt: 13}}", "mild") + rule("{score: {gte: 13}}", "more")
    pack = tiny(tmp_path, criteria=two)
    (turning,) = turned(pack, known(score=12), "more")
    assert (turning.changes[0].fires, turning.changes[0].stops) == ((), ("mild",))
    (turning,) = turned(pack, known(score=12), "mild")
    assert [change.fires for change in turning.changes] == [("more",), ()]


def test_a_rule_outside_its_window_turned_on_the_window(tmp_path: Path):
    criteria = rule("{ill: present}", more="window: in_window\noutside: {service: adult-team}\n")
    pack = tiny(tmp_path, criteria=criteria)
    facts = {**known(ill=True, pregnant=False, ended_on=date(2024, 1, 1))}
    assert pack.evaluate(facts, AS_OF).outcome("r1").status is Status.SUPPRESSED
    turning = only(pack, facts)
    assert turning.goal is Goal.FIRE
    assert day(values(turning)[0]["ended_on"]) == date(2025, 3, 2)


def test_a_rule_that_is_not_in_force_turned_on_nothing(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{ill: present}", more="valid: {to: 2020-01-01}\n"))
    assert turned(pack, known(ill=True)) == ()


STEPS = """
    - id: open
      title: Already open
      sources: [{document: A document}]
      open: true
      do: [{hold: true}]
    - id: young
      title: Under 16
      sources: [{document: A document}]
      when: {age_years: {lt: 16}}
      do: [{move_to: camhs}]
"""


def test_what_was_held_says_by_what_and_without_what_it_would_go(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{ill: present}"), steps=STEPS)
    go, stop = turned(pack, known(ill=True, age_years=30, open_services=frozenset({"team", "gp"})))
    assert (go.goal, go.steps, go.services) == (Goal.GO, ("open",), ("team",))
    assert values(go) == [{"open_services": frozenset({"gp"})}]
    assert go.changes[0].status is Status.FIRED
    assert values(stop) == [{"ill": False}]


def test_what_was_moved_says_so_although_it_fired(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{ill: present}"), steps=STEPS)
    go, _ = turned(pack, known(ill=True, age_years=15))
    assert (go.steps, values(go), ends(go)) == (("young",), [{"age_years": 16}], (16, None))


def test_two_steps_in_the_way_need_two_facts(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{ill: present}"), steps=STEPS)
    go, _ = turned(pack, known(ill=True, age_years=15, open_services=frozenset({"team"})))
    assert go.steps == ("open",)
    assert values(go) == [{"open_services": frozenset(), "age_years": 16}]


def test_a_service_that_is_not_offered_was_held_by_no_step(tmp_path: Path):
    home = "provider: home\ntitle: Home\noffers: [adult-team, gp]\n"
    pack = tiny(tmp_path, criteria=rule("{ill: present}"), steps=STEPS, home=home)
    facts = known(ill=True, age_years=30)
    assert [each.service for each in pack.evaluate(facts, AS_OF).referrals] == ["adult-team"]
    assert [turning.goal for turning in turned(pack, facts)] == [Goal.STOP]


# --- where she lives -------------------------------------------------------------------------------------------------
def turned_there(pack: Pack, facts: dict[str, Fact], *uncovered: str) -> tuple[Turning, ...]:
    there = Availability(uncovered=frozenset(uncovered))
    return WhatIf(pack).turned_on(pack.evaluate(facts, AS_OF, there), "r1")


def test_a_referral_that_went_elsewhere_for_where_she_lives_says_so(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{ill: present}"), steps=STEPS)
    cover, stop = turned_there(pack, known(ill=True, age_years=30), "team")
    assert (cover.goal, cover.services, cover.steps, values(cover)) == (Goal.COVER, ("team",), (), [{}])
    assert cover.changes[0].status is Status.FIRED
    assert (stop.goal, values(stop)) == (Goal.STOP, [{"ill": False}])


def test_what_would_change_it_names_who_takes_over_where_the_service_does_not_cover_her(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{ill: present}"), steps=STEPS)
    facts = known(ill=True, age_years=30, open_services=frozenset({"adult-team"}))
    go, cover, _ = turned_there(pack, facts, "team")
    assert (go.goal, go.steps, go.services) == (Goal.GO, ("open",), ("adult-team",))
    assert values(go) == [{"open_services": frozenset()}]
    assert (cover.goal, cover.services, values(cover)) == (Goal.COVER, ("team",), [{}])


def test_where_she_lives_and_a_fact_may_be_in_the_way_together(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{ill: present}"), steps=STEPS)
    go, cover, _ = turned_there(pack, known(ill=True, age_years=15), "team", "camhs")
    assert (go.services, values(go), ends(go)) == (("adult-team",), [{"age_years": 16}], (16, None))
    assert (cover.services, values(cover)) == (("team",), [{"age_years": 16}])


def test_a_service_that_is_not_offered_needs_more_than_another_address(tmp_path: Path):
    home = "provider: home\ntitle: Home\noffers: [adult-team, gp]\n"
    pack = tiny(tmp_path, criteria=rule("{ill: present}"), steps=STEPS, home=home)
    assert [each.goal for each in turned_there(pack, known(ill=True, age_years=30), "team")] == [Goal.STOP]


def test_a_change_that_fires_is_confirmed_with_the_services_there_are(tmp_path: Path):
    """Where the perinatal team covered her it would fire; the adult team has her, and holds it back."""
    pack = tiny(tmp_path, criteria=rule("{score: {gte: 13}}"), steps=STEPS)
    facts = known(score=12, age_years=30, open_services=frozenset({"adult-team"}))
    (covered,) = turned_there(pack, facts)
    (uncovered,) = turned_there(pack, facts, "team")
    assert values(covered) == values(uncovered) == [{"score": 13}]
    assert [each.changes[0].status for each in (covered, uncovered)] == [Status.FIRED, Status.SUPPRESSED]


@pytest.mark.parametrize(
    ("uncovered", "services"), [((), ("team",)), (("team",), ("adult-team",)), (("gp",), ("team",))]
)
def test_the_services_of_a_rule_are_those_there_are_for_her(
    tmp_path: Path, uncovered: tuple[str, ...], services: tuple[str, ...]
):
    pack = tiny(tmp_path, criteria=rule("{ill: present}"))
    decision = pack.evaluate(known(ill=False), AS_OF, Availability(uncovered=frozenset(uncovered)))
    assert WhatIf(pack).services("r1", decision) == services


# --- what_if.yaml ---------------------------------------------------------------------------------------------------
def linked(folder: Path, links: str, condition: str) -> Pack:
    folder.mkdir(exist_ok=True)
    (folder / "what_if.yaml").write_text(links, encoding="utf-8")
    return tiny(folder, criteria=rule(condition))


def test_a_lasting_fact_comes_last_however_small_its_step(tmp_path: Path):
    pack = linked(tmp_path, "lasting: [age_years]", "{any: [{age_years: {gte: 16}}, {score: {gte: 13}}]}")
    assert values(only(pack, known(age_years=15, score=0))) == [{"score": 13}, {"age_years": 16}]


def test_what_can_never_be_is_not_proposed(tmp_path: Path):
    condition = "{item: {gte: 1}}"
    links = "never: [{all: [{score: 0}, {item: {gt: 0}}]}]"
    assert values(only(linked(tmp_path, links, condition), known(score=0, item=0))) == [{"score": 1, "item": 1}]
    assert values(only(linked(tmp_path / "b", links, condition), known(score=4, item=0))) == [{"item": 1}]


def test_a_record_that_contradicts_itself_already_is_no_obstacle(tmp_path: Path):
    links = "never: [{all: [{score: 0}, {item: {gt: 0}}]}]"
    pack = linked(tmp_path, links, "{item: {gte: 2}}")
    assert values(only(pack, known(score=0, item=1))) == [{"item": 2}]


def test_a_fact_that_follows_is_no_change_of_its_own(tmp_path: Path):
    links = "follows: [{fact: pregnant, is: false, then: {gestation: absent}}]"
    pack = linked(tmp_path, links, "{any: [{pregnant: present}, {gestation: {gte: 0}}]}")
    (change,) = only(pack, known(pregnant=True, gestation=100)).changes
    assert [setting.fact for setting in change.settings] == ["pregnant"]
    assert [(each.fact, each.now.state) for each in change.follows] == [("gestation", State.ABSENT)]


def test_a_date_that_is_the_same_moves_along_and_another_does_not(tmp_path: Path):
    links = "follows: [{fact: ended_on, then: {started_on: same}}]"
    pack = linked(tmp_path, links, "{all: [{ended_on: {days_ago: {lte: 5}}}, {started_on: {days_ago: {lte: 5}}}]}")
    same = known(ended_on=date(2026, 1, 1), started_on=date(2026, 1, 1))
    assert list(values(only(pack, same))[0]) == ["ended_on"]
    other = known(ended_on=date(2026, 1, 1), started_on=date(2026, 1, 2))
    assert sorted(values(only(pack, other))[0]) == ["ended_on", "started_on"]
