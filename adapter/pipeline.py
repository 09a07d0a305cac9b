"""The way of one record, readable in one sitting.

    RawRecord → MappedBundle (+lineage, coverage) → checked → Facts → Decision → result Bundle

Every arrow is a function without side effects; input and output happen in ``cli`` and ``http``.
A record that fails gives a Result with an OperationOutcome of its own and never stops the others.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, time
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import rules
from adapter.bootstrap import Adapter
from adapter.errors import AdapterError, CannotStart, TooLarge, Unprocessable, refused_status
from adapter.fhir.outcome import operation_outcome
from adapter.fhir.patients import main_patient
from adapter.fhir.validate import validate
from adapter.records import Issue, MappedBundle, RawRecord, Resource
from adapter.referrals.routing import NOT_ROUTED, Routing, availability, routing_for, routing_issues

if TYPE_CHECKING:
    from adapter.mapping import Mapping
    from adapter.quality import Checker
    from adapter.sources.model import SourceRecord

log = logging.getLogger("perinatal")
T = TypeVar("T")

HELD_BYTES = 8 * 1024 * 1024
"""A larger file that can be read in parts is; its records are the same."""
RECORD_SUFFIXES = frozenset({".hl7", ".json", ".ndjson"})
"""The files of a folder that are read as records."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one record: a result Bundle, or the OperationOutcome that says why there is none.

    ``status`` is 200, or the HTTP status the refusal corresponds to. ``patient`` is the first identifier's value;
    ``position`` the entry of the record's Bundle that holds her; ``routing`` which teams there are for her.
    """

    name: str
    patient: str = ""
    position: int = 0
    status: int = 200
    bundle: Resource | None = None
    outcome: Resource | None = None
    decision: rules.Decision | None = None
    record: MappedBundle | None = None
    routing: Routing = NOT_ROUTED


# --- reading: bytes or a folder → one MappedBundle per patient -----------------------------------------------------
def read_path(adapter: Adapter, path: Path, mapping: str = "") -> Iterator[MappedBundle | AdapterError]:
    """Every record under a path: a file, a data set's folder, or a folder of either. Errors come in their place.

    A folder that is named like the mapping of a vendor's own export is read with that mapping.
    """
    if path.is_dir():
        if tables := tables_mapping(adapter, path, mapping):
            yield from guarded(_read_tables(adapter, path, tables))
            return
        mapping = mapping or _named_after(adapter, path)
        if _is_export(adapter, mapping):
            yield from _read_export_folder(adapter, path, mapping)
            return
        below = children(path)
        if not below:
            issue = Issue("error", "not-found", "no record is in this folder", "malformed", path.name)
            yield Unprocessable(issue)
        for child in below:
            yield from read_path(adapter, child, mapping)
        return
    size, limit = path.stat().st_size, adapter.settings.max_file_bytes
    if size > min(HELD_BYTES, limit) and (streamed := _streamed(adapter, path, mapping)) is not None:
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        yield from _digested(streamed, digest)
    elif size > limit:
        yield TooLarge(Issue("error", "too-long", f"{size} bytes; the limit is {limit}", "", path.name))
    else:
        yield from read(adapter, RawRecord(path.name, path.read_bytes()), mapping)


def _streamed(adapter: Adapter, path: Path, mapping: str) -> Iterator[MappedBundle] | None:
    """The records of a file that need not be held whole: HL7 v2, and a document a line; None for any other."""
    from adapter.sources import hl7v2
    from adapter.sources.exports import read_export_lines
    from adapter.sources.fhir import read_fhir_lines

    limit = adapter.settings.max_file_bytes
    if _is_export(adapter, mapping):
        compiled = adapter.mapping(mapping)
        lines = read_export_lines(path, compiled, limit)
        return (_mapped(compiled, source) for source in lines) if lines is not None else None
    with path.open("rb") as file:
        kind = _kind(file.read(64))
    if kind == "hl7v2":
        compiled = adapter.mapping(mapping or "hl7v2")
        return (_mapped(compiled, source) for source in hl7v2.read_file(path, limit))
    return read_fhir_lines(path, limit) if path.suffix == ".ndjson" else None


def children(folder: Path) -> list[Path]:
    """The folders and record files of a folder that is no input itself, in order of name."""
    return [path for path in sorted(folder.iterdir()) if path.is_dir() or path.suffix in RECORD_SUFFIXES]


def is_one_input(adapter: Adapter, folder: Path, mapping: str = "") -> bool:
    """Whether a folder is read as a whole: a data set, or a vendor's own export."""
    return _is_export(adapter, mapping or _named_after(adapter, folder)) or bool(_data_set(folder))


