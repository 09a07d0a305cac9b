"""Small mappings in a folder of their own, and running them over bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapter.mapping import Mapping, load_mapping
from adapter.records import MappedBundle, RawRecord
from adapter.sources.exports import read_export
from adapter.sources.model import SourceRecord


def write(root: Path, **files: str) -> Path:
    """Write files by their path, with ``__`` for ``/`` and without ``.yaml``; the root."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        if not path.suffix:
            path = path.with_suffix(".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def load(root: Path, head: str, blocks: str) -> Mapping:
    return load_mapping(write(root / "tiny", mapping=head, blocks=blocks))


def read(mapping: Mapping, data: bytes | str, name: str = "export.csv") -> list[SourceRecord]:
    return list(read_export(RawRecord(name, data.encode() if isinstance(data, str) else data), mapping))


def run(mapping: Mapping, data: bytes | str, name: str = "export.csv") -> list[MappedBundle]:
    return [mapping.run(record) for record in read(mapping, data, name)]


def resources(result: MappedBundle) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in result.bundle.get("entry", ())]


def said(result: MappedBundle | SourceRecord) -> list[tuple[str, str]]:
    """The details and places of all issues but of fields that no line reads."""
    return [(issue.detail, issue.place) for issue in result.issues if issue.detail != "unmapped-field"]


def fates(result: MappedBundle) -> dict[str, str]:
    return {use.field: use.fate for use in result.coverage}
