"""Where a fact comes from, in sentences.

The keys of ``from`` are the adapter's: one that has no words here is shown as it is, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rules.engine.content import FactDeclaration
from rules.tools.docs.words import Words

_LISTS: Mapping[str, str] = {
    "score": "The total of a questionnaire, coded from the list",
    "item": "One item of a questionnaire, coded from the list",
    "flag_score": "Whether a result is positive, coded from the list",
    "condition": "A diagnosis coded from the list",
    "finding": "A finding coded from the list",
    "medication": "A medicine coded from the list",
    "family_history": "A relative's diagnosis coded from the list",
}
_CLOSING = {"closed_by": "A later finding of this list answers it"}
_PLAIN: Mapping[str, str] = {
    "pregnancy": "Worked out from everything the record says of her pregnancies",
    "person": "Taken from the record of the person and her care",
    "partner": "Worked out from what the record says of the partner and of the woman",
    "observed": "Worked out from the record as a whole",
}
_DETAILS: Mapping[tuple[str, str], str] = {
    ("when", "ever"): "It counts whenever it was, also in remission or resolved.",
    ("when", "current"): "It counts while it is current.",
    ("when", "suspected"): "It counts while it is provisional or differential.",
    ("when", "relapse"): "It counts in relapse or recurrence.",
    ("state", "current"): "It counts while she takes it.",
    ("state", "stopped"): "It counts once it was stopped.",
    ("date", "onset"): "The date is that of the onset, or of the first record where there is none.",
    ("date", "stopped"): "The date is the day on which it was stopped.",
    ("pick", "latest"): "Of several the latest is taken.",
    ("pick", "earliest"): "Of several the earliest is taken.",
    ("degree", "first"): "It counts in a first-degree relative.",
    ("zero_total_means_zero", "True"): "A total of 0 says that the item is 0.",
}
_ABSENT = {
    "not-met": "Not in the record: it counts as not met. A form done without it, or a contradiction, is unknown.",
    "unknown": "Not in the record: unknown, never no.",
}


@dataclass(frozen=True, slots=True)
class Supply:
    """A sentence about where a fact comes from, with the code list and the parameter that it names."""

    text: str
    codes: str = ""
    parameter: str = ""


def supplies(declaration: FactDeclaration, words: Words) -> tuple[Supply, ...]:
    """What supplies a fact; of a derived fact nothing: its condition says it."""
    return tuple(_supplies(declaration.source or {}, words))


def absence(declaration: FactDeclaration) -> str:
    """What it means that a record does not hold the fact."""
    if declaration.derive is not None:
        return "Follows from the facts it is derived from."
    return _ABSENT[declaration.absent]


def _supplies(source: Mapping[str, Any], words: Words) -> Iterator[Supply]:
    for key, value in source.items():
        detail = _DETAILS.get((key, str(value)))
        if detail:
            yield Supply(detail)
        elif key in _LISTS or key in _CLOSING:
            yield Supply({**_LISTS, **_CLOSING}[key], codes=str(value))
        elif key == "total":
            yield Supply("Its questionnaire's total is coded from the list", codes=str(value))
        elif key in _PLAIN:
            yield Supply(f"{_PLAIN[key]}.")
        elif key == "valid_days":
            yield _days("It counts for {days} days; after that it is out of date and fires nothing.", value, words)
        elif key == "older_days":
            yield _days("An out-of-date value is still asked about for {days} days.", value, words)
        elif key == "questionnaire":
            yield Supply(f"Also read from a filled-in questionnaire ({value}).")
        elif key == "items":
            yield from _items(value)
        elif key != "link_id":
            yield Supply(f"{key}: {value}")


def _items(items: Mapping[str, Any]) -> Iterator[Supply]:
    yield Supply(
        f"Also added up from its {items.get('count', '')} items, where all of them are there.".replace("  ", " ")
    )
    if "list" in items:
        yield Supply("The items are coded from the list", codes=str(items["list"]))


def _days(text: str, value: Any, words: Words) -> Supply:
    name = value.removeprefix("parameters.") if isinstance(value, str) else ""
    days = words.values.named(name) if name else value
    return Supply(text.format(days=days), parameter=name)
