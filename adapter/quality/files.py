"""The CSV files beside a mapping that say what its data set allows: a header, comment lines, one row a line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from rules import ContentError


class Line(NamedTuple):
    """A row by its columns, and where it stands."""

    path: Path
    number: int
    cells: Mapping[str, str]

    def wrong(self, message: str) -> ContentError:
        return ContentError(message, str(self.path), self.number, 1)


def read_lines(path: Path, columns: tuple[str, ...]) -> Iterator[Line]:
    """The rows of the file. Raises ContentError with the line where the header or a row is not of these columns."""
    lines = [(n, line) for n, line in enumerate(path.read_text("utf-8").splitlines(), 1) if not line.startswith("#")]
    if not lines or tuple(next(csv.reader([lines[0][1]]), [])) != columns:
        raise ContentError(f"the header must be {','.join(columns)}", str(path), lines[0][0] if lines else 1, 1)
    for number, line in lines[1:]:
        cells = next(csv.reader([line]), [])
        if len(cells) != len(columns):
            raise ContentError(f"{len(cells)} cells under {len(columns)} columns", str(path), number, 1)
        yield Line(path, number, dict(zip(columns, cells, strict=True)))


def comments(path: Path) -> Iterator[str]:
    """What the comment lines of the file say."""
    return (line[1:].strip() for line in path.read_text("utf-8").splitlines() if line.startswith("#"))
