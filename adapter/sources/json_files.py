"""A vendor's JSON export as rows: each object of an array that the mapping names is one, and knows its JSON pointer.

Objects within a row are fields with dots (``name.family``); an array that the mapping does not name is part of the row
around it (``phones[0].number``), so that coverage still reports what is in it. Numbers keep the text they came as.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from adapter.errors import Malformed
from adapter.mapping.formats import JSON
from adapter.mapping.nodes import Tables
from adapter.records import Issue, RawRecord
from adapter.sources.model import Row, SourceRecord
from adapter.sources.patients import Found, by_patient, record
from adapter.sources.pieces import bounded_lines
from adapter.sources.tables import ORPHANS, TablesMapping

_ARRAY = re.compile(r"\[\*\]")


class JsonRow:
    """One object (or one value of an array, whose field is ``value``)."""

    __slots__ = ("_lists", "_pointers", "name", "parent", "pointer", "texts")

    def __init__(self, name: str, pointer: str, parent: JsonRow | None) -> None:
        self.name, self.pointer, self.parent = name, pointer, parent
        self.texts: dict[str, str] = {}
        self._pointers: dict[str, str] = {}
        self._lists: dict[str, tuple[list[Any], str]] = {}

    def get(self, field: str) -> str | None:
        return self.texts.get(field)

    def each(self, field: str) -> Sequence[Row]:
        values, pointer = self._lists.get(field, ((), ""))
        made = [JsonRow(f"{self.name}.{field}", f"{pointer}/{index}", self) for index in range(len(values))]
        for row, value in zip(made, values, strict=True):
            _Filler(row, {}, "").fill(value, "", row.pointer)
        return made

    def place(self, field: str) -> str:
        known = self._pointers.get(field)
        if known is not None:
            return known
        return "/".join((self.pointer, *(_escaped(part) for part in field.split(".") if part))) or "/"

    def populated(self) -> Iterable[str]:
        return self.texts

    def key_of(self, leaf: str) -> str:
        return leaf

    def related(self, name: str) -> Row | None:
        row: JsonRow | None = self
        while row is not None and row.name != name:
            row = row.parent
        return row

    def put(self, field: str, text: str, pointer: str) -> None:
        """Set a field. Raises Malformed where two fields of an object come to the same name."""
        if field in self.texts:
            raise _malformed("two fields of one object come to the same name, by a dot in a key", pointer)
        self.texts[field], self._pointers[field] = text, pointer

    def put_list(self, field: str, values: list[Any], pointer: str) -> None:
        self._lists[field] = (values, pointer)


class _Filler:
    """Fills a row; ``wanted`` are the paths of the arrays whose items are rows of their own, collected in ``made``."""

    def __init__(self, row: JsonRow, wanted: Mapping[str, str], path: str) -> None:
        self.row, self.wanted, self.path = row, wanted, path
        self.made: list[tuple[JsonRow, str]] = [(row, path)]

    def fill(self, value: Any, field: str, pointer: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                self.fill(item, f"{field}.{key}" if field else key, f"{pointer}/{_escaped(key)}")
        elif isinstance(value, list):
            self._fill_list(value, field, pointer)
        elif value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value).strip()
            if text:
                self.row.put(field or "value", text, pointer)

    def _fill_list(self, values: list[Any], field: str, pointer: str) -> None:
        path = f"{self.path}.{field}[*]"
        if path not in self.wanted:
            self.row.put_list(field, values, pointer)
            for index, item in enumerate(values):
                self.fill(item, f"{field}[{index}]", f"{pointer}/{index}")
            return
        for index, item in enumerate(values):
            child = JsonRow(self.wanted[path], f"{pointer}/{index}", self.row)
            filler = _Filler(child, self.wanted, path)
            filler.fill(item, "", child.pointer)
            self.made += filler.made


def read_json(raw: RawRecord, mapping: TablesMapping) -> Iterator[SourceRecord]:
    """One SourceRecord per patient of a JSON document, or of one document a line (``.ndjson``).

    Raises Malformed for what is no JSON; a line of NDJSON that is none gives a refused record of its own.
    """
    spec = mapping.tables
    if spec is None:
        raise ValueError(f"the mapping for {mapping.source} is not one for tables")
    if not raw.name.endswith(".ndjson"):
        yield from _records(load_json(raw.data, raw.name), "", spec, raw.name)
        return
    yield from _documents(raw.data.splitlines(), raw.name, spec, len(raw.data))


def read_json_lines(path: Path, mapping: TablesMapping, longest: int) -> Iterator[SourceRecord]:
    """Like ``read_json`` of a file with a document a line, line by line; none may be longer."""
    if mapping.tables is None:
        raise ValueError(f"the mapping for {mapping.source} is not one for tables")
    with path.open("rb") as file:
        yield from _documents(bounded_lines(file, longest), path.name, mapping.tables, longest)


def _documents(lines: Iterable[bytes], name: str, spec: Tables, longest: int) -> Iterator[SourceRecord]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            place = f"line {number}"
            try:
                if len(line) > longest:
                    text = f"longer than {longest} bytes; it is not read"
                    raise Malformed(Issue("error", "too-long", text, "", place))
                yield from _records(load_json(line, place), f"{place}, ", spec, name)
            except Malformed as refused:
                yield SourceRecord(name, JSON, place, {}, (), refused.issues, refused=True)


def _records(document: Any, prefix: str, spec: Tables, source: str) -> Iterator[SourceRecord]:
    rows = _rows(document, prefix, spec)
    patients = [row for row, path in rows if path == spec.rows[spec.patient]]
    if not patients:
        text = f"there is no {spec.patient} at {spec.rows[spec.patient]}"
        raise _malformed(text, f"{prefix}/")
    found = {row: Found(row, [*_above(row), row]) for row in patients}
    orphans: list[Row] = []
    issues: list[Issue] = []
    _join([row for row, _ in rows], spec)
    for row, path in rows:
        if row in found or spec.rows[spec.patient].startswith(path):
            continue
        owner = row.related(spec.patient)
        if isinstance(owner, JsonRow) and owner in found:
            found[owner].rows.append(row)
        else:
            orphans.append(row)
            text = "no object that belongs to a patient has the key of this one: it is nobody's"
            issues.append(Issue("error", "not-found", text, "malformed", row.place("")))
    yield from by_patient(found.values(), spec, source, JSON)
    if orphans:
        yield record(source, JSON, ORPHANS, Found(orphans[0], orphans, issues, refused=True))


def _rows(document: Any, prefix: str, spec: Tables) -> list[tuple[JsonRow, str]]:
    """All rows with their paths, in the order of the document; arrays on the way to a named one are rows too."""
    wanted = {path: path for named in spec.rows.values() for path in _on_the_way(named)}
    wanted.update({path: name for name, path in spec.rows.items()})
    if isinstance(document, list):
        made: list[tuple[JsonRow, str]] = []
        for index, item in enumerate(document):
            filler = _Filler(JsonRow(wanted.get("$[*]", "$[*]"), f"{prefix}/{index}", None), wanted, "$[*]")
            filler.fill(item, "", filler.row.pointer)
            made += filler.made
        return made
    filler = _Filler(JsonRow(wanted.get("$", "$"), prefix, None), wanted, "$")
    filler.fill(document, "", prefix)
    return filler.made


def fields_of(document: Any, spec: Tables) -> dict[str, list[str]]:
    """The fields that are filled anywhere in a document, by the names of ``spec.rows``; no matter which of a list."""
    found: dict[str, dict[str, None]] = {}
    for row, _ in _rows(document, "", spec):
        names = found.setdefault(row.name, {})
        names.update((re.sub(r"\[\d+\]", "", name), None) for name in row.texts)
    return {name: list(fields) for name, fields in found.items() if fields}


def _on_the_way(path: str) -> Iterator[str]:
    return (path[: match.end()] for match in _ARRAY.finditer(path))


def _above(row: JsonRow) -> list[Row]:
    found: list[Row] = []
    parent = row.parent
    while parent is not None:
        found.insert(0, parent)
        parent = parent.parent
    return found


def _join(rows: list[JsonRow], spec: Tables) -> None:
    """Objects that stand apart belong to the object that has the same key."""
    for name, join in spec.joins.items():
        keys = {row.get(join.key): row for row in rows if row.name == join.to and row.get(join.key) is not None}
        for row in rows:
            if row.name == name and row.get(join.by) in keys:
                row.parent = keys[row.get(join.by)]


def load_json(data: bytes, place: str) -> Any:
    """The document; numbers with a point or exponent as text. Raises Malformed, also for a key that is given twice."""
    try:
        return json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_object, parse_float=str, parse_constant=_no_constant
        )
    except UnicodeDecodeError:
        raise _malformed("this is not UTF-8", place) from None
    except json.JSONDecodeError as wrong:
        raise _malformed(f"this is not JSON: {wrong.msg}", f"{place}, line {wrong.lineno}") from None
    except RecursionError:
        raise _malformed("this is nested too deep", place) from None
    except ValueError as wrong:
        raise _malformed(str(wrong), place) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has the same key twice: which one counts cannot be known")
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _malformed(text: str, place: str) -> Malformed:
    return Malformed(Issue("fatal", "structure", text, "malformed", place))
