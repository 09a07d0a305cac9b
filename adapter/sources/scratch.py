"""Working storage for putting together what is scattered over a source: in memory, or on disk where that is too large.

On disk it is rows and the keys that lead to them in files (see ``shelves`` and ``parents``), and one temporary SQLite
database for all else, once its keys are too many to be held. SQLite keeps it in the folder that ``SQLITE_TMPDIR`` or
``TMPDIR`` names (else ``/var/tmp`` or ``/tmp``), readable by its owner alone, and has removed its name by the time it
is open, so that nothing is left however the process ends. Its pages in memory are bounded by ``CACHE_BYTES``.
"""

# ruff: noqa: S608 - the names of tables are numbers of our own
from __future__ import annotations

import marshal
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from adapter.errors import CannotStart
from adapter.records import Issue
from adapter.sources import parents
from adapter.sources.chunks import Chunks
from adapter.sources.parents import Parents, Room
from adapter.sources.shelves import FiledShelves, HeldShelves, Shelves

CACHE_BYTES = 32 * 1024 * 1024
HELD_KEYS = 200_000
"""Keys of all indexes together that are held before they are put on disk; each takes some 250 bytes."""
_BUFFERED = 2_000
_ASKED = 500  # keys at once: SQLite allows 999 in any version

Item = tuple[Any, ...]
"""(group, place, and what else was added): numbers and texts."""


class Entry(NamedTuple):
    """What was put last under a key, and whether the owners of all that was put under it are ``several`` (1 or 0).

    What is ``kept`` there besides is a number, a text, a list of them, or None.
    """

    owner: Any
    place: int
    kept: Any
    several: int


Put = tuple[str, Any, int, Any]
"""A key, and what is put under it: owner, place, and what else is kept."""


class Index(Protocol):
    """Text → what belongs under it. An owner is a number or a text."""

    def put(self, key: str, owner: Any, place: int = 0, kept: Any = None) -> None: ...

    def put_all(self, items: Sequence[Put]) -> None: ...

    def get(self, key: str) -> Entry | None: ...

    def get_all(self, keys: Iterable[str]) -> Mapping[str, Entry]:
        """At least of those that there are; at most some thousands of keys."""
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

    def shelves(self) -> Shelves: ...

    def parents(self, *, first: bool = False) -> Parents:
        """``first``: of rows with one key the owner of the first counts."""
        ...

    def close(self) -> None: ...


class InMemory:
    """For what is small."""

    def index(self) -> Index:
        return _DictIndex()

    def sorter(self, width: int) -> Sorter:  # noqa: ARG002 - a list takes any
        return _ListSorter()

    def shelves(self) -> Shelves:
        return HeldShelves()

    def parents(self, *, first: bool = False) -> Parents:
        return Parents(Room(None), Chunks, first=first)

    def close(self) -> None:
        """Nothing is kept anywhere else."""


class OnDisk:
    """For what is not. Raises CannotStart where the temporary folder cannot be written or is full."""

    def __init__(self) -> None:
        self._made, self.room = 0, HELD_KEYS
        self._parents = Room(parents.HELD)
        self._files: list[Chunks] = []
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
        return _DiskIndex(self, self._db, self._made)

    def sorter(self, width: int) -> Sorter:
        self._made += 1
        return _DiskSorter(self._db, self._made, width)

    def shelves(self) -> Shelves:
        return FiledShelves(self._chunks())

    def parents(self, *, first: bool = False) -> Parents:
        return Parents(self._parents, self._chunks, first=first)

    def _chunks(self) -> Chunks:
        self._files.append(Chunks())
        return self._files[-1]

    def close(self) -> None:
        self._db.close()
        for file in self._files:
            file.close()


