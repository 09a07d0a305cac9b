"""What a pack's files say, as frozen dataclasses with their places: the loader makes them, the engine reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rules.engine.conditions import Condition, Place, Threshold
from rules.engine.model import Source
from rules.engine.opening_hours import OpeningSpan


@dataclass(frozen=True, slots=True)
class FactDeclaration:
    """One fact the rules may speak of. It has ``source`` (for whoever supplies facts) or ``derive``, never both."""

    name: str
    label: str
    type: str  # boolean, integer, number, date, days, codes, text
    place: Place
    range: tuple[float, float] | None = None
    unit: str = ""
    absent: str = "not-met"  # or "unknown": the state of a fact that was not supplied
    ask: str | None = None
    ask_text: str = ""
    source: Mapping[str, Any] | None = None
    derive: Condition | None = None
    unknown_when: Condition | None = None

    @property
    def line(self) -> int:
        return self.place.line


@dataclass(frozen=True, slots=True)
class Concept:
    """A SNOMED CT concept."""

    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Service:
    """A destination. ``fallback`` is the service that takes over where a provider does not offer this one, or "".

    ``snomed`` is the concept of such a service, ``referral_code`` the procedure "referral to" it, where published.
    """

    key: str
    label: str
    snomed: Concept | None = None
    referral_code: Concept | None = None
    mhsds_team_type: str = ""
    fallback: str = ""
    task_only: bool = False  # named in tasks beside other referrals: no referral is ever made to it


@dataclass(frozen=True, slots=True)
class Within:
    """A timeframe in whole days; ``working`` counts Monday to Friday without the bank holidays."""

    days: Threshold
    working: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """A start that follows a date fact by some days."""

    fact: str
    plus_days: Threshold


@dataclass(frozen=True, slots=True)
class Refer:
    service: Threshold
    priority: str
    within: Within
    start: Start | None = None
    reason: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """``priority`` "same" and ``service`` "this" (second stage only) stand for the referral's own."""

    code: str
    priority: str = "routine"
    text: str = ""
    facts: tuple[str, ...] = ()
    service: str = ""


@dataclass(frozen=True, slots=True)
class FlagSpec:
    code: str


@dataclass(frozen=True, slots=True)
class IssueSpec:
    code: str
    severity: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing a fired rule does, perhaps only ``when`` more holds."""

    act: Refer | TaskSpec | FlagSpec | IssueSpec
    place: Place
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Outside:
    """The lighter service for those outside a rule's window."""

    service: Threshold
    within: Within | None
    place: Place


@dataclass(frozen=True, slots=True)
class Ask:
    """A Task for facts, made whenever ``when`` is true."""

    id: str
    when: Condition
    task: TaskSpec
    place: Place
    title: str = ""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    title: str
    safety: bool
    sources: tuple[Source, ...]
    when: Condition
    then: tuple[Outcome, ...]
    place: Place
    window: Condition | None = None
    outside: Outside | None = None
    asks: tuple[Ask, ...] = ()
    valid_from: date = date.min
    valid_to: date = date.max

    def valid(self, as_of: date) -> bool:
        return self.valid_from <= as_of <= self.valid_to


@dataclass(frozen=True, slots=True)
class MoveTo:
    service: Threshold


@dataclass(frozen=True, slots=True)
class AlsoRefer:
    service: Threshold


@dataclass(frozen=True, slots=True)
class Hold:
    pass


@dataclass(frozen=True, slots=True)
class CapPriority:
    priority: str
    within: Within


@dataclass(frozen=True, slots=True)
class StartNow:
    pass


@dataclass(frozen=True, slots=True)
class AddNote:
    text: str


@dataclass(frozen=True, slots=True)
class StartFrom:
    """The referral starts on the day on which a count of days (weeks of gestation) reaches ``weeks``; 0: at once."""

    fact: str
    weeks: Threshold


@dataclass(frozen=True, slots=True)
class FallBack:
    """Where the service is not offered, or covers her nowhere, the next of its fallbacks that is there takes over."""


@dataclass(frozen=True, slots=True)
class WhenClosed:
    """An emergency to a service that is closed is made to the one that takes its emergencies as well."""


StepAction = (
    MoveTo
    | AlsoRefer
    | Hold
    | CapPriority
    | StartNow
    | StartFrom
    | AddNote
    | FallBack
    | WhenClosed
    | TaskSpec
    | FlagSpec
    | IssueSpec
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the second stage: which referrals it is about, and what it does to each."""

    id: str
    title: str
    sources: tuple[Source, ...]
    actions: tuple[StepAction, ...]
    place: Place
    when: Condition | None = None
    services: frozenset[str] | None = None
    rules: frozenset[str] | None = None
    not_rules: frozenset[str] = frozenset()
    safety: bool = True  # False: never for referrals of safety rules
    beside: str = ""  # only if another referral of at least this priority exists
    highest: str = ""  # only if no referral to the same service has a higher priority
    open: bool = False  # only if the service is in the fact open_services
    refused: bool = False  # only if the service, or "all", is in the fact consent_refused_for
    implied: bool = False  # not written in the pack: every pack has it, after its own steps


@dataclass(frozen=True, slots=True)
class Dated:
    """A value and the day from which it counts. ``provider`` is whose own policy it is, "" for the pack's value."""

    start: date
    value: Any
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    label: str
    values: tuple[Dated, ...]  # oldest first
    place: Place
    unit: str = ""
    confirm: bool = False
    sources: tuple[Source, ...] = ()
    provider: bool = False  # some of the values are a provider's own
    range: tuple[float, float] | None = None  # what a provider may set; a limit of plausibility
    where_offered: str = ""  # the service that is the value where a provider lists it among its offers


@dataclass(frozen=True, slots=True)
class Hours:
    """When a service is open (``spans``), and which service takes emergencies when it is not ("": nobody else)."""

    spans: tuple[OpeningSpan, ...]
    closed: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's policy. Its own parameter values are in ``parameters``; all else that it decides is here.

    Everything is dated. ``offers`` holds sets of service keys; none: every service. ``fallbacks`` and ``hours`` are by
    service key; ``catchment`` holds the words of ``CATCHMENTS``.
    """

    name: str
    title: str
    valid_from: date = date.min
    valid_to: date = date.max
    sources: tuple[Source, ...] = ()
    offers: tuple[Dated, ...] = ()
    fallbacks: Mapping[str, tuple[Dated, ...]] = field(default_factory=dict)
    catchment: tuple[Dated, ...] = ()
    hours: Mapping[str, tuple[Dated, ...]] = field(default_factory=dict)

    def counts(self, as_of: date) -> bool:
        """Whether the policy is in force on this day; where it is not, the pack's own values count."""
        return self.valid_from <= as_of <= self.valid_to

    def in_force(self, values: tuple[Dated, ...], as_of: date) -> Dated | None:
        """That of this policy's dated values which counts on a day, if any does."""
        if not self.counts(as_of):
            return None
        return next((dated for dated in reversed(values) if dated.start <= as_of), None)


@dataclass(frozen=True, slots=True)
class Content:
    """Everything a pack's files say for one provider."""

    folder: Path
    name: str
    version: str
    title: str
    provider: Provider
    facts: Mapping[str, FactDeclaration]
    parameters: Mapping[str, Parameter]
    services: Mapping[str, Service]
    rules: tuple[Rule, ...]
    steps: tuple[Step, ...]
    asks: tuple[Ask, ...]
    timeframes: Mapping[str, Within] = field(default_factory=dict)
    outside_when: Condition | None = None
    default_provider: str = ""  # whose policies apply where nobody says
