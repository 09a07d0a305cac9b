"""Connections: what clients do to a server, and what is left when it stops. Loopback, no sleeps, events only."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from adapter.errors import CannotStart
from adapter.mllp.server import MllpServer
from adapter.mllp.settings import MllpSettings
from tests.unit.mllp.messages import FAMILY, frame

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """Acknowledges with the message itself; ``b"none"`` has no header. Waits in ``hold`` while it is clear."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.refused: list[bytes] = []
        self.began = threading.Event()
        self.hold = threading.Event()
        self.hold.set()

    def receive(self, message: bytes, source: str) -> bytes | None:
        assert source == "mllp 127.0.0.1"
        self.began.set()
        assert self.hold.wait(20)
        if message == b"raise":
            raise ValueError(FAMILY)
        self.taken.append(message)
        return None if message == b"none" else b"ack " + message

    def refuse(self, held: bytes, reason: str) -> bytes | None:  # noqa: ARG002 - one signature
        self.refused.append(held)
        return b"nak" if b"MSH" in held else None


class Client:
    def __init__(self, echo: Echo, server: MllpServer, port: int) -> None:
        self.echo, self.server, self.port = echo, server, port

    async def connect(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def talk(self, *pieces: bytes, end: bool = True) -> bytes:
        """Everything that is answered to these pieces until the server closes."""
        reader, writer = await self.connect()
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if end:
            writer.write_eof()
        data = await reader.read()
        writer.close()
        return data


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Client]:
    echo = Echo()
    server = MllpServer(echo, MllpSettings(**settings))
    try:
        yield Client(echo, server, await server.start("127.0.0.1", 0))
    finally:
        echo.hold.set()
        await server.stop()


def run(test: Callable[[Client], Awaitable[None]], **settings: Any) -> Echo:
    async def main() -> Echo:
        async with asyncio.timeout(30), serving(**settings) as client:
            await test(client)
        return client.echo

    return asyncio.run(main())


A, B = frame(b"ack a"), frame(b"ack b")


@pytest.mark.parametrize(
    "pieces",
    [
        [frame(b"a"), frame(b"b")],
        [frame(b"a") + frame(b"b")],
        [bytes([byte]) for byte in frame(b"a") + frame(b"b")],
        [b"\r\n junk" + frame(b"a") + b"\r\n" + frame(b"b")],
    ],
    ids=["one each", "two in one", "byte by byte", "bytes between"],
)
def test_messages_are_answered_in_their_order(pieces: list[bytes]) -> None:
    async def test(client: Client) -> None:
        assert await client.talk(*pieces) == A + B

    assert run(test).taken == [b"a", b"b"]


def test_a_connection_is_kept_for_the_next_message() -> None:
    async def test(client: Client) -> None:
        reader, writer = await client.connect()
        for message, answer in ((b"a", A), (b"b", B)):
            writer.write(frame(message))
            assert await reader.readexactly(len(answer)) == answer
        writer.close()

    run(test)


@pytest.mark.parametrize("half", [b"\x0b", b"\x0bMSH|half", b"\x0bMSH|half\x1c"])
def test_half_a_message_and_gone(half: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def test(client: Client) -> None:
        assert await client.talk(frame(b"a"), half) == A

    with caplog.at_level(logging.DEBUG, "perinatal"):
        echo = run(test)
    assert (echo.taken, echo.refused) == ([b"a"], [])
    assert caplog.messages == ["a connection ended inside a message; it was not taken"]


def test_a_message_that_the_next_one_breaks_off_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async def test(client: Client) -> None:
        assert await client.talk(b"\x0bMSH|half", frame(b"a")) == A

    assert run(test).taken == [b"a"]
    assert caplog.messages == ["1 messages were broken off by the next one; they were not taken"]


def test_a_client_that_breaks_off_hard() -> None:
    async def test(client: Client) -> None:
        client.echo.hold.clear()
        _, writer = await client.connect()
        writer.write(frame(b"a"))
        await asyncio.to_thread(client.echo.began.wait)
        writer.transport.abort()
        client.echo.hold.set()
        assert await client.talk(frame(b"b")) == B

    assert run(test).taken == [b"a", b"b"]


@pytest.mark.parametrize(
    ("data", "answer", "refused"),
    [
        (b"MSH|^~\\&|no frame\r", frame(b"nak"), True),
        (b"GET / HTTP/1.1\r\n\r\n", b"", True),
        (b"\x16\x03\x01" * 3000, b"", True),
        (b"\x0bMSH" + b"x" * 2000, frame(b"nak"), True),
        (frame(b"none") + frame(b"a"), b"", False),
        (b"", b"", False),
    ],
)
def test_what_is_no_message_ends_the_connection(data: bytes, answer: bytes, refused: bool) -> None:
    async def test(client: Client) -> None:
        assert await client.talk(data) == answer
        assert await client.talk(frame(b"a")) == A

    echo = run(test, max_message_bytes=1000)
    assert bool(echo.refused) == refused
    assert echo.taken[-1] == b"a"


def test_an_error_ends_one_connection_and_says_nothing_of_the_message(caplog: pytest.LogCaptureFixture) -> None:
    async def test(client: Client) -> None:
        with suppress(ConnectionResetError):
            assert await client.talk(frame(b"raise"), end=False) == b""
        assert await client.talk(frame(b"a")) == A

    run(test)
    assert "ValueError" in caplog.text
    assert FAMILY not in caplog.text


def test_a_silent_connection_is_closed() -> None:
    async def test(client: Client) -> None:
        assert await client.talk(end=False) == b""

    run(test, idle_seconds=0)


def test_a_message_that_takes_too_long_is_given_up() -> None:
    async def test(client: Client) -> None:
        assert await client.talk(frame(b"a") + b"\x0bhalf", end=False) == A

    assert run(test, message_seconds=0).taken == [b"a"]


def test_bytes_without_a_frame_are_refused_when_nothing_more_comes() -> None:
    async def test(client: Client) -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"MSH|^~\\&|no frame\r")
        writer = FakeWriter()
        await client.server.converse(reader, writer)  # type: ignore[arg-type]
        assert writer.written == frame(b"nak")

    run(test, idle_seconds=0)


