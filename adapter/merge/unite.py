"""Several sources' versions of one resource → one resource that says all of it.

The first version (of the most authoritative source) stands; what it does not say is added from the others, and lists
add up. Of two dates of which one is only less precise, the more precise counts. What FHIR allows only once and the
sources say differently is a conflict: the first version's counts, and the place of the other is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from adapter.fhir.elements import Element, type_info
from adapter.merge.content import day_of
from adapter.merge.identity import is_nhs_number_system
from adapter.merge.parts import Part
from adapter.records import Resource

_SINGLE_EXTENSIONS = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
_HOUSEKEEPING = frozenset({"resourceType", "id", "meta", "text", "issued", "implicitRules"})
_DATES = frozenset({"date", "dateTime", "instant"})
_NO_WORD = {"gender": "unknown"}
_COMPLETED = frozenset({"Address", "ContactPoint", "HumanName"})
_UNIMPORTANT = frozenset({"use", "period", "display", "rank", "userSelected"})


@dataclass(frozen=True, slots=True)
class Conflict:
    """An element that the sources say differently. place: that of the one that does not count; kept: of the other."""

    element: str
    place: str
    kept: str


@dataclass(frozen=True, slots=True)
class United:
    resource: Resource
    trail: dict[str, str]
    conflicts: tuple[Conflict, ...]


def unite(parts: Sequence[Part]) -> United:
    """One resource of several of one type, the most authoritative first. With one part, that part as it is."""
    first = parts[0]
    if len(parts) == 1:
        return United(first.resource, dict(first.trail), ())
    union = _Union(first)
    for part in parts[1:]:
        union.add(part)
    return United(union.resource, union.trail, tuple(union.conflicts))


class _Union:
    def __init__(self, first: Part) -> None:
        self.first = first
        self.kind: str = first.resource["resourceType"]
        self.resource = dict(first.resource)
        self.trail = dict(first.trail)
        self.conflicts: list[Conflict] = []
        self.elements = type_info(self.kind).elements

    def add(self, part: Part) -> None:
        inside = self.resource.get("contained")
        foreign = inside is not None and part.resource.get("contained", inside) != inside
        for key, value in part.resource.items():
            if foreign and (key == "contained" or b'"reference":"#' in orjson.dumps(value)):
                self.conflict(key, part)  # what is contained in one version can not be meant by the other
            elif key not in _HOUSEKEEPING:
                self.element(key, value, part)
        if self.kind == "Patient" and not _a_name_agrees(self.first.resource, part.resource):
            self.conflict("name", part)

    def element(self, key: str, value: Any, part: Part) -> None:
        element = self.elements.get(key)
        if key not in self.resource:
            other = self.chosen(element)
            if other is None:
                self.take(key, value, part)
            elif not self.same_choice(other, key, value, part):
                self.conflict(key, part)
        elif self.resource[key] == value:
            return
        elif isinstance(value, list):
            self.list(key, value, part)
        elif element is not None and element.type == "CodeableConcept":
            self.concept(key, value, part)
        elif element is not None and element.type in _DATES and (better := _more_precise(self.resource[key], value)):
            if better == value:
                self.take(key, value, part)
        elif self.resource[key] == _NO_WORD.get(key):
            self.take(key, value, part)
        elif value != _NO_WORD.get(key) and not key.startswith("_"):
            self.conflict(key, part)

    def take(self, key: str, value: Any, part: Part) -> None:
        self.resource[key] = value
        self.forget(key)
        self.trail.update((p, place) for p, place in part.trail.items() if _inside(p, key))

    def forget(self, key: str) -> None:
        for path in [path for path in self.trail if _inside(path, key)]:
            del self.trail[path]

    def conflict(self, key: str, part: Part) -> None:
        self.conflicts.append(Conflict(key, part.place(key), self.first.place(key)))

    def chosen(self, element: Element | None) -> str | None:
        """The element that is there already of the choice that ``element`` is one of."""
        if element is None or not element.choice:
            return None
        return next(
            (k for k in self.resource if k in self.elements and self.elements[k].choice == element.choice), None
        )

    def same_choice(self, there: str, key: str, value: Any, part: Part) -> bool:
        """Whether two elements of one choice say the same; the one that says more is kept."""
        mine = self.resource[there]
        if {there, key} == {"deceasedBoolean", "deceasedDateTime"}:
            if (mine if there == "deceasedBoolean" else value) is not True:
                return False
            if key == "deceasedDateTime":
                del self.resource[there]
                self.forget(there)
                self.take(key, value, part)
            return True
        return {there, key} == {"valueInteger", "valueQuantity"}  # the same number, or it would not be one resource

    def list(self, key: str, values: Sequence[Any], part: Part) -> None:
        """Items that are not there yet are added; those that are the same thing are completed."""
        element = self.elements.get(key)
        kind = element.type if element is not None else ""
        items = list(self.resource[key])
        for at, value in enumerate(values):
            found = next((n for n, item in enumerate(items) if _is_one(kind, item, value)), None)
            if found is None:
                self.move(f"{key}[{at}]", f"{key}[{len(items)}]", part)
                items.append(value)
            elif items[found] != value:
                items[found] = self.completed(kind, f"{key}[{found}]", items[found], value, f"{key}[{at}]", part)
        self.resource[key] = items

    def completed(self, kind: str, path: str, mine: Any, value: Any, its_path: str, part: Part) -> Any:
        """An item with what the other version of it says besides."""
        if not isinstance(mine, dict):
            return mine
        made = dict(mine)
        for key, inner in value.items():
            if key not in made and not (kind == "Extension" and key.startswith("value")):
                made[key] = inner
                self.move(f"{its_path}.{key}", f"{path}.{key}", part)
            elif kind == "Extension" and made.get(key) != inner:
                if isinstance(inner, dict) and "coding" in inner and _codes(inner) & _codes(made.get(key)):
                    made[key] = self.codings(f"{path}.{key}", made[key], inner, f"{its_path}.{key}", part)
                else:
                    self.conflicts.append(Conflict(f"extension {_tail(mine)}", part.place(its_path), self.first.source))
            elif key == "extension" and isinstance(made.get(key), list):
                made[key] = [*made[key], *(one for one in inner if all(one["url"] != it["url"] for it in made[key]))]
        return made

    def concept(self, key: str, value: Resource, part: Part) -> None:
        mine = self.resource[key]
        if _codes(mine) & _codes(value):
            self.resource[key] = self.codings(key, mine, value, key, part)
        else:
            self.conflict(key, part)

    def codings(self, path: str, mine: Resource, value: Resource, its_path: str, part: Part) -> Resource:
        codings = list(mine.get("coding", ()))
        for at, coding in enumerate(value.get("coding", ())):
            if (coding.get("system"), coding.get("code")) not in _codes({"coding": codings}):
                self.move(f"{its_path}.coding[{at}]", f"{path}.coding[{len(codings)}]", part)
                codings.append(coding)
        return mine | {"coding": codings}

    def move(self, old: str, new: str, part: Part) -> None:
        self.trail.update((new + p.removeprefix(old), place) for p, place in part.trail.items() if _inside(p, old))


def _inside(path: str, key: str) -> bool:
    return path == key or path.startswith((f"{key}.", f"{key}["))


def _more_precise(one: Any, other: Any) -> Any:
    """The longer of two dates that agree as far as the shorter one goes; None where they differ."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return None
    short, long = sorted((one, other), key=len)
    return long if long.startswith(short) or day_of(long) == short else None


