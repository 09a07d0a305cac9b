"""What became of every populated field of a record: the proof that nothing is lost in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from adapter.mapping.state import Fate, Run
from adapter.records import FieldUse, Issue
from adapter.sources.model import Row

Ignored = Callable[[str, str], str | None]
_IS_MAPPED: Final = Fate.MAPPED
_MAPPED = ("mapped", "")
_UNMAPPED = ("unmapped", "")
_WORDS = [  # by Fate
    _UNMAPPED,
    ("ignored", "another field filled the element"),
    ("refused", "what it was for could not be made"),
    _MAPPED,
    ("unmapped-code", ""),
    ("refused", ""),
]
_NULL = ("ignored", "explicit null")
_NOBODY: frozenset[str] = frozenset()
_SHOWN = 3


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


class _Tally:
    """One FieldUse in the making."""

    __slots__ = ("count", "name", "owner", "places", "words")

    def __init__(self, owner: str, name: str, words: tuple[str, str]) -> None:
        self.owner, self.name, self.words = owner, name, words
        self.count = 0
        self.places: list[str] = []

    def use(self) -> FieldUse:
        own = self.name.startswith(f"{self.owner}-")
        full = self.name if own else f"{self.owner}.{self.name}"
        return FieldUse(full, *self.words, self.count, tuple(self.places))


_Leaf = tuple[Row, str, str, str, Fate | None]


def _leaves(run: Run, row: Row, fields: set[str]) -> Iterator[_Leaf]:
    """Each populated leaf: the row to ask, its name there, its key, its full name, and what became of it.

    ``fields`` are those that were taken apart by repetition.
    """
    expanded: set[str] = set()
    for name in row.populated():
        base = name.partition("[")[0]
        if base not in fields:
            base = base.partition(".")[0]
        if base not in fields:
            key = row.key_of(name)
            yield row, name, key, name, run.fate((row, key))
        elif base not in expanded:
            expanded.add(base)
            for index, repetition in enumerate(run.repetitions[row, base]):
                for leaf in repetition.populated():
                    key = repetition.key_of(leaf)
                    fate = run.fate((repetition, key))
                    if fate is None and index == 0:
                        fate = run.fate((row, row.key_of(f"{base}.{leaf}")))
                    yield repetition, leaf, key, f"{base}.{leaf}", fate


def _whole(run: Run, row: Row) -> Iterator[_Leaf]:
    """Like ``_leaves`` for a row none of whose fields was taken apart."""
    texts, fates, mapped = row.texts, run.fates, run.mapped
    for name in row.populated():
        key = name if name in texts else row.key_of(name)
        cell = (row, key)
        yield row, name, key, name, run.fate(cell) if cell in fates else _IS_MAPPED if cell in mapped else None


def coverage(run: Run, keys: Mapping[str, frozenset[str]], ignored: Ignored) -> tuple[FieldUse, ...]:
    """One FieldUse per field and fate, in the order of the source. ``keys`` are the join keys of each table."""
    tallies: dict[tuple[str, str, str, str], _Tally] = {}
    divided: dict[Row, set[str]] = {}
    for (row, field), repetitions in run.repetitions.items():
        if repetitions:
            divided.setdefault(row, set()).add(field)
    for row in run.record.order:
        owner = row.name
        joined = keys.get(owner, _NOBODY)
        for asked, leaf, key, name, fate in _leaves(run, row, divided[row]) if row in divided else _whole(run, row):
            there = key in asked.texts
            if fate is _IS_MAPPED and there:
                words = _MAPPED
            elif fate is not None and fate > _IS_MAPPED:
                words = _WORDS[fate]
            elif leaf in joined:
                words = _MAPPED
            elif not there:
                words = _NULL
            elif fate is not None:
                words = _WORDS[fate]
            else:
                reason = ignored(owner, name)
                words = _UNMAPPED if reason is None else ("ignored", reason)
            counted = (owner, name, words[0], words[1])
            tally = tallies.get(counted)
            if tally is None:
                tally = tallies[counted] = _Tally(owner, name, words)
            tally.count += 1
            if tally.count <= _SHOWN:
                tally.places.append(asked.place(leaf))
    return tuple([tally.use() for tally in tallies.values()])


def unmapped_issues(uses: tuple[FieldUse, ...]) -> Iterator[Issue]:
    """One Issue for each field that no line of the mapping reads."""
    for use in uses:
        if use.fate == "unmapped":
            times = f", {use.times} times" if use.times > 1 else ""
            text = f"no line of the mapping reads {use.field}{times}"
            yield Issue("information", "informational", text, "unmapped-field", use.places[0])


def all_refused(rows: Iterable[Row]) -> tuple[FieldUse, ...]:
    """The coverage of a record that was refused as a whole."""
    tallies: dict[tuple[str, str], _Tally] = {}
    words = ("refused", "the record was refused")
    for row in rows:
        for name in row.populated():
            tally = tallies.setdefault((row.name, name), _Tally(row.name, name, words))
            tally.count += 1
            if tally.count <= _SHOWN:
                tally.places.append(row.place(name))
    return tuple(tally.use() for tally in tallies.values())
