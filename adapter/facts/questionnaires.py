"""QuestionnaireResponses to the known instruments: linkIds and scores, never the wording of an item."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from adapter.facts import dates
from adapter.facts.reading import Answer, Form
from adapter.facts.values import answer
from adapter.records import Resource

COMPLETE = frozenset({"completed", "amended"})
WITHDRAWN = "entered-in-error"
SEPARATOR = "/Questionnaire/"


def form(index: int, response: Resource, known: Collection[str]) -> tuple[str, Form | None]:
    """The instrument's name and its answers; no name for other questionnaires.

    The answers of a form that is not complete do not count: they are blanks. One in which nothing was answered, or that
    was withdrawn, is no form at all (the name, and None).
    """
    name, status = instrument(response), response.get("status")
    if name not in known:
        return "", None
    answers = {} if status == WITHDRAWN else dict(_answers(response, ""))
    if status not in COMPLETE:
        if not any(answer.value is not None for answer in answers.values()):
            return name, None
        answers = {link: answer._replace(value=None) for link, answer in answers.items()}
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
