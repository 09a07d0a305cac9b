"""A Patient inside another resource: read as an entry of its own, so that the record has somebody to be about.

Only Patients are moved; other contained resources (Medication, Practitioner …) are read where they are. A Patient
contained in several resources, or contained and also an entry, is one Patient: by identifier, or where both are equal.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import orjson

from adapter.fhir.ids import stable_id
from adapter.fhir.references import identifiers_of
from adapter.records import Resource


def moved_out(entries: list[Resource], broken: Container[int] = ()) -> list[int]:
    """Add contained Patients to the entries, in place; the positions of the entries that they were moved out of.

    broken: the positions of entries that are not valid, which are left as they are.
    """
    holders = [at for at, entry in enumerate(entries) if at not in broken and _patients(entry.get("resource"))]
    if not holders:
        return []
    known: dict[tuple[str, ...], str] = {}
    for at, entry in enumerate(entries):
        resource = {} if at in broken else entry.get("resource") or {}
        if resource.get("resourceType") == "Patient":
            url = entry.get("fullUrl") or f"urn:uuid:{stable_id('Patient', resource.get('id', ''), f'#{at}')}"
            known.update(dict.fromkeys(_keys(resource), url))
            entries[at] = {"fullUrl": url, **entry}
    for at in holders:
        entries[at] = entries[at] | {"resource": _emptied(entries[at]["resource"], known, entries)}
    return holders


def _patients(resource: Resource | None) -> list[Resource]:
    inside = resource.get("contained") if resource else None
    return [one for one in inside or () if one.get("resourceType") == "Patient" and "id" in one]


def _keys(patient: Resource) -> list[tuple[str, ...]]:
    """What tells who a Patient is: the identifiers that have a system, or else all that is known."""
    found: list[tuple[str, ...]] = [key for key in identifiers_of(patient) if key[0]]
    return found or [("", orjson.dumps(patient, option=orjson.OPT_SORT_KEYS).decode())]


def _emptied(resource: Resource, known: dict[tuple[str, ...], str], entries: list[Resource]) -> Resource:
    """The resource without its Patients, which are among the entries afterwards, and referring to them there."""
    urls = {}
    for patient in _patients(resource):
        keys = _keys(patient)
        url = next((known[key] for key in keys if key in known), "")
        if not url:
            url = f"urn:uuid:{stable_id('Patient', *(part for key in keys for part in key))}"
            entries.append({"fullUrl": url, "resource": {k: v for k, v in patient.items() if k != "id"}})
        known.update(dict.fromkeys(keys, url))
        urls[f"#{patient['id']}"] = url
    left = [one for one in resource["contained"] if f"#{one.get('id')}" not in urls]
    emptied = {key: value for key, value in resource.items() if key != "contained"} | (
        {"contained": left} if left else {}
    )
    referring: Resource = _redirected(emptied, urls)
    return referring


def _redirected(node: Any, urls: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            key: urls.get(value, value) if key == "reference" and isinstance(value, str) else _redirected(value, urls)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_redirected(item, urls) for item in node]
    return node
