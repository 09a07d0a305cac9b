"""Serving over MLLP, beside HTTP or alone, until the process is told to stop (SIGINT, SIGTERM)."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from adapter.bootstrap import Adapter
from adapter.errors import CannotStart
from adapter.mllp.process import EvaluateToFolder
from adapter.mllp.receive import Process, Receiver
from adapter.mllp.server import MllpServer
from adapter.mllp.settings import MllpSettings
from adapter.records import Issue
from adapter.store.journal import Journal, JournalError


def serve(adapter: Adapter, host: str, mllp_port: int, http_port: int | None, say: Callable[[str], None]) -> None:
    """Listen on both ports (HTTP only when it has one); ``say`` tells a person what is going on.

    Messages that were written down and not finished before are processed first. Raises CannotStart.
    """
    settings = MllpSettings()
    adapter.content()
    adapter.mapping("hl7v2")
    journal = Journal(settings.journal, _now)
    try:
        process = EvaluateToFolder(adapter, journal, settings.outbox, _today)
        receiver = make_receiver(journal, process, settings)
        recovered = _recover(receiver)
        if recovered:
            say(f"{recovered} messages of before were processed")
        asyncio.run(_serve(adapter, MllpServer(receiver, settings), host, mllp_port, http_port, say))
    finally:
        journal.close()


def make_receiver(journal: Journal, process: Process, settings: MllpSettings) -> Receiver:
    """A receiver on the clock of this machine."""
    return Receiver(journal, process, _now, lambda: secrets.token_hex(10), settings.taken_processing_ids)


def _now() -> datetime:
    return datetime.now(UTC)


def _today() -> date:
    return datetime.now(ZoneInfo("Europe/London")).date()


def _recover(receiver: Receiver) -> int:
    try:
        return receiver.recover()
    except JournalError as wrong:
        raise CannotStart(Issue("fatal", "exception", str(wrong))) from None


async def _serve(
    adapter: Adapter, server: MllpServer, host: str, mllp_port: int, http_port: int | None, say: Callable[[str], None]
) -> None:
    told = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # not on Windows
            asyncio.get_running_loop().add_signal_handler(name, told.set)
    port = await server.start(host, mllp_port)
    say(f"MLLP on {host}:{port}")
    try:
        if http_port is None:
            await told.wait()
        else:
            await _serve_http(adapter, host, http_port)
    finally:
        await server.stop()


async def _serve_http(adapter: Adapter, host: str, port: int) -> None:
    """uvicorn takes the signals while it runs, and passes them on to the handlers of before when it has stopped."""
    import uvicorn

    from adapter.http.app import create_app

    await uvicorn.Server(uvicorn.Config(create_app(adapter), host=host, port=port, access_log=False)).serve()
