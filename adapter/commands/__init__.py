"""The commands for rules and mappings: importing this package adds them to their groups.

A module here imports what its commands use inside them, so that no command pays for another.
"""

from adapter.commands import mappings, rule_export, rule_tests
from adapter.commands.apps import mappings_app, rules_app

__all__ = ["mappings", "mappings_app", "rule_export", "rule_tests", "rules_app"]
