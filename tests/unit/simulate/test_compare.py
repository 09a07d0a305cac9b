"""What counts as lost, later, elsewhere, sooner and new, and when a safety rule raises the alarm; decisions made by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from adapter.simulate.compare import Compared, Judged, Kind, compare
from rules import Decision, Fact, ProposedFlag, ProposedReferral, ProposedTask, RuleOutcome, State, Status, Trace

AS_OF = date(2026, 3, 2)
SAFETY, OTHER_SAFETY, PLAIN = "r03-safety", "r04-safety", "r10-plain"


def outcome(
    rule: str, status: Status = Status.FIRED, trace: Trace | None = None, by: tuple[str, ...] = ()
) -> RuleOutcome:
    found = trace or Trace(status is Status.FIRED, "compare", f"{rule} holds")
    return RuleOutcome(rule, rule, "safety" in rule, status, found, (), by)


def referral(service: str, priority: str, *rules: str, days: int = 0, as_of: date = AS_OF) -> ProposedReferral:
    return ProposedReferral(service, priority, as_of, as_of + timedelta(days), rules, (), ())


def decision(
    *referrals: ProposedReferral,
    statuses: dict[str, Status] | None = None,
    as_of: date = AS_OF,
    tasks: tuple[ProposedTask, ...] = (),
    flags: tuple[ProposedFlag, ...] = (),
) -> Decision:
    """A decision in which these rules have these statuses, and those of a referral fired."""
    given = dict.fromkeys((SAFETY, OTHER_SAFETY, PLAIN), Status.NOT_FIRED)
    given |= dict.fromkeys((rule for each in referrals for rule in each.rules), Status.FIRED) | (statuses or {})
    outcomes = tuple(outcome(rule, status) for rule, status in given.items())
    return Decision("p", "1", "home", as_of, outcomes, referrals, tasks, flags, ())


def compared(a: Decision | None, b: Decision | None) -> Compared:
    return compare(Judged(a, "" if a else "it broke"), Judged(b, "" if b else "it broke"))


def kinds(found: Compared) -> list[tuple[Kind, bool]]:
    return [(change.kind, change.alarm) for change in found.referrals]


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [
        (referral("gp", "routine", PLAIN, days=14), None, Kind.LOST),
        (None, referral("gp", "routine", PLAIN, days=14), Kind.NEW),
        (referral("gp", "routine", PLAIN, days=14), referral("gp", "urgent", PLAIN, days=14), Kind.SOONER),
        (referral("gp", "routine", PLAIN, days=14), referral("gp", "routine", PLAIN, days=13), Kind.SOONER),
        (referral("gp", "urgent", PLAIN, days=2), referral("gp", "routine", PLAIN, days=2), Kind.LATER),
        (referral("gp", "urgent", PLAIN, days=2), referral("gp", "urgent", PLAIN, days=3), Kind.LATER),
        (referral("gp", "urgent", PLAIN, days=2), referral("team", "urgent", PLAIN, days=2), Kind.ELSEWHERE),
    ],
)  # fmt: skip
def test_what_becomes_of_a_referral(a: ProposedReferral | None, b: ProposedReferral | None, kind: Kind) -> None:
    found = compared(decision(*filter(None, [a])), decision(*filter(None, [b])))
    assert kinds(found) == [(kind, False)]


def test_the_same_time_counted_from_another_day_is_no_difference() -> None:
    later = AS_OF + timedelta(30)
    found = compared(
        decision(referral("gp", "routine", PLAIN, days=14)),
        decision(referral("gp", "routine", PLAIN, days=14, as_of=later), as_of=later),
    )
    assert not found.changed


def test_a_higher_priority_is_sooner_whatever_its_end() -> None:
    a, b = referral("gp", "routine", PLAIN, days=1), referral("gp", "urgent", PLAIN, days=3)
    assert kinds(compared(decision(a), decision(b))) == [(Kind.SOONER, False)]


def test_another_service_for_another_rule_is_lost_and_new() -> None:
    found = compared(decision(referral("gp", "routine", PLAIN)), decision(referral("team", "routine", "r11-plain")))
    assert kinds(found) == [(Kind.LOST, False), (Kind.NEW, False)]


def test_a_safety_referral_is_not_elsewhere_where_only_another_of_its_rules_is() -> None:
    """She was referred for both rules; that the lesser one goes elsewhere must not hide that the other is gone."""
    found = compared(decision(referral("crisis", "asap", SAFETY, PLAIN)), decision(referral("gp", "routine", PLAIN)))
    assert kinds(found) == [(Kind.LOST, True), (Kind.NEW, False)]
    assert found.alarm
    assert found.referrals[0].safety == (SAFETY,)


def test_a_safety_referral_at_another_service_at_the_same_priority_is_no_alarm() -> None:
    found = compared(decision(referral("crisis", "asap", SAFETY)), decision(referral("gp", "asap", SAFETY)))
    assert kinds(found) == [(Kind.ELSEWHERE, False)]
    assert not found.alarm


def test_a_safety_referral_at_another_service_at_a_lower_priority_is_an_alarm() -> None:
    found = compared(decision(referral("crisis", "asap", SAFETY)), decision(referral("gp", "routine", SAFETY)))
    assert kinds(found) == [(Kind.ELSEWHERE, True)]
    assert found.alarm


def test_a_safety_rule_that_loses_its_part_of_a_referral_that_stays_is_an_alarm() -> None:
    a = decision(referral("crisis", "asap", SAFETY, OTHER_SAFETY))
    b = decision(referral("crisis", "asap", OTHER_SAFETY))
    found = compared(a, b)
    assert found.referrals == ()
    assert [(each.rule, each.alarm) for each in found.rules] == [(SAFETY, True)]
    assert found.alarm


def test_a_safety_rule_that_still_fires_and_refers_to_nobody_is_an_alarm() -> None:
    a = decision(referral("crisis", "asap", SAFETY, PLAIN))
    b = decision(referral("crisis", "asap", PLAIN), statuses={SAFETY: Status.FIRED})
    assert compared(a, b).alarm


def test_a_safety_rule_that_is_no_longer_marked_as_one_still_counts_as_one() -> None:
    b = decision()
    rest = tuple(each for each in b.outcomes if each.rule != SAFETY)
    unmarked = RuleOutcome(SAFETY, SAFETY, False, Status.NOT_FIRED, Trace(False, "compare", "x"))
    found = compared(
        decision(referral("crisis", "asap", SAFETY)),
        Decision("p", "1", "home", AS_OF, (*rest, unmarked), (), (), (), ()),
    )
    assert found.alarm


def test_a_rule_that_one_side_does_not_have() -> None:
    a = decision(referral("gp", "routine", PLAIN))
    b = Decision("p", "1", "home", AS_OF, tuple(each for each in a.outcomes if each.rule != PLAIN), (), (), (), ())
    found = compared(a, b)
    assert [(each.rule, each.a, each.b) for each in found.rules] == [(PLAIN, "fired", "not in the pack")]
    (reason,) = found.reasons
    assert (reason.a, reason.b) == ((f"{PLAIN} holds: met.",), ())


def test_tasks_and_flags() -> None:
    def task(code: str, priority: str) -> ProposedTask:
        return ProposedTask(code, priority, (PLAIN,))

    flag = ProposedFlag("watch", (PLAIN,), AS_OF)
    found = compared(
        decision(tasks=(task("gone", "routine"), task("late", "asap"), task("same", "routine")), flags=(flag,)),
        decision(tasks=(task("came", "routine"), task("late", "routine"), task("same", "routine"))),
    )
    assert [(each.kind, each.change.value, each.code, each.a, each.b) for each in found.items] == [
        ("task", "new", "came", "", "routine"),
        ("task", "lost", "gone", "routine", ""),
        ("task", "later", "late", "asap", "routine"),
        ("flag", "lost", "watch", "", ""),
    ]
    assert found.changed
    assert not found.alarm


def test_a_task_of_a_safety_rule_that_fires_instead_is_no_alarm() -> None:
    task = ProposedTask("ask", "asap", (SAFETY,))
    unknown = decision(tasks=(task,), statuses={SAFETY: Status.UNKNOWN})
    assert not compared(unknown, decision(referral("crisis", "asap", SAFETY))).alarm
    assert compared(unknown, decision()).alarm


def test_a_held_rule_says_what_held_it() -> None:
    held = (outcome(PLAIN, Status.SUPPRESSED, Trace(True, "compare", "it holds"), ("already-open",)),)
    a = (outcome(PLAIN, Status.FIRED, Trace(True, "compare", "it holds")),)
    found = compared(
        Decision("p", "1", "home", AS_OF, a, (referral("gp", "routine", PLAIN),), (), (), ()),
        Decision("p", "1", "home", AS_OF, held, (), (), (), ()),
    )
    (reason,) = found.reasons
    assert (reason.a, reason.b) == ((), ("Suppressed by: already-open.",))


def test_conditions_are_told_where_their_truth_differs_or_they_stand_on_one_side() -> None:
    def leaf(text: str, truth: bool, name: str, value: int, parameter: str = "") -> Trace:
        return Trace(truth, "compare", text, Fact(name, State.KNOWN, value), parameter)

    same = leaf("weight is above 1", True, "weight", 5)
    a = Trace(True, "all", "all of", children=(leaf("score is at least 10", True, "score", 10, "cut"), same))
    b = Trace(
        False,
        "all",
        "all of",
        children=(
            leaf("score is at least 11", False, "score", 10, "cut"),
            same,
            leaf("age is below 18", False, "age", 30),
        ),
    )
    found = compared(
        Decision("p", "1", "home", AS_OF, (outcome(PLAIN, Status.FIRED, a),), (), (), (), ()),
        Decision("p", "1", "home", AS_OF, (outcome(PLAIN, Status.NOT_FIRED, b),), (), (), (), ()),
    )
    (reason,) = found.reasons
    assert reason.a == ("score is at least 10: met; the record says 10; threshold from parameter cut.",)
    assert reason.b == (
        "score is at least 11: not met; the record says 10; threshold from parameter cut.",
        "age is below 18: not met; the record says 30.",
    )


def test_a_side_that_fails_is_a_change_and_an_alarm_where_a_safety_rule_referred() -> None:
    good = decision(referral("crisis", "asap", SAFETY))
    lost = compared(good, None)
    assert (lost.changed, lost.failed, lost.alarm, lost.failed_b) == (True, True, True, "it broke")
    assert lost.a == (("crisis", "asap"),)
    found = compared(None, good)
    assert (found.changed, found.failed, found.alarm) == (True, True, False)
    both = compared(None, None)
    assert (both.changed, both.failed, both.alarm) == (False, True, False)
