"""The second stage: steps that move, hold or change the referrals of fired rules.

The steps are taken in their order. A referral that comes to another service, by a step or by a fallback, begins again
with the first: what a step says of a service counts for every referral that would go there, whatever brought it. No
step does anything twice to one referral at one service, so that this comes to an end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from rules.engine import names
from rules.engine.availability import Services
from rules.engine.content import (
    AddNote,
    AlsoRefer,
    CapPriority,
    Content,
    FallBack,
    FlagSpec,
    Hold,
    IssueSpec,
    MoveTo,
    Rule,
    StartFrom,
    StartNow,
    Step,
    TaskSpec,
    WhenClosed,
)
from rules.engine.load_steps import FACT_OPEN, FACT_REFUSED
from rules.engine.model import Availability, DaySpan, Fact, State, Truth
from rules.engine.parameters import Calendar, Values
from rules.engine.proposals import RANK, Draft, Gathering

ALL_SERVICES = "all"


class SecondStage:
    """The steps of a pack with the parameter values of one day."""

    def __init__(self, content: Content, values: Values, calendar: Calendar) -> None:
        self._content = content
        self._values = values
        self._calendar = calendar
        self._steps = [step for step in content.steps if not self._is_idle(step)]

    def run(
        self,
        drafts: list[Draft],
        truths: Mapping[str, Truth],
        facts: Mapping[str, Fact],
        as_of: date,
        gathering: Gathering,
        availability: Availability,
    ) -> tuple[list[Draft], Mapping[str, tuple[str, ...]]]:
        """The referrals that remain, and for each rule the steps that held one of its referrals."""
        there = Services(self._content.provider, self._content.services, as_of, availability)
        steps = [step for step in self._steps if _counts(step, truths, facts, there)]
        held: dict[str, tuple[str, ...]] = {}
        place = 0
        while place < len(steps):
            step, after, moved = steps[place], list[Draft](), False
            for draft in drafts:
                if not _applies(step, draft, drafts, facts, there):
                    after.append(draft)
                    continue
                kept = self._apply(step, draft, facts, as_of, gathering, there)
                if any(isinstance(action, Hold) for action in step.actions):
                    held[draft.rule.id] = tuple(dict.fromkeys((*held.get(draft.rule.id, ()), step.id)))
                moved = moved or any(each.service != draft.service for each in kept)
                after.extend(kept)
            drafts = after
            place = 0 if moved else place + 1
        return drafts, held

    def _is_idle(self, step: Step) -> bool:
        """Whether a step does nothing with these values: it delays referrals by no weeks."""
        return all(isinstance(action, StartFrom) and not self._values.of(action.weeks) for action in step.actions)

    def _apply(
        self,
        step: Step,
        draft: Draft,
        facts: Mapping[str, Fact],
        as_of: date,
        gathering: Gathering,
        there: Services,
    ) -> list[Draft]:
        """What becomes of one referral: itself changed, or gone, and those made beside it."""
        original = replace(draft, had=draft.had | {(step.id, draft.service)})
        changed, beside, hold, rule = replace(original), list[Draft](), False, draft.rule.id
        for action in step.actions:
            match action:
                case MoveTo(service=service):
                    changed.service = self._values.of(service)
                    changed.shaped_by(*self._values.policies(rule, service))
                case AlsoRefer(service=service):
                    beside.append(replace(original, service=self._values.of(service)))
                    beside[-1].shaped_by(*self._values.policies(rule, service))
                case Hold():
                    hold = True
                case CapPriority(priority=priority, within=within):
                    if RANK[changed.priority] > RANK[priority]:
                        changed.priority, changed.within = priority, within
                        changed.end = self._calendar.end(changed.start, within)
                case StartNow():
                    changed.start = as_of
                    changed.end = self._calendar.end(as_of, changed.within)
                case StartFrom():
                    self._start_from(changed, action, facts, as_of, gathering)
                case AddNote(text=text):
                    changed.say(text)
                case FallBack():
                    there.fall_back(changed, gathering)
                case WhenClosed():
                    beside += there.beside_closed(changed, gathering)
                case TaskSpec():
                    task = _resolved(action, original)
                    gathering.task(task, rule, original.facts, _to_be_told(task, original, there))
                case FlagSpec():
                    gathering.flag(action, rule)
                case IssueSpec():
                    gathering.issue(action, rule)
        return beside if hold else [changed, *beside]

    def _start_from(
        self, draft: Draft, action: StartFrom, facts: Mapping[str, Fact], as_of: date, gathering: Gathering
    ) -> None:
        """The day on which the count may first reach its weeks; not known: at once, which is said and asked about."""
        weeks: int = self._values.of(action.weeks)
        fact, declaration = facts[action.fact], self._content.facts[action.fact]
        if not weeks or fact.state is State.ABSENT:
            return
        own = self._values.policies(draft.rule.id, action.weeks)
        if not isinstance(fact.value, DaySpan):
            draft.shaped_by(*own)
            text = f"the referral may have to wait for {weeks} weeks ({action.weeks.parameter})"
            said = f"{declaration.label} is not known: {text}. It is not held back for that."
            draft.say(said[:1].upper() + said[1:])
            gathering.issue(IssueSpec("data-not-supplied", "warning", said), draft.rule.id)
            if code := fact.ask or declaration.ask:
                gathering.task(
                    TaskSpec(code, "routine", declaration.ask_text, (action.fact,)), draft.rule.id, draft.facts
                )
            return
        wait = weeks * 7 - fact.value.high
        if wait > 0:
            draft.shaped_by(*own)
            draft.start = max(draft.start, as_of + timedelta(days=wait))
            draft.end = self._calendar.end(draft.start, draft.within)
            draft.say(f"Starts when {declaration.label} reaches {weeks} weeks.")


def reaches(step: Step, rule: Rule, service: str) -> bool:
    """Whether a step is about the referrals of a rule to a service, whatever the facts are."""
    return is_about(step, rule) and (step.services is None or service in step.services)


def is_about(step: Step, rule: Rule) -> bool:
    """Whether a step is about the referrals of a rule to some service."""
    if rule.safety and not step.safety:
        return False
    return (step.rules is None or rule.id in step.rules) and rule.id not in step.not_rules


def _counts(step: Step, truths: Mapping[str, Truth], facts: Mapping[str, Fact], there: Services) -> bool:
    """Whether a step could do anything on these facts, whatever the referrals are."""
    if step.when is not None and truths[names.step(step.id)] is not True:
        return False
    if (step.open and not codes(facts[FACT_OPEN])) or (step.refused and not codes(facts[FACT_REFUSED])):
        return False
    match step.actions:
        case (FallBack(),):
            return not there.all_there
        case (WhenClosed(),):
            return not there.all_open
    return True


def _applies(step: Step, draft: Draft, drafts: list[Draft], facts: Mapping[str, Fact], there: Services) -> bool:
    service = draft.service
    match step.actions:
        case (FallBack(),):  # as often as it takes: the fallbacks of a pack do not go round in a circle
            return there.replaces(service)
        case (WhenClosed(),) if not there.closes(service, draft.priority):
            return False
    if (step.id, service) in draft.had or not reaches(step, draft.rule, service):
        return False
    if step.beside and not any(other is not draft and RANK[other.priority] >= RANK[step.beside] for other in drafts):
        return False
    if step.highest and any(other.service == service and RANK[other.priority] > RANK[step.highest] for other in drafts):
        return False
    if step.open and service not in codes(facts[FACT_OPEN]):
        return False
    return not step.refused or not {service, ALL_SERVICES}.isdisjoint(codes(facts[FACT_REFUSED]))


def codes(fact: Fact) -> frozenset[str]:
    """The codes of a fact such as the open services; none where it is not known."""
    return fact.value if isinstance(fact.value, frozenset) else frozenset()


def _resolved(spec: TaskSpec, draft: Draft) -> TaskSpec:
    return replace(
        spec,
        priority=draft.priority if spec.priority == "same" else spec.priority,
        service=draft.service if spec.service == "this" else spec.service,
    )


def _to_be_told(task: TaskSpec, draft: Draft, there: Services) -> tuple[str, ...]:
    """What whoever does the task would have read in the referral, and what is amiss with the service it is about."""
    service = task.service or draft.service
    said = draft.notes if service == draft.service else ()
    return (*said, *there.amiss(service, task.priority))
