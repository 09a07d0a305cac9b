"""What can never happen, and what always does: rules, outcomes, asks, steps and named conditions."""

from __future__ import annotations

from collections.abc import Iterator

import z3

from rules.engine.conditions import AllOf, Condition, Derived, Not, Place, Presence
from rules.engine.content import FactDeclaration, Outcome, Refer, Rule, Step
from rules.engine.names import named_conditions
from rules.tools.lint.encoding import Formula
from rules.tools.lint.finding import Finding, Witness, witness
from rules.tools.lint.parts import WHERE_TRUE, Use, dead_parts, range_findings
from rules.tools.lint.solver import Solver, conjuncts
from rules.tools.lint.words import grouped, say
from rules.tools.paths import may_go


class Reach:
    """The checks of one pack on one day. ``impossible`` are the rules that no set of facts can make fire."""

    def __init__(self, solver: Solver) -> None:
        self._solver, self._content = solver, solver.content
        self._named = named_conditions(self._content)
        self.rules = tuple(rule for rule in self._content.rules if rule.valid(solver.as_of))
        self.whole = {rule.id: self._named[rule.id].condition for rule in self.rules}
        self.impossible = {name for name, each in self.whole.items() if not solver.possible(solver.true(each))}

    def findings(self) -> Iterator[Finding]:
        for declaration in self._content.facts.values():
            yield from self._derived(declaration)
        for rule in self.rules:
            yield from self._rule(rule)
        for ask in self._content.asks:
            yield from self._ask(ask.when, (ask.id,), ask.place)
        for step in self._content.steps:
            if not step.implied:
                yield from self._step(step)

    def _derived(self, declaration: FactDeclaration) -> Iterator[Finding]:
        if declaration.derive is None:
            return
        solver, about = self._solver, (declaration.name,)
        named = Derived(declaration.name, Presence.PRESENT, declaration.place)
        yield from range_findings(declaration.derive, solver, about)
        if not solver.possible(solver.true(named)):
            why = self._why(declaration.derive)
            yield Finding("RL107", declaration.place, f"“{declaration.label}” can never be met: {why}", about)
            return
        if solver.always(solver.true(named)):
            message = f"“{declaration.label}” is met whatever the facts are"
            yield Finding("RL108", declaration.place, message, about, self._shown())
        yield from dead_parts(declaration.derive, solver, about)
        if declaration.unknown_when is not None:
            yield from range_findings(declaration.unknown_when, solver, about)

    def _rule(self, rule: Rule) -> Iterator[Finding]:
        solver, about, whole = self._solver, (rule.id,), self.whole[rule.id]
        yield from range_findings(rule.when, solver, about)
        if rule.id in self.impossible:
            yield Finding("RL101", rule.place, f"{rule.id} can never fire: {self._why(whole)}", about)
        else:
            fires = solver.true(whole)
            if solver.always(fires):
                yield Finding("RL102", rule.place, f"{rule.id} fires whatever the facts are", about, self._shown())
            yield from dead_parts(rule.when, solver, about, uses=tuple(_uses(rule)))
            reached = z3.Or(fires, *(solver.true(use.of(rule.when)) for use in _uses(rule)))
            for outcome in rule.then:
                if outcome.when is not None:
                    yield from self._outcome(rule, outcome, outcome.when, reached)
        outside, window = rule.outside, rule.window
        if outside and window and not solver.possible(solver.true(_outside(rule.when, window))):
            message = f"nobody meets {rule.id} outside its window, so 'outside' is never used"
            yield Finding("RL109", outside.place, message, about)
        for ask in rule.asks:
            yield from self._ask(ask.when, about, ask.place)

    def _outcome(self, rule: Rule, outcome: Outcome, when: Condition, reached: Formula) -> Iterator[Finding]:
        solver, about = self._solver, (rule.id,)
        yield from range_findings(when, solver, about)
        if not solver.possible(reached, solver.true(when)):
            both = AllOf((self.whole[rule.id], when), outcome.place)
            yield Finding("RL103", outcome.place, f"this outcome of {rule.id} never applies: {self._why(both)}", about)
        elif solver.always(solver.true(when), reached):
            message = f"whenever {rule.id} fires this holds: {say(when, solver)}"
            yield Finding("RL104", outcome.place, message, about, self._shown(reached))
        else:
            yield from dead_parts(when, solver, about, reached)

    def _ask(self, when: Condition, about: tuple[str, ...], place: Place) -> Iterator[Finding]:
        solver = self._solver
        yield from range_findings(when, solver, about)
        if not solver.possible(solver.true(when)):
            yield Finding("RL105", place, f"this is never asked: {self._why(when)}", about)
        else:
            yield from dead_parts(when, solver, about, uses=WHERE_TRUE)

    def _step(self, step: Step) -> Iterator[Finding]:
        solver, about = self._solver, (step.id,)
        met = () if step.when is None else (solver.true(step.when),)
        if step.when is not None:
            yield from range_findings(step.when, solver, about)
        if met and not solver.possible(*met):
            assert step.when is not None  # noqa: S101 - there is nothing to meet without it
            yield Finding("RL106", step.place, f"the step {step.id} never applies: {self._why(step.when)}", about)
        elif not any(solver.possible(*met, *made) for made in self._referrals_before(step)):
            message = f"the step {step.id} never applies: no referral of its rules to its services reaches it"
            yield Finding("RL106", step.place, message, about)
        elif step.when is not None:
            yield from dead_parts(step.when, solver, about, uses=WHERE_TRUE)

    def _referrals_before(self, step: Step) -> Iterator[tuple[Formula, ...]]:
        """For each referral that the step could be about: what must hold for it to be made."""
        for rule in self.rules:
            if rule.id in self.impossible or (rule.safety and not step.safety) or rule.id in step.not_rules:
                continue
            if step.rules is not None and rule.id not in step.rules:
                continue
            for service, made in self._made(rule):
                if step.services is None or step.services & self._may_go(rule, service):
                    yield made

    def _may_go(self, rule: Rule, service: str) -> frozenset[str]:
        return may_go(self._content, rule, (service,), self._solver.values, self._solver.as_of)

    def _made(self, rule: Rule) -> Iterator[tuple[str, tuple[Formula, ...]]]:
        """The services a rule refers to, each with what must hold."""
        solver = self._solver
        fires = solver.true(self.whole[rule.id])
        for outcome in rule.then:
            if isinstance(outcome.act, Refer):
                own = () if outcome.when is None else (solver.true(outcome.when),)
                yield solver.values.of(outcome.act.service), (fires, *own)
        if rule.outside is not None and rule.window is not None:
            outside = solver.true(_outside(rule.when, rule.window))
            yield solver.values.of(rule.outside.service), (outside,)

    def _why(self, condition: Condition) -> str:
        """The criteria that exclude each other."""
        found = self._solver.excluding(tuple(conjuncts(condition, self._content)))
        said = " and ".join(dict.fromkeys(grouped(each, self._solver) for each in found))
        return f"{said} cannot hold together" if len(found) > 1 else f"{said} cannot hold"

    def _shown(self, *formulas: Formula) -> Witness:
        return witness(self._solver.witness(*formulas), self._solver.as_of, self._content.facts)


def _uses(rule: Rule) -> Iterator[Use]:
    """What a rule's ``when`` is used for: to fire inside the window, and to be referred elsewhere outside of it."""
    window = rule.window
    if window is None:
        yield Use()
        return
    yield Use(lambda when: AllOf((window, when), rule.place))
    if rule.outside is not None:
        yield Use(lambda when: _outside(when, window), certain=True)


def _outside(when: Condition, window: Condition) -> Condition:
    return AllOf((when, Not(window, window.place)), when.place)
