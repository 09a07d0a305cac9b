"""Which entries of different sources are one and the same thing.

Two entries of one source are never made one here: that twins, or two answers on one day, are two is what the source
knows best. So what two sources each say twice is there twice, and not four times or once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from adapter.fhir.ids import stable_id
from adapter.fhir.references import identifiers_of
from adapter.merge.content import (
    SETTLED,
    WITHDRAWN,
    content_key,
    day_of,
    effective,
    moment_of,
    observed_key,
)
from adapter.merge.identity import identity_of
from adapter.merge.parts import Node, Source
from adapter.records import Issue, Resource
from adapter.sources.fhir_duplicates import codings_of, day, older, topic

_TIMELESS = frozenset(
    {
        "Condition",
        "AllergyIntolerance",
        "FamilyMemberHistory",
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "Location",
        "HealthcareService",
        "Medication",
        "Device",
        "RelatedPerson",
        "Questionnaire",
    }
)
"""What two sources can say alike without a date and mean the same."""

_DATED = ('"20', '"19')


class Same:
    """The classes of entries of several sources: each class becomes one resource.

    ``out`` are entries that a newer version in another source takes the place of, with the entry that does.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources
        self.issues: list[Issue] = []
        self.out: dict[Node, Node] = {}
        self.class_of: dict[Node, int] = {}
        self.classes: list[list[Node]] = []
        self._class([(s, source.main) for s, source in enumerate(sources)])
        self._babies()
        self._others()

    def refer(self, node: Node) -> Callable[[Resource], str]:
        """What a reference made in an entry means, in words that all sources share."""
        source = self.sources[node[0]]

        def meaning(reference: Resource) -> str:
            at = source.target(reference, node[1])
            if at is None:
                return str(
                    reference.get("reference") or sorted(identifiers_of({"identifier": reference.get("identifier")}))
                )
            known = self.class_of.get((node[0], at))
            if known is not None:
                return f"class {known}"
            resource = source.resource(at)
            kind, ids = source.kind(at), sorted(identifiers_of(resource))
            return f"{kind} {ids}" if ids else f"{kind} {content_key(resource, _by_display)}"

        return meaning

    def resource(self, node: Node) -> Resource:
        return self.sources[node[0]].resource(node[1])

    def place(self, node: Node) -> str:
        """Where an entry is in its source: its first field, or its JSON Pointer where it came as FHIR."""
        source = self.sources[node[0]]
        pointer = f"{source.name}: /entry/{node[1]}/resource"
        return next(iter(source.trail(node[1]).values()), pointer) if source.record.lineage else pointer

    def _class(self, nodes: Sequence[Node]) -> None:
        number = len(self.classes)
        self.classes.append(list(nodes))
        self.class_of.update(dict.fromkeys(nodes, number))

    # --- Patients other than herself --------------------------------------------------------------------------------
    def _babies(self) -> None:
        """Babies are one by identifier, or where each source has just one who was born on that day."""
        nodes = [(s, at) for s, src in enumerate(self.sources) for at in src.of_kind("Patient") if at != src.main]
        who = {node: identity_of(self.resource(node), self.sources[node[0]].index) for node in nodes}
        born = {node: str(self.resource(node).get("birthDate", "")) for node in nodes}
        made: list[list[Node]] = []
        for node in nodes:
            mine = [group for group in made if all(other[0] != node[0] for other in group)]
            known = [group for group in mine if any(who[node].matches(who[other]) for other in group)]
            if not known and born[node]:
                day = [group for group in made if any(born[other] == born[node] for other in group)]
                alone = sum(born[other] == born[node] for other in nodes if other[0] == node[0]) == 1
                if (
                    len(day) == 1
                    and alone
                    and day[0] in mine
                    and not any(who[node].is_another(who[o]) or self._other_sex(node, o) for o in day[0])
                ):
                    known = day
                elif day:
                    text = "babies born on one day could not be told apart: each source's are kept"
                    self.issues.append(Issue("warning", "conflict", text, "data-conflict", self.place(node)))
            if known:
                known[0].append(node)
            else:
                made.append([node])
        for group in made:
            self._class(group)

    def _other_sex(self, one: Node, other: Node) -> bool:
        """Whether two babies are said to be a boy and a girl: twins, of whom each source has one."""
        return {self.resource(node).get("gender") for node in (one, other)} == {"female", "male"}

    # --- all else ---------------------------------------------------------------------------------------------------
    def _others(self) -> None:
        order = sorted(
            (
                (s, at)
                for s, source in enumerate(self.sources)
                for at in range(len(source.entries))
                if (s, at) not in self.class_of
            ),
            key=lambda node: (self.sources[node[0]].kind(node[1]) != "RelatedPerson", node),
        )
        people = [node for node in order if self.sources[node[0]].kind(node[1]) == "RelatedPerson"]
        self._sort_out(people)
        self._sort_out([node for node in order if node not in set(people)])

    def _sort_out(self, nodes: Sequence[Node]) -> None:
        left = self._versions(nodes)
        buckets: dict[str, list[Node]] = {}
        for node in left:
            if self.sources[node[0]].kind(node[1]) != "Observation":
                buckets.setdefault(self._key(node), []).append(node)
        for bucket in [*buckets.values(), *self._observed(left)]:
            for one in _slots(bucket, self._compatible):
                self._class(one)

    def _key(self, node: Node) -> str:
        resource = self.resource(node)
        key = content_key(resource, self.refer(node))
        if resource["resourceType"] in _TIMELESS or any(mark in key for mark in _DATED):
            return key
        names = sorted(str(name) for name in self._names(node))
        return f"{names[0] if names else node} {key}"

    def _compatible(self, one: Node, other: Node) -> bool:
        """Whether no system gives the two different identifiers, and they contain the same."""
        if self.resource(one).get("contained") != self.resource(other).get("contained"):
            return False
        mine, theirs = _by_system(self.resource(one)), _by_system(self.resource(other))
        return all(not mine[system].isdisjoint(theirs[system]) for system in mine.keys() & theirs.keys())

    # --- versions ---------------------------------------------------------------------------------------------------
    def _versions(self, nodes: Sequence[Node]) -> list[Node]:
        """Entries without those that a newer version of the same resource, in another source, takes the place of."""
        named: dict[tuple[object, ...], list[Node]] = {}
        for node in nodes:
            for name in self._names(node):
                named.setdefault(name, []).append(node)
        for same in named.values():
            for node in same[1:]:
                self._weigh(_followed(self.out, same[0]), node)
        return [node for node in nodes if node not in self.out]

    def _names(self, node: Node) -> Iterable[tuple[object, ...]]:
        source, resource = self.sources[node[0]], self.resource(node)
        kind, url = resource["resourceType"], source.url(node[1])
        own = f"urn:uuid:{stable_id(kind, resource.get('id', ''))}"
        if not source.record.mapping and url != own:
            yield (url,)
        whom = resource.get("subject") or resource.get("patient")
        when = day_of(effective(resource)) or day(resource)
        about = (topic(resource), self.refer(node)(whom) if whom else "", when)
        for identifier in identifiers_of(resource):
            if identifier[0]:
                yield kind, identifier, *about

    def _weigh(self, one: Node, other: Node) -> None:
        if one[0] == other[0] or other in self.out or one == other:
            return
        mine, theirs = self.resource(one), self.resource(other)
        if content_key(mine, self.refer(one)) == content_key(theirs, self.refer(other)):
            return
        if mine["resourceType"] == "Observation" and _alike(mine, theirs, self.refer(one), self.refer(other)):
            return
        left = older(mine, theirs, one, other)
        if left is None:
            text = (
                "another source has this resource with other content, and which is newer cannot be told: both are kept"
            )
            self.issues.append(Issue("warning", "conflict", text, "data-conflict", self.place(other)))
            return
        self.out[left] = other if left == one else one
        text = "another source has a newer version of this resource: that one counts"
        self.issues.append(Issue("information", "informational", text, "duplicate", self.place(left)))

    # --- Observations -----------------------------------------------------------------------------------------------
    def _observed(self, nodes: Sequence[Node]) -> list[list[Node]]:
        """Observations of one person, code, day and value; the same moment where several are given."""
        alike: dict[str, list[Node]] = {}
        for node in nodes:
            if self.sources[node[0]].kind(node[1]) == "Observation":
                alike.setdefault(observed_key(self.resource(node), self.refer(node)), []).append(node)
        found: list[list[Node]] = []
        for bucket in alike.values():
            for coded in self._by_code(bucket):
                self._withdrawn(coded)
                by_status: dict[str, list[Node]] = {}
                for node in coded:
                    by_status.setdefault(_status(self.resource(node)), []).append(node)
                for same in by_status.values():
                    moments = {moment_of(effective(self.resource(node))) for node in same} - {None}
                    apart: dict[object, list[Node]] = {}
                    for node in same:
                        moment = moment_of(effective(self.resource(node))) if len(moments) > 1 else None
                        apart.setdefault(moment, []).append(node)
                    found += apart.values()
        return found

    def _by_code(self, bucket: Sequence[Node]) -> list[list[Node]]:
        """Those with a coding in common, directly or through others."""
        groups: list[tuple[set[tuple[str, str]], list[Node]]] = []
        for node in bucket:
            codes, members = set(codings_of(self.resource(node).get("code"))), [node]
            for group in [group for group in groups if not group[0].isdisjoint(codes)]:
                codes |= group[0]
                members += group[1]
                groups.remove(group)
            groups.append((codes, members))
        return [sorted(members) for _, members in groups]

    def _withdrawn(self, nodes: Sequence[Node]) -> None:
        gone = [node for node in nodes if self.resource(node).get("status") in WITHDRAWN]
        if gone and any(node[0] not in {one[0] for one in gone} for node in nodes):
            text = "withdrawn here, and still valid in another source: both are kept"
            self.issues.append(Issue("warning", "conflict", text, "data-conflict", self.place(gone[0])))


def _slots(bucket: Iterable[Node], compatible: Callable[[Node, Node], bool]) -> list[list[Node]]:
    """Classes of at most one entry of each source."""
    slots: list[list[Node]] = []
    for node in bucket:
        for slot in slots:
            if all(other[0] != node[0] and compatible(other, node) for other in slot):
                slot.append(node)
                break
        else:
            slots.append([node])
    return slots


def _followed(out: dict[Node, Node], node: Node) -> Node:
    while node in out:
        node = out[node]
    return node


def _alike(
    one: Resource, other: Resource, refer: Callable[[Resource], str], refer_other: Callable[[Resource], str]
) -> bool:
    same = observed_key(one, refer) == observed_key(other, refer_other)
    return same and _status(one) == _status(other)


def _status(observation: Resource) -> str:
    status = str(observation.get("status", ""))
    return "settled" if status in SETTLED else status


def _by_system(resource: Resource) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for system, value in identifiers_of(resource):
        found.setdefault(system, set()).add(value)
    return found


def _by_display(reference: Resource) -> str:
    return str(reference.get("display", ""))
