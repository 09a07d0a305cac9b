"""A compiled mapping, and running it over one patient's record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapter.fhir.ids import stable_id
from adapter.mapping.block import CompiledBlock
from adapter.mapping.compile import Compiler, Resolve
from adapter.mapping.coverage import Accounts, all_refused, ignored_fields, unmapped_issues
from adapter.mapping.lineage import Lineage, Origin
from adapter.mapping.making import Made, Making, add
from adapter.mapping.nodes import Program, Tables
from adapter.mapping.parse import parse_mapping
from adapter.mapping.state import Cell, Fate, RecordRow, Run, Said
from adapter.records import MappedBundle, Resource
from adapter.sources.model import Row, SourceRecord

if TYPE_CHECKING:
    from adapter.mapping.writing import Writer

_Marks = list[tuple[Cell, Fate]]


@dataclass(slots=True)
class _Instance:
    """One resource to be made: its block, its row, its URL, and what was read to decide on it."""

    block: CompiledBlock
    row: Row
    url: str
    reads: list[Cell]
    marks: _Marks


@dataclass(slots=True)
class _Failure:
    """A resource that was not made, and what had been read for it."""

    instance: _Instance
    reads: list[Cell]
    marks: _Marks
    issues: list[Said]


class Mapping:
    """A mapping, compiled once; safe to use from several threads."""

    def __init__(self, program: Program) -> None:
        self.name, self.version, self.source = program.name, program.version, program.source
        self.title = program.title
        self.tables: Tables | None = program.tables
        self.ignored = program.ignored
        self._program, self._resolve = program, _resolver(program)
        self._blocks = tuple(CompiledBlock(block, Compiler(self._resolve, block.for_each)) for block in program.blocks)
        self._remarks = tuple(
            (remark, Compiler(self._resolve, remark.for_each).when(remark.when)) for remark in program.remarks
        )
        self._accounts = Accounts(_join_keys(program.tables), ignored_fields(program.ignored))

    def writer(self) -> Writer | None:
        """Writes many records at once, where the mapping is one for tables that this can be done with."""
        from adapter.mapping.writing import writer  # only a large folder needs it

        return writer(self._program, self._resolve, self._accounts)

    def run(self, record: SourceRecord) -> MappedBundle:
        """The record as a Bundle of type collection, with lineage, coverage and issues.

        A refused record gives an empty Bundle and its issues. Never raises for what is in a record.
        """
        label = f"{self.name}@{self.version}"
        if record.refused:
            empty: Resource = {"resourceType": "Bundle", "type": "collection"}
            used = all_refused(record.order)
            return MappedBundle(record.source, empty, {}, used, record.issues, label, refused=True)
        run = Run(record)
        made = _make_all(run, self._instances(run))
        self._remark(run)
        uses = self._accounts.of(run)
        bundle: Resource = {"resourceType": "Bundle", "type": "collection"}
        if made:
            bundle["entry"] = [{"fullUrl": url, "resource": one.resource} for url, one in made.items()]
        said = [one.issue() for one in run.issues]
        issues = tuple(dict.fromkeys((*record.issues, *said, *unmapped_issues(uses))))
        return MappedBundle(record.source, bundle, Lineage(made), uses, issues, label)

    def _instances(self, run: Run) -> list[_Instance]:
        """What is to be made, with ids, before anything is: so that references can point forward."""
        found: list[_Instance] = []
        whole = (RecordRow(run.record),)
        for compiled in self._blocks:
            block = compiled.block
            for row in run.record.rows.get(block.for_each, ()) if block.for_each else whole:
                run.reads, run.marks = [], []
                if compiled.holds is not None and not compiled.holds(run, row):
                    run.settle(run.reads, (), made=True)
                    continue
                parts = map(str, compiled.identity(run, row))
                url = f"urn:uuid:{stable_id(run.record.patient_key, block.name, *parts)}"
                run.instances[block.name, row if block.for_each else None] = url
                found.append(_Instance(compiled, row, url, run.reads, run.marks))
        return found

    def _remark(self, run: Run) -> None:
        """Say what the mapping has to say of rows that no resource can express."""
        run.reads, run.marks = [], []
        for remark, holds in self._remarks:
            for row in run.record.rows.get(remark.for_each, ()):
                if holds(run, row):
                    run.say("warning", "informational", remark.text, remark.detail, (row, remark.field.name))
        run.settle(run.reads, (), made=True)


def load_mapping(folder: Path) -> Mapping:
    """Read, check and compile the mapping in ``folder``. Raises ContentError with file, line and column."""
    return Mapping(parse_mapping(folder))


def _resolver(program: Program) -> Resolve:
    """Finds the blocks that a reference may mean: those of that name, else those that make a resource of the type."""
    targets = [(block.name, block.resource, block.for_each) for block in program.blocks]

    def resolve(target: str) -> tuple[tuple[str, str], ...]:
        named = tuple((name, each) for name, _, each in targets if name == target)
        return named or tuple((name, each) for name, resource, each in targets if resource == target)

    return resolve


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


def _make_all(run: Run, instances: list[_Instance]) -> Made:
    """Make every resource; when one that others refer to cannot be made, make the others again without it."""
    said, mapped, fates = len(run.issues), run.mapped, run.fates
    failures: list[Said] = []
    lost: list[_Failure] = []
    while True:
        run.mapped, run.fates = set(mapped), dict(fates)
        made, failed = _one_pass(run, instances)
        lost += failed
        failures += [issue for failure in failed for issue in failure.issues]
        if not run.referenced & {failure.instance.url for failure in failed if failure.instance.url not in made}:
            for failure in lost:
                run.settle(failure.reads, failure.marks, made=False)
            run.issues.extend(failures)
            return made
        del run.issues[said:]
        run.referenced.clear()
        gone = {id(failure.instance) for failure in failed}
        instances = [instance for instance in instances if id(instance) not in gone]
        there = {instance.url for instance in instances}
        run.instances = {key: url for key, url in run.instances.items() if url in there}


def _one_pass(run: Run, instances: list[_Instance]) -> tuple[Made, list[_Failure]]:
    made: Made = {}
    failed: list[_Failure] = []
    for instance in instances:
        url, said = instance.url, len(run.issues)
        found = _make(run, instance)
        if found is None:
            failed.append(_Failure(instance, run.reads, run.marks, run.issues[said:]))
            del run.issues[said:]
        elif url in made:
            add(run, made, url, found)
        else:
            made[url] = found
    return made, failed


def _make(run: Run, instance: _Instance) -> Making | None:
    run.reads, run.marks, run.trail = list(instance.reads), list(instance.marks), {}
    resource = instance.block.make(run, instance.row, instance.url[9:])
    if resource is None:
        return None
    run.settle(run.reads, run.marks, made=True)
    return Making(resource, run.trail, _place(run, instance.row))


def _place(run: Run, row: Row) -> Origin:
    """Where the resource comes from: its row; of a whole record the row that was read first."""
    if row.name:
        return (row, "")
    return (run.reads[0][0], "") if run.reads else ""
