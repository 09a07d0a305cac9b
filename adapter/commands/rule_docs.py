"""Commands that tell people and editors what rules are: the pages of a pack, and the schemas of its files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapter.commands.apps import rules_app
from adapter.commands.arguments import day
from adapter.commands.output import say


@rules_app.command("docs")
def rules_docs(
    folder: Annotated[Path | None, typer.Argument(help="A pack's folder; the shipped pack if not given.")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the pages go.")] = Path("out/rules"),
    provider: Annotated[
        str, typer.Option("--provider", metavar="NAME", help="The provider whose policies apply.")
    ] = "",
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="DATE", help="The day whose values count, YYYY-MM-DD; today if not given.")
    ] = "",
    coverage: Annotated[
        bool, typer.Option("--coverage/--no-coverage", help="Measure what the tests beside the rules have seen.")
    ] = True,
) -> None:
    """Write the rules as pages for a clinician: what each asks for, what it does, why, and what is to be confirmed."""
    import rules
    from adapter.referrals.terms import display
    from rules.tools import measure
    from rules.tools.docs import site, write_site

    pack, when = folder or rules.LIBRARY, day(as_of)
    try:
        report = measure(pack) if coverage else None
        files = site(pack, when, provider or None, report, display)
        write_site(files, out)
    except (rules.ContentError, OSError) as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    typer.echo(f"{len(files)} files in {out}: open {out / 'index.html'}")
