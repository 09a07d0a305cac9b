"""The rules engine: facts about one person go in, a decision that explains itself comes out.

This is the whole interface; other packages import nothing from ``rules.engine``.
"""

from rules.engine.conditions import Threshold
from rules.engine.content import (
    Ask,
    Concept,
    Content,
    FactDeclaration,
    FlagSpec,
    IssueSpec,
    Outcome,
    Parameter,
    Provider,
    Refer,
    Rule,
    Service,
    Step,
    TaskSpec,
    Within,
)
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
from rules.engine.pack import Pack, load_pack
from rules.engine.rule_tests import RuleTest, RuleTestFailure, rule_test_results, run_rule_tests
from rules.engine.yaml_file import Document, Node, load_yaml

__all__ = [
    "LIBRARY",
    "PRIORITIES",
    "Ask",
    "Concept",
    "Content",
    "ContentError",
    "DateSpan",
    "DaySpan",
    "Decision",
    "DecisionIssue",
    "Document",
    "EngineDisagreement",
    "EngineError",
    "Fact",
    "FactDeclaration",
    "FactError",
    "FactValue",
    "FlagSpec",
    "IssueSpec",
    "Node",
    "Outcome",
    "Pack",
    "Parameter",
    "ProposedFlag",
    "ProposedReferral",
    "ProposedTask",
    "Provider",
    "Refer",
    "Rule",
    "RuleOutcome",
    "RuleTest",
    "RuleTestFailure",
    "RulesError",
    "Service",
    "Source",
    "State",
    "Status",
    "Step",
    "TaskSpec",
    "Threshold",
    "Trace",
    "Truth",
    "Within",
    "load_pack",
    "load_yaml",
    "rule_test_results",
    "run_rule_tests",
    "why",
]
