"""Runs the small examples that lie beside a mapping: ``mappings/NAME/tests/*.yaml``.

A file is ``{given: {TABLE: [row, …]}, cases: [case, …]}``; ``given`` rows (optional) come before each case's own.
A case has ``name``, its input (``rows`` for tables, ``message`` for HL7 v2; of a vendor's own export its ``text``, or
the name of a ``file`` beside the tests), ``count`` (of all resources made) and, as wanted, ``resources`` (each a subset
of one resource that must be there), ``issues`` (the details of all issues but unmapped-field) and ``unmapped`` (all
fields that no line reads). What is made must be valid FHIR R4 whatever a case says of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from adapter.fhir.validate import validate
from adapter.mapping.formats import EXPORTS
from adapter.mapping.run import Mapping, load_mapping
from adapter.records import MappedBundle, RawRecord
from adapter.sources.csv_files import HeldTable, TableRow
from adapter.sources.exports import read_export
from adapter.sources.model import SourceRecord
from adapter.sources.tables import group_tables
from rules import Document, load_yaml

MessageReader = Callable[[RawRecord], Iterable[SourceRecord]]
_CASE = {"name", "rows", "message", "text", "file", "count", "resources", "issues", "unmapped"}


def run_mapping_tests(folder: Path, read_message: MessageReader | None = None) -> list[str]:
    """What is wrong, a line each (``file:line:column: case: what``); empty when all examples come out right.

    ``read_message`` reads the ``message`` of a case. Raises ContentError when a file is not of this form.
    """
    mapping = load_mapping(folder)
    return [line for path in sorted(folder.glob("tests/*.yaml")) for line in _run_file(mapping, path, read_message)]


def _run_file(mapping: Mapping, path: Path, read_message: MessageReader | None) -> Iterator[str]:
    document = load_yaml(path)
    if not isinstance(document.data, dict) or not isinstance(document.data.get("cases"), list):
        raise document.error((), "a file of examples is {given: {TABLE: [row]}, cases: [case]}")
    for index, case in enumerate(document.data["cases"]):
        at = ("cases", index)
        if not isinstance(case, dict) or not {"name", "count"} <= set(case) <= _CASE:
            raise document.error(at, f"a case has name and count, and of {', '.join(sorted(_CASE))} what is wanted")
        records = list(_records(mapping, document, index, read_message, path.parent))
        line, column = document.position(at)
        for problem in _problems(case, [mapping.run(record) for record in records]):
            yield f"{path}:{line}:{column}: {case['name']}: {problem}"


def _records(
    mapping: Mapping, document: Document, index: int, read_message: MessageReader | None, folder: Path
) -> Iterable[SourceRecord]:
    case = document.data["cases"][index]
    if "text" in case or "file" in case:
        if mapping.source not in EXPORTS:
            raise document.error(("cases", index), f"text and file are for {' and '.join(EXPORTS)}")
        name = str(case.get("file", "text"))
        if "file" in case and not (folder / name).is_file():
            raise document.error(("cases", index, "file"), f"there is no file {name} beside this one")
        data = (folder / name).read_bytes() if "file" in case else str(case["text"]).encode()
        return read_export(RawRecord(name, data, mapping.source), mapping)
    if "message" in case:
        if read_message is None:
            raise document.error(("cases", index, "message"), "there is no reader for messages here")
        lines = "".join(f"{line.strip()}\r" for line in case["message"].strip().splitlines())
        return read_message(RawRecord("message", lines.encode(), mapping.source))
    given = document.data.get("given", {})
    rows = case.get("rows", {})
    tables = [_table(name, [*given.get(name, []), *rows.get(name, [])]) for name in sorted({*given, *rows})]
    return group_tables(tables, mapping, "rows")


def _table(name: str, rows: Sequence[dict[str, Any]]) -> HeldTable:
    columns = {column: n for n, column in enumerate(dict.fromkeys(column for row in rows for column in row))}
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    return HeldTable(name, columns, [TableRow(name, columns, number, row) for number, row in enumerate(cells, 2)])


def _problems(case: dict[str, Any], made: list[MappedBundle]) -> Iterator[str]:
    resources = [entry["resource"] for one in made for entry in one.bundle.get("entry", ())]
    if len(resources) != case["count"]:
        kinds = ", ".join(sorted(r["resourceType"] for r in resources))
        yield f"{len(resources)} resources are made ({kinds}), not {case['count']}"
    for issue in (issue for one in made if not one.refused for issue in validate(one.bundle)):
        yield f"what is made is not valid FHIR R4, and would be refused: {issue.place}: {issue.text}"
    free = list(resources)
    for expected in case.get("resources", ()):
        found = next((resource for resource in free if is_part(expected, resource)), None)
        if found is None:
            same = [r for r in free if r["resourceType"] == expected.get("resourceType")]
            yield f"no resource has all of {expected}; of its type there are {same}"
        else:
            free.remove(found)
    if "issues" in case:
        details = sorted(i.detail or i.code for one in made for i in one.issues if i.detail != "unmapped-field")
        if details != sorted(case["issues"]):
            yield f"the issues are {details}, not {sorted(case['issues'])}"
    if "unmapped" in case:
        fields = sorted(use.field for one in made for use in one.coverage if use.fate == "unmapped")
        if fields != sorted(case["unmapped"]):
            yield f"unmapped are {fields}, not {sorted(case['unmapped'])}"


def is_part(expected: Any, actual: Any) -> bool:
    """Whether all that is expected is there: of a dict its keys, of a list each item in some place of its own."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(k in actual and is_part(v, actual[k]) for k, v in expected.items())
    if isinstance(expected, list):
        if not isinstance(actual, list):
            return False
        free = list(actual)
        for item in expected:
            found = next((index for index, other in enumerate(free) if is_part(item, other)), None)
            if found is None:
                return False
            del free[found]
        return True
    return type(expected) is type(actual) and bool(expected == actual)
