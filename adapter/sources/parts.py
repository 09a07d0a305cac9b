"""The rows of some patients before records are made of them, and what is already known to be said of each.

Owners are numbers, in the order of the patients' table; those from ``APART`` on are refused for themselves, and the
rows of ``NOBODY`` come last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from adapter.records import Issue

ORPHANS = "orphan rows"
APART = 1 << 60
NOBODY = 1 << 61
MOST_ROWS = 20_000
"""Of one record. Rows of nobody beyond that make another refused record; a patient with more is refused, in parts."""

Link = tuple[int, int, Sequence[str]]
"""A row of a lookup table that a row names: the table's number, the row's, and its cells."""
Given = tuple[int, int, int, int, Sequence[str], Sequence[Link] | None]
"""A row: its owner, its table's number, its own, that of the row which it belongs to (-1: none), cells and links."""
Said = tuple[Sequence[Issue], bool]
"""Of an owner, and whether the record is refused for it."""
NOTHING: Said = ((), False)


class Part(NamedTuple):
    """The rows of some owners, under what their ``Shelves`` find them by.

    ``whole``: all of each owner, or else some rows of only one. ``said``: of owners whose first rows these are. A part
    without a row is a record of nobody's, for what is said.
    """

    kept: Any
    said: Mapping[int, Said]
    whole: bool = True


def pieces(rows: Iterable[Given]) -> Iterator[tuple[list[Given], bool]]:
    """The rows of one owner, as many as one record may have, and whether they are all."""
    left = iter(rows)
    piece, whole = list(islice(left, MOST_ROWS)), True
    while piece:
        following = list(islice(left, MOST_ROWS))
        whole = whole and not following
        yield piece, whole
        piece = following
