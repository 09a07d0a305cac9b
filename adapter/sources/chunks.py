"""Numbered lists of plain values in one temporary file: filled in any order, each read in the order it was filled.

The file is in the folder that ``SQLITE_TMPDIR`` or ``TMPDIR`` names (else ``/var/tmp`` or ``/tmp``). It is readable by
its owner alone and has no name: nothing is left however the process ends. A process that is started with the lists is
given the open file.
"""

from __future__ import annotations

import marshal
import os
import struct
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from multiprocessing.reduction import DupFd
from typing import Any

from adapter.errors import CannotStart
from adapter.records import Issue

WAITING_BYTES = 16 * 1024 * 1024
"""In memory, about: then what is waiting is written, a chunk for each list."""
_PLAIN = 2  # the format of marshal that looks for no repetitions, which takes longer than writing them
_HEAD = struct.Struct("<qq")
_NONE = (-1, 0)

Chunk = tuple[int, int]
"""Where a chunk is in the file, and its length."""


class Chunks:
    """Raises CannotStart where the temporary folder cannot be written or is full.

    A chunk is values of one list, after the place of the chunk before it: memory holds the place of the last one.
    """

    def __init__(self) -> None:
        with _room():
            self._file = tempfile.TemporaryFile(buffering=0, dir=_folder())  # noqa: SIM115 - see close
        self._end = self._bytes = 0
        self.waiting: defaultdict[int, list[Any]] = defaultdict(list)
        """What is added to the lists; ``filled`` says how much."""
        self._last: dict[int, tuple[int, int, int]] = {}  # list → its last chunk, and the bytes of all

    def filled(self, size: int) -> None:
        """So many bytes, about, are waiting more than before."""
        self._bytes += size
        if self._bytes > WAITING_BYTES:
            self.flush()

    def numbers(self) -> list[int]:
        """Of the lists that have values, in order."""
        self.flush()
        return sorted(self._last)

    def size(self, number: int) -> int:
        return self._last[number][2]

    def last(self, number: int) -> Chunk:
        return self._last[number][:2]

    def each(self, number: int) -> Iterator[list[Any]]:
        """Its values, a chunk at a time."""
        self.flush()
        places, chunk = [], self.last(number) if number in self._last else _NONE
        while chunk != _NONE:
            places.append(chunk)
            chunk = self._before(chunk)
        for chunk in reversed(places):
            yield self._read(chunk)[1]

    def load(self, chunk: Chunk) -> list[Any]:
        """All values up to those of this chunk, the last chunk first."""
        chunk, values = self._read(chunk)
        while chunk != _NONE:
            chunk, more = self._read(chunk)
            values += more
        return values

    def keep(self, values: list[Any]) -> Chunk:
        """As a chunk of no list."""
        data = _HEAD.pack(*_NONE) + marshal.dumps(values, _PLAIN)
        self._write(data)
        return self._end - len(data), len(data)

    def close(self) -> None:
        self._file.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"file": DupFd(self._file.fileno())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In another process: to load from."""
        self._file = FileIO(state["file"].detach())

    def flush(self) -> None:
        parts, end = list[bytes](), self._end
        for number, values in self.waiting.items():
            place, length, size = self._last.get(number, (*_NONE, 0))
            data = marshal.dumps(values, _PLAIN)
            parts += (_HEAD.pack(place, length), data)
            length = _HEAD.size + len(data)
            self._last[number] = end, length, size + length
            end += length
        self.waiting.clear()
        self._bytes = 0
        self._write(b"".join(parts))

    def _write(self, data: bytes) -> None:
        with _room():
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]
        self._end += len(data)

    def _before(self, chunk: Chunk) -> Chunk:
        place, length = _HEAD.unpack(os.pread(self._file.fileno(), _HEAD.size, chunk[0]))
        return place, length

    def _read(self, chunk: Chunk) -> tuple[Chunk, list[Any]]:
        data = os.pread(self._file.fileno(), chunk[1], chunk[0])
        place, length = _HEAD.unpack_from(data)
        values: list[Any] = marshal.loads(memoryview(data)[_HEAD.size :])  # noqa: S302 - our own file
        return (place, length), values


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
