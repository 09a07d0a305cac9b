"""MLLP: ``<VT> message <FS><CR>`` (HL7's Minimal Lower Layer Protocol, release 1), as the bytes arrive."""

from __future__ import annotations

from collections.abc import Iterator

START, END = b"\x0b", b"\x1c\r"
STRAY_LIMIT = 4096
"""Bytes outside frames that are passed over between one message and the next."""


class Unframed(Exception):
    """What arrives is no frame, or one over the limit: ``held`` is what there is of it, or its beginning."""

    def __init__(self, reason: str, held: bytes) -> None:
        self.reason, self.held = reason, held
        super().__init__(reason)


def framed(message: bytes) -> bytes:
    """The message in its frame."""
    return START + message + END


class Frames:
    """Takes bytes in pieces of any size and gives what is in the frames; holds ``limit`` bytes and a piece at most.

    A frame that begins anew before it ended was cut off: what came of it is dropped, for it was never sent whole, and
    counted in ``broken_off``; but where <FS> stands before the next <VT>, only the <CR> is missing. ``began`` says that
    a frame is open; ``stray`` is what came outside frames since the last one.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._searched = 0
        self.began = False
        self.broken_off = 0
        self.stray = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that ``data`` completes. Raises Unframed, after which nothing can be read any more."""
        self._held += data
        while self._held:
            if not self.began:
                before, start, after = self._held.partition(START)
                self.stray += before
                self._held, self._searched, self.began = after, 0, bool(start)
                if len(self.stray) > STRAY_LIMIT:
                    raise Unframed("bytes that are in no MLLP frame", bytes(self.stray))
                continue
            end = self._held.find(END, max(0, self._searched - 1))
            restart = self._held.find(START, self._searched, end if end >= 0 else len(self._held))
            if restart >= 0:
                cut = bytes(self._held[:restart])
                del self._held[: restart + 1]
                self._searched = 0
                if cut[-1:] != END[:1]:
                    self.broken_off += 1
                    continue
                self._check(len(cut) - 1, cut)
                self.stray.clear()
                yield cut[:-1]
                continue
            self._check(end if end >= 0 else len(self._held), self._held)
            if end < 0:
                self._searched = len(self._held)
                return
            message = bytes(self._held[:end])
            del self._held[: end + len(END)]
            self.began = False
            self.stray.clear()
            yield message

    def _check(self, size: int, held: bytes | bytearray) -> None:
        if size > self._limit:
            raise Unframed(f"the message is over the limit of {self._limit} bytes", bytes(held[:STRAY_LIMIT]))
