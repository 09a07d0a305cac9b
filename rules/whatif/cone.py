"""One rule's condition with everything below it, evaluated again and again with a few facts changed.

``blame`` says why a truth is not another one: facts that, as long as they stay as they are, keep it so whatever the
others do. Every change that reaches a goal changes one of them; that is what makes the search exact and small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from rules.engine.comparisons import Evaluate, Step, settle
from rules.engine.conditions import Compare, Is, OlderTest, WithinMonths
from rules.engine.model import Fact, Truth
from rules.engine.tracer import Node, Tracer

Wanted = frozenset[Truth]

MET: Wanted = frozenset((True,))
NOT_MET: Wanted = frozenset((False,))
_NOT_TRUE: Wanted = frozenset((False, None))
Leaf = Compare | Is | WithinMonths


class Frame:
    """The facts of one person on one day, and the truths of a cone's nodes, by place."""

    __slots__ = ("as_of", "facts", "truths")

    def __init__(self, facts: Mapping[str, Fact], as_of: date, truths: list[Truth]) -> None:
        self.facts, self.as_of, self.truths = facts, as_of, truths


class Cone:
    """The nodes below some roots. ``leaves`` are the comparisons among them, in the order in which they are read."""

    def __init__(self, tracer: Tracer, roots: Iterable[Node]) -> None:
        self._size = len(tracer.nodes)
        nodes: dict[int, Node] = {}
        for root in roots:
            _below(root, tracer, nodes)
        self.leaves: tuple[Leaf, ...] = tuple(
            node.condition for node in nodes.values() if isinstance(node.condition, Leaf)
        )
        self.facts = tuple(dict.fromkeys(name for node in nodes.values() for name in node.names))
        self._by_fact: dict[str, list[tuple[int, Evaluate]]] = {}
        self._steps: list[Step] = []
        for place, node in sorted(nodes.items()):
            if node.truth is None or node.rests:
                self._steps.append(node.step)
            else:
                for name in node.names:
                    self._by_fact.setdefault(name, []).append((place, node.truth))

    def frame(self, facts: Mapping[str, Fact], as_of: date) -> Frame:
        """All truths anew."""
        frame = Frame(facts, as_of, [None] * self._size)
        return self._evaluated(frame, self._by_fact)

    def changed(self, frame: Frame, changes: Mapping[str, Fact]) -> Frame:
        """The frame with these facts in the place of its own."""
        made = Frame({**frame.facts, **changes}, frame.as_of, frame.truths.copy())
        return self._evaluated(made, changes)

    def forced(self, frame: Frame, place: int, truth: Truth) -> Frame:
        """The frame if one node had this truth."""
        made = Frame(frame.facts, frame.as_of, frame.truths.copy())
        made.truths[place] = truth
        settle((step for step in self._steps if step[0] != place), made)
        return made

    def _evaluated(self, frame: Frame, names: Iterable[str]) -> Frame:
        truths = frame.truths
        for name in names:
            for place, evaluate in self._by_fact.get(name, ()):
                truths[place] = evaluate(frame)
        settle(self._steps, frame)
        return frame


def _below(node: Node, tracer: Tracer, found: dict[int, Node]) -> None:
    if node.place in found:
        return
    found[node.place] = node
    if isinstance(node.condition, OlderTest):
        _below(tracer.compile(node.condition.test), tracer, found)
    if node.kind == "derived" and node.named != node.place:
        _below(tracer.nodes[node.named], tracer, found)
    for child in node.children:
        _below(child, tracer, found)


def blame(node: Node, wanted: Wanted, truths: Sequence[Truth], fixed: frozenset[str]) -> frozenset[str]:
    """Facts of which one must change before the truth of a node can be one of ``wanted``, without those ``fixed``.

    The truth must not be one of them yet. Where there is a choice of reasons, the one with the fewest facts is taken.
    """
    if not node.children:
        return frozenset(node.names) - fixed
    child = node.children[0]
    match node.kind:
        case "not":
            return blame(child, frozenset(None if truth is None else not truth for truth in wanted), truths, fixed)
        case "unless":
            return (
                blame(child, _NOT_TRUE if True in wanted else MET, truths, fixed) if wanted != {None} else frozenset()
            )
        case "derived":
            plain = node.named == node.place and (len(node.children) == 1 or wanted == MET)
            return blame(child, wanted, truths, fixed) if plain else _everything(node) - fixed
        case "all":
            one, other = True, False
        case _:
            one, other = False, True
    return _group(node, wanted, truths, fixed, one, other)


def _group(
    node: Node, wanted: Wanted, truths: Sequence[Truth], fixed: frozenset[str], one: bool, other: bool
) -> frozenset[str]:
    """Of an ``all`` (every child must be ``one``; a single ``other`` decides), or the same of an ``any``."""
    if other not in wanted and one in wanted:
        in_the_way = [child for child in node.children if truths[child.place] not in wanted]
        return min((blame(child, wanted, truths, fixed) for child in in_the_way), key=len)
    if one not in wanted and other in wanted:
        return frozenset[str]().union(*(blame(child, wanted, truths, fixed) for child in node.children))
    return _everything(node) - fixed


def _everything(node: Node) -> frozenset[str]:
    return frozenset(node.names).union(*map(_everything, node.children))
