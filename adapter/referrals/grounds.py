"""What a rule's status rests on: the leaves of its trace that made it come out as it did."""

from __future__ import annotations

from collections.abc import Iterator

from rules import Trace


def deciding(trace: Trace, stale: frozenset[str] = frozenset()) -> Iterator[Trace]:
    """The leaves that decided a trace; those on a ``stale`` fact always are among them.

    Where it cannot be told whether all of several criteria are met, those that are met count too: they are why the
    others matter.
    """
    if not trace.children:
        yield trace
        return
    for child in trace.children:
        if _decides(child, trace):
            yield from deciding(child, stale)
        elif stale:
            yield from (leaf for leaf in deciding(child, stale) if leaf.fact and leaf.fact.name in stale)


def leaves(trace: Trace) -> Iterator[Trace]:
    """Every leaf of a trace, whether it decided or not."""
    if not trace.children:
        yield trace
    for child in trace.children:
        yield from leaves(child)


def _decides(child: Trace, parent: Trace) -> bool:
    if parent.kind not in ("all", "any"):
        return True
    undecided_all = parent.kind == "all" and parent.truth is None
    return child.truth is parent.truth or (undecided_all and child.truth is True)
