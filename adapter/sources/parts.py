"""The rows of one patient before they are read: where each stands, and what is already known to be said of her.

A row's place is a number: that of its table times ``PLACES``, and its own in there. Owners are numbers too, in the
order of the patients' table; those from ``APART`` on are refused for themselves, and rows of ``NOBODY`` come last.
"""

from __future__ import annotations

from typing import NamedTuple

from adapter.records import Issue

ORPHANS = "orphan rows"
PLACES = 1 << 40
APART = 1 << 60
NOBODY = 1 << 61


Given = tuple[int, int, int]
"""A row (its place), the row that it belongs to (-1: none), and the span where its table finds it."""


class Linked(NamedTuple):
    """The row at ``place`` names a row of the table ``name``."""

    place: int
    name: str
    found: int
    span: int


class Part(NamedTuple):
    """The rows of one owner, or as many as are read at once; ``whole``: all of them."""

    owner: int
    given: list[Given]
    whole: bool
    linked: list[Linked]
    issues: list[Issue]
    refused: bool
