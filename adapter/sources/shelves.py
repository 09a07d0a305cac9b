"""Rows on numbered shelves: put there in any order, taken from there shelf by shelf, in this process or in another.

On disk they are in one temporary file, in the folder that ``SQLITE_TMPDIR`` or ``TMPDIR`` names (else ``/var/tmp`` or
``/tmp``). It is readable by its owner alone and has no name: nothing is left however the process ends. A process that
is started with the shelves is given the open file.
"""

from __future__ import annotations

import marshal
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from multiprocessing.reduction import DupFd
from typing import Any, Protocol

from adapter.errors import CannotStart
from adapter.records import Issue
from adapter.sources.parts import Given, Link

WAITING_BYTES = 16 * 1024 * 1024
"""In memory, about: then what is waiting is written, a chunk for each shelf."""
FITS_BYTES = 1024 * 1024
"""A shelf with more on disk is not loaded at once."""
_ROW_BYTES = 160  # of a waiting row, beside its text
_PLAIN = 2  # the format of marshal that looks for no repetitions, which takes longer than writing them

_Chunk = tuple[int, int]
"""Where a chunk is in the file, and its length."""


class Shelves(Protocol):
    """What ``kept`` and ``keep`` give is small, and finds the rows in any process that has the shelves."""

    def put(
        self,
        shelf: int,
        owner: int,
        table: int,
        number: int,
        parent: int,
        cells: Sequence[str],
        links: Sequence[Link] | None,
    ) -> None: ...

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

    def load(self, kept: Any) -> Iterator[Given]:
        """In the order of their owners, tables and numbers, which no two rows share."""
        ...

    def close(self) -> None: ...


class HeldShelves:
    """Shelves in memory."""

    def __init__(self) -> None:
        self._rows: defaultdict[int, list[Given]] = defaultdict(list)

    def put(
        self,
        shelf: int,
        owner: int,
        table: int,
        number: int,
        parent: int,
        cells: Sequence[str],
        links: Sequence[Link] | None,
    ) -> None:
        self._rows[shelf].append((owner, table, number, parent, cells, links))

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

    def load(self, kept: list[Given]) -> Iterator[Given]:
        return iter(sorted(kept))

    def close(self) -> None:
        """Nothing is kept anywhere else."""


class FiledShelves:
    """Shelves in a file. Raises CannotStart where the temporary folder cannot be written or is full.

    A chunk is the rows of one shelf, after the place of the chunk before it: memory holds the place of the last one.
    A row is so many values of a flat list. Its cells are one text, with NUL between them, which is in no file that is
    read in parts.
    """

    def __init__(self) -> None:
        with _room():
            self._file = tempfile.TemporaryFile(buffering=0, dir=_folder())  # noqa: SIM115 - see close
        self._end = self._bytes = 0
        self._waiting: defaultdict[int, list[Any]] = defaultdict(list)
        self._last: dict[int, tuple[_Chunk, int]] = {}  # shelf → its last chunk, and the bytes of all

    def put(
        self,
        shelf: int,
        owner: int,
        table: int,
        number: int,
        parent: int,
        cells: Sequence[str],
        links: Sequence[Link] | None,
    ) -> None:
        text = "\0".join(cells)
        self._waiting[shelf] += (owner, table, number, parent, text, links)
        self._bytes += _ROW_BYTES + len(text)
        if self._bytes > WAITING_BYTES:
            self._flush()

    def numbers(self) -> list[int]:
        self._flush()
        return sorted(self._last)

    def fits(self, shelf: int) -> bool:
        return self._last[shelf][1] <= FITS_BYTES

    def each(self, shelf: int) -> Iterator[Given]:
        places, chunk = [], self._last[shelf][0] if shelf in self._last else None
        while chunk is not None:
            places.append(chunk)
            chunk = self._read(chunk)[0]
        for place in reversed(places):
            yield from _with_cells(_rows(self._read(place)[1]))

    def kept(self, shelf: int) -> _Chunk:
        return self._last[shelf][0]

    def keep(self, rows: list[Given]) -> _Chunk:
        flat: list[Any] = []
        for *where, cells, links in rows:
            flat += (*where, "\0".join(cells), links)
        data = marshal.dumps((None, flat), _PLAIN)
        self._write(data)
        return self._end - len(data), len(data)

    def load(self, kept: _Chunk) -> Iterator[Given]:
        flat: list[Any] = []
        chunk: _Chunk | None = kept
        while chunk is not None:
            chunk, some = self._read(chunk)
            flat += some
        return _with_cells(sorted(_rows(flat)))

    def close(self) -> None:
        self._file.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"file": DupFd(self._file.fileno())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In another process: to load from."""
        self._file = FileIO(state["file"].detach())

    def _flush(self) -> None:
        parts, end = [], self._end
        for shelf, rows in self._waiting.items():
            before, size = self._last.get(shelf, (None, 0))
            data = marshal.dumps((before, rows), _PLAIN)
            self._last[shelf] = (end, len(data)), size + len(data)
            parts.append(data)
            end += len(data)
        self._waiting.clear()
        self._bytes = 0
        self._write(b"".join(parts))

    def _write(self, data: bytes) -> None:
        with _room():
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]
        self._end += len(data)

    def _read(self, chunk: _Chunk) -> tuple[_Chunk | None, list[Any]]:
        place, length = chunk
        found: tuple[_Chunk | None, list[Any]] = marshal.loads(os.pread(self._file.fileno(), length, place))  # noqa: S302 - our own file
        return found


def _rows(flat: list[Any]) -> Iterable[tuple[int, int, int, int, str, Sequence[Link] | None]]:
    values = iter(flat)
    return zip(values, values, values, values, values, values, strict=True)


def _with_cells(rows: Iterable[tuple[int, int, int, int, str, Sequence[Link] | None]]) -> Iterator[Given]:
    for owner, table, number, parent, text, links in rows:
        yield owner, table, number, parent, text.split("\0"), links


def _folder() -> str | None:
    """Where SQLite, too, has its temporary files."""
    named = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), "/var/tmp", "/tmp")  # noqa: S108
    return next((path for path in named if path and os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)), None)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        text = f"the temporary folder (TMPDIR) cannot hold what this input needs: {error.strerror}"
        raise CannotStart(Issue("fatal", "exception", text)) from None
