"""What became of every populated field of a record: the proof that nothing is lost in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from adapter.mapping.nodes import canonical
from adapter.mapping.state import Fate, Run
from adapter.records import FieldUse, Issue
from adapter.sources.model import Row

Ignored = Callable[[str, str], str | None]
_WORDS = {
    Fate.SUPERSEDED: ("ignored", "another field filled the element"),
    Fate.LOST: ("refused", "what it was for could not be made"),
    Fate.MAPPED: ("mapped", ""),
    Fate.UNMAPPED_CODE: ("unmapped-code", ""),
    Fate.REFUSED: ("refused", ""),
}
_NULL = ("ignored", "explicit null")


def ignored_fields(ignored: Mapping[str, str]) -> Ignored:
    """(table or segment, field) → the reason why the mapping ignores it, or None.

    A reason given for ``PID-3`` holds for ``PID-3.4``; one for ``IN1`` or a table for all of it.
    """

    @lru_cache(maxsize=4096)
    def reason(owner: str, name: str) -> str | None:
        bare = re.sub(r"\[\d+\]", "", name)
        candidates = [f"{owner}.{bare}", bare]
        while "." in bare:
            bare = bare.rpartition(".")[0]
            candidates += [f"{owner}.{bare}", bare]
        return next((ignored[c] for c in (*candidates, owner) if c in ignored), None)

    return reason


@dataclass(slots=True)
class _Tally:
    count: int = 0
    places: list[str] = field(default_factory=list)


def _leaves(run: Run, row: Row) -> Iterator[tuple[Row, str, str, Fate | None]]:
    """Each populated leaf: the row to ask, its name there, its full name, and what became of it."""
    expanded: set[str] = set()
    for name in row.populated():
        base = name.partition("[")[0]
        repetitions = run.repetitions.get((id(row), base))
        if repetitions is None:
            base = base.partition(".")[0]
            repetitions = run.repetitions.get((id(row), base))
        if repetitions is None:
            yield row, name, name, run.fates.get((id(row), canonical(name)))
        elif base not in expanded:
            expanded.add(base)
            for index, repetition in enumerate(repetitions):
                for leaf in repetition.populated():
                    fate = run.fates.get((id(repetition), canonical(leaf)))
                    if fate is None and index == 0:
                        fate = run.fates.get((id(row), canonical(f"{base}.{leaf}")))
                    yield repetition, leaf, f"{base}.{leaf}", fate


def coverage(run: Run, keys: Mapping[str, frozenset[str]], ignored: Ignored) -> tuple[FieldUse, ...]:
    """One FieldUse per field and fate, in the order of the source. ``keys`` are the join keys of each table."""
    tallies: dict[tuple[str, str, str], _Tally] = {}
    nobody: frozenset[str] = frozenset()
    for row in run.record.order:
        joined = keys.get(row.name, nobody)
        for asked, leaf, name, fate in _leaves(run, row):
            if fate is not None and fate is not Fate.SUPERSEDED and fate is not Fate.LOST:
                words = _WORDS[fate]
                if fate is Fate.MAPPED and asked.get(leaf) is None:
                    words = _NULL
            elif leaf in joined:
                words = _WORDS[Fate.MAPPED]
            elif asked.get(leaf) is None:
                words = _NULL
            elif fate is not None:
                words = _WORDS[fate]
            else:
                reason = ignored(row.name, name)
                words = ("unmapped", "") if reason is None else ("ignored", reason)
            full = name if name.startswith(f"{row.name}-") else f"{row.name}.{name}"
            tally = tallies.setdefault((full, *words), _Tally())
            tally.count += 1
            if len(tally.places) < 3:
                tally.places.append(asked.place(leaf))
    return tuple(
        FieldUse(full, fate, reason, tally.count, tuple(tally.places))
        for (full, fate, reason), tally in tallies.items()
    )


def unmapped_issues(uses: tuple[FieldUse, ...]) -> Iterator[Issue]:
    """One Issue for each field that no line of the mapping reads."""
    for use in uses:
        if use.fate == "unmapped":
            times = f", {use.count} times" if use.count > 1 else ""
            text = f"no line of the mapping reads {use.field}{times}"
            yield Issue("information", "informational", text, "unmapped-field", use.places[0])


def all_refused(record_rows: tuple[Row, ...] | list[Row]) -> tuple[FieldUse, ...]:
    """The coverage of a record that was refused as a whole."""
    tallies: dict[str, _Tally] = {}
    for row in record_rows:
        for name in row.populated():
            full = name if name.startswith(f"{row.name}-") else f"{row.name}.{name}"
            tally = tallies.setdefault(full, _Tally())
            tally.count += 1
            if len(tally.places) < 3:
                tally.places.append(row.place(name))
    reason = "the record was refused"
    return tuple(FieldUse(full, "refused", reason, t.count, tuple(t.places)) for full, t in tallies.items())
