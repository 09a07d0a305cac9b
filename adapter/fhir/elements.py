"""What FHIR R4 says of each type: its elements, how many, of what type, and which codes a required binding allows.

Read from ``r4_elements.json`` (made by ``tools/make_r4_elements.py``, which explains the format), one type at a time
and only when asked for, so that a process that reads one small record starts fast.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

TABLE_FILE = Path(__file__).with_name("r4_elements.json")
_TABLE: dict[str, Any] = orjson.loads(TABLE_FILE.read_bytes())

RESOURCE_TYPES: frozenset[str] = frozenset(_TABLE["resources"])
NOT_SUPPORTED: frozenset[str] = frozenset(_TABLE["notSupported"])
"""Types of R4 that are not read here: none is about the care of a patient."""
OTHER_VERSIONS: dict[str, str] = _TABLE["otherVersions"]
"""Resource types that R4 does not have → the FHIR version that does."""


class Element(NamedTuple):
    """One element of a type.

    choice: the group it is one of (``value`` of ``valueString``), or "". codes: what a required binding allows, empty
    when it is open; ``system`` goes with the codes of a CodeableConcept.
    """

    required: bool
    many: bool
    type: str
    choice: str
    codes: tuple[str, ...]
    system: str


class TypeInfo(NamedTuple):
    """The elements of a type by name, the names that must be there, and the choice groups one of which must be."""

    elements: dict[str, Element]
    required: tuple[str, ...]
    required_choices: tuple[str, ...]


@cache
def type_info(name: str) -> TypeInfo:
    """The type of that name, part of a type (``ObservationComponent``) or resource type. KeyError when unknown."""
    elements: dict[str, Element] = {}
    required_choices = set()
    for key, line in _lines(name).items():
        element, choice_required = _parse(line)
        elements[key] = element
        if choice_required:
            required_choices.add(element.choice)
    return TypeInfo(elements, tuple(key for key, e in elements.items() if e.required), tuple(sorted(required_choices)))


def _lines(name: str) -> dict[str, str]:
    own: dict[str, str] = dict(_TABLE["types"][name])
    base = own.pop("", "")
    return {**_TABLE["bases"][base], **own} if base else own


def _parse(line: str) -> tuple[Element, bool]:
    head, _, bound = line.partition(" =")
    cardinality, kind, *group = head.split(" ")
    choice = group[0][1:] if group else ""
    if bound.startswith("@"):
        bound = _TABLE["codeLists"][bound[1:]]
    system, _, codes = bound.rpartition("#")
    element = Element(
        required=cardinality[0] == "1",
        many=cardinality[-1] == "*",
        type=kind,
        choice=choice.rstrip("!"),
        codes=tuple(codes.split("|")) if codes else (),
        system=system,
    )
    return element, choice.endswith("!")
