"""One resource as text with slots: the entry of a Bundle that many rows are written as.

What a slot holds must be valid where it stands: a text that is not is ``UNFIT``, and its row is not written this way.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import orjson

from adapter.fhir import primitives
from adapter.fhir.elements import type_info
from adapter.fhir.profiles import with_profile
from adapter.fhir.validate import validate
from adapter.mapping.coded import code_in
from adapter.mapping.convert import Refused
from adapter.mapping.dates import converter
from adapter.mapping.sight import MOST, Slot
from adapter.mapping.trace import CODE_IN, Link
from adapter.records import Resource

UNFIT: Final = ""
_MARK, _BARE, _END = "\ue000", "\ue001", "\ue002"
_MARKED = re.compile(f'"{_MARK}([0-9]+){_END}"|{_BARE}([0-9]+){_END}')
_NO_ID = "00000000-0000-5000-8000-000000000000"


class CannotBeWritten(Exception):
    """A value whose validity cannot be told from its text, or whose place decides what else is written."""


class OwnId(NamedTuple):
    """The id of the resource itself."""


class Written(NamedTuple):
    """A slot, and the primitive type of FHIR that stands there."""

    slot: Slot
    primitive: str


class Line(NamedTuple):
    """``form % texts`` is the entry; the texts are those of ``slots``, in their order."""

    form: str
    slots: tuple[OwnId | Written | Link, ...]

    def is_valid(self, texts: tuple[str, ...]) -> bool:
        """Whether the resource with these texts is valid FHIR."""
        return not validate(orjson.loads(self.form % texts)["resource"])


class Encoder(dict[str, str]):
    """Text → the JSON of its value, or ``UNFIT``; that of ``MOST`` texts is remembered."""

    def __init__(self, type_name: str, primitive: str) -> None:
        super().__init__()
        system = type_name.removeprefix(CODE_IN)
        self._convert = converter(type_name) if system == type_name else code_in(system)
        self._primitive = primitive

    def __missing__(self, text: str) -> str:
        if len(self) >= MOST:
            self.clear()
        try:
            value = self._convert(text)
        except Refused:
            return UNFIT
        fits = not primitives.problem(self._primitive, value)
        written = self[text] = orjson.dumps(value).decode() if fits else UNFIT
        return written


def line_of(resource: Resource) -> Line:
    """Raises CannotBeWritten. ``resource`` is a resource with slots."""
    slots: list[OwnId | Written | Link] = [OwnId()]
    marked = {**_marked(resource, resource["resourceType"], slots), "id": f"{_BARE}0{_END}"}
    entry = {"fullUrl": f"urn:uuid:{_BARE}0{_END}", "resource": with_profile(marked)}
    text = orjson.dumps(entry).decode().replace("%", "%%")
    order = [int(match[1] or match[2]) for match in _MARKED.finditer(text)]
    if sorted(set(order)) != list(range(len(slots))) or len(order) != len(slots) + 1:
        raise CannotBeWritten
    return Line(_MARKED.sub("%s", text), tuple([slots[number] for number in order]))


def _marked(value: Any, kind: str, slots: list[OwnId | Written | Link]) -> Any:
    """The value with marks for its slots; ``kind`` is its type in FHIR."""
    match value:
        case Slot():
            if kind not in primitives.PRIMITIVES:
                raise CannotBeWritten
            slots.append(Written(value, kind))
            return f"{_MARK}{len(slots) - 1}{_END}"
        case Link():
            slots.append(value)
            return {"reference": f"urn:uuid:{_BARE}{len(slots) - 1}{_END}"}
        case list() if has_slots(value):
            return [_marked(item, kind, slots) for item in value]
        case dict() if has_slots(value):
            return {key: _marked(item, _type_at(kind, key, item), slots) for key, item in value.items()}
    return value


def _type_at(kind: str, key: str, item: Any) -> str:
    if not has_slots([item]):
        return ""
    if key.startswith("_"):
        return "Element"
    try:
        element = type_info(kind).elements[key]
    except KeyError:  # a resource inside, or no valid FHIR: then ``Mapping.run`` makes it, and it is checked as it is
        raise CannotBeWritten from None
    if element.codes or key == "system":  # the code must be one of a few; a profile is claimed by its systems
        raise CannotBeWritten
    return element.type


def has_slots(value: Resource | list[Any]) -> bool:
    """Whether there is a slot anywhere in it."""
    items = value.values() if isinstance(value, dict) else value
    return any(isinstance(item, Slot | Link) or (isinstance(item, dict | list) and has_slots(item)) for item in items)
