"""One message from its bytes to its answer: refused, or written down, processed and only then acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime

from adapter.mllp.acknowledgement import Answer, acknowledge
from adapter.mllp.faults import Fault
from adapter.mllp.header import Header, find_header, refusal
from adapter.store.journal import Entry, Journal, JournalError, State

log = logging.getLogger("perinatal.mllp")

Process = Callable[[Entry], Answer]
"""What is done with a message that is written down. It may be called again for one message (after a kill, or when the
sender repeats one that failed), and must then have the effect of one call. Answers AA or AE; may raise anything."""

MOST_TRIES = 3
"""How often the processing of one message may end with the process being killed."""

_INTERNAL = Answer("AE", (Fault(207, "the message is written down; processing it failed"),))
_KILLS = Answer("AE", (Fault(207, "the message is written down; processing it never came to an end"),))
_NO_JOURNAL = Answer("AR", (Fault(207, "the message could not be written down; send it again later"),))


class Receiver:
    """Takes one message at a time; its methods block, and are called from one thread.

    clock: the time, with a zone. new_id: control ids for the acknowledgements.
    """

    def __init__(
        self,
        journal: Journal,
        process: Process,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        processing_ids: Collection[str] = ("P",),
    ) -> None:
        self._journal = journal
        self._process = process
        self._clock = clock
        self._new_id = new_id
        self._processing_ids = processing_ids

    def receive(self, message: bytes, source: str) -> bytes | None:
        """The acknowledgement of a message; None when it has no MSH, so that there is nobody to answer."""
        header = find_header(message)
        if header is None:
            log.warning("%s: bytes without an MSH segment; nothing was taken", source)
            return None
        fault = refusal(header, message, self._processing_ids)
        if fault:
            log.warning("%s: refused (%d)", source, fault.code)
            return self._acknowledge(header, Answer("AR", (fault,)))
        try:
            entry = self._journal.append(source, message)
        except JournalError as wrong:
            log.error("%s: %s", source, wrong)
            return self._acknowledge(header, _NO_JOURNAL)
        return self._acknowledge(header, self._settle(entry))

    def refuse(self, held: bytes, reason: str) -> bytes | None:
        """The refusal (AR) of bytes that came in no whole frame; None when no MSH is among them."""
        header = find_header(held)
        return self._acknowledge(header, Answer("AR", (Fault(100, reason),))) if header else None

    def recover(self) -> int:
        """Processes what was written down and not finished before; the number of messages. Raises JournalError."""
        count = 0
        for entry in self._journal.pending():
            count += 1
            if entry.tries >= MOST_TRIES:
                log.error("message %d was begun %d times and never ended; it is put aside", entry.id, entry.tries)
                self._journal.finish(entry.id, State.FAILED, "")
            else:
                self._journal.retry(entry.id)
                self._run(entry)
        return count

    def _settle(self, entry: Entry) -> Answer:
        if entry.state is State.DONE:
            log.info("message %d again; it was done before", entry.id)
            return Answer("AA")
        if entry.state is State.FAILED:
            if not entry.outcome:
                return _KILLS
            try:
                self._journal.retry(entry.id)
            except JournalError as wrong:
                log.error("message %d: %s", entry.id, wrong)
                return _NO_JOURNAL
        return self._run(entry)

    def _run(self, entry: Entry) -> Answer:
        try:
            answer = self._process(entry)
        except Exception as failed:  # whatever it is, the message stays written down and the others go on
            log.error("message %d: %s while processing it", entry.id, type(failed).__name__)
            answer = _INTERNAL
        state = State.DONE if answer.code == "AA" else State.FAILED
        try:
            self._journal.finish(entry.id, state, answer.code)
        except JournalError as wrong:
            log.error("message %d: %s; it will be processed again at the next start", entry.id, wrong)
        log.info("message %d: %s", entry.id, answer.code)
        return answer

    def _acknowledge(self, header: Header, answer: Answer) -> bytes:
        return acknowledge(header, answer, self._clock(), self._new_id())
