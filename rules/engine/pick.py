"""Takes what stands at some places of a list, at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

Pick = Callable[[Sequence[Any]], tuple[Any, ...]]


def pick(places: Sequence[int]) -> Pick:
    """A function that takes what stands at these places."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda items: tuple([items[place] for place in places])
