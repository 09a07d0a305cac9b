"""Whose is the row with a given key, which the rows below it name: in memory, or on disk where the keys are too many.

On disk they are in lists by the hash of their key. The rows that ask are put aside into as many lists by the hash of
what they ask for, and one list of keys after another is held while the rows of its number are answered.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import compress, islice, repeat
from operator import not_
from typing import Any, NamedTuple

from adapter.sources.chunks import Chunks

HELD = 400_000
"""Keys of all tables together that are held at a time; each takes some 140 bytes."""
_LISTS, _HIGH = 127, 48  # a list is named by bits of a hash that a dict of few keys does not look at
_BATCH = 1_000  # rows that are answered together
_KEY_BYTES = 120
_ROW_BYTES = 160  # of a waiting row, beside its text
_PLACE = 32
_PLACES = (1 << _PLACE) - 1

Asking = tuple[Sequence[int], Sequence[str], Sequence[Any]]
"""Rows that belong to others: their numbers, the keys of those others ("": none), and the cells, packed."""


class Room:
    """How many keys may still be held. None: any number."""

    def __init__(self, keys: int | None) -> None:
        self.keys = float("inf") if keys is None else keys


def entry(owner: int, number: int) -> int:
    """Of a row: an owner, who is somebody, and its number."""
    return owner << _PLACE | number


def owners_of(found: Iterable[int]) -> list[int]:
    return [one >> _PLACE for one in found]


def numbers_of(found: Iterable[int]) -> list[int]:
    return [one & _PLACES for one in found]


class Held:
    """Keys in memory. Of rows with one key, which come in any order, the last one of the table counts, for its own
    owner or that of the ``first`` which came."""

    def __init__(self, *, first: bool) -> None:
        self.found: dict[str, int] = {}
        self.several: dict[str, array[int]] = {}  # of contested keys (or, for the first, any that is repeated)
        self._first = first

    def put_all(self, keys: Sequence[str], entries: Sequence[int]) -> None:
        found = self.found
        if len(set(keys)) == len(keys) and found.keys().isdisjoint(keys):
            found.update(zip(keys, entries, strict=True))
            return
        for key, value in zip(keys, entries, strict=True):
            before = found.get(key)
            if before is not None:
                if key in self.several:
                    self.several[key].append(value >> _PLACE)
                elif self._first or before >> _PLACE != value >> _PLACE:
                    self.several[key] = array("q", (before >> _PLACE, value >> _PLACE))
                if value & _PLACES < before & _PLACES:
                    continue
                if self._first:
                    value = before & ~_PLACES | value & _PLACES
            found[key] = value

    def owners(self, key: str) -> Collection[int]:
        """Those of a contested key, in order; of another: none."""
        return sorted(set(self.several[key])) if key in self.several else ()

    def puts(self) -> Iterator[tuple[str, int]]:
        """What makes another the same."""
        for key, value in self.found.items():
            if key in self.several:
                yield from ((key, owner << _PLACE) for owner in self.several[key][:-1])
            yield key, value


class Answer(NamedTuple):
    """Of some rows, whose each is; those on disk are answered in another order than they ask in."""

    numbers: Sequence[int]
    keys: Sequence[str]
    packed: Sequence[Any]
    found: Sequence[int | None]
    """``entry`` of the row that it belongs to; -1: there is none; None: it does not count."""
    held: Held
    """The keys among which it was looked for."""


class Parents:
    """The keys of one table."""

    def __init__(self, room: Room, chunks: Callable[[], Chunks], *, first: bool = False) -> None:
        self._room, self._chunks, self._first = room, chunks, first
        self._held = Held(first=first)
        self._lists: Chunks | None = None

    def put_all(self, keys: Sequence[str], entries: Sequence[int]) -> None:
        """Those that are keys at all, each for a row of somebody."""
        if "" in keys:
            entries = list(compress(entries, keys))
            keys = list(filter(None, keys))
        if self._lists is not None:
            self._file(self._lists, keys, entries)
            return
        before = len(self._held.found)
        self._held.put_all(keys, entries)
        self._room.keys -= len(self._held.found) - before
        if self._room.keys < 0:
            self._move()

    def _move(self) -> None:
        self._lists, puts = self._chunks(), self._held.puts()
        self._forget()
        while some := list(islice(puts, _BATCH)):
            self._file(self._lists, [key for key, _ in some], [value for _, value in some])

    def _file(self, lists: Chunks, keys: Sequence[str], entries: Sequence[int]) -> None:
        waiting = lists.waiting
        for pair in zip(keys, entries, strict=True):
            waiting[hash(pair[0]) >> _HIGH & _LISTS] += pair
        lists.filled(len(keys) * _KEY_BYTES)

    def _all(self) -> Iterator[tuple[int, Held]]:
        """All keys, some after others, and the number of their list."""
        if self._lists is None:
            yield 0, self._held
            return
        for number in range(_LISTS + 1):
            held = Held(first=self._first)
            for values in self._lists.each(number):
                held.put_all(values[::2], values[1::2])
            yield number, held

    def repeated(self) -> Iterator[tuple[str, int, int]]:
        """Keys that several rows have, where the ``first`` one's owner counts: that owner, and the last row."""
        for _, held in self._all():
            for key in held.several:
                yield key, held.found[key] >> _PLACE, held.found[key] & _PLACES

    def answer(self, rows: Iterable[Asking]) -> Iterator[Answer]:
        if self._lists is None:
            found = self._held.found
            for numbers, keys, packed in rows:
                yield Answer(numbers, keys, packed, list(map(found.get, keys, repeat(-1))), self._held)
            return
        aside = self._chunks()
        waiting = aside.waiting
        for numbers, keys, packed in rows:
            if "" in keys:
                without = list(map(not_, keys))
                of_nobody = [list(compress(numbers, without)), list(compress(packed, without))]
                yield Answer(of_nobody[0], [""] * len(of_nobody[0]), of_nobody[1], [-1] * len(of_nobody[0]), self._held)
            for row in zip(numbers, keys, packed, strict=True):
                if row[1]:
                    waiting[hash(row[1]) >> _HIGH & _LISTS] += row
            aside.filled(len(keys) * _ROW_BYTES + sum(map(len, packed)))
        aside.flush()
        for number, held in self._all():
            for values in aside.each(number):
                for at in range(0, len(values), 3 * _BATCH):
                    some = values[at : at + 3 * _BATCH]
                    keys = some[1::3]
                    found_here = list(map(held.found.get, keys, repeat(-1)))
                    yield Answer(some[::3], keys, some[2::3], found_here, held)
        aside.close()

    def close(self) -> None:
        """No more is asked."""
        self._forget()
        if self._lists is not None:
            self._lists.close()

    def _forget(self) -> None:
        self._room.keys += len(self._held.found)
        self._held = Held(first=self._first)
