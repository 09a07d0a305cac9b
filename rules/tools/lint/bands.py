"""Gaps and overlaps between the rules that divide one score among themselves.

Two rules are bands of a score when they have the same window and each fires by that score alone: with nothing else on
record than the window asks for, and the score known. A score is divided when one of its bands has an upper end as well;
"at least" thresholds beside each other (a self-harm item of 1 or more, and of 3) are steps that are meant to be
climbed together, and no bands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import z3

from rules.engine.conditions import Compare, Condition, Derived, Place, View, walk
from rules.engine.content import Rule
from rules.tools.lint.encoding import Formula, facts_in
from rules.tools.lint.finding import Finding, witness
from rules.tools.lint.parts import thresholds_of
from rules.tools.lint.reach import Reach
from rules.tools.lint.solver import Solver

Number = int | float
_NUMBERS = ("integer", "number")


@dataclass(frozen=True, slots=True)
class _Band:
    """A rule and, of the values tried (in order), those at which it fires by the score alone."""

    rule: Rule
    fires_at: tuple[Number, ...]
    has_top: bool


def band_findings(reach: Reach, solver: Solver) -> Iterator[Finding]:
    """Values that no band takes, and values that two take."""
    groups: dict[Condition | None, list[Rule]] = {}
    for rule in reach.rules:
        if rule.id not in reach.impossible:
            groups.setdefault(_without_place(rule.window), []).append(rule)
    for rules in groups.values():
        if len(rules) > 1:
            for score in _scores(rules, solver):
                yield from _Divided(score, rules, reach, solver).findings()


class _Divided:
    """One score, and the rules of one window that may divide it."""

    def __init__(self, score: str, rules: Sequence[Rule], reach: Reach, solver: Solver) -> None:
        self._score, self._solver = score, solver
        self._values = _values_to_try(score, reach, solver)
        self._fires: Mapping[str, Formula] = {rule.id: solver.true(reach.whole[rule.id]) for rule in rules}
        self._alone = _alone(score, rules, reach, solver)
        self._rules = rules

    def findings(self) -> Iterator[Finding]:
        bands = [band for rule in self._rules if (band := self._band(rule)) is not None]
        if len(bands) < 2 or not any(band.has_top for band in bands):
            return
        lowest = min(band.fires_at[0] for band in bands)
        yield from self._gaps(bands, [value for value in self._values if value > lowest])
        for index, one in enumerate(bands):
            for other in bands[index + 1 :]:
                yield from self._overlap(one, other)

    def _band(self, rule: Rule) -> _Band | None:
        without = self._solver.at_rest((self._score,))
        if self._solver.possible(self._fires[rule.id], without, *self._alone):
            return None  # it fires without the score too
        fires_at = tuple(value for value in self._values if self._possible(value, self._fires[rule.id]))
        return _Band(rule, fires_at, fires_at[-1] != self._values[-1]) if fires_at else None

    def _gaps(self, bands: Sequence[_Band], values: Sequence[Number]) -> Iterator[Finding]:
        none_fires = z3.And(*(z3.Not(self._fires[band.rule.id]) for band in bands))
        taken = {value for band in bands for value in band.fires_at}
        for empty in self._runs(set(values) - taken):
            yield self._gap(bands, empty, none_fires)

    def _runs(self, chosen: Set[Number]) -> Iterator[list[Number]]:
        """Chosen values that follow each other among those tried, together."""
        for wanted, group in groupby(self._values, chosen.__contains__):
            if wanted:
                yield list(group)

    def _gap(self, bands: Sequence[_Band], empty: Sequence[Number], none_fires: Formula) -> Finding:
        below = max(bands, key=lambda band: max((v for v in band.fires_at if v < empty[0]), default=-1))
        names = ", ".join(band.rule.id for band in bands)
        message = f"{self._label} of {_span(empty)} is in no band of {names}"
        about = (self._score, *(band.rule.id for band in bands))
        return Finding("RL301", self._place(below.rule), message, about, self._shown(empty[0], none_fires))

    def _overlap(self, one: _Band, other: _Band) -> Iterator[Finding]:
        for both in self._runs(set(one.fires_at) & set(other.fires_at)):
            message = f"{self._label} of {_span(both)} is in the band of {one.rule.id} and in that of {other.rule.id}"
            about = (self._score, one.rule.id, other.rule.id)
            fire = (self._fires[one.rule.id], self._fires[other.rule.id])
            yield Finding("RL302", self._place(other.rule), message, about, self._shown(both[0], *fire))

    def _possible(self, value: Number, *formulas: Formula) -> bool:
        return self._solver.possible(self._at(value), *self._alone, *formulas)

    def _at(self, value: Number) -> Formula:
        each = self._solver.encoder.of(self._score)
        return z3.And(each.known, z3.Not(each.dated), each.value.single == value)

    def _shown(self, value: Number, *formulas: Formula) -> Any:
        facts = self._solver.witness(self._at(value), *self._alone, *formulas)
        return witness(facts, self._solver.as_of, self._solver.content.facts)

    def _place(self, rule: Rule) -> Place:
        """Where a rule compares the score, in its own condition or in a named one."""
        return next((each.place for each in self._compared(rule.when)), rule.place)

    def _compared(self, condition: Condition) -> Iterator[Compare]:
        for each in walk(condition):
            if isinstance(each, Compare) and each.operand.fact == self._score:
                yield each
            elif isinstance(each, Derived) and (derive := self._solver.content.facts[each.fact].derive) is not None:
                yield from self._compared(derive)

    @property
    def _label(self) -> str:
        return f"a value for “{self._solver.content.facts[self._score].label}”"


def _scores(rules: Sequence[Rule], solver: Solver) -> list[str]:
    """The numbers that these rules rest on, in the order of facts.yaml."""
    facts = facts_in((rule.when for rule in rules), solver.content.facts)
    declared = solver.content.facts
    return [name for name in declared if name in facts and declared[name].type in _NUMBERS]


def _alone(score: str, rules: Sequence[Rule], reach: Reach, solver: Solver) -> tuple[Formula, ...]:
    """The window holds, and nothing is given but the score and what the window looks at."""
    window = rules[0].window
    used = facts_in((reach.whole[rule.id] for rule in rules), solver.content.facts) - {score}
    if window is None:
        return (solver.at_rest(sorted(used)),)
    looked_at = facts_in((window,), solver.content.facts)
    scores = {name for name in looked_at if solver.content.facts[name].type in _NUMBERS}
    for free in (looked_at - scores, looked_at):  # a window that only a score can open needs that score
        alone = (solver.at_rest(sorted(used - free)), solver.true(window))
        if solver.possible(*alone):
            break
    return alone


def _values_to_try(score: str, reach: Reach, solver: Solver) -> tuple[Number, ...]:
    """Values between which no comparison of the pack changes: both sides of each threshold, and the ends."""
    declaration = solver.content.facts[score]
    whole = declaration.type == "integer"
    conditions = [*reach.whole.values(), *(each.derive for each in solver.content.facts.values() if each.derive)]
    thresholds = {
        threshold
        for condition in conditions
        for each in walk(condition)
        if isinstance(each, Compare) and each.operand.fact == score and each.operand.view is View.VALUE
        for threshold in thresholds_of(each, solver)
    }
    ends = declaration.range or (min(thresholds, default=0) - 1, max(thresholds, default=0) + 1)
    edges = sorted({*thresholds, *ends})
    between = [(low + high) / 2 for low, high in pairwise(edges)]
    near = [value + step for value in edges for step in (-1, 0, 1)] if whole else [*edges, *between]
    return tuple(value for value in sorted(set(near)) if ends[0] <= value <= ends[1])


def _span(values: Sequence[Number]) -> str:
    return str(values[0]) if len(values) == 1 else f"{values[0]} to {values[-1]}"


def _without_place(window: Condition | None) -> Any:
    """What two rules with the same window have in common."""
    if window is None:
        return None
    return window.fact if isinstance(window, Derived) else getattr(window, "operand", window)