class FakeWriter:
    """A connection whose client reads nothing: ``drain`` never returns."""

    def __init__(self, drains: bool = True) -> None:
        self.written = b""
        self.aborted = False
        self.transport = self
        self.drains = drains

    def write(self, data: bytes) -> None:
        self.written += data

    async def drain(self) -> None:
        if not self.drains:
            await asyncio.Event().wait()

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == 0

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else None

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None: ...

    async def wait_closed(self) -> None: ...


def test_a_client_that_never_reads_is_cut_off_and_no_more_is_read_of_it() -> None:
    async def test(client: Client) -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(frame(b"a") * 50)
        writer = FakeWriter(drains=False)
        await client.server.converse(reader, writer)  # type: ignore[arg-type]
        assert writer.aborted
        assert writer.written == A

    assert run(test, write_seconds=0).taken == [b"a"]


class CountingReader(asyncio.StreamReader):
    reads = 0

    async def read(self, n: int = -1) -> bytes:
        self.reads += 1
        return await super().read(n)


def test_while_a_message_is_in_work_nothing_more_is_read() -> None:
    async def test(client: Client) -> None:
        client.echo.hold.clear()
        reader = CountingReader()
        reader.feed_data(frame(b"a"))
        talking = asyncio.create_task(client.server.converse(reader, FakeWriter()))  # type: ignore[arg-type]
        await asyncio.to_thread(client.echo.began.wait)
        reader.feed_data(frame(b"b"))
        reader.feed_eof()
        for _ in range(10):
            await asyncio.sleep(0)
        assert reader.reads == 1
        client.echo.hold.set()
        await talking
        assert reader.reads > 1

    assert run(test).taken == [b"a", b"b"]


def test_many_connections_at_once() -> None:
    async def test(client: Client) -> None:
        messages = [str(number).encode() for number in range(60)]
        answers = await asyncio.gather(*(client.talk(frame(message)) for message in messages))
        assert answers == [frame(b"ack " + message) for message in messages]

    assert len(run(test).taken) == 60


def test_more_connections_than_are_allowed_are_turned_away() -> None:
    async def test(client: Client) -> None:
        reader, writer = await client.connect()
        writer.write(frame(b"a"))
        assert await reader.readexactly(len(A)) == A
        assert await client.talk(end=False) == b""
        writer.write(frame(b"b"))
        assert await reader.readexactly(len(B)) == B
        writer.close()
        await writer.wait_closed()

    run(test, max_connections=1)


def test_stopping_finishes_the_message_in_work_and_takes_no_other() -> None:
    async def test(client: Client) -> None:
        client.echo.hold.clear()
        idle, idle_writer = await client.connect()
        reader, writer = await client.connect()
        writer.write(frame(b"a") + frame(b"b"))
        await asyncio.to_thread(client.echo.began.wait)
        stopping = asyncio.create_task(client.server.stop())
        assert await idle.read() == b""
        client.echo.hold.set()
        await stopping
        assert await reader.read() == A
        with pytest.raises(OSError, match=r"[Cc]onnect"):
            await client.connect()
        for each in (writer, idle_writer):
            each.close()

    assert run(test).taken == [b"a"]


def test_stopping_does_not_wait_for_ever() -> None:
    async def test(client: Client) -> None:
        client.echo.hold.clear()
        reader, writer = await client.connect()
        writer.write(frame(b"a"))
        await asyncio.to_thread(client.echo.began.wait)
        await client.server.stop()
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        client.echo.hold.set()
        writer.close()

    run(test, grace_seconds=0)


def test_a_port_that_is_taken() -> None:
    async def test(client: Client) -> None:
        with pytest.raises(CannotStart, match="cannot listen"):
            await MllpServer(Echo(), MllpSettings()).start("127.0.0.1", client.port)

    run(test)
