"""A folder of CSV tables (MSDS, MHSDS, a vendor's) as one record per patient.

The mapping says which table has a row per patient and how the rows of others reach it. Rows that reach nobody make
a refused record of their own, ``orphan rows``: they never disappear. A small folder is held in memory; of a larger one
only the rows of a few patients are: see ``owners`` and ``assembly``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from adapter.errors import Malformed
from adapter.mapping.nodes import Tables
from adapter.records import Issue
from adapter.sources.assembly import Assembly
from adapter.sources.csv_files import HeldTable, Table, read_csv
from adapter.sources.csv_stream import StreamedTable, can_stream
from adapter.sources.model import SourceRecord
from adapter.sources.owners import Owners
from adapter.sources.parts import ORPHANS, Part
from adapter.sources.scratch import InMemory, OnDisk, Scratch

__all__ = ["HELD_BYTES", "ORPHANS", "Reading", "TablesMapping", "group_tables", "open_tables", "read_tables"]

HELD_BYTES = 8 * 1024 * 1024
"""A folder of files up to this size is held in memory: as rows it takes some twenty times as much."""


class TablesMapping(Protocol):
    """What is asked of a mapping here (``adapter.mapping.Mapping`` has it)."""

    @property
    def source(self) -> str: ...

    @property
    def tables(self) -> Tables | None: ...

    @property
    def ignored(self) -> Iterable[str]: ...


class Reading(NamedTuple):
    """A folder that is being read: its rows by owner, and what puts records together from them.

    ``streamed``: the files are not held, and any process can put together records of it.
    """

    parts: Generator[Part, None, None]
    assembly: Assembly
    streamed: bool


def read_tables(folder: Path, mapping: TablesMapping, held: int = HELD_BYTES) -> Iterator[SourceRecord]:
    """One SourceRecord per patient of the folder (or single file), in the order of the patients' table.

    Raises Malformed, with the place, for what is no CSV or holds no table at all: before the first record.
    """
    with open_tables(folder, mapping, held) as reading:
        for part in reading.parts:
            yield from reading.assembly.records(part)


def group_tables(tables: Sequence[HeldTable], mapping: TablesMapping, source: str) -> Iterator[SourceRecord]:
    """Like ``read_tables`` for tables already read; ``source`` is what they are called."""
    reading = _reading(tables, mapping, source, InMemory(), streamed=False)
    for part in reading.parts:
        yield from reading.assembly.records(part)


@contextmanager
def open_tables(folder: Path, mapping: TablesMapping, held: int = HELD_BYTES) -> Iterator[Reading]:
    """What ``read_tables`` reads, for as long as it is read."""
    spec = _spec(mapping)
    paths = [folder] if folder.is_file() else sorted(p for p in folder.glob("*") if p.suffix.lower() == ".csv")
    if not paths:
        message = "there is no CSV file here, nor is this one"
        raise Malformed(Issue("fatal", "structure", message, "malformed", folder.name))
    names = {name.casefold(): name for name in spec.known}
    alone = spec.patient if folder.is_file() and len(names) == 1 else ""
    named = [(path, alone or names.get(path.stem.casefold(), path.stem)) for path in paths]
    form = spec.format
    with ExitStack() as opened:
        if sum(path.stat().st_size for path in paths) <= held or not can_stream(form.encoding):
            tables = [read_csv(path, name, form.delimiter, form.encoding) for path, name in named]
            yield _reading(tables, mapping, folder.name, InMemory(), streamed=False)
            return
        streamed = [
            opened.enter_context(closing(StreamedTable(path, name, form.delimiter, form.encoding)))
            for path, name in named
        ]
        scratch = opened.enter_context(closing(OnDisk()))
        reading = _reading(streamed, mapping, folder.name, scratch, streamed=True)
        opened.enter_context(closing(reading.parts))
        yield reading


def _reading(
    tables: Sequence[Table], mapping: TablesMapping, source: str, scratch: Scratch, *, streamed: bool
) -> Reading:
    spec = _spec(mapping)
    owners = Owners(spec, tables, frozenset(mapping.ignored), scratch)
    assembly = Assembly(
        source, mapping.source, spec, owners.tables, owners.joins, owners.header, owners.remarks, owners.shelves
    )
    return Reading(owners.parts(), assembly, streamed)


def _spec(mapping: TablesMapping) -> Tables:
    if mapping.tables is None:
        raise ValueError(f"the mapping for {mapping.source} is not one for tables")
    return mapping.tables
