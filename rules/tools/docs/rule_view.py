"""One rule for its page: the decision table, what it asks for when it cannot tell, and what may happen afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rules.engine.conditions import Threshold
from rules.engine.content import (
    Ask,
    FactDeclaration,
    FlagSpec,
    IssueSpec,
    Outcome,
    Refer,
    Rule,
    Step,
    TaskSpec,
)
from rules.engine.proposals import RANK
from rules.engine.second_stage import reaches
from rules.tools.docs.supplies import supplies
from rules.tools.docs.words import Said, Words
from rules.tools.paths import may_go
from rules.tools.words import PRIORITY_WORDS

_HIGHEST_OUTSIDE = PRIORITY_WORDS["urgent"]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a decision table. ``met`` is one of yes, no, outside, unknown; ``also`` is a branch's own condition.

    ``times`` and ``places`` are the parameters behind how soon and where.
    """

    met: str
    what: str
    also: Said | None = None
    soon: str = ""
    services: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class RuleView:
    """Everything a rule's page shows that is not looked up elsewhere.

    ``services`` are those it may refer to, ``lighter`` the one for those outside its window, or ""; ``codes`` are the
    lists by which its facts are recognised.
    """

    rule: Rule
    topic: str
    window: Said | None
    when: Said
    rows: tuple[Row, ...]
    asks: tuple[Row, ...]
    facts: tuple[str, ...]
    parameters: tuple[str, ...]
    codes: tuple[str, ...]
    services: tuple[str, ...]
    lighter: str
    steps: tuple[Step, ...]

    @property
    def priority(self) -> str:
        """The highest priority of its referrals, in FHIR's words, or "" for a rule that refers nobody."""
        refers = [outcome.act.priority for outcome in self.rule.then if isinstance(outcome.act, Refer)]
        return max(refers, key=RANK.__getitem__, default="")


def topic(rule: Rule) -> str:
    """The clinical topic: the name of the rule's file, in words."""
    name = Path(rule.place.file).stem.replace("_", " ")
    return name[:1].upper() + name[1:]


def rule_view(rule: Rule, words: Words) -> RuleView:
    """One rule in words."""
    services = {words.destination(outcome.act.service): None for outcome in rule.then if isinstance(outcome.act, Refer)}
    lighter = words.destination(rule.outside.service) if rule.outside else ""
    window, when = words.said(rule.window) if rule.window else None, words.said(rule.when)
    rows, asks = tuple(_rows(rule, words)), tuple(ask_row(ask, words) for ask in rule.asks)
    facts = words.closure(rule.window, rule.when, *(o.when for o in rule.then), *(a.when for a in rule.asks))
    spoken = [window, when, *(row.also for row in (*rows, *asks))]
    named = {name for said in spoken if said for name in said.named()}
    named.update(name for row in rows for name in (*row.times, *row.places))
    named.update(name for fact in facts for name in _behind(words.content.facts[fact], words))
    return RuleView(
        rule=rule,
        topic=topic(rule),
        window=window,
        when=when,
        rows=rows,
        asks=asks,
        facts=facts,
        parameters=tuple(name for name in words.content.parameters if name in named),
        codes=tuple(dict.fromkeys(name for fact in facts for name in _lists(words.content.facts[fact], words))),
        services=tuple(services),
        lighter=lighter,
        steps=_steps(rule, {*services, lighter} - {""}, words),
    )


def _behind(declaration: FactDeclaration, words: Words) -> Iterator[str]:
    """The parameters behind one fact: how long it counts, or those of the condition it is derived from."""
    for condition in (declaration.derive, declaration.unknown_when):
        if condition is not None:
            yield from words.said(condition).named()
    yield from (supply.parameter for supply in supplies(declaration, words) if supply.parameter)


def _lists(declaration: FactDeclaration, words: Words) -> Iterator[str]:
    return (supply.codes for supply in supplies(declaration, words) if supply.codes)


def ask_row(ask: Ask, words: Words) -> Row:
    """What is asked for whatever becomes of a rule."""
    return Row(
        met="",
        what=f"Task: {words.task(ask.task.code)}",
        also=words.said(ask.when),
        soon=PRIORITY_WORDS[ask.task.priority],
        facts=ask.task.facts,
        note=ask.task.text,
    )


def _rows(rule: Rule, words: Words) -> Iterator[Row]:
    for outcome in rule.then:
        yield _outcome(outcome, words)
    if rule.outside is not None:
        yield _outside(rule, words)
    yield from _unknown(rule, words)
    yield Row("no", "Nothing. A value that is too old to count is said, and fires nothing.")


def _outcome(outcome: Outcome, words: Words) -> Row:
    also = words.said(outcome.when) if outcome.when else None
    match outcome.act:
        case Refer() as refer:
            soon = f"{PRIORITY_WORDS[refer.priority]}, {words.within(refer.within, refer.start)}"
            times = _parameters(refer.within.days, *([refer.start.plus_days] if refer.start else []))
            to, places = words.destination(refer.service), _parameters(refer.service)
            return Row("yes", "Refer", also, soon, (to,), times, places, note=refer.text)
        case TaskSpec() as task:
            services = (task.service,) if task.service else ()
            soon, what = PRIORITY_WORDS[task.priority], f"Task: {words.task(task.code)}"
            return Row("yes", what, also, soon, services, facts=task.facts, note=task.text)
        case FlagSpec(code=code):
            return Row("yes", f"Alert: {words.flag(code)}", also)
        case IssueSpec(text=text):
            return Row("yes", "Note in the result", also, note=text)


def _outside(rule: Rule, words: Words) -> Row:
    assert rule.outside is not None  # noqa: S101 - only called for such rules
    only = words.content.outside_when
    highest = "" if rule.safety else f", {_HIGHEST_OUTSIDE} at the most"
    within = f", {words.within(rule.outside.within)}" if rule.outside.within else ""
    return Row(
        "outside",
        "Refer to the lighter service, and say that she is outside the window",
        words.said(only) if only else None,
        f"the priority it would have had{highest}{within}",
        (words.destination(rule.outside.service),),
        _parameters(rule.outside.within.days) if rule.outside.within else (),
        _parameters(rule.outside.service),
    )


def _parameters(*thresholds: Threshold) -> tuple[str, ...]:
    return tuple(threshold.parameter for threshold in thresholds if threshold.parameter)


def _unknown(rule: Rule, words: Words) -> Iterator[Row]:
    """A row for each Task that what is missing can make, and one for what nobody is asked about."""
    soon = PRIORITY_WORDS["asap" if rule.safety else "routine"]
    asked: dict[tuple[str, str], list[str]] = {}
    silent: list[str] = []
    for name in words.deciding(rule.window, rule.when, *(outcome.when for outcome in rule.then)):
        declaration = words.content.facts[name]
        if declaration.ask:
            asked.setdefault((declaration.ask, declaration.ask_text), []).append(name)
        else:
            silent.append(name)
    for (code, text), names in asked.items():
        yield Row("unknown", f"Task: {words.task(code)}", soon=soon, facts=tuple(names), note=text)
    if silent:
        what = "Said in the result as missing"
        if rule.safety:
            what += "; with a warning where this rule asks for nothing else"
        yield Row("unknown", what, facts=tuple(silent))


def _steps(rule: Rule, services: set[str], words: Words) -> tuple[Step, ...]:
    """The steps of the second stage that may touch this rule's referrals, wherever these may have come."""
    reached = may_go(words.content, rule, services, words.values, words.as_of)
    return tuple(step for step in words.content.steps if any(reaches(step, rule, service) for service in reached))
