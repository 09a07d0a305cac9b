"""The rules engine: facts about one person go in, a decision that explains itself comes out.

This is the whole interface; other packages import nothing from ``rules.engine``.
"""

from rules.engine.availability import EVERYWHERE, Availability
from rules.engine.check_digit import verhoeff_ok
from rules.engine.content import Concept, FactDeclaration, Hours, Parameter, Provider, Rule, Service
from rules.engine.directory import Directory, DirectoryEntry, load_directory
from rules.engine.errors import ContentError, EngineDisagreement, EngineError, FactError, RulesError
from rules.engine.explain import why
from rules.engine.loader import LIBRARY
from rules.engine.model import (
    PRIORITIES,
    DateSpan,
    DaySpan,
    Decision,
    DecisionIssue,
    Fact,
    FactValue,
    Policy,
    ProposedFlag,
    ProposedReferral,
    ProposedTask,
    RuleOutcome,
    Source,
    State,
    Status,
    Trace,
    Truth,
)
from rules.engine.opening_hours import OpeningSpan, in_words, is_open
from rules.engine.pack import Pack, load_pack
from rules.engine.rule_tests import RuleTest, RuleTestFailure, rule_test_results, run_rule_tests
from rules.engine.yaml_file import Document, Node, load_yaml

__all__ = [
    "EVERYWHERE",
    "LIBRARY",
    "PRIORITIES",
    "Availability",
    "Concept",
    "ContentError",
    "DateSpan",
    "DaySpan",
    "Decision",
    "DecisionIssue",
    "Directory",
    "DirectoryEntry",
    "Document",
    "EngineDisagreement",
    "EngineError",
    "Fact",
    "FactDeclaration",
    "FactError",
    "FactValue",
    "Hours",
    "Node",
    "OpeningSpan",
    "Pack",
    "Parameter",
    "Policy",
    "ProposedFlag",
    "ProposedReferral",
    "ProposedTask",
    "Provider",
    "Rule",
    "RuleOutcome",
    "RuleTest",
    "RuleTestFailure",
    "RulesError",
    "Service",
    "Source",
    "State",
    "Status",
    "Trace",
    "Truth",
    "in_words",
    "is_open",
    "load_directory",
    "load_pack",
    "load_yaml",
    "rule_test_results",
    "run_rule_tests",
    "verhoeff_ok",
    "why",
]
