"""The clinician's table: who, where to, how soon, why; what to ask or do; and what was not referred."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from adapter.records import MappedBundle, Resource
from adapter.referrals.guidance import lacks
from adapter.referrals.requests import task_text
from adapter.referrals.routing import NOT_ROUTED, Routing
from adapter.referrals.services import destination
from adapter.referrals.terms import display
from adapter.referrals.wanted import Wanted, because, task_reasons
from adapter.referrals.words import day
from rules import PRIORITIES, Decision, RuleOutcome, Service, Status

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {"stat": "bold white on red", "asap": "bold red", "urgent": "yellow", "routine": "green", "alert": "magenta"}
_PRIORITIES = {"stat": "emergency (stat)", "asap": "very urgent (asap)"}
_WORD = re.compile(r"[\w-]+")
_ARTICLES = frozenset({"a", "an", "the"})
_PLAIN_WIDTH = 120  # columns, where there is no terminal to ask


@dataclass(frozen=True, slots=True)
class Decided:
    """One person's decision with the record it was made on, and the pack's words for services and facts."""

    record: MappedBundle
    patient_index: int
    decision: Decision
    services: Mapping[str, Service] = field(default_factory=dict)
    facts: Mapping[str, Wanted] = field(default_factory=dict)
    known: Routing = NOT_ROUTED


@dataclass(frozen=True, slots=True)
class Line:
    """One row under a person: what is proposed, how soon, why. ``style`` is a priority, ``alert`` or ""."""

    what: str
    how_soon: str
    why: str
    style: str = ""


def render_table(results: Iterable[Decided], console: Console | None = None) -> None:
    """Print the table; colours only where ``console`` (default: standard output) is a terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_lines=False, expand=True)
    for heading, ratio in (("Who", 3), ("What", 5), ("How soon", 3), ("Why", 8)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for result in results:
        name = Text(who(result))
        for line in lines(result):
            style = STYLES.get(line.style, "")
            table.add_row(name, Text(line.what), Text(line.how_soon, style=style), Text(line.why))
            name = Text()
        table.add_section()
    (console or usual_console()).print(table)


def usual_console() -> Console:
    """Standard output: as wide as the terminal, and of one width where there is none."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_PLAIN_WIDTH)


def soon(priority: str) -> str:
    """A priority in the field's words beside FHIR's."""
    return _PRIORITIES.get(priority, priority)


def lines(result: Decided) -> Iterator[Line]:
    """The rows of one person: referrals (most urgent first), tasks, alerts, and what was not referred."""
    decision = result.decision
    titles = {outcome.rule: outcome.title for outcome in decision.outcomes}
    outside = {outcome.rule for outcome in decision.outcomes if outcome.status is Status.SUPPRESSED}

    def why(rule: str) -> str:
        return f"{titles.get(rule, rule)} ({rule})" + (", outside its window of time" if rule in outside else "")

    for referral in sorted(decision.referrals, key=lambda r: -PRIORITIES.index(r.priority)):
        to = destination(referral.service, result.services.get(referral.service)).label
        start = f"\nfrom {day(referral.start)}" if referral.start > decision.as_of else ""
        how_soon = soon(referral.priority)
        told = [titles.get(rule, rule) for rule in referral.rules]
        notes = _more_than(told, referral.notes)
        known = because(referral.facts, result.facts)
        reasons = "\n".join(part for part in (*map(why, referral.rules), *notes, known) if part)
        route = result.known.routes.get(referral.service)
        team = f"\n{route.entry.name}" if route and route.entry else ""
        yield Line(f"Refer: {to}{team}", f"{how_soon}{start}\nby {day(referral.end)}", reasons, referral.priority)
    if not decision.referrals:
        known = "No rule applies" if _applies_nothing(decision) else "No rule asks for one on what is known"
        yield Line("No referral", "", known)
    for task in sorted(decision.tasks, key=lambda t: -PRIORITIES.index(t.priority)):
        about = f" ({destination(task.service, result.services.get(task.service)).label})" if task.service else ""
        notes = _more_than([titles.get(rule, rule) for rule in task.rules], task.notes)
        grounds = task_reasons(task, result.facts, decision.facts)
        reasons = "\n".join(part for part in (*notes, *grounds, ", ".join(task.rules)) if part)
        how_soon = soon(task.priority)
        yield Line(f"To do: {task_text(task)}{about}", how_soon, reasons, task.priority)
    for flag in decision.flags:
        until = f"{day(flag.start)} to {day(flag.end)}" if flag.end else f"from {day(flag.start)}"
        yield Line(f"Alert: {display('perinatal-flag', flag.code)}", until, ", ".join(flag.rules), "alert")
    if rest := not_referred(result):
        yield Line("Not referred", "", rest)


def _more_than(titles: Sequence[str], notes: Iterable[str]) -> list[str]:
    return [note for note in notes if not told_by_title(note, titles)]


def told_by_title(note: str, titles: Iterable[str]) -> bool:
    """Whether a title says what a note says."""
    return any(_bare(note) in _bare(title) for title in titles)


def _bare(sentence: str) -> str:
    """A sentence without articles, punctuation and capitals: two that are alike say the same."""
    return " ".join(word for word in _WORD.findall(sentence.casefold()) if word not in _ARTICLES)


def who(result: Decided) -> str:
    """Name, NHS number in the pattern 3-3-4, and age: what there is of them, a line each."""
    entry: Resource = result.record.bundle["entry"][result.patient_index]["resource"]
    age = _age(entry.get("birthDate", ""), result.decision)
    parts = [_name(entry), _number(entry), f"{age} years" if age is not None else "age not known"]
    return "\n".join(part for part in parts if part)


def not_referred(result: Decided) -> str:
    """In one line: the rules held back, undecided, resting on data too old, or failed; "" where there are none."""
    said = []
    referred = {rule for referral in result.decision.referrals for rule in referral.rules}
    for outcome in result.decision.outcomes:
        if outcome.status is Status.SUPPRESSED and outcome.rule not in referred:
            said.append(f"{outcome.rule} held back ({', '.join(outcome.suppressed_by)})")
        elif outcome.status is Status.OUT_OF_DATE:
            why = "is not in force" if _not_in_force(outcome) else "rests on data too old to count"
            said.append(f"{outcome.rule} {why}")
        elif outcome.status is Status.ERROR:
            said.append(f"{outcome.rule} could not be evaluated")
    lacking = [outcome for outcome in result.decision.outcomes if lacks(outcome)]
    for how, fired in (("not decided", False), ("decided in part only", True)):
        if rules := [outcome.rule for outcome in lacking if (outcome.status is Status.FIRED) is fired]:
            said.append(f"{how} for want of data: {', '.join(rules)}")
    return "; ".join(said)


def _applies_nothing(decision: Decision) -> bool:
    """Whether every rule in force is certainly not met: none was held, failed, is undecided or rests on old data."""
    quiet = (each.status is Status.NOT_FIRED or _not_in_force(each) for each in decision.outcomes)
    return all(quiet) and not decision.tasks and not any(map(lacks, decision.outcomes))


def _not_in_force(outcome: RuleOutcome) -> bool:
    return outcome.status is Status.OUT_OF_DATE and not outcome.missing


def _name(patient: Resource) -> str:
    names = patient.get("name", ())
    for name in sorted(names, key=lambda n: n.get("use") not in ("official", "usual", None)):
        family, given = str(name.get("family", "")).upper(), " ".join(name.get("given", ()))
        if family or given:
            return ", ".join(part for part in (family, given) if part)
        if name.get("text"):
            return str(name["text"])
    return "Name not known"


def _number(patient: Resource) -> str:
    """The NHS number, spaced; else the first identifier as it is."""
    values = [(i.get("system", ""), str(i["value"])) for i in patient.get("identifier", ()) if "value" in i]
    for system, number in values:
        if system.casefold().endswith("/nhs-number") and len(number) == 10:
            return f"NHS {number[:3]} {number[3:6]} {number[6:]}"
    return values[0][1] if values else "no identifier"


def _age(birth: str, decision: Decision) -> int | None:
    """Completed years on the as-of date; None where neither a full date of birth nor the facts tell."""
    try:
        born = date.fromisoformat(birth)
    except ValueError:
        fact = decision.facts.get("age_years")
        return fact.value if fact is not None and type(fact.value) is int else None
    on = decision.as_of
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
