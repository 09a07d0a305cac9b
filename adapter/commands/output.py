"""What commands print: results on standard output, messages for people on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from typing import TypeVar

import typer

T = TypeVar("T")


class TextOrJson(StrEnum):
    TEXT = "text"
    JSON = "json"


def write_line(resource: object) -> None:
    """JSON on a line of its own."""
    import orjson

    write(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE))


def write(lines: bytes | memoryview) -> None:
    """Results on standard output, at once."""
    sys.stdout.buffer.write(lines)
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """A message for people."""
    typer.echo(text, err=True)


@contextmanager
def told_if_stopped() -> Iterator[None]:
    """Says that the output is not all, where the command is interrupted; exit code 1."""
    try:
        yield
    except KeyboardInterrupt:
        say("perinatal: interrupted: what was printed is whole, and the records after it were not read")
        raise typer.Exit(1) from None


def pages(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most so many."""
    rest = iter(items)
    while page := list(islice(rest, size)):
        yield page


def counted(items: Iterable[T], records: Callable[[T], int] = lambda _: 1) -> Iterator[T]:
    """The same items; on a terminal a count of their records is shown on standard error while they come."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed} records"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("records", total=None)
        for item in items:
            yield item
            progress.advance(task, records(item))
