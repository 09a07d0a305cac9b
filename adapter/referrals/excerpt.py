"""The part of a record that a result quotes: the patient, the evidence, and whatever those refer to."""

from __future__ import annotations

from typing import Any

import orjson

from adapter.fhir.ids import Ids
from adapter.fhir.profiles import with_profile
from adapter.fhir.references import Index
from adapter.records import MappedBundle, Resource

_REFERENCE = b'"reference":'
"""How the key of a reference looks in JSON without spaces; in a text the quotation marks would be escaped."""


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
        self._waiting: list[int] = []
        self._done: dict[int, Resource] = {}

    def url(self, index: int) -> str:
        """The full URL, in the result, of this entry of the record; the entry is then part of the excerpt."""
        known = self._urls.get(index)
        if known is not None:
            return known
        entry = self._entries[index]
        full_url = str(entry.get("fullUrl") or f"{entry['resource'].get('resourceType')}/{entry['resource'].get('id')}")
        if not full_url.startswith("urn:uuid:"):
            full_url = "urn:uuid:" + self._id(full_url)
        if full_url in self._taken:  # two versions of one resource
            full_url = "urn:uuid:" + self._id(full_url, str(index))
        self._taken.add(full_url)
        self._urls[index] = full_url
        self._waiting.append(index)
        return full_url

    def kind(self, index: int) -> str:
        """The type of the resource in this entry of the record."""
        return str(self._entries[index]["resource"]["resourceType"])

    def entries(self, first: int) -> tuple[Resource, list[Resource]]:
        """The entry ``first`` and, in the record's order, all else that was asked for with all that it refers to."""
        self.url(first)
        for index in self._waiting:  # grows as they refer to others
            entry = self._entries[index]
            resource = self._rewrite_whole(entry["resource"], entry.get("fullUrl", ""))
            self._done[index] = {"fullUrl": self._urls[index], "resource": with_profile(resource)}
        self._waiting.clear()
        return self._done[first], [self._done[index] for index in sorted(self._done) if index != first]

    def _rewrite_whole(self, resource: Resource, within: str) -> Resource:
        """As ``_rewrite``, without looking for references deep inside a resource whose JSON has none there."""
        changed, found = resource.copy(), 0
        for name, value in resource.items():
            if type(value) is dict and "reference" in value:
                changed[name] = self._rewrite(value, within)
                found += 1
            elif type(value) is list and type(value[0]) is dict and "reference" in value[0]:
                changed[name] = self._rewrite_each(value, within)
                found += len(value)
        return changed if found == orjson.dumps(resource).count(_REFERENCE) else self._rewrite(resource, within)

    def _rewrite(self, node: Resource, within: str) -> Resource:
        """``node`` with its references rewritten; the very same object where it holds none."""
        changed: Resource | None = None
        for name, value in node.items():
            if type(value) is dict:
                new: Any = self._rewrite(value, within)
            elif type(value) is list:
                new = self._rewrite_each(value, within)
            else:
                continue
            if new is not value:
                changed = node.copy() if changed is None else changed
                changed[name] = new
        reference = node.get("reference")
        if type(reference) is str and reference[:1] != "#":
            return self._refer(node if changed is None else changed, reference, within)
        return node if changed is None else changed

    def _rewrite_each(self, nodes: list[Any], within: str) -> list[Any]:
        changed: list[Any] | None = None
        for position, value in enumerate(nodes):  # FHIR has no lists of lists
            if type(value) is dict and (new := self._rewrite(value, within)) is not value:
                changed = nodes.copy() if changed is None else changed
                changed[position] = new
        return nodes if changed is None else changed

    def _refer(self, node: Resource, reference: str, within: str) -> Resource:
        target = self._index.resolve(reference, within)
        if target is not None and self._index.type_at(target):
            return {**node, "reference": self.url(target)}
        logical = {name: value for name, value in node.items() if name != "reference"}
        logical.setdefault("identifier", {"value": reference})
        return logical
