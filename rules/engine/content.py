"""What a pack's files say, as frozen dataclasses with their places: the loader makes them, the engine reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rules.engine.conditions import Condition, Place, Threshold
from rules.engine.model import Source


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


StepAction = MoveTo | AlsoRefer | Hold | CapPriority | StartNow | AddNote | TaskSpec | FlagSpec | IssueSpec


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
    open: bool = False  # only if the service is in the fact open_services
    refused: bool = False  # only if the service, or "all", is in the fact consent_refused_for


@dataclass(frozen=True, slots=True)
class Dated:
    """A value and the day from which it counts."""

    start: date
    value: Any


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    label: str
    values: tuple[Dated, ...]  # oldest first
    place: Place
    unit: str = ""
    confirm: bool = False
    sources: tuple[Source, ...] = ()
    provider: bool = False  # the values are a provider's own


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's policy: which services there are, and its own parameter values (already in ``parameters``)."""

    name: str
    title: str
    valid_from: date = date.min
    valid_to: date = date.max
    sources: tuple[Source, ...] = ()
    offers: frozenset[str] | None = None


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
