"""The answer to a message: an HL7 ACK in the version, the delimiters and the character set of the message."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from adapter.mllp.faults import ERRORS, Fault
from adapter.mllp.header import Header

MOST_ERRORS = 20
_VERSION = re.compile(r"2(\.\d){1,2}", re.ASCII)
_EVENT = re.compile(r"[A-Z]\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """MSA-1 and the reasons. ``AA``: written down, and its record could be read; ``AE``: its content is refused;
    ``AR``: it cannot be taken at all."""

    code: str
    faults: tuple[Fault, ...] = ()


def acknowledge(header: Header, answer: Answer, at: datetime, control_id: str) -> bytes:
    """The ACK as bytes, without its frame.

    at: MSH-7, with a zone. control_id: MSH-10 of the ACK itself, at most 20 characters of ASCII. Before version 2.5
    a reason also stands where that version has it, in MSA-3 and ERR-1, and warnings are left out (an ERR segment
    was an error then); ERR-2 to ERR-8 are filled in every version.
    """
    writer = _Writer(header)
    version = header.version if _VERSION.fullmatch(header.version) else "2.5"
    early = version < "2.5"
    kind = ["ACK", header.event if _EVENT.fullmatch(header.event) else ""] + ([] if early else ["ACK"])
    moment = at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
    head = [
        "MSH",
        header.marks,
        *header.receiving,
        *header.sending,
        moment,
        "",
        writer.components(kind),
        control_id,
        writer.text(header.processing_id or "P"),
        version,
        *([""] * 5),
        header.charset,
    ]
    faults = [fault for fault in answer.faults if fault.severity == "E" or not early][:MOST_ERRORS]
    reason = [writer.text(faults[0].text)] if early and faults else []
    lines = [writer.fields(head), writer.fields(["MSA", answer.code, header.control_id, *reason])]
    lines += [writer.fields(_error(writer, fault, early)) for fault in faults]
    return "".join(f"{line}\r" for line in lines).encode("latin-1")


def _error(writer: _Writer, fault: Fault, early: bool) -> list[str]:
    where = fault.location.parts() if fault.location else []
    said = (str(fault.code), ERRORS[fault.code], "HL70357")
    first = ""
    if early:
        first = writer.components([*(where + [""] * 3)[:3], writer.subcomponents(said)])
    return [
        "ERR",
        first,
        writer.components(where),
        writer.components(said),
        fault.severity,
        "",
        "",
        "",
        writer.text(fault.text),
    ]


class _Writer:
    """Writes with the delimiters of one message."""

    def __init__(self, header: Header) -> None:
        self._field = header.separator
        marks = header.marks
        self._component, escape, self._subcomponent = marks[0], marks[2], marks[3]
        codes = zip(header.separator + marks[:4], "FSRET", strict=True)
        self._escapes = str.maketrans(
            {mark: f"{escape}{code}{escape}" for mark, code in codes} | {"\r": " ", "\n": " "}
        )

    def text(self, value: str) -> str:
        return value.translate(self._escapes).encode("ascii", "replace").decode("ascii")

    def fields(self, values: Iterable[str]) -> str:
        return self._field.join(values).rstrip(self._field)

    def components(self, values: Iterable[str]) -> str:
        return self._component.join(values).rstrip(self._component)

    def subcomponents(self, values: Iterable[str]) -> str:
        return self._subcomponent.join(values)
