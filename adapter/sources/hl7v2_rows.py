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


@lru_cache(maxsize=4096)
def field_key(name: str) -> str:
    """The one name in ``texts`` of a field that has several: of ``PID-7[1].1.1`` it is ``PID-7``."""
    name = name.replace("[1]", "")
    while name.endswith(".1"):
        name = name[:-2]
    return name


def _leaves(repetition: str, encoding: Encoding) -> Iterator[tuple[str, str]]:
    """What is filled in, raw, each with its suffix: "" for an undivided value, else ``.1``, ``.4.2``."""
    divided = encoding.subcomponent in repetition
    if not divided and encoding.component not in repetition:
        if repetition and not repetition.isspace():
            yield "", repetition
        return
    for number, component in enumerate(repetition.split(encoding.component), 1):
        if not component or component.isspace():
            continue
        if not divided or encoding.subcomponent not in component:
            yield f".{number}", component
            continue
        for below, part in enumerate(component.split(encoding.subcomponent), 1):
            if part.strip():
                yield f".{number}.{below}", part


class Segment:
    """One segment of one message: a row of the source.

    ``fields[n]`` is the raw text of field n (``fields[0]`` the segment's name). ``alone`` are the segments that stand
    once for the patient in the message (MSH, EVN, PID, PD1, PV1 …), ``above`` those this one hangs on (ORC, OBR, OBX).
    """

    __slots__ = ("above", "alone", "encoding", "fields", "leaves", "message", "name", "number", "texts", "where")

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
        self.where = f"(segment {number} of message {message})"
        self.leaves: list[str] = []
        self.texts: dict[str, str] = {}
        self._split()

    def _split(self) -> None:
        """Fills ``leaves``, the names of what is there, and ``texts``."""
        encoding, leaves, texts = self.encoding, self.leaves, self.texts
        component, subcomponent, repeat, escape = (
            encoding.component,
            encoding.subcomponent,
            encoding.repetition,
            encoding.escape,
        )
        first = 3 if self.name == "MSH" else 1
        for name, raw in zip(_field_names(self.name, first, len(self.fields)), self.fields[first:], strict=True):
            if not raw:
                continue
            if raw.isalnum():
                leaves.append(name)
                texts[name] = raw
                continue
            if repeat not in raw and subcomponent not in raw and escape not in raw:
                if component not in raw:
                    if text := raw.strip():
                        leaves.append(name)
                        if raw != NULL:
                            texts[name] = text
                    continue
                parts = raw.split(component)
                for (leaf, key), part in zip(_component_names(name, len(parts)), parts, strict=True):
                    if part and (text := part.strip()):
                        leaves.append(leaf)
                        if part != NULL:
                            texts[key] = text
                continue
            for number, part in enumerate(raw.split(repeat), 1):
                prefix = name if number == 1 else f"{name}[{number}]"
                for suffix, leaf in _leaves(part, encoding):
                    leaves.append(prefix + suffix)
                    if leaf != NULL and (text := encoding.text(leaf)):
                        texts[field_key(prefix + suffix)] = text
        if first == 3:
            marks = {f"MSH-{number}": raw for number, raw in enumerate(self.fields[1:3], 1) if raw}
            leaves[:0] = marks
            texts.update(marks)

    def raw(self, field: int) -> str:
        """The text of a whole field as it came, "" when it is not there."""
        return self.fields[field] if field < len(self.fields) else ""

    def tell_apart(self, field: str, number: int) -> None:
        """Add a number to what ``get`` gives for a field; what is there, and was sent, stays as it is."""
        self.texts[field] = f"{self.texts.get(field, '')}{self.encoding.repetition}{number}"

    def get(self, field: str) -> str | None:
        path = parse_path(field)
        owner = self if path.segment == self.name else self.related(path.segment)
        return owner.texts.get(field_key(field)) if owner is not None else None

    def each(self, field: str) -> Sequence[Row]:
        if "-" not in field:
            return []
        path = parse_path(field)
        if path.segment != self.name:
            other = self.related(path.segment)
            return other.each(field) if other else []
        raw = self.raw(path.field)
        if not raw:
            return []
        parts = raw.split(self.encoding.repetition)
        return [Repetition(self, path.field, number, part) for number, part in enumerate(parts, 1) if part.strip()]

    def place(self, field: str) -> str:
        """With ``""``: ``OBX (segment 6 of message 1)``."""
        if not field:
            return f"{self.name} {self.where}"
        if not field.startswith(self.name) and (other := self.related(parse_path(field).segment)):
            return other.place(field)
        return f"{field} {self.where}"

    def populated(self) -> Sequence[str]:
        return self.leaves

    def key_of(self, leaf: str) -> str:
        return leaf if leaf in self.texts else field_key(leaf)

    def related(self, name: str) -> Segment | None:
        if name == self.name:
            return self
        return self.above.get(name) or self.alone.get(name)


@lru_cache(maxsize=256)
def _field_names(segment: str, first: int, stop: int) -> tuple[str, ...]:
    return tuple(f"{segment}-{number}" for number in range(first, stop))


@lru_cache(maxsize=4096)
def _component_names(field: str, count: int) -> tuple[tuple[str, str], ...]:
    """The name of each component, and its key in ``texts``."""
    return tuple((name, field_key(name)) for name in (f"{field}.{number}" for number in range(1, count + 1)))


class Repetition:
    """One repetition of a field: its fields are component numbers; a full name reads the segment around it."""

    __slots__ = ("field", "leaves", "name", "number", "segment", "texts")

    def __init__(self, segment: Segment, field: int, number: int, text: str) -> None:
        self.segment = segment
        self.field = field
        self.number = number
        self.name = f"{segment.name}-{field}"
        self.leaves: list[str] = []
        self.texts: dict[str, str] = {}
        encoding = segment.encoding
        for suffix, leaf in _leaves(text, encoding):
            name = suffix[1:] or "1"
            self.leaves.append(name)
            if leaf != NULL and (found := encoding.text(leaf)):
                self.texts[field_key(name)] = found

    def get(self, field: str) -> str | None:
        return self.segment.get(field) if "-" in field else self.texts.get(field_key(field))

    def each(self, field: str) -> Sequence[Row]:
        return self.segment.each(field) if "-" in field else []

    def place(self, field: str) -> str:
        own = self.name if self.number == 1 else f"{self.name}[{self.number}]"
        return self.segment.place(field if "-" in field else f"{own}.{field}" if field else own)

    def populated(self) -> Sequence[str]:
        return self.leaves

    def key_of(self, leaf: str) -> str:
        return leaf if leaf in self.texts else field_key(leaf)

    def related(self, name: str) -> Row | None:
        return self if name == self.name else self.segment.related(name)
