"""Where the elements of a mapped record come from. Places are put into words only when somebody asks for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapter.sources.model import Row

Origin = tuple[Row, str] | str
"""A row and the name of its field, or a place in words."""

Trail = dict[str, Origin]
"""Element path → where its value comes from."""


class Lineage(Mapping[tuple[str, str], str]):
    """(fullUrl, element path) → place; with "" as path, that of the resource itself. ``trails`` are by fullUrl."""

    __slots__ = ("_trails",)

    def __init__(self, trails: Mapping[str, Trail]) -> None:
        self._trails = trails

    def __getitem__(self, key: tuple[str, str]) -> str:
        return words(self._trails[key[0]][key[1]])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for url, trail in self._trails.items():
            for path in trail:
                yield url, path

    def __len__(self) -> int:
        return sum(map(len, self._trails.values()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]  # like any mapping


def words(origin: Origin) -> str:
    """The place in words."""
    return origin if isinstance(origin, str) else origin[0].place(origin[1])
