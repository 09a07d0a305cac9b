"""A Provenance for each source of a merged record: which resources are from it, in whole or in part."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.fhir.ids import stable_id
from adapter.merge.parts import Source
from adapter.records import Resource
from adapter.referrals.provenance import source_entities
from adapter.referrals.scope import device

_UNKNOWN = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
}


def provenances(
    sources: Sequence[Source], made_of: Sequence[tuple[str, frozenset[int]]], main_url: str
) -> list[Resource]:
    """The entries: this software's Device, and a Provenance for each source.

    made_of: full URL → the numbers of the sources. When the sources were written is not known, so ``recorded`` says
    that (an as-of date is no part of a conversion, and a clock would make every run different).
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
            "_recorded": _UNKNOWN,
            "agent": [{"who": {"reference": software["fullUrl"]}}],
            "entity": source_entities(record.mapping, record.digest),
        }
        entries.append({"fullUrl": f"urn:uuid:{ident}", "resource": resource})
    return entries
