"""Runs every fixture of a folder through the pipeline, on several processors, and reports in order of name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from adapter.errors import CannotStart
from adapter.records import Issue
from adapter.replay.compare import Difference, Replayed, compare
from adapter.replay.expected import Expected, find_fixtures, read_expected
from adapter.replay.report import CaseReport, ReplayReport, junit
from adapter.replay.update import observed
from rules import ContentError

if TYPE_CHECKING:
    from adapter.bootstrap import Adapter
    from adapter.pipeline import Result

INPUTS_WORTH_A_PROCESS = 200
"""A process takes about a second to start, in which this many small inputs are done."""

Evaluate = Callable[[Path, date, str], Sequence[Replayed]]
"""The pipeline: a file or folder, the as-of date and the provider's name → one result per record."""


def replay_folder(folder: Path, jobs: int = 0, junit_file: Path | None = None) -> ReplayReport:
    """Replay the fixtures at or below ``folder`` through the shipped pipeline, as the environment configures it.

    ``jobs`` 0 uses the cores that the number of inputs is worth. Raises CannotStart where the rules or a
    fixture's expectation cannot be read, or there is no fixture.
    """
    _adapter().content()
    try:
        report = run_replay(folder, evaluate_path, jobs)
    except ContentError as wrong:
        raise CannotStart(Issue("fatal", "exception", str(wrong))) from None
    if junit_file is not None:
        junit_file.write_text(junit(report), encoding="utf-8")
    return report


def run_replay(folder: Path, evaluate: Evaluate, jobs: int = 1) -> ReplayReport:
    """Evaluate every input of every fixture at or below ``folder`` and compare.

    With ``jobs`` other than 1, ``evaluate`` must be importable by name (a module's function), since it may run in
    other processes. Raises ContentError for an ``expected.yaml`` that cannot be read, CannotStart where there is none.
    """
    fixtures = [read_expected(fixture) for fixture in find_fixtures(folder)]
    cases = [(fixture, name) for fixture in fixtures for name in fixture.inputs]
    replay = partial(_replay, evaluate)
    jobs = jobs or min(os.cpu_count() or 1, len(cases) // INPUTS_WORTH_A_PROCESS)
    if jobs <= 1:
        return ReplayReport(tuple(map(replay, cases)))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return ReplayReport(tuple(pool.map(replay, cases, chunksize=max(1, len(cases) // (4 * jobs)))))


def evaluate_path(path: Path, as_of: date, provider: str) -> list[Result]:
    """Every result of one input, by this process's adapter."""
    from adapter.pipeline import evaluate_all, read_path

    adapter = _adapter()
    return list(evaluate_all(adapter, read_path(adapter, path), as_of, provider, path.name))


@cache
def _adapter() -> Adapter:
    from adapter.bootstrap import Adapter

    return Adapter()


def _replay(evaluate: Evaluate, case: tuple[Expected, str]) -> CaseReport:
    expected, name = case
    try:
        results = evaluate(expected.folder / name, expected.as_of, expected.provider)
        differences, came_out = compare(expected, results), observed(expected, results)
    except Exception as error:  # an input that cannot be evaluated is a difference; it never stops the others
        differences, came_out = (Difference(f"could not be evaluated: {type(error).__name__}: {error}"),), ""
    return CaseReport(expected.name, name, expected.title, differences, came_out)
