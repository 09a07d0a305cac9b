"""Tools for those who write rules: what the tests of a pack see and would not notice, and what a change changes."""

from rules.tools.diff import PackDiff, diff, side_json
from rules.tools.mutation import usual_jobs
from rules.tools.reasons import reasons
from rules.tools.report import Report, measure
from rules.tools.sides import LoadedSide, Side, load_side, parse_side

__all__ = [
    "LoadedSide",
    "PackDiff",
    "Report",
    "Side",
    "diff",
    "load_side",
    "measure",
    "parse_side",
    "reasons",
    "side_json",
    "usual_jobs",
]
