"""The command that checks the rules by solving them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from adapter.commands.apps import rules_app
from adapter.commands.arguments import PackFolder, pack_in_use
from adapter.commands.output import TextOrJson, say, write_line


@rules_app.command("lint")
def rules_lint(
    folder: PackFolder = None,
    provider: Annotated[str | None, typer.Option(help="This provider alone; every one if not given.")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="This day alone; every day on which a value changes if not given."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on a warning too.")] = False,
    allowed: Annotated[bool, typer.Option("--allowed", help="Show what lint.yaml allows, with its reasons.")] = False,
    output: Annotated[TextOrJson, typer.Option("--format")] = TextOrJson.TEXT,
) -> None:
    """Find rules that can never fire, gaps and overlaps between bands, dead criteria, wrong codes and more."""
    import rules
    from adapter.referrals.terms import local_codes
    from rules.tools.lint import Severity, lint

    day = as_of.date() if as_of else None
    try:
        report = lint(pack_in_use(folder), provider, day, date.today(), local_codes())
    except rules.RulesError as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    if output is TextOrJson.JSON:
        write_line(report.json())
    else:
        for line in report.lines(allowed):
            typer.echo(line)
    failed = report.count(Severity.ERROR) or (strict and report.count(Severity.WARNING))
    raise typer.Exit(1 if failed else 0)
