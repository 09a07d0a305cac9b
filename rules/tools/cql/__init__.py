"""The logic of a pack in the Clinical Quality Language, for other engines to run and for people to read."""

from rules.engine.names import OUTSIDE_WHEN, ask, branch, outside, step
from rules.tools.cql.library import (
    CqlLibrary,
    Definition,
    cited,
    cql_library,
    library_name,
    unknown_fact,
    unknown_rule,
)
from rules.tools.cql.logic import Input

__all__ = [
    "OUTSIDE_WHEN",
    "CqlLibrary",
    "Definition",
    "Input",
    "ask",
    "branch",
    "cited",
    "cql_library",
    "library_name",
    "outside",
    "step",
    "unknown_fact",
    "unknown_rule",
]
