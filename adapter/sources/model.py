"""What every source hands to the mapping: one patient's rows, each of which knows where it stood.

A row is a line of a table, an HL7 v2 segment, or one repetition of an HL7 v2 field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from adapter.records import Issue


class Row(Protocol):
    """One row of a source, as the mapping language reads it."""

    @property
    def name(self) -> str:
        """Of the table or segment: ``MSD101PregnancyBooking``, ``OBX``."""
        ...

    @property
    def texts(self) -> Mapping[str, str]:
        """Key → text of every field of its own that ``get`` gives a text for. The key is the field's shortest name:
        of ``PID-7``, ``PID-7.1`` and ``PID-7.1.1`` it is ``PID-7`` (see ``key_of``)."""
        ...

    def get(self, field: str) -> str | None:
        """The text of a field, unescaped and stripped; None when it is empty or not there."""
        ...

    def each(self, field: str) -> Sequence[Row]:
        """The repetitions of a field, as rows whose fields are component numbers (``1``, ``4.2``); tables: ``[]``."""
        ...

    def place(self, field: str) -> str:
        """Where a field stood: ``MSD101PregnancyBooking row 3, EDDAgreed`` (the header is row 1) or
        ``OBX-5 (segment 6 of message 1)``. With ``""``: the row itself."""
        ...

    def populated(self) -> Iterable[str]:
        """Names of the leaf fields that hold something, as ``get`` takes them."""
        ...

    def key_of(self, leaf: str) -> str:
        """The key in ``texts`` of a name that ``populated`` gives."""
        ...

    def related(self, name: str) -> Row | None:
        """The row of another table or segment that this one belongs to; itself for its own name."""
        ...


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """Everything one source says about one patient.

    ``rows`` groups the rows by table or segment; ``order`` is the same rows in the order of the source.
    ``refused`` says that the record may not be used: ``issues`` says why.
    """

    source: str  # the file or folder it came from
    kind: str  # "msds", "hl7v2", …
    patient_key: str  # identifies the patient within the source; goes into ids, never into messages
    rows: Mapping[str, Sequence[Row]]
    order: Sequence[Row]
    issues: tuple[Issue, ...] = field(default=())
    refused: bool = False
