"""The tests that stand beside the rules of the shipped library."""

from __future__ import annotations

import pytest

from rules import LIBRARY, load_pack
from rules.engine.rule_tests import rule_test_results

needs_library = pytest.mark.skipif(not (LIBRARY / "pack.yaml").is_file(), reason="the library is not here")


@needs_library
def test_every_test_beside_the_rules_holds():
    results = list(rule_test_results(LIBRARY))
    assert results
    failures = [str(failure) for _, found in results for failure in found]
    assert failures == [], "\n".join(failures)


@needs_library
def test_every_rule_has_a_source_and_fires_in_some_test():
    fired = {rule for test, _ in rule_test_results(LIBRARY) for rule in test.expect.get("fired", ())}
    rules = load_pack().rules
    assert all(rule.sources for rule in rules)
    assert [rule.id for rule in rules if rule.id not in fired] == []
