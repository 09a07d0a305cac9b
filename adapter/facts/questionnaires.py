"""QuestionnaireResponses to the known instruments: linkIds and scores, never the wording of an item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapter.facts import dates
from adapter.facts.reading import Answer, Form
from adapter.facts.values import answer
from adapter.records import Resource

COMPLETE = frozenset({"completed", "amended"})
SEPARATOR = "/Questionnaire/"


def form(index: int, response: Resource, known: Iterable[str]) -> tuple[str, Form | None] | None:
    """The instrument's name and its answers (None while it is not complete); None for other questionnaires."""
    name = instrument(response)
    if name not in known:
        return None
    if response.get("status") not in COMPLETE:
        return name, None
    answers = dict(_answers(response, ""))
    return name, Form(index, response, dates.read(response, "authored"), answers)


def instrument(response: Resource) -> str:
    """The last part of the questionnaire's canonical, without its version."""
    canonical = str(response.get("questionnaire", ""))
    return canonical.rpartition(SEPARATOR)[2].partition("|")[0]


def _answers(element: Resource, prefix: str) -> Iterator[tuple[str, Answer]]:
    """Every item with its first answer, groups and nested items included."""
    for number, item in enumerate(element.get("item", ())):
        path = f"{prefix}item[{number}]"
        given = item.get("answer") or ()
        link = item.get("linkId")
        if isinstance(link, str):
            value = answer(given[0]) if given else None
            yield link, Answer(value, f"{path}.answer[0]" if given else f"{path}.linkId")
        yield from _answers(item, f"{path}.")
        for place, inner in enumerate(given):
            yield from _answers(inner, f"{path}.answer[{place}].")
