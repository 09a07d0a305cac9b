"""Working storage for putting together what is scattered over a source: in memory, or on disk where that is too large.

On disk it is one temporary SQLite database. SQLite keeps it in the folder that ``SQLITE_TMPDIR`` or ``TMPDIR`` names
(else ``/var/tmp`` or ``/tmp``), readable by its owner alone, and has removed its name by the time it is open, so that
nothing is left however the process ends. Its pages in memory are bounded by ``CACHE_BYTES``.
"""

# ruff: noqa: S608 - the names of tables are numbers of our own
from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from adapter.errors import CannotStart
from adapter.records import Issue

CACHE_BYTES = 32 * 1024 * 1024
_BUFFERED = 2_000
_ASKED = 500  # keys at once: SQLite allows 999 in any version

Item = tuple[Any, ...]
"""(group, place, and what else was added): numbers and texts."""


class Entry(NamedTuple):
    """What was put last under a key, and whether the owners of all that was put under it are ``several`` (1 or 0)."""

    owner: Any
    place: int
    span: int
    several: int


class Index(Protocol):
    """Text → what belongs under it. An owner is a number or a text."""

    def put(self, key: str, owner: Any, place: int = 0, span: int = 0) -> None: ...

    def get(self, key: str) -> Entry | None: ...

    def get_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        """Of those that there are; at most some thousands of keys."""
        ...

    def owners(self, key: str) -> list[Any]:
        """Every owner once, in their own order."""
        ...


class Sorter(Protocol):
    """Items that come in any order and go in that of their groups, places and turns. It is read once, when full."""

    def add(self, *item: Any) -> None: ...

    def __iter__(self) -> Iterator[Item]: ...


class Scratch(Protocol):
    """Makes the parts; ``close`` removes all of them."""

    def index(self) -> Index: ...

    def sorter(self, width: int) -> Sorter:
        """For items of so many values."""
        ...

    def close(self) -> None: ...


class InMemory:
    """For what is small."""

    def index(self) -> Index:
        return _DictIndex()

    def sorter(self, width: int) -> Sorter:  # noqa: ARG002 - a list takes any
        return _ListSorter()

    def close(self) -> None:
        """Nothing is kept anywhere else."""


class OnDisk:
    """For what is not. Raises CannotStart where the temporary folder cannot be written or is full."""

    def __init__(self) -> None:
        self._made = 0
        with _room():
            self._db = sqlite3.connect("", isolation_level=None)
            for pragma in (
                "journal_mode=OFF",
                "synchronous=OFF",
                "temp_store=FILE",
                f"cache_size=-{CACHE_BYTES >> 10}",
            ):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.execute("BEGIN")

    def index(self) -> Index:
        self._made += 1
        return _DiskIndex(self._db, self._made)

    def sorter(self, width: int) -> Sorter:
        self._made += 1
        return _DiskSorter(self._db, self._made, width)

    def close(self) -> None:
        self._db.close()


class _DictIndex:
    def __init__(self) -> None:
        self._found: dict[str, Entry] = {}
        self._several: dict[str, set[Any]] = {}

    def put(self, key: str, owner: Any, place: int = 0, span: int = 0) -> None:
        before = self._found.get(key)
        several = before is not None and (before.several or before.owner != owner)
        if before is not None and before.owner != owner:
            self._several.setdefault(key, {before.owner}).add(owner)
        self._found[key] = Entry(owner, place, span, several)

    def get(self, key: str) -> Entry | None:
        return self._found.get(key)

    def get_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        found = self._found
        return {key: found[key] for key in keys if key in found}

    def owners(self, key: str) -> list[Any]:
        found = self._found.get(key)
        return sorted(self._several.get(key) or ({found.owner} if found else ()))


class _ListSorter:
    def __init__(self) -> None:
        self._items: list[Item] = []
        self.add = lambda *item: self._items.append(item)

    def __iter__(self) -> Iterator[Item]:
        self._items.sort(key=lambda item: item[:2])
        return iter(self._items)


class _DiskIndex:
    def __init__(self, db: sqlite3.Connection, number: int) -> None:
        found, several = f"found{number}", f"several{number}"
        self._db, self._waiting = db, list[tuple[str, Any, int, int]]()
        with _room():
            db.execute(f"CREATE TABLE {found} (key PRIMARY KEY, owner, place, span, several) WITHOUT ROWID")
            db.execute(f"CREATE TABLE {several} (key, owner, PRIMARY KEY (key, owner)) WITHOUT ROWID")
            db.execute(
                f"CREATE TRIGGER more{number} AFTER UPDATE ON {found} WHEN old.owner <> new.owner BEGIN "
                f"INSERT INTO {several} VALUES (new.key, old.owner), (new.key, new.owner) "
                "ON CONFLICT DO NOTHING; END"
            )
        self._put = (
            f"INSERT INTO {found} VALUES (?, ?, ?, ?, 0) ON CONFLICT (key) DO UPDATE SET "
            "several = several OR owner <> excluded.owner, "
            "owner = excluded.owner, place = excluded.place, span = excluded.span"
        )
        self._get = f"SELECT owner, place, span, several FROM {found} WHERE key = ?"
        self._get_all = f"SELECT key, owner, place, span, several FROM {found} WHERE key IN"
        self._owners = f"SELECT owner FROM {several} WHERE key = ? ORDER BY owner"

    def put(self, key: str, owner: Any, place: int = 0, span: int = 0) -> None:
        self._waiting.append((key, owner, place, span))
        if len(self._waiting) >= _BUFFERED:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            with _room():
                self._db.executemany(self._put, self._waiting)
            self._waiting.clear()

    def get(self, key: str) -> Entry | None:
        self._flush()
        found = self._db.execute(self._get, (key,)).fetchone()
        return Entry(*found) if found else None

    def get_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        self._flush()
        asked = list(set(keys))
        found: dict[str, Entry] = {}
        for at in range(0, len(asked), _ASKED):
            some = asked[at : at + _ASKED]
            rows = self._db.execute(f"{self._get_all} ({', '.join('?' * len(some))})", some)
            found.update((key, Entry(owner, place, span, several)) for key, owner, place, span, several in rows)
        return found

    def owners(self, key: str) -> list[Any]:
        found = self.get(key)
        if found is None or not found.several:
            return [found.owner] if found else []
        return [owner for (owner,) in self._db.execute(self._owners, (key,))]


class _DiskSorter:
    def __init__(self, db: sqlite3.Connection, number: int, width: int) -> None:
        self._db, self._waiting = db, list[Item]()
        columns = ", ".join(f"v{n}" for n in range(width))
        name = f"sorted{number}"
        with _room():
            db.execute(f"CREATE TABLE {name} ({columns})")
        self._insert = f"INSERT INTO {name} VALUES ({', '.join('?' * width)})"
        self._select = f"SELECT {columns} FROM {name} ORDER BY v0, v1, rowid"

    def add(self, *item: Any) -> None:
        self._waiting.append(item)
        if len(self._waiting) >= _BUFFERED:
            self._flush()

    def _flush(self) -> None:
        with _room():
            self._db.executemany(self._insert, self._waiting)
        self._waiting.clear()

    def __iter__(self) -> Iterator[Item]:
        self._flush()
        with _room():
            yield from self._db.execute(self._select)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _no_room(error) from None


def _no_room(error: sqlite3.OperationalError) -> CannotStart:
    text = f"the temporary folder (TMPDIR) cannot hold what this input needs: {error}"
    return CannotStart(Issue("fatal", "exception", text))
