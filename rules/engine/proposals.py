"""What rules propose, gathered and merged: referrals, tasks, flags and issues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from rules.engine.content import FlagSpec, IssueSpec, Rule, TaskSpec, Within
from rules.engine.model import PRIORITIES, DecisionIssue, Fact, Policy, ProposedFlag, ProposedReferral, ProposedTask

RANK: Mapping[str, int] = {priority: rank for rank, priority in enumerate(PRIORITIES)}


@dataclass(slots=True)
class Draft:
    """One referral of one rule, on its way through the second stage."""

    rule: Rule
    service: str
    priority: str
    start: date
    end: date
    within: Within
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    policies: tuple[Policy, ...] = ()
    had: frozenset[tuple[str, str]] = frozenset()  # the steps it has had, each with the service it was at

    def say(self, note: str) -> None:
        if note not in self.notes:
            self.notes = (*self.notes, note)

    def shaped_by(self, *policies: Policy) -> None:
        self.policies = tuple(dict.fromkeys((*self.policies, *policies)))


@dataclass(slots=True)
class _Gathered:
    """Tasks, flags or issues of one key, while more rules may still add to them."""

    priority: str = "routine"
    rules: dict[str, None] = field(default_factory=dict)
    facts: dict[str, None] = field(default_factory=dict)
    texts: dict[str, None] = field(default_factory=dict)
    because: dict[str, Fact] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)


class Gathering:
    """Collects tasks, flags and issues; those of the same code become one, with every rule that asked for it."""

    def __init__(self, as_of: date) -> None:
        self._as_of = as_of
        self._tasks: dict[tuple[str, str], _Gathered] = {}
        self._flags: dict[str, _Gathered] = {}
        self._issues: dict[IssueSpec, _Gathered] = {}

    def task(self, spec: TaskSpec, rule: str = "", because: Iterable[Fact] = (), notes: Iterable[str] = ()) -> None:
        """A task, the rule that asks for it, the facts for which it does, and what else is to be said."""
        found = self._tasks.get((spec.code, spec.service))
        if found is None:
            found = self._tasks[spec.code, spec.service] = _Gathered(spec.priority)
        if RANK[spec.priority] > RANK[found.priority]:
            found.priority = spec.priority
        _add(found.rules, rule)
        _add(found.texts, spec.text)
        found.facts.update(dict.fromkeys(spec.facts))
        found.because.update((fact.name, fact) for fact in because)
        found.notes.update(dict.fromkeys(notes))

    def flag(self, spec: FlagSpec, rule: str) -> None:
        _add(self._flags.setdefault(spec.code, _Gathered()).rules, rule)

    def issue(self, spec: IssueSpec, rule: str = "") -> None:
        _add(self._issues.setdefault(spec, _Gathered()).rules, rule)

    def tasks(self) -> tuple[ProposedTask, ...]:
        return tuple(
            ProposedTask(
                code,
                each.priority,
                tuple(each.rules),
                tuple(each.facts),
                service,
                " ".join(each.texts),
                tuple(each.because.values()),
                tuple(each.notes),
            )
            for (code, service), each in self._tasks.items()
        )

    def flags(self) -> tuple[ProposedFlag, ...]:
        return tuple(ProposedFlag(code, tuple(each.rules), self._as_of) for code, each in self._flags.items())

    def issues(self) -> tuple[DecisionIssue, ...]:
        return tuple(
            DecisionIssue(spec.code, spec.severity, spec.text, tuple(each.rules)) for spec, each in self._issues.items()
        )


def _add(to: dict[str, None], item: str) -> None:
    if item:
        to[item] = None


def merge_referrals(
    drafts: Iterable[Draft], services: Mapping[str, int], order: Mapping[str, int]
) -> tuple[ProposedReferral, ...]:
    """One referral per service, highest priority first: the earliest start and end at that priority, every rule.

    ``services`` and ``order`` give the place of each service and of each rule in the pack.
    """
    by_service: dict[str, list[Draft]] = {}
    for draft in sorted(drafts, key=lambda draft: order[draft.rule.id]):
        by_service.setdefault(draft.service, []).append(draft)
    merged = [_merged(service, group) for service, group in by_service.items()]
    return tuple(sorted(merged, key=lambda each: (-RANK[each.priority], services[each.service])))


def _merged(service: str, group: list[Draft]) -> ProposedReferral:
    if len(group) == 1:
        (only,) = group
        facts = tuple({fact.name: fact for fact in only.facts}.values())
        return ProposedReferral(
            service,
            only.priority,
            only.start,
            only.end,
            (only.rule.id,),
            only.reasons,
            facts,
            only.notes,
            only.policies,
        )
    priority = max((draft.priority for draft in group), key=RANK.__getitem__)
    leading = [draft for draft in group if draft.priority == priority]
    return ProposedReferral(
        service=service,
        priority=priority,
        start=min(draft.start for draft in leading),
        end=min(draft.end for draft in leading),
        rules=tuple(dict.fromkeys(draft.rule.id for draft in group)),
        reasons=tuple(dict.fromkeys(reason for draft in group for reason in draft.reasons)),
        facts=tuple({fact.name: fact for draft in group for fact in draft.facts}.values()),
        notes=tuple(dict.fromkeys(note for draft in group for note in draft.notes)),
        policies=tuple(dict.fromkeys(policy for draft in group for policy in draft.policies)),
    )
