"""The same function for many inputs, on several processors where there are enough inputs for that."""

from __future__ import annotations

import gc
import mmap as mmap_module
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import cycle
from mmap import mmap
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
R = TypeVar("R")

INPUTS_WORTH_A_PROCESS = 200
"""A process takes about a second to start, in which this many small inputs are done."""
_MAPPED = getattr(mmap_module, "MAP_SHARED", 0) | getattr(mmap_module, "MAP_POPULATE", 0)  # all pages at once
_AT_ONCE = 512  # pieces that are written with one call; a system takes 1,024
_AHEAD = 2  # inputs for each process that are waiting or done before their turn


def processors() -> int:
    """How many may be used."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    prepare: Callable[[], Callable[[T], tuple[list[bytes], R]]], inputs: Iterable[T], jobs: int
) -> Iterator[tuple[bytes | mmap, R]]:
    """The results in the order of the inputs, which are taken as they are needed: few are held at a time.

    ``prepare`` makes the function, once in each of the processes; it must be picklable. They start at once, while the
    first inputs are still being made. The bytes, which come in pieces and go as one, may be many: they are to be used
    before the next result is asked for. Raises BrokenProcessPool where one dies.
    """
    waiting: deque[Future[tuple[bytes | _Kept, R]]] = deque()
    room = _AHEAD * jobs + 2  # results that are not used up, the one at hand among them
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (prepare, room)) as pool:
        try:
            for _ in range(jobs):
                pool.submit(_nothing)
            for item in inputs:
                waiting.append(pool.submit(_do, item))
                if len(waiting) > _AHEAD * jobs:
                    yield from _used(waiting.popleft().result())
            while waiting:
                yield from _used(waiting.popleft().result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Kept(NamedTuple):
    """Bytes in a file in memory of the process that made them; handing them over takes longer than making them."""

    path: str
    size: int


def _used(result: tuple[bytes | _Kept, R]) -> Iterator[tuple[bytes | mmap, R]]:
    data, rest = result
    if isinstance(data, bytes):
        yield data, rest
        return
    try:
        with Path(data.path).open("rb") as file:
            mapped = mmap(file.fileno(), data.size, flags=_MAPPED, prot=mmap_module.PROT_READ)
    except OSError:
        raise BrokenProcessPool("the process that made a result is gone") from None
    yield mapped, rest


class _Process:
    """What one of the processes has: its function, and files for as many results as may wait to be used."""

    def __init__(self, function: Callable[[Any], tuple[list[bytes], Any]], room: int) -> None:
        self._function = function
        there = hasattr(os, "memfd_create") and Path("/proc/self/fd").exists()
        self._files = cycle([os.memfd_create("result") for _ in range(room)]) if there else None

    def do(self, item: Any) -> tuple[bytes | _Kept, Any]:
        pieces, rest = self._function(item)
        if self._files is None or not any(pieces):
            return b"".join(pieces), rest
        file, size = next(self._files), 0
        for at in range(0, len(pieces), _AT_ONCE):
            some = pieces[at : at + _AT_ONCE]
            written, whole = os.pwritev(file, some, size), sum(map(len, some))
            if written < whole:
                os.pwrite(file, b"".join(some)[written:], size + written)
            size += whole
        return _Kept(f"/proc/{os.getpid()}/fd/{file}", size), rest


_process: list[_Process] = []
"""This one, where it is one of several."""


def _begin(prepare: Callable[[], Callable[[Any], tuple[list[bytes], Any]]], room: int) -> None:
    """An interrupt is the parent's to answer, and where the parent dies this process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    _process.append(_Process(prepare(), room))
    collect_seldom()


def collect_seldom() -> None:
    """Look for garbage less often in this process: where millions of objects are made that hold no cycles, the search
    takes a quarter of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000, 20, 20)


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """``collect_seldom`` for a while."""
    before = gc.get_threshold()
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _nothing() -> None:
    """For a process to start with."""


def _do(item: Any) -> tuple[bytes | _Kept, Any]:
    return _process[0].do(item)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def spread(
    function: Callable[[T], R], inputs: Sequence[T], jobs: int, inputs_per_process: int = INPUTS_WORTH_A_PROCESS
) -> list[R]:
    """The results in the order of the inputs.

    At most ``jobs`` processes are used, and one where there are few inputs. With ``jobs`` above 1, the function must
    be importable by name (a module's function, or a ``partial`` of one).
    """
    processes = min(jobs, len(inputs) // inputs_per_process)
    if processes <= 1:
        return list(map(function, inputs))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(function, inputs, chunksize=max(1, len(inputs) // (4 * processes))))
