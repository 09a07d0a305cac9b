"""Every recorded patient's formats read together, as if they were several systems' records of her: one decision, the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.replay import Expected, compare, find_fixtures, read_expected
from adapter.replay.evaluate import evaluate_input

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def alternatives(expected: Expected) -> list[Path]:
    """The inputs that tell the same story each; a file of lines tells that of another file again."""
    alone = [names[0] for names in expected.inputs if len(names) == 1]
    return [expected.folder / name for name in alone if not name.endswith(".ndjson")]


SEVERAL = [read for folder in find_fixtures(FIXTURES) if len(alternatives(read := read_expected(folder))) > 1]


@pytest.mark.parametrize("expected", SEVERAL, ids=lambda expected: expected.name)
def test_what_each_format_says_alone_they_say_together(expected: Expected) -> None:
    for paths in (alternatives(expected), alternatives(expected)[::-1]):
        results = evaluate_input(paths, expected.as_of, expected.provider)
        assert [difference.text for difference in compare(expected, results)] == []
