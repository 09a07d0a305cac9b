"""Drafts a mapping from a sample of a vendor's CSV or JSON: every field is listed, and the obvious ones are proposed.

A proposal rests on a field's name alone and is to be checked. What is not proposed is listed with a reason that
begins with TODO, which counts as no reason: the draft loads, coverage reports the field as unmapped, and lint names it.
Nothing of the sample's values is written anywhere: it may be a patient's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapter.errors import CannotStart, Malformed
from adapter.mapping.formats import CSV, JSON
from adapter.mapping.keys import TODO
from adapter.mapping.nodes import Tables
from adapter.records import Issue
from adapter.sources.csv_files import parse_csv
from adapter.sources.json_files import fields_of, load_json

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*")
_WORDS = frozenset(("true", "false", "null"))
_DATES: Mapping[str, re.Pattern[str]] = {
    "DD/MM/YYYY": re.compile(r"\d{1,2}/\d{1,2}/\d{4}(?:[ T].*)?"),
    "DD-MMM-YYYY": re.compile(r"\d{1,2}-[A-Za-z]{3}-\d{4}(?:[ T].*)?"),
    "DD.MM.YYYY": re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}(?:[ T].*)?"),
    "YYYY-MM-DD": re.compile(r"\d{4}-\d\d-\d\d(?:[ T].*)?"),
}
_SAMPLE_ROWS = 200
_GUESSES: Mapping[str, tuple[str, ...]] = {
    "nhs_number": ("nhsnumber", "nhsno", "nhsnum"),
    "key": ("patientid", "hospitalno", "hospitalnumber", "mrn", "localpatientid", "patientnumber", "pasnumber", "id"),
    "birth_date": ("dateofbirth", "dob", "birthdate", "patientdob"),
    "postcode": ("postcode", "postalcode", "addresspostcode", "homepostcode"),
    "family": ("surname", "familyname", "lastname", "namefamily", "namesurname"),
    "given": ("forename", "firstname", "givenname", "nameforename", "namefirst"),
    "phone": ("phone", "telephone", "mobile", "phonenumber", "telephonenumber", "mobilenumber"),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sample says: the lines of ``mapping.yaml`` but its name, the patients' table, and the fields by table."""

    head: tuple[str, ...]
    patient: str
    fields: Mapping[str, Sequence[str]]


def draft(name: str, sample: Path, root: Path) -> dict[str, str]:
    """Write the folder ``root/name`` and return what was proposed: field → what for.

    Raises CannotStart for a name that is none or is taken, Malformed for a sample that cannot be read.
    """
    if _NAME.fullmatch(name) is None:
        raise CannotStart(Issue("fatal", "value", "a mapping's name has small letters, digits and hyphens", "", name))
    folder = root / name
    if folder.exists():
        raise CannotStart(
            Issue("fatal", "duplicate", "there is such a folder already, and it is kept", "", str(folder))
        )
    data = sample.read_bytes()
    read = _read_json(data, sample.name) if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in b"{[" else _read_csv(data)
    guessed = _guesses(read.fields[read.patient])
    key = guessed.get("key") or guessed.get("nhs_number") or next(iter(read.fields[read.patient]))
    proposed = {f"{read.patient}.{field}": what for what, field in {**guessed, "key": key}.items()}
    folder.mkdir(parents=True)
    for file, lines in {
        "mapping.yaml": _head(name, read, key),
        "patient.yaml": _patient(read.patient, key, guessed),
        "todo.yaml": _todo(read, proposed),
    }.items():
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return proposed


def _guesses(fields: Iterable[str]) -> dict[str, str]:
    """What a field is for → the field, where its name leaves no doubt."""
    plain = {re.sub(r"[^a-z0-9]", "", field.lower()): field for field in fields}
    found = ((what, next((plain[name] for name in names if name in plain), "")) for what, names in _GUESSES.items())
    return {what: field for what, field in found if field}


# --- what a sample says -----------------------------------------------------------------------------------------------
def _read_csv(data: bytes) -> Sample:
    try:
        data.decode("utf-8")
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = "windows-1252"
    first = data.split(b"\n", 1)[0].decode("latin-1")
    delimiter = max(",;\t|", key=first.count)
    table = parse_csv(data, "sample", delimiter)
    if not table.columns:
        raise Malformed(*table.issues)
    cells = [text for row in table.rows[:_SAMPLE_ROWS] for text in row.texts.values()]
    form = [f"delimiter: {json.dumps(delimiter)}", f"encoding: {encoding}"]
    form += _dates(cells)
    return Sample((f"source: {CSV}", f"format: {{{', '.join(form)}}}"), "record", {"record": tuple(table.columns)})


