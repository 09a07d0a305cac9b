"""What the search finds: settings of facts, changes made of them, and what each rule turned on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rules.engine.model import Fact, Status

Bound = int | float | None


class Goal(StrEnum):
    """What a change would bring about."""

    STOP = "stop"  # the criteria of a rule that are met would not be
    FIRE = "fire"  # those that are not met, or not decided, would be
    SETTLE = "settle"  # those that are not decided would certainly not be met
    GO = "go"  # a referral that the second stage held or moved would go where the rule sends it, or to who takes over
    COVER = "cover"  # one that went elsewhere, since no team covers her, would go where the rule sends it


@dataclass(frozen=True, slots=True)
class Setting:
    """One fact with another value.

    ``low`` and ``high`` are the ends of the values around ``now`` that would do the same (dates as ordinals, spans of
    days as their number; None where the values go on to the end of what the fact can be; ``low_open`` and
    ``high_open``: without the end itself). They mean something for numbers, days and dates only.
    """

    fact: str
    was: Fact
    now: Fact
    low: Bound = None
    high: Bound = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Facts that differ together, and what both evaluators then say: verified before it is given.

    ``follows`` are facts that cannot stay as they are beside the settings. ``fires`` and ``stops`` are the other rules
    whose criteria would then be met, or no longer be met; ``goes`` the services that the rule would then refer her to.
    """

    settings: tuple[Setting, ...]
    status: Status
    follows: tuple[Setting, ...] = ()
    fires: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    goes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turning:
    """The smallest changes that bring a goal about, best first; ``more`` counts those not given, of as few facts.

    Without any, no change of up to ``most_facts`` facts does. Of ``GO``: ``steps`` held or moved the referrals to
    ``services``. Of ``COVER``: a team of each of ``services`` would have to cover her, and her facts to change besides
    (a change of no facts: not at all).
    """

    goal: Goal
    changes: tuple[Change, ...]
    more: int = 0
    most_facts: int = 0
    steps: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that is missing, and the undecided rules it would settle if it were known.

    ``some``: by at least one of its possible values; ``surely``: whatever its value (these are among ``some``).
    """

    fact: str
    some: tuple[str, ...]
    surely: tuple[str, ...]
