"""The second stage in words: which referrals a step is about, and what it does to each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rules.engine.content import (
    AddNote,
    AlsoRefer,
    CapPriority,
    FlagSpec,
    Hold,
    IssueSpec,
    MoveTo,
    StartFrom,
    StartNow,
    Step,
    StepAction,
    TaskSpec,
)
from rules.tools.docs.words import PRIORITY_WORDS, Said, Words


@dataclass(frozen=True, slots=True)
class StepView:
    """A step: its own condition, the referrals it is about (words, and the ids of rules after them), what it does."""

    step: Step
    when: Said | None
    about: tuple[tuple[str, tuple[str, ...]], ...]
    does: tuple[str, ...]


def step_view(step: Step, words: Words) -> StepView:
    when = words.said(step.when) if step.when else None
    return StepView(step, when, tuple(_about(step, words)), tuple(_does(act, words) for act in step.actions))


def _about(step: Step, words: Words) -> Iterator[tuple[str, tuple[str, ...]]]:
    if step.services is not None:
        names = [service.label for key, service in words.content.services.items() if key in step.services]
        yield f"Referrals to: {'; '.join(names)}", ()
    if step.rules is not None:
        yield "Referrals of:", tuple(sorted(step.rules))
    if step.not_rules:
        yield "Not those of:", tuple(sorted(step.not_rules))
    if not step.safety:
        yield "Never those of safety rules", ()
    if step.beside:
        yield f"Only beside another referral that is {PRIORITY_WORDS[step.beside]} or more urgent", ()
    if step.highest:
        yield f"Only where no referral to the service is more urgent than {PRIORITY_WORDS[step.highest]}", ()
    if step.open:
        yield "Only where the service already has her", ()
    if step.refused:
        yield "Only where she does not consent to be referred to the service", ()
    if step.safety and step.services is None and step.rules is None:
        yield "Referrals of every rule, safety rules too", ()


def _does(act: StepAction, words: Words) -> str:
    match act:
        case MoveTo(service=service):
            return f"The referral goes to {words.service(words.destination(service))} instead, at the same priority."
        case AlsoRefer(service=service):
            return f"She is also referred to {words.service(words.destination(service))}, at the same priority."
        case Hold():
            return "The referral is held back."
        case CapPriority(priority=priority, within=within):
            return f"The referral is {PRIORITY_WORDS[priority]} at the most, {words.within(within)}."
        case StartNow():
            return "The referral starts at once."
        case AddNote(text=text):
            return f"The referral says: {text}"
        case TaskSpec():
            return _task(act, words)
        case FlagSpec(code=code):
            return f"Alert: {words.flag(code)}."
        case StartFrom(fact=fact, weeks=weeks):
            label, least = words.content.facts[fact].label, words.values.of(weeks)
            if not least:
                return "The referral starts at once: no lowest gestation is set."
            return f"The referral starts when {label} reaches {least} weeks; at once if it is not known."
        case IssueSpec(text=text):
            return f"The result says: {text}"


def _task(task: TaskSpec, words: Words) -> str:
    service = {"": "", "this": ", to the service"}.get(task.service)
    to = f", to {words.service(task.service)}" if service is None else service
    priority = "the referral's priority" if task.priority == "same" else PRIORITY_WORDS[task.priority]
    text = f" ({task.text})" if task.text else ""
    return f"Task: {words.task(task.code)}{text}{to}, {priority}."