def _read_json(data: bytes, name: str) -> Sample:
    if name.endswith(".ndjson"):
        data = data.splitlines()[0]
    document = _filled(load_json(data, name))
    rows = _names(_arrays(document, "$"))
    if isinstance(document, list) and "$[*]" not in rows.values():
        raise Malformed(Issue("fatal", "structure", "there are no objects in this file", "malformed", name))
    fields = fields_of(document, Tables("", "", rows=rows))
    known = {table: len(_guesses(names).keys() & {"nhs_number", "birth_date"}) for table, names in fields.items()}
    patient = max(fields, key=lambda table: (known[table], -len(rows[table])))
    inside = {
        table: path
        for table, path in rows.items()
        if table in fields and (path.startswith(rows[patient]) or rows[patient].startswith(path))
    }
    fields = fields_of(document, Tables("", "", rows=inside))
    head = [f"source: {JSON}", "rows:", *(f"  {_quoted(table)}: {path}" for table, path in inside.items())]
    head += [f"format: {{{line}}}" for line in _dates(_texts(document))]
    return Sample(tuple(head), patient, fields)


def _dates(texts: Iterable[str]) -> list[str]:
    """How the sample writes dates, where that is not as ISO 8601 has them."""
    kept = list(texts)
    patterns = [name for name, form in _DATES.items() if any(form.fullmatch(text) for text in kept)]
    return [f"dates: [{', '.join(patterns)}]"] if patterns and patterns != ["YYYY-MM-DD"] else []


def _arrays(value: object, path: str) -> Iterator[str]:
    """The paths of the objects: the document itself, and every array of objects."""
    if path == "$" and isinstance(value, dict):
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _arrays(item, f"{path}.{key}")
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        yield f"{path}[*]"
        for item in value:
            yield from _arrays(item, f"{path}[*]")


def _names(paths: Iterable[str]) -> dict[str, str]:
    """A short name for each path: its last key, with those before it where that is taken."""
    found: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        keys = [key for key in re.split(r"[.$]|\[\*\]", path) if key]
        name = keys[-1] if keys else "file" if path == "$" else "record"
        while name in found:
            name = "-".join(keys[-name.count("-") - 2 :]) if "-".join(keys) != name else f"{name}-2"
        found[name] = path
    return found


def _filled(value: object) -> object:
    """The document with something wherever nothing is: a field that is empty in the sample is a field."""
    if isinstance(value, dict):
        return {key: _filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    return "?" if value is None or value == "" else value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value[:_SAMPLE_ROWS]:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


# --- what is written --------------------------------------------------------------------------------------------------
def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)


def _head(name: str, read: Sample, key: str) -> Iterator[str]:
    yield f"name: {name}"
    yield "version: 0.1.0"
    yield f"title: {name}, drafted from a sample"
    yield from read.head
    yield f"patient: {{table: {_quoted(read.patient)}, key: {_quoted(key)}}} # rows with the same key are one patient's"


def _patient(table: str, key: str, guessed: Mapping[str, str]) -> Iterator[str]:
    def hole(what: str, as_type: str = "") -> str:
        return f"{{from: {_quoted(guessed[what])}{f', as: {as_type}' if as_type else ''}}}"

    yield "# Guessed from the names of the fields: check each line."
    yield "- resource: Patient"
    yield f"  for_each: {_quoted(table)}"
    yield f"  id: [{_quoted(key)}]"
    yield "  identifier:"
    if "nhs_number" in guessed:
        yield f"    - {{system: https://fhir.nhs.uk/Id/nhs-number, value: {hole('nhs_number', 'nhs_number')}}}"
    if key != guessed.get("nhs_number"):
        yield f"    - {{system: https://fhir.nhs.uk/Id/local-patient-identifier, value: {{from: {_quoted(key)}}}}}"
    if guessed.keys() & {"family", "given"}:
        yield "  name:"
        parts = [f"family: {hole('family')}"] if "family" in guessed else []
        parts += [f"given: [{hole('given')}]"] if "given" in guessed else []
        yield f"    - {{{', '.join(parts)}}}"
    if "phone" in guessed:
        yield f"  telecom: [{{system: phone, value: {hole('phone', 'phone')}}}]"
    if "birth_date" in guessed:
        yield f"  birthDate: {hole('birth_date', 'date')}"
    if "postcode" in guessed:
        yield f"  address: [{{postalCode: {hole('postcode', 'postcode')}}}]"


def _todo(read: Sample, proposed: Mapping[str, str]) -> Iterator[str]:
    left = [f"{table}.{field}" for table, fields in read.fields.items() for field in fields]
    yield "# Each field that nothing reads yet. Map it in a block and take its line out here, or say why it is ignored."
    yield f"# A reason that begins with {TODO} counts as none: coverage and lint still report the field."
    yield "- ignore:"
    open_ = [name for name in left if name not in proposed]
    for name in open_:
        yield f'    {_quoted(name)}: "{TODO}: map it, or say why not"'
    if not open_:
        yield "    {}"
