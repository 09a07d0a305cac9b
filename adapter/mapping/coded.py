"""A code and the scheme that its source claims for it, held against what the code's shape says."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from adapter.mapping.nodes import Coded
from adapter.mapping.shapes import NORMAL, system_by_shape
from adapter.mapping.state import HOLE, Fate, Run
from adapter.mapping.values import locate
from adapter.sources.model import Row

_CONFLICT = "the code has not the shape of the system that its scheme names; its shape decides"
_NO_SCHEME = "the scheme is missing or unknown; the shape of the code decides its system"
_NO_SHAPE = "the code has the shape of no system that this field can hold; it is kept as text"


def coded(node: Coded, home: str, *, inside: bool) -> Callable[[Run, Row, str], Any]:
    """Makes the closure: a CodeableConcept with one coding, or with text alone where no system fits.

    A local code (of the map ``local``) needs no scheme. A contradiction between scheme and shape is an Issue
    ``data-conflict``; a code that fits nothing is an Issue ``unmapped-code``.
    """
    field, scheme = node.field, node.scheme
    key, find = field.key, locate(field, home, inside=inside)
    find_scheme = locate(scheme, home, inside=inside) if scheme else None
    local = node.local.targets if node.local else {}
    schemes = node.schemes.targets if node.schemes else {}
    systems = tuple(dict.fromkeys(node.systems))

    def evaluate(run: Run, row: Row, path: str) -> Any:
        owner = row if find is None else find(run, row)
        text = owner.texts.get(key) if owner is not None else None
        if owner is None or text is None:
            return HOLE
        claimed = systems[0]
        if scheme is not None:
            holder = row if find_scheme is None else find_scheme(run, row)
            given = holder.texts.get(scheme.key) if holder is not None else None
            claimed = ""
            if holder is not None and given is not None:
                run.reads.append((holder, scheme.key))
                claimed = schemes[given].code if given in schemes else ""
        known = local.get(text.lower())
        if known is not None:
            coding = {"system": known.system, "code": known.code}
        else:
            code = NORMAL[claimed](text) if claimed else None
            system = claimed if code is not None else system_by_shape(text, systems)
            if system is None:
                run.say("warning", "code-invalid", _NO_SHAPE, "unmapped-code", (owner, field.name))
                run.marks.append(((owner, key), Fate.UNMAPPED_CODE))
                run.trail[f"{path}.text"] = (owner, field.name)
                return {"text": text}
            if code is None:
                why = _CONFLICT if claimed else _NO_SCHEME
                run.say("warning", "conflict", why, "data-conflict", (owner, field.name))
                code = NORMAL[system](text) or text
            coding = {"system": system, "code": code}
        run.reads.append((owner, key))
        run.trail[f"{path}.coding[0].code"] = (owner, field.name)
        return {"coding": [coding]}

    return evaluate


def kinds_of_code(node: Coded) -> Callable[[str], Hashable]:
    """What decides, of a text, on what is made of it: rows in which it is the same differ in the code alone."""
    local = node.local.targets if node.local else {}
    systems = tuple(dict.fromkeys(node.systems))

    def kind(text: str) -> Hashable:
        if text.lower() in local:
            return text
        return tuple([NORMAL[system](text) is not None for system in systems]), system_by_shape(text, systems)

    return kind


def code_in(system: str) -> Callable[[str], str]:
    """How a code is written in its system."""
    return lambda text: NORMAL[system](text) or text
