"""The command line. Standard output carries results only; messages for people go to standard error.

Exit codes: 0 done; 1 done, and some record failed or differs; 2 could not start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapter.commands import mappings_app, rules_app
from adapter.commands.arguments import moment as as_of_moment
from adapter.commands.output import TextOrJson, counted, pages, say, told_if_stopped, write, write_line

if TYPE_CHECKING:
    from adapter.bootstrap import Adapter
    from adapter.pipeline import Result
    from adapter.together import Read

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Turns maternity and mental-health records into perinatal referrals as FHIR.",
)
app.add_typer(rules_app, name="rules")
app.add_typer(mappings_app, name="mappings")


_PEOPLE_ON_A_PAGE = 500
"""More records than these are several tables: one is laid out as a whole."""


class ResultFormat(StrEnum):
    TABLE = "table"
    NDJSON = "ndjson"
    BARS = "bars"


Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        exists=True,
        readable=True,
        help="Files, data set folders, or folders of either. Of several, one person's records are read as one.",
    ),
]
Server = Annotated[
    str, typer.Option("--from-server", metavar="URL", help="Read a record from the FHIR server with this base URL.")
]
PatientNumber = Annotated[
    str,
    typer.Option(
        "--patient", metavar="NHSNUMBER", help="Whose record to read there; - to read it from standard input."
    ),
]
AsOf = Annotated[
    str,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="The day to decide for, YYYY-MM-DD; today if not given. With a time (…T22:30) opening hours count.",
    ),
]
Provider = Annotated[str, typer.Option("--provider", metavar="NAME", help="The provider whose policies apply.")]
MappingName = Annotated[str, typer.Option("--mapping", metavar="NAME", help="The mapping to use for these files.")]


def main() -> None:
    """Entry point of the ``perinatal`` command."""
    from adapter.bootstrap import NoSuchProvider
    from adapter.errors import CannotStart

    try:
        app()
    except (CannotStart, NoSuchProvider) as wrong:
        say(f"perinatal: {wrong}")
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


@app.command()
def convert(
    paths: Paths = None,
    mapping: MappingName = "",
    report: Annotated[Path | None, typer.Option(help="Write the coverage report here (.json: as JSON).")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 also where a field is unmapped or refused.")] = False,
    server: Server = "",
    patient: PatientNumber = "",
    jobs: Annotated[
        int, typer.Option(min=0, help="How many processes convert a large folder of tables; 0 is one per core.")
    ] = 0,
) -> None:
    """Convert records to FHIR: one Bundle per patient, one a line."""
    from adapter.converting import convert as convert_all
    from adapter.coverage import Coverage
    from adapter.parallel import processors

    _check_inputs(paths, server, patient)
    adapter, number = _adapter(), _number(patient)
    failed = False
    with Coverage(report) as coverage, told_if_stopped():
        done = convert_all(adapter, coverage, paths or [], mapping, server, number, jobs or processors())
        for one in counted(done, lambda one: one.records):
            failed |= one.failed
            for lines in one.pieces():
                write(lines)
        coverage.write()
    if coverage.unmapped:
        say(f"{coverage.unmapped} kinds of field are not mapped; --report FILE lists them")
    lost = coverage.lossy if strict else 0
    if lost:
        say(f"--strict: {lost} kinds of field are not in the output; --report FILE lists them")
    raise typer.Exit(1 if failed or lost else 0)


@app.command()
def evaluate(
    paths: Paths = None,
    as_of: AsOf = "",
    provider: Provider = "",
    output: Annotated[
        ResultFormat,
        typer.Option("--format", help="A table to read; a result Bundle or a BaRS message a line."),
    ] = ResultFormat.TABLE,
    mapping: MappingName = "",
    server: Server = "",
    patient: PatientNumber = "",
) -> None:
    """Say who should be referred where, how soon and why."""
    from adapter.commands.bars import write_messages

    adapter = _adapter()
    day, at = as_of_moment(as_of)
    adapter.content(provider)
    failed = False
    inputs = _inputs(adapter, paths, mapping, server, patient)
    results = counted(_results(adapter, inputs, day, provider, at))
    with told_if_stopped():
        if output is ResultFormat.NDJSON:
            for result in results:
                failed |= result.status != 200
                write_line(result.bundle or result.outcome)
        elif output is ResultFormat.BARS:
            failed = write_messages(adapter, results, provider)
        else:
            for rows in pages(results, _PEOPLE_ON_A_PAGE):
                failed |= any(row.status != 200 for row in rows)
                _table(adapter, rows, provider)
    raise typer.Exit(1 if failed else 0)


@app.command()
def explain(
    paths: Paths = None,
    as_of: AsOf = "",
    provider: Provider = "",
    rule: Annotated[str, typer.Option("--rule", metavar="ID", help="Only this rule.")] = "",
    output: Annotated[TextOrJson, typer.Option("--format")] = TextOrJson.TEXT,
    mapping: MappingName = "",
    server: Server = "",
    patient: PatientNumber = "",
) -> None:
    """Say why each rule fired or not, what would change it, and what is missing, down to the field of the source."""
    from adapter.referrals.explain import explain_json, explain_text
    from adapter.referrals.explained import work_out

    adapter = _adapter()
    day, at = as_of_moment(as_of)
    pack, what_if = adapter.content(provider).pack, adapter.what_if(provider)
    if rule and rule not in {known.id for known in pack.rules}:
        say(f"perinatal: the pack {pack.name} has no rule {rule!r}")
        raise typer.Exit(2)
    failed, explained = False, []
    inputs = _inputs(adapter, paths, mapping, server, patient)
    for result in _results(adapter, inputs, day, provider, at):
        if result.decision is None or result.record is None:
            failed = True
            _say_refused(result)
            continue
        told = work_out(result.decision, result.record, result.position, pack, what_if, rule or None)
        given = (result.decision, result.record)
        if output is TextOrJson.JSON:
            explained += explain_json(*given, result.position, rule or None, result.routing, told)
        else:
            typer.echo(explain_text(*given, rule or None, result.routing, told))
    if output is TextOrJson.JSON:
        write_line(explained)
    raise typer.Exit(1 if failed else 0)


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page to read here.")] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write what came out as what is expected; then read it.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=0, help="How many run at once; 0 is one per core.")] = 0,
) -> None:
    """Run every fixture and show each difference from what is expected, with the trace beside it."""
    import os

    from adapter import replay as replaying
    from adapter.replay.evaluate import evaluate_input
    from rules import ContentError

    _adapter().content()  # what cannot start is said once, and not of every fixture
    try:
        report = replaying.run_replay(folder, evaluate_input, jobs or os.cpu_count() or 1)
    except ContentError as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    for line in report.lines():
        typer.echo(line)
    if junit:
        junit.write_text(replaying.junit(report), encoding="utf-8")
    if html:
        html.write_text(replaying.html(report), encoding="utf-8")
    if update:
        rewritten, left = replaying.update(folder, report)
        say(f"{len(rewritten)} rewritten: read what changed before you commit it")
        for name in left:
            say(f"left as it was, since its inputs do not agree: {name}")
    raise typer.Exit(report.exit_code)


@app.command()
def serve(
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 8080,
    mllp: Annotated[
        int | None, typer.Option(metavar="PORT", help="Take HL7 v2 messages over MLLP here as well.")
    ] = None,
    mllp_only: Annotated[bool, typer.Option("--mllp-only", help="No HTTP.")] = False,
) -> None:
    """Serve the FHIR operations over HTTP, and HL7 v2 over MLLP."""
    from adapter.reload import Reloader

    adapter = _adapter()
    if mllp_only and mllp is None:
        say("perinatal: --mllp-only needs --mllp PORT")
        raise typer.Exit(2)
    adapter.content()
    Reloader(adapter).start(adapter.settings.reload_seconds)
    if mllp is not None:
        from adapter.mllp.run import serve as serve_mllp

        serve_mllp(adapter, host, mllp, None if mllp_only else port, say)
        return
    import uvicorn

    from adapter.http.app import create_app

    uvicorn.run(create_app(adapter), host=host, port=port, access_log=False)


def _adapter() -> Adapter:
    from adapter.bootstrap import Adapter

    return Adapter()


def _inputs(adapter: Adapter, paths: list[Path] | None, mapping: str, server: str, patient: str) -> Iterator[Read]:
    """The records of a command's inputs, each with the input's name."""
    from adapter.together import read_inputs

    _check_inputs(paths, server, patient)
    return read_inputs(adapter, paths or [], mapping, server, _number(patient))


def _check_inputs(paths: list[Path] | None, server: str, patient: str) -> None:
    if not paths and not server:
        say("perinatal: name a file or a folder, or a server (--from-server URL --patient NHSNUMBER)")
        raise typer.Exit(2)
    if bool(server) != bool(patient):
        say("perinatal: --from-server and --patient go together")
        raise typer.Exit(2)


def _number(patient: str) -> str:
    return sys.stdin.readline().strip() if patient == "-" else patient


def _results(adapter: Adapter, inputs: Iterable[Read], day: date, provider: str, at: time | None) -> Iterator[Result]:
    from adapter.pipeline import evaluate_all

    for name, record in inputs:
        yield from evaluate_all(adapter, [record], day, provider, name, at)


def _table(adapter: Adapter, results: list[Result], provider: str = "") -> None:
    """The table on standard output; what was refused, and why, on standard error."""
    from adapter.referrals.table import Decided, render_table

    content = adapter.content(provider)
    decided = [
        Decided(r.record, r.position, r.decision, content.pack.services, content.wanted, r.routing)
        for r in results
        if r.record is not None and r.decision is not None
    ]
    if decided:
        render_table(decided)
    for result in results:
        if result.outcome:
            _say_refused(result)


def _say_refused(result: Result) -> None:
    from adapter.fhir.outcome import errors_in

    for wrong in errors_in(result.outcome) if result.outcome else ():
        say(": ".join(part for part in ("refused", result.name, wrong) if part))
