"""Recorded patients, and whether the program still decides about them as clinicians wrote down.

A fixture is a folder with an ``expected.yaml`` and one or several inputs, which all must give the same decision.
"""

from adapter.replay.compare import Difference, Replayed, compare
from adapter.replay.expected import Expected, Person, find_fixtures, read_expected
from adapter.replay.report import CaseReport, ReplayReport, html, junit
from adapter.replay.run import Evaluate, run_replay
from adapter.replay.update import update

__all__ = [
    "CaseReport",
    "Difference",
    "Evaluate",
    "Expected",
    "Person",
    "ReplayReport",
    "Replayed",
    "compare",
    "find_fixtures",
    "html",
    "junit",
    "read_expected",
    "run_replay",
    "update",
]
