"""What can be seen without solving: sources, dates, what nothing supplies or uses, labels, tests beside the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rules.engine.conditions import Condition, Derived, Place, walk
from rules.engine.content import Content, FlagSpec, IssueSpec, Outcome, Refer, StepAction, TaskSpec
from rules.engine.load_steps import FACT_OPEN, FACT_REFUSED
from rules.engine.names import named_conditions
from rules.engine.parse import PARAMETER
from rules.engine.rule_tests import RuleTest
from rules.tools.lint.encoding import facts_in
from rules.tools.lint.finding import Finding
from rules.tools.lint.reach import Reach
from rules.tools.lint.solver import Solver
from rules.tools.thresholds import used_parameters

BANK_HOLIDAYS = "bank-holidays"


def declared_findings(content: Content, as_of: date, local_codes: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    """Findings about the declarations of a pack, on one day.

    ``local_codes``: the codes of tasks, flags and issues that have words, by kind; other kinds are not checked.
    """
    yield from _sources(content)
    yield from _dates(content, as_of)
    yield from _unused(content)
    yield from _labels(content)
    yield from _local_codes(content, local_codes)


def untested_findings(tests: Sequence[RuleTest], reach: Reach, solver: Solver) -> Iterator[Finding]:
    """Rules without a test that they fire, do not fire, or cannot be decided (where that can be)."""
    expected = {
        status: {rule for test in tests for key in keys for rule in test.expect.get(key, ())}
        for status, keys in (("fired", ("fired",)), ("not", ("not_fired", "suppressed")), ("unknown", ("unknown",)))
    }
    for rule in reach.rules:
        if rule.id in reach.impossible:
            continue
        truths = solver.truths(reach.whole[rule.id])
        undecided = solver.encoder.neither(truths)
        for code, status, words, formula in (
            ("RL701", "fired", "fires", truths.true),
            ("RL702", "not", "does not fire", truths.false),
            ("RL703", "unknown", "cannot be decided", undecided),
        ):
            if rule.id not in expected[status] and solver.possible(formula):
                yield Finding(code, rule.place, f"no test expects that {rule.id} {words}", (rule.id,))


def _sources(content: Content) -> Iterator[Finding]:
    for parameter in content.parameters.values():
        if parameter.sources or parameter.provider:
            continue
        code, words = ("RL502", "is to be confirmed and") if parameter.confirm else ("RL501", "")
        message = " ".join(f"the parameter {parameter.name} {words} names no source".split())
        yield Finding(code, parameter.place, message, (parameter.name,))


def _dates(content: Content, as_of: date) -> Iterator[Finding]:
    for rule in content.rules:
        if rule.valid_to < as_of:
            yield Finding("RL503", rule.place, f"{rule.id} counted until {rule.valid_to} only", (rule.id,))
    firsts = {name: each.values[0].start for name, each in content.parameters.items()}
    dated = [first for first in firsts.values() if first > date.min]
    for name, first in firsts.items():
        if dated and first > min(dated):
            message = (
                f"the parameter {name} has no value from {min(dated)} to the day before {first}: nothing can be decided"
            )
            yield Finding("RL504", content.parameters[name].place, message, (name,))
    provider = content.provider
    if provider.valid_to < as_of:
        place = Place(str(content.folder / "providers" / f"{provider.name}.yaml"), 1, 1)
        yield Finding(
            "RL505", place, f"the policy of {provider.name} counted until {provider.valid_to} only", (provider.name,)
        )


def _unused(content: Content) -> Iterator[Finding]:
    for name, fact in content.facts.items():
        if fact.derive is None and not fact.source:
            yield Finding("RL506", fact.place, f"nothing supplies {name}", (name,))
    used = _used_facts(content)
    for name, fact in content.facts.items():
        if name not in used:
            yield Finding("RL507", fact.place, f"no rule, ask or step uses {name}", (name,))
    parameters = {*used_parameters(content), BANK_HOLIDAYS}
    parameters |= {name for fact in content.facts.values() for name in _parameters_in(fact.source)}
    parameters |= {within.days.parameter for within in content.timeframes.values()}
    for name, parameter in content.parameters.items():
        if name not in parameters:
            yield Finding("RL508", parameter.place, f"nothing uses the parameter {name}", (name,))


def _used_facts(content: Content) -> frozenset[str]:
    """Facts, also derived ones, that what the pack decides rests on or asks for."""
    conditions = [named.condition for named in named_conditions(content).values()]
    found = set(facts_in(conditions, content.facts))
    waiting: list[Condition] = list(conditions)
    while waiting:
        for each in walk(waiting.pop()):
            if isinstance(each, Derived) and each.fact not in found:
                found.add(each.fact)
                declaration = content.facts[each.fact]
                waiting += [inner for inner in (declaration.derive, declaration.unknown_when) if inner is not None]
    asks = [*content.asks, *(ask for rule in content.rules for ask in rule.asks)]
    for act in (*(ask.task for ask in asks), *_acts(content)):
        if isinstance(act, TaskSpec):
            found.update(act.facts)
        elif isinstance(act, Refer) and act.start is not None:
            found.add(act.start.fact)
    for step in content.steps:
        found.update(name for name, looked in ((FACT_OPEN, step.open), (FACT_REFUSED, step.refused)) if looked)
    return frozenset(found)


def _acts(content: Content) -> Iterator[StepAction | Refer]:
    outcomes: list[Outcome] = [outcome for rule in content.rules for outcome in rule.then]
    yield from (outcome.act for outcome in outcomes)
    for step in content.steps:
        yield from step.actions


def _parameters_in(source: Any) -> Iterator[str]:
    if isinstance(source, str) and source.startswith(PARAMETER):
        yield source.removeprefix(PARAMETER)
    elif isinstance(source, dict):
        for value in source.values():
            yield from _parameters_in(value)
    elif isinstance(source, list):
        for value in source:
            yield from _parameters_in(value)


def _labels(content: Content) -> Iterator[Finding]:
    labelled = (
        *((fact.label, fact.place, name) for name, fact in content.facts.items()),
        *((parameter.label, parameter.place, name) for name, parameter in content.parameters.items()),
        *((rule.title, rule.place, rule.id) for rule in content.rules),
        *((step.title, step.place, step.id) for step in content.steps),
        *(
            (service.label, Place(str(content.folder / "services.yaml"), 1, 1), key)
            for key, service in content.services.items()
        ),
    )
    for label, place, name in labelled:
        if not label.strip():
            yield Finding("RL509", place, f"{name} has an empty label", (name,))


def _local_codes(content: Content, known: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    for kind, code, place, owner in _coded(content):
        if kind in known and code not in known[kind]:
            yield Finding("RL510", place, f"the {kind} {code!r} is none of the local codes", (owner,))


def _coded(content: Content) -> Iterator[tuple[str, str, Place, str]]:
    """Each task, flag and issue that the pack can make, with where it stands and whose it is."""
    kinds = {TaskSpec: "task", FlagSpec: "flag", IssueSpec: "issue"}
    for rule in content.rules:
        for outcome in rule.then:
            if isinstance(outcome.act, TaskSpec | FlagSpec | IssueSpec):
                yield kinds[type(outcome.act)], outcome.act.code, outcome.place, rule.id
        yield from (("task", ask.task.code, ask.place, rule.id) for ask in rule.asks)
    yield from (("task", ask.task.code, ask.place, ask.id) for ask in content.asks)
    for step in content.steps:
        for action in step.actions:
            if isinstance(action, TaskSpec | FlagSpec | IssueSpec):
                yield kinds[type(action)], action.code, step.place, step.id
    for name, fact in content.facts.items():
        if fact.ask:
            yield "task", fact.ask, fact.place, name
