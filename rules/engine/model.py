"""The vocabulary of the engine: facts go in, a decision comes out.

Nothing here knows FHIR, HTTP or a database. Truth is three-valued (Kleene):
``True``, ``False`` and ``None`` for unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

Truth = bool | None


class State(StrEnum):
    """Whether a fact has a value; what a missing one means is declared per fact."""

    KNOWN = "known"
    ABSENT = "absent"  # not in the record, and that means "not met" (quietly)
    UNKNOWN = "unknown"  # not in the record, or in conflict: neither met nor not met


KNOWN, ABSENT, UNKNOWN = State.KNOWN, State.ABSENT, State.UNKNOWN  # looking a member up is slow


class DateSpan(NamedTuple):
    """A date known to lie between two days, both included (equal when exact)."""

    low: date
    high: date


class DaySpan(NamedTuple):
    """A whole number of days known to lie between two values, both included."""

    low: int
    high: int


FactValue = bool | int | float | str | frozenset[str] | DateSpan | DaySpan


class Fact(NamedTuple):
    """One fact about one person at one as-of date.

    ``evidence`` is opaque to the engine (the adapter puts lineage there). ``note`` is a short machine
    word that says why a fact is not known (``not-recorded``, ``conflict``, ``item-missing``,
    ``due-date-passed`` …); it never holds data of a patient. ``older`` is a value that was found but
    is too old to count; ``ask`` overrides the task code that the declaration gives for asking.
    """

    name: str
    state: State
    value: FactValue | None = None
    on: date | None = None
    evidence: tuple[Any, ...] = ()
    note: str = ""
    older: FactValue | None = None
    older_on: date | None = None
    ask: str | None = None


class Status(StrEnum):
    """What became of a rule (the contract's words)."""

    FIRED = "fired"
    NOT_FIRED = "not-fired"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    OUT_OF_DATE = "out-of-date"
    ERROR = "error"


FIRED, NOT_FIRED, UNDECIDED = Status.FIRED, Status.NOT_FIRED, Status.UNKNOWN
SUPPRESSED, OUT_OF_DATE = Status.SUPPRESSED, Status.OUT_OF_DATE

OUTSIDE_WINDOW = "outside-window"
"""By what a rule is suppressed whose criteria are met but for its window, and the code of the issue that says so."""

PRIORITIES = ("routine", "urgent", "asap", "stat")
"""FHIR request-priority, lowest first."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule, a parameter or a code comes from; ``confidence`` carries the [V]/[K-…] mark."""

    document: str
    section: str = ""
    version: str = ""
    says: str = ""
    confidence: str = ""
    url: str = ""


class Trace(NamedTuple):
    """One node of an evaluation: a condition, what it came to, and why.

    ``text`` says the condition in words with its threshold resolved; ``parameter`` names the dated
    parameter (or "") and ``since`` the day from which its value is in force (None for an undated one);
    ``provider`` names the provider whose own policy the value is, "" for the pack's value;
    ``fact`` is set on leaves, and on named (derived) facts which then have children.
    """

    truth: Truth
    kind: str  # all, any, not, unless, compare, derived
    text: str
    fact: Fact | None = None
    parameter: str = ""
    children: tuple[Trace, ...] = ()
    since: date | None = None
    provider: str = ""


class Policy(NamedTuple):
    """Something that a provider decided for itself and that shaped a referral.

    ``name`` is the parameter (``destination-moderate-illness``) or the kind of policy (``offers``, ``fallbacks``,
    ``hours``); ``value`` is what it says, in plain words; ``since`` the day from which (None: undated); ``rule`` the
    rule whose referral it shaped.
    """

    name: str
    value: str
    provider: str
    since: date | None
    rule: str


class _LazyTrace:
    """A field that takes a Trace, or a function that makes it when it is first looked at."""

    def __get__(self, outcome: RuleOutcome | None, owner: type[RuleOutcome]) -> Trace:
        if outcome is None:
            raise AttributeError  # so that the field has no default
        found: Trace | Callable[[], Trace] = outcome.__dict__["trace"]
        if isinstance(found, Trace):
            return found
        made = outcome.__dict__["trace"] = found()
        return made

    def __set__(self, outcome: RuleOutcome, value: Trace | Callable[[], Trace]) -> None:
        outcome.__dict__["trace"] = value


@dataclass(frozen=True, init=False)
class RuleOutcome:
    """One rule's status with its trace. ``missing`` names the facts that would decide an unknown.

    A rule that fired has some where a part of what it asks for cannot be decided without them; one that did not fire,
    where it is outside its window and only they would tell whether all else is met.

    The trace may be given as a function: most traces are never looked at, and making them costs more than deciding.
    """

    rule: str
    title: str
    safety: bool
    status: Status
    trace: _LazyTrace = _LazyTrace()
    missing: tuple[str, ...] = ()
    suppressed_by: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    facts: tuple[Fact, ...] = ()  # the known facts on which a fired rule rests, or that speak for an undecided one

    def __init__(
        self,
        rule: str,
        title: str,
        safety: bool,
        status: Status,
        trace: Trace | Callable[[], Trace],
        missing: tuple[str, ...] = (),
        suppressed_by: tuple[str, ...] = (),
        sources: tuple[Source, ...] = (),
        facts: tuple[Fact, ...] = (),
    ) -> None:
        fields = self.__dict__  # at once: an outcome is made for every rule of every evaluation
        fields["rule"] = rule
        fields["title"] = title
        fields["safety"] = safety
        fields["status"] = status
        fields["trace"] = trace
        fields["missing"] = missing
        fields["suppressed_by"] = suppressed_by
        fields["sources"] = sources
        fields["facts"] = facts


@dataclass(frozen=True, slots=True)
class ProposedReferral:
    """One referral to one service: the highest priority and every rule that asks for it."""

    service: str
    priority: str
    start: date
    end: date
    rules: tuple[str, ...]
    reasons: tuple[str, ...]
    facts: tuple[Fact, ...]
    notes: tuple[str, ...] = ()
    policies: tuple[Policy, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedTask:
    """Something a person must ask or do. ``service`` is the team it is about, where there is one."""

    code: str
    priority: str
    rules: tuple[str, ...]
    facts: tuple[str, ...] = ()  # names of the facts that are asked for: none of them is known
    service: str = ""
    text: str = ""
    because: tuple[Fact, ...] = ()  # what is known, and is the reason
    notes: tuple[str, ...] = ()  # what the referral said that became this task, and what is amiss with the service


@dataclass(frozen=True, slots=True)
class ProposedFlag:
    code: str
    rules: tuple[str, ...]
    start: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class DecisionIssue:
    """Something to say aloud (contract: perinatal-issue codes). ``text`` holds no patient data."""

    code: str
    severity: str  # error, warning, information
    text: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Availability:
    """Service keys that cover her nowhere, and those closed at the time asked about with who takes emergencies."""

    uncovered: frozenset[str] = frozenset()
    closed: Mapping[str, str] = field(default_factory=dict)


EVERYWHERE = Availability()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a pack says about one person on one day; ``availability`` is what it was told of the services."""

    pack: str
    version: str
    provider: str
    as_of: date
    outcomes: tuple[RuleOutcome, ...]
    referrals: tuple[ProposedReferral, ...]
    tasks: tuple[ProposedTask, ...]
    flags: tuple[ProposedFlag, ...]
    issues: tuple[DecisionIssue, ...]
    facts: Mapping[str, Fact] = field(default_factory=dict)
    availability: Availability = EVERYWHERE

    def outcome(self, rule: str) -> RuleOutcome:
        """The outcome of the rule with this id; KeyError when the pack has no such rule."""
        for outcome in self.outcomes:
            if outcome.rule == rule:
                return outcome
        raise KeyError(rule)
