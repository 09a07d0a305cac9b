"""The full check of one FHIR resource, element by element, that says what is wrong and where.

It is what validity means here; the compiled schemas only spare it most of its work. Texts name elements, types and
codes of FHIR, never what the record holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from adapter.fhir import primitives
from adapter.fhir.elements import RESOURCE_TYPES, Element, TypeInfo, type_info
from adapter.records import Issue

MAX_DEPTH = 100
"""Deeper than any real record; keeps a hostile one from exhausting the stack."""
MAX_CODES_NAMED = 10

_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")

Inner = Callable[[object, str, list[Issue]], None]
"""What checks a resource inside a resource: (resource, path, issues to add to)."""


def issue(code: str, text: str, place: str) -> Issue:
    """An error about the form of a record."""
    return Issue("error", code, text, "malformed", place)


def check_resource(resource: dict[str, Any], kind: str, path: str, issues: list[Issue], inner: Inner) -> None:
    """Append every problem of the resource of type ``kind`` to ``issues``."""
    _Walk(issues, inner).node(resource, kind, path, 0)


class _Walk:
    __slots__ = ("inner", "issues")

    def __init__(self, issues: list[Issue], inner: Inner) -> None:
        self.issues = issues
        self.inner = inner

    def say(self, code: str, text: str, place: str) -> None:
        self.issues.append(issue(code, text, place))

    def node(self, value: object, kind: str, path: str, depth: int) -> None:
        if type(value) is not dict:
            self.say("structure", f"must be an object ({kind})", path)
            return
        if not value:
            self.say("structure", "must not be empty", path)
            return
        if depth > MAX_DEPTH:
            self.say("too-long", "is nested too deeply", path)
            return
        info = type_info(kind)
        chosen: dict[str, str] = {}
        for key, inside in value.items():
            element = info.elements.get(key)
            if element is not None:
                self.element(element, key, inside, value, path, depth)
            else:
                element = self.sidecar_or_unknown(info, kind, key, inside, value, path, depth)
            if element is not None and element.choice:
                self.choose(element.choice, key.lstrip("_"), chosen, path)
        self.check_required(info, value, chosen, path)
        if kind == "Extension" and ("extension" in value) == ("value" in chosen):
            self.say("invariant", "needs either a value or extensions, and not both", path)

    def choose(self, group: str, key: str, chosen: dict[str, str], path: str) -> None:
        first = chosen.setdefault(group, key)
        if first != key:
            self.say("structure", f"{first} is there too: only one {group}[x] may be", f"{path}.{key}")

    def check_required(self, info: TypeInfo, value: dict[str, Any], chosen: dict[str, str], path: str) -> None:
        for key in info.required:
            if key not in value and not (f"_{key}" in value and info.elements[key].type in primitives.PRIMITIVES):
                self.say("required", "is required", f"{path}.{key}")
        for group in info.required_choices:
            if group not in chosen:
                options = [key for key, element in info.elements.items() if element.choice == group]
                self.say("required", f"is required: one of {_some(options)}", f"{path}.{group}")

    def element(self, element: Element, key: str, value: object, parent: dict[str, Any], path: str, depth: int) -> None:
        place = f"{path}.{key}"
        if not element.many:
            if type(value) is list:
                self.say("structure", "must be a single value, not a list", place)
            else:
                self.one(element, value, place, depth)
            return
        if type(value) is not list:
            self.say("structure", "must be a list", place)
            return
        if not value:
            self.say("structure", "must not be empty", place)
        beside = parent.get(f"_{key}") if element.type in primitives.PRIMITIVES else None
        for at, item in enumerate(value):
            if item is None and type(beside) is list and at < len(beside) and beside[at] is not None:
                continue  # this one is said by its sidecar
            self.one(element, item, f"{place}[{at}]", depth)

    def one(self, element: Element, value: object, place: str, depth: int) -> None:
        kind = element.type
        if value is None:
            self.say("structure", "must not be null", place)
        elif kind in primitives.PRIMITIVES:
            self.primitive(element, value, place)
        elif kind == "Resource":
            self.inner(value, place, self.issues)
        else:
            self.node(value, kind, place, depth + 1)
            if element.codes and type(value) is dict:
                self.bound(element, value, place)

    def bound(self, element: Element, concept: dict[str, Any], place: str) -> None:
        """A CodeableConcept with a required binding has one of its codes, or says by extension why it has none."""
        codings = concept.get("coding")
        if codings is None and "extension" in concept and "text" not in concept:
            return
        found = [c for c in codings if type(c) is dict] if type(codings) is list else []
        systems = [c.get("system") for c in found if c.get("code") in element.codes]
        if element.system in systems:
            return
        if None in systems:
            text = f"the coding names no system: read as one of {element.system}"
            self.issues.append(Issue("warning", "code-invalid", text, "malformed", place))
            return
        self.say("code-invalid", f"needs a coding of {element.system}, one of {_some(element.codes)}", place)

    def primitive(self, element: Element, value: object, place: str) -> None:
        problem = primitives.problem(element.type, value)
        if problem:
            self.say(problem, f"must be {primitives.PRIMITIVES[element.type].wording}", place)
        elif element.codes and value not in element.codes:
            self.say("code-invalid", f"must be one of {_some(element.codes)}", place)

    def sidecar_or_unknown(
        self, info: TypeInfo, kind: str, key: object, value: object, parent: dict[str, Any], path: str, depth: int
    ) -> Element | None:
        """What is not an element of the type: the ``_x`` beside a primitive (whose element is returned), or wrong."""
        if key == "resourceType" and kind in RESOURCE_TYPES:
            return None
        if type(key) is not str or not _NAME.fullmatch(key):
            self.say("structure", "holds an element with a name that FHIR does not use", path)
            return None
        place = f"{path}.{key}"
        element = info.elements.get(key[1:]) if key[0] == "_" else None
        if element is None or element.type not in primitives.PRIMITIVES:
            self.say("structure", f"is no element of {kind}", place)
            return None
        if not element.many:
            self.node(value, "Element", place, depth + 1)
            return element
        if type(value) is not list or not value:
            self.say("structure", f"must be a list that goes with {key[1:]}", place)
            return element
        values = parent.get(key[1:])
        if type(values) is list and len(values) != len(value):
            self.say("structure", f"must be as long as {key[1:]}", place)
        for at, item in enumerate(value):
            if item is not None:
                self.node(item, "Element", f"{place}[{at}]", depth + 1)
            elif type(values) is not list:
                self.say("structure", "must not be null", f"{place}[{at}]")
        return element


def _some(names: list[str] | tuple[str, ...]) -> str:
    shown = ", ".join(names[:MAX_CODES_NAMED])
    return f"{shown} …" if len(names) > MAX_CODES_NAMED else shown
