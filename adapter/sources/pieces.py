"""Bytes to be read from their beginning and again in parts: held in memory, or in a file that is larger than memory."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from adapter.errors import Malformed
from adapter.records import Issue

_CHUNK = 1 << 20


class Pieces(Protocol):
    """Where bytes are. Raises Malformed where they are not what they were before."""

    def chunks(self) -> Iterator[bytes]: ...

    def part(self, start: int, stop: int) -> bytes: ...


class Held:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def chunks(self) -> Iterator[bytes]:
        return iter((self._data,))

    def part(self, start: int, stop: int) -> bytes:
        return self._data[start:stop]


class InFile:
    """A file. ``close`` it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._name, self._state = path.name, self._now()

    def chunks(self) -> Iterator[bytes]:
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK):
            yield chunk

    def part(self, start: int, stop: int) -> bytes:
        data = os.pread(self._file.fileno(), stop - start, start)
        if self._now() != self._state:
            text = "the file was changed while it was read"
            raise Malformed(Issue("fatal", "structure", text, "malformed", self._name))
        return data

    def close(self) -> None:
        self._file.close()

    def _now(self) -> tuple[int, int]:
        now = os.fstat(self._file.fileno())
        return now.st_size, now.st_mtime_ns


def bounded_lines(file: BinaryIO, longest: int) -> Iterator[bytes]:
    """The lines of a file without a byte order mark; of one that is longer, ``longest`` bytes and one more."""
    first = True
    while line := file.readline(longest + 1):
        if len(line) > longest and not line.endswith(b"\n"):
            while (more := file.readline(_CHUNK)) and not more.endswith(b"\n"):
                pass
        yield line.removeprefix(BOM_UTF8) if first else line
        first = False
