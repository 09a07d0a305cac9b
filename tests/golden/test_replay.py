"""Every recorded patient, the whole way from the source to the decision."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from adapter.replay import CaseReport, find_fixtures, read_expected, run_replay
from adapter.replay.evaluate import evaluate_input

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
CASES = [
    (folder.name, " + ".join(names)) for folder in find_fixtures(FIXTURES) for names in read_expected(folder).inputs
]


@cache
def replayed() -> dict[tuple[str, str], CaseReport]:
    return {(case.fixture, case.input): case for case in run_replay(FIXTURES, evaluate_input).cases}


@pytest.mark.parametrize(("fixture", "name"), CASES, ids=[f"{fixture}/{name}" for fixture, name in CASES])
def test_what_comes_out_is_what_a_clinician_expects(fixture: str, name: str) -> None:
    assert "\n".join(replayed()[fixture, name].lines()) == ""
