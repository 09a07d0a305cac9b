"""The second stage in words, wherever it is told: the pages, the comparison of packs, the FHIR export.

Codes, services, rules and parameters are named as well as put into words, so that the same words mean the same content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from rules.engine.content import (
    AddNote,
    AlsoRefer,
    CapPriority,
    Content,
    FallBack,
    FlagSpec,
    Hold,
    IssueSpec,
    MoveTo,
    StartFrom,
    StartNow,
    Step,
    StepAction,
    TaskSpec,
    WhenClosed,
)
from rules.engine.parameters import Values
from rules.tools.words import PRIORITY_WORDS, Labels, Words, humanised

ORDER = (
    "The referrals of all rules go through the steps in this order. A referral that comes to another service, by a "
    "step or by a fallback, begins again with the first; no step does anything twice to one referral at one service."
)
IMPLIED = "Not written in the pack: every pack does this after its own steps."
_FALLS_BACK = (
    "Where the service is not offered by the provider, or covers her nowhere by the directory, the next of its "
    "fallbacks that is there takes its place, in the end the GP; the referral and the result say so."
)
_CLOSES = (
    "Where the service is closed at the time asked about, a very urgent or emergency referral is made as well to the "
    "service that takes its emergencies, at the same priority."
)


@dataclass(frozen=True, slots=True)
class About:
    """Which referrals a step is about: words, and the ids of rules after them."""

    text: str
    rules: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.text} {', '.join(self.rules)}" if self.rules else self.text


class StepWords:
    """The words for the steps of one pack, with the parameter values of one day."""

    def __init__(self, content: Content, values: Values, labels: Labels = humanised) -> None:
        self._content, self._values, self._labels = content, values, labels
        self._words = Words(content, values)

    def about(self, step: Step) -> tuple[About, ...]:
        return tuple(self._about(step))

    def does(self, step: Step) -> tuple[str, ...]:
        """What a step does to each of these referrals: a sentence for each thing."""
        return tuple(map(self._does, step.actions))

    def _about(self, step: Step) -> Iterator[About]:
        if step.services is not None:
            keys = (key for key in self._content.services if key in step.services)
            yield About(f"Referrals to: {'; '.join(map(self._service, keys))}")
        if step.rules is not None:
            yield About("Referrals of:", tuple(sorted(step.rules)))
        if step.not_rules:
            yield About("Not those of:", tuple(sorted(step.not_rules)))
        if not step.safety:
            yield About("Never those of safety rules")
        if step.beside:
            yield About(f"Only beside another referral that is {PRIORITY_WORDS[step.beside]} or more urgent")
        if step.highest:
            yield About(f"Only where no referral to the service is more urgent than {PRIORITY_WORDS[step.highest]}")
        if step.open:
            yield About("Only where the service already has her")
        if step.refused:
            yield About("Only where she does not consent to be referred to the service")
        if step.safety and step.services is None and step.rules is None:
            yield About(f"Referrals of every {'other ' if step.not_rules else ''}rule, safety rules too")

    def _does(self, act: StepAction) -> str:
        match act:
            case MoveTo(service=service):
                return f"The referral goes to {self._words.service(service)} instead, at the same priority."
            case AlsoRefer(service=service):
                return f"She is also referred to {self._words.service(service)}, at the same priority."
            case Hold():
                return "The referral is held back."
            case CapPriority(priority=priority, within=within):
                return f"The referral is {PRIORITY_WORDS[priority]} at the most, {self._words.within(within)}."
            case StartNow():
                return "The referral starts at once."
            case StartFrom():
                return self._start(act)
            case AddNote(text=text):
                return f"The referral says: {text}"
            case FallBack():
                return _FALLS_BACK
            case WhenClosed():
                return _CLOSES
            case TaskSpec():
                return self._task(act)
            case FlagSpec(code=code):
                return f"Alert: {self._labels('perinatal-flag', code)} ({code})."
            case IssueSpec(code=code, severity=severity, text=text):
                return f"The result says ({code}, {severity}): {text}"

    def _start(self, act: StartFrom) -> str:
        named = f" ({act.weeks.parameter})" if act.weeks.parameter else ""
        if not (least := self._values.of(act.weeks)):
            return f"The referral starts at once: no number of weeks is set{named}."
        label = self._content.facts[act.fact].label
        return (
            f"The referral starts when {label} ({act.fact}) reaches {least} weeks{named}; at once if it is not known."
        )

    def _task(self, task: TaskSpec) -> str:
        to = "the service" if task.service == "this" else self._service(task.service) if task.service else ""
        parts = [
            f"Task: {self._labels('perinatal-task', task.code)} ({task.code})" + (f", to {to}" if to else ""),
            "the referral's priority" if task.priority == "same" else PRIORITY_WORDS[task.priority],
            *(f"for {self._content.facts[name].label} ({name})" for name in task.facts),
        ]
        return f"{', '.join(parts)}." + (f" It says: {task.text}" if task.text else "")

    def _service(self, key: str) -> str:
        return f"{self._content.services[key].label} ({key})"


def step_words(content: Content, as_of: date, labels: Labels = humanised) -> Mapping[str, tuple[str, ...]]:
    """Every step of a pack by its id: which referrals it is about, and what it does to each, a sentence a line."""
    words = StepWords(content, Values(content.parameters, as_of), labels)
    return {
        step.id: (
            *(f"{about}." for about in words.about(step)),
            *words.does(step),
            *((IMPLIED,) if step.implied else ()),
        )
        for step in content.steps
    }
