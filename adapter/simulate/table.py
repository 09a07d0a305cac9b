"""A simulation as a table at a terminal, in the style of the clinician's table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapter.referrals.table import STYLES, soon, usual_console
from adapter.simulate.report import Person, Simulation
from adapter.simulate.words import NO_DIFFERENCE, SAFETY, rows, why

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def render(simulation: Simulation, console: Console | None = None) -> None:
    """Print what changes for whom, the referrals of both sides by service and priority, and a line in sum."""
    from rich.text import Text

    out = console or usual_console()
    for name, title in simulation.titles:
        out.print(Text(f"{name}  {title}"))
    people = [*simulation.changed, *(each for each in simulation.failed if not each.compared.changed)]
    if people:
        out.print(_people(people, simulation))
    else:
        out.print(Text(NO_DIFFERENCE))
    if simulation.counts:
        out.print(_counts(simulation))
    if simulation.alarms:
        names = ", ".join(each.name for each in simulation.alarms)
        out.print(Text(f"{SAFETY}: lost, later or not decided in B for {names}", style=STYLES["stat"]))
    out.print(Text(simulation.summary))


def _people(people: list[Person], simulation: Simulation) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(expand=True)
    for heading, ratio in (("Who", 4), ("What changes", 5), ("How soon", 5), ("Why", 10)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for person in people:
        who = Text(person.name)
        reasons = Text("\n".join(f"{side}: {line}" if side else line for side, line in why(person)))
        for row in rows(person, simulation):
            what = Text(f"{SAFETY} " if row.alarm else "", style=STYLES["stat"])
            what.append(row.what, style="default")
            spoken = f"{row.before or 'none'}\n→ {row.after or 'none'}" if row.before or row.after else ""
            table.add_row(who, what, Text(spoken, style=STYLES.get(row.style, "")), reasons)
            who = reasons = Text()
        table.add_section()
    return table


def _counts(simulation: Simulation) -> Table:
    from rich.table import Table

    table = Table(title="Referrals", title_justify="left")
    for heading in ("Service", "Priority"):
        table.add_column(heading)
    for heading in ("A", "B", "Difference"):
        table.add_column(heading, justify="right")
    for count in simulation.counts:
        difference = f"{count.difference:+d}" if count.difference else ""
        table.add_row(simulation.label(count.service), soon(count.priority), str(count.a), str(count.b), difference)
    return table
