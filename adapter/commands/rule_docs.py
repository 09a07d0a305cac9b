"""Commands that tell people and editors what rules are: the pages of a pack, and the schemas of its files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapter.commands.apps import rules_app
from adapter.commands.arguments import PackFolder, day, pack_in_use
from adapter.commands.output import say, write_line


@rules_app.command("docs")
def rules_docs(
    folder: PackFolder = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the pages go.")] = Path("out/rules"),
    provider: Annotated[
        str, typer.Option("--provider", metavar="NAME", help="The provider whose policies apply; that of the settings.")
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
    from adapter.settings import Settings
    from rules.tools import measure
    from rules.tools.docs import site, write_site

    pack, when = pack_in_use(folder), day(as_of)
    chosen = provider or Settings().provider or None
    try:
        report = measure(pack) if coverage else None
        files = site(pack, when, chosen, report, display)
        write_site(files, out)
    except (rules.ContentError, OSError) as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    typer.echo(f"{len(files)} files in {out}: open {out / 'index.html'}")


@rules_app.command("schema")
def rules_schema(
    name: Annotated[
        str, typer.Argument(help="A kind of file: pack, facts, criteria …; all of them if not given.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write each into a file of its own here, for an editor.")
    ] = None,
) -> None:
    """Print the JSON Schemas of a pack's files: all in one object by kind of file, or one."""
    from rules.tools.schemas import KINDS, schema, schemas, write_schemas

    if name and name not in KINDS:
        say(f"perinatal: no kind of file is called {name!r}; there are: {', '.join(KINDS)}")
        raise typer.Exit(2)
    if out is None:
        write_line(schema(name) if name else schemas())
        return
    try:
        paths = write_schemas(out, [name] if name else KINDS)
    except OSError as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    for path in paths:
        typer.echo(path)
