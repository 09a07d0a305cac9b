"""Provenance: by which rules, from which record and through which mapping a proposal came about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapter.records import MappedBundle, Resource
from adapter.referrals.scope import Quote, Scope, reference


def provenance(
    scope: Scope,
    target: Resource,
    rules: tuple[str, ...],
    origin: Iterable[Resource],
    quotes: Iterable[Quote],
    used: Iterable[Resource] = (),
) -> Resource:
    """The entry that accounts for one proposal.

    ``origin`` is what all proposals of a result have in common (see :func:`origin`); ``quotes`` are what the rules
    rest on; ``used`` are the entities of what else shaped it (a provider's policy, the directory).
    """
    quoted: list[Resource] = [
        {"role": "quotation", "what": {"reference": url, "display": places}} for _, url, places in quotes
    ]
    resource: dict[str, Any] = {
        "resourceType": "Provenance",
        "target": [reference(target["fullUrl"])],
        "recorded": f"{scope.day}T00:00:00Z",
        "policy": [scope.pack, *scope.rules(rules)],
        "agent": [{"who": scope.device}],
        "entity": [*origin, *quoted, *used],
    }
    return scope.entry(resource, target["resource"]["resourceType"], target["resource"]["id"])


def origin(record: MappedBundle, digest: str) -> list[Resource]:
    """The source record and the mapping, by identifier: neither is in the result. Of a merged record, all of them.

    ``digest`` is the SHA-256 of the record's bytes in hexadecimal, or "". A file's name is not given: it may name
    the patient.
    """
    if record.origins:
        return [entity for one in record.origins for entity in source_entities(one.mapping, one.digest)]
    return source_entities(record.mapping, digest)


def source_entities(mapping: str, digest: str) -> list[Resource]:
    """One source as the entities of a Provenance: the record, and the mapping it was read with ("" for FHIR)."""
    what: Resource = {"display": f"Source record ({mapping.partition('@')[0] or 'fhir'})"}
    if digest:
        what["identifier"] = {"value": f"sha256:{digest}"}
    entities: list[Resource] = [{"role": "source", "what": what}]
    if mapping:
        by: Resource = {"identifier": {"value": mapping}, "display": f"Mapping {mapping}"}
        entities.append({"role": "derivation", "what": by})
    return entities
