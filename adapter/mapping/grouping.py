"""Reads the part of ``mapping.yaml`` that says how rows of tables are grouped by patient."""

from __future__ import annotations

from typing import Any

from adapter.mapping.formats import EXPORTS, JSON, parse_format, parse_rows
from adapter.mapping.nodes import Join, Lookup, Tables
from rules import Document

Place = tuple[str | int, ...]

HL7V2 = "hl7v2"


def as_dict(document: Document, at: Place, value: Any) -> dict[str, Any]:
    """The value, which must be a mapping."""
    if not isinstance(value, dict):
        raise document.error(at, "this must be a mapping of names to values (name: value)")
    return value


def only(document: Document, at: Place, value: dict[str, Any], allowed: set[str]) -> None:
    """No key but those that are known here."""
    for key in value:
        if key not in allowed:
            raise document.error((*at, key), f"{key!r} is not known here: use {', '.join(sorted(allowed))}")


def parse_tables(head: Document, data: dict[str, Any]) -> Tables | None:
    """How tables are grouped by patient; None for HL7 v2, where messages are."""
    if data["source"] == HL7V2:
        return None
    patient = as_dict(head, ("patient",), data.get("patient"))
    only(head, ("patient",), patient, {"table", "key", "same" if data["source"] in EXPORTS else "within"})
    if not {"table", "key"} <= set(patient):
        raise head.error(("patient",), "say which table and key make a patient: {table: …, key: …}")
    joins: dict[str, Join] = {}
    for table, join in as_dict(head, ("joins",), data.get("joins", {})).items():
        at: Place = ("joins", table)
        only(head, at, as_dict(head, at, join), {"to", "by", "key"})
        if not isinstance(join.get("to"), str) or not isinstance(join.get("by"), str):
            raise head.error(
                at, "a join is {to: TABLE, by: FIELD}, with key: FIELD where the other's is named otherwise"
            )
        joins[table] = Join(join["to"], join["by"], join.get("key", join["by"]))
    for table in joins:
        seen, to = {table}, table
        while to in joins and to != patient["table"]:
            to = joins[to].to
            if to in seen:
                raise head.error(("joins", table), "this join leads back to itself, never to the patient")
            seen.add(to)
        if to != patient["table"]:
            raise head.error(
                ("joins", table), f"this join ends at {to}, not at {patient['table']}: add a join for {to}"
            )
    keys = as_dict(head, ("keys",), data.get("keys", {}))
    for column, table in keys.items():
        if table not in joins and table != patient["table"]:
            raise head.error(
                ("keys", column), f"{table!r} is no table of joins: a key leads to a table that reaches a patient"
            )
    lookups = _lookups(head, data, {patient["table"], *joins})
    rows = {}
    if data["source"] == JSON:
        rows = parse_rows(head, data.get("rows"), patient["table"], frozenset(joins))
    elif "rows" in data:
        raise head.error(("rows",), "rows is for source: json; the rows of a table are its lines")
    return Tables(
        patient["table"],
        patient["key"],
        patient.get("within", ""),
        joins,
        data.get("header", ""),
        keys,
        tuple(patient.get("same", ())),
        rows,
        parse_format(head, data.get("format", {}), data["source"]),
        lookups,
    )


def _lookups(head: Document, data: dict[str, Any], reached: set[str]) -> dict[str, Lookup]:
    """The tables of no patient; only a table that reaches one may name a row of theirs."""
    if "lookups" in data and data["source"] == JSON:
        raise head.error(
            ("lookups",), "lookups is for tables; an object of a JSON export belongs to a patient by joins"
        )
    found: dict[str, Lookup] = {}
    for table, lookup in as_dict(head, ("lookups",), data.get("lookups", {})).items():
        at: Place = ("lookups", table)
        only(head, at, as_dict(head, at, lookup), {"by", "of"})
        if not isinstance(lookup.get("by"), str) or not lookup.get("of"):
            raise head.error(at, "a lookup is {by: KEY, of: {TABLE: COLUMN}}")
        for name in as_dict(head, (*at, "of"), lookup["of"]):
            if name not in reached:
                raise head.error((*at, "of", name), f"{name!r} is no table of joins")
        found[table] = Lookup(lookup["by"], lookup["of"])
    return found
