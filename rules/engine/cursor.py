"""A place in a loaded file, for walking through it and pointing at what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.engine.conditions import Place
from rules.engine.errors import ContentError
from rules.engine.model import Source
from rules.engine.yaml_file import Document, Key, Path_


@dataclass(frozen=True, slots=True)
class Cursor:
    document: Document
    path: Path_
    data: Any

    @classmethod
    def top(cls, document: Document) -> Cursor:
        return cls(document, (), document.data)

    @property
    def place(self) -> Place:
        return Place(self.document.file, *self.document.position(self.path))

    def error(self, message: str, code: str = "") -> ContentError:
        return self.document.error(self.path, message, code)

    def __getitem__(self, key: Key) -> Cursor:
        return Cursor(self.document, (*self.path, key), self.data[key])

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def get(self, key: str, default: Any = None) -> Any:
        return self.data.get(key, default)

    def child(self, key: str) -> Cursor | None:
        return self[key] if key in self.data else None

    def items(self) -> Iterator[tuple[str, Cursor]]:
        for key in self.data:
            yield key, self[key]

    def each(self, key: str | None = None) -> Iterator[Cursor]:
        """The items of the list here or, with a key, of the list under that key (none when it is missing)."""
        at = self if key is None else self.child(key)
        if at is not None:
            for index in range(len(at.data)):
                yield at[index]

    def date(self, key: str, default: date) -> date:
        """An ISO date under ``key``."""
        if key not in self.data:
            return default
        try:
            return date.fromisoformat(self.data[key])
        except (TypeError, ValueError) as error:
            raise self[key].error("not a date: write it as 2024-01-31", code="RC020") from error


def period(at: Cursor, key: str) -> tuple[date, date]:
    """The first and the last day under ``key`` (``{from: …, to: …}``): all days where it is missing."""
    span = at.child(key)
    if span is None:
        return date.min, date.max
    first, last = span.date("from", date.min), span.date("to", date.max)
    if first > last:
        raise span.error("this ends before it begins", code="RC020")
    return first, last


def sources(at: Cursor) -> tuple[Source, ...]:
    """The ``sources`` list (or the one ``source``) of a rule, a parameter or a provider."""
    found = [at.data["source"]] if "source" in at else at.get("sources", [])
    return tuple(Source(**{key: str(value) for key, value in source.items()}) for source in found)
