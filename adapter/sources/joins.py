"""How the tables of a folder reach a patient."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.mapping.nodes import Join, Tables
from adapter.records import Issue
from adapter.sources.csv_files import Table


def joins_of(
    spec: Tables, tables: Mapping[str, Table], ignored: frozenset[str], remarks: list[Issue]
) -> dict[str, Join]:
    """How each table that is here reaches a patient, parents before their children; what has none is remarked."""
    apart = {spec.patient, spec.header, *spec.lookups}
    joins = {
        name: join
        for name in tables
        if name not in apart and (join := _join_of(name, spec, tables, ignored, remarks)) is not None
    }
    return dict(sorted(joins.items(), key=lambda item: _depth(item[0], spec)))


def _join_of(
    name: str, spec: Tables, tables: Mapping[str, Table], ignored: frozenset[str], remarks: list[Issue]
) -> Join | None:
    """As the mapping says; a table that it does not know belongs to somebody by a key that it shares."""
    join, table = spec.joins.get(name), tables[name]
    if join is not None or name in ignored:
        return join
    keys = {**{join.by: join.to for join in spec.joins.values()}, spec.key: spec.patient}
    keys = {**spec.keys, **keys}
    found = next((Join(to, by, by) for by, to in keys.items() if by in table.columns), None)
    if found is None:
        rows = sum(len(numbers) for numbers, _ in table.chunks())
        message = f"this table is unknown and has no key of a patient: its {rows} rows are not read"
        remarks.append(Issue("information", "informational", message, "unmapped-field", name))
    return found


def _depth(name: str, spec: Tables) -> int:
    """How many joins away from the patient."""
    depth, known = 0, name in spec.joins
    while name in spec.joins:
        depth, name = depth + 1, spec.joins[name].to
    return depth if known else 99
