"""A CSV file that is too large to be held: read once for the keys of its rows, and row by row where it is asked for.

What is refused, and in which words, is what ``csv_files`` refuses.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from adapter.errors import Malformed
from adapter.records import Issue
from adapter.sources.csv_files import (
    AS_WINDOWS,
    NEITHER,
    NO_TEXT,
    NOT_UTF8,
    Line,
    Place,
    TableRow,
    columns_of,
    malformed,
)

LONGEST_ROW = (1 << 24) - 1
"""Bytes: a place in the file and a length are kept as one number."""
CHANGED = "the file was changed while it was read"
_CHUNK = 1 << 20
_GAP = 4096  # bytes between two rows that are read together rather than one by one
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
        header = next(self._rows(), ([], 0))[0]
        self.columns, found = columns_of(header, name)
        self.issues += found

    def close(self) -> None:
        self._file.close()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_file"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In another process: the same file, opened again. ``load`` says where it is no more what it was."""
        vars(self).update(state)
        self._file = self._path.open("rb")

    def lines(self, columns: Sequence[str]) -> Iterator[Line]:
        wanted = [self.columns.get(column, LONGEST_ROW) for column in columns]
        last = max(wanted, default=0)
        for number, (cells, span) in enumerate(self._rows(), 1):
            if number == 1 or not (cells and (cells[0].strip() or any(map(str.strip, cells)))):
                continue
            if last < len(cells):
                yield Line(number, span, [cells[at].strip() or None for at in wanted])
            else:
                yield Line(number, span, [cells[at].strip() or None if at < len(cells) else None for at in wanted])

    def load(self, places: Sequence[Place]) -> list[TableRow]:
        texts = self._texts([span for _, span in places])
        reader = csv.reader(io.StringIO("".join(texts), newline=""), delimiter=self._delimiter, strict=True)
        rows = [
            TableRow(self.name, self.columns, number, cells) for (number, _), cells in zip(places, reader, strict=True)
        ]
        if self._now() != self._state:
            raise malformed(self.name, CHANGED)
        return rows

    def _now(self) -> tuple[int, int]:
        now = os.fstat(self._file.fileno())
        return now.st_size, now.st_mtime_ns

    def _rows(self) -> Iterator[tuple[list[str], int]]:
        """Every row with its span, the header first."""
        at = self._start
        with self._path.open(encoding=self._codec, newline="") as file:
            file.seek(at)

            def counted() -> Iterator[str]:
                nonlocal at
                codec = self._codec
                for line in file:
                    at += len(line) if line.isascii() else len(line.encode(codec))
                    yield line

            reader = csv.reader(counted(), delimiter=self._delimiter, strict=True)
            number = 0
            while True:
                number, start = number + 1, at
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    raise malformed(f"{self.name} row {number}", f"broken CSV: {error}") from None
                except UnicodeDecodeError:
                    raise malformed(self.name, CHANGED) from None
                if at - start > LONGEST_ROW:
                    raise _too_long(f"{self.name} row {number}")
                yield cells, start << 24 | at - start

    def _texts(self, spans: Sequence[int]) -> list[str]:
        """The rows at these spans, each with the end of its line."""
        found: dict[int, str] = {}
        for run in _runs(sorted(set(spans))):
            begin = run[0] >> 24
            data = os.pread(self._file.fileno(), (run[-1] >> 24) + (run[-1] & LONGEST_ROW) - begin, begin)
            for span in run:
                start = (span >> 24) - begin
                text = data[start : start + (span & LONGEST_ROW)].decode(self._codec)
                found[span] = text if text[-1:] in ("\n", "\r") else f"{text}\n"
        return [found[span] for span in spans]

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


def _runs(spans: Sequence[int]) -> Iterator[list[int]]:
    """Spans that stand so close together that they are read at once."""
    run: list[int] = []
    for span in spans:
        if run and ((span >> 24) - (run[-1] >> 24) > _GAP or (span >> 24) - (run[0] >> 24) > _CHUNK):
            yield run
            run = []
        run.append(span)
    if run:
        yield run
