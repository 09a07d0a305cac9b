"""The second reading of a folder of tables: the rows of one patient after the other, from their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from adapter.mapping.nodes import Join, Tables
from adapter.records import Issue
from adapter.sources import owners
from adapter.sources.csv_files import Table, TableRow, ragged_issue
from adapter.sources.model import Row, SourceRecord
from adapter.sources.parts import NOBODY, ORPHANS, PLACES, Part

_BATCH = 2_000  # rows that are read together


class Assembly:
    """Puts together the records of one folder. ``remarks`` are said of every record.

    It can be pickled where its tables are streamed: each process then reads the files for itself.
    """

    def __init__(
        self,
        source: str,
        kind: str,
        spec: Tables,
        tables: Sequence[Table],
        joins: Mapping[str, Join],
        header: TableRow | None,
        remarks: Sequence[Issue],
    ) -> None:
        self.source, self._kind, self._spec = source, kind, spec
        self._tables, self._joins, self._header, self._remarks = tables, joins, header, remarks

    def records(self, batch: Sequence[Part]) -> Iterator[SourceRecord]:
        """One for each part."""
        rows = self._load(batch)
        for part in batch:
            header, own = self._header and self._header.shared(), {}
            for place, parent, _ in part.given:
                row = own[place] = rows[place]
                row.header = header
                row.parent = rows.get(parent)
            for place, name, found, _ in part.linked:
                if place in own:
                    if found not in own:
                        own[found] = rows[found].shared()
                        own[found].header = header
                    own[place].links = {**(own[place].links or {}), name: own[found]}
            ordered = [own[place] for place in sorted(own)] if part.linked else list(own.values())
            yield self._record(part, header, ordered)

    def _record(self, part: Part, header: TableRow | None, rows: list[TableRow]) -> SourceRecord:
        issues, refused = [*part.issues], part.refused or not part.whole
        if not part.whole and part.owner < NOBODY:
            text = f"more than {owners.MOST_ROWS} rows have the key of one patient: they are read as nobody's record"
            issues.append(Issue("error", "too-long", text, "malformed", rows[0].place("")))
        for row in rows:
            if row.ragged:
                issues.append(ragged_issue(row))
                refused = True
            if part.owner >= NOBODY:
                issues.append(self._orphan(row))
        key = ORPHANS if part.owner >= NOBODY else self._label(rows)
        order = rows if header is None else [header, *rows]
        grouped: dict[str, list[Row]] = {}
        for row in order:
            grouped.setdefault(row.name, []).append(row)
        return SourceRecord(self.source, self._kind, key, grouped, tuple(order), (*issues, *self._remarks), refused)

    def _label(self, rows: Sequence[TableRow]) -> str:
        patient = next((row for row in rows if row.name == self._spec.patient), None)
        if patient is None:
            return ""
        key = patient.get(self._spec.key)
        within = (patient.get(self._spec.within) or "") if self._spec.within else ""
        return patient.place("") if key is None else f"{within}|{key}"

    def _orphan(self, row: TableRow) -> Issue:
        join, place = self._joins[row.name], f"{row.name} row {row.number}"
        if row.get(join.by) is None:
            code, text = "required", f"{join.by} is missing: this is nobody's row"
        else:
            code = "not-found"
            text = f"no row of {join.to} that belongs to a patient has this {join.by}: this is nobody's row"
        return Issue("error", code, text, "malformed", f"{place}, {join.by}")

    def _load(self, batch: Sequence[Part]) -> dict[int, TableRow]:
        """The rows of a batch by their places."""
        spans = {place: span for part in batch for place, _, span in part.given}
        spans.update((found, span) for part in batch for _, _, found, span in part.linked)
        rows: dict[int, TableRow] = {}
        for number, places in groupby(sorted(spans), lambda place: place // PLACES):
            wanted = list(places)
            loaded = self._tables[number].load([(place % PLACES, spans[place]) for place in wanted])
            rows.update(zip(wanted, loaded, strict=True))
        return rows


def batches(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Parts that make about as many rows as are read together."""
    batch: list[Part] = []
    count = 0
    for part in parts:
        batch.append(part)
        count += len(part.given)
        if count >= _BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch
