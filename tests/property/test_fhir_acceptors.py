"""Whatever a compiled check accepts, the walk accepts too: a resource changed anywhere, into anything."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.fhir.elements import RESOURCE_TYPES, type_info
from adapter.fhir.schemas import acceptor
from adapter.fhir.walk import check_resource
from adapter.records import Issue, Resource
from tests.unit.fhir.resources import VALID

FAST = acceptor(resource["resourceType"] for resource in VALID)

TEXTS = ["1992", "final", "active", "a b", " a", "a ", "a\n", "aGVsbG8=", "aGVsbG8", "urn:oid:1.2"]
EXTENSION = {"url": "u", "valueCode": "x"}
OBJECTS: list[Any] = [{}, [], [None], [{}], {"id": "x"}, [{"id": "x"}], EXTENSION, [EXTENSION], {"coding": [{}]}]
ZONES = ["", "Z", "+14:00", "+15:00"]

# Values near the borders of what the types allow.
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**33), 2**33),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.dates().map(str),
    st.builds("{:04}-{:02}-{:02}".format, st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32)),
    st.builds("{}T{:02}:{:02}:{:02}{}".format, st.dates(), *[st.integers(0, 61)] * 3, st.sampled_from(ZONES)),
    st.sampled_from(TEXTS),
    st.sampled_from(OBJECTS),
)


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document that holds something, the root aside."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


@st.composite
def changed(draw: st.DrawFn) -> Resource:
    """A valid resource with one value changed, or one element of its type added."""
    made = copy.deepcopy(draw(st.sampled_from(VALID)))
    if draw(st.booleans()):
        names = sorted(type_info(made["resourceType"]).elements)
        name = draw(st.sampled_from(names))
        made[draw(st.sampled_from(["", "_"])) + name] = copy.deepcopy(draw(VALUES))
        return made
    path = draw(st.sampled_from(list(paths(made))))
    parent: Any = made
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = copy.deepcopy(draw(VALUES))
    return made


@settings(max_examples=500, deadline=None)
@given(changed())
def test_what_is_accepted_fast_is_accepted_by_the_walk(resource: Resource) -> None:
    kind = resource["resourceType"]
    if isinstance(kind, str) and FAST.accepts({kind: [resource]}):
        issues: list[Issue] = []
        check_resource(resource, kind, kind, issues, lambda *_: None)
        assert issues == []


def test_every_resource_type_compiles_and_refuses_an_empty_one_that_lacks_something() -> None:
    fast = acceptor(RESOURCE_TYPES)
    for kind in sorted(RESOURCE_TYPES):
        info = type_info(kind)
        issues: list[Issue] = []
        check_resource({"resourceType": kind}, kind, kind, issues, lambda *_: None)
        assert fast.accepts({kind: [{"resourceType": kind}]}) is not bool(info.required or info.required_choices)
        assert bool(issues) is bool(info.required or info.required_choices)
