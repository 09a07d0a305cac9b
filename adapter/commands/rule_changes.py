"""Commands that say what a change of the rules changes: in the rules themselves, and for the people of a cohort."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapter.commands.apps import rules_app
from adapter.commands.arguments import day as as_of_day
from adapter.commands.output import TextOrJson, say, write_line

if TYPE_CHECKING:
    from rules.tools import LoadedSide

AsOf = Annotated[
    str, typer.Option("--as-of", metavar="DATE", help="The day of a side that names none, YYYY-MM-DD; today.")
]


class TableOrJson(StrEnum):
    TABLE = "table"
    JSON = "json"


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


@rules_app.command("simulate")
def rules_simulate(
    cohort: Annotated[Path, typer.Option("--cohort", exists=True, file_okay=False, help="The folder of records.")],
    b: Annotated[str, typer.Option("--b", metavar="SIDE", help="[FOLDER][:PROVIDER][@DATE]: what would be.")],
    a: Annotated[str, typer.Option("--a", metavar="SIDE", help="What is; the pack in use if not given.")] = "",
    as_of: AsOf = "",
    mapping: Annotated[str, typer.Option("--mapping", metavar="NAME", help="The mapping of these records.")] = "",
    output: Annotated[TableOrJson, typer.Option("--format")] = TableOrJson.TABLE,
    json: Annotated[Path | None, typer.Option("--json", help="Write it as JSON here.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with charts here.")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="How many run at once; 0 is one per core.")] = 0,
) -> None:
    """Decide about every record of a cohort under two sides, and say what changes for whom, and why.

    A record of a fixture (a folder with expected.yaml) is decided for the fixture's own day and provider, any other
    for --as-of; a side's own day and provider stand above both. Exit 1: a record could not be decided.
    """
    import os

    import orjson

    from adapter import simulate as simulating
    from rules import ContentError
    from rules.tools import parse_side

    day = as_of_day(as_of)
    sides = []
    for name, text in (("A", a), ("B", b)):
        try:
            sides.append(parse_side(text))
        except ContentError as wrong:
            say(f"perinatal: {name}: {wrong}")
            raise typer.Exit(2) from None
    plan = simulating.Plan(sides[0], sides[1], day, mapping)
    try:
        found = simulating.simulate(cohort, plan, jobs or os.cpu_count() or 1)
    except ContentError as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    if json:
        json.write_bytes(orjson.dumps(found.json(), option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_INDENT_2))
    if html:
        html.write_text(simulating.page(found), encoding="utf-8")
    if output is TableOrJson.JSON:
        write_line(found.json())
    else:
        simulating.render(found)
    raise typer.Exit(found.exit_code)


def _loaded(name: str, text: str, day: date) -> LoadedSide:
    from adapter.settings import Settings
    from rules import ContentError
    from rules.tools import load_side, parse_side

    settings = Settings()
    try:
        return load_side(parse_side(text), day, settings.rules_path, settings.provider, settings.directory_path)
    except ContentError as wrong:
        say(f"perinatal: {name}: {wrong}")
        raise typer.Exit(2) from None
