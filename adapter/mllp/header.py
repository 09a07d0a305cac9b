"""The MSH segment as far as an acknowledgement needs it, and whether a message with it can be taken at all."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Collection
from dataclasses import dataclass

from adapter.mllp.faults import Fault, Location
from adapter.sources.hl7v2 import EVENTS

VERSIONS = frozenset({"2.3", "2.3.1", "2.4", "2.5", "2.5.1"})
_MSH = re.compile(rb"(?:\A|[\r\n])(?:\xef\xbb\xbf)?(MSH[^\r\n]*)")
_ENVELOPE = re.compile(rb"[\r\n](?:MSH|FHS|BHS|BTS|FTS)[^A-Z0-9]")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
_CONTROL = dict.fromkeys(range(32))  # an answer must not hold what ends its frame


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of an MSH segment as they came, their bytes as Latin-1 text: they go back unchanged."""

    separator: str = "|"
    marks: str = "^~\\&"
    sending: tuple[str, str] = ("", "")  # MSH-3 application, MSH-4 facility
    receiving: tuple[str, str] = ("", "")  # MSH-5, MSH-6
    kind: str = ""  # MSH-9.1
    event: str = ""  # MSH-9.2
    control_id: str = ""  # MSH-10
    processing_id: str = ""  # MSH-11.1
    version: str = ""  # MSH-12.1
    charset: str = ""  # MSH-18
    sound: bool = True  # whether MSH-1 and MSH-2 give five different delimiters


def find_header(message: bytes) -> Header | None:
    """The first MSH segment that is anywhere in the bytes; None when there is none."""
    found = _MSH.search(message)
    if found is None:
        return None
    text = found[1].decode("latin-1").translate(_CONTROL)
    separator = text[3:4]
    fields = text.split(separator) if separator else [text]
    marks = fields[1] if len(fields) > 1 else ""
    delimiters = separator + marks[:4]
    sound = len(set(delimiters)) == 5 and not re.search(r"[\w\s]", delimiters)

    def field(number: int) -> str:
        return fields[number - 1] if number <= len(fields) else ""

    def component(number: int, part: int) -> str:
        parts = field(number).split(marks[0] if marks else "^")
        return parts[part - 1].strip() if part <= len(parts) else ""

    return Header(
        separator if sound else "|",
        marks if sound else "^~\\&",
        (field(3), field(4)) if sound else ("", ""),
        (field(5), field(6)) if sound else ("", ""),
        component(9, 1),
        component(9, 2),
        field(10) if sound else "",
        component(11, 1),
        component(12, 1),
        field(18) if sound else "",
        sound,
    )


def refusal(header: Header, message: bytes, processing_ids: Collection[str]) -> Fault | None:
    """Why a message cannot be taken at all (AR), before anything else of it is read; None when it can be."""
    body = message.removeprefix(BOM_UTF8).lstrip(b"\r\n\t ")
    if body[:3] != b"MSH":
        return Fault(100, "the message does not start with MSH")
    if _ENVELOPE.search(body):
        return Fault(100, "one message a frame: here is another MSH, or a batch")
    if not header.sound:
        return Fault(102, "MSH-1 and MSH-2 do not give five different delimiters", Location("MSH", 1, 2))
    needed = {9: header.kind, 10: header.control_id.strip(), 11: header.processing_id, 12: header.version}
    for number, value in needed.items():
        if not value:
            return Fault(101, f"MSH-{number} is missing", Location("MSH", 1, number))
    if header.version not in VERSIONS:
        return Fault(203, "versions 2.3 to 2.5.1 are read here", Location("MSH", 1, 12))
    if header.processing_id not in processing_ids:
        return Fault(202, "messages of this processing id are not taken here", Location("MSH", 1, 11))
    if header.kind not in EVENTS:
        return Fault(200, f"message type{_shown(header.kind)} is not read here", Location("MSH", 1, 9, 1, 1))
    if header.event not in EVENTS[header.kind]:
        return Fault(201, f"event{_shown(header.event)} of {header.kind} is not read here", Location("MSH", 1, 9, 1, 2))
    return None


def _shown(code: str) -> str:
    return f" {code}" if _NAME.fullmatch(code) else ""
