"""A CSV file that is too large to be held: some of its rows at a time.

What is refused, and in which words, is what ``csv_files`` refuses.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Iterator
from itertools import chain, compress, islice
from operator import itemgetter
from pathlib import Path

from adapter.errors import Malformed
from adapter.records import Issue
from adapter.sources.csv_files import (
    AS_WINDOWS,
    NEITHER,
    NO_TEXT,
    NOT_UTF8,
    Lines,
    columns_of,
    malformed,
)

LONGEST_ROW = (1 << 24) - 1
"""Bytes: so much is held for a file that has no end of a line or of a quotation."""
CHANGED = "the file was changed while it was read"
_CHUNK = 1 << 20
_BLOCK = 1 << 14  # bytes of which the rows are given together
_BOM = codecs.BOM_UTF8


def can_stream(encoding: str) -> bool:
    """Whether each line of a file in this encoding can be decoded by itself; "" is UTF-8 or Windows-1252."""
    found = codecs.lookup(encoding or "utf-8").name
    return found in {"utf-8", "ascii", "cp1252"} or found.startswith("iso8859-")


class StreamedTable:
    """A table of which nothing is held but its header. Raises Malformed, with the place, for what is no CSV."""

    def __init__(self, path: Path, name: str, delimiter: str = ",", encoding: str = "") -> None:
        self.name, self._path, self._delimiter = name, path.resolve(), delimiter
        self.issues: list[Issue] = []
        self._codec = self._codec_of(encoding)
        self._file = path.open("rb")
        self._state = self._now()
        self._start = len(_BOM) if self._file.read(3) == _BOM and self._codec == "utf-8" else 0
        header = next(self._rows(), [[]])[0]
        self.columns, found = columns_of(header, name)
        self.issues += found

    @property
    def size(self) -> int:
        return self._state[0]

    def close(self) -> None:
        self._file.close()

    def chunks(self) -> Iterator[Lines]:
        rows = self._rows()
        next(rows, None)
        number = 2
        for cells in rows:
            numbers = range(number, number + len(cells))
            number += len(cells)
            if all(cells) and all(map(str.strip, map(itemgetter(0), cells))):
                yield numbers, cells
            else:
                filled = [any(map(str.strip, row)) for row in cells]
                yield list(compress(numbers, filled)), list(compress(cells, filled))

    def check(self) -> None:
        if self._now() != self._state:
            raise malformed(self.name, CHANGED)

    def _now(self) -> tuple[int, int]:
        now = os.fstat(self._file.fileno())
        return now.st_size, now.st_mtime_ns

    def _rows(self) -> Iterator[list[list[str]]]:
        """Every row, the header first and alone."""
        rows: list[list[str]] = []
        given = ended = plain = 0  # rows that were given, lines that were read, and lines that are a row each
        with self._path.open("rb") as data, io.TextIOWrapper(data, self._codec, newline="") as file:
            data.seek(self._start)

            def blocks() -> Iterator[list[str]]:
                nonlocal ended, plain
                begun, before = 0, 0
                while lines := file.readlines(_BLOCK):
                    if given + len(rows) > before:
                        begun, before = data.tell(), given + len(rows)
                    elif data.tell() - begun > LONGEST_ROW:
                        raise _too_long(f"{self.name} row {given + len(rows) + 1}")
                    ended += len(lines)
                    plain = 0 if '"' in "".join(lines) else len(lines) - 1
                    yield lines

            reader = csv.reader(chain.from_iterable(blocks()), delimiter=self._delimiter, strict=True)
            try:
                for cells in reader:
                    rows.append(cells)
                    if given and plain and reader.line_num == ended - plain:
                        rows.extend(islice(reader, plain))
                    if not given or reader.line_num >= ended:
                        given += len(rows)
                        yield rows
                        rows = []
            except csv.Error as error:
                raise malformed(f"{self.name} row {given + len(rows) + 1}", f"broken CSV: {error}") from None
            except UnicodeDecodeError:
                raise malformed(self.name, CHANGED) from None
        if rows:
            yield rows
        self.check()

    def _codec_of(self, encoding: str) -> str:
        """The encoding that the whole file is in."""
        if encoding not in ("", "utf-8"):
            if self._undecodable(encoding):
                raise malformed(self.name, f"this is not {encoding}, as which the mapping has it read")
            return encoding
        row = self._undecodable("utf-8")
        if not row:
            return "utf-8"
        if encoding:
            raise malformed(f"{self.name} row {row}", NOT_UTF8)
        if row := self._undecodable("cp1252"):
            raise malformed(f"{self.name} row {row}", NEITHER)
        self.issues.append(Issue("warning", "structure", AS_WINDOWS, "", self.name))
        return "cp1252"

    def _undecodable(self, codec: str) -> int:
        """The row (a line, strictly) in which the first byte stands that this codec cannot read; 0: there is none."""
        decoder = codecs.getincrementaldecoder(codec)()
        lines, since = 1, 0
        with self._path.open("rb") as file:
            while True:
                chunk = file.read(_CHUNK)
                if b"\0" in chunk:
                    row = lines + chunk[: chunk.index(b"\0")].count(b"\n")
                    raise malformed(f"{self.name} row {row}", NO_TEXT)
                try:
                    decoder.decode(chunk, final=not chunk)
                except UnicodeDecodeError as error:
                    return lines + error.object[: error.start].count(b"\n")
                if not chunk:
                    return 0
                last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
                since = len(chunk) - last if last >= 0 else since + len(chunk)
                lines += chunk.count(b"\n")
                if since > LONGEST_ROW:
                    raise _too_long(f"{self.name} row {lines}")


def _too_long(place: str) -> Malformed:
    return malformed(place, f"this row is longer than {LONGEST_ROW} bytes")
