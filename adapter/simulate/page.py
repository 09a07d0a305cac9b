"""A simulation as one page to read in a browser or to print: charts, counts, and what changes for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from adapter.pages import render
from adapter.referrals.table import soon
from adapter.simulate import words
from adapter.simulate.report import Count, Person, Simulation
from rules import PRIORITIES

COLOURS = {"stat": "#4a0a2c", "asap": "#b02a1a", "urgent": "#8a5a00", "routine": "#00703c"}
"""Each is told from white, and carries white numbers, at a contrast of 4.5 or more (WCAG 2.2 AA)."""
_WIDTH, _BAR, _GAP, _GROUP = 900, 20, 3, 10
_LABEL, _SIDES, _TOTALS = 22, 24, 50
_FITS = 14
"""The least width of a bar that a number fits into, in pixels."""
_OTHER_COLOUR = "#4c6272"


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    count: int
    colour: str

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def fits(self) -> bool:
        return self.width >= _FITS


@dataclass(frozen=True, slots=True)
class BarRow:
    """The referrals to one service on one side, a bar for each priority; ``label`` stands above the first side's."""

    label: str
    side: str
    y: int
    bars: tuple[Bar, ...]
    end: float
    total: int

    @property
    def text_y(self) -> int:
        return self.y + 15

    @property
    def label_y(self) -> int:
        return self.y - 6


@dataclass(frozen=True, slots=True)
class Legend:
    words: str
    colour: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Two rows of bars for each service; every size in pixels of the drawing. ``words`` says the same in a text."""

    rows: tuple[BarRow, ...]
    height: int
    priorities: tuple[Legend, ...]
    words: str
    width: int = _WIDTH
    bar: int = _BAR


def page(simulation: Simulation) -> str:
    """One HTML file with everything in it; nothing is fetched from elsewhere."""
    people = [*simulation.changed, *(each for each in simulation.failed if not each.compared.changed)]
    return render(
        "simulate.html",
        title=f"What a change of the rules would change: {simulation.cohort}",
        simulation=simulation,
        people=people,
        chart=chart(simulation),
        choices=_choices(people, simulation),
        rows=partial(_rows, simulation=simulation),
        why=words.why,
        soon=soon,
        kinds=words.KINDS,
        failed=words.FAILED,
        safety=words.SAFETY,
        nothing=words.NO_DIFFERENCE,
    )


def _rows(person: Person, simulation: Simulation) -> list[words.Row]:
    return list(words.rows(person, simulation))


def _choices(people: list[Person], simulation: Simulation) -> dict[str, list[object]]:
    """What the filters offer: no more than there is."""
    every = [row for person in people for row in words.rows(person, simulation)]
    services = {(key, simulation.label(key)) for row in every for key in row.services}
    kinds: list[object] = [*dict.fromkeys(row.kind for row in every)]
    return {"kinds": kinds, "services": [*sorted(services, key=lambda pair: pair[1])]}


def chart(simulation: Simulation) -> Chart:
    """Bars for the referrals to each service on both sides, in the order of the counts."""
    found: dict[str, list[Count]] = {}
    for count in simulation.counts:
        found.setdefault(count.service, []).append(count)
    totals = [sum(each.a for each in several) for several in found.values()]
    totals += [sum(each.b for each in several) for several in found.values()]
    scale = (_WIDTH - _SIDES - _TOTALS) / max(totals, default=1)
    rows: list[BarRow] = []
    y = 0
    told: list[str] = []
    for service, several in found.items():
        said = []
        y += _LABEL
        for side in ("A", "B"):
            numbers = [(each.priority, each.a if side == "A" else each.b) for each in several]
            row = _bar_row(simulation.label(service) if side == "A" else "", side, y, numbers, scale)
            rows.append(row)
            said.append(f"{row.total} under {side}")
            y += _BAR + _GAP
        told.append(f"{simulation.label(service)}: {', '.join(said)}.")
        y += _GROUP
    used = {count.priority for count in simulation.counts}
    legend = tuple(Legend(soon(each), _colour(each)) for each in reversed(PRIORITIES) if each in used)
    return Chart(tuple(rows), y, legend, " ".join(told))


def _bar_row(label: str, side: str, y: int, numbers: Sequence[tuple[str, int]], scale: float) -> BarRow:
    bars: list[Bar] = []
    x = float(_SIDES)
    for priority, count in numbers:
        if count:
            bars.append(Bar(round(x, 1), round(count * scale, 1), count, _colour(priority)))
            x += count * scale
    return BarRow(label, side, y, tuple(bars), round(x + 6, 1), sum(bar.count for bar in bars))


def _colour(priority: str) -> str:
    return COLOURS.get(priority, _OTHER_COLOUR)
