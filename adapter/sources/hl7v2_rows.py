"""HL7 v2 segments as rows: fields, repetitions, components and subcomponents, split only when they are asked for.

Names are those of HL7's own tables, with dots below the field: ``OBX-5``, ``PID-3.4.2`` and, for a repetition
after the first, ``PID-3[2].4.2``. A field that is split further answers to its bare name with its first part, so that
``PID-7`` and ``PID-7.1`` are the same. ``""`` (HL7's explicit null) is populated, and ``get`` gives None for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from adapter.sources.model import Row

NULL = '""'
_PATH = re.compile(r"(?:([A-Z][A-Z0-9]{2})-)?([1-9]\d*)(?:\[([1-9]\d*)\])?(?:\.([1-9]\d*))?(?:\.([1-9]\d*))?", re.ASCII)
_CONTROL = {code: " " for code in range(32) if chr(code) not in "\t\n\r"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one message writes things down: its delimiters (MSH-1 and MSH-2) and its character set (MSH-18)."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    codec: str = "utf-8"

    def text(self, raw: str) -> str:
        """``raw`` with its escape sequences (HL7 v2.5, chapter 2.7) resolved, stripped.

        Highlighting is dropped, ``.br`` and ``.sp`` are line breaks, ``X..`` are bytes of the message's
        character set; a sequence that means nothing here stays as it came.
        """
        if self.escape not in raw:
            return raw.strip()
        pieces = raw.split(self.escape)
        out = [pieces[0]]
        index = 1
        while index < len(pieces):
            meant = self._sequence(pieces[index]) if index + 1 < len(pieces) else None
            if meant is None:
                out.append(self.escape + pieces[index])
                index += 1
            else:
                out.append(meant + pieces[index + 1])
                index += 2
        return "".join(out).strip()

    def _sequence(self, name: str) -> str | None:
        match name:
            case "F":
                return self.field
            case "S":
                return self.component
            case "T":
                return self.subcomponent
            case "R":
                return self.repetition
            case "E":
                return self.escape
            case "H" | "N":
                return ""
            case ".br" | ".sp":
                return "\n"
        return self._bytes(name[1:]) if name[:1] == "X" else None

    def _bytes(self, digits: str) -> str | None:
        try:
            data = bytes.fromhex(digits)
        except ValueError:
            return None
        try:
            text = data.decode(self.codec)
        except ValueError:
            text = data.decode("iso8859-1")
        return text.translate(_CONTROL)


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed field name. ``segment`` is "" for a component number; the numbers are 0 where none is given."""

    segment: str
    field: int
    repetition: int
    component: int
    subcomponent: int


@lru_cache(maxsize=4096)
def parse_path(name: str) -> Path:
    """Reads ``PID-3.4.2``, ``PID-3[2].4`` or, inside a repetition, ``4.2``. ValueError when it is none of them."""
    found = _PATH.fullmatch(name)
    segment, field, repetition, first, second = found.groups() if found else (None,) * 5
    if field is None or (segment is None and (second or repetition)):
        raise ValueError(f"{name!r} is no HL7 v2 field name such as PID-3.4.2")
    return Path(segment or "", int(field), int(repetition or 0), int(first or 0), int(second or 0))


def _part(text: str, separator: str, number: int) -> str:
    """The ``number``-th part (the first when 0), "" when there are fewer."""
    if separator not in text:
        return text if number < 2 else ""
    parts = text.split(separator)
    return parts[number - 1 if number else 0] if number <= len(parts) else ""


def _leaf(repetition: str, component: int, subcomponent: int, encoding: Encoding) -> str | None:
    raw = _part(_part(repetition, encoding.component, component), encoding.subcomponent, subcomponent)
    if not raw or raw == NULL:
        return None
    return encoding.text(raw) or None


def _leaves(repetition: str, encoding: Encoding) -> Iterator[str]:
    """Suffixes of what is filled in: "" for an undivided value, else ``.1``, ``.4.2``."""
    if encoding.component not in repetition and encoding.subcomponent not in repetition:
        if repetition.strip():
            yield ""
        return
    for number, component in enumerate(repetition.split(encoding.component), 1):
        if encoding.subcomponent not in component:
            if component.strip():
                yield f".{number}"
            continue
        for below, part in enumerate(component.split(encoding.subcomponent), 1):
            if part.strip():
                yield f".{number}.{below}"