def _data_set(folder: Path) -> str:
    """The mapping for a folder of a national data set, told by the names of its files; "" for any other folder."""
    prefixes = (("MSD", "msds"), ("MHS", "mhsds"))
    return next((name for prefix, name in prefixes if any(folder.glob(f"{prefix}*.csv"))), "")


def read(adapter: Adapter, raw: RawRecord, mapping: str = "") -> Iterator[MappedBundle | AdapterError]:
    """Every record in these bytes, told apart by how they begin; a vendor's own export by its mapping."""
    from adapter.sources.fhir import read_fhir

    if _is_export(adapter, mapping):
        records = _read_export(adapter, raw, mapping)
    elif (raw.format or _kind(raw.data)) == "hl7v2":
        records = _read_hl7(adapter, raw, mapping or "hl7v2")
    else:
        records = read_fhir(raw)
    yield from _digested(records, sha256(raw.data).hexdigest())


def _digested(records: Iterator[MappedBundle], digest: str) -> Iterator[MappedBundle | AdapterError]:
    for record in guarded(records):
        yield record if isinstance(record, AdapterError) else replace(record, digest=digest)


def _kind(data: bytes) -> str:
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return "hl7v2" if start[:3] in (b"MSH", b"FHS", b"BHS") or start[:1] == b"\x0b" else "fhir"


def _read_hl7(adapter: Adapter, raw: RawRecord, mapping: str) -> Iterator[MappedBundle]:
    from adapter.sources import hl7v2

    compiled = adapter.mapping(mapping)
    for source in hl7v2.read(raw):
        yield _mapped(compiled, source)


def tables_mapping(adapter: Adapter, path: Path, mapping: str = "") -> str:
    """The mapping with which a folder is read as tables that belong together; "" for any other input."""
    from adapter.sources.exports import joins_tables

    if not path.is_dir():
        return ""
    mapping = mapping or _named_after(adapter, path)
    if _is_export(adapter, mapping):
        return mapping if joins_tables(adapter.mapping(mapping)) else ""
    data_set = _data_set(path)
    return (mapping or data_set) if data_set else ""


def maps_tables(adapter: Adapter, mapping: str) -> Callable[[SourceRecord], MappedBundle]:
    """Makes FHIR of the records of such a folder."""
    from adapter.sources.exports import with_lists

    compiled = adapter.mapping(mapping)
    if _is_export(adapter, mapping):
        return lambda source: _mapped(compiled, with_lists(source, compiled))
    checker = adapter.checker(mapping)
    return lambda source: _mapped(compiled, source, checker)


def _read_tables(adapter: Adapter, folder: Path, mapping: str) -> Iterator[MappedBundle]:
    from adapter.sources.tables import read_tables

    to_fhir = maps_tables(adapter, mapping)
    for source in read_tables(folder, adapter.mapping(mapping)):
        yield to_fhir(source)


def _mapped(compiled: Mapping, source: SourceRecord, checker: Checker | None = None) -> MappedBundle:
    """The record as FHIR; where the mapping itself fails, a refused record that says so and stops no other."""
    from adapter.quality import checked

    try:
        return checked(compiled.run(source), source, checker)
    except Exception as failed:
        log.error("a mapping failed: %s", where(failed))
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": []}
        return MappedBundle(source.source, bundle, issues=(_fault(failed),), refused=True)


def _is_export(adapter: Adapter, mapping: str) -> bool:
    if not mapping:
        return False
    from adapter.mapping.formats import EXPORTS

    return adapter.mapping(mapping).source in EXPORTS


def _named_after(adapter: Adapter, folder: Path) -> str:
    """The name of a folder that is also that of the mapping of a vendor's own export, else ""."""
    name = folder.resolve().name
    return name if adapter.has_mapping(name) and _is_export(adapter, name) else ""


def _read_export(adapter: Adapter, raw: RawRecord, mapping: str) -> Iterator[MappedBundle]:
    from adapter.sources.exports import read_export

    compiled = adapter.mapping(mapping)
    for source in read_export(raw, compiled):
        yield _mapped(compiled, source)


def _read_export_folder(adapter: Adapter, folder: Path, mapping: str) -> Iterator[MappedBundle | AdapterError]:
    from adapter.sources.exports import export_files

    files = export_files(folder)
    if not files:
        yield Unprocessable(Issue("error", "not-found", "no file is in this folder", "malformed", folder.name))
    for path in files:
        yield from read_path(adapter, path, mapping)


