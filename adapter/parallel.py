"""The same function for many inputs, on several processors where there are enough inputs for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

INPUTS_WORTH_A_PROCESS = 200
"""A process takes about a second to start, in which this many small inputs are done."""


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
