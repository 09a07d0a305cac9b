"""A small pack for tests, whose files can be replaced one by one."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent

from rules import DateSpan, DaySpan, Fact, Pack, State, load_pack

AS_OF = date(2026, 3, 2)  # a Monday

SOURCES = "sources: [{document: A document}]"

PACK = {
    "pack.yaml": """
        name: tiny
        version: 1.2.3
        title: A tiny pack
        default_provider: home
        timeframes: {stat: 0, asap: 1, urgent: {within: 2, working: true}, routine: parameters.routine-days}
        outside_when: {ended_on: known}
    """,
    "facts.yaml": """
        score: {label: Score, type: integer, range: [0, 30], ask: complete-score, ask_text: Do the form, from: {x: y}}
        item: {label: Item, type: integer, range: [0, 3], ask: complete-item, from: {x: y}}
        weight: {label: Weight, type: number, unit: kg, from: {x: y}}
        ill: {label: Ill, type: boolean, absent: unknown, ask: confirm-diagnosis, from: {x: y}}
        pregnant: {label: Pregnant, type: boolean, absent: unknown, ask: confirm-pregnancy-status, from: {x: y}}
        ended_on: {label: End of pregnancy, type: date, from: {x: y}}
        started_on: {label: Start of pregnancy, type: date, absent: unknown, from: {x: y}}
        gestation: {label: Gestation, type: days, from: {x: y}}
        word: {label: Word, type: text, from: {x: y}}
        age_years: {label: Age, type: integer, unit: years, absent: unknown, from: {x: y}}
        open_services: {label: Open services, type: codes, from: {x: y}}
        consent_refused_for: {label: Refused, type: codes, from: {x: y}}
        in_window:
          label: In the window
          type: boolean
          derive: {any: [{pregnant: present}, {ended_on: {within_months: parameters.window-months}}]}
    """,
    "parameters.yaml": """
        cut-off: {label: Cut-off, values: [{from: 2020-01-01, value: 10}, {from: 2026-01-01, value: 13}]}
        window-months: {label: Window, unit: months, values: [{from: 2020-01-01, value: 12}]}
        routine-days: {label: Routine, unit: days, values: [{from: 2020-01-01, value: 14}]}
        wait-days: {label: Wait, unit: days, values: [{from: 2020-01-01, value: 28}]}
        bank-holidays: {label: Bank holidays, values: [{from: 2020-01-01, value: ["2026-03-03"]}]}
        destination-moderate: {label: Where moderate illness goes, values: [{from: 2020-01-01, value: therapies}]}
    """,
    "services.yaml": """
        team: {label: Perinatal team, mhsds_team_type: C02, fallback: adult-team}
        adult-team: {label: Adult team}
        therapies: {label: Talking therapies}
        crisis: {label: Crisis team, fallback: team}
        camhs: {label: Young people's team}
        gp: {label: GP}
    """,
    "providers/home.yaml": """
        provider: home
        title: Home
    """,
    "criteria/a.yaml": f"""
        - id: r1
          title: A high score
          {SOURCES}
          when: {{score: {{gte: parameters.cut-off}}}}
          then:
            - refer: {{service: team, priority: routine, reason: high-score}}
    """,
}


def write(folder: Path, **files: str) -> Path:
    """Write the tiny pack with some of its files (named by their stem, or criteria, steps) replaced."""
    names = {"criteria": "criteria/a.yaml", "steps": "second_stage.yaml", "home": "providers/home.yaml"}
    replaced = {names.get(name, f"{name}.yaml"): text for name, text in files.items()}
    for name, text in {**PACK, **replaced}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return folder


def tiny(folder: Path, **files: str) -> Pack:
    return load_pack(write(folder, **files))


def rule(condition: str, rule_id: str = "r1", then: str = "", more: str = "") -> str:
    """A criteria file with one rule."""
    then = then or "[{refer: {service: team, priority: routine, reason: because}}]"
    return dedent(f"""
        - id: {rule_id}
          title: Rule {rule_id}
          {SOURCES}
          when: {condition}
          then: {then}
    """) + "".join(f"  {line}\n" for line in more.splitlines() if line.strip())


def known(**values: object) -> dict[str, Fact]:
    """Known facts; a date or a number of days (for gestation) becomes a span."""
    found = {}
    for name, value in values.items():
        if isinstance(value, date):
            value = DateSpan(value, value)
        elif name == "gestation" and isinstance(value, int):
            value = DaySpan(value, value)
        found[name] = Fact(name, State.KNOWN, value)  # type: ignore[arg-type]
    return found


def unknown(*names: str) -> dict[str, Fact]:
    return {name: Fact(name, State.UNKNOWN) for name in names}
