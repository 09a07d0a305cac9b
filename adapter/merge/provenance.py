"""A Provenance for each source of a merged record: which resources are from it, in whole or in part."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.fhir.ids import stable_id
from adapter.merge.authority import newest_day
from adapter.merge.parts import Source
from adapter.records import Resource
from adapter.referrals.provenance import source_entities
from adapter.referrals.scope import device

_NO_DATE = "1900-01-01"
"""For a source without any date; FHIR wants one."""


def provenances(
    sources: Sequence[Source], made_of: Sequence[tuple[str, frozenset[int]]], main_url: str
) -> list[Resource]:
    """The entries: this software's Device, and a Provenance for each source.

    made_of: full URL → the numbers of the sources. ``recorded`` is the day of the newest thing that the source says:
    it cannot have been recorded before, and a clock would make every run different.
    """
    software = device()
    entries = [software]
    for number, source in enumerate(sources):
        record = source.record
        ident = stable_id("Provenance", main_url, str(number), record.mapping, record.digest)
        targets = [{"reference": url} for url, numbers in made_of if number in numbers]
        resource: Resource = {
            "resourceType": "Provenance",
            "id": ident,
            "target": targets,
            "recorded": f"{newest_day(source) or _NO_DATE}T00:00:00Z",
            "agent": [{"who": {"reference": software["fullUrl"]}}],
            "entity": source_entities(record.mapping, record.digest),
        }
        entries.append({"fullUrl": f"urn:uuid:{ident}", "resource": resource})
    return entries
