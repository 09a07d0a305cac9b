"""Rows on numbered shelves: put there in any order, taken from there shelf by shelf, in this process or in another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from operator import itemgetter
from typing import Any, Protocol

from adapter.sources.chunks import Chunk, Chunks
from adapter.sources.parts import Given, Link

FITS_BYTES = 1024 * 1024
"""A shelf with more on disk is not loaded at once."""
_ROW_BYTES = 160  # of a waiting row, beside its text
_Packed = tuple[int, int, int, int, str, Sequence[Link] | None]


class Shelves(Protocol):
    """What ``kept`` and ``keep`` give is small, and finds the rows in any process that has the shelves."""

    def pack(self, cells: Sequence[Sequence[str]]) -> list[Any]:
        """The cells of rows as they are put."""
        ...

    def unpack(self, packed: Any) -> Sequence[str]: ...

    def put_all(
        self,
        shelves: Iterable[int],
        table: int,
        owners: Iterable[int],
        numbers: Iterable[int],
        parents: Iterable[int],
        packed: Sequence[Any],
        links: Iterable[Sequence[Link] | None] = repeat(None),
    ) -> None:
        """Rows of one table, each on its shelf."""
        ...

    def put(self, shelf: int, given: Given) -> None: ...

    def numbers(self) -> list[int]:
        """Of the shelves that have rows, in order."""
        ...

    def fits(self, shelf: int) -> bool:
        """Whether its rows may be loaded at once."""
        ...

    def each(self, shelf: int) -> Iterator[Given]:
        """Its rows in the order in which they were put, a few at a time."""
        ...

    def kept(self, shelf: int) -> Any: ...

    def keep(self, rows: list[Given]) -> Any:
        """Rows that are on no shelf."""
        ...

    def load(self, kept: Any) -> Iterable[Given]:
        """In the order of their owners, tables and numbers, which no two rows share."""
        ...

    def close(self) -> None: ...


class HeldShelves:
    """Shelves in memory."""

    def __init__(self) -> None:
        self._rows: defaultdict[int, list[Given]] = defaultdict(list)

    def pack(self, cells: Sequence[Sequence[str]]) -> list[Any]:
        return list(cells)

    def unpack(self, packed: Any) -> Sequence[str]:
        found: Sequence[str] = packed
        return found

    def put_all(
        self,
        shelves: Iterable[int],
        table: int,
        owners: Iterable[int],
        numbers: Iterable[int],
        parents: Iterable[int],
        packed: Sequence[Any],
        links: Iterable[Sequence[Link] | None] = repeat(None),
    ) -> None:
        for shelf, given in zip(shelves, zip(owners, repeat(table), numbers, parents, packed, links), strict=False):
            self._rows[shelf].append(given)

    def put(self, shelf: int, given: Given) -> None:
        self._rows[shelf].append(given)

    def numbers(self) -> list[int]:
        return sorted(self._rows)

    def fits(self, shelf: int) -> bool:  # noqa: ARG002 - they are in memory
        return True

    def each(self, shelf: int) -> Iterator[Given]:
        return iter(self._rows[shelf])

    def kept(self, shelf: int) -> list[Given]:
        return self._rows[shelf]

    def keep(self, rows: list[Given]) -> list[Given]:
        return rows

    def load(self, kept: list[Given]) -> Iterable[Given]:
        return sorted(kept, key=itemgetter(0, 1, 2))

    def close(self) -> None:
        """Nothing is kept anywhere else."""


class FiledShelves:
    """Shelves in a file. Raises CannotStart where the temporary folder cannot be written or is full.

    A row is so many values of a flat list. Its cells are one text, with NUL between them, which is in no file that is
    read in parts.
    """

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks

    def pack(self, cells: Sequence[Sequence[str]]) -> list[Any]:
        return list(map("\0".join, cells))

    def unpack(self, packed: str) -> Sequence[str]:
        return packed.split("\0")

    def put_all(
        self,
        shelves: Iterable[int],
        table: int,
        owners: Iterable[int],
        numbers: Iterable[int],
        parents: Iterable[int],
        packed: Sequence[str],
        links: Iterable[Sequence[Link] | None] = repeat(None),
    ) -> None:
        waiting = self._chunks.waiting
        rows = zip(owners, repeat(table), numbers, parents, packed, links, strict=False)
        for shelf, row in zip(shelves, rows, strict=False):
            waiting[shelf].extend(row)
        self._chunks.filled(len(packed) * _ROW_BYTES + sum(map(len, packed)))

    def put(self, shelf: int, given: Given) -> None:
        *where, cells, links = given
        text = "\0".join(cells)
        self._chunks.waiting[shelf] += (*where, text, links)
        self._chunks.filled(_ROW_BYTES + len(text))

    def numbers(self) -> list[int]:
        return self._chunks.numbers()

    def fits(self, shelf: int) -> bool:
        return self._chunks.size(shelf) <= FITS_BYTES

    def each(self, shelf: int) -> Iterator[Given]:
        return _with_cells(chain.from_iterable(map(_rows, self._chunks.each(shelf))))

    def kept(self, shelf: int) -> Chunk:
        return self._chunks.last(shelf)

    def keep(self, rows: list[Given]) -> Chunk:
        flat: list[Any] = []
        for *where, cells, links in rows:
            flat += (*where, "\0".join(cells), links)
        return self._chunks.keep(flat)

    def load(self, kept: Chunk) -> Iterable[Given]:
        return _with_cells(sorted(_rows(self._chunks.load(kept))))

    def close(self) -> None:
        self._chunks.close()


def _rows(flat: list[Any]) -> Iterable[_Packed]:
    values = iter(flat)
    return zip(values, values, values, values, values, values, strict=True)


def _with_cells(rows: Iterable[_Packed]) -> Iterator[Given]:
    for owner, table, number, parent, text, links in rows:
        yield owner, table, number, parent, text.split("\0"), links
