"""A vendor's own files, CSV or JSON, by what the mapping says they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapter.mapping.formats import CSV
from adapter.records import RawRecord
from adapter.sources import csv_export, json_files
from adapter.sources.model import SourceRecord
from adapter.sources.tables import TablesMapping


def read_export(raw: RawRecord, mapping: TablesMapping) -> Iterator[SourceRecord]:
    """One SourceRecord per patient of one file. Raises Malformed, with the place, for what is no such file."""
    read = csv_export.read_export if mapping.source == CSV else json_files.read_json
    return read(raw, mapping)


def read_export_lines(path: Path, mapping: TablesMapping, longest: int) -> Iterator[SourceRecord] | None:
    """Like ``read_export``, of a file that need not be held whole: a JSON document a line. None for any other."""
    if mapping.source == CSV or path.suffix != ".ndjson":
        return None
    return json_files.read_json_lines(path, mapping, longest)


def joins_tables(mapping: TablesMapping) -> bool:
    """Whether the files of a folder are tables of one export, which the mapping joins by keys."""
    spec = mapping.tables
    return spec is not None and mapping.source == CSV and bool(spec.joins or spec.lookups)


def with_lists(source: SourceRecord, mapping: TablesMapping) -> SourceRecord:
    """A record of several tables with the values of its lists as rows."""
    return source if mapping.tables is None else csv_export.with_list_items(source, mapping.tables)


def export_files(folder: Path) -> list[Path]:
    """The files of a folder, but hidden ones."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
