"""The small parts that compiled nodes are made of: finding a field, testing it, translating its code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from adapter.mapping.code_maps import SAYS_MORE, CodeMap, Target
from adapter.mapping.nodes import (
    Array,
    Coded,
    Each,
    Field,
    First,
    From,
    JoinText,
    Literal,
    Node,
    Nothing,
    Object,
    Test,
    conditions,
)
from adapter.mapping.shapes import SHAPES
from adapter.mapping.state import HOLE, Fate, Run
from adapter.sources.model import Row

_FEW = 6
Locate = Callable[[Run, Row], Row | None]


def locate(field: Field, home: str, *, inside: bool) -> Locate | None:
    """Finds the row that has the field; None: it is the row at hand. ``home`` is what that row is called.

    ``inside`` a repetition, a full name means the row around it.
    """
    owner = field.owner

    def other(run: Run, row: Row) -> Row | None:  # noqa: ARG001 - one signature
        return row.related(owner)

    def around(run: Run, row: Row) -> Row | None:
        outer = run.outer or row
        return outer if outer.name == owner else outer.related(owner)

    if not owner or (owner == home and not inside):
        return None
    return around if inside else other


def fields_of(node: Node) -> Iterator[Field]:
    """Every field that a node reads, outside of repetitions."""
    match node:
        case From():
            yield node.field
        case Coded():
            yield node.field
            if node.scheme:
                yield node.scheme
        case JoinText():
            yield from node.fields
        case First():
            for option in node.options:
                yield from fields_of(option)
        case Object():
            for _, item in node.items:
                yield from fields_of(item)
        case Array():
            for item in node.items:
                yield from fields_of(item)
        case _:
            pass


def is_dynamic(node: Node) -> bool:
    """Whether a node has holes: its constants alone then do not keep it alive."""
    match node:
        case Literal():
            return False
        case Nothing(dynamic):
            return dynamic
        case Object():
            return any(is_dynamic(item) for _, item in node.items)
        case Array():
            return any(is_dynamic(item) for item in node.items)
        case First():
            return any(is_dynamic(option) for option in node.options)
        case _:
            return True


def constant(node: Node) -> Any:
    """The value of a node that is the same for every row, its own conditions aside; else HOLE.

    All resources share it: what is mapped is never changed in place.
    """
    match node:
        case Literal(value):
            return value
        case Object(items) if items and not node.requires:
            values = [(key, HOLE if conditions(item) else constant(item)) for key, item in items]
            return HOLE if any(value is HOLE for _, value in values) else dict(values)
        case Array(items) if items:
            made = [HOLE if conditions(item) else constant(item) for item in items]
            return HOLE if HOLE in made else made
        case _:
            return HOLE


def needed(node: Node, home: str, *, inside: bool) -> tuple[str, ...] | None:
    """Keys of the row at hand, one of which must be populated or else the node is a hole; None when that is not all.

    Where they are all empty the node need not be tried, nor its conditions asked.
    """
    found: set[str] = set()
    match node:
        case From(default=None) | Coded():
            found.update([node.field.key] if locate(node.field, home, inside=inside) is None else [""])
        case JoinText(fields):
            found.update(field.key if locate(field, home, inside=inside) is None else "" for field in fields)
        case Object() | Array() | First() if is_dynamic(node):
            for part in parts(node):
                if is_dynamic(part) or isinstance(node, First):
                    found.update(needed(part, home, inside=inside) or [""])
        case _:
            return None
    return None if "" in found or len(found) > _FEW else tuple(sorted(found))


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside this one."""
    match node:
        case Object(items):
            return tuple(item for _, item in items)
        case First(inner) | Array(inner):
            return inner
        case Each(_, do):
            return (do,)
        case _:
            return ()


def passes(test: Test) -> Callable[[str | None], bool]:
    """One condition as a predicate over the text of its field (None: not there)."""
    holds = _holds(test)
    return (lambda text: not holds(text)) if test.negate else holds


def _holds(test: Test) -> Callable[[str | None], bool]:
    if test.values is not None:
        return test.values.__contains__
    if test.code_map is not None:
        return test.code_map.targets.__contains__
    if test.shape:
        shape = SHAPES[test.shape]
        return lambda text: text is not None and shape(text)
    return lambda text: text is not None


def translate(run: Run, row: Row, field: Field, text: str, code_map: CodeMap) -> Target | None:
    """The counterpart of a code; one that has none is reported, and kept, replaced or dropped as the map says."""
    found = code_map.targets.get(text)
    if found is not None and found.code:
        if found.equivalence in SAYS_MORE:
            said = (
                f"the counterpart in code map {code_map.name} is {found.equivalence}: it says more than the source did"
            )
            run.say("information", "informational", said, "unmapped-code", (row, field.name))
        return found
    run.marks.append(((row, field.key), Fate.UNMAPPED_CODE))
    severity = "error" if code_map.unmapped == "error" else "warning"
    why = "is known to have no counterpart" if found is not None else "has no row"
    said = f"the code {why} in code map {code_map.name}"
    run.say(severity, "code-invalid", said, "unmapped-code", (row, field.name))
    if found is not None:
        return found
    if code_map.otherwise is not None:
        return code_map.otherwise
    return Target(text) if code_map.unmapped == "keep" else None


def concept(target: Target | None, text: str) -> dict[str, Any] | None:
    """A CodeableConcept; a code without a counterpart is kept as text."""
    if target is None:
        return None
    if not target.code or not target.system:
        return {"text": target.display or target.code or text}
    coding = {"system": target.system, "code": target.code}
    return {"coding": [{**coding, "display": target.display} if target.display else coding]}
