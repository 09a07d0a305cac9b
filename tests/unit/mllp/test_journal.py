"""The journal: what is appended stays, the same bytes are one entry, and the file is its owner's alone."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from adapter.errors import CannotStart
from adapter.store.journal import Journal, JournalError, State
from tests.unit.mllp.messages import NOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "journal.sqlite3"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal(path, lambda: NOW)
    yield journal
    journal.close()


def test_an_entry_is_there_for_another_reader_as_soon_as_it_is_appended(journal: Journal, path: Path) -> None:
    entry = journal.append("mllp 127.0.0.1", b"a\x00\xff")
    assert (entry.id, entry.received_at, entry.state, entry.outcome, entry.tries) == (1, NOW, State.PENDING, "", 1)
    assert entry.digest == sha256(b"a\x00\xff").hexdigest()
    with sqlite3.connect(path) as other:
        assert other.execute("select bytes, state, source from journal").fetchall() == [
            (b"a\x00\xff", "pending", "mllp 127.0.0.1")
        ]
    other.close()
    assert journal.get(1) == entry


def test_it_is_written_to_the_disk_before_append_returns(journal: Journal, path: Path) -> None:
    with journal._transaction() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 2
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_the_same_bytes_are_one_entry(journal: Journal) -> None:
    first = journal.append("x", b"a")
    journal.finish(first.id, State.DONE, "AA")
    again = journal.append("y", b"a")
    assert (again.id, again.source, again.state, again.outcome) == (1, "x", State.DONE, "AA")
    assert journal.append("x", b"b").id == 2


def test_pending_survives_a_restart_and_what_is_finished_does_not_come_back(path: Path) -> None:
    journal = Journal(path, lambda: NOW)
    for data in (b"a", b"b", b"c", b"d"):
        journal.append("x", data)
    journal.finish(1, State.DONE, "AA")
    journal.finish(3, State.FAILED, "AE")
    journal.retry(4)
    journal.close()
    journal = Journal(path, lambda: NOW)
    assert [(entry.data, entry.tries) for entry in journal.pending()] == [(b"b", 1), (b"d", 2)]
    journal.close()


def test_finishing_while_the_pending_are_read(journal: Journal) -> None:
    for data in (b"a", b"b"):
        journal.append("x", data)
    for entry in journal.pending():
        journal.finish(entry.id, State.DONE, "AA")
    assert not list(journal.pending())


def test_no_such_entry(journal: Journal) -> None:
    with pytest.raises(KeyError):
        journal.get(7)


def test_a_journal_that_fails_says_nothing_of_what_is_in_it(journal: Journal, path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("drop table journal")
    other.close()
    with pytest.raises(JournalError) as caught:
        journal.append("x", b"XXTESTPATIENT")
    assert "XXTESTPATIENT" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_file_that_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("this is not a database, and long enough to be seen as none " * 40)
    for path in (tmp_path / "file", tmp_path / "file" / "journal", tmp_path):
        with pytest.raises(CannotStart):
            Journal(path, lambda: NOW)
