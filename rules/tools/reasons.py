"""Why a rule came out differently on two sides: the conditions whose truth differs, with their thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from rules.engine.explain import deciding, sentence
from rules.engine.model import RuleOutcome, Trace

Reasons = tuple[tuple[str, ...], tuple[str, ...]]
"""What decided on the one side, and what on the other, in sentences."""


def reasons(a: RuleOutcome | None, b: RuleOutcome | None) -> Reasons:
    """The sentences that tell the two outcomes of a rule apart (None: the side has no such rule).

    Told are the conditions whose truth differs, and those that stand on one side alone: of these the ones on which an
    outcome rested, if there are any. Nothing is told where both evaluations came to the same.
    """
    if a is None or b is None:
        return _told(a), _told(b)
    if a.trace == b.trace:
        return (), ()
    old, new = list(_leaves(a.trace)), list(_leaves(b.trace))
    decisive = {id(leaf) for trace in (a.trace, b.trace) for leaf in deciding(trace)}
    moved: list[tuple[Trace | None, Trace | None]] = []
    matcher = SequenceMatcher(None, list(map(_key, old)), list(map(_key, new)), autojunk=False)
    alone: list[tuple[Trace | None, Trace | None]] = []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            moved += [pair for pair in zip(old[i1:i2], new[j1:j2], strict=True) if pair[0].truth is not pair[1].truth]
        else:
            alone += [(leaf, None) for leaf in old[i1:i2]]
            alone += [(None, leaf) for leaf in new[j1:j2]]
    every = [*moved, *alone]
    found = [pair for pair in every if any(id(leaf) in decisive for leaf in pair)] or every
    if found:
        return _sentences(one for one, _ in found if one), _sentences(other for _, other in found if other)
    return (_told(a), _told(b)) if a.status is not b.status else ((), ())


def _told(outcome: RuleOutcome | None) -> tuple[str, ...]:
    return _sentences(deciding(outcome.trace)) if outcome is not None else ()


def _sentences(leaves: Iterable[Trace]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence(leaf) for leaf in leaves))


def _key(leaf: Trace) -> tuple[str, str]:
    """What makes two comparisons the same one, whatever their threshold is."""
    fact = leaf.fact.name if leaf.fact else ""
    return (fact, leaf.parameter or leaf.text)


def _leaves(node: Trace) -> Iterator[Trace]:
    if not node.children:
        yield node
    for child in node.children:
        yield from _leaves(child)
