"""Records as they leave ``convert``: a line of FHIR each, or an OperationOutcome, in the order of the input.

The records of a large folder of tables are independent of one another once it is known whose each row is: then each
process puts together, maps and writes those of some patients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, zip_longest
from mmap import mmap
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from adapter.bootstrap import Adapter
from adapter.coverage import Coverage, Style, Tally
from adapter.errors import AdapterError, Unprocessable
from adapter.fhir.profiles import bundle_with_profiles
from adapter.parallel import collecting_seldom, in_order
from adapter.pipeline import (
    check,
    children,
    guarded,
    is_one_input,
    log,
    maps_tables,
    read_path,
    refusal,
    tables_mapping,
    where,
)
from adapter.records import Issue, MappedBundle
from adapter.settings import Settings
from adapter.sources.assembly import Assembly
from adapter.sources.model import SourceRecord
from adapter.sources.parts import Part
from adapter.sources.tables import open_tables
from adapter.together import Read, read_inputs

if TYPE_CHECKING:
    from adapter.mapping.writing import Writer

_ROWS = 3_000  # that are written together
_PIECE = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class Converted:
    """The lines of some records. ``failed``: one of them is an OperationOutcome; ``ended``: what follows is missing.

    They are to be used before what follows is asked for. ``tally`` is None where the records are in the run's coverage
    already.
    """

    lines: bytes | mmap
    failed: bool
    records: int = 1
    ended: bool = False
    tally: Tally | None = None

    def pieces(self) -> Iterator[memoryview]:
        """The lines, some whole ones at a time."""
        lines, view, at = self.lines, memoryview(self.lines), 0
        while at < len(lines):
            end = lines.find(b"\n", at + _PIECE) + 1 or len(lines)
            yield view[at:end]
            at = end


def convert(
    adapter: Adapter,
    coverage: Coverage,
    paths: Sequence[Path],
    mapping: str = "",
    server: str = "",
    patient: str = "",
    jobs: int = 1,
) -> Iterator[Converted]:
    """The records under these paths, and of a patient on a server (see ``read_inputs``), on at most ``jobs`` processes.

    What became of their fields is added to ``coverage``.
    """
    if server or len(paths) != 1:
        yield from _one_by_one(adapter, coverage, read_inputs(adapter, paths, mapping, server, patient))
        return
    for path in _inputs(adapter, paths[0], mapping):
        if tables := tables_mapping(adapter, path, mapping):
            yield from _tables(adapter, coverage, path, tables, jobs)
        else:
            yield from _one_by_one(adapter, coverage, ((path.name, one) for one in read_path(adapter, path, mapping)))


def _inputs(adapter: Adapter, path: Path, mapping: str) -> Iterator[Path]:
    """The inputs below a folder of them, in order."""
    below = children(path) if path.is_dir() and not is_one_input(adapter, path, mapping) else []
    yield from chain.from_iterable(_inputs(adapter, child, mapping) for child in below)
    if not below:
        yield path


def _one_by_one(adapter: Adapter, coverage: Coverage | Tally, records: Iterable[Read]) -> Iterator[Converted]:
    for name, record in records:
        yield Converted(*_line(adapter, coverage, name, record))


def _line(
    adapter: Adapter, coverage: Coverage | Tally, name: str, record: MappedBundle | AdapterError
) -> tuple[bytes, bool]:
    if isinstance(record, AdapterError):
        record = MappedBundle(name, {}, issues=record.issues, refused=True)
    record = check(record)
    coverage.add(record)
    if not record.refused:
        return orjson.dumps(bundle_with_profiles(record.bundle), option=orjson.OPT_APPEND_NEWLINE), False
    outcome = refusal(adapter, record.source, record.issues, 400).outcome
    return orjson.dumps(outcome, option=orjson.OPT_APPEND_NEWLINE), True


def _tables(adapter: Adapter, coverage: Coverage, folder: Path, mapping: str, jobs: int) -> Iterator[Converted]:
    """A folder of tables: on several processes where it is too large to be held."""
    for done in guarded(_read_tables(adapter, coverage, folder, mapping, jobs)):
        if isinstance(done, AdapterError):
            yield Converted(*_line(adapter, coverage, folder.name, done))
            return
        if done.tally is not None:
            coverage.merge(done.tally)
        yield done
        if done.ended:
            return


def _read_tables(adapter: Adapter, coverage: Coverage, folder: Path, mapping: str, jobs: int) -> Iterator[Converted]:
    with open_tables(folder, adapter.mapping(mapping)) as reading:
        if not reading.streamed:
            to_fhir = maps_tables(adapter, mapping)
            for part in reading.parts:
                for source in reading.assembly.records(part):
                    yield Converted(*_line(adapter, coverage, folder.name, to_fhir(source)))
            return
        prepare = partial(_converter, adapter.settings, mapping, reading.assembly, coverage.style)
        try:
            with collecting_seldom():
                if jobs == 1:
                    for pieces, done in map(prepare(), reading.parts):
                        yield replace(done, lines=b"".join(pieces))
                    return
                for lines, done in in_order(prepare, reading.parts, jobs):
                    yield replace(done, lines=lines)
        except BrokenProcessPool:
            text = "a process that converts ended unexpectedly: what follows is missing"
            raise Unprocessable(Issue("fatal", "exception", text)) from None


def _converter(
    settings: Settings, mapping: str, assembly: Assembly, style: Style
) -> Callable[[Part], tuple[list[bytes], Converted]]:
    """What one process does with a part that it is given: its lines, and what is to be known of them."""
    adapter = Adapter(settings)
    to_fhir, tally = maps_tables(adapter, mapping), Tally(style)
    # a data set's own rules are asked record by record, where it is wanted what they say
    writer = None if style is not Style.NONE and adapter.checker(mapping) else adapter.mapping(mapping).writer()

    def converted(part: Part) -> tuple[list[bytes], Converted]:
        lines, failed, ended = list[bytes](), False, False
        for records in _together(guarded(assembly.records(part))):
            sources = [record for record in records if not isinstance(record, AdapterError)]
            written = _written(writer, sources, tally) if writer else []
            for record, line in zip_longest(records, written):
                if line is None:
                    read = record if isinstance(record, AdapterError) else to_fhir(record)
                    line, wrong = _line(adapter, tally, assembly.source, read)
                    failed, ended = failed or wrong, isinstance(read, AdapterError)
                lines.append(line)
        return lines, Converted(b"", failed, len(lines), ended, tally.take())

    return converted


def _together(records: Iterable[SourceRecord | AdapterError]) -> Iterator[list[SourceRecord | AdapterError]]:
    """As many as are written together."""
    found: list[SourceRecord | AdapterError] = []
    rows = 0
    for record in records:
        found.append(record)
        rows += 0 if isinstance(record, AdapterError) else len(record.order)
        if rows >= _ROWS:
            yield found
            found, rows = [], 0
    if found:
        yield found


def _written(writer: Writer, records: Sequence[SourceRecord], tally: Tally) -> list[bytes | None]:
    """The lines of those that can be written together; None for the others, which are then made one by one."""
    try:
        written = writer.lines(records, tally.uses, saying=tally.style is not Style.NONE)
    except Exception as failed:
        log.error("records could not be written together: %s", where(failed))
        return [None] * len(records)
    tally.records += sum(line is not None for line in written)
    return written
