"""A compiled mapping, and running it over one patient's record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.fhir.ids import stable_id
from adapter.mapping.compile import Compiler, Evaluate, Resolve
from adapter.mapping.coverage import Accounts, all_refused, ignored_fields, unmapped_issues
from adapter.mapping.identifiers import joined_identifiers
from adapter.mapping.lineage import Lineage, Origin, Trail, words
from adapter.mapping.nodes import Block, Field, Node, Program, Tables
from adapter.mapping.parse import parse_mapping
from adapter.mapping.prune import prune, selector
from adapter.mapping.state import HOLE, Cell, Fate, RecordRow, Run
from adapter.mapping.values import locate
from adapter.records import Issue, MappedBundle, Resource
from adapter.sources.model import Row, SourceRecord


class _Block:
    """A block, compiled; its body once for each text of its selector (see ``prune``), when it is first met."""

    def __init__(self, block: Block, resolve: Resolve) -> None:
        self.block = block
        self.compiler = Compiler(resolve, block.for_each)
        self.holds = self.compiler.choose(block.when) if block.when else None
        self.identity = None if block.id is None else [self._part(part) for part in block.id]
        self.general = self.compiler.node(block.body)
        selected = selector(block.body, block.for_each)
        self.selector = selected[0] if selected else None
        self.texts = selected[1] if selected else frozenset[str]()
        self.bodies: dict[str | None, Evaluate] = {}

    def _part(self, part: Field | Node) -> Evaluate:
        if not isinstance(part, Field):
            return self.compiler.node(part)
        find, key = locate(part, self.block.for_each, inside=False), part.key

        def evaluate(run: Run, row: Row, path: str) -> str:  # noqa: ARG001 - one signature
            owner = row if find is None else find(run, row)
            text = owner.texts.get(key) if owner is not None else None
            if owner is None or text is None:
                return ""
            run.reads.append((owner, key))
            return text

        return evaluate

    def body(self, run: Run, row: Row) -> Any:
        """The resource's elements, or HOLE."""
        if self.selector is None:
            return self.general(run, row, "")
        text = row.texts.get(self.selector.key)
        if text is not None:
            run.reads.append((row, self.selector.key))
            if text not in self.texts:
                return self.general(run, row, "")
        body = self.bodies.get(text)
        if body is None:
            pruned = prune(self.block.body, self.selector, text)
            body = self.bodies[text] = self.compiler.node(pruned)
        return body(run, row, "")


_Marks = list[tuple[Cell, Fate]]


@dataclass(slots=True)
class _Instance:
    """One resource to be made: its block, its row, its URL, and what was read to decide on it."""

    block: _Block
    row: Row
    url: str
    reads: list[Cell]
    marks: _Marks


@dataclass(slots=True)
class _Made:
    resource: Resource
    trail: Trail
    place: Origin

    def whole(self) -> Trail:
        """With the place of the resource itself, at the end."""
        if self.place:
            self.trail[""] = self.place
        return self.trail


class Mapping:
    """A mapping, compiled once; safe to use from several threads."""

    def __init__(self, program: Program) -> None:
        self.name, self.version, self.source = program.name, program.version, program.source
        self.title = program.title
        self.tables: Tables | None = program.tables
        self.ignored = program.ignored
        targets = [(block.name, block.resource, block.for_each) for block in program.blocks]

        def resolve(target: str) -> tuple[tuple[str, str], ...]:
            named = tuple((name, each) for name, _, each in targets if name == target)
            return named or tuple((name, each) for name, resource, each in targets if resource == target)

        self._blocks = tuple(_Block(block, resolve) for block in program.blocks)
        self._remarks = tuple(
            (remark, Compiler(resolve, remark.for_each).when(remark.when)) for remark in program.remarks
        )
        self._accounts = Accounts(_join_keys(program.tables), ignored_fields(program.ignored))

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
        lineage = Lineage({url: one.whole() for url, one in made.items()})
        issues = tuple(dict.fromkeys((*record.issues, *run.issues, *unmapped_issues(uses))))
        return MappedBundle(record.source, bundle, lineage, uses, issues, label)

    def _remark(self, run: Run) -> None:
        """Say what the mapping has to say of rows that no resource can express."""
        for remark, holds in self._remarks:
            for row in run.record.rows.get(remark.for_each, ()):
                run.reads, run.marks = [], []
                if holds(run, row):
                    place = row.place(remark.field.name)
                    run.issues.append(Issue("warning", "informational", remark.text, remark.detail, place))
                run.settle(run.reads, (), made=True)

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
                url = f"urn:uuid:{stable_id(run.record.patient_key, block.name, *_identity(run, compiled, row))}"
                run.instances[block.name, row if block.for_each else None] = url
                found.append(_Instance(compiled, row, url, run.reads, run.marks))
        return found


