"""Bytes to HL7 v2 messages: MLLP frames, batches, segment separators and character sets.

Nothing here knows what a message means. What is wrong with the bytes is said as Issues: those of a ``Message``
belong to it, those yielded by themselves are about the file (a batch whose trailer counts other messages than came).
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field

from adapter.records import Issue
from adapter.sources.hl7v2_rows import Encoding
from adapter.sources.pieces import Pieces

_START, _END = b"\x0b", b"\x1c"
_FRAME = (_START, _END)
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
_SPLIT, _MARKS = re.compile(rb"([\r\n\x0b\x1c])"), re.compile(rb"[\r\n\x0b\x1c]")
LONGEST_MESSAGE = 100 * 1024 * 1024
_BATCH = (b"FHS", b"BHS", b"BTS", b"FTS")


@dataclass(slots=True)
class Message:
    """One message as it stood in the file: ``segments[0]`` is its MSH, each a list of raw fields.

    In every segment ``fields[n]`` is field n, MSH included. ``terminated`` is False where the bytes stop inside the
    last segment (or just after it). ``start`` and ``stop`` are its place in the file. ``issues`` of
    severity error mean that it must be refused.
    """

    number: int
    lines: list[bytes]
    terminated: bool = True
    encoding: Encoding = field(default_factory=Encoding)
    segments: list[list[str]] = field(default_factory=list)
    start: int = 0
    stop: int = 0
    issues: list[Issue] = field(default_factory=list)


def malformed(text: str, place: str) -> Issue:
    """What makes a message be refused because it is not what HL7 says a message is."""
    return Issue("error", "structure", text, "malformed", place)


def read_messages(data: Pieces, longest: int = LONGEST_MESSAGE) -> Iterator[Message | Issue]:
    """The messages in order, each decoded and split; an Issue where a batch is not whole.

    Nothing is held but one message; of one that is longer than ``longest`` bytes only the beginning is, and it has an
    Issue that says so.
    """
    batches = _Batches()
    number = 0
    current: Message | None = None
    framed = frames = False
    mark = b""
    for line, mark, at in _lines(data, longest):
        if line.startswith(BOM_UTF8):  # of a frame, or of a file that others were put together with
            line, at = line.removeprefix(BOM_UTF8), at + len(BOM_UTF8)
        if line and not line.isspace():
            kind = line[:3]
            if kind in _BATCH:
                if current:
                    yield _decode(current)
                    current = None
                yield from batches.line(kind, line, number)
            elif kind == b"MSH" or current is None:
                if current:
                    yield _decode(current)
                number += 1
                current = Message(number, [line], start=at, stop=at + len(line))
                if len(line) > longest:
                    current.issues.append(_too_long(number, longest))
            elif at + len(line) - current.start <= longest:
                current.lines.append(line)
                current.stop = at + len(line)
            elif len(current.issues) == 0:
                current.issues.append(_too_long(number, longest))
        if mark in _FRAME:
            if current:
                yield _framed(current, whole=not framed or mark == _END)
                current = None
            framed, frames = mark == _START, True
    if current:
        current.terminated = frames or mark != b""
        yield _framed(current, whole=not framed) if frames else _decode(current)
    yield from batches.end(number)


def again(data: Pieces, number: int, start: int, stop: int, *, terminated: bool) -> Message:
    """A message that was read before, from its place."""
    lines = [line for line in _MARKS.split(data.part(start, stop)) if line and not line.isspace()]
    return _decode(Message(number, lines, terminated, start=start, stop=stop))


def _framed(message: Message, *, whole: bool) -> Message:
    if not whole:
        message.terminated = False
        message.issues.append(malformed("the file ends inside the MLLP frame", _last(message)))
    return _decode(message)


def _last(message: Message) -> str:
    return f"segment {len(message.lines)} of message {message.number}"


def _too_long(number: int, longest: int) -> Issue:
    return Issue("error", "too-long", f"longer than {longest} bytes; it is not read", "", f"message {number}")


def _lines(data: Pieces, longest: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Each line, the byte that ended it (a line's end, a frame's mark, or nothing at the end) and where it began."""
    at, rest = 0, b""
    for chunk in data.chunks():
        if at == 0 and not rest:
            stripped = chunk.removeprefix(BOM_UTF8).lstrip(b"\r\n\t ")
            at, chunk = len(chunk) - len(stripped), stripped
        parts = _SPLIT.split(rest + chunk)
        for index in range(0, len(parts) - 1, 2):
            yield parts[index], parts[index + 1], at
            at += len(parts[index]) + 1
        rest = parts[-1]
        if len(rest) > longest + 1:  # of a line without end only so much is kept that it is seen to be too long
            at, rest = at + len(rest) - longest - 1, rest[: longest + 1]
    if rest:
        yield rest, b"", at


