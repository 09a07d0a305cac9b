"""What an evaluation rested on, worked out afterwards from compiled nodes: traces, missing facts, supporting facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial

from rules.engine.content import FactDeclaration
from rules.engine.model import KNOWN, UNKNOWN, Fact, Trace, Truth
from rules.engine.tracer import Node, Situation

Declarations = Mapping[str, FactDeclaration]

_new_trace = partial(tuple.__new__, Trace)  # a third of the time that the constructor takes


def trace(node: Node, situation: Situation) -> Trace:
    """The whole tree of a condition, every branch of it, with truths, thresholds and facts.

    The traces of all conditions that the tracer explains are made together: they share their parts.
    """
    if not situation.traces:
        situation.traces = _traces(situation)
    return situation.traces[node.place]


def _traces(situation: Situation) -> list[Trace]:
    facts, truths = situation.facts, situation.truths
    made: list[Trace] = []
    for node, truth in zip(situation.explained, truths, strict=False):
        if node.names:
            fact = facts[node.names[0]]
            leaf = (truth, "compare", node.text, fact, node.parameter, (), node.since, node.provider)
            made.append(_new_trace(leaf))
        else:
            named = derived_fact(node.fact, truths[node.named]) if node.fact else None
            made.append(_new_trace((truth, node.kind, node.text, named, "", node.pick(made), None, "")))
    return made


@cache
def derived_fact(name: str, truth: Truth) -> Fact:
    """A named condition as a fact."""
    return Fact(name, UNKNOWN) if truth is None else Fact(name, KNOWN, truth)


def missing(node: Node, situation: Situation, declarations: Declarations) -> tuple[str, ...]:
    """The facts that would decide an unknown condition, in the order of the trace, each once.

    They are the unknown leaves under unknown parents; a derived fact with its own ``ask`` counts as a leaf, and so
    does one that is unknown although nothing below it is.
    """
    return tuple(dict.fromkeys(_missing(node, situation, declarations)))


def _missing(node: Node, situation: Situation, declarations: Declarations) -> list[str]:
    if situation.truths[node.place] is not None:
        return []
    if len(node.names) > 1:
        facts = situation.facts
        return [name for name in node.names if facts[name].state is UNKNOWN or _is_span(facts[name])]
    if node.names:
        return list(node.names)
    below: list[str] = []
    if not node.fact or not declarations[node.fact].ask:
        for child in node.children:
            below += _missing(child, situation, declarations)
    return below or ([node.fact] if node.fact else below)


def _is_span(fact: Fact) -> bool:
    value = fact.value
    return isinstance(value, tuple) and value[0] != value[1]


def support(node: Node, situation: Situation) -> tuple[Fact, ...]:
    """The known facts on which the truth of a condition rests, in the order of the trace, each once."""
    facts = situation.facts
    found = [facts[name] for name in dict.fromkeys(node.names) or _support(node, situation)]
    return tuple([fact for fact in found if fact.state is KNOWN or fact.older is not None])


def _support(node: Node, situation: Situation) -> dict[str, None]:
    """The names of the facts below a node, kept for the other conditions that it is part of."""
    found = situation.supports.get(node.place)
    if found is None:
        truths = situation.truths
        group, truth = node.kind in ("all", "any"), truths[node.place]
        found = situation.supports[node.place] = {}
        for child in node.children:
            if group and truths[child.place] is not truth:
                continue
            if child.names:
                for name in child.names:
                    found[name] = None
            else:
                found.update(_support(child, situation))
    return found


def speaking(node: Node, situation: Situation) -> tuple[Fact, ...]:
    """The known facts that speak for an undecided condition so far, in the order of the trace, each once.

    Where it cannot be told whether all of several criteria are met, those that are met count: they are why the others
    matter.
    """
    found: dict[str, None] = {}
    _speaking(node, situation.truths, found, set())
    facts = situation.facts
    return tuple([facts[name] for name in found if facts[name].state is KNOWN])


def _speaking(node: Node, truths: list[Truth], found: dict[str, None], seen: set[int]) -> None:
    group, truth = node.kind in ("all", "any"), truths[node.place]
    met = node.kind == "all" and truth is None
    for child in node.children:
        place = child.place
        told = truths[place]
        if (group and told is not truth and not (met and told is True)) or place in seen:
            continue
        seen.add(place)
        if not child.names:
            _speaking(child, truths, found, seen)
        elif told is True:
            found[child.names[0]] = None


def leaves(node: Node) -> Iterator[str]:
    """The names of all facts that a condition looks at, also through derived ones."""
    yield from node.names
    for child in node.children:
        yield from leaves(child)
