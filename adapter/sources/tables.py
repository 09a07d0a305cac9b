"""A folder of CSV tables (MSDS, MHSDS, a vendor's) as one record per patient.

The mapping says which table has a row per patient and how the rows of others reach it. Rows that reach nobody make
a refused record of their own, ``orphan rows``: they never disappear.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from adapter.errors import Malformed
from adapter.mapping.nodes import Join, Tables
from adapter.records import Issue
from adapter.sources.csv_files import Table, TableRow, read_csv
from adapter.sources.model import Row, SourceRecord

ORPHANS = "orphan rows"


class TablesMapping(Protocol):
    """What is asked of a mapping here (``adapter.mapping.Mapping`` has it)."""

    @property
    def source(self) -> str: ...

    @property
    def tables(self) -> Tables | None: ...

    @property
    def ignored(self) -> Iterable[str]: ...


@dataclass(slots=True)
class _Patient:
    key: str
    rows: list[TableRow] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    refused: bool = False

    def refuse(self, issue: Issue) -> None:
        self.refused = True
        self.issues.append(issue)


def read_tables(folder: Path, mapping: TablesMapping) -> Iterator[SourceRecord]:
    """One SourceRecord per patient of the folder (or single file), in the order of the patients' table.

    Raises Malformed, with the place, for what is no CSV or holds no table at all.
    """
    if mapping.tables is None:
        raise ValueError(f"the mapping for {mapping.source} is not one for tables")
    paths = [folder] if folder.is_file() else sorted(p for p in folder.glob("*") if p.suffix.lower() == ".csv")
    if not paths:
        message = "there is no CSV file here, nor is this one"
        raise Malformed(Issue("fatal", "structure", message, "malformed", folder.name))
    names = {name.casefold(): name for name in mapping.tables.known}
    alone = mapping.tables.patient if folder.is_file() and len(names) == 1 else ""
    form = mapping.tables.format
    tables = [
        read_csv(path, alone or names.get(path.stem.casefold(), path.stem), form.delimiter, form.encoding)
        for path in paths
    ]
    yield from group_tables(tables, mapping, folder.name)


def group_tables(tables: list[Table], mapping: TablesMapping, source: str) -> Iterator[SourceRecord]:
    """Like ``read_tables`` for tables already read; ``source`` is what they are called."""
    if mapping.tables is None:
        raise ValueError(f"the mapping for {mapping.source} is not one for tables")
    return _Grouping(mapping.tables, tables, frozenset(mapping.ignored)).records(source, mapping.source)


class _Grouping:
    """Groups the rows of one folder by patient."""

    def __init__(self, spec: Tables, tables: list[Table], ignored: frozenset[str]) -> None:
        self.spec, self.ignored = spec, ignored
        self.tables = {table.name: table for table in tables}
        self.patients: dict[str, _Patient] = {}
        self.without_key: list[_Patient] = []
        self.orphans = _Patient(ORPHANS, refused=True)
        self.owners: dict[int, _Patient] = {}
        self.remarks = [issue for table in tables for issue in table.issues]  # said of every record
        self.header = self._header()

    def records(self, source: str, kind: str) -> Iterator[SourceRecord]:
        self._read_patients()
        for table in sorted(self.tables.values(), key=self._depth):
            if table.name not in (self.spec.patient, self.spec.header, *self.spec.lookups):
                self._join(table)
        for name in self.spec.lookups:
            self._look_up(name)
        everyone = [*self.patients.values(), *self.without_key]
        if self.orphans.issues or not everyone:
            if not everyone:
                message = f"no patient: {self.spec.patient} has no row that can be used"
                self.orphans.refuse(Issue("error", "required", message, "malformed", self.spec.patient))
            everyone.append(self.orphans)
        order = {name: index for index, name in enumerate(self.tables)}
        for patient in everyone:
            rows = sorted(patient.rows, key=lambda row: (order[row.name], row.number))
            if self.header is not None:
                rows.insert(0, self.header)
            grouped: dict[str, list[Row]] = {}
            for row in rows:
                row.header = self.header
                grouped.setdefault(row.name, []).append(row)
            issues = (*patient.issues, *self.remarks)
            yield SourceRecord(source, kind, patient.key, grouped, tuple(rows), issues, patient.refused)

    def _header(self) -> TableRow | None:
        table = self.tables.get(self.spec.header)
        if table is None or not table.rows:
            return None
        for row in table.rows[1:]:
            self.remarks.append(_issue(row, "", "structure", "a second header row: the first one counts", "duplicate"))
        if table.rows[0].ragged:
            self.remarks.append(_ragged(table.rows[0]))
        return table.rows[0]

    def _depth(self, table: Table) -> int:
        """How many joins away from the patient: parents are grouped before their children."""
        depth, name = 0, table.name
        while name in self.spec.joins:
            depth, name = depth + 1, self.spec.joins[name].to
        return depth if table.name in self.spec.joins or table.name == self.spec.patient else 99

    def _read_patients(self) -> None:
        table = self.tables.get(self.spec.patient)
        for row in table.rows if table else ():
            key = row.get(self.spec.key)
            if key is None:
                lost = _Patient(row.place(""), [row])
                lost.refuse(_issue(row, self.spec.key, "required", f"{self.spec.key} is missing: this is nobody's row"))
                self.without_key.append(lost)
                self.owners[id(row)] = lost
                continue
            within = row.get(self.spec.within) or "" if self.spec.within else ""
            patient = _Patient(f"{within}|{key}", [row])
            if key in self.patients and self.patients[key].key != patient.key:
                message = (
                    f"{self.spec.key} is the same as in another row whose {self.spec.within} differs: who is meant?"
                )
                for one in (self.patients[key], patient):
                    one.refuse(_issue(one.rows[0], self.spec.key, "conflict", message, "data-conflict"))
                self.without_key.append(self.patients[key])
            elif key in self.patients:
                earlier = self.patients[key].rows[0]
                message = f"a second row with this {self.spec.key} ({row.place('')}) takes the place of this one"
                patient.issues.append(Issue("warning", "conflict", message, "duplicate", earlier.place("")))
                patient.issues.extend(self.patients[key].issues)
                for name in self.spec.same:
                    if row.get(name) and earlier.get(name) and row.get(name) != earlier.get(name):
                        message = f"{name} differs from an earlier row with the same {self.spec.key}: who is meant?"
                        patient.refuse(_issue(row, name, "conflict", message, "data-conflict"))
            if row.ragged:
                patient.refuse(_ragged(row))
            self.patients[key] = patient
            self.owners[id(row)] = patient

    def _infer(self, table: Table) -> Join | None:
        """How a table that the mapping does not know may belong to somebody: by a key that it shares."""
        keys = {**{join.by: join.to for join in self.spec.joins.values()}, self.spec.key: self.spec.patient}
        keys = {**self.spec.keys, **keys}
        return next((Join(to, by, by) for by, to in keys.items() if by in table.columns), None)

    def _join(self, table: Table) -> None:
        join = self.spec.joins.get(table.name)
        if join is None and table.name not in self.ignored:
            join = self._infer(table)
        if join is None:
            if table.name not in self.ignored:
                message = f"this table is unknown and has no key of a patient: its {len(table.rows)} rows are not read"
                self.remarks.append(Issue("information", "informational", message, "unmapped-field", table.name))
            return
        if join.by not in table.columns and table.rows:
            message = f"there is no column {join.by}: the rows of this table are nobody's"
            self.orphans.issues.append(Issue("error", "required", message, "malformed", f"{table.name} row 1"))
        parents = self._index(join)
        for row in table.rows:
            key = row.get(join.by)
            found = parents.get(key, []) if key is not None else []
            owners = list({id(owner): owner for owner in (self.owners.get(id(r)) for r in found) if owner}.values())
            if not owners:
                self._orphan(row, join, key)
                continue
            row.parent = found[-1]
            self.owners[id(row)] = owners[-1]
            owners[-1].rows.append(row)
            for owner in owners if len(owners) > 1 else ():
                message = f"{join.by} of this row is that of rows of different patients in {join.to}"
                owner.refuse(_issue(row, join.by, "conflict", message, "data-conflict"))
            if row.ragged:
                owners[-1].refuse(_ragged(row))

    def _look_up(self, name: str) -> None:
        """Link the rows of ``name`` to those that name them; each goes into the record of every patient it is about."""
        lookup, table = self.spec.lookups[name], self.tables.get(name)
        named = {row.get(lookup.by): row for row in table.rows} if table else {}
        there: set[tuple[int, int]] = set()
        for source, column in lookup.of.items():
            for row in self.tables[source].rows if source in self.tables else ():
                key, owner = row.get(column), self.owners.get(id(row))
                if key is None or owner is None:
                    continue
                if (found := named.get(key)) is None:
                    message = f"no row of {name} has this {column} as its {lookup.by}: what is said there is unknown"
                    owner.issues.append(Issue("warning", "not-found", message, "", row.place(column)))
                    continue
                row.links = {**(row.links or {}), name: found}
                if (id(owner), id(found)) not in there:
                    there.add((id(owner), id(found)))
                    owner.rows.append(found)
                if found.ragged:
                    owner.refuse(_ragged(found))

    def _index(self, join: Join) -> dict[str, list[TableRow]]:
        """Key → the rows of the parent table that have it; of a patient given twice, only the row that counts."""
        if join.to == self.spec.patient and join.key == self.spec.key:
            return {key: patient.rows[:1] for key, patient in self.patients.items()}
        index: dict[str, list[TableRow]] = {}
        parent = self.tables.get(join.to)
        for row in parent.rows if parent else ():
            key = row.get(join.key)
            if key is not None:
                index.setdefault(key, []).append(row)
        return index

    def _orphan(self, row: TableRow, join: Join, key: str | None) -> None:
        self.orphans.rows.append(row)
        if row.ragged:
            self.orphans.issues.append(_ragged(row))
        if key is None:
            self.orphans.issues.append(_issue(row, join.by, "required", f"{join.by} is missing: this is nobody's row"))
        else:
            message = f"no row of {join.to} that belongs to a patient has this {join.by}: this is nobody's row"
            self.orphans.issues.append(_issue(row, join.by, "not-found", message))


def _issue(row: TableRow, column: str, code: str, text: str, detail: str = "malformed") -> Issue:
    return Issue("error", code, text, detail, row.place(column))


def _ragged(row: TableRow) -> Issue:
    text = f"{len(row.cells)} cells under {len(row.columns)} columns: what belongs where cannot be known"
    return _issue(row, "", "structure", text)
