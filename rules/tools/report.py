"""One report of what the tests beside the rules see, as text and as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rules.engine.conditions import Place
from rules.engine.errors import ContentError
from rules.tools.boundaries import Boundary, boundaries
from rules.tools.coverage import Coverage, Goal, cover
from rules.tools.mutants import Mutant
from rules.tools.mutation import Mutation, mutate
from rules.tools.traced import load_suite


@dataclass(frozen=True, slots=True)
class Report:
    """Coverage and boundaries of a pack's tests, and their mutation score where it was asked for."""

    folder: Path
    tests: int
    coverage: Coverage
    boundaries: tuple[Boundary, ...]
    mutation: Mutation | None = None

    @property
    def lowest(self) -> float:
        """The lowest percentage of the report: what ``--fail-under`` is held against."""
        return min(self.coverage.percent, self.mutation.score if self.mutation else 100.0)

    def lines(self, table: bool = False) -> Iterator[str]:
        """For reading. ``table``: with every case of every boundary."""
        groups = self.coverage.groups()
        width = max(map(len, groups), default=0)
        for group, (met, total) in groups.items():
            yield f"{group:<{width}}  {met:>3} of {total:>3}"
        if self.coverage.uncovered:
            yield from ("", "Not seen by any test:", *(self._goal(goal) for goal in self.coverage.uncovered))
        uncovered = [each for each in self.boundaries if each.lacking]
        if uncovered:
            yield from ("", "Values beside a threshold that no test has:")
            yield from (f"{self._at(each.place)}: {each.criterion}: {', '.join(each.lacking)}" for each in uncovered)
        idle = [each for each in self.boundaries if not each.matters]
        if idle:
            yield from ("", "Thresholds that change nothing, whichever test is moved across them:")
            yield from (f"{self._at(each.place)}: {each.rule}: {each.criterion}" for each in idle)
        if table:
            yield from self._table()
        if self.mutation and self.mutation.survivors:
            yield from ("", "Changes to the rules that no test notices:")
            yield from (self._mutant(mutant) for mutant in self.mutation.survivors)
        goals = self.coverage.goals
        met = len(goals) - len(self.coverage.uncovered)
        yield from ("", f"coverage {self.coverage.percent:.1f} % ({met} of {len(goals)}), {self.tests} tests")
        yield f"boundaries {len(self.boundaries) - len(uncovered)} of {len(self.boundaries)} tested on both sides"
        if self.mutation:
            killed, total = self.mutation.killed, self.mutation.total
            yield f"mutation score {self.mutation.score:.1f} % ({killed} of {total})"

    def json(self) -> dict[str, Any]:
        """Plain data: percentages, and lists of what is missing, each with file and line."""
        groups = self.coverage.groups()
        found: dict[str, Any] = {
            "tests": self.tests,
            "coverage": {
                "percent": round(self.coverage.percent, 2),
                "groups": {group: {"covered": met, "total": total} for group, (met, total) in groups.items()},
                "uncovered": [
                    {**self._where(goal.place), "group": goal.group, "what": goal.what, "outcome": goal.outcome}
                    for goal in self.coverage.uncovered
                ],
            },
            "boundaries": [
                {
                    **self._where(each.place),
                    "rule": each.rule,
                    "criterion": each.criterion,
                    "matters": each.matters,
                    "uncovered": list(each.lacking),
                    "test": each.test,
                    "cases": [{"value": case.value, "result": case.result} for case in each.cases],
                }
                for each in self.boundaries
            ],
        }
        if self.mutation:
            found["mutation"] = {
                "score": round(self.mutation.score, 2),
                "killed": self.mutation.killed,
                "total": self.mutation.total,
                "survivors": [
                    {**self._where(mutant.place), "rule": mutant.rule, "change": mutant.change}
                    for mutant in self.mutation.survivors
                ],
            }
        return found

    def _table(self) -> Iterator[str]:
        for each in self.boundaries:
            yield from ("", f"{self._at(each.place)}: {each.rule}: {each.criterion}")
            if each.cases:
                yield f'  from the test "{each.test}"'
                yield from (f"  {case.value:>6}  {case.result}" for case in each.cases)

    def _goal(self, goal: Goal) -> str:
        return f"{self._at(goal.place)}: {goal.group}: {goal.what}: {goal.outcome}"

    def _mutant(self, mutant: Mutant) -> str:
        return f"{self._at(mutant.place)}: {mutant.rule}: {mutant.change}"

    def _at(self, place: Place) -> str:
        return f"{self._file(place)}:{place.line}"

    def _where(self, place: Place) -> dict[str, Any]:
        return {"file": self._file(place), "line": place.line}

    def _file(self, place: Place) -> str:
        """The path below the pack's folder."""
        path = Path(place.file)
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else place.file


def measure(folder: Path, mutation: bool = False, jobs: int = 1) -> Report:
    """Measure the tests beside the rules of a pack; ``mutation`` also runs them against every mutant.

    Raises ContentError when a file is wrong, or when a test does not hold: then there is nothing to measure.
    """
    suite = load_suite(folder)
    for test in suite.failing():
        message = f"the test {test.name!r} does not hold: run 'perinatal rules test' first"
        raise ContentError(message, test.file, test.line, 1, code="RC081")
    coverage, sight = cover(suite)
    found = mutate(suite, jobs) if mutation else None
    return Report(folder, len(suite.tests), coverage, boundaries(suite, sight), found)