def _codes(concept: Any) -> set[tuple[Any, Any]]:
    codings = concept.get("coding", ()) if isinstance(concept, dict) else ()
    return {(coding.get("system"), coding.get("code")) for coding in codings}


def _is_one(kind: str, mine: Any, other: Any) -> bool:
    """Whether two items of a list are the same thing, however each is written."""
    if mine == other:
        return True
    if not isinstance(mine, dict) or not isinstance(other, dict):
        return False
    if kind == "Identifier":
        return _identifier(mine) == _identifier(other) and not _contradicts(mine.get("assigner"), other.get("assigner"))
    if kind == "Extension":
        return bool(mine["url"] == other["url"]) and str(mine["url"]).startswith(_SINGLE_EXTENSIONS)
    if kind == "CodeableConcept":
        return bool(_codes(mine) & _codes(other))
    if kind in _COMPLETED:
        return _within(mine, other) or _within(other, mine)
    return _plain(mine) == _plain(other)


def _within(part: Resource, whole: Resource) -> bool:
    """Whether all that one says of importance is said by the other too: a postcode by the whole address."""
    said = part.keys() - _UNIMPORTANT
    return bool(said) and said <= whole.keys() and all(_plain(part[key]) == _plain(whole[key]) for key in said)


def _identifier(identifier: Resource) -> tuple[str, str]:
    system, value = str(identifier.get("system", "")), str(identifier.get("value", ""))
    if is_nhs_number_system(system):
        return "nhs", "".join(value.replace("-", "").split())
    return system, value


def _contradicts(mine: Resource | None, other: Resource | None) -> bool:
    """Whether two assigners are said by codes that differ."""
    codes = [str((one or {}).get("identifier", {}).get("value", "")).upper() for one in (mine, other)]
    return all(codes) and codes[0] != codes[1]


def _plain(node: Any) -> str:
    """An item as text, without what makes no difference to what it says: case, spaces, use and period."""
    if isinstance(node, dict):
        node = {key: value for key, value in node.items() if key not in _UNIMPORTANT}
    return "".join(orjson.dumps(node, option=orjson.OPT_SORT_KEYS).decode().casefold().split())


def _tail(extension: Resource) -> str:
    return str(extension["url"]).rpartition("/")[2].removeprefix("Extension-UKCore-")


def _a_name_agrees(one: Resource, other: Resource) -> bool:
    """Whether some name of each has the same family name and first given name; also where one has none to compare."""
    mine, theirs = _names(one), _names(other)
    return not mine or not theirs or any(_agree(a, b) for a in mine for b in theirs)


def _names(patient: Resource) -> list[tuple[str, str]]:
    found = []
    for name in patient.get("name", ()):
        family, given = name.get("family", ""), (name.get("given") or [""])[0]
        if family or given:
            found.append((_letters(family), _letters(given or "")))
    return found


def _agree(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return all(a == b or not a or not b for a, b in zip(one, other, strict=True))


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