class _DictIndex:
    def __init__(self) -> None:
        self._found: dict[str, Entry] = {}
        self._several: dict[str, set[Any]] = {}

    def __len__(self) -> int:
        return len(self._found)

    def put(self, key: str, owner: Any, place: int = 0, kept: Any = None) -> None:
        self.put_all([(key, owner, place, kept)])

    def put_all(self, items: Sequence[Put]) -> None:
        found = self._found
        for key, owner, place, kept in items:
            before = found.get(key)
            if before is None or (before.owner == owner and not before.several):
                found[key] = Entry(owner, place, kept, several=0)
            else:
                self._several.setdefault(key, {before.owner}).add(owner)
                found[key] = Entry(owner, place, kept, several=1)

    def get(self, key: str) -> Entry | None:
        return self._found.get(key)

    def get_all(self, keys: Iterable[str]) -> Mapping[str, Entry]:  # noqa: ARG002 - it has all
        return self._found

    def owners(self, key: str) -> list[Any]:
        found = self.get(key)
        return sorted(self._several.get(key, {found.owner})) if found else []

    def puts(self) -> Iterator[Put]:
        """What makes another index the same."""
        for key, (owner, place, kept, _) in self._found.items():
            for other in self._several.get(key, ()):
                yield key, other, place, kept
            yield key, owner, place, kept


class _ListSorter:
    def __init__(self) -> None:
        self._items: list[Item] = []
        self.add = lambda *item: self._items.append(item)

    def __iter__(self) -> Iterator[Item]:
        self._items.sort(key=lambda item: item[:2])
        return iter(self._items)


class _DiskIndex:
    """In memory as long as there is room for its keys."""

    def __init__(self, scratch: OnDisk, db: sqlite3.Connection, number: int) -> None:
        self._scratch, self._db, self._held = scratch, db, _DictIndex()
        self._on_disk, self._number = False, number
        self._waiting: list[Put] = []
        found, several = f"found{number}", f"several{number}"
        self._put = (
            f"INSERT INTO {found} VALUES (?, ?, ?, ?, 0) ON CONFLICT (key) DO UPDATE SET "
            "several = several OR owner <> excluded.owner, "
            "owner = excluded.owner, place = excluded.place, kept = excluded.kept"
        )
        self._get_all = f"SELECT key, owner, place, kept, several FROM {found} WHERE key IN"
        self._owners = f"SELECT owner FROM {several} WHERE key = ? ORDER BY owner"

    def put(self, key: str, owner: Any, place: int = 0, kept: Any = None) -> None:
        self.put_all([(key, owner, place, kept)])

    def put_all(self, items: Sequence[Put]) -> None:
        if not self._on_disk:
            before = len(self._held)
            self._held.put_all(items)
            self._scratch.room -= len(self._held) - before
            if self._scratch.room < 0:
                self._move()
            return
        self._waiting.extend(items)
        if len(self._waiting) >= _BUFFERED:
            self._flush()

    def _move(self) -> None:
        """On to the disk, and make room for others."""
        self._on_disk = True
        self._create()
        for item in self._held.puts():
            self._waiting.append(item)
            if len(self._waiting) >= _BUFFERED:
                self._flush()
        self._scratch.room += len(self._held)
        self._held = _DictIndex()

    def _create(self) -> None:
        number, found, several = self._number, f"found{self._number}", f"several{self._number}"
        with _room():
            self._db.execute(f"CREATE TABLE {found} (key PRIMARY KEY, owner, place, kept, several) WITHOUT ROWID")
            self._db.execute(f"CREATE TABLE {several} (key, owner, PRIMARY KEY (key, owner)) WITHOUT ROWID")
            self._db.execute(
                f"CREATE TRIGGER more{number} AFTER UPDATE ON {found} WHEN old.owner <> new.owner BEGIN "
                f"INSERT INTO {several} VALUES (new.key, old.owner), (new.key, new.owner) "
                "ON CONFLICT DO NOTHING; END"
            )

    def _flush(self) -> None:
        if self._waiting:
            rows = [(*what, kept if kept is None else marshal.dumps(kept)) for *what, kept in self._waiting]
            with _room():
                self._db.executemany(self._put, rows)
            self._waiting.clear()

    def get(self, key: str) -> Entry | None:
        return self.get_all((key,)).get(key)

    def get_all(self, keys: Iterable[str]) -> Mapping[str, Entry]:
        if not self._on_disk:
            return self._held.get_all(keys)
        self._flush()
        asked = list(set(keys))
        found: dict[str, Entry] = {}
        for at in range(0, len(asked), _ASKED):
            some = asked[at : at + _ASKED]
            rows = self._db.execute(f"{self._get_all} ({', '.join('?' * len(some))})", some)
            for key, owner, place, kept, several in rows:
                found[key] = Entry(owner, place, kept if kept is None else marshal.loads(kept), several)  # noqa: S302
        return found

    def owners(self, key: str) -> list[Any]:
        if not self._on_disk:
            return self._held.owners(key)
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
