"""The linter of rule packs: it solves the rules over all facts there can be, and shows what it finds by an example."""

from rules.tools.lint.catalogue import CATALOGUE
from rules.tools.lint.finding import Finding, Severity, Witness
from rules.tools.lint.run import LintReport, SolverMissing, lint

__all__ = ["CATALOGUE", "Finding", "LintReport", "Severity", "SolverMissing", "Witness", "lint"]
