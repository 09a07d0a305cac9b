"""The code lists of the pack as ValueSets, and the local code systems."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from adapter.errors import CannotStart
from adapter.export.scope import Export
from adapter.records import Issue, Resource
from adapter.referrals.terms import humanise, terms
from adapter.referrals.wanted import code_systems

LOCAL_SYSTEMS: Mapping[str, str] = {
    "perinatal-concept": "Perinatal concepts for which no national code was found",
    "perinatal-task": "What a person is asked to do",
    "perinatal-flag": "Alerts that are not referrals",
    "perinatal-issue": "What is said of a record or a decision",
}
"""The local code systems whose codes stand in ``terms.csv``: the last part of the url → title."""

COMMENT = "http://hl7.org/fhir/StructureDefinition/valueset-concept-comments"
_COPYRIGHTS = {
    "http://snomed.info/sct": "SNOMED CT is copyright of SNOMED International; its use needs a licence.",
    "http://loinc.org": "LOINC is copyright of Regenstrief Institute, Inc.; its use is under its licence.",
}


class Row(NamedTuple):
    """One row of a code list, with the columns that an export needs."""

    system: str
    code: str
    display: str
    source: str
    mark: str
    prefix: bool
    roles: tuple[str, ...]
    place: str = ""  # in the site's own list; "" for a row of the pack


def code_lists(export: Export) -> dict[str, tuple[Row, ...]]:
    """Every ``codes/NAME.csv`` of the pack with what the site adds.

    Raises CannotStart for a code whose system is not known.
    """
    return {
        path.stem: (*_rows(path, export.base), *_added(export, path.name))
        for path in sorted((export.pack.folder / "codes").glob("*.csv"))
    }


def _added(export: Export, name: str) -> Iterator[Row]:
    """The rows of the site's own list of this name, each with its place. They were checked when the pack was loaded."""
    path = export.site / name if export.site else None
    if path is not None and path.is_file():
        for line, row in enumerate(_rows(path, export.base), start=2):
            yield row._replace(place=f"{name}, line {line}")


def _rows(path: Path, base: str) -> Iterator[Row]:
    systems = code_systems(base)
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            given = {key: (value or "").strip() for key, value in row.items()}
            if given.get("system") not in systems or not given.get("code"):
                text = f"{path.name}:{line}: system is one of {', '.join(systems)}, and there is a code"
                raise CannotStart(Issue("fatal", "exception", text))
            yield Row(
                systems[given["system"]],
                given["code"],
                given.get("display", ""),
                given.get("source", ""),
                given.get("mark", ""),
                given.get("match") == "prefix",
                tuple(role.partition(":")[0] for role in given.get("role", "").split()),
            )


def value_sets(export: Export, lists: Mapping[str, Sequence[Row]]) -> Iterator[Resource]:
    """A ValueSet for each list, and one for each role that a code plays inside a list."""
    for name, rows in lists.items():
        yield _value_set(export, name, humanise(name), rows)
        for role in sorted({role for row in rows for role in row.roles}):
            playing = [row for row in rows if role in row.roles]
            title = f"{humanise(name)}: those that say {humanise(role).lower()}"
            yield _value_set(export, f"{name}.{role}", title, playing)


def _value_set(export: Export, name: str, title: str, rows: Sequence[Row]) -> Resource:
    sources = dict.fromkeys(f"{row.source} [{row.mark}]" if row.mark else row.source for row in rows if row.source)
    said = [title, f"Sources: {'; '.join(sources)}" if sources else ""]
    if added := sum(bool(row.place) for row in rows):
        said.append(f"With {added} code{'' if added == 1 else 's'} of the site's own")
    text = ". ".join(filter(None, said))
    resource = {
        **export.head("ValueSet", name, title, any(not row.mark.startswith("V") for row in rows)),
        "description": text if text == title else f"{text}.",
    }
    notices = [text for system, text in _COPYRIGHTS.items() if any(row.system == system for row in rows)]
    if notices:
        resource["copyright"] = " ".join(notices)
    return {**resource, "compose": {"include": list(_includes(rows))}}


def _includes(rows: Sequence[Row]) -> Iterator[Resource]:
    ordered = sorted(rows, key=lambda row: (row.system, row.prefix))
    for (system, prefix), group in groupby(ordered, key=lambda row: (row.system, row.prefix)):
        if prefix:  # a family of ICD-10: the code and everything below it
            for row in group:
                yield {"system": system, "filter": [{"property": "concept", "op": "is-a", "value": row.code}]}
        else:
            unique = {row.code: row for row in group}
            yield {"system": system, "concept": list(map(_listed, unique.values()))}


def _listed(row: Row) -> Resource:
    """A code of a list; one that the site added says so (FHIR's own extension for a comment on a code)."""
    concept = _concept(row.code, row.display)
    if row.place:
        text = f"Added by the site: {row.place}: {row.source}"
        concept = {"extension": [{"url": COMMENT, "valueString": text}], **concept}
    return concept


def _concept(code: str, display: str) -> Resource:
    return {"code": code, "display": display} if display else {"code": code}


def code_system_resources(export: Export, lists: Mapping[str, Sequence[Row]]) -> Iterator[Resource]:
    local = f"{export.base}/CodeSystem/perinatal-concept"
    listed = {row.code: row.display for rows in lists.values() for row in rows if row.system == local}
    for kind, title in LOCAL_SYSTEMS.items():
        concepts = {**(listed if kind == "perinatal-concept" else {}), **terms(kind)}
        yield _code_system(export, kind, title, concepts.items())
    services = ((key, service.label) for key, service in export.pack.services.items())
    yield _code_system(export, "referral-service", "Services that referrals go to", services)


def _code_system(export: Export, name: str, title: str, concepts: Iterable[tuple[str, str]]) -> Resource:
    listed = [_concept(code, display) for code, display in concepts]
    return {
        **export.head("CodeSystem", name, title, False),
        "description": f"{title}. A local code system of this project.",
        "caseSensitive": True,
        "valueSet": export.url("ValueSet", f"all-{name}"),
        "content": "complete",
        "count": len(listed),
        "concept": listed,
    }


def whole_systems(export: Export, systems: Iterable[Resource]) -> Iterator[Resource]:
    """For each local code system the ValueSet of all its codes."""
    for system in systems:
        name = f"all-{system['id']}"
        yield {
            **export.head("ValueSet", name, f"{system['title']}: all codes", False),
            "compose": {"include": [{"system": system["url"]}]},
        }
