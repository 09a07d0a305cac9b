"""The pipeline as the replay runs it: wired once in each process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

from adapter.bootstrap import Adapter
from adapter.pipeline import Result, evaluate_all
from adapter.together import read_inputs


@cache
def _adapter() -> Adapter:
    return Adapter()


def evaluate_input(paths: Sequence[Path], as_of: date, provider: str) -> list[Result]:
    """Files or data sets' folders, read together → one result per record."""
    adapter = _adapter()
    read = read_inputs(adapter, paths)
    return [result for name, record in read for result in evaluate_all(adapter, [record], as_of, provider, name)]
