"""What is to be said of owners, when their rows are taken in their order."""

from __future__ import annotations

from collections.abc import Iterator

from adapter.records import Issue
from adapter.sources.parts import Said
from adapter.sources.scratch import Item, Sorter

REFUSES, ONCE = 1, 2
"""How a thing is said: it refuses the record; it is said once, at its earliest turn."""


class Following:
    """What is said of owners, who are asked for in their order."""

    def __init__(self, sorter: Sorter) -> None:
        self._items: Iterator[Item] = iter(sorter)
        self._next = next(self._items, None)

    def before(self, owner: int) -> dict[int, Said]:
        """Of those before this one, and not yet asked for."""
        issues: dict[int, list[Issue]] = {}
        refused = set[int]()
        while self._next is not None and self._next[0] < owner:
            of, _, how, *what = self._next
            issue, said = Issue(*what), issues.setdefault(of, [])
            if how != ONCE or issue not in said:
                said.append(issue)
            if how == REFUSES:
                refused.add(of)
            self._next = next(self._items, None)
        return {of: (said, of in refused) for of, said in issues.items()}