def load_mapping(folder: Path) -> Mapping:
    """Read, check and compile the mapping in ``folder``. Raises ContentError with file, line and column."""
    return Mapping(parse_mapping(folder))


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


def _identity(run: Run, compiled: _Block, row: Row) -> list[str]:
    if compiled.identity is None:
        return [row.place("")]
    values = [part(run, row, "") for part in compiled.identity]
    return ["" if value is HOLE else str(value) for value in values]


def _make_all(run: Run, instances: list[_Instance]) -> dict[str, _Made]:
    """Make every resource; when one that others refer to cannot be made, make the others again without it."""
    said, mapped, fates = len(run.issues), run.mapped, run.fates
    failures: list[Issue] = []
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


@dataclass(slots=True)
class _Failure:
    """A resource that was not made, and what had been read for it."""

    instance: _Instance
    reads: list[Cell]
    marks: _Marks
    issues: list[Issue]


def _one_pass(run: Run, instances: list[_Instance]) -> tuple[dict[str, _Made], list[_Failure]]:
    made: dict[str, _Made] = {}
    failed: list[_Failure] = []
    for instance in instances:
        block = instance.block.block
        run.reads, run.marks, run.trail, said = list(instance.reads), list(instance.marks), {}, len(run.issues)
        body = instance.block.body(run, instance.row)
        missing = [name for name in block.requires if body is HOLE or name not in body] if block.requires else []
        if body is HOLE or missing:
            issues = run.issues[said:]
            del run.issues[said:]
            if missing:
                text = f"no {block.resource} was made of this: {' and '.join(missing)} could not be filled"
                issues.append(Issue("warning", "required", text, "", instance.row.place("")))
            failed.append(_Failure(instance, run.reads, run.marks, issues))
            continue
        run.settle(run.reads, run.marks, made=True)
        resource = {"resourceType": block.resource, "id": instance.url[9:], **body}
        _add(run, made, instance, _Made(resource, run.trail, _place(run, instance.row)))
    return made, failed


def _place(run: Run, row: Row) -> Origin:
    """Where the resource comes from: its row; of a whole record the row that was read first."""
    if row.name:
        return (row, "")
    return (run.reads[0][0], "") if run.reads else ""


def _add(run: Run, made: dict[str, _Made], instance: _Instance, new: _Made) -> None:
    """Patient: later elements join the earlier ones; of any other resource the later replaces the earlier."""
    old = made.get(instance.url)
    if old is None:
        made[instance.url] = new
    elif new.resource["resourceType"] == "Patient":
        made[instance.url] = _joined(old, new)
    elif new.resource != old.resource:
        text = f"the same {new.resource['resourceType']} is given again with other content: the later one counts"
        run.issues.append(Issue("information", "informational", text, "duplicate", words(old.place)))
        made[instance.url] = new


def _joined(old: _Made, new: _Made) -> _Made:
    """One patient of two: what is given again replaces (of a choice the one type that is there), identifiers add up."""
    given = {_choice(element) for element in new.resource} | {"identifier"}
    resource = {key: value for key, value in old.resource.items() if _choice(key) not in given}
    trail = {path: place for path, place in old.trail.items() if _choice(_element(path)) not in given}
    resource.update(new.resource)
    trail.update((path, place) for path, place in new.trail.items() if _element(path) != "identifier")
    identifiers, places = joined_identifiers([(old.resource, old.trail), (new.resource, new.trail)])
    if identifiers:
        resource["identifier"] = identifiers
        trail.update(places)
    return _Made(resource, trail, new.place)


def _choice(element: str) -> str:
    """``deceased`` for ``deceasedDateTime``; of any other element its name."""
    return next((choice for choice in ("deceased", "multipleBirth") if element.startswith(choice)), element)


def _element(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]
