"""Where the elements of a mapped record come from. Places are put into words only when somebody asks for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from adapter.sources.model import Row


class Together(tuple[tuple[Row, str], ...]):
    """The fields that a value was made of together."""

    __slots__ = ()


Origin = tuple[Row, str] | Together | str
"""A row and the name of its field, several of them, or a place in words."""

Trail = dict[str, Origin]
"""Element path → where its value comes from."""


class Trailed(Protocol):
    """What was made, with its trail."""

    def whole(self) -> Trail: ...


class Lineage(Mapping[tuple[str, str], str]):
    """(fullUrl, element path) → place; with "" as path, that of the resource itself. ``made`` is by fullUrl."""

    __slots__ = ("_made", "_trails")

    def __init__(self, made: Mapping[str, Trailed]) -> None:
        self._made = made
        self._trails: dict[str, Trail] = {}

    def _trail(self, url: str) -> Trail:
        trail = self._trails.get(url)
        if trail is None:
            trail = self._trails[url] = self._made[url].whole()
        return trail

    def __getitem__(self, key: tuple[str, str]) -> str:
        return words(self._trail(key[0])[key[1]])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for url in self._made:
            for path in self._trail(url):
                yield url, path

    def __len__(self) -> int:
        return sum(len(self._trail(url)) for url in self._made)

    def __bool__(self) -> bool:
        return bool(self._made)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]  # like any mapping


def words(origin: Origin) -> str:
    """The place in words."""
    if isinstance(origin, str):
        return origin
    if isinstance(origin, Together):
        return "; ".join([row.place(name) for row, name in origin])
    row, name = origin
    return row.place(name)
