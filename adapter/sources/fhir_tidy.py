"""What is done to a Bundle before it is taken apart: contained Patients, duplicates, retired codes; and what is said of
it: a missing page, what its sender warns of, extensions that change what it means."""

from __future__ import annotations

from typing import Any

from adapter.fhir.references import identifiers_of
from adapter.records import Issue, Resource
from adapter.sources.fhir_contained import moved_out
from adapter.sources.fhir_duplicates import find_duplicates
from adapter.sources.retired_codes import with_current_codes

_PERSONS = frozenset({"Patient", "RelatedPerson"})
_CHANGING = frozenset({"modifierExtension", "implicitRules"})

Said = list[tuple[int, Issue]]
"""What is to be said, with the position of the entry that it is about."""


def tidied(bundle: Resource, broken: frozenset[int]) -> tuple[Resource, Said, frozenset[int]]:
    """The Bundle, what is to be said of it, and the positions that hold nothing any more (duplicates).

    Positions stay as they are; new entries come last. broken: the positions of entries that are not valid, which are
    not looked at. The very same Bundle comes back where there is nothing to do.
    """
    entries: list[Resource] = bundle.get("entry") or []
    if not broken and "link" not in bundle and _is_tidy(entries):
        return bundle, [], frozenset()
    said: Said = []
    made = list(entries)
    for at in moved_out(made, broken) if _any_contained(entries, broken) else ():
        text = "the Patient contained in it is read as an entry of its own"
        said.append((at, Issue("information", "informational", text, "", f"Bundle.entry[{at}].resource.contained")))
    found = find_duplicates(made, broken)
    gone: dict[int, int] = {}
    if found:
        gone = found.kept
        said += found.issues
        made = _without(made, gone)
    for at, entry in enumerate(made):
        if at in broken or (person := entry.get("resource")) is None or person["resourceType"] not in _PERSONS:
            continue
        person, added = with_current_codes(person)
        if added:
            made[at] = entry | {"resource": person}
            text = "the code is of a retired code system; the one that took its place was added"
            said += [
                (at, Issue("information", "informational", text, "", f"Bundle.entry[{at}].resource.{path}"))
                for path in added
            ]
    said += [one for at, entry in enumerate(made) if at not in broken for one in _cautions(at, entry.get("resource"))]
    for link in bundle.get("link", ()):
        if link.get("relation") == "next":
            text = "this is one page of several: what the next one holds is not in the record"
            said.append((0, Issue("warning", "incomplete", text, "", "Bundle.link")))
    if not said:
        return bundle, [], frozenset()
    return bundle | {"entry": made}, said, frozenset(gone)


def _cautions(at: int, resource: Resource | None) -> Said:
    """What a reader must know of a resource: that its meaning may be another one, or that others are missing."""
    place = f"Bundle.entry[{at}].resource"
    if resource is None:
        return []
    if resource["resourceType"] == "OperationOutcome":
        if all(issue["severity"] == "information" for issue in resource["issue"]):
            return []
        text = "the sender says that what it gave is not all, or not as asked for"
        return [(at, Issue("warning", "incomplete", text, "", place))]
    text = "can change the meaning of the resource and is not understood here: confirm what it says"
    found = sorted(_CHANGING.intersection(resource))
    return [(at, Issue("warning", "extension", text, "unsupported", f"{place}.{name}")) for name in found]


def _is_tidy(entries: list[Resource]) -> bool:
    """Whether there is surely nothing to do: decided at a glance, for most records need nothing done."""
    urls: set[object] = set()
    names: set[object] = set()
    owned = count = 0
    for entry in entries:
        resource = entry.get("resource")
        if resource is None:
            continue
        kind = resource["resourceType"]
        if "contained" in resource or (kind in _PERSONS and _has_marks(resource)):
            return False
        if kind == "OperationOutcome" or not _CHANGING.isdisjoint(resource):
            return False
        count += 1
        urls.add(entry.get("fullUrl") or (kind, resource.get("id", count)))
        if "identifier" in resource:
            for name in identifiers_of(resource):
                owned += 1
                names.add((kind, name))
    return len(urls) == count and len(names) == owned


def _has_marks(person: Resource) -> bool:
    return "extension" in person or any("extension" in identifier for identifier in person.get("identifier", ()))


def _any_contained(entries: list[Resource], broken: frozenset[int]) -> bool:
    return any("contained" in entry.get("resource", ()) for at, entry in enumerate(entries) if at not in broken)


def _without(entries: list[Resource], gone: dict[int, int]) -> list[Resource]:
    """The entries with nothing in place of duplicates; references to those that have another URL follow."""
    urls: dict[str, str] = {}
    for left, counts in gone.items():
        kept = entries[counts]
        name = kept.get("fullUrl") or _literal(kept["resource"])
        for old in {entries[left].get("fullUrl", ""), _literal(entries[left]["resource"])} - {""}:
            if old not in (kept.get("fullUrl"), _literal(kept["resource"])) and name:
                urls[old] = name
    made = [{} if at in gone else entry for at, entry in enumerate(entries)]
    return [_redirected(entry, urls) for entry in made] if urls else made


def _literal(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}" if "id" in resource else ""


def _redirected(node: Any, urls: dict[str, str]) -> Any:
    """The same with references redirected; the very same object where there is none to redirect."""
    if isinstance(node, dict):
        reference = node.get("reference")
        if isinstance(reference, str) and reference in urls:
            return node | {"reference": urls[reference]}
        new = {
            key: _redirected(value, urls) if isinstance(value, dict | list) else value for key, value in node.items()
        }
        return new if any(new[key] is not node[key] for key in new) else node
    made = [_redirected(item, urls) if isinstance(item, dict | list) else item for item in node]
    return made if any(one is not old for one, old in zip(made, node, strict=True)) else node
