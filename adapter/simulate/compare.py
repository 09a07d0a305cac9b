"""What becomes of one person under two sides: referrals, rules, tasks and flags that differ, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rules import PRIORITIES, Decision, ProposedReferral, ProposedTask, RuleOutcome, Status
from rules.tools import reasons

NO_SUCH_RULE = "not in the pack"


class Kind(StrEnum):
    """What becomes of a referral from A to B, in the order in which it is told."""

    LOST = "lost"
    LATER = "later"
    ELSEWHERE = "elsewhere"
    SOONER = "sooner"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral on one side; ``days`` is the time until its end, counted from the day of the decision."""

    service: str
    priority: str
    start: date
    end: date
    days: int
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReferralChange:
    """``safety``: the safety rules behind it; ``alarm``: one of them lost its referral, or has it later."""

    kind: Kind
    a: Referral | None
    b: Referral | None
    safety: tuple[str, ...] = ()
    alarm: bool = False

    @property
    def rules(self) -> tuple[str, ...]:
        return _both(self.a.rules if self.a else (), self.b.rules if self.b else ())


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A rule whose status differs; ``alarm``: a safety rule that referred on A and does not on B."""

    rule: str
    a: str
    b: str
    safety: bool = False
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class ItemChange:
    """A task or flag that is ``new``, ``lost``, or (a task) ``sooner`` or ``later``; ``a`` and ``b``: its priority.

    ``rules`` asked for it on either side. ``alarm``: a safety rule did on A, and neither does so on B nor fires there.
    """

    kind: str  # task, flag
    change: Kind
    code: str
    service: str = ""
    a: str = ""
    b: str = ""
    rules: tuple[str, ...] = ()
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule does something else: what decided on A, on B, and what differs in the packs where that is all."""

    rule: str
    a: tuple[str, ...] = ()
    b: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What one side says of a record: a decision, or why there is none."""

    decision: Decision | None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One record under both sides. ``a`` and ``b`` are the (service, priority) of each referral.

    ``failed_a`` and ``failed_b`` say why there is no decision on a side, or "".
    """

    a: tuple[tuple[str, str], ...] = ()
    b: tuple[tuple[str, str], ...] = ()
    referrals: tuple[ReferralChange, ...] = ()
    rules: tuple[StatusChange, ...] = ()
    items: tuple[ItemChange, ...] = ()
    reasons: tuple[Reason, ...] = ()
    failed_a: str = ""
    failed_b: str = ""
    alarm: bool = False

    @property
    def failed(self) -> bool:
        return bool(self.failed_a or self.failed_b)

    @property
    def changed(self) -> bool:
        return bool(self.referrals or self.rules or self.items) or bool(self.failed_a) is not bool(self.failed_b)


def compare(a: Judged, b: Judged) -> Compared:
    """What differs from A to B for one record."""
    old, new = a.decision, b.decision
    if old is None or new is None:
        safe = _safety(old) if old else frozenset()
        return Compared(
            a=_counted(old),
            b=_counted(new),
            failed_a=a.failure,
            failed_b=b.failure,
            alarm=any(safe.intersection(referral.rules) for referral in (old.referrals if old else ())),
        )
    safety = _safety(old) | _safety(new)
    lost = _lost_safety(old, new, safety)
    referrals = tuple(_referrals(old, new, safety, lost))
    statuses = tuple(_statuses(old, new, safety, lost))
    items = (*_tasks(old, new, safety), *_flags(old, new, safety))
    named = [rule for change in referrals for rule in change.rules]
    named += [rule for item in items for rule in item.rules]
    told = _told(old, new, (*named, *(change.rule for change in statuses)))
    return Compared(
        a=_counted(old),
        b=_counted(new),
        referrals=referrals,
        rules=statuses,
        items=items,
        reasons=told,
        alarm=bool(lost) or any(each.alarm for each in referrals) or any(each.alarm for each in items),
    )


def _counted(decision: Decision | None) -> tuple[tuple[str, str], ...]:
    return tuple((each.service, each.priority) for each in decision.referrals) if decision else ()


def _safety(decision: Decision) -> frozenset[str]:
    return frozenset(outcome.rule for outcome in decision.outcomes if outcome.safety)


def _lost_safety(old: Decision, new: Decision, safety: frozenset[str]) -> frozenset[str]:
    """The safety rules that refer her on A and to nobody on B."""
    before = {rule for referral in old.referrals for rule in referral.rules}
    after = {rule for referral in new.referrals for rule in referral.rules}
    return safety & before - after


# --- referrals ------------------------------------------------------------------------------------------------------
def _referrals(old: Decision, new: Decision, safety: frozenset[str], lost: frozenset[str]) -> Iterator[ReferralChange]:
    before = {each.service: _referral(each, old.as_of) for each in old.referrals}
    after = {each.service: _referral(each, new.as_of) for each in new.referrals}
    gone = {service: each for service, each in before.items() if service not in after}
    came = {service: each for service, each in after.items() if service not in before}
    found: list[tuple[Kind, Referral | None, Referral | None]] = []
    for service in sorted(before.keys() & after.keys()):
        kind = _moved(before[service], after[service])
        if kind is not None:
            found.append((kind, before[service], after[service]))
    for one in gone.values():
        target = next((other for other in came.values() if _takes_over(one, other, safety)), None)
        if target is not None:
            del came[target.service]
        found.append((Kind.LOST if target is None else Kind.ELSEWHERE, one, target))
    found += [(Kind.NEW, None, other) for other in came.values()]
    changes = [_change(kind, one, other, safety, lost) for kind, one, other in found]
    yield from sorted(changes, key=lambda each: (not each.alarm, tuple(Kind).index(each.kind)))


