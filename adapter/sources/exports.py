"""A vendor's own files, CSV or JSON, by what the mapping says they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from adapter.mapping.formats import CSV
from adapter.records import RawRecord
from adapter.sources import csv_export, json_files
from adapter.sources.model import SourceRecord
from adapter.sources.tables import TablesMapping, read_tables


def read_export(raw: RawRecord, mapping: TablesMapping) -> Iterator[SourceRecord]:
    """One SourceRecord per patient of one file. Raises Malformed, with the place, for what is no such file."""
    read = csv_export.read_export if mapping.source == CSV else json_files.read_json
    return read(raw, mapping)


def read_export_lines(path: Path, mapping: TablesMapping, longest: int) -> Iterator[SourceRecord] | None:
    """Like ``read_export``, of a file that need not be held whole: a JSON document a line. None for any other."""
    if mapping.source == CSV or path.suffix != ".ndjson":
        return None
    return json_files.read_json_lines(path, mapping, longest)


def read_joined(folder: Path, mapping: TablesMapping) -> Iterable[SourceRecord] | None:
    """Several tables of one export, where the mapping joins them by keys; None where each file is an export."""
    spec = mapping.tables
    if spec is None or mapping.source != CSV or not (spec.joins or spec.lookups):
        return None
    return (csv_export.with_list_items(source, spec) for source in read_tables(folder, mapping))


def export_files(folder: Path) -> list[Path]:
    """The files of a folder, but hidden ones."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
