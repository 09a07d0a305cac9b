"""A decision as a clinician would put it in a letter to another: plain sentences, no words of the engine.

What comes out here holds the patient's data: it is for the screen of whoever may see the record, never for a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from adapter.referrals.explained import Explained
from adapter.referrals.grounds import leaves
from adapter.referrals.guidance import lacks
from adapter.referrals.phrases import listed, weeks
from adapter.referrals.requests import task_text
from adapter.referrals.table import Decided, soon, told_by_title, who
from adapter.referrals.wanted import is_situation
from adapter.referrals.words import day, finding, not_known, spoken
from rules import (
    OUTSIDE_WINDOW,
    PRIORITIES,
    DateSpan,
    DaySpan,
    Fact,
    ProposedReferral,
    ProposedTask,
    RuleOutcome,
    Source,
    State,
    Status,
)

_IN_THE_OPENING = frozenset({"pregnant", "gestation_days"})
_WEEKS_FROM_DAYS = 28


def opening(told: Explained) -> str:
    """Who she is, and where she is in a pregnancy or after one."""
    name, *rest = who(Decided(told.record, told.patient, told.decision)).splitlines()
    return f"{name} ({', '.join(rest)}), on {day(told.decision.as_of)}: {_situation(told)}."


def _situation(told: Explained) -> str:
    facts = {
        str(declaration.source["pregnancy"]): told.decision.facts[name]
        for name, declaration in told.facts.items()
        if declaration.source and "pregnancy" in declaration.source and name in told.decision.facts
    }
    pregnant, gestation = _known(facts, "pregnant"), _known(facts, "gestation_days")
    if isinstance(gestation, DaySpan):
        return f"{weeks(gestation)} weeks pregnant"
    if pregnant is True:
        return "pregnant, gestation not known"
    for key, event in (("birth_on", "a birth"), ("pregnancy_ended_on", "the end of a pregnancy")):
        span = _known(facts, key)
        if isinstance(span, DateSpan):
            what, besides = _with_loss(facts, key, event)
            return f"{_since(span, told)} after {what} ({finding(facts[key], spoken)}){besides}"
    if _known(facts, "undated") is True:
        return "pregnant or with a new baby, with no date known"
    return "not pregnant as far as the record says" if pregnant is False else "whether she is pregnant is not known"


def _with_loss(facts: dict[str, Fact], key: str, event: str) -> tuple[str, str]:
    """What ended the pregnancy, and what else is to be said: a loss is never called a birth alone."""
    lost = _known(facts, "loss_on")
    if not isinstance(lost, DateSpan):
        return event, ""
    ended = facts[key].value
    if lost != ended:
        before = isinstance(ended, DateSpan) and lost.high < ended.low
        said = finding(facts["loss_on"], spoken)
        return event, f", and a loss before that ({said})" if before else f", with a loss ({said})"
    return (f"{event} and a loss" if _known(facts, "living_baby") is True else "a loss"), ""


def _known(facts: dict[str, Fact], key: str) -> object:
    fact = facts.get(key)
    return fact.value if fact is not None and fact.state is State.KNOWN else None


def _since(span: DateSpan, told: Explained) -> str:
    """``12 days``, ``10 weeks``, ``25 months``; of a vague date the least and the most."""
    shortest, longest = (_ago(end, told) for end in (span.high, span.low))
    return shortest if shortest == longest else f"between {shortest} and {longest}"


def _ago(when: date, told: Explained) -> str:
    today = told.decision.as_of
    days = (today - when).days
    if days < _WEEKS_FROM_DAYS:
        return _of(days, "day")
    if days < 365:
        return _of(days // 7, "week")
    months = (today.year - when.year) * 12 + today.month - when.month - (today.day < when.day)
    return _of(months, "month")


def _of(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def referral_paragraph(told: Explained, referral: ProposedReferral) -> str:
    """One referral: to whom and how soon, what was found and when, by which criterion, what is not known."""
    start = f" from {day(referral.start)}" if referral.start > told.decision.as_of else ""
    sentences = [
        f"A referral to {told.phrases.to(referral.service)} is proposed, "
        f"{soon(referral.priority)},{start} by {day(referral.end)}."
    ]
    outcomes = [told.decision.outcome(rule) for rule in referral.rules]
    sentences += _notes(referral.notes, outcomes)
    if found := _findings(told, referral.facts):
        sentences.append(f"Her record shows: {found}.")
    within = [_criterion(outcome) for outcome in outcomes if outcome.status is Status.FIRED]
    outside = [_criterion(outcome) for outcome in outcomes if outcome.status is not Status.FIRED]
    if within:
        sentences.append(f"This meets {'the criterion' if len(within) == 1 else 'the criteria'} {listed(within)}.")
    if outside:
        sentences.append(f"But for its window of time, this would meet {listed(outside)}.")
    if missing := _not_known(told, outcomes):
        sentences.append(f"Not known: {missing}.")
    return " ".join(sentences)


def task_paragraph(told: Explained, task: ProposedTask) -> str:
    """One thing to be asked or done: what and how soon, for what was found, and what is not known."""
    about = f" ({told.phrases.service(task.service)})" if task.service else ""
    sentences = [f"To do, {soon(task.priority)}: {_sentence(f'{task_text(task)}{about}')}"]
    outcomes = [told.decision.outcome(rule) for rule in task.rules]
    sentences += _notes(task.notes, outcomes)
    sentences += _known_and_not(told, task.because, task.facts)
    if outcomes:
        sentences.append(f"Asked for by {listed([_criterion(outcome) for outcome in outcomes])}.")
    return " ".join(sentences)


def _notes(notes: tuple[str, ...], outcomes: list[RuleOutcome]) -> list[str]:
    """The notes that say more than the titles of the rules."""
    return [_sentence(note) for note in notes if not told_by_title(note, [outcome.title for outcome in outcomes])]


def _known_and_not(told: Explained, known: tuple[Fact, ...], asked: tuple[str, ...]) -> list[str]:
    """What the record shows and what is not known: this first, where only her pregnancy is known."""
    found = _findings(told, known)
    sentences = [f"Her record shows: {found}."] if found else []
    sentences += [f"Not known: {_named(told, asked)}."] if asked else []
    return sentences[::-1] if all(is_situation(told.facts[fact.name]) for fact in known) else sentences


def _named(told: Explained, facts: Iterable[str]) -> str:
    """Facts that are not known, each with why not, where there is more to say than that."""
    return not_known((told.phrases.name(name), told.decision.facts.get(name)) for name in facts)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _findings(told: Explained, facts: tuple[Fact, ...]) -> str:
    return "; ".join(told.phrases.found(fact) for fact in facts if not _is_opening(told, fact.name))


def _is_opening(told: Explained, fact: str) -> bool:
    source = told.facts[fact].source or {}
    return source.get("pregnancy") in _IN_THE_OPENING


def _criterion(outcome: RuleOutcome) -> str:
    cited = f" ({_citation(outcome.sources[0])})" if outcome.sources else ""
    return f"“{outcome.title}”{cited}"


def _citation(source: Source) -> str:
    return ", ".join(part for part in (source.document, source.section, source.version) if part)


def _not_known(told: Explained, outcomes: list[RuleOutcome]) -> str:
    """The facts of these rules that are neither known nor known not to be, and those without which a part is open."""
    names = dict.fromkeys(
        leaf.fact.name
        for outcome in outcomes
        for leaf in leaves(outcome.trace)
        if leaf.fact is not None and leaf.fact.state is State.UNKNOWN and leaf.truth is None
    )
    names |= dict.fromkeys(name for outcome in outcomes for name in outcome.missing)
    return _named(told, names)


# --- each rule ------------------------------------------------------------------------------------------------------
def rule_letter(told: Explained, outcome: RuleOutcome) -> str:
    """What became of one rule, and why."""
    match outcome.status:
        case Status.FIRED:
            return _fired(told, outcome)
        case Status.SUPPRESSED:
            return _suppressed(told, outcome)
        case Status.UNKNOWN:
            return " ".join(
                [f"Not decided: {_criterion(outcome)}.", *_known_and_not(told, outcome.facts, outcome.missing)]
            )
        case Status.ERROR:
            return f"{_criterion(outcome)} could not be looked at: do not read this as no referral."
    if outcome.status is Status.OUT_OF_DATE and not outcome.missing:
        return f"{_criterion(outcome)} is not in force on {day(told.decision.as_of)}."
    return _not_fired(told, outcome)


def _fired(told: Explained, outcome: RuleOutcome) -> str:
    referrals = [each for each in told.decision.referrals if outcome.rule in each.rules]
    if referrals:
        return " ".join(referral_paragraph(told, each) for each in referrals)
    found = _findings(told, outcome.facts)
    shown = f" Her record shows: {found}." if found else ""
    none = "No referral is asked for" if not outcome.missing else "On what is known, no referral is asked for"
    return f"{none} by the criterion {_criterion(outcome)}, which is met.{shown}{_lacking(told, outcome)}"


def _suppressed(told: Explained, outcome: RuleOutcome) -> str:
    found = _findings(told, outcome.facts)
    shown = f" Her record shows: {found}." if found else ""
    steps = [told.steps[step] for step in outcome.suppressed_by if step in told.steps]
    if steps:
        outside = OUTSIDE_WINDOW in outcome.suppressed_by
        what = "outside its window, and the referral in its place was held back" if outside else "held back"
        held = f"{_criterion(outcome)} is met, but {what}. {_sentence(listed(steps))}"
        return f"Not referred{_to(told, outcome)}: {held}{shown}"
    went = [told.phrases.to(each.service) for each in told.decision.referrals if outcome.rule in each.rules]
    instead = f" She is referred to {listed(went)} instead." if went else ""
    return f"Not referred{_to(told, outcome)}: {_criterion(outcome)} is met, but outside its window.{instead}{shown}"


def _not_fired(told: Explained, outcome: RuleOutcome) -> str:
    reasons = list(dict.fromkeys(_reasons(told, outcome)))
    why = "; ".join(reasons) if reasons else "more than one thing would have to be otherwise"
    what = f"Not referred{_to(told, outcome)}" if told.sends[outcome.rule] else "Nothing is asked for"
    return f"{what} under {_criterion(outcome)}: {why}.{_lacking(told, outcome)}"


def _lacking(told: Explained, outcome: RuleOutcome) -> str:
    return f" Not known: {_named(told, outcome.missing)}." if lacks(outcome) else ""


def _reasons(told: Explained, outcome: RuleOutcome) -> Iterator[str]:
    for turning in told.turned[outcome.rule]:
        for change in turning.changes:
            yield from (told.phrases.in_the_way(setting) for setting in change.settings)


def _to(told: Explained, outcome: RuleOutcome) -> str:
    lost = [key for turning in told.turned[outcome.rule] if turning.goal == "go" for key in turning.services]
    services = [told.phrases.to(key) for key in lost or told.sends[outcome.rule]]
    return f" to {' or '.join(services)}" if services else ""


# --- the whole ------------------------------------------------------------------------------------------------------
def letter(told: Explained, shown: list[RuleOutcome], tasks: Iterable[ProposedTask]) -> list[str]:
    """The paragraphs of the decision: who she is, each referral, these tasks, the rules shown that referred nobody."""
    paragraphs = [opening(told)]
    rules = {outcome.rule for outcome in shown}
    referrals = [each for each in told.decision.referrals if rules & set(each.rules)]
    paragraphs += [referral_paragraph(told, referral) for referral in referrals]
    if not told.decision.referrals:
        paragraphs.append("No referral is proposed on what is known.")
    paragraphs += [task_paragraph(told, task) for task in sorted(tasks, key=lambda t: -PRIORITIES.index(t.priority))]
    referred = {rule for referral in referrals for rule in referral.rules}
    paragraphs += [rule_letter(told, outcome) for outcome in shown if outcome.rule not in referred]
    return paragraphs