def _referral(referral: ProposedReferral, as_of: date) -> Referral:
    days = (referral.end - as_of).days
    return Referral(referral.service, referral.priority, referral.start, referral.end, days, referral.rules)


def _moved(one: Referral, other: Referral) -> Kind | None:
    """Whether a referral is sooner or later on B: by its priority, else by its end."""
    before, after = (PRIORITIES.index(one.priority), -one.days), (PRIORITIES.index(other.priority), -other.days)
    return None if before == after else Kind.SOONER if after > before else Kind.LATER


def _takes_over(one: Referral, other: Referral, safety: frozenset[str]) -> bool:
    """Whether ``other`` stands for ``one`` at another service: it shares a rule, and every safety rule."""
    return bool(set(one.rules) & set(other.rules)) and safety.intersection(one.rules) <= set(other.rules)


def _change(
    kind: Kind, one: Referral | None, other: Referral | None, safety: frozenset[str], lost: frozenset[str]
) -> ReferralChange:
    rules = one.rules if one else other.rules if other else ()
    behind = tuple(rule for rule in rules if rule in safety)
    worse = kind in (Kind.LOST, Kind.LATER) or bool(one and other and _moved(one, other) is Kind.LATER)
    alarm = bool(one and behind and worse) or bool(one and lost.intersection(one.rules))
    return ReferralChange(kind, one, other, behind, alarm)


# --- rules, tasks and flags -----------------------------------------------------------------------------------------
def _statuses(old: Decision, new: Decision, safety: frozenset[str], lost: frozenset[str]) -> Iterator[StatusChange]:
    before, after = _by_rule(old), _by_rule(new)
    for rule in sorted({*before, *after}):
        one, other = _status(before.get(rule)), _status(after.get(rule))
        if one != other:
            stopped = rule in safety and one == Status.FIRED and other != Status.FIRED
            yield StatusChange(rule, one, other, rule in safety, stopped or rule in lost)


def _by_rule(decision: Decision) -> Mapping[str, RuleOutcome]:
    return {outcome.rule: outcome for outcome in decision.outcomes}


def _status(outcome: RuleOutcome | None) -> str:
    return outcome.status.value if outcome else NO_SUCH_RULE


def _tasks(old: Decision, new: Decision, safety: frozenset[str]) -> Iterator[ItemChange]:
    before, after = _by_code(old.tasks), _by_code(new.tasks)
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        priorities = one.priority if one else "", other.priority if other else ""
        if priorities[0] != priorities[1]:
            rules = one.rules if one else (), other.rules if other else ()
            kind = _item(*priorities)
            yield ItemChange("task", kind, *key, *priorities, _both(*rules), _missed(kind, rules[0], new, safety))


def _by_code(tasks: Sequence[ProposedTask]) -> Mapping[tuple[str, str], ProposedTask]:
    return {(task.code, task.service): task for task in tasks}


def _item(one: str, other: str) -> Kind:
    if not one or not other:
        return Kind.LOST if one else Kind.NEW
    return Kind.SOONER if PRIORITIES.index(other) > PRIORITIES.index(one) else Kind.LATER


def _missed(kind: Kind, rules: Sequence[str], new: Decision, safety: frozenset[str]) -> bool:
    """Whether a safety rule's task or flag is lost or later on B, although the rule does not fire there instead."""
    fired = {outcome.rule for outcome in new.outcomes if outcome.status is Status.FIRED}
    return kind in (Kind.LOST, Kind.LATER) and bool(safety.intersection(rules) - fired)


def _both(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _flags(old: Decision, new: Decision, safety: frozenset[str]) -> Iterator[ItemChange]:
    before, after = ({flag.code: flag.rules for flag in decision.flags} for decision in (old, new))
    for code in sorted(before.keys() ^ after.keys()):
        kind = Kind.LOST if code in before else Kind.NEW
        rules = before.get(code, ())
        yield ItemChange(
            "flag", kind, code, rules=_both(rules, after.get(code, ())), alarm=_missed(kind, rules, new, safety)
        )


# --- why ------------------------------------------------------------------------------------------------------------
def _told(old: Decision, new: Decision, rules: Sequence[str]) -> tuple[Reason, ...]:
    """A reason for each of these rules, each once."""
    before, after = _by_rule(old), _by_rule(new)
    return tuple(_reason(rule, before.get(rule), after.get(rule)) for rule in dict.fromkeys(rules))


def _reason(rule: str, one: RuleOutcome | None, other: RuleOutcome | None) -> Reason:
    a, b = reasons(one, other)
    held_a, held_b = _held(one), _held(other)
    if held_a != held_b:
        a, b = (*a, *held_a), (*b, *held_b)
    return Reason(rule, a, b)


def _held(outcome: RuleOutcome | None) -> tuple[str, ...]:
    held = outcome.suppressed_by if outcome else ()
    return (f"Suppressed by: {', '.join(held)}.",) if held else ()
