"""What was made of a record, and how two makings of one resource become one."""

from __future__ import annotations

from typing import NamedTuple

from adapter.mapping.identifiers import joined_identifiers
from adapter.mapping.lineage import Origin, Trail
from adapter.mapping.state import Run
from adapter.records import Resource

Made = dict[str, "Making"]
"""By fullUrl, in the order of the Bundle."""


class Making(NamedTuple):
    """A resource, where its elements come from, and its own place."""

    resource: Resource
    trail: Trail
    place: Origin

    def whole(self) -> Trail:
        """The trail with the place of the resource itself, at the end."""
        return {**self.trail, "": self.place} if self.place else self.trail


def add(run: Run, made: Made, url: str, new: Making) -> None:
    """Patient: later elements join the earlier ones; of any other resource the later replaces the earlier."""
    old = made.get(url)
    if old is None:
        made[url] = new
    elif new.resource["resourceType"] == "Patient":
        made[url] = _joined(old, new)
    elif new.resource != old.resource:
        text = f"the same {new.resource['resourceType']} is given again with other content: the later one counts"
        run.say("information", "informational", text, "duplicate", old.place)
        made[url] = new


def _joined(old: Making, new: Making) -> Making:
    """One patient of two: what is given again replaces (of a choice the one type that is there), identifiers add up."""
    old_trail, new_trail = old.trail, new.trail
    given = {_choice(element) for element in new.resource} | {"identifier"}
    resource = {key: value for key, value in old.resource.items() if _choice(key) not in given}
    trail = {path: place for path, place in old_trail.items() if _choice(_element(path)) not in given}
    resource.update(new.resource)
    trail.update((path, place) for path, place in new_trail.items() if _element(path) != "identifier")
    identifiers, places = joined_identifiers([(old.resource, old_trail), (new.resource, new_trail)])
    if identifiers:
        resource["identifier"] = identifiers
        trail.update(places)
    return Making(resource, trail, new.place)


def _choice(element: str) -> str:
    """``deceased`` for ``deceasedDateTime``; of any other element its name."""
    return next((choice for choice in ("deceased", "multipleBirth") if element.startswith(choice)), element)


def _element(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]
