"""The commands for a site's own mappings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapter.commands.apps import mappings_app
from adapter.commands.output import say, write_line


@mappings_app.command("new")
def mappings_new(
    name: Annotated[str, typer.Argument(help="The mapping's name; its folder has the same.")],
    sample: Annotated[Path, typer.Option("--from", exists=True, dir_okay=False, help="A sample, CSV or JSON.")],
    into: Annotated[Path | None, typer.Option(help="Where mappings are; MAPPINGS_PATH, or ./mappings.")] = None,
) -> None:
    """Draft a mapping from a sample of a system's own export: every field is listed, the obvious ones are proposed."""
    from adapter.errors import Malformed
    from adapter.mapping.draft import draft
    from adapter.settings import Settings

    settings = Settings()
    root = into or (settings.mappings_path if "mappings_path" in settings.model_fields_set else Path("mappings"))
    try:
        proposed = draft(name, sample, root)
    except Malformed as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    typer.echo(f"{root / name} is drafted; proposed by name alone, to be checked:")
    for field, what in proposed.items():
        typer.echo(f"  {field}: {what.replace('_', ' ')}")
    typer.echo(f"Every other field is in {root / name / 'todo.yaml'}: map it, or say why not.")


@mappings_app.command("lint")
def mappings_lint(
    folder: Annotated[Path | None, typer.Argument(help="A mapping's folder; all shipped ones if not given.")] = None,
) -> None:
    """Check the mappings: their code maps, their elements, and what they ignore."""
    from adapter.mapping.lint import lint_mapping

    folders = _mapping_folders(folder)
    problems = list(dict.fromkeys(problem for each in folders for problem in lint_mapping(each)))
    for problem in problems:
        typer.echo(problem)
    typer.echo(f"{len(folders)} mappings checked, {len(problems)} problems")
    raise typer.Exit(1 if problems else 0)


@mappings_app.command("schema")
def mappings_schema() -> None:
    """Print the JSON Schemas of mapping.yaml ("mapping") and of the files beside it ("blocks")."""
    from adapter.mapping.schema import blocks_schema, head_schema

    write_line({"mapping": head_schema(), "blocks": blocks_schema()})


@mappings_app.command("test")
def mappings_test(
    folder: Annotated[Path | None, typer.Argument(help="A mapping's folder; all shipped ones if not given.")] = None,
) -> None:
    """Run the examples that stand beside the mappings."""
    from adapter.mapping.mapping_tests import run_mapping_tests
    from adapter.sources.hl7v2 import read as read_hl7v2
    from rules import ContentError

    folders = _mapping_folders(folder)
    try:
        failures = [failure for each in folders for failure in run_mapping_tests(each, read_hl7v2)]
    except ContentError as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    for failure in failures:
        typer.echo(failure)
    typer.echo(f"{len(folders)} mappings tested, {len(failures)} failures")
    raise typer.Exit(1 if failures else 0)


def _mapping_folders(folder: Path | None) -> list[Path]:
    from adapter.settings import Settings

    return [folder] if folder else sorted(p.parent for p in Settings().mappings_path.glob("*/mapping.yaml"))
