"""Commands that say what a change of the rules changes: in the rules themselves, and for the people of a cohort."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from adapter.commands.apps import rules_app
from adapter.commands.output import TextOrJson, as_of_day, say, write_line

if TYPE_CHECKING:
    from rules.tools import LoadedSide

AsOf = Annotated[
    str, typer.Option("--as-of", metavar="DATE", help="The day of a side that names none, YYYY-MM-DD; today.")
]


@rules_app.command("diff")
def rules_diff(
    a: Annotated[str, typer.Argument(metavar="A", help="[FOLDER][:PROVIDER][@DATE]; no FOLDER: the pack in use.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other side, written in the same way.")],
    as_of: AsOf = "",
    output: Annotated[TextOrJson, typer.Option("--format")] = TextOrJson.TEXT,
) -> None:
    """Say in words what differs between two packs, two providers or two days. Exit 0: nothing; 1: something."""
    import rules
    from rules.tools import diff

    day = as_of_day(as_of)
    one, other = _loaded("A", a, day), _loaded("B", b, day)
    try:
        found = diff(one, other)
    except rules.ContentError as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    if output is TextOrJson.JSON:
        write_line(found.json())
    else:
        for line in found.lines():
            typer.echo(line)
    raise typer.Exit(1 if found.changes else 0)


def _loaded(name: str, text: str, day: date) -> LoadedSide:
    from adapter.settings import Settings
    from rules import ContentError
    from rules.tools import load_side, parse_side

    settings = Settings()
    try:
        return load_side(parse_side(text), day, settings.rules_path, settings.provider)
    except ContentError as wrong:
        say(f"perinatal: {name}: {wrong}")
        raise typer.Exit(2) from None
