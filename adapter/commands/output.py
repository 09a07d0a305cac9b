"""What commands print: results on standard output, messages for people on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

import typer

T = TypeVar("T")


class TextOrJson(StrEnum):
    TEXT = "text"
    JSON = "json"


def write_line(resource: object) -> None:
    """JSON on a line of its own."""
    import orjson

    sys.stdout.buffer.write(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """A message for people."""
    typer.echo(text, err=True)


def as_of_day(text: str) -> date:
    """The day that ``--as-of`` names; today in England where it names none."""
    if not text:
        return datetime.now(ZoneInfo("Europe/London")).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        say(f"perinatal: --as-of takes a date as YYYY-MM-DD, not {text!r}")
        raise typer.Exit(2) from None


def counted(items: Iterable[T]) -> Iterator[T]:
    """The same items; on a terminal a count of them is shown on standard error while they come."""
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
            progress.advance(task)
