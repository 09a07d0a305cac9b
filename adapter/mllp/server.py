"""The connections: bytes in, acknowledgements out, one message of a connection at a time and in its order.

A connection is read only while nothing of it waits to be processed or written, so a client that sends much and reads
nothing fills its own buffers and no more than a few of ours. All messages go through one thread, one after another.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, TypeVar

from adapter.errors import CannotStart
from adapter.mllp.framing import Frames, Unframed, framed
from adapter.mllp.settings import MllpSettings
from adapter.records import Issue

log = logging.getLogger("perinatal.mllp")

_PIECE = 64 * 1024
T = TypeVar("T")


class Receives(Protocol):
    """What is done with what arrives; see ``adapter.mllp.receive.Receiver``. Blocking calls, from one thread."""

    def receive(self, message: bytes, source: str) -> bytes | None: ...

    def refuse(self, held: bytes, reason: str) -> bytes | None: ...


class MllpServer:
    """Listens until it is stopped. ``start`` and ``stop`` once each, in one event loop."""

    def __init__(self, receiver: Receives, settings: MllpSettings) -> None:
        self._receiver = receiver
        self._settings = settings
        self._worker = ThreadPoolExecutor(1, "mllp")
        self._connections: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port, which the system chooses when it is 0. Raises CannotStart when it cannot be had."""
        try:
            self._server = await asyncio.start_server(self.converse, host, port, limit=_PIECE)
        except OSError as wrong:
            reason = f"cannot listen for MLLP on {host}:{port} ({wrong.strerror})"
            raise CannotStart(Issue("fatal", "exception", reason)) from None
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening, let each message in work be acknowledged, and close everything.

        What is not done within the time of grace stays in the journal and is not acknowledged.
        """
        self._stopping = True
        if self._server:
            self._server.close()
        for connection in self._waiting:
            connection.cancel()
        if self._connections:
            _, left = await asyncio.wait(self._connections, timeout=self._settings.grace_seconds)
            for connection in left:
                connection.cancel()
            if left:
                await asyncio.wait(left)
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its end. Never raises."""
        task = asyncio.current_task()
        if task is None or self._stopping or len(self._connections) >= self._settings.max_connections:
            log.warning("a connection is turned away: there are %d", len(self._connections))
            writer.close()
            return
        self._connections.add(task)
        try:
            _prepare(writer)
            await self._messages(reader, writer, task, _source(writer))
        except (OSError, TimeoutError, asyncio.CancelledError):
            writer.transport.abort()
        except Exception as failed:  # one connection must not end the others
            log.error("%s in a connection; it is closed", type(failed).__name__)
            writer.transport.abort()
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(OSError, TimeoutError, asyncio.CancelledError):
                async with asyncio.timeout(self._settings.write_seconds):
                    await writer.wait_closed()

    async def _messages(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None], source: str
    ) -> None:
        clock = asyncio.get_running_loop().time
        frames = Frames(self._settings.max_message_bytes)
        began, deadline = False, clock() + self._settings.idle_seconds
        while not self._stopping:
            data = await self._read(reader, task, deadline)
            try:
                for message in frames.feed(data):
                    answer = await self._in_turn(self._receiver.receive, message, source)
                    if answer is None:
                        return
                    await self._write(writer, answer)
                    began, deadline = False, clock() + self._settings.idle_seconds
                    if self._stopping:
                        return
            except Unframed as wrong:
                await self._refuse(writer, wrong.held, wrong.reason)
                return
            if frames.broken_off:
                log.warning("%d messages were broken off by the next one; they were not taken", frames.broken_off)
                frames.broken_off = 0
            if not data:
                if frames.began:
                    log.warning("a connection ended inside a message; it was not taken")
                if frames.stray:
                    await self._refuse(writer, bytes(frames.stray), "the message is in no MLLP frame")
                return
            if frames.began and not began:
                began, deadline = True, clock() + self._settings.message_seconds

    async def _read(self, reader: asyncio.StreamReader, task: asyncio.Task[None], deadline: float) -> bytes:
        """The next bytes, b"" at the end and when none came in time. Cancelled when the server stops."""
        self._waiting.add(task)
        try:
            async with asyncio.timeout_at(deadline):
                return await reader.read(_PIECE)
        except TimeoutError:
            log.info("a connection was silent for too long, or its message too slow; it is closed")
            return b""
        finally:
            self._waiting.discard(task)

    async def _refuse(self, writer: asyncio.StreamWriter, held: bytes, reason: str) -> None:
        log.warning("%s; the connection is closed", reason)
        answer = await self._in_turn(self._receiver.refuse, held, reason)
        if answer is not None:
            await self._write(writer, answer)

    async def _write(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        """Raises TimeoutError when the client does not read it in time."""
        writer.write(framed(answer))
        async with asyncio.timeout(self._settings.write_seconds):
            await writer.drain()

    def _in_turn(self, call: Callable[[bytes, str], T], data: bytes, text: str) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._worker, call, data, text)


def _prepare(writer: asyncio.StreamWriter) -> None:
    """``drain`` waits until the system has taken everything; a peer that is gone is noticed by the system."""
    writer.transport.set_write_buffer_limits(high=0)
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _source(writer: asyncio.StreamWriter) -> str:
    peer = writer.get_extra_info("peername")
    return f"mllp {peer[0]}" if peer else "mllp"
