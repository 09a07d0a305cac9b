"""Conditions in words for findings: whole groups, with their thresholds and the parameters these come from."""

from __future__ import annotations

from rules.engine.condition_text import text_of, threshold_of
from rules.engine.conditions import AllOf, AnyOf, Condition, Derived, Not, Unless
from rules.tools.lint.solver import Solver


def say(condition: Condition, solver: Solver) -> str:
    """One condition as a clinician would read it."""
    match condition:
        case AllOf(children=children):
            return " and ".join(grouped(child, solver) for child in children)
        case AnyOf(children=children):
            return " or ".join(grouped(child, solver) for child in children)
        case Not(child=child):
            return f"not: {grouped(child, solver)}"
        case Unless(child=child):
            return f"not certainly: {grouped(child, solver)}"
        case Derived():
            return f"“{text_of(condition, solver.content.facts, solver.values)}”"
    threshold = threshold_of(condition)
    source = f" [{threshold.parameter}]" if threshold and threshold.parameter else ""
    return f"“{text_of(condition, solver.content.facts, solver.values)}”{source}"


def grouped(condition: Condition, solver: Solver) -> str:
    """The same, in brackets where it is a group."""
    text = say(condition, solver)
    return f"({text})" if isinstance(condition, AllOf | AnyOf) and len(condition.children) > 1 else text
