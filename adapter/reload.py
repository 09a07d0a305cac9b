"""Changed content is taken up by a running server: read in full first, then put in place at once, or refused."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event, Thread

from adapter.bootstrap import Adapter
from adapter.errors import CannotStart

log = logging.getLogger("perinatal")

Print = frozenset[tuple[str, int, int]]
"""What a folder's files look like from outside: path, time of change in nanoseconds, size in bytes."""


def fingerprint(folders: Iterable[Path]) -> Print:
    """All files below the folders, but for hidden ones; one that goes away meanwhile is left out."""
    found = set()
    for folder in dict.fromkeys(folders):
        for path in folder.rglob("*") if folder.is_dir() else (folder,):
            if any(part.startswith(".") for part in path.relative_to(folder).parts):
                continue
            try:
                status = path.stat()
            except OSError:
                continue
            if not path.is_dir():
                found.add((str(path), status.st_mtime_ns, status.st_size))
    return frozenset(found)


class Reloader:
    """Watches the content of one adapter.

    A change is taken up when the files look the same twice running: a folder that is still being copied is let alone.
    Files that were refused are not read again before they change.
    """

    def __init__(self, adapter: Adapter, look: Callable[[Iterable[Path]], Print] = fingerprint) -> None:
        self._adapter, self._look = adapter, look
        self._settled = look(adapter.content_folders)
        self._seen = self._settled

    def check(self) -> bool:
        """Look once. Whether new content has been put in place."""
        now = self._look(self._adapter.content_folders)
        still, self._seen = now == self._seen, now
        if now == self._settled or not still:
            return False
        try:
            self._adapter.reload()
        except CannotStart as wrong:
            self._settled = now
            log.error("changed content is refused, what was read before stays in use: %s", wrong)
            return False
        self._settled = now
        pack = self._adapter.content().pack
        log.warning("changed content is in use: %s %s", pack.name, pack.version)
        return True

    def run(self, stop: Event, seconds: float) -> None:
        """Check again and again until told to stop."""
        while not stop.wait(seconds):
            try:
                self.check()
            except Exception:
                log.exception("the content could not be looked at")

    def start(self, seconds: float) -> Event:
        """Run beside everything else; the event stops it. With 0 seconds nothing is watched."""
        stop = Event()
        if seconds > 0:
            Thread(target=self.run, args=(stop, seconds), name="reload", daemon=True).start()
        return stop
