"""From truths to a decision: the status of each rule, what it proposes, and what must be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from rules.engine import names
from rules.engine.content import Ask, Content, FlagSpec, IssueSpec, Outside, Refer, Rule, TaskSpec
from rules.engine.explain import own_thresholds
from rules.engine.model import (
    EVERYWHERE,
    FIRED,
    KNOWN,
    NOT_FIRED,
    OUT_OF_DATE,
    OUTSIDE_WINDOW,
    SUPPRESSED,
    UNDECIDED,
    Availability,
    DateSpan,
    Decision,
    Fact,
    RuleOutcome,
    Truth,
)
from rules.engine.parameters import Calendar, Values
from rules.engine.proposals import RANK, Draft, Gathering, merge_referrals
from rules.engine.second_stage import SecondStage
from rules.engine.trace import derived_fact, leaves, missing, speaking, support, trace
from rules.engine.tracer import Node, Situation

_HIGHEST_OUTSIDE = "urgent"  # of rules that are not safety rules
Truths = Mapping[str, Truth]


class Evaluation(NamedTuple):
    """What both evaluators agreed on; ``aged`` are the truths when out-of-date values count (None: there are none)."""

    situation: Situation
    truths: Truths
    aged: Truths | None = None
    aged_facts: frozenset[str] = frozenset()


class Decider:
    """Makes decisions with the parameter values of one day."""

    def __init__(
        self, content: Content, nodes: Mapping[str, Node], derived: Mapping[str, Node], values: Values
    ) -> None:
        self._content = content
        self._nodes = nodes
        self._values = values
        self._calendar = Calendar(values, "bank-holidays" in content.parameters)
        self._second_stage = SecondStage(content, values, self._calendar)
        self._rules = [(rule, nodes[rule.id], names.outside(rule.id)) for rule in content.rules]
        self._order = {rule.id: place for place, rule in enumerate(content.rules)}
        self._services = {key: place for place, key in enumerate(content.services)}
        self._derived = derived
        self._own_values = any(each.provider for each in content.parameters.values())

    def decide(self, evaluation: Evaluation, availability: Availability = EVERYWHERE) -> Decision:
        """The decision; ``availability`` says which services cover her and are open, as far as that is known."""
        situation, truths, content = evaluation.situation, evaluation.truths, self._content
        as_of, gathering = situation.as_of, Gathering(situation.as_of)
        drafts: list[Draft] = []
        outcomes = [self._outcome(*rule, evaluation, drafts, gathering) for rule in self._rules]
        self._ask(content.asks, "", evaluation, gathering)
        if not content.provider.counts(as_of):
            text = f"the policy of the provider {content.provider.name} does not count on this day"
            gathering.issue(IssueSpec("unsupported", "warning", text))
        if self._own_values:
            drafted = {draft.rule.id for draft in drafts}
            own = {outcome.rule: own_thresholds(outcome) for outcome in outcomes if outcome.rule in drafted}
            drafts = [replace(draft, policies=(*own[draft.rule.id], *draft.policies)) for draft in drafts]
        if drafts:
            drafts, held = self._second_stage.run(drafts, truths, situation.facts, as_of, gathering, availability)
            remaining = {draft.rule.id for draft in drafts}
            outcomes = [_held(outcome, held, remaining) if outcome.rule in held else outcome for outcome in outcomes]
        named = {name: derived_fact(name, situation.truths[node.place]) for name, node in self._derived.items()}
        return Decision(
            pack=content.name,
            version=content.version,
            provider=content.provider.name,
            as_of=as_of,
            outcomes=tuple(outcomes),
            referrals=merge_referrals(drafts, self._services, self._order),
            tasks=gathering.tasks(),
            flags=gathering.flags(),
            issues=gathering.issues(),
            facts={**situation.facts, **named},
            availability=availability,
        )

    def _outcome(
        self,
        rule: Rule,
        node: Node,
        outside: str,
        evaluation: Evaluation,
        drafts: list[Draft],
        gathering: Gathering,
    ) -> RuleOutcome:
        """The status of one rule; what it proposes goes to ``drafts`` and ``gathering``.

        ``node`` is its condition, ``outside`` the name of its condition outside the window.
        """
        situation, truths = evaluation.situation, evaluation.truths
        truth, status = truths[rule.id], NOT_FIRED
        lacking: tuple[str, ...] = ()
        by: tuple[str, ...] = ()
        facts: tuple[Fact, ...] = ()
        if not rule.valid(situation.as_of):
            status = OUT_OF_DATE
            if rule.safety:
                gathering.issue(
                    IssueSpec("unsupported", "warning", "a safety rule does not count on this day"), rule.id
                )
        else:
            goes_outside = self._goes_outside(outside, truths) if rule.outside is not None and truth is False else False
            if rule.asks:
                self._ask(rule.asks, rule.id, evaluation, gathering)
            if truth is True:
                status, facts = FIRED, support(node, situation)
                lacking = self._act(rule, evaluation, facts, drafts, gathering)
            elif truth is None:
                status, lacking = UNDECIDED, missing(node, situation, self._content.facts)
                facts = speaking(node, situation)
                self._ask_for(rule, lacking, facts, situation, gathering)
            elif rule.outside is not None and goes_outside:
                status, by, facts = SUPPRESSED, (OUTSIDE_WINDOW,), support(node.children[1], situation)
                self._refer_outside(rule, rule.outside, evaluation, facts, drafts, gathering)
            elif evaluation.aged is not None and evaluation.aged[rule.id] is True:
                status = OUT_OF_DATE
                lacking = tuple(name for name in dict.fromkeys(leaves(node)) if name in evaluation.aged_facts)
            if rule.outside is not None and goes_outside is None:
                lacking = self._ask_for_outside(rule, rule.outside, situation, gathering)
        return RuleOutcome(
            rule.id,
            rule.title,
            rule.safety,
            status,
            partial(trace, node, situation),
            lacking,
            by,
            rule.sources,
            facts,
        )

    def _ask(self, asks: Sequence[Ask], rule: str, evaluation: Evaluation, gathering: Gathering) -> None:
        situation, truths = evaluation.situation, evaluation.truths
        for ask in asks:
            name = names.ask(ask.id)
            if truths[name] is True:
                facts = situation.facts
                asked = tuple(each for each in ask.task.facts if each not in facts or facts[each].state is not KNOWN)
                gathering.task(replace(ask.task, facts=asked), rule, support(self._nodes[name], situation))

    def _ask_for(
        self,
        rule: Rule,
        lacking: tuple[str, ...],
        because: tuple[Fact, ...],
        situation: Situation,
        gathering: Gathering,
    ) -> bool:
        """A Task for each fact that has one; whether any has. A safety rule that nothing asks for is said aloud."""
        priority = "asap" if rule.safety else "routine"
        asked = False
        for name in lacking:
            declaration, fact = self._content.facts[name], situation.facts.get(name)
            code = (fact.ask if fact is not None else None) or declaration.ask
            if code:
                gathering.task(TaskSpec(code, priority, declaration.ask_text, (name,)), rule.id, because)
                asked = True
        if rule.safety and not asked:
            self._say_lacking("a safety rule cannot be decided without", rule, lacking, gathering)
        return asked

    def _say_lacking(self, said: str, rule: Rule, lacking: tuple[str, ...], gathering: Gathering) -> None:
        labels = ", ".join(self._content.facts[name].label for name in lacking)
        gathering.issue(IssueSpec("data-not-supplied", "warning", f"{said}: {labels}"), rule.id)

    def _ask_for_outside(
        self, rule: Rule, outside: Outside, situation: Situation, gathering: Gathering
    ) -> tuple[str, ...]:
        """Outside the window for certain, and whether all else is met is not known: never silence."""
        nodes = [self._nodes[name] for name in (names.outside(rule.id), names.OUTSIDE_WHEN) if name in self._nodes]
        lacking = tuple(dict.fromkeys(name for node in nodes for name in missing(node, situation, self._content.facts)))
        self._ask_for(rule, lacking, speaking(nodes[0], situation), situation, gathering)
        service = self._content.services[self._values.of(outside.service)].label
        said = f"{rule.title}: outside the window; whether she is referred to {service} cannot be decided without"
        self._say_lacking(said, rule, lacking, gathering)
        return lacking

    def _act(
        self, rule: Rule, evaluation: Evaluation, facts: tuple[Fact, ...], drafts: list[Draft], gathering: Gathering
    ) -> tuple[str, ...]:
        """What a met rule asks for; the facts without which a part of it cannot be decided."""
        wanting: dict[str, None] = {}
        for index, outcome in enumerate(rule.then):
            own = facts
            if outcome.when is not None:
                name = names.branch(rule.id, index)
                truth, node = evaluation.truths[name], self._nodes[name]
                if truth is None:
                    lacking = missing(node, evaluation.situation, self._content.facts)
                    wanting.update(dict.fromkeys(lacking))
                    asked = self._ask_for(rule, lacking, facts, evaluation.situation, gathering)
                    if not asked and not rule.safety:
                        said = f"{rule.title}: met, but a part of what it asks for cannot be decided without"
                        self._say_lacking(said, rule, lacking, gathering)
                if truth is not True:
                    continue
                own = (*facts, *support(node, evaluation.situation))
            match outcome.act:
                case Refer() as refer:
                    drafts.append(self._draft(rule, refer, evaluation.situation, own))
                case TaskSpec() as task:
                    gathering.task(task, rule.id, own)
                case FlagSpec() as flag:
                    gathering.flag(flag, rule.id)
                case IssueSpec() as issue:
                    gathering.issue(issue, rule.id)
        return tuple(wanting)

    def _draft(self, rule: Rule, refer: Refer, situation: Situation, facts: tuple[Fact, ...]) -> Draft:
        start = self._start(refer, situation)
        return Draft(
            rule=rule,
            service=self._values.of(refer.service),
            priority=refer.priority,
            start=start,
            end=self._calendar.end(start, refer.within),
            within=refer.within,
            reasons=(refer.reason,) if refer.reason else (),
            notes=(refer.text,) if refer.text else (),
            facts=facts,
            policies=self._values.policies(rule.id, refer.service, refer.within.days),
        )

    def _start(self, refer: Refer, situation: Situation) -> date:
        """The as-of date, or later where the referral waits for some days after the earliest day a date can be.

        A date that is still to come is not waited for.
        """
        if refer.start is None:
            return situation.as_of
        span = situation.facts[refer.start.fact].value
        if not isinstance(span, DateSpan) or span.low > situation.as_of:
            return situation.as_of
        return max(situation.as_of, span.low + timedelta(days=self._values.of(refer.start.plus_days)))

    def _goes_outside(self, outside: str, truths: Truths) -> Truth:
        """Whether a rule is met but for its window, and the pack refers those outside it at all."""
        both = (truths[outside], self._content.outside_when is None or truths[names.OUTSIDE_WHEN])
        return False if False in both else None if None in both else True

    def _refer_outside(
        self,
        rule: Rule,
        outside: Outside,
        evaluation: Evaluation,
        facts: tuple[Fact, ...],
        drafts: list[Draft],
        gathering: Gathering,
    ) -> None:
        situation = evaluation.situation
        refers = [outcome.act for outcome in rule.then if isinstance(outcome.act, Refer)]
        met = [
            outcome.act
            for index, outcome in enumerate(rule.then)
            if isinstance(outcome.act, Refer)
            and (outcome.when is None or evaluation.truths[names.branch(rule.id, index)] is True)
        ]
        priority = max((refer.priority for refer in met), key=RANK.__getitem__, default="routine")
        if not rule.safety and RANK[priority] > RANK[_HIGHEST_OUTSIDE]:
            priority = _HIGHEST_OUTSIDE
        same = [refer.within for refer in (*met, *refers) if refer.priority == priority]
        within = outside.within or next(iter(same), self._content.timeframes.get(priority)) or refers[0].within
        service = self._values.of(outside.service)
        drafts.append(
            Draft(
                rule=rule,
                service=service,
                priority=priority,
                start=situation.as_of,
                end=self._calendar.end(situation.as_of, within),
                within=within,
                reasons=tuple(dict.fromkeys(refer.reason for refer in met if refer.reason)),
                notes=(),
                facts=facts,
                policies=self._values.policies(rule.id, outside.service, within.days),
            )
        )
        text = f"{rule.title}: outside the window, referred to {self._content.services[service].label}"
        gathering.issue(IssueSpec(OUTSIDE_WINDOW, "information", text), rule.id)


def _held(outcome: RuleOutcome, held: Mapping[str, tuple[str, ...]], remaining: set[str]) -> RuleOutcome:
    """A rule is suppressed when steps held its referrals and none remains."""
    if outcome.rule in remaining:
        return outcome
    by = (*outcome.suppressed_by, *held[outcome.rule])
    return replace(outcome, status=SUPPRESSED, suppressed_by=by)