def guarded(records: Iterator[T]) -> Iterator[T | AdapterError]:
    """The records, and in its place what makes that there are no more."""
    while True:
        try:
            yield next(records)
        except StopIteration:
            return
        except CannotStart:
            raise
        except AdapterError as refused:
            yield refused
            return
        except OSError as failed:
            text = f"reading stopped here ({failed.strerror or type(failed).__name__}): what follows is missing"
            yield Unprocessable(Issue("fatal", "exception", text))
            return


# --- checking: what a mapping made is checked as strictly as what came as FHIR --------------------------------------
def check(record: MappedBundle) -> MappedBundle:
    """The record, refused where what its mapping made is not valid FHIR R4 (FHIR was checked as it was read)."""
    if record.refused or not record.mapping:
        return record
    found = validate(record.bundle)
    if not found:
        return record
    return replace(record, issues=record.issues + found, refused=True)


# --- deciding ------------------------------------------------------------------------------------------------------
def evaluate(adapter: Adapter, record: MappedBundle, as_of: date, provider: str = "", at: time | None = None) -> Result:
    """The result of one record. AdapterError and EngineError become its OperationOutcome; nothing else is sent.

    ``at`` is the time of day, for opening hours; without one, no service is taken to be closed.
    """
    try:
        return _evaluate(adapter, check(record), as_of, provider, at)
    except CannotStart:
        raise
    except AdapterError as refused:
        return refusal(adapter, record.source, refused.issues, refused.status, record)
    except Exception as failed:  # EngineError, or a fault of ours: one record's, which stops no other
        log.error("a record could not be evaluated: %s", where(failed))
        return refusal(adapter, record.source, (_fault(failed),), 500, record)


def _fault(failed: Exception) -> Issue:
    """What may be said of an unforeseen error: its type. Its text may hold what the record holds."""
    text = f"{type(failed).__name__}: nothing was decided and nothing may be sent"
    return Issue("fatal", "exception", text)


def where(failed: Exception) -> str:
    """Type and place in the code of an error, without its text."""
    frames = traceback.extract_tb(failed.__traceback__)[-3:]
    return f"{type(failed).__name__} at " + " < ".join(f"{f.name}:{f.lineno}" for f in reversed(frames))


def _evaluate(adapter: Adapter, record: MappedBundle, as_of: date, provider: str, at: time | None) -> Result:
    from adapter.referrals.result import build_result, flaws

    if record.refused:
        return refusal(adapter, record.source, record.issues, refused_status(record.issues), record)
    content = adapter.content(provider)
    position = main_patient(record.bundle)
    found = content.reader.read(record.bundle, as_of, position, record.kin)
    issues = record.issues + found.issues
    if found.refused:
        return refusal(adapter, record.source, issues, 422, record)
    pack = content.pack
    known = routing_for(content.directory, pack.policy, pack.services, record, position, as_of)
    decision = pack.evaluate(found.facts, as_of, availability(known, pack, as_of, at))
    bundle = build_result(
        record,
        position,
        decision,
        (*issues, *routing_issues(decision, known, pack.services)),
        pack.services,
        adapter.base,
        facts=content.wanted,
        digest=record.digest,
        known=known,
    )
    if wrong := flaws(bundle):
        log.error("a result was not valid FHIR: %s", "; ".join(f"{issue.place} {issue.text}" for issue in wrong))
        issue = Issue("fatal", "exception", "the result is not valid FHIR R4: nothing may be sent")
        return refusal(adapter, record.source, (issue, *wrong), 500, record)
    return Result(record.source, _identifier(record, position), position, 200, bundle, None, decision, record, known)


def evaluate_all(
    adapter: Adapter,
    records: Iterable[MappedBundle | AdapterError],
    as_of: date,
    provider: str = "",
    name: str = "",
    at: time | None = None,
) -> Iterator[Result]:
    """A Result for each record, in order, whatever happens to any of them."""
    for record in records:
        if isinstance(record, AdapterError):
            yield refusal(adapter, name, record.issues, record.status)
        else:
            yield evaluate(adapter, record, as_of, provider, at)


def refusal(
    adapter: Adapter, name: str, issues: tuple[Issue, ...], status: int, record: MappedBundle | None = None
) -> Result:
    """A record that may not be used, as its OperationOutcome."""
    return Result(name, "", 0, status, None, operation_outcome(issues, adapter.base), None, record)


def _identifier(record: MappedBundle, position: int) -> str:
    identifiers = record.bundle["entry"][position]["resource"].get("identifier") or [{}]
    return str(identifiers[0].get("value", ""))
