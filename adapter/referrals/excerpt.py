"""The part of a record that a result quotes: the patient, the evidence, and whatever those refer to."""

from __future__ import annotations

from functools import cache
from operator import is_
from typing import Any

from orjson import dumps

from adapter.fhir.elements import type_info
from adapter.fhir.ids import Ids
from adapter.fhir.profiles import with_profile
from adapter.fhir.references import Index, base_of
from adapter.records import MappedBundle, Resource

_REFERENCE = b'"reference":'
"""How the key of a reference looks in JSON without spaces; in a text the quotation marks would be escaped."""


@cache
def _references(kind: str) -> frozenset[str]:
    """The elements of a resource type that are References themselves."""
    return frozenset(name for name, element in type_info(kind).elements.items() if element.type == "Reference")


class Excerpt:
    """Collects entries of a record on demand and rewrites their references to ``urn:uuid:`` full URLs.

    A reference to nothing in the record becomes a logical one (``identifier``), so that every ``reference`` of the
    result resolves inside it. What a resource does not have rewritten is shared with the record, never changed.
    """

    def __init__(self, record: MappedBundle, key: str) -> None:
        self._entries: list[Resource] = record.bundle.get("entry", [])
        self._index = Index(record.bundle)
        self._id = Ids(key)
        self._urls: dict[int, str] = {}
        self._taken: set[str] = set()
        self._links: dict[tuple[str, str], str] = {}

    def url(self, index: int) -> str:
        """The full URL, in the result, of this entry of the record; the entry is then part of the excerpt."""
        return self._urls.get(index) or self._added(index)

    def quote(self, index: int) -> tuple[str, str]:
        """The type of the resource in this entry of the record, and its full URL in the result."""
        return self._entries[index]["resource"]["resourceType"], self.url(index)

    def _added(self, index: int) -> str:
        entry = self._entries[index]
        url: str = entry.get("fullUrl") or f"{entry['resource'].get('resourceType')}/{entry['resource'].get('id')}"
        if not url.startswith("urn:uuid:"):
            url = f"urn:uuid:{self._id(url)}"
        if url in self._taken:  # two versions of one resource
            url = f"urn:uuid:{self._id(url, str(index))}"
        self._taken.add(url)
        self._urls[index] = url
        return url

    def entries(self, first: int) -> tuple[Resource, list[Resource]]:
        """The entry ``first`` and, in the record's order, all else that was asked for with all that it refers to."""
        self.url(first)
        done: dict[int, Resource] = {}
        while len(done) < len(self._urls):  # grows as they refer to others
            for index, url in [each for each in self._urls.items() if each[0] not in done]:
                entry = self._entries[index]
                resource = self._rewritten(entry["resource"], base_of(entry.get("fullUrl", "")))
                done[index] = {"fullUrl": url, "resource": with_profile(resource)}
        return done.pop(first), [done[index] for index in sorted(done)]

    def _rewritten(self, resource: Resource, base: str) -> Resource:
        """As ``_rewrite``, looking deep inside only where the resource's JSON has more references than it shows."""
        left = dumps(resource).count(_REFERENCE)
        if not left:
            return resource
        changed, names = resource.copy(), _references(resource["resourceType"])
        for name in resource:
            if name in names:
                value = resource[name]
                if type(value) is dict:
                    changed[name] = self._refer(value, base)
                    left -= "reference" in value
                else:
                    changed[name] = [self._refer(each, base) for each in value]
                    left -= len([each for each in value if "reference" in each])
        return self._rewrite(resource, base) if left else changed

    def _rewrite(self, node: Resource, base: str) -> Resource:
        """``node`` with its references rewritten; the very same object where it holds none."""
        changed = node
        for name, value in node.items():
            if type(value) is dict:
                new: Any = self._rewrite(value, base)
            elif type(value) is list:
                new = [self._rewrite(each, base) if type(each) is dict else each for each in value]
                new = value if all(map(is_, new, value)) else new
            else:
                continue
            if new is not value:
                changed = node.copy() if changed is node else changed
                changed[name] = new
        return self._refer(changed, base)

    def _refer(self, node: Resource, base: str) -> Resource:
        """``node`` with the literal reference that it may be rewritten, but for one to a contained resource."""
        reference = node.get("reference")
        if type(reference) is not str or reference[:1] == "#":
            return node
        url = self._links.get((base, reference))
        if url is None:
            target = self._index.resolve_under(base, reference)
            if target is None or "resourceType" not in self._index.resource_at(target):
                logical = {name: value for name, value in node.items() if name != "reference"}
                logical.setdefault("identifier", {"value": reference})
                return logical
            url = self._links[base, reference] = self.url(target)
        return {**node, "reference": url}
