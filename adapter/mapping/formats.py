"""Reads the parts of ``mapping.yaml`` that say how a vendor's own files are written: ``format`` and ``rows``."""

from __future__ import annotations

import codecs
import re
from typing import Any

from adapter.mapping.dates import TOKENS, date_pattern
from adapter.mapping.nodes import Format
from rules import Document

CSV, JSON = "csv", "json"
EXPORTS = (CSV, JSON)
"""The sources that are a vendor's own: told apart by the mapping and not by how a file begins."""

_PATH = re.compile(r"\$(?:\.[^\s.\[\]$]+|\[\*\])*")


def parse_format(head: Document, value: Any, source: str) -> Format:
    """``format: {delimiter, encoding, dates, lists}``; a JSON export has only ``dates``."""
    if not isinstance(value, dict):
        raise head.error(("format",), "format is {delimiter: ',', encoding: utf-8, dates: DD/MM/YYYY}")
    allowed = {"dates"} if source == JSON else {"delimiter", "encoding", "dates", "lists"}
    for key in value:
        if key not in allowed:
            raise head.error(("format", key), f"{key!r} is not known here: use {', '.join(sorted(allowed))}")
    delimiter = value.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise head.error(("format", "delimiter"), 'a delimiter is one character, such as ";" or "\\t", in quotes')
    return Format(delimiter, _encoding(head, value), _dates(head, value), _lists(head, value))


def _encoding(head: Document, value: dict[str, Any]) -> str:
    encoding = value.get("encoding", "")
    try:
        return codecs.lookup(encoding).name if encoding else ""
    except (LookupError, TypeError):
        raise head.error(
            ("format", "encoding"), "this encoding is not known: use utf-8, windows-1252, utf-16 …"
        ) from None


def _dates(head: Document, value: dict[str, Any]) -> tuple[str, ...]:
    dates = value.get("dates", [])
    patterns = tuple(dates) if isinstance(dates, list) else (dates,)
    for pattern in patterns:
        if not isinstance(pattern, str) or date_pattern(pattern) is None:
            raise head.error(("format", "dates"), f"a date is written with {TOKENS}")
    return patterns


def _lists(head: Document, value: dict[str, Any]) -> dict[str, str]:
    lists = value.get("lists", {})
    if not isinstance(lists, dict) or not all(isinstance(v, str) and v for v in lists.values()):
        raise head.error(("format", "lists"), 'lists names columns and what parts their values: {Diagnoses: ";"}')
    return lists


def parse_rows(head: Document, value: Any, patient: str, joined: frozenset[str]) -> dict[str, str]:
    """``rows``: a name for each kind of object of a JSON export → its path, such as ``$.patients[*].scores[*]``."""
    if not isinstance(value, dict) or patient not in value:
        raise head.error(("rows",), f"rows names the objects of the file and says where {patient} is: name: $.path[*]")
    for name, path in sorted(value.items(), key=lambda item: item[0] != patient):
        at = ("rows", name)
        if not isinstance(path, str) or _PATH.fullmatch(path) is None or not (path == "$" or path.endswith("[*]")):
            raise head.error(at, "a path is $ or ends at the objects of an array: $.patients[*].scores[*]")
        if "." in str(name) or list(value.values()).count(path) > 1:
            raise head.error(at, "each path has one name, without dots")
        if not (name in joined or path.startswith(value[patient]) or value[patient].startswith(path)):
            raise head.error(at, f"this is outside of {patient}: say in joins by which key it belongs to one")
    return value
