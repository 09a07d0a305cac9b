"""Two rules that are one, one rule inside another, and outcomes that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

from rules.engine.content import FlagSpec, IssueSpec, Refer, Rule, TaskSpec
from rules.tools.lint.encoding import facts_in
from rules.tools.lint.finding import Finding, Witness, witness
from rules.tools.lint.reach import Reach
from rules.tools.lint.solver import Solver

Act = tuple[str, ...]


def pair_findings(reach: Reach, solver: Solver) -> Iterator[Finding]:
    """Findings about every two rules that can fire, and about the outcomes inside each."""
    rules = [rule for rule in reach.rules if rule.id not in reach.impossible]
    same: set[frozenset[str]] = set()
    for one, other in combinations(rules, 2):
        truths = [solver.truths(reach.whole[rule.id]) for rule in (one, other)]
        rests = [facts_in((reach.whole[rule.id],), solver.content.facts) for rule in (one, other)]
        if rests[0] & rests[1] and solver.same(truths[0], truths[1], certain=True):
            same.add(frozenset((one.id, other.id)))
            yield from _equal(one, other, reach, solver)
    for narrow, wide in permutations(rules, 2):
        if frozenset((narrow.id, wide.id)) in same or not _covered(narrow, wide, solver):
            continue
        fires = solver.true(reach.whole[narrow.id])
        if solver.always(solver.true(reach.whole[wide.id]), fires):
            message = f"whenever {narrow.id} fires, {wide.id} does the same"
            shown = _shown(solver, fires)
            yield Finding("RL402", narrow.place, message, (narrow.id, wide.id), shown)
    for rule in rules:
        yield from _inside(rule, reach, solver)


def _equal(one: Rule, other: Rule, reach: Reach, solver: Solver) -> Iterator[Finding]:
    shown = _shown(solver, solver.true(reach.whole[one.id]))
    about = (one.id, other.id)
    priorities = [{act[1]: act[2] for act in _acts(rule, solver) if act[0] == "refer"} for rule in (one, other)]
    differing = [
        service
        for service in priorities[0]
        if priorities[1].get(service, priorities[0][service]) != priorities[0][service]
    ]
    if differing:
        service = differing[0]
        message = (
            f"{one.id} and {other.id} fire for the same facts, and refer to {service} "
            f"{priorities[0][service]} and {priorities[1][service]}"
        )
        yield Finding("RL403", other.place, message, about, shown)
    else:
        yield Finding("RL401", other.place, f"{other.id} fires for the same facts as {one.id}", about, shown)


def _inside(rule: Rule, reach: Reach, solver: Solver) -> Iterator[Finding]:
    """Two referrals of one rule to one service, equally urgent, with different times: one of them is lost."""
    refers = [(outcome, outcome.act) for outcome in rule.then if isinstance(outcome.act, Refer)]
    for (one, first), (other, second) in combinations(refers, 2):
        service = solver.values.of(first.service)
        if service != solver.values.of(second.service) or first.priority != second.priority:
            continue
        if (first.within, first.start) == (second.within, second.start):
            continue
        own = [solver.true(each.when) for each in (one, other) if each.when is not None]
        together = (solver.true(reach.whole[rule.id]), *own)
        if solver.possible(*together):
            message = f"{rule.id} refers to {service} twice, {first.priority}, at different times"
            yield Finding("RL403", other.place, message, (rule.id,), _shown(solver, *together))


def _covered(narrow: Rule, wide: Rule, solver: Solver) -> bool:
    """Whether all that the first rule can do, the second does whenever it fires."""
    always = set(_acts(wide, solver, unconditional=True))
    return set(_acts(narrow, solver)) <= always and not narrow.asks and narrow.outside is None


def _acts(rule: Rule, solver: Solver, unconditional: bool = False) -> Iterator[Act]:
    for outcome in rule.then:
        if unconditional and outcome.when is not None:
            continue
        match outcome.act:
            case Refer(service=service, priority=priority):
                yield "refer", solver.values.of(service), priority
            case TaskSpec(code=code, priority=priority, service=service):
                yield "task", code, priority, service
            case FlagSpec(code=code):
                yield "flag", code
            case IssueSpec(code=code):
                yield "issue", code


def _shown(solver: Solver, *formulas: object) -> Witness:
    return witness(solver.witness(*formulas), solver.as_of, solver.content.facts)
