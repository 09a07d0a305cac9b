"""What the tests of pregnancy and birth share: codes, and facts in a short form."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from rules import DateSpan, State
from tests.unit.facts.records import AS_OF, read

PREGNANT, NOT, POSSIBLE, UNCONFIRMED = "77386006", "60001007", "146799005", "152231000119106"
LIVE, STILL, MISCARRIAGE, TERMINATION = "281050002", "237364002", "17369002", "57797005"
ECTOPIC = "34801009"


def facts(*resources: dict[str, Any], as_of: date = AS_OF) -> dict[str, Any]:
    """Known values; for the others the state, or the note of what is unknown."""
    found = read(*resources, as_of=as_of).facts
    return {
        name: fact.value
        if fact.state is State.KNOWN
        else fact.state
        if fact.state is State.ABSENT
        else f"unknown: {fact.note}"
        for name, fact in found.items()
    }


def on(text: str, to: str = "") -> DateSpan:
    return DateSpan(date.fromisoformat(text), date.fromisoformat(to or text))


def in_days(days: int) -> str:
    return (AS_OF + timedelta(days)).isoformat()
