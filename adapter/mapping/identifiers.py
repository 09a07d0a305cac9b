"""The identifiers of one patient from several messages or rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapter.mapping.lineage import Origin, Trail
from adapter.records import Resource


def joined_identifiers(makings: Sequence[tuple[Resource, Trail]]) -> tuple[list[Resource], Trail]:
    """Each identifier once, in the order of the makings and those no longer in use last; and where each comes from.

    Two that differ in ``use`` alone are one: the one that has it, which knows that it is old, counts.
    """
    found: list[tuple[Resource, Trail, int]] = []
    for resource, trail in makings:
        for index, identifier in enumerate(resource.get("identifier", ())):
            bare = _without_use(identifier)
            same = next((at for at, (known, _, _) in enumerate(found) if _without_use(known) == bare), None)
            if same is None:
                found.append((identifier, trail, index))
            elif "use" in identifier and "use" not in found[same][0]:
                found[same] = (identifier, trail, index)
    found.sort(key=lambda each: each[0].get("use") == "old")
    places = {path: place for now, (_, trail, was) in enumerate(found) for path, place in _moved(trail, was, now)}
    return [identifier for identifier, _, _ in found], places


def _without_use(identifier: Resource) -> Resource:
    return {key: value for key, value in identifier.items() if key != "use"}


def _moved(trail: Trail, was: int, now: int) -> Iterator[tuple[str, Origin]]:
    prefix = f"identifier[{was}]"
    for path, place in trail.items():
        if path.startswith(prefix):
            yield f"identifier[{now}]{path.removeprefix(prefix)}", place
