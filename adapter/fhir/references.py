"""Which entry of a Bundle a reference means (R4 4.0.1, bundle.html#references)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from adapter.records import Resource

Entry = Mapping[str, Any]


class Index:
    """Finds entries of one Bundle. Nothing is indexed before it is asked for; the Bundle need not be valid."""

    def __init__(self, bundle: Resource) -> None:
        entries = bundle.get("entry")
        self.entries: Sequence[Entry] = [
            e if type(e) is dict else {} for e in (entries if isinstance(entries, list) else ())
        ]
        self._resolved: dict[tuple[str, str], int | None] = {}

    def resolve(self, reference: str, from_url: str = "") -> int | None:
        """The position of the entry that a reference made in the entry with fullUrl ``from_url`` means, or None.

        An absolute http reference also finds ``Type/id`` among the entries that have no http fullUrl of their own.
        ``#contained`` is None: it means no entry.
        """
        return self.resolve_under(base_of(from_url), reference)

    def resolve_under(self, base: str, reference: str) -> int | None:
        """As ``resolve``, for all entries whose fullUrls have the same ``base_of``."""
        key = base, reference
        if key not in self._resolved:
            self._resolved[key] = self._resolve(base, reference)
        return self._resolved[key]

    def _resolve(self, base: str, reference: str) -> int | None:
        if not reference or reference[0] == "#":
            return None
        reference = reference.partition("/_history/")[0].partition("#")[0]
        if reference in self._by_url:
            return self._by_url[reference]
        if "?" in reference:
            return self._conditional(reference)
        kind, separator, own = reference.rpartition("/")
        if not separator:
            return None
        if "/" not in kind and ":" not in kind:
            found = self._by_url.get(f"{base}/{reference}")
            return self._by_type_and_id.get((kind, own)) if found is None else found
        found = self._by_type_and_id.get((kind.rpartition("/")[2], own))
        return None if found is None or _url(self.entries[found]).startswith("http") else found

    def target(self, reference: object, from_url: str = "") -> int | None:
        """As ``resolve``, for a Reference: by its ``reference``, or else by its ``identifier``."""
        if not isinstance(reference, dict):
            return None
        literal = reference.get("reference")
        if isinstance(literal, str):
            return self.resolve(literal, from_url)
        for key in identifiers_of({"identifier": [reference.get("identifier")]}):
            found = self.by_identifier.get(key, ())
            kind = reference.get("type")
            found = [at for at in found if not isinstance(kind, str) or self.type_at(at) == kind]
            if len(found) == 1:
                return found[0]
        return None

    def type_at(self, at: int) -> str:
        """The resource type of an entry, "" when it has none."""
        return self.types[at]

    @cached_property
    def types(self) -> list[str]:
        """The resource type of each entry, "" where it has none."""
        found = []
        for entry in self.entries:
            resource = entry.get("resource")
            kind = resource.get("resourceType") if type(resource) is dict else None
            found.append(kind if type(kind) is str else "")
        return found

    def resource_at(self, at: int) -> Resource:
        resource = self.entries[at].get("resource")
        return resource if isinstance(resource, dict) else {}

    @cached_property
    def by_identifier(self) -> dict[tuple[str, str], list[int]]:
        """(system, value) → the entries that carry the identifier."""
        found: dict[tuple[str, str], list[int]] = {}
        for at in range(len(self.entries)):
            for key in identifiers_of(self.resource_at(at)):
                found.setdefault(key, []).append(at)
        return found

    @cached_property
    def _by_url(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for at, entry in enumerate(self.entries):
            url = entry.get("fullUrl")
            if url and type(url) is str and url not in found:
                found[url] = at
        return found

    @cached_property
    def _by_type_and_id(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for at, entry in enumerate(self.entries):
            resource = entry.get("resource")
            if type(resource) is dict and type(own := resource.get("id")) is str:
                kind = resource.get("resourceType")
                found.setdefault((kind if type(kind) is str else "", own), at)
        return found

    def _conditional(self, reference: str) -> int | None:
        """``Patient?identifier=system|value``, or with the value alone: the one entry that has it."""
        kind, _, query = reference.partition("?")
        name, _, token = query.partition("=")
        if name != "identifier" or "&" in token:
            return None
        system, separator, value = unquote(token).rpartition("|")
        keys = [(system, value)] if separator else [key for key in self.by_identifier if key[1] == value]
        kind = kind.rpartition("/")[2]
        found = {at for key in keys for at in self.by_identifier.get(key, ()) if self.type_at(at) == kind}
        return found.pop() if len(found) == 1 else None


def base_of(full_url: str) -> str:
    """What comes before ``Type/id`` in an http fullUrl, to which relative references belong; "" for any other."""
    return full_url.rsplit("/", 2)[0] if full_url[:4] == "http" else ""


def identifiers_of(resource: Resource) -> Iterator[tuple[str, str]]:
    """The (system, value) pairs of a resource's identifiers; system is "" when not given."""
    found = resource.get("identifier")
    for identifier in found if isinstance(found, list) else [found]:
        if isinstance(identifier, dict):
            value, system = identifier.get("value"), identifier.get("system", "")
            if isinstance(value, str) and isinstance(system, str):
                yield system, value


def references_in(node: object) -> Iterator[Resource]:
    """Every Reference with a literal ``reference`` inside a resource, depth first."""
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node
        else:
            for value in node.values():
                if isinstance(value, dict | list):
                    yield from references_in(value)
    elif isinstance(node, list):
        for value in node:
            if isinstance(value, dict | list):
                yield from references_in(value)


def _url(entry: Entry) -> str:
    url = entry.get("fullUrl")
    return url if isinstance(url, str) else ""
