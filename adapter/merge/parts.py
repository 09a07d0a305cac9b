"""The pieces that a merged record is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from adapter.fhir.references import Index
from adapter.records import MappedBundle, Resource

Node = tuple[int, int]
"""An entry: the number of its source and its position there."""


@dataclass(frozen=True, slots=True)
class Part:
    """One source's version of a resource. trail: element path → place, with the source's name."""

    resource: Resource
    trail: Mapping[str, str]
    source: str

    def place(self, key: str) -> str:
        """Where the source has an element: of the element itself, or of the first one inside it."""
        inside = (f"{key}.", f"{key}[")
        return self.trail.get(key) or next(
            (p for path, p in self.trail.items() if path.startswith(inside)), self.source
        )


class Source:
    """One record of a person, with what is looked up in it."""

    def __init__(self, record: MappedBundle, main: int) -> None:
        self.record, self.main = record, main
        self.entries: list[Resource] = record.bundle["entry"]
        self.index = Index(record.bundle)

    @property
    def name(self) -> str:
        return self.record.source

    def url(self, at: int) -> str:
        return str(self.entries[at].get("fullUrl", ""))

    def resource(self, at: int) -> Resource:
        resource: Resource = self.entries[at]["resource"]
        return resource

    def kind(self, at: int) -> str:
        return str(self.resource(at)["resourceType"])

    def of_kind(self, kind: str) -> list[int]:
        return [at for at in range(len(self.entries)) if self.kind(at) == kind]

    def target(self, reference: object, at: int) -> int | None:
        """The entry that a reference made in the entry ``at`` means."""
        return self.index.target(reference, self.url(at))

    @cached_property
    def _trails(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for (url, path), place in self.record.lineage.items():
            found.setdefault(url, {})[path] = f"{self.name}: {place}"
        return found

    def trail(self, at: int) -> dict[str, str]:
        """Element path → place; of a source that came as FHIR, the place is the element's JSON Pointer."""
        if self.record.lineage:
            return self._trails.get(self.url(at), {})
        start = f"{self.name}: /entry/{at}/resource"
        return {path: f"{start}/{pointer}" for path, pointer in _leaves(self.resource(at), "", "")}


def _leaves(node: object, path: str, pointer: str) -> list[tuple[str, str]]:
    if isinstance(node, dict):
        pairs = [
            (f"{path}.{key}" if path else key, f"{pointer}/{key}" if pointer else key, v) for key, v in node.items()
        ]
    elif isinstance(node, list):
        pairs = [(f"{path}[{at}]", f"{pointer}/{at}", value) for at, value in enumerate(node)]
    else:
        return [(path, pointer)]
    return [leaf for inner, place, value in pairs for leaf in _leaves(value, inner, place)]
