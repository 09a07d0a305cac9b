"""What is wrong with a message, as HL7 says it: an error code, a severity and a place, never a value of the patient."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapter.records import Issue

ERRORS = {
    0: "Message accepted",
    100: "Segment sequence error",
    101: "Required field missing",
    102: "Data type error",
    103: "Table value not found",
    200: "Unsupported message type",
    201: "Unsupported event code",
    202: "Unsupported processing id",
    203: "Unsupported version id",
    204: "Unknown key identifier",
    205: "Duplicate key identifier",
    206: "Application record locked",
    207: "Application internal error",
}
"""HL7 table 0357, message error condition codes."""

_BY_ISSUE = {
    "required": 101,
    "value": 102,
    "code-invalid": 103,
    "not-found": 204,
    "not-supported": 103,
    "exception": 207,
}
_SEVERITY = {"fatal": "E", "error": "E", "warning": "W", "information": "I"}
_PLACE = re.compile(
    r"(?:(?P<name>[A-Z][A-Z0-9]{2})-(?P<field>\d+)(?:\[(?P<repetition>\d+)\])?"
    r"(?:\.(?P<component>\d+))?(?:\.(?P<subcomponent>\d+))? \()?segment (?P<segment>\d+) of message 1\)?",
    re.ASCII,
)
_SEGMENT = re.compile(rb"([A-Z][A-Z0-9]{2})[^A-Za-z0-9 ]")


@dataclass(frozen=True, slots=True)
class Location:
    """ERR-2 (data type ERL): a segment, which of its kind in the message (from 1), what inside it (0: the whole)."""

    segment: str
    sequence: int
    field: int = 0
    repetition: int = 0
    component: int = 0
    subcomponent: int = 0

    def parts(self) -> list[str]:
        """Its components as text, without empty ones at the end."""
        numbers = [self.sequence, self.field, self.repetition, self.component, self.subcomponent]
        while numbers and not numbers[-1]:
            numbers.pop()
        return [self.segment, *(str(number or "") for number in numbers)]


@dataclass(frozen=True, slots=True)
class Fault:
    """``code``: of table 0357. ``severity``: of table 0516 (E error, W warning, I information)."""

    code: int
    text: str
    location: Location | None = None
    severity: str = "E"


def fault_of(issue: Issue, message: bytes) -> Fault:
    """An Issue about this message as a Fault. 207 says that the fault is ours, 0 that what is said is no error."""
    location = locate(issue.place, message)
    severity = _SEVERITY.get(issue.severity, "E")
    code = _BY_ISSUE.get(issue.code, 102 if severity == "E" else 0)
    if issue.code == "structure":
        code = 101 if location and location.field else 100
    elif issue.detail.startswith("implausible-"):
        code = 102
    return Fault(code, issue.text, location, severity)


def locate(place: str, message: bytes) -> Location | None:
    """``OBX-5.1 (segment 6 of message 1)`` as HL7 names it; None for a place that is none of a message."""
    found = _PLACE.fullmatch(place)
    if found is None:
        return None
    names = [_SEGMENT.match(line) for line in message.splitlines() if line.strip()]
    number = int(found["segment"])
    if not 0 < number <= len(names):
        return None
    this = names[number - 1]
    if this is None:
        return None
    name = this[1].decode()
    sequence = sum(other is not None and other[1] == this[1] for other in names[:number])
    if found["name"] != name:
        return Location(name, sequence)
    return Location(
        name,
        sequence,
        *(int(found[part] or 0) for part in ("field", "repetition", "component", "subcomponent")),
    )
