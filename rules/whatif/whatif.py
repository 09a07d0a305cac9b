"""Asks what a decision turned on, and gives no answer that the pack itself does not confirm."""

from __future__ import annotations

from collections.abc import Mapping

from rules.engine.model import Decision, Fact, RuleOutcome, Status
from rules.engine.pack import Pack
from rules.whatif.cone import MET, NOT_MET, Wanted
from rules.whatif.domain import value_from
from rules.whatif.held import held
from rules.whatif.model import Change, Goal, Setting, Turning, Unknown
from rules.whatif.search import Question, covers, settings, smallest
from rules.whatif.unknowns import unknowns
from rules.whatif.world import World, criteria_met, refers

MOST_FACTS = 3
"""How many facts a change may have."""
MOST_SHOWN = 3
"""How many of the smallest changes are given."""


class WhatIf:
    """What the decisions of one pack turned on. Raises ContentError where the pack's ``what_if.yaml`` is wrong."""

    def __init__(self, pack: Pack, most_facts: int = MOST_FACTS, most_shown: int = MOST_SHOWN) -> None:
        self._world = World(pack)
        self._most_facts, self._most_shown = most_facts, most_shown

    def turned_on(self, decision: Decision, rule: str) -> tuple[Turning, ...]:
        """What the status of a rule turned on, one answer for each goal. KeyError: no such rule.

        Nothing is said of a rule that is not in force on that day, or that failed.
        """
        outcome = decision.outcome(rule)
        if not self._world.rules[rule].valid(decision.as_of) or outcome.status is Status.ERROR:
            return ()
        if outcome.status is Status.UNKNOWN:
            goals = ((Goal.FIRE, MET), (Goal.SETTLE, NOT_MET))
            return tuple(self._turning(decision, outcome, goal, wanted, additions_only=True) for goal, wanted in goals)
        if not criteria_met(outcome):
            return (self._turning(decision, outcome, Goal.FIRE, MET),)
        back = held(self._world, decision, outcome, self._most_facts, self._most_shown)
        stop = self._turning(decision, outcome, Goal.STOP, NOT_MET)
        return (*back, stop)

    def unknowns(self, decision: Decision) -> tuple[Unknown, ...]:
        """The missing facts of the undecided rules, in order of how much each would decide."""
        return unknowns(self._world, decision)

    def services(self, rule: str, decision: Decision) -> tuple[str, ...]:
        """The services to which a rule can refer her, or who takes over from them, before the steps about either.

        KeyError: no such rule.
        """
        values, there = self._world.band(decision.as_of).values, self._world.services(decision)
        wanted = (values.of(refer.service) for _, refer in refers(self._world.rules[rule]))
        return tuple(dict.fromkeys(map(there.nearest, wanted)))

    def _turning(
        self, decision: Decision, outcome: RuleOutcome, goal: Goal, wanted: Wanted, additions_only: bool = False
    ) -> Turning:
        world, facts = self._world, self._world.supplied(decision)
        named = world.band(decision.as_of).named[outcome.rule]
        question = Question(
            named,
            named.cone.frame(facts, decision.as_of),
            wanted,
            world.domain(named.cone, facts, decision.as_of),
            world.links,
            world.content.facts,
            additions_only,
            self._most_facts,
        )
        shown: list[Change] = []
        more = 0
        for changes in smallest(question):
            if any(_covered(change, changes) for change in shown):
                continue
            if len(shown) == self._most_shown:
                more += 1
            elif change := self._confirmed(decision, outcome.rule, wanted is MET, settings(question, changes)):
                shown.append(change)
        return Turning(goal, tuple(shown), more, self._most_facts)

    def _confirmed(self, decision: Decision, rule: str, met: bool, changed: tuple[Setting, ...]) -> Change | None:
        """The change with what the whole pack says of it, where both evaluators agree that it does what it should.

        The ends of the values that should do the same are tried too.
        """
        facts, chosen = self._world.supplied(decision), {each.fact: each.now for each in changed}
        tried = [chosen]
        for setting in changed:
            kind = self._world.content.facts[setting.fact].type
            for end, is_open in ((setting.low, setting.low_open), (setting.high, setting.high_open)):
                if end is not None and not is_open:
                    tried.append({**chosen, setting.fact: setting.now._replace(value=value_from(end, kind))})
        given = decision.availability
        decisions = [self._world.evaluated(each, facts, decision.as_of, given) for each in tried]
        if not all(after is not None and _is(after.outcome(rule), met) for after in decisions):
            return None
        first = decisions[0]
        return self._world.change(decision, first, rule, changed) if first is not None else None


def _is(outcome: RuleOutcome, met: bool) -> bool:
    """Whether the criteria of a rule are met (or certainly not)."""
    return criteria_met(outcome) is met and outcome.status is not Status.UNKNOWN


def _covered(change: Change, changes: Mapping[str, Fact]) -> bool:
    """Whether a change is one of those that another one already stands for."""
    shown = {setting.fact: setting for setting in change.settings}
    return shown.keys() == changes.keys() and all(covers(shown[name], fact) for name, fact in changes.items())
