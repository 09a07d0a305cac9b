"""Why a rule came out differently on two sides: the conditions whose truth differs, with their thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from rules.engine.explain import deciding, sentence
from rules.engine.model import RuleOutcome, Trace

Reasons = tuple[tuple[str, ...], tuple[str, ...]]
"""What decided on the one side, and what on the other, in sentences."""


def reasons(a: RuleOutcome | None, b: RuleOutcome | None) -> Reasons:
    """The sentences that tell the two outcomes of a rule apart (None: the side has no such rule).

    Conditions that stand on both sides are told where their truth differs; one that stands on a single side is told
    where the outcome there rested on it, or where nothing else differs. Nothing is told where both evaluations came to
    the same.
    """
    if a is None or b is None:
        return _told(a), _told(b)
    if a.trace == b.trace:
        return (), ()
    old, new = list(_leaves(a.trace)), list(_leaves(b.trace))
    counts = _ids(deciding(a.trace)), _ids(deciding(b.trace))
    before: list[Trace] = []
    after: list[Trace] = []
    alone: list[Trace] = []
    alone_too: list[Trace] = []
    matcher = SequenceMatcher(None, list(map(_key, old)), list(map(_key, new)), autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            pairs = [(x, y) for x, y in zip(old[i1:i2], new[j1:j2], strict=True) if x.truth is not y.truth]
            before += [x for x, _ in pairs]
            after += [y for _, y in pairs]
        else:
            alone += old[i1:i2]
            alone_too += new[j1:j2]
            before += [leaf for leaf in old[i1:i2] if id(leaf) in counts[0]]
            after += [leaf for leaf in new[j1:j2] if id(leaf) in counts[1]]
    if before or after:
        return _sentences(before), _sentences(after)
    if alone or alone_too:
        return _sentences(alone), _sentences(alone_too)
    return (_told(a), _told(b)) if a.status is not b.status else ((), ())


def _told(outcome: RuleOutcome | None) -> tuple[str, ...]:
    return _sentences(list(deciding(outcome.trace))) if outcome is not None else ()


def _sentences(leaves: list[Trace]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence(leaf) for leaf in leaves))


def _ids(leaves: Iterator[Trace]) -> frozenset[int]:
    return frozenset(map(id, leaves))


def _key(leaf: Trace) -> tuple[str, str]:
    """What makes two comparisons the same one, whatever their threshold is."""
    fact = leaf.fact.name if leaf.fact else ""
    return (fact, leaf.parameter or leaf.text)


def _leaves(node: Trace) -> Iterator[Trace]:
    if not node.children:
        yield node
    for child in node.children:
        yield from _leaves(child)
