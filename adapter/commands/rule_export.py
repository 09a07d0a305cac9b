"""The command that writes a pack as FHIR definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapter.commands.apps import rules_app
from adapter.commands.arguments import PackFolder, pack_in_use
from adapter.commands.output import say


@rules_app.command("export")
def rules_export(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write to; made if it is not there.")],
    folder: PackFolder = None,
    provider: Annotated[
        str, typer.Option("--provider", help="Whose policies apply; that of the settings, else the pack's.")
    ] = "",
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="DATE", help="The day whose destinations and timeframes are written.")
    ] = "",
    base: Annotated[str, typer.Option("--base", metavar="URL", help="Canonical base; that of the settings.")] = "",
) -> None:
    """Write each rule as FHIR PlanDefinition, ActivityDefinition and ValueSets, and the logic as CQL and ELM."""
    from collections import Counter
    from datetime import date

    import rules
    from adapter.errors import CannotStart
    from adapter.export import export_resources
    from adapter.export.files import write_export
    from adapter.facts import SiteCodes, load_site_codes
    from adapter.settings import Settings

    try:
        day = date.fromisoformat(as_of) if as_of else None
    except ValueError:
        say(f"perinatal: {as_of!r} is no date as YYYY-MM-DD")
        raise typer.Exit(2) from None
    settings, chosen = Settings(), pack_in_use(folder)
    codes = settings.codes_path
    try:
        site = load_site_codes(codes, chosen / "codes") if codes else SiteCodes()
        pack = rules.load_pack(chosen, provider or settings.provider or None, site.identity)
        resources = export_resources(pack, base or settings.base, day, codes, apart=True)
        write_export(resources, out)
    except (rules.ContentError, CannotStart) as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    except OSError as wrong:
        say(f"perinatal: {out} cannot be written: {wrong.strerror}")
        raise typer.Exit(2) from None
    for kind, count in Counter(resource["resourceType"] for resource in resources).items():
        typer.echo(f"{count:>4}  {kind}")
