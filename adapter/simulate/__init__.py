"""What a change of the rules would change, and for whom: the records of a cohort decided under two sides."""

from adapter.simulate.cohort import Case, find_cases
from adapter.simulate.compare import Compared, Judged, compare
from adapter.simulate.evaluate import Plan, compare_case, load_plan
from adapter.simulate.page import page
from adapter.simulate.report import Simulation, simulate
from adapter.simulate.table import render

__all__ = [
    "Case",
    "Compared",
    "Judged",
    "Plan",
    "Simulation",
    "compare",
    "compare_case",
    "find_cases",
    "load_plan",
    "page",
    "render",
    "simulate",
]
