"""Tools for those who write rules: what the tests beside the rules of a pack see, and what they would not notice."""

from rules.tools.mutation import usual_jobs
from rules.tools.report import Report, measure

__all__ = ["Report", "measure", "usual_jobs"]
