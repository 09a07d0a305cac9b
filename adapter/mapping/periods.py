"""A FHIR Period made of two values that may be of different precision, or the wrong way round."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from adapter.mapping.state import HOLE, Fate, Run
from adapter.sources.model import Row

PERIOD = frozenset({"start", "end"})
"""The elements of an object that is a Period."""

Evaluate = Callable[[Run, Row, str], Any]


def period(start: Evaluate, end: Evaluate) -> Evaluate:
    """The closure of a Period, of those that make ``{start}`` and ``{end}``.

    An end before its start is left out, and an Issue ``implausible-date`` says so.
    """

    def evaluate(run: Run, row: Row, path: str) -> Any:
        first = start(run, row, path)
        read = len(run.reads)
        last = end(run, row, path)
        if first is HOLE or last is HOLE:
            return last if first is HOLE else first
        both = comparable(first["start"], last["end"])
        if both is not None:
            return {"start": both[0], "end": both[1]}
        run.marks.extend((cell, Fate.REFUSED) for cell in run.reads[read:])
        text = "the end is before the start; it is left out"
        run.say("warning", "value", text, "implausible-date", run.trail.pop(f"{path}.end", ""))
        return first

    return evaluate


def comparable(start: str, end: str) -> tuple[str, str] | None:
    """Both as R4 compares them (per-1): where one of the same day has no time, neither has. None: the end is before."""
    if len(start) > 10 and len(end) > 10:
        return (start, end) if datetime.fromisoformat(start) <= datetime.fromisoformat(end) else None
    precision = min(len(start), len(end))
    first, last = start[:precision], end[:precision]
    if first == last:
        return first, last
    return (start, end) if first < last else None
