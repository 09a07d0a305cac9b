"""Data quality: a record held against the validation rules of its own data set, before anybody submits it.

A broken rule is reported with the national error code and severity. It never blocks what can be used.
"""

from adapter.quality.checks import Checker, load_checker
from adapter.quality.report import Findings, as_issue, checked, quality_lines
from adapter.quality.rules import Rule, load_rules

__all__ = ["Checker", "Findings", "Rule", "as_issue", "checked", "load_checker", "load_rules", "quality_lines"]
