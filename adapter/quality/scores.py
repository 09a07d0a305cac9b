"""The lowest and highest score of each assessment tool: ``score_ranges.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adapter.quality.files import read_lines
from rules import verhoeff_ok

FILE = "score_ranges.csv"
COLUMNS = ("tool", "low", "high", "note")


def load_ranges(path: Path) -> Mapping[str, tuple[float, float]]:
    """Tool → its range; none where there is no such file. Raises ContentError with the line."""
    ranges: dict[str, tuple[float, float]] = {}
    for line in read_lines(path, COLUMNS) if path.is_file() else ():
        tool = line.cells["tool"]
        if not (tool.isdigit() and verhoeff_ok(tool)) or tool in ranges:
            raise line.wrong("tool is no SNOMED CT code, or given twice")
        try:
            low, high = float(line.cells["low"]), float(line.cells["high"])
        except ValueError:
            raise line.wrong("low and high must be numbers") from None
        if not low < high:
            raise line.wrong("low must be less than high")
        ranges[tool] = (low, high)
    return ranges
