"""The things that a comparison of packs compares: each has a name, and what is said of it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date

from rules.tools.words import Lines


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that is said of an item. ``same`` is what is compared (None: the lines themselves).

    ``flat``: each line stands for itself (a code list), so only the lines that differ are told.
    """

    name: str
    lines: Lines
    same: Hashable = None
    flat: bool = False

    @property
    def key(self) -> Hashable:
        return self.lines if self.same is None else self.same


@dataclass(frozen=True, slots=True)
class Item:
    """One rule, parameter, fact … with what is said of it; ``safety``: a safety rule.

    ``used_by``: the rules that it is known to be about; what is found by looking into conditions is not among them.
    """

    section: str
    id: str
    label: str
    aspects: tuple[Aspect, ...]
    safety: bool = False
    used_by: Lines = ()


def item(section: str, name: str, label: str, *aspects: Aspect, safety: bool = False, used_by: Lines = ()) -> Item:
    """An item with those of its aspects of which something is said."""
    return Item(section, name, label, tuple(aspect for aspect in aspects if aspect.lines), safety, used_by)


def one(name: str, text: str) -> Aspect:
    return Aspect(name, (text,) if text else ())


def valid(start: date, end: date, day: date) -> Aspect:
    since = f"from {start}" if start != date.min else ""
    until = f"to {end}" if end != date.max else ""
    text = " ".join(part for part in (since, until) if part) or "always"
    return one("valid", text if start <= day <= end else f"{text}, so not on this day")
