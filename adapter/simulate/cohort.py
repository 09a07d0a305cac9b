"""Finds the records of a cohort: fixtures with a day and a provider of their own, and any other input beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from adapter.bootstrap import Adapter
from adapter.errors import CannotStart
from adapter.pipeline import children, is_one_input
from adapter.records import Issue
from adapter.replay.expected import FILE, read_expected

BYTES_WORTH_A_PROCESS = 2_000_000
"""An input of this size takes some seconds, and a process about one to start."""


@dataclass(frozen=True, slots=True)
class Case:
    """Inputs that are read together. ``day`` None and ``provider`` "": the side's, or the usual ones.

    ``group`` is the fixture whose inputs tell of the same people in several formats, or "". ``share`` (1, 3): of its
    records the second, the fifth and so on.
    """

    name: str
    paths: tuple[Path, ...]
    group: str = ""
    day: date | None = None
    provider: str = ""
    share: tuple[int, int] = (0, 1)


def find_cases(adapter: Adapter, folder: Path, mapping: str = "") -> list[Case]:
    """Every input of a cohort, in order of name.

    Raises CannotStart where there is none, ContentError for an ``expected.yaml`` that cannot be read.
    """
    if not is_one_input(adapter, folder, mapping) and not (folder / FILE).is_file() and not children(folder):
        raise CannotStart(Issue("fatal", "not-found", "no record is in this folder", place=str(folder)))
    return list(_cases(adapter, folder, folder, mapping))


def shared(cases: list[Case], jobs: int) -> list[Case]:
    """The same cases; where they are fewer than ``jobs``, each large one in as many shares, for as many processes.

    Each of these reads the whole input and decides about its share.
    """
    if len(cases) >= jobs:
        return cases
    return [
        replace(case, share=(place, count))
        for case in cases
        for count in (jobs if sum(map(_size, case.paths)) >= BYTES_WORTH_A_PROCESS else 1,)
        for place in range(count)
    ]


def _size(path: Path) -> int:
    """Bytes of a file, or of the files of a folder."""
    return path.stat().st_size if path.is_file() else sum(map(_size, path.iterdir()))


def _cases(adapter: Adapter, path: Path, top: Path, mapping: str) -> Iterator[Case]:
    if (path / FILE).is_file():
        yield from _fixture(path, top)
        return
    below = [] if path.is_file() or is_one_input(adapter, path, mapping) else children(path)
    if not below:
        yield Case(_name(path, top), (path,))
    for child in below:
        yield from _cases(adapter, child, top, mapping)


def _fixture(folder: Path, top: Path) -> list[Case]:
    expected = read_expected(folder)
    group = _name(folder, top)
    return [
        Case(" + ".join(names), tuple(folder / name for name in names), group, expected.as_of, expected.provider)
        for names in expected.inputs
    ]


def _name(path: Path, top: Path) -> str:
    return path.relative_to(top).as_posix() if path != top else path.resolve().name
