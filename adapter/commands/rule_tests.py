"""Commands that run and measure the tests beside the rules."""

from __future__ import annotations

from typing import Annotated

import typer

from adapter.commands.apps import rules_app
from adapter.commands.arguments import PackFolder, pack_in_use
from adapter.commands.output import TextOrJson, say, write_line


@rules_app.command("test")
def rules_test(
    folder: PackFolder = None,
) -> None:
    """Run the tests that stand beside the rules."""
    import rules

    try:
        results = [failures for _, failures in rules.rule_test_results(pack_in_use(folder))]
    except rules.ContentError as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    for failures in results:
        for failure in failures:
            typer.echo(failure)
    failed = sum(bool(failures) for failures in results)
    typer.echo(f"{len(results) - failed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


@rules_app.command("coverage")
def rules_coverage(
    folder: PackFolder = None,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Change the rules a little and see if a test fails.")
    ] = False,
    table: Annotated[bool, typer.Option("--boundaries", help="Show the cases beside every threshold.")] = False,
    fail_under: Annotated[
        float, typer.Option("--fail-under", metavar="PERCENT", min=0, max=100, help="Exit 1 below this.")
    ] = 0,
    output: Annotated[TextOrJson, typer.Option("--format")] = TextOrJson.TEXT,
) -> None:
    """Say which criteria, branches and thresholds the tests beside the rules have not seen."""
    import rules
    from rules.tools import measure, usual_jobs

    try:
        report = measure(pack_in_use(folder), mutate, usual_jobs())
    except rules.ContentError as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    if output is TextOrJson.JSON:
        write_line(report.json())
    else:
        for line in report.lines(table):
            typer.echo(line)
    raise typer.Exit(1 if report.lowest < fail_under else 0)