class _Batches:
    """Holds the trailers of a file (FTS) and its batches (BTS) to what came before them."""

    def __init__(self) -> None:
        self._open: dict[bytes, int] = {}  # header → messages (of a batch) or batches (of a file) before it
        self._batches = 0

    def line(self, kind: bytes, line: bytes, messages: int) -> Iterator[Issue]:
        if kind in (b"FHS", b"BHS"):
            self._open[kind] = self._batches if kind == b"FHS" else messages
            self._batches += kind == b"BHS"
            return
        header, noun = (b"BHS", "messages") if kind == b"BTS" else (b"FHS", "batches")
        name = kind.decode()
        if header not in self._open:
            yield malformed(f"{name} without {header.decode()} before it", name)
            return
        came = (messages if kind == b"BTS" else self._batches) - self._open.pop(header)
        said = re.match(rb"[^\w\s](\d+)", line[3:])
        if said and int(said[1]) != came:
            yield malformed(f"the trailer counts {int(said[1])} {noun}, and {came} came", f"{name}-1")

    def end(self, messages: int) -> Iterator[Issue]:
        for header in self._open:
            trailer = "BTS" if header == b"BHS" else "FTS"
            yield malformed(
                f"{header.decode()} has no {trailer}: the file may have been cut short", f"after message {messages}"
            )


def _decode(message: Message) -> Message:
    """Fills ``encoding`` and ``segments``; what cannot be is an error among ``issues``."""
    if message.issues and message.issues[0].code == "too-long":
        return message
    head = message.lines[0]
    place = f"segment 1 of message {message.number}"
    if head[:3] != b"MSH":
        message.issues.append(malformed("the message does not start with MSH", place))
        return message
    delimiters = head[3:9].decode("iso8859-1")
    separator = delimiters[:1]
    marks = delimiters[1:].split(separator)[0] if separator else ""
    if len(marks) < 4 or len(set(separator + marks)) <= len(marks) or re.search(r"[\w\s]", separator + marks):
        message.issues.append(malformed("MSH-1 and MSH-2 do not give five different delimiters", place))
        return message
    text, codec = _text(message, head, separator)
    message.encoding = Encoding(separator, marks[0], marks[1], marks[2], marks[3], codec)
    for number, line in enumerate(text.split("\n"), 1):
        fields = line.split(separator)
        if not _SEGMENT.fullmatch(fields[0]) or len(fields) < 2:
            message.issues.append(
                malformed("this is no whole segment", f"segment {number} of message {message.number}")
            )
        if number == 1:
            fields.insert(1, separator)
        message.segments.append(fields)
    return message


def _text(message: Message, head: bytes, separator: str) -> tuple[str, str]:
    """The message as text (segments separated by a line feed) and the codec it took."""
    fields = head.split(separator.encode("iso8859-1"))
    name = fields[17].split(head[4:5])[0].split(head[5:6])[0].decode("iso8859-1").strip() if len(fields) > 17 else ""
    data = b"\n".join(message.lines)
    declared = _codec(name)
    place = f"MSH-18 (segment 1 of message {message.number})"
    if name and not declared:
        said = "the character set is not known; UTF-8 or 8859/1 is taken"
        message.issues.append(Issue("warning", "not-supported", said, "unsupported", place))
    expected = declared or "utf-8"
    codec, text = "iso8859-1", ""
    for candidate in (expected, "utf-8", "iso8859-1"):
        try:
            codec, text = candidate, data.decode(candidate)
            break
        except ValueError:
            continue
    if codec != expected:
        said = "the bytes are not of the character set named here" if declared else "the bytes are not UTF-8"
        message.issues.append(Issue("warning", "value", f"{said}; they are read as {codec}", "data-conflict", place))
    return text, "utf-8" if codec == "ascii" else codec


def _codec(name: str) -> str:
    """Python's codec for a name of HL7 table 0211, "" when it is not one that is read here."""
    if name.startswith("8859/") and name[5:] in {"1", "2", "3", "4", "5", "6", "7", "8", "9", "15"}:
        return f"iso8859-{name[5:]}"
    return {"ASCII": "ascii", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UNICODE": "utf-8"}.get(name.upper(), "")
