"""The smallest messages of one synthetic patient, and what an acknowledgement says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

NOW = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
FAMILY, NHS = "XXTESTPATIENT", "9990000018"
PID = f"PID|1||{NHS}^^^NHS||{FAMILY}^ADA||19940517|2"
OBR = "OBR|1|P1|F1||||20260301"
OBX = "OBX|1|NM|450320001^EPDS^SCT||14||||||F"


def message(*segments: str, kind: str = "ORU^R01", control_id: str = "M1", version: str = "2.4", p: str = "P") -> bytes:
    head = f"MSH|^~\\&|MAT|RX1|PERI|RX2|20260302101500||{kind}|{control_id}|{p}|{version}"
    return "".join(f"{segment}\r" for segment in (head, *(segments or (PID, OBR, OBX)))).encode()


def frame(data: bytes) -> bytes:
    return b"\x0b" + data + b"\x1c\r"


@dataclass(frozen=True)
class Ack:
    """The fields of an acknowledgement: ``msh[9]`` is MSH-9."""

    msh: list[str]
    msa: list[str]
    errors: list[list[str]]

    @property
    def code(self) -> str:
        return self.msa[1]

    @property
    def reasons(self) -> list[tuple[str, str, str]]:
        """ERR-2, the code of ERR-3, ERR-4."""
        return [(error[2], error[3].partition("^")[0], error[4]) for error in self.errors]


def read_ack(data: bytes | None) -> Ack:
    assert data is not None
    lines = [line.split("|") for line in data.decode().split("\r")]
    assert lines.pop() == [""]
    head, answer, *errors = lines
    assert head[0] == "MSH"
    assert answer[0] == "MSA"
    assert {error[0] for error in errors} <= {"ERR"}
    return Ack(["MSH", "|", *head[1:]], answer, errors)
