"""Partial evaluation: a block's body for one text of the field that most of its conditions ask for.

Of the 70 conditions of an HL7 v2 result nearly all ask for the value type OBX-2. What is decided once that is known
needs no asking row by row, and what can never be filled then need not be tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from adapter.mapping.nodes import Array, Each, Field, First, Node, Nothing, Object, Test, When
from adapter.mapping.values import is_dynamic, passes

_WORTHWHILE = 4


def selector(body: Node, home: str) -> tuple[Field, frozenset[str]] | None:
    """The field of the row itself that most conditions compare, with all texts that they name; None: too few do."""
    tests = [test for test in _tests(body) if test.values is not None and test.field.owner == home]
    counted = Counter(test.field.key for test in tests).most_common(1)
    if not home or not counted or counted[0][1] < _WORTHWHILE:
        return None
    own = [test for test in tests if test.field.key == counted[0][0]]
    return own[0].field, frozenset[str]().union(*(test.values or () for test in own))


def _tests(node: Node) -> Iterator[Test]:
    """All conditions in a node, but for those inside repetitions."""
    match node:
        case Nothing() | Each():
            return
        case First(options):
            for option in options:
                yield from _tests(option)
        case Array(items):
            for item in items:
                yield from _tests(item)
        case Object():
            yield from node.when
            for _, item in node.items:
                yield from _tests(item)
        case _:
            yield from node.when


def prune(node: Node, field: Field, text: str | None) -> Node:
    """The node where ``field`` has this text; what its conditions then rule out becomes ``Nothing``."""
    match node:
        case Nothing() | Each():
            return node
        case First(options):
            left = tuple(o for o in (prune(option, field, text) for option in options) if not isinstance(o, Nothing))
            return First(left) if left else Nothing(is_dynamic(node))
        case Array(items):
            return Array(tuple(prune(item, field, text) for item in items))
    when = _undecided(node.when, field, text)
    if when is None:
        return Nothing(is_dynamic(node))
    if isinstance(node, Object):
        return replace(node, when=when, items=tuple((key, prune(item, field, text)) for key, item in node.items))
    return replace(node, when=when)


def _undecided(when: When, field: Field, text: str | None) -> When | None:
    """The conditions that are still to be asked; None when one of them cannot hold."""
    left = []
    for test in when:
        if test.field.owner != field.owner or test.field.key != field.key:
            left.append(test)
        elif not passes(test)(text):
            return None
    return tuple(left)
