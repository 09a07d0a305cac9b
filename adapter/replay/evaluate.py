"""The pipeline as the replay runs it: wired once in each process."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from adapter.bootstrap import Adapter
from adapter.pipeline import Result, evaluate_all, read_path


@cache
def _adapter() -> Adapter:
    return Adapter()


def evaluate_input(path: Path, as_of: date, provider: str) -> list[Result]:
    """A file or a data set's folder → one result per record."""
    adapter = _adapter()
    return list(evaluate_all(adapter, read_path(adapter, path), as_of, provider, path.name))
