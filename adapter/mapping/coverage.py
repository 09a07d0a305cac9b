"""What became of every populated field of a record: the proof that nothing is lost in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final, overload

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
_NOTHING: AbstractSet[str] = frozenset()
SHOWN = 3
"""Of each kind of field that many places are told."""


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


_Leaf = tuple[Row, str, str, str, Fate | None]


def _leaves(run: Run, row: Row, fields: AbstractSet[str]) -> Iterator[_Leaf]:
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


Kind = tuple[str, tuple[str, str]]
"""A field by its full name, and what became of it."""

_SHAPES = 4096  # how many are remembered


class Shape:
    """What is said of the fields of rows that are filled and read alike: each field's kind, and its name there."""

    __slots__ = ("leaves", "unread")

    def __init__(self, leaves: Iterable[tuple[Kind, str]]) -> None:
        self.leaves = tuple(leaves)
        self.unread = tuple(leaf for leaf in self.leaves if leaf[0][1] is _UNMAPPED)


class _Counts(dict[Shape, "_Count"]):
    """The rows of each shape."""

    def add(self, shape: Shape, at: int, row: Row) -> None:
        count = self.get(shape)
        if count is None:
            count = self[shape] = _Count()
        count.times += 1
        if len(count.first) < SHOWN:
            count.first.append((at, row))


class _Count:
    """Rows of one shape: how many, and the first of them with their places in the source's order."""

    __slots__ = ("first", "times")

    def __init__(self) -> None:
        self.times = 0
        self.first: list[tuple[int, Row]] = []


class Accounts:
    """Says of each populated field of a record what became of it.

    ``keys`` are the join keys of each table. Rows of the same table in which the same fields are filled and the same of
    them were read have one shape: what is said of its fields is worked out once.
    """

    def __init__(self, keys: Mapping[str, frozenset[str]], ignored: Ignored) -> None:
        self._keys, self._ignored = keys, ignored
        self._shapes: dict[tuple[object, ...], Shape] = {}
        self._kinds: dict[tuple[object, ...], tuple[Kind, str]] = {}
        self._alone: dict[tuple[Kind, str], Shape] = {}

    def of(self, run: Run) -> Account:
        """What became of the fields of this record."""
        divided: dict[Row, set[str]] = {}
        for (row, name), repetitions in run.repetitions.items():
            if repetitions:
                divided.setdefault(row, set()).add(name)
        marked: dict[Row, list[tuple[str, Fate]]] = {}
        for (row, key), fate in run.fates.items():
            marked.setdefault(row, []).append((key, fate))
        counts = _Counts()
        for at, row in enumerate(run.record.order):
            if row in divided:
                for leaf in _leaves(run, row, divided[row]):
                    counts.add(self._shape_alone(self._kind(row.name, leaf)), at, leaf[0])
                continue
            counts.add(self._of_row(run, row, marked.get(row, ())), at, row)
        return Account(counts)

    def shape(self, run: Run, row: Row) -> Shape:
        """What is said of the fields of a row that is not taken apart."""
        return self._of_row(run, row, [(key, fate) for (marked, key), fate in run.fates.items() if marked is row])

    def _of_row(self, run: Run, row: Row, marked: Iterable[tuple[str, Fate]]) -> Shape:
        mapped, texts, leaves = run.mapped, row.texts, row.populated()
        shape = (row.name, *leaves, 0, *[key for key in texts if (row, key) not in mapped])
        if leaves is not texts:
            shape = (*shape, 0, *texts)
        if marked:
            shape = (*shape, *marked)
        return self._shapes.get(shape) or self._shape(shape, run, row)

    def _shape(self, shape: tuple[object, ...], run: Run, row: Row) -> Shape:
        """Remembered under what tells it from others."""
        if len(self._shapes) >= _SHAPES:
            self._shapes.clear()
        found = self._shapes[shape] = Shape(self._kind(row.name, leaf) for leaf in _leaves(run, row, _NOTHING))
        return found

    def _shape_alone(self, leaf: tuple[Kind, str]) -> Shape:
        """Of one field of a row that was taken apart."""
        found = self._alone.get(leaf)
        if found is None:
            if len(self._alone) >= _SHAPES:
                self._alone.clear()
            found = self._alone[leaf] = Shape([leaf])
        return found

    def _kind(self, owner: str, found: _Leaf) -> tuple[Kind, str]:
        asked, leaf, key, name, fate = found
        there = key in asked.texts
        asked_for = (owner, leaf, name, fate, there)
        kind = self._kinds.get(asked_for)
        if kind is None:
            full = name if name.startswith(f"{owner}-") else f"{owner}.{name}"
            kind = (full, self._words(owner, leaf, name, fate, there=there)), leaf
            if len(self._kinds) >= _SHAPES:
                self._kinds.clear()
            self._kinds[asked_for] = kind
        return kind

    def _words(self, owner: str, leaf: str, name: str, fate: Fate | None, *, there: bool) -> tuple[str, str]:
        if fate is _IS_MAPPED and there:
            return _MAPPED
        if fate is not None and fate > _IS_MAPPED:
            return _WORDS[fate]
        if leaf in self._keys.get(owner, _NOBODY):
            return _MAPPED
        if not there:
            return _NULL
        if fate is not None:
            return _WORDS[fate]
        reason = self._ignored(owner, name)
        return _UNMAPPED if reason is None else ("ignored", reason)


