"""A compiled mapping, and running it over one patient's record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

from adapter.fhir.ids import stable_id
from adapter.mapping.block import CompiledBlock
from adapter.mapping.compile import Compiler
from adapter.mapping.coverage import Accounts, all_refused, ignored_fields, unmapped_issues
from adapter.mapping.lineage import Lineage, Origin
from adapter.mapping.making import Made, Making, One, add
from adapter.mapping.nodes import Program, Tables
from adapter.mapping.parse import parse_mapping
from adapter.mapping.plan import Planned, Plans
from adapter.mapping.sight import CannotBeSeen
from adapter.mapping.state import Cell, Fate, RecordRow, Run, Said
from adapter.records import MappedBundle, Resource
from adapter.sources.model import Row, SourceRecord

_Marks = list[tuple[Cell, Fate]]
_Planned = Dict[str, Sequence[Planned | None]]
"""Table → its rows, those that have a plan with it."""


@dataclass(slots=True)
class _Instance:
    """One resource to be made by the closures: its block, its row, its URL, and what was read to decide on it."""

    block: CompiledBlock
    row: Row
    url: str
    reads: list[Cell]
    marks: _Marks


_OfPlan = tuple[Planned, int]
"""One resource of a row that is made by a plan: of which of the table's blocks it is."""


@dataclass(slots=True)
class _Failure:
    """A resource that was not made, and what had been read for it."""

    instance: _Instance | _OfPlan
    url: str
    reads: list[Cell]
    marks: _Marks
    issues: list[Said]


class _MakeAgain(Exception):
    """Something is missing that others refer to: then nothing is made by plans."""


class Mapping:
    """A mapping, compiled once; safe to use from several threads."""

    def __init__(self, program: Program) -> None:
        self.name, self.version, self.source = program.name, program.version, program.source
        self.title = program.title
        self.tables: Tables | None = program.tables
        self.ignored = program.ignored
        targets = [(block.name, block.resource, block.for_each) for block in program.blocks]

        referred: set[str] = set()

        def resolve(target: str) -> tuple[tuple[str, str], ...]:
            named = tuple((name, each) for name, _, each in targets if name == target)
            found = named or tuple((name, each) for name, resource, each in targets if resource == target)
            referred.update(name for name, _ in found)
            return found

        self._blocks = tuple(CompiledBlock(block, Compiler(resolve, block.for_each)) for block in program.blocks)
        self._remarks = tuple(
            (remark, Compiler(resolve, remark.for_each).when(remark.when)) for remark in program.remarks
        )
        self._places = _places(block.for_each for block in program.blocks)
        self._remark_places = _places(remark.for_each for remark in program.remarks)
        self._accounts = Accounts(_join_keys(program.tables), ignored_fields(program.ignored))
        self._plans: dict[str, Plans] = {}
        if program.tables is not None and not program.tables.rows:
            for table in {block.for_each for block in program.blocks} - {""}:
                blocks = [block for block in program.blocks if block.for_each == table]
                remarks = [remark for remark in program.remarks if remark.for_each == table]
                with suppress(CannotBeSeen):
                    self._plans[table] = Plans(table, blocks, remarks, resolve, referred)

    def run(self, record: SourceRecord) -> MappedBundle:
        """The record as a Bundle of type collection, with lineage, coverage and issues.

        A refused record gives an empty Bundle and its issues. Never raises for what is in a record.
        """
        label = f"{self.name}@{self.version}"
        if record.refused:
            empty: Resource = {"resourceType": "Bundle", "type": "collection"}
            used = all_refused(record.order)
            return MappedBundle(record.source, empty, {}, used, record.issues, label, refused=True)
        try:
            run, made = self._made(record, self._plans)
        except _MakeAgain:
            run, made = self._made(record, {})
        uses = self._accounts.of(run)
        bundle: Resource = {"resourceType": "Bundle", "type": "collection"}
        if made:
            bundle["entry"] = [{"fullUrl": url, "resource": one.resource} for url, one in made.items()]
        said = [one.issue() for one in run.issues]
        issues = tuple(dict.fromkeys((*record.issues, *said, *unmapped_issues(uses))))
        return MappedBundle(record.source, bundle, Lineage(made), uses, issues, label)

    def _made(self, record: SourceRecord, plans: dict[str, Plans]) -> tuple[Run, Made]:
        run = Run(record)
        planned = {
            name: [plan.of(run, row) for row in rows] for name, plan in plans.items() if (rows := record.rows.get(name))
        }
        instances = self._instances(run, planned)
        for plan in chain.from_iterable(planned.values()):
            if plan is not None:
                plan.finish(run)
        made = _make_all(run, instances)
        self._remark(run, planned)
        return run, made

    def _instances(self, run: Run, planned: _Planned) -> list[_Instance | _OfPlan]:
        """What is to be made, with ids, before anything is: so that references can point forward."""
        found: list[_Instance | _OfPlan] = []
        whole = (RecordRow(run.record),)
        for compiled, at in zip(self._blocks, self._places, strict=True):
            block = compiled.block
            rows = run.record.rows.get(block.for_each, ()) if block.for_each else whole
            for row, plan in zip(rows, planned.get(block.for_each) or repeat(None), strict=False):
                if plan is not None:
                    if at in plan.urls:
                        found.append((plan, at))
                    continue
                run.reads, run.marks = [], []
                if compiled.holds is not None and not compiled.holds(run, row):
                    run.settle(run.reads, (), made=True)
                    continue
                parts = map(str, compiled.identity(run, row))
                url = f"urn:uuid:{stable_id(run.record.patient_key, block.name, *parts)}"
                run.instances[block.name, row if block.for_each else None] = url
                found.append(_Instance(compiled, row, url, run.reads, run.marks))
        return found

    def _remark(self, run: Run, planned: _Planned) -> None:
        """Say what the mapping has to say of rows that no resource can express."""
        for (remark, holds), at in zip(self._remarks, self._remark_places, strict=True):
            rows = run.record.rows.get(remark.for_each, ())
            for row, plan in zip(rows, planned.get(remark.for_each) or repeat(None), strict=False):
                run.reads, run.marks = [], []
                if plan.remark(at) if plan is not None else holds(run, row):
                    run.say("warning", "informational", remark.text, remark.detail, (row, remark.field.name))
                run.settle(run.reads, (), made=True)