class Segment:
    """One segment of one message: a row of the source.

    ``fields[n]`` is the raw text of field n (``fields[0]`` the segment's name). ``alone`` are the segments that stand
    once for the patient in the message (MSH, EVN, PID, PD1, PV1 …), ``above`` those this one hangs on (ORC, OBR, OBX).
    """

    __slots__ = ("above", "alone", "encoding", "fields", "known", "message", "name", "number")

    def __init__(
        self,
        fields: Sequence[str],
        number: int,
        message: int,
        encoding: Encoding,
        alone: Mapping[str, Segment],
        above: Mapping[str, Segment],
    ) -> None:
        self.name = fields[0]
        self.fields = fields
        self.number = number
        self.message = message
        self.encoding = encoding
        self.alone = alone
        self.above = above
        self.known: dict[str, str | None] = {}

    def raw(self, field: int) -> str:
        """The text of a whole field as it came, "" when it is not there."""
        return self.fields[field] if field < len(self.fields) else ""

    def get(self, field: str) -> str | None:
        try:
            return self.known[field]
        except KeyError:
            text = self.known[field] = self._get(field)
            return text

    def _get(self, field: str) -> str | None:
        path = parse_path(field)
        if path.segment != self.name:
            other = self.related(path.segment)
            return other.get(field) if other else None
        raw = self.raw(path.field)
        if not raw:
            return None
        if self.name == "MSH" and path.field < 3:
            return raw
        encoding = self.encoding
        repetition = _part(raw, encoding.repetition, path.repetition)
        return _leaf(repetition, path.component, path.subcomponent, encoding)

    def each(self, field: str) -> Sequence[Row]:
        if "-" not in field:
            return []
        path = parse_path(field)
        if path.segment != self.name:
            other = self.related(path.segment)
            return other.each(field) if other else []
        raw = self.raw(path.field)
        parts = raw.split(self.encoding.repetition)
        return [Repetition(self, path.field, number, part) for number, part in enumerate(parts, 1) if part.strip()]

    def place(self, field: str) -> str:
        where = f"segment {self.number} of message {self.message}"
        if not field:
            return where
        path = parse_path(field)
        if path.segment != self.name and (other := self.related(path.segment)):
            return other.place(field)
        return f"{field} ({where})"

    def populated(self) -> Iterator[str]:
        encoding = self.encoding
        for number, raw in enumerate(self.fields):
            if not raw or not number:
                continue
            name = f"{self.name}-{number}"
            if self.name == "MSH" and number < 3:
                yield name
            elif encoding.repetition in raw:
                for repetition, part in enumerate(raw.split(encoding.repetition), 1):
                    prefix = name if repetition == 1 else f"{name}[{repetition}]"
                    for suffix in _leaves(part, encoding):
                        yield prefix + suffix
            else:
                for suffix in _leaves(raw, encoding):
                    yield name + suffix

    def related(self, name: str) -> Segment | None:
        if name == self.name:
            return self
        return self.above.get(name) or self.alone.get(name)


class Repetition:
    """One repetition of a field: its fields are component numbers; a full name reads the segment around it."""

    __slots__ = ("field", "name", "number", "segment", "text")

    def __init__(self, segment: Segment, field: int, number: int, text: str) -> None:
        self.segment = segment
        self.field = field
        self.number = number
        self.text = text
        self.name = f"{segment.name}-{field}"

    def get(self, field: str) -> str | None:
        path = parse_path(field)
        if path.segment:
            return self.segment.get(field)
        return _leaf(self.text, path.field, path.component, self.segment.encoding)

    def each(self, field: str) -> Sequence[Row]:
        return self.segment.each(field) if "-" in field else []

    def place(self, field: str) -> str:
        own = self.name if self.number == 1 else f"{self.name}[{self.number}]"
        return self.segment.place(field if "-" in field else f"{own}.{field}" if field else own)

    def populated(self) -> Iterator[str]:
        for suffix in _leaves(self.text, self.segment.encoding):
            yield suffix[1:] or "1"

    def related(self, name: str) -> Row | None:
        return self if name == self.name else self.segment.related(name)
