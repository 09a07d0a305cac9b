"""The commands for rules and mappings: importing this package adds them to their groups.

A module here imports what its commands use inside them, so that no command pays for another.
"""

from adapter.commands import mappings, rule_changes, rule_docs, rule_export, rule_lint, rule_tests
from adapter.commands.apps import mappings_app, rules_app

__all__ = [
    "mappings",
    "mappings_app",
    "rule_changes",
    "rule_docs",
    "rule_export",
    "rule_lint",
    "rule_tests",
    "rules_app",
]
