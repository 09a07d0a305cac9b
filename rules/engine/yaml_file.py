"""Reads YAML as plain data that knows its lines.

The scalars are those of YAML 1.2: ``true``, ``false``, ``null``, integers and floats; everything else, such as
``no``, ``on`` or ``2024-01-01``, is text. What silently changes meaning elsewhere is refused with a place: keys given
twice, tags, merge keys, nested aliases, numbers with a leading zero, several documents in one file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rules.engine.errors import ContentError

Key = str | int
Path_ = tuple[Key, ...]
Position = tuple[int, int]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
MAX_DEPTH = 40  # how deep lists and mappings may nest
MAX_DIGITS = 30  # of a whole number
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(slots=True)
class Node:
    """A value of the file, where it starts (line and column from 1) and, for lists and mappings, what is in it."""

    value: Any
    line: int
    column: int
    children: dict[Key, Node] = field(default_factory=dict)
    has_alias: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: ``data`` is plain dicts, lists and scalars."""

    file: str
    root: Node

    @property
    def data(self) -> Any:
        return self.root.value

    def position(self, path: Path_) -> Position:
        """Line and column (from 1) of what stands at ``path``, or of the nearest thing around it."""
        node = self.root
        for key in path:
            child = node.children.get(key)
            if child is None:
                break
            node = child
        return node.line, node.column

    def error(self, path: Path_, message: str, code: str = "") -> ContentError:
        """A ContentError (to be raised) that points at ``path``."""
        line, column = self.position(path)
        return ContentError(message, self.file, line, column, code)


def load_yaml(path: Path) -> Document:
    """Read one YAML file. Raises ContentError with file, line and column for anything that is not allowed."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContentError("the file is not UTF-8: save it as UTF-8", str(path), 1, 1, code="RC002") from error
    except OSError as error:
        raise ContentError(f"the file cannot be read ({error.strerror})", str(path), 1, 1, code="RC001") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, file: str) -> Document:
    """Like ``load_yaml`` for text already read; ``file`` is named in errors."""
    try:
        return Document(file, _Reader(text, file).document())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = str(error.problem or error.context)
        hint = "; put text that holds ': ' in quotes" if problem.startswith("mapping values") else ""
        raise ContentError(f"not valid YAML: {problem}{hint}", file, line, column, code="RC003") from error
    except yaml.YAMLError as error:
        raise ContentError("not valid YAML: a character that YAML does not allow", file, 1, 1, code="RC003") from error


class _Reader:
    """Builds nodes from the event stream (the only level at which tags, anchors and aliases can be seen)."""

    def __init__(self, text: str, file: str) -> None:
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self.file = file
        self.anchors: dict[str, Node] = {}
        self.depth = 0

    def error(self, event: Any, message: str, code: str = "") -> ContentError:
        return ContentError(message, self.file, event.start_mark.line + 1, event.start_mark.column + 1, code)

    def document(self) -> Node:
        root = Node(None, 1, 1)
        seen = False
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    raise self.error(
                        event, "a second document: one file holds one document, remove the '---'", code="RC010"
                    )
                seen = True
                root = self.node(next(self.events))
        return root

    def node(self, event: Any) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        if event.tag is not None:
            raise self.error(event, f"the tag {event.tag!r} is not allowed: write plain YAML", code="RC004")
        node = Node(None, event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.ScalarEvent):
            node.value = self.scalar(event)
        else:
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.error(event, f"lists and mappings nest deeper than {MAX_DEPTH}", code="RC017")
            if isinstance(event, yaml.SequenceStartEvent):
                self.sequence(node)
            else:
                self.mapping(node)
            self.depth -= 1
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: Any) -> Node:
        target = self.anchors.get(event.anchor)
        if target is None:
            raise self.error(event, f"the alias *{event.anchor} has no anchor before it", code="RC005")
        if target.has_alias:
            raise self.error(
                event, f"the alias *{event.anchor} stands for something that holds aliases: write it out", code="RC005"
            )
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        return Node(target.value, line, column, target.children, has_alias=True)

    def sequence(self, node: Node) -> None:
        node.value = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            child = self.node(event)
            node.children[len(node.value)] = child
            node.value.append(child.value)
            node.has_alias |= child.has_alias

    def mapping(self, node: Node) -> None:
        node.value = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event, node)
            child = self.node(next(self.events))
            child.line, child.column = event.start_mark.line + 1, event.start_mark.column + 1
            node.children[key] = child
            node.value[key] = child.value
            node.has_alias |= child.has_alias

    def key(self, event: Any, node: Node) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None or event.anchor is not None:
            raise self.error(event, "a key must be plain text", code="RC006")
        key = self.scalar(event)
        if not isinstance(key, str):
            raise self.error(event, f"a key must be text: write '{event.value}' in quotes", code="RC006")
        if key == "<<" and not event.style:
            raise self.error(event, "merge keys (<<) are not allowed: write the keys out", code="RC007")
        if key in node.value:
            raise self.error(
                event, f"the key {key!r} is given twice (first on line {node.children[key].line})", code="RC008"
            )
        return key

    def scalar(self, event: Any) -> str | int | float | bool | None:
        text: str = event.value
        if event.style:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            if len(text) > MAX_DIGITS:
                raise self.error(event, "the number is too large", code="RC009")
            return int(text)
        if _LEADING_ZERO.fullmatch(text):
            raise self.error(
                event, f"a number with a leading zero: write '{text}' in quotes if it is a code", code="RC009"
            )
        if _FLOAT.fullmatch(text):
            value = float(text)
            if value in (float("inf"), float("-inf")):
                raise self.error(event, "the number is too large", code="RC009")
            return value
        if _NOT_FINITE.fullmatch(text):
            raise self.error(event, "infinite and not-a-number are not allowed", code="RC009")
        return text
