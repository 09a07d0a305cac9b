"""One person, many sources: the records of a run put together by person.

records of all paths → persons (identity) → same things (same) → one resource of each (unite) → one record (record)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from adapter.errors import AdapterError
from adapter.fhir.patients import main_patient
from adapter.fhir.references import Index
from adapter.merge.identity import Identity, identity_of, persons
from adapter.merge.record import merge
from adapter.records import Issue, MappedBundle, Resource

__all__ = ["merge", "merge_records"]


def merge_records(
    records: Sequence[MappedBundle | AdapterError],
) -> Iterator[tuple[int, MappedBundle | AdapterError]]:
    """These records with one for each person, each with the position of the first of hers.

    What is refused passes as it is: it is nobody's until it is put right.
    """
    usable = [(at, one) for at, one in enumerate(records) if isinstance(one, MappedBundle) and not one.refused]
    mains = [main_patient(record.bundle) for _, record in usable]
    found = persons([_who(record.bundle, main) for (_, record), main in zip(usable, mains, strict=True)])
    made: dict[int, MappedBundle | None] = {}
    for group in found.groups:
        hers = [_with_issues(usable[n][1], mains[n], found.issues.get(n, [])) for n in group]
        made.update({usable[n][0]: None for n in group})
        made[usable[group[0]][0]] = hers[0] if len(group) == 1 else merge(hers, [mains[n] for n in group])
    for at, record in enumerate(records):
        out = made.get(at, record)
        if out is not None:
            yield at, out


def _with_issues(record: MappedBundle, main: int, issues: Sequence[Issue]) -> MappedBundle:
    if not issues:
        return record
    place = f"Bundle.entry[{main}].resource.identifier"
    return replace(record, issues=(*record.issues, *(replace(issue, place=place) for issue in issues)))


def _who(bundle: Resource, main: int) -> Identity:
    entry = bundle["entry"][main]
    return identity_of(entry["resource"], Index(bundle), entry.get("fullUrl", ""))
