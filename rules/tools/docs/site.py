"""The pages of the site: each is one template over what the modules beside this one put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rules.engine.content import Step
from rules.engine.load_provider import fallback
from rules.engine.model import Source
from rules.engine.pack import load_pack
from rules.engine.rule_tests import load_rule_tests
from rules.tools.docs.confirm import code_lists, to_confirm
from rules.tools.docs.identity import identity
from rules.tools.docs.rule_view import RuleView, ask_row, rule_view
from rules.tools.docs.supplies import absence, supplies
from rules.tools.docs.tests_view import test_view
from rules.tools.docs.words import Said, Words, needs_confirming
from rules.tools.report import Report
from rules.tools.steps import IMPLIED, ORDER, About, StepWords
from rules.tools.words import PRIORITY_WORDS, Labels, humanised

TEMPLATES = Path(__file__).with_name("templates")
MADE_BY = "perinatal rules docs"
NAVIGATION = (
    ("index.html", "Rules"),
    ("after.html", "After the rules"),
    ("parameters.html", "Parameters"),
    ("facts.html", "Facts"),
    ("codes.html", "Code lists"),
    ("services.html", "Services"),
    ("confirm.html", "To be confirmed"),
    ("pack.html", "This pack"),
)
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of the second stage: its own condition, the referrals it is about, what it does."""

    step: Step
    when: Said | None
    about: tuple[About, ...]
    does: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What the tests beside the rules have seen of one rule."""

    met: int
    total: int
    unseen: tuple[str, ...]


def site(
    folder: Path, as_of: date, provider: str | None = None, report: Report | None = None, labels: Labels = humanised
) -> Mapping[str, str]:
    """Every file of the site by its name. The same pack, provider, day and report give the same text.

    ``report`` is what ``rules.tools.measure`` found, ``labels`` the words for the codes of tasks and flags. Raises
    ContentError when a file of the pack or of its tests is wrong, or where a parameter has no value on the day.
    """
    pack = load_pack(folder, provider)
    try:
        content, tests = pack.content, list(load_rule_tests(folder, pack))
    finally:
        pack.close()
    words = Words(content, as_of, labels)
    views = [rule_view(rule, words) for rule in content.rules]
    cases = [test_view(test, words) for test in tests]
    lists = code_lists(folder)
    offered = content.provider.in_force(content.provider.offers, as_of)
    taken_over = {key: fallback(content.provider, content.services, key, as_of)[0] for key in content.services}
    environment = _environment(words)
    environment.globals |= {"identity": identity(folder), "lists": lists, "named_lists": _named_lists(words)}
    pages: Mapping[str, Mapping[str, object]] = {
        "index.html": {"topics": _by_topic(views), "report": report},
        "after.html": {
            "steps": _step_views(words, labels),
            "order": ORDER,
            "implied": IMPLIED,
            "asks": [(ask, ask_row(ask, words)) for ask in content.asks],
            "tests": [case for case in cases if not case.rules],
            "outside_when": words.said(content.outside_when) if content.outside_when else None,
        },
        "parameters.html": {},
        "facts.html": {},
        "codes.html": {},
        "services.html": {"views": views, "offered": offered.value if offered else None, "taken_over": taken_over},
        "confirm.html": {"items": to_confirm(words, lists)},
        "pack.html": {"views": views, "tests": cases, "report": report},
    }
    found = {name: _page(environment, name, name, values) for name, values in pages.items()}
    for view in views:
        own = [case for case in cases if view.rule.id in case.rules]
        name = f"rule-{view.rule.id}.html"
        values = {"view": view, "tests": own, "measured": _measured(report, view.rule.id), "siblings": views}
        found[name] = _page(environment, "rule.html", name, values)
    found["style.css"] = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    return found


def write_site(files: Mapping[str, str], out: Path) -> None:
    """Write the files into a folder, and take away the pages of rules that an earlier run left there."""
    out.mkdir(parents=True, exist_ok=True)
    for stale in out.glob("rule-*.html"):
        if stale.name not in files and MADE_BY in stale.read_text(encoding="utf-8"):
            stale.unlink()
    for name, text in files.items():
        (out / name).write_text(text, encoding="utf-8", newline="\n")


def _environment(words: Words) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": _day, "mark": _mark}
    environment.tests["web_address"] = lambda url: url.startswith(("https://", "http://"))
    environment.globals |= {
        "made_by": MADE_BY,
        "navigation": NAVIGATION,
        "words": words,
        "content": words.content,
        "priorities": PRIORITY_WORDS,
        "supplies": lambda fact: supplies(fact, words),
        "absence": absence,
    }
    return environment


def _page(environment: Environment, template: str, name: str, values: Mapping[str, object]) -> str:
    return environment.get_template(template).render(page=name, **values) + "\n"


def _step_views(words: Words, labels: Labels) -> list[StepView]:
    says = StepWords(words.content, words.values, labels)
    return [
        StepView(step, words.said(step.when) if step.when else None, says.about(step), says.does(step))
        for step in words.content.steps
    ]


def _by_topic(views: Sequence[RuleView]) -> Mapping[str, list[RuleView]]:
    """The rules of each topic, in the pack's order."""
    found: dict[str, list[RuleView]] = {}
    for view in views:
        found.setdefault(view.topic, []).append(view)
    return found


def _named_lists(words: Words) -> Mapping[str, list[str]]:
    """The facts that name each code list."""
    found: dict[str, list[str]] = {}
    for name, declaration in words.content.facts.items():
        for supply in supplies(declaration, words):
            if supply.codes:
                found.setdefault(supply.codes, []).append(name)
    return found


def _measured(report: Report | None, rule: str) -> Measured | None:
    if report is None:
        return None
    met, total = report.coverage.groups().get(rule, (0, 0))
    unseen = [goal for goal in report.coverage.uncovered if goal.group == rule]
    return Measured(met, total, tuple(f"{goal.what}: {goal.outcome}" for goal in unseen))


def _day(day: date) -> str:
    """A date as people write it, whatever the locale: ``2 March 2026``."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _mark(source: Source) -> str:
    """The class of a source's mark: whether it must be looked at."""
    return "confirm" if needs_confirming(source) else "read"
