"""``what_if.yaml`` of a pack: which facts do not change, which follow others, and what cannot be at the same time.

The file is optional, and read only to explain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.engine.conditions import Condition
from rules.engine.content import Content
from rules.engine.cursor import Cursor
from rules.engine.model import Fact, State
from rules.engine.parse import Parser
from rules.engine.schema_check import check
from rules.engine.yaml_file import load_yaml

FILE = "what_if.yaml"


@dataclass(frozen=True, slots=True)
class Follow:
    """When ``fact`` changes (to ``value``, where that is given), ``other`` is absent, or keeps being the same."""

    fact: str
    other: str
    same: bool = False
    value: bool | None = None


@dataclass(frozen=True, slots=True)
class Links:
    """``lasting``: facts that cannot reasonably change. ``never``: conditions that no change may make true."""

    lasting: frozenset[str] = frozenset()
    follows: tuple[Follow, ...] = ()
    never: tuple[Condition, ...] = ()

    @property
    def moves(self) -> Mapping[str, tuple[str, ...]]:
        """The facts that stay the same as a fact, if they are now."""
        found: dict[str, tuple[str, ...]] = {}
        for follow in self.follows:
            if follow.same:
                found[follow.fact] = (*found.get(follow.fact, ()), follow.other)
        return found

    def settled(self, changes: Mapping[str, Fact], facts: Mapping[str, Fact]) -> dict[str, Fact]:
        """The changes with the facts that follow from them."""
        settled = dict(changes)
        for follow in self.follows:
            change = changes.get(follow.fact)
            if change is None or follow.other in changes:
                continue
            was = facts[follow.other]
            if follow.value is not None and change.value is not follow.value:
                continue
            if not follow.same:
                if was.state is not State.ABSENT:
                    settled[follow.other] = Fact(follow.other, State.ABSENT)
            elif was.state is State.KNOWN and was.value == facts[follow.fact].value:
                settled[follow.other] = change._replace(name=follow.other)
        return settled


def load_links(content: Content) -> Links:
    """Read the file of a pack. Raises ContentError with its place."""
    path = content.folder / FILE
    if not path.exists():
        return Links()
    document = load_yaml(path)
    check(document, "what_if")
    derived = frozenset(name for name, fact in content.facts.items() if fact.derive is not None)
    parser = Parser({name: fact.type for name, fact in content.facts.items()}, derived, content.parameters)
    top = Cursor.top(document)
    return Links(
        frozenset(_supplied(parser, at) for at in top.each("lasting")),
        tuple(follow for at in top.each("follows") for follow in _follows(parser, at)),
        tuple(parser.condition(at) for at in top.each("never")),
    )


def _follows(parser: Parser, at: Cursor) -> list[Follow]:
    fact, value = _supplied(parser, at["fact"]), at.get("is")
    if value is not None:
        parser.fact(fact, at["fact"], "boolean")
    found = []
    for other, how in at["then"].items():
        parser.fact(other, how)
        if parser.is_derived(other):
            raise how.error(f"{other} is derived: it follows by itself", code="RC069")
        found.append(Follow(fact, other, how.data == "same", value))
    return found


def _supplied(parser: Parser, at: Cursor) -> str:
    name = parser.fact(at.data, at)
    if parser.is_derived(name):
        raise at.error(f"{name} is derived: name the facts it is worked out of", code="RC069")
    return name
