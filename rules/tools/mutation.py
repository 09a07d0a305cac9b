"""Do the tests beside the rules notice when a rule is wrong? Each mutant of the pack is run against them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from rules.engine.rule_tests import RuleTest
from rules.tools.mutants import Mutant, mutants
from rules.tools.traced import Suite, TracedPack, load_suite

_FEW = 50


@dataclass(frozen=True, slots=True)
class Mutation:
    """What the tests made of the mutants: how many there were, and those that no test noticed."""

    total: int
    survivors: tuple[Mutant, ...]

    @property
    def killed(self) -> int:
        return self.total - len(self.survivors)

    @property
    def score(self) -> float:
        """Percent of the mutants that some test noticed."""
        return 100.0 * self.killed / self.total if self.total else 100.0


def mutate(suite: Suite, jobs: int = 1) -> Mutation:
    """Run every mutant against the tests; several processes read the pack again. The tests must hold beforehand."""
    every = list(mutants(suite.pack.content))
    if jobs > 1 and len(every) > _FEW:
        shares = [list(range(start, len(every), jobs)) for start in range(jobs)]
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            found = pool.map(_survivors_of, [suite.folder] * jobs, shares)
            alive = sorted(number for share in found for number in share)
    else:
        alive = _survivors(suite, every, range(len(every)))
    return Mutation(len(every), tuple(every[number] for number in alive))


def usual_jobs() -> int:
    return min(4, os.cpu_count() or 1)


def _survivors_of(folder: Path, numbers: Sequence[int]) -> list[int]:
    suite = _loaded(folder)
    return _survivors(suite, list(mutants(suite.pack.content)), numbers)


@cache
def _loaded(folder: Path) -> Suite:
    return load_suite(folder)


def _survivors(suite: Suite, every: Sequence[Mutant], numbers: Iterable[int]) -> list[int]:
    """The numbers of the mutants that pass every test. The test that noticed one is tried early on the next."""
    alive: list[int] = []
    order = list(suite.tests)
    for number in numbers:
        noticed_by = _noticing(suite, every[number], order)
        if noticed_by is None:
            alive.append(number)
        else:
            order.remove(noticed_by)
            order.insert(0, noticed_by)
    return alive


def _noticing(suite: Suite, mutant: Mutant, order: Sequence[RuleTest]) -> RuleTest | None:
    """A test that no longer holds. The tests that name the rule are tried first."""
    packs: dict[str, TracedPack] = {}
    for test in sorted(order, key=lambda test: not _names(test, mutant.rule)):
        if test.provider not in packs:
            packs[test.provider] = TracedPack(mutant.apply(suite.packs[test.provider].content))
        if not packs[test.provider].passes(test):
            return test
    return None


def _names(test: RuleTest, rule: str) -> bool:
    return any(isinstance(named, list) and rule in named for named in test.expect.values())
