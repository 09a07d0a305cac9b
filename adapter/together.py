"""Several inputs in one run: the records that are about one person are read as one record of hers.

One input is read as a stream and nothing is put together: what it costs is what it cost before. Of several, all must
have been read before the first result, for the last one may be about anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from adapter.bootstrap import Adapter
from adapter.errors import AdapterError, CannotStart
from adapter.pipeline import check, read, read_path
from adapter.records import MappedBundle, RawRecord

Read = tuple[str, MappedBundle | AdapterError]
"""A record, or why there is none, with the name of the input that it is (or begins) in."""


def read_inputs(
    adapter: Adapter, paths: Sequence[Path], mapping: str = "", server: str = "", patient: str = ""
) -> Iterator[Read]:
    """Every record under these paths, and that of a patient on a server; of several inputs, one for each person.

    server: the base URL of a FHIR server, or ""; patient: the NHS number of the patient whose record is read there.
    """
    found = (
        (label, _renamed(record, path.name, label))
        for path, label in zip(paths, labels(paths), strict=True)
        for record in read_path(adapter, path, mapping)
    )
    if not server:
        return found if len(paths) == 1 else together(found)
    pulled = read_server(adapter, server, patient)
    return together((*found, *pulled)) if paths else pulled


def read_server(adapter: Adapter, server: str, patient: str) -> Iterator[Read]:
    """The record of a patient on a FHIR server, or why there is none."""
    from adapter.sources.fhir_client import Limits
    from adapter.sources.fhir_server import pull_record

    settings = adapter.settings
    limits = Limits(
        timeout=settings.server_timeout_seconds,
        page_size=settings.server_page_size,
        max_pages=settings.server_max_pages,
        max_bytes=settings.max_file_bytes,
    )
    try:
        raw, issues = pull_record(server, patient, settings.server_token.get_secret_value(), limits)
    except CannotStart:
        raise
    except AdapterError as refused:
        yield "server", refused
        return
    for record in read(adapter, raw):
        if not isinstance(record, AdapterError):
            record = replace(record, issues=record.issues + issues)
        yield raw.name, record


def read_raws(adapter: Adapter, raws: Sequence[RawRecord]) -> Iterator[Read]:
    """Every record in these bytes; where there are several inputs, one record for each person."""
    found = ((raw.name, record) for raw in raws for record in read(adapter, raw))
    return found if len(raws) == 1 else together(found)


def together(records: Iterable[Read]) -> Iterator[Read]:
    """These records with one for each person. Each is checked first: what is refused is put together with nothing."""
    from adapter.merge import merge_records

    kept = [(name, one if isinstance(one, AdapterError) else check(one)) for name, one in records]
    for at, record in merge_records([record for _, record in kept]):
        yield kept[at][0], record


def labels(paths: Sequence[Path]) -> list[str]:
    """The shortest end of each path that no other path ends in: ``oru.hl7``, or ``a/oru.hl7`` and ``b/oru.hl7``."""
    parts = [path.parts for path in paths]
    found = []
    for own in parts:
        others = [other for other in parts if other != own]
        length = 1
        while length < len(own) and any(other[-length:] == own[-length:] for other in others):
            length += 1
        found.append("/".join(own[-length:]))
    return found


def _renamed(record: MappedBundle | AdapterError, name: str, label: str) -> MappedBundle | AdapterError:
    if isinstance(record, AdapterError) or name == label:
        return record
    source = label + record.source.removeprefix(name) if record.source.startswith(name) else f"{label}/{record.source}"
    return replace(record, source=source)
