"""The types of the pipeline: what one record is at each stage.

RawRecord → SourceRecord → MappedBundle → ValidBundle → (facts) → Decision → ResultBundle
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Resource = dict[str, Any]
"""A FHIR resource (or part of one) as a plain dict."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """Bytes as they came. ``name`` says where from (a file's name, "request body"); it goes into messages."""

    name: str
    data: bytes
    format: str = ""  # "hl7v2", "fhir", "msds"; "" when still to be told apart


@dataclass(frozen=True, slots=True)
class Issue:
    """Something to be said about a record, always with its place and never with a value of the patient.

    severity: fatal, error, warning or information. code: FHIR issue-type (``structure``, ``value``,
    ``required``, ``code-invalid``, ``invariant``, ``not-supported``, ``conflict``, ``informational`` …).
    detail: a code of the perinatal-issue system, or "". place: ``OBX-5 (segment 6 of message 1)``,
    ``MSD101PregnancyBooking row 3, EDDAgreed``, or a FHIRPath such as ``Bundle.entry[3].resource.status``.
    """

    severity: str
    code: str
    text: str
    detail: str = ""
    place: str = ""


class FieldUse(NamedTuple):
    """One populated source field and what became of it: the unit of the coverage report."""

    field: str  # "PID-3", "MSD101PregnancyBooking.EDDAgreed"
    fate: str  # mapped, ignored, unmapped
    reason: str = ""  # why it is ignored
    times: int = 1
    places: tuple[str, ...] = ()  # at most the first three


@dataclass(frozen=True, slots=True)
class Finding:
    """A validation rule of the data set itself that a record breaks. It says nothing of the patient's data."""

    code: str  # the national error code: "MHS00104"
    severity: str  # record rejected, group rejected, severity 1 warning, warning
    text: str
    place: str


class NotChecked(NamedTuple):
    """Validation rules that a record was not held against, and why: nothing said of them is not that they hold."""

    why: str
    rules: tuple[str, ...]  # "MHS00139 LanguageCodePreferred"


@dataclass(frozen=True, slots=True)
class Origin:
    """One of several sources that a record was put together from: its name, mapping and the digest of its bytes."""

    name: str
    mapping: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class MappedBundle:
    """One patient's record as FHIR: a Bundle of type collection, and how each part came to be.

    ``lineage`` maps ``(fullUrl, element path)`` — path like ``valueInteger`` or ``code.coding[0].code`` —
    to the place in the source. It is empty for records that came as FHIR: their place is the element itself.
    ``refused`` is set when the record as a whole may not be used (then ``issues`` says why).
    """

    source: str
    bundle: Resource
    lineage: Mapping[tuple[str, str], str] = field(default_factory=dict)
    coverage: Sequence[FieldUse] = ()
    issues: tuple[Issue, ...] = ()
    mapping: str = ""  # "msds@1.0.0"; "" for FHIR as it came
    refused: bool = False
    quality: tuple[Finding, ...] = ()  # what the data set's own rules say of it
    not_checked: tuple[NotChecked, ...] = ()  # what they do not say, where there are any
    digest: str = ""  # SHA-256 of the bytes the record came in, in hexadecimal
    origins: tuple[Origin, ...] = ()  # the sources, where there are several; then mapping and digest are ""
    kin: tuple[Resource, ...] = ()  # the Bundles of those whose partner the patient is: looked into, never quoted


class Evidence(NamedTuple):
    """Where a fact comes from: the element of the FHIR record, and behind it the source field.

    ``entry`` is the position in the record's Bundle; ``path`` the element inside the resource.
    """

    entry: int
    path: str
    date: str = ""  # the date that counted, as written
    listed: str = ""  # where its code was listed, if not in the rule pack itself
