"""One message from its bytes to its answer: what is written down when, and what happens only once."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapter.mllp.acknowledgement import Answer
from adapter.mllp.faults import Fault
from adapter.mllp.receive import MOST_TRIES, Receiver
from adapter.store.journal import Entry, Journal, JournalError, State
from tests.unit.mllp.messages import FAMILY, NHS, NOW, message, read_ack

REFUSED = Answer("AE", (Fault(101, "something is missing"),))


class Processing:
    """Remembers what it is called with, and answers as it is told."""

    def __init__(self) -> None:
        self.answer: Answer | Exception = Answer("AA")
        self.entries: list[Entry] = []
        self.look: Callable[[Entry], None] = lambda _: None

    def __call__(self, entry: Entry) -> Answer:
        self.entries.append(entry)
        self.look(entry)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite3", lambda: NOW)
    yield journal
    journal.close()


@pytest.fixture
def processing() -> Processing:
    return Processing()


@pytest.fixture
def receiver(journal: Journal, processing: Processing) -> Receiver:
    return Receiver(journal, processing, lambda: NOW, lambda: "ID1")


def code(receiver: Receiver, data: bytes) -> str:
    return read_ack(receiver.receive(data, "mllp")).code


def test_a_message_is_in_the_file_before_it_is_processed(
    journal: Journal, receiver: Receiver, processing: Processing, tmp_path: Path
) -> None:
    seen = []

    def look(_: Entry) -> None:
        with sqlite3.connect(tmp_path / "journal.sqlite3") as other:
            seen.extend(other.execute("select state, outcome from journal").fetchall())
        other.close()

    processing.look = look
    found = read_ack(receiver.receive(message(), "mllp"))
    assert seen == [("pending", "")]
    assert (found.code, found.msa[2], found.msh[10]) == ("AA", "M1", "ID1")
    assert (journal.get(1).state, journal.get(1).outcome) == (State.DONE, "AA")
    assert processing.entries[0].data == message()


def test_the_same_message_again_is_acknowledged_and_not_processed(receiver: Receiver, processing: Processing) -> None:
    assert [code(receiver, message()) for _ in range(3)] == ["AA"] * 3
    assert len(processing.entries) == 1
    assert code(receiver, message(control_id="M2")) == "AA"
    assert len(processing.entries) == 2


@pytest.mark.parametrize("data", [message(kind="SIU^S12"), message(version="2.8"), b"junk\r" + message()])
def test_what_cannot_be_taken_is_not_written_down(
    data: bytes, journal: Journal, receiver: Receiver, processing: Processing
) -> None:
    assert code(receiver, data) == "AR"
    assert not processing.entries
    assert not list(journal.pending())


def test_without_a_header_there_is_nobody_to_answer(receiver: Receiver) -> None:
    assert receiver.receive(b"GET / HTTP/1.1", "mllp") is None
    assert receiver.refuse(b"GET / HTTP/1.1", "no frame") is None


def test_bytes_in_no_frame_are_refused(receiver: Receiver, processing: Processing) -> None:
    found = read_ack(receiver.refuse(message(), "the message is in no MLLP frame"))
    assert (found.code, found.reasons) == ("AR", [("", "100", "E")])
    assert not processing.entries


def test_a_refused_content_is_failed_and_looked_at_again_when_it_is_sent_again(
    journal: Journal, receiver: Receiver, processing: Processing
) -> None:
    processing.answer = REFUSED
    assert read_ack(receiver.receive(message(), "mllp")).reasons == [("", "101", "E")]
    assert (journal.get(1).state, journal.get(1).outcome) == (State.FAILED, "AE")
    processing.answer = Answer("AA")
    assert code(receiver, message()) == "AA"
    assert (journal.get(1).state, journal.get(1).tries) == (State.DONE, 2)


def test_an_error_of_ours_is_said_without_what_it_says(
    journal: Journal, receiver: Receiver, processing: Processing, caplog: pytest.LogCaptureFixture
) -> None:
    processing.answer = ValueError(f"could not do {FAMILY}")
    with caplog.at_level(logging.DEBUG):
        found = read_ack(receiver.receive(message(), "mllp"))
    assert (found.code, found.reasons) == ("AE", [("", "207", "E")])
    assert FAMILY not in str(found)
    assert "ValueError" in caplog.text
    assert FAMILY not in caplog.text
    assert journal.get(1).state is State.FAILED


def test_nothing_of_a_message_is_logged(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        receiver.receive(message(), "mllp")
        receiver.receive(message(), "mllp")
        receiver.receive(message(kind=f"{FAMILY}^{NHS}"), "mllp")
        receiver.refuse(message(), "no frame")
        receiver.receive(FAMILY.encode(), "mllp")
    assert caplog.records
    for value in (FAMILY, NHS, "M1", "ADA"):
        assert value not in caplog.text


class BrokenJournal(Journal):
    """Fails where it is told to."""

    broken: frozenset[str] = frozenset()

    def append(self, source: str, data: bytes) -> Entry:
        self._fail("append")
        return super().append(source, data)

    def retry(self, identity: int) -> None:
        self._fail("retry")
        super().retry(identity)

    def finish(self, identity: int, state: State, outcome: str) -> None:
        self._fail("finish")
        super().finish(identity, state, outcome)

    def _fail(self, name: str) -> None:
        if name in self.broken:
            raise JournalError("the journal failed (OperationalError)")


def test_without_a_journal_nothing_is_taken(tmp_path: Path, processing: Processing) -> None:
    journal = BrokenJournal(tmp_path / "j", lambda: NOW)
    receiver = Receiver(journal, processing, lambda: NOW, lambda: "ID1")
    journal.broken = frozenset({"append"})
    found = read_ack(receiver.receive(message(), "mllp"))
    assert (found.code, found.reasons) == ("AR", [("", "207", "E")])
    assert not processing.entries
    journal.broken = frozenset()
    assert code(receiver, message()) == "AA"
    processing.answer = REFUSED
    assert code(receiver, message(control_id="M2")) == "AE"
    journal.broken = frozenset({"retry"})
    assert code(receiver, message(control_id="M2")) == "AR"
    journal.close()


def test_what_was_done_and_could_not_be_noted_is_done_again_at_the_next_start(
    tmp_path: Path, processing: Processing
) -> None:
    journal = BrokenJournal(tmp_path / "j", lambda: NOW)
    receiver = Receiver(journal, processing, lambda: NOW, lambda: "ID1")
    journal.broken = frozenset({"finish"})
    assert code(receiver, message()) == "AA"
    journal.broken = frozenset()
    assert receiver.recover() == 1
    assert [entry.id for entry in processing.entries] == [1, 1]
    assert receiver.recover() == 0
    journal.close()


def test_what_was_not_finished_is_processed_at_the_start_in_its_order(
    journal: Journal, receiver: Receiver, processing: Processing
) -> None:
    for control_id in ("M1", "M2", "M3"):
        journal.append("mllp", message(control_id=control_id))
    journal.finish(2, State.DONE, "AA")
    processing.answer = RuntimeError("x")
    processing.look = lambda entry: setattr(processing, "answer", Answer("AA")) if entry.id == 3 else None
    assert receiver.recover() == 2
    assert [entry.id for entry in processing.entries] == [1, 3]
    assert [journal.get(n).state for n in (1, 2, 3)] == [State.FAILED, State.DONE, State.DONE]


def test_a_message_that_kills_its_process_is_put_aside(
    journal: Journal, receiver: Receiver, processing: Processing
) -> None:
    def kill(_: Entry) -> None:
        raise KeyboardInterrupt  # ends the process here without anything being noted

    processing.look = kill
    with pytest.raises(KeyboardInterrupt):
        receiver.receive(message(), "mllp")
    for _ in range(MOST_TRIES - 1):
        with pytest.raises(KeyboardInterrupt):
            receiver.recover()
    assert receiver.recover() == 1
    assert len(processing.entries) == MOST_TRIES
    assert journal.get(1).state is State.FAILED
    assert read_ack(receiver.receive(message(), "mllp")).reasons == [("", "207", "E")]
    assert len(processing.entries) == MOST_TRIES
