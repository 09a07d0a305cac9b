"""The same function for many inputs, on several processors where there are enough inputs for that."""

from __future__ import annotations

import gc
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

INPUTS_WORTH_A_PROCESS = 200
"""A process takes about a second to start, in which this many small inputs are done."""
_AHEAD = 2  # inputs for each process that are waiting or done before their turn


def processors() -> int:
    """How many may be used."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(prepare: Callable[[], Callable[[T], R]], inputs: Iterable[T], jobs: int) -> Iterator[R]:
    """The results in the order of the inputs, which are taken as they are needed: few are held at a time.

    ``prepare`` makes the function, once in each of the processes; it must be picklable. They start at once, while the
    first inputs are still being made. Raises BrokenProcessPool where one dies.
    """
    waiting: deque[Future[R]] = deque()
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (prepare,)) as pool:
        try:
            for _ in range(jobs):
                pool.submit(_nothing)
            for item in inputs:
                waiting.append(pool.submit(_do, item))
                if len(waiting) > _AHEAD * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_prepared: list[Callable[[Any], Any]] = []
"""The function of this process, where it is one of several."""


def _begin(prepare: Callable[[], Callable[[Any], Any]]) -> None:
    """An interrupt is the parent's to answer, and where the parent dies this process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    _prepared.append(prepare())
    collect_seldom()


def collect_seldom() -> None:
    """Garbage is looked for less often in this process from now on: where millions of objects are made that hold no
    cycles, the search takes a quarter of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _nothing() -> None:
    """For a process to start with."""


def _do(item: Any) -> Any:
    return _prepared[0](item)


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
