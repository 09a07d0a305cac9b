"""Is this FHIR R4, and if not, what is wrong where? Structure, types, cardinality, choices and required codes.

Profiles of UK Core are not checked here: what they add is checked where resources are made.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import Any

from adapter.fhir import walk
from adapter.fhir.elements import NOT_SUPPORTED, OTHER_VERSIONS, RESOURCE_TYPES
from adapter.fhir.schemas import NOTHING, acceptor
from adapter.records import Issue, Resource

WALKS_BEFORE_COMPILING = 200
"""Compiling costs as much as walking this many resources: a short run compiles none, a long one all types it meets."""

_HOLDERS = frozenset({"Bundle", "Parameters"})
_fast = NOTHING
_walked: list[str] = []
"""The types of the resources walked since the last compiling because their type was not compiled."""


def validate(resource: Resource, path: str | None = None) -> tuple[Issue, ...]:
    """Every problem of the resource and of the resources inside it, in the order of the document.

    path: the FHIRPath of the resource, its type when not given. Problems are errors, but for warnings about a slip
    that leaves no doubt what is meant.
    """
    issues: list[Issue] = []
    _check(resource, path or _root(resource), issues)
    return tuple(issues)


def validate_entries(bundle: Resource, types: Container[str]) -> tuple[Issue, ...]:
    """Every problem of the resources of these types in a Bundle whose own form is right."""
    issues: list[Issue] = []
    entries = [each for each in enumerate(bundle["entry"]) if each[1]["resource"]["resourceType"] in types]
    _check_entries(entries, "Bundle", issues)
    return tuple(issues)


def is_valid(resource: Resource) -> bool:
    """Whether ``validate`` finds no error."""
    return not any(issue.severity == "error" for issue in validate(resource))


def _root(resource: object) -> str:
    kind = resource.get("resourceType") if type(resource) is dict else None
    return kind if isinstance(kind, str) and _known(kind) else "Resource"


def _known(kind: str) -> bool:
    return kind in RESOURCE_TYPES or kind in NOT_SUPPORTED or kind in OTHER_VERSIONS


def _check(resource: object, path: str, issues: list[Issue]) -> None:
    if type(resource) is not dict:
        issues.append(walk.issue("structure", "must be an object (a resource)", path))
        return
    kind = resource.get("resourceType")
    if type(kind) is not str or kind not in RESOURCE_TYPES:
        issues.append(_type_problem(kind, path))
    elif not _accepted(resource, kind):
        walk.check_resource(resource, kind, path, issues, _check)
    elif kind == "Bundle":
        _check_entries(list(enumerate(resource.get("entry", ()))), path, issues)
    else:
        for place, inside in _inside(resource, kind):
            _check(inside, f"{path}.{place}", issues)


def _accepted(resource: Resource, kind: str) -> bool:
    """Whether the compiled check accepts it; always False while its type is too rare to be compiled."""
    global _fast
    if kind not in _fast.types:
        _walked.append(kind)
        if len(_walked) <= WALKS_BEFORE_COMPILING:
            return False
        _fast = acceptor(_fast.types.union(_walked))
        _walked.clear()
    return _fast.accepts({kind: [resource]})


def _check_entries(entries: Sequence[tuple[int, Resource]], path: str, issues: list[Issue]) -> None:
    """Check the resources in these entries, with their positions: together, and one by one where that does not tell."""
    fast = _fast
    plain = fast.types - _HOLDERS
    together: dict[str, list[Resource]] = {}
    alone = []
    for numbered in entries:
        entry = numbered[1]
        inside = entry.get("resource")
        if "response" in entry and "outcome" in entry["response"]:
            alone.append(numbered)
        elif inside is not None:
            kind = inside.get("resourceType")
            if type(kind) is str and kind in plain and "contained" not in inside:
                together.setdefault(kind, []).append(inside)
            else:
                alone.append(numbered)
    for at, entry in alone if fast.accepts(together) else entries:
        if "resource" in entry:
            _check(entry["resource"], f"{path}.entry[{at}].resource", issues)
        if "response" in entry and "outcome" in entry["response"]:
            _check(entry["response"]["outcome"], f"{path}.entry[{at}].response.outcome", issues)


def _type_problem(kind: object, path: str) -> Issue:
    place = f"{path}.resourceType"
    if kind is None:
        return walk.issue("required", "is required", place)
    if not isinstance(kind, str):
        return walk.issue("structure", "must be the name of a resource type", place)
    if kind in NOT_SUPPORTED:
        return Issue("error", "not-supported", f"{kind} is not supported", "unsupported", place)
    if kind in OTHER_VERSIONS:
        text = f"{kind} is a resource type of FHIR {OTHER_VERSIONS[kind]}; this reads R4"
        return Issue("error", "not-supported", text, "unsupported", place)
    return walk.issue("structure", "is no resource type of FHIR R4", place)


def _inside(resource: Resource, kind: str) -> Iterator[tuple[str, object]]:
    """The resources directly inside one whose own form is known to be right, each with its path from there."""
    if kind == "Parameters":
        yield from _in_parameters(resource, "parameter")
    elif "contained" in resource:
        for at, inside in enumerate(resource["contained"]):
            yield f"contained[{at}]", inside


def _in_parameters(holder: dict[str, Any], key: str) -> Iterator[tuple[str, object]]:
    for at, parameter in enumerate(holder.get(key, ())):
        if "resource" in parameter:
            yield f"{key}[{at}].resource", parameter["resource"]
        for place, inside in _in_parameters(parameter, "part"):
            yield f"{key}[{at}].{place}", inside