def load_mapping(folder: Path) -> Mapping:
    """Read, check and compile the mapping in ``folder``. Raises ContentError with file, line and column."""
    return Mapping(parse_mapping(folder))


def _places(tables: Iterable[str]) -> list[int]:
    """Of each block the number of those before it that are of the same table."""
    before: Counter[str] = Counter()
    found = []
    for table in tables:
        found.append(before[table])
        before[table] += 1
    return found


def _join_keys(tables: Tables | None) -> dict[str, frozenset[str]]:
    """Table → the fields through which its rows are joined: read by the source, so mapped."""
    if tables is None:
        return {}
    keys: dict[str, set[str]] = {tables.patient: {tables.key, tables.within, *tables.same} - {""}}
    for table, join in tables.joins.items():
        keys.setdefault(table, set()).add(join.by)
        keys.setdefault(join.to, set()).add(join.key)
    for table, lookup in tables.lookups.items():
        keys.setdefault(table, set()).add(lookup.by)
        for name, column in lookup.of.items():
            keys.setdefault(name, set()).add(column)
    for table in tables.known if tables.format.lists else ():
        keys.setdefault(table, set()).update(tables.format.lists)  # read apart: their parts are rows of their own
    return {table: frozenset(names) for table, names in keys.items()}


def _make_all(run: Run, instances: list[_Instance | _OfPlan]) -> Made:
    """Make every resource; when one that others refer to cannot be made, make the others again without it."""
    said, mapped, fates = len(run.issues), run.mapped, run.fates
    failures: list[Said] = []
    lost: list[_Failure] = []
    while True:
        run.mapped, run.fates = set(mapped), dict(fates)
        made, failed = _one_pass(run, instances)
        lost += failed
        failures += [issue for failure in failed for issue in failure.issues]
        missing = {failure.url for failure in failed if failure.url not in made}
        planned = [one[0] for one in instances if isinstance(one, tuple)] if missing else []
        if not run.referenced & missing and not any(one.refers_to(missing) for one in planned):
            for failure in lost:
                run.settle(failure.reads, failure.marks, made=False)
            run.issues.extend(failures)
            return made
        if planned:
            raise _MakeAgain
        del run.issues[said:]
        run.referenced.clear()
        gone = {id(failure.instance) for failure in failed}
        instances = [instance for instance in instances if id(instance) not in gone]
        there = {instance.url for instance in instances if isinstance(instance, _Instance)}
        run.instances = {key: url for key, url in run.instances.items() if url in there}


def _one_pass(run: Run, instances: list[_Instance | _OfPlan]) -> tuple[Made, list[_Failure]]:
    made: Made = {}
    failed: list[_Failure] = []
    for instance in instances:
        if isinstance(instance, tuple):
            planned, at = instance
            url, resource = planned.urls[at], planned.resources.get(at)
            issues = planned.said(at) if planned.says else []
            if resource is None:
                failed.append(_Failure(instance, url, [], [], issues))
                continue
            making = Making(resource, planned, at)
        else:
            url, said = instance.url, len(run.issues)
            found = _make(run, instance)
            issues = run.issues[said:]
            del run.issues[said:]
            if found is None:
                failed.append(_Failure(instance, url, run.reads, run.marks, issues))
                continue
            making = found
        if issues:
            run.issues.extend(issues)
        if url in made:
            add(run, made, url, making)
        else:
            made[url] = making
    return made, failed


def _make(run: Run, instance: _Instance) -> Making | None:
    """The resource, by the closures."""
    run.reads, run.marks, run.trail = list(instance.reads), list(instance.marks), {}
    resource = instance.block.make(run, instance.row, instance.url[9:])
    if resource is None:
        return None
    run.settle(run.reads, run.marks, made=True)
    return Making(resource, One(run.trail, _place(run, instance.row)))


def _place(run: Run, row: Row) -> Origin:
    """Where the resource comes from: its row; of a whole record the row that was read first."""
    if row.name:
        return (row, "")
    return (run.reads[0][0], "") if run.reads else ""
