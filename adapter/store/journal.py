"""The journal: every message that is taken, written down before anything is done with it.

One SQLite file through SQLAlchemy Core, in WAL mode with ``synchronous=FULL``: when ``append`` returns, the message
survives a loss of power. The file holds records of patients as they came; only its owner may read it. One process
works on a journal at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError

from adapter.errors import CannotStart
from adapter.records import Issue

_metadata = sa.MetaData()
_journal = sa.Table(
    "journal",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("received_at", sa.String(32), nullable=False),
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(8), nullable=False, index=True),
    sa.Column("outcome", sa.String(8), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
)
_persons = sa.Table(
    "persons",
    _metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("entry", sa.Integer, sa.ForeignKey("journal.id"), primary_key=True, index=True),
)


class State(StrEnum):
    """How far a message came: ``pending`` until its outcome is known."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One message. ``digest`` is the SHA-256 of ``data`` in hexadecimal; ``tries`` counts how often its processing
    was begun; ``outcome`` is what the sender was told (``AA``, ``AE``), or "" while nobody was told anything."""

    id: int
    received_at: datetime
    source: str
    digest: str
    data: bytes
    state: State
    outcome: str = ""
    tries: int = 1


class JournalError(Exception):
    """The journal could not be read or written (a full disk, a lock). Says nothing of what is in it."""


class Journal:
    """The messages in a file. Its methods may be called from any thread; each is one transaction.

    ``clock`` gives the time of receipt, with a zone. Raises CannotStart when the file cannot be opened, and its methods
    JournalError.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._engine = sa.create_engine(f"sqlite:///{path}", hide_parameters=True)
        sa.event.listen(self._engine, "connect", _set_pragmas)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            _metadata.create_all(self._engine)
        except (OSError, SQLAlchemyError) as wrong:
            reason = f"the journal cannot be opened ({type(wrong).__name__}): {path}"
            raise CannotStart(Issue("fatal", "exception", reason)) from None

    def append(self, source: str, data: bytes) -> Entry:
        """Write a message down. The same bytes are one entry: it comes back as it is when they came before."""
        digest = sha256(data).hexdigest()
        at = self._clock()
        row = {
            "received_at": at.isoformat(),
            "source": source,
            "digest": digest,
            "bytes": data,
            "state": State.PENDING.value,
            "outcome": "",
            "tries": 1,
        }
        with self._transaction() as connection:
            known = connection.execute(sa.select(_journal).where(_journal.c.digest == digest)).one_or_none()
            if known is not None:
                return _entry(known)
            identity = connection.execute(sa.insert(_journal).values(row).returning(_journal.c.id)).scalar_one()
        return Entry(identity, at, source, digest, data, State.PENDING)

    def retry(self, identity: int) -> None:
        """Processing is about to begin again."""
        self._update(identity, state=State.PENDING.value, tries=_journal.c.tries + 1)

    def finish(self, identity: int, state: State, outcome: str) -> None:
        """What became of a message, and what its sender was told."""
        self._update(identity, state=state.value, outcome=outcome)

    def get(self, identity: int) -> Entry:
        """One entry. KeyError when there is none."""
        with self._transaction() as connection:
            row = connection.execute(sa.select(_journal).where(_journal.c.id == identity)).one_or_none()
        if row is None:
            raise KeyError(identity)
        return _entry(row)

    def link(self, identity: int, names: Collection[str]) -> None:
        """Say whom an entry is about: by every name (an identifier) that it gives a person. Again is no harm."""
        rows = [{"name": name, "entry": identity} for name in sorted(names)]
        if rows:
            with self._transaction() as connection:
                connection.execute(sqlite.insert(_persons).on_conflict_do_nothing(), rows)

    def earlier(self, identity: int, names: Collection[str]) -> list[Entry]:
        """The entries before this one that are about the same persons, oldest first: those that share a name with it,
        or with another such entry."""
        persons, found, seen = _persons.c, set[int](), set[str]()
        with self._transaction() as connection:
            new = set(names)
            while new:
                seen |= new
                chosen = sa.select(persons.entry).where(persons.name.in_(new), persons.entry < identity)
                entries = set(connection.execute(chosen).scalars()) - found
                found |= entries
                more = sa.select(persons.name).where(persons.entry.in_(entries))
                new = set(connection.execute(more).scalars()) - seen
        return [self.get(each) for each in sorted(found)]

    def pending(self) -> Iterator[Entry]:
        """The entries whose processing was not finished when this was called, oldest first, one in memory at a time."""
        chosen = sa.select(_journal.c.id).where(_journal.c.state == State.PENDING.value).order_by(_journal.c.id)
        with self._transaction() as connection:
            identities = connection.execute(chosen).scalars().all()
        for identity in identities:
            yield self.get(identity)

    def close(self) -> None:
        """Close the file. Whatever was appended is in it."""
        self._engine.dispose()

    def _update(self, identity: int, **values: Any) -> None:
        with self._transaction() as connection:
            connection.execute(sa.update(_journal).where(_journal.c.id == identity).values(values))

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as wrong:
            raise JournalError(f"the journal failed ({type(wrong).__name__})") from None


def _set_pragmas(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _entry(row: sa.Row[Any]) -> Entry:
    at = datetime.fromisoformat(row.received_at)
    return Entry(row.id, at, row.source, row.digest, row.bytes, State(row.state), row.outcome, row.tries)
