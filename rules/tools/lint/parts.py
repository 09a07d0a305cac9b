"""Criteria that do nothing: parts that can never be met, and parts whose absence nobody would notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rules.engine.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Not,
    OlderTest,
    Op,
    Unless,
    View,
    walk,
)
from rules.tools.lint.encoding import Formula
from rules.tools.lint.finding import Finding
from rules.tools.lint.solver import Solver
from rules.tools.lint.words import say
from rules.tools.thresholds import table

_LOWER, _UPPER = (Op.GT, Op.GTE), (Op.LT, Op.LTE)


@dataclass(frozen=True, slots=True)
class Use:
    """What is made of a condition; ``certain``: only where that is true matters, as an unknown one does nothing."""

    of: Callable[[Condition], Condition] = lambda condition: condition
    certain: bool = False


AS_IT_IS = (Use(),)
WHERE_TRUE = (Use(certain=True),)


def dead_parts(
    condition: Condition, solver: Solver, about: tuple[str, ...], *where: Formula, uses: Sequence[Use] = AS_IT_IS
) -> Iterator[Finding]:
    """Findings about the inside of one condition, where ``where`` holds around it."""

    def changes_nothing(without: Condition) -> bool:
        return all(
            solver.same(solver.truths(use.of(condition)), solver.truths(use.of(without)), *where, certain=use.certain)
            for use in uses
        )

    silent: list[Condition] = []
    for part, without in parts(condition):
        if any(part in list(walk(each)) for each in silent):
            continue
        if crossed := _crossed(part, solver):
            silent.append(part)
            yield Finding("RL304", part.place, crossed, about)
        elif _judged_by_range(part, solver):
            silent.append(part)
        elif not solver.possible(solver.true(part)):
            if not _deeper(part, solver):
                silent.append(part)
                yield Finding("RL201", part.place, f"this can never be met: {say(part, solver)}", about)
        elif without is not None and changes_nothing(without):
            yield Finding("RL202", part.place, f"nothing would change without: {say(part, solver)}", about)
            yield from dead_parts(without, solver, about, *where, uses=uses)  # of two equal parts one is needed
            return


def parts(condition: Condition) -> Iterator[tuple[Condition, Condition | None]]:
    """Every part, later and outer ones first, with the whole as it is without it (None: it cannot be left out)."""
    match condition:
        case AllOf(children=children) | AnyOf(children=children):
            for index, child in reversed(tuple(enumerate(children))):
                others = (*children[:index], *children[index + 1 :])
                without = None if not others else replace(condition, children=others)
                yield child, without
                for part, changed in parts(child):
                    changed_children = (*children[:index], changed, *children[index + 1 :]) if changed else None
                    yield part, replace(condition, children=changed_children) if changed_children else None
        case Not(child=child) | Unless(child=child):
            yield child, None
            for part, changed in parts(child):
                yield part, replace(condition, child=changed) if changed else None


def range_findings(condition: Condition, solver: Solver, about: tuple[str, ...]) -> Iterator[Finding]:
    """Thresholds outside the range of their fact, and comparisons that every known value meets."""
    facts = solver.content.facts
    for each in walk(condition):
        if not isinstance(each, Compare) or each.operand.view is not View.VALUE:
            continue
        limits = facts[each.operand.fact].range
        if limits is None:
            continue
        owners = (*about, *((each.threshold.parameter,) if each.threshold.parameter else ()))
        if any(not limits[0] <= threshold <= limits[1] for threshold in thresholds_of(each, solver)):
            message = f"the threshold is outside {limits[0]} to {limits[1]}, the range of the fact: {say(each, solver)}"
            yield Finding("RL303", each.place, message, owners)
        elif (found := table(each, facts, solver.values)) and set(found) == {True}:
            yield Finding("RL203", each.place, f"every known value meets this: {say(each, solver)}", owners)


def thresholds_of(comparison: Compare, solver: Solver) -> tuple[float, ...]:
    """The numbers that a value is compared with."""
    found = solver.values.of(comparison.threshold)
    several = found if isinstance(found, tuple) else (found,)
    return tuple(each for each in several if isinstance(each, int | float) and not isinstance(each, bool))


def _deeper(part: Condition, solver: Solver) -> bool:
    """Whether something inside the part is what can never be met."""
    if not isinstance(part, AllOf | AnyOf):
        return False
    return any(not solver.possible(solver.true(child)) for child in part.children)


def _judged_by_range(part: Condition, solver: Solver) -> bool:
    return isinstance(part, Compare | OlderTest) and next(range_findings(part, solver, ()), None) is not None


def _crossed(part: Condition, solver: Solver) -> str:
    """What to say of a band whose lower end is not below its upper end, or "" for everything else."""
    if not isinstance(part, AllOf) or not all(isinstance(child, Compare) for child in part.children):
        return ""
    ends = [child for child in part.children if isinstance(child, Compare)]
    same = len({child.operand for child in ends}) == 1 and len(ends) > 1
    both = any(child.op in _LOWER for child in ends) and any(child.op in _UPPER for child in ends)
    if not (same and both) or solver.possible(solver.true(part)):
        return ""
    return f"no value lies in this band: {say(part, solver)}"
