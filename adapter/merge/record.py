"""Several records of one person → one record, in which each element still has its place in its own source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from adapter.fhir.ids import stable_id
from adapter.fhir.references import Index
from adapter.merge.authority import in_order
from adapter.merge.parts import Node, Part, Source
from adapter.merge.provenance import provenances
from adapter.merge.same import Same
from adapter.merge.unite import United, unite
from adapter.records import FieldUse, Finding, Issue, MappedBundle, Origin, Resource


def merge(records: Sequence[MappedBundle], mains: Sequence[int]) -> MappedBundle:
    """One record of these, which are all about one person: the same record in whatever order they are given.

    mains: in each record, the entry of the Patient it is about. The Patient is the first entry of what comes out, and
    a Provenance for each source, naming what is from it, are the last. Issues and places begin with the source's name.
    """
    sources = in_order([Source(record, main) for record, main in zip(records, mains, strict=True)])
    same = Same(sources)
    work = _Work(sources, same)
    entries = work.entries()
    origins = tuple(Origin(one.name, one.record.mapping, one.record.digest) for one in sources)
    main_url = str(entries[0]["fullUrl"])
    entries += provenances(sources, work.made_of, main_url)
    return MappedBundle(
        source=" + ".join(dict.fromkeys(one.name for one in sources)),
        bundle={"resourceType": "Bundle", "type": "collection", "entry": entries},
        lineage=work.lineage,
        coverage=tuple(_named(use, one.name) for one in sources for use in one.record.coverage),
        issues=(*(_placed(i, one.name) for one in sources for i in one.record.issues), *same.issues, *work.issues),
        quality=tuple(_found(finding, one.name) for one in sources for finding in one.record.quality),
        not_checked=tuple(dict.fromkeys(left for one in sources for left in one.record.not_checked)),
        origins=origins,
        kin=tuple(bundle for one in sources for bundle in one.record.kin),
    )


def _named(use: FieldUse, name: str) -> FieldUse:
    return use._replace(places=tuple(f"{name}: {place}" for place in use.places))


def _placed(issue: Issue, name: str) -> Issue:
    return replace(issue, place=f"{name}: {issue.place}" if issue.place else name)


def _found(finding: Finding, name: str) -> Finding:
    return replace(finding, place=f"{name}: {finding.place}")


class _Work:
    """Gives each class of entries its URL, rewrites references, and unites."""

    def __init__(self, sources: Sequence[Source], same: Same) -> None:
        self.sources, self.same = sources, same
        self.issues: list[Issue] = []
        self.lineage: dict[tuple[str, str], str] = {}
        self.made_of: list[tuple[str, frozenset[int]]] = []
        order = [0, *sorted(range(1, len(same.classes)), key=lambda number: same.classes[number][0])]
        self.order = order
        self.urls = self._urls(order)

    def entries(self) -> list[Resource]:
        """The entries of the merged record; lineage, issues and sources are filled on the way."""
        made = []
        for number in self.order:
            nodes, url = self.same.classes[number], self.urls[number]
            parts = [self._part(node) for node in nodes]
            united = unite(parts)
            self._report(nodes, parts, united)
            resource = united.resource
            old = str(self.sources[nodes[0][0]].url(nodes[0][1]))
            if url != old and resource.get("id") == old.removeprefix("urn:uuid:"):
                resource = resource | {"id": url.removeprefix("urn:uuid:")}
            made.append({"fullUrl": url, "resource": resource})
            self.lineage.update(((url, path), place) for path, place in united.trail.items())
            out = [node[0] for node, by in self.same.out.items() if by in nodes]
            self.made_of.append((url, frozenset([node[0] for node in nodes] + out)))
        return made

    def _urls(self, order: Sequence[int]) -> dict[int, str]:
        """The full URL of each class: that of its first entry, or another one where that is taken."""
        urls: dict[int, str] = {}
        taken: set[str] = set()
        for number in order:
            source, at = self.same.classes[number][0]
            url = self.sources[source].url(at)
            if url in taken:
                content = orjson.dumps(self.sources[source].resource(at), option=orjson.OPT_SORT_KEYS).decode()
                url = f"urn:uuid:{stable_id('merged', url, content)}"
            while url in taken:
                url = f"urn:uuid:{stable_id('merged', url)}"
            taken.add(url)
            urls[number] = url
        return urls

    def _url_of(self, node: Node) -> str:
        while node in self.same.out:
            node = self.same.out[node]
        return self.urls[self.same.class_of[node]]

    def _part(self, node: Node) -> Part:
        source = self.sources[node[0]]
        resource: Resource = self._rewritten(source.resource(node[1]), node)
        return Part(resource, source.trail(node[1]), source.name)

    # --- references -------------------------------------------------------------------------------------------------
    def _rewritten(self, value: Any, node: Node) -> Any:
        """The same with every reference to an entry by its full URL; the very same object where nothing changes."""
        if isinstance(value, dict):
            new = {
                key: self._rewritten(inner, node) if isinstance(inner, dict | list) else inner
                for key, inner in value.items()
            }
            if isinstance(value.get("reference"), str):
                new = self._referred(new, node)
            return new if any(new.get(key) is not value[key] for key in value) or len(new) != len(value) else value
        made = [self._rewritten(inner, node) if isinstance(inner, dict | list) else inner for inner in value]
        return made if any(one is not old for one, old in zip(made, value, strict=True)) else value

    def _referred(self, reference: Resource, node: Node) -> Resource:
        literal: str = reference["reference"]
        source = self.sources[node[0]]
        if literal.startswith("#"):
            return reference
        at = source.index.resolve(literal, source.url(node[1]))
        if at is not None:
            return reference | {"reference": self._url_of((node[0], at))}
        if not self._means_another(literal, node):
            return reference
        logical = {key: value for key, value in reference.items() if key != "reference"}
        return {"identifier": {"value": literal}} | logical

    def _means_another(self, literal: str, node: Node) -> bool:
        """Whether a reference to nothing in its own source would by accident mean an entry of another one."""
        others: list[Index] = [one.index for number, one in enumerate(self.sources) if number != node[0]]
        return not literal.startswith(("http:", "https:", "urn:")) and any(
            index.resolve(literal) is not None for index in others
        )

    # --- what is to be said -----------------------------------------------------------------------------------------
    def _report(self, nodes: Sequence[Node], parts: Sequence[Part], united: United) -> None:
        kind = parts[0].resource["resourceType"]
        if kind in ("Patient", "RelatedPerson"):
            for conflict in united.conflicts:
                kept = "both are kept" if conflict.element == "name" else f"that of {conflict.kept} counts"
                text = f"{conflict.element} differs between sources: {kept}"
                self.issues.append(Issue("warning", "conflict", text, "data-conflict", conflict.place))
        elif len(nodes) > 1:
            left = ", ".join(dict.fromkeys(conflict.element for conflict in united.conflicts))
            names = ", ".join(part.source for part in parts)
            text = f"the same {kind} is in several sources ({names}): it counts once"
            text += f"; of the others was left out: {left}" if left else ""
            self.issues.append(Issue("information", "informational", text, "duplicate", self.same.place(nodes[1])))