class Account(Sequence[FieldUse]):
    """One FieldUse per field and fate, in the order of the source; put into words when it is asked for."""

    __slots__ = ("_counts", "_made")

    def __init__(self, counts: _Counts) -> None:
        self._counts = counts
        self._made: tuple[FieldUse, ...] | None = None

    def shapes(self) -> Iterator[tuple[Shape, int]]:
        """The shapes of its rows, and how many there are of each."""
        return ((shape, count.times) for shape, count in self._counts.items())

    def unmapped(self) -> tuple[FieldUse, ...]:
        """Those of fields that nothing reads."""
        return _uses((shape.unread, count) for shape, count in self._counts.items() if shape.unread)

    @property
    def _uses(self) -> tuple[FieldUse, ...]:
        if self._made is None:
            self._made = _uses((shape.leaves, count) for shape, count in self._counts.items())
        return self._made

    @overload
    def __getitem__(self, index: int) -> FieldUse: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[FieldUse]: ...

    def __getitem__(self, index: int | slice) -> FieldUse | Sequence[FieldUse]:
        return self._uses[index]

    def __eq__(self, other: object) -> bool:
        return self._uses == (other._uses if isinstance(other, Account) else other)

    __hash__ = None  # type: ignore[assignment]  # like any list

    def __len__(self) -> int:
        return len(self._uses)

    def __iter__(self) -> Iterator[FieldUse]:
        return iter(self._uses)


def _uses(counts: Iterable[tuple[Sequence[tuple[Kind, str]], _Count]]) -> tuple[FieldUse, ...]:
    times: dict[Kind, int] = {}
    first: dict[Kind, list[tuple[int, Row, str]]] = {}
    for leaves, count in counts:
        rows = count.first
        for kind, leaf in leaves:
            shown = [(at, row, leaf) for at, row in rows]
            if kind in times:
                times[kind] += count.times
                if len(first[kind]) < SHOWN or rows[0][0] < first[kind][-1][0]:
                    first[kind] = sorted(first[kind] + shown, key=_at)[:SHOWN]
            else:
                times[kind], first[kind] = count.times, shown
    made = FieldUse._make
    return tuple(
        [
            made((kind[0], *kind[1], number, tuple([row.place(leaf) for _, row, leaf in first[kind]])))
            for kind, number in times.items()
        ]
    )


def _at(shown: tuple[int, Row, str]) -> int:
    return shown[0]


def unmapped_issues(account: Account) -> Iterator[Issue]:
    """One Issue for each field that no line of the mapping reads."""
    for use in account.unmapped():
        times = f", {use.times} times" if use.times > 1 else ""
        text = f"no line of the mapping reads {use.field}{times}"
        yield Issue("information", "informational", text, "unmapped-field", use.places[0])


def all_refused(rows: Iterable[Row]) -> tuple[FieldUse, ...]:
    """The coverage of a record that was refused as a whole."""
    shapes: dict[tuple[object, ...], Shape] = {}
    counts = _Counts()
    words = ("refused", "the record was refused")
    for at, row in enumerate(rows):
        name, fields = row.name, tuple(row.populated())
        shape = shapes.get((name, *fields))
        if shape is None:
            full = ((field if field.startswith(f"{name}-") else f"{name}.{field}", field) for field in fields)
            shape = shapes[name, *fields] = Shape(((path, words), field) for path, field in full)
        counts.add(shape, at, row)
    return _uses((shape.leaves, count) for shape, count in counts.items())
