"""Runs every fixture of a folder through the pipeline, on several processors, and reports in order of name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path

from adapter.parallel import INPUTS_WORTH_A_PROCESS, spread
from adapter.replay.compare import Difference, Replayed, compare
from adapter.replay.expected import Expected, find_fixtures, read_expected
from adapter.replay.report import CaseReport, ReplayReport
from adapter.replay.update import observed

Evaluate = Callable[[Sequence[Path], date, str], Sequence[Replayed]]
"""The pipeline: files or folders that are read together, the as-of date and the provider's name → the results."""


def run_replay(
    folder: Path, evaluate: Evaluate, jobs: int = 1, inputs_per_process: int = INPUTS_WORTH_A_PROCESS
) -> ReplayReport:
    """Evaluate every input of every fixture at or below ``folder`` and compare.

    At most ``jobs`` processes are used, and one where there are few inputs. With ``jobs`` above 1, ``evaluate`` must
    be importable by name (a module's function). Raises ContentError for an ``expected.yaml`` that cannot be read,
    CannotStart where there is none.
    """
    fixtures = [read_expected(fixture) for fixture in find_fixtures(folder)]
    cases = [(fixture, names) for fixture in fixtures for names in fixture.inputs]
    return ReplayReport(tuple(spread(partial(_replay, evaluate), cases, jobs, inputs_per_process)))


def _replay(evaluate: Evaluate, case: tuple[Expected, tuple[str, ...]]) -> CaseReport:
    expected, names = case
    try:
        results = evaluate([expected.folder / name for name in names], expected.as_of, expected.provider)
        differences, came_out = compare(expected, results), observed(expected, results)
    except Exception as error:  # an input that cannot be evaluated is a difference; it never stops the others
        differences, came_out = (Difference(f"could not be evaluated: {type(error).__name__}: {error}"),), ""
    return CaseReport(expected.name, " + ".join(names), expected.title, differences, came_out)
