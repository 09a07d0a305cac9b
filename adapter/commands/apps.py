"""The groups of commands for the content that a site maintains itself; each module beside this one adds its own."""

from __future__ import annotations

import typer

rules_app = typer.Typer(no_args_is_help=True, help="Work with the rules.")
mappings_app = typer.Typer(no_args_is_help=True, help="Work with the mappings.")
