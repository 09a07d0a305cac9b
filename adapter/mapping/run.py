"""A compiled mapping, and running it over one patient's record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adapter.fhir.ids import stable_id
from adapter.mapping.compile import Check, Compiler, Evaluate
from adapter.mapping.coverage import all_refused, coverage, ignored_fields, unmapped_issues
from adapter.mapping.nodes import Block, Program, Tables
from adapter.mapping.parse import parse_mapping
from adapter.mapping.state import HOLE, Fate, Read, RecordRow, Run
from adapter.mapping.values import Locate, locate
from adapter.records import Issue, MappedBundle, Resource
from adapter.sources.model import Row, SourceRecord


@dataclass(frozen=True, slots=True)
class _Block:
    """A block, compiled."""

    block: Block
    holds: Check
    identity: tuple[tuple[Locate, str], ...] | None
    body: Evaluate


@dataclass(slots=True)
class _Instance:
    """One resource to be made: its block, its row, its URL, and what was read to decide on it."""

    block: _Block
    row: Row
    url: str
    reads: list[Read]


@dataclass(slots=True)
class _Made:
    resource: Resource
    trail: dict[str, str]
    place: str


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

        compiler = Compiler(resolve)
        self._blocks = tuple(
            _Block(
                block,
                compiler.when(block.when),
                None if block.id is None else tuple((locate(f, inside=False), f.name) for f in block.id),
                compiler.node(block.body),
            )
            for block in program.blocks
        )
        self._ignored = ignored_fields(program.ignored)
        self._keys = _join_keys(program.tables)

    def run(self, record: SourceRecord) -> MappedBundle:
        """The record as a Bundle of type collection, with lineage, coverage and issues.

        A refused record gives an empty Bundle and its issues. Never raises for what is in a record.
        """
        label = f"{self.name}@{self.version}"
        if record.refused:
            empty: Resource = {"resourceType": "Bundle", "type": "collection"}
            used = all_refused(list(record.order))
            return MappedBundle(record.source, empty, {}, used, record.issues, label, refused=True)
        run = Run(record)
        made = _make_all(run, self._instances(run))
        uses = coverage(run, self._keys, self._ignored)
        bundle: Resource = {"resourceType": "Bundle", "type": "collection"}
        if made:
            bundle["entry"] = [{"fullUrl": url, "resource": one.resource} for url, one in made.items()]
        lineage = {(url, path): place for url, one in made.items() for path, place in one.trail.items()}
        issues = tuple(dict.fromkeys((*record.issues, *run.issues, *unmapped_issues(uses))))
        return MappedBundle(record.source, bundle, lineage, uses, issues, label)

    def _instances(self, run: Run) -> list[_Instance]:
        """What is to be made, with ids, before anything is: so that references can point forward."""
        found: list[_Instance] = []
        whole = RecordRow(run.record)
        for compiled in self._blocks:
            block = compiled.block
            rows = run.record.rows.get(block.for_each, ()) if block.for_each else (whole,)
            for row in rows:
                run.reads = []
                if not compiled.holds(run, row):
                    run.settle(run.reads, made=True)
                    continue
                url = f"urn:uuid:{stable_id(run.record.patient_key, block.name, *_identity(run, compiled, row))}"
                run.instances[block.name, id(row) if block.for_each else 0] = url
                found.append(_Instance(compiled, row, url, run.reads))
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
        keys.setdefault(join.to, set()).add(join.by)
    for table in tables.known if tables.format.lists else ():
        keys.setdefault(table, set()).update(tables.format.lists)  # read apart: their parts are rows of their own
    return {table: frozenset(names) for table, names in keys.items()}


def _identity(run: Run, compiled: _Block, row: Row) -> list[str]:
    if compiled.identity is None:
        return [row.place("")]
    values: list[str] = []
    for find, name in compiled.identity:
        owner = find(run, row)
        text = owner.get(name) if owner is not None else None
        if owner is not None:
            run.reads.append((owner, name, Fate.MAPPED))
        values.append(text or "")
    return values


def _make_all(run: Run, instances: list[_Instance]) -> dict[str, _Made]:
    """Make every resource; when one that others refer to cannot be made, make the others again without it."""
    said, settled = len(run.issues), run.fates
    failures: list[Issue] = []
    while True:
        run.fates = dict(settled)
        made, failed = _one_pass(run, instances)
        for _, reads, issues in failed:
            failures.extend(issues)
            run.settle(reads, made=False, into=settled)
        if not run.referenced & {instance.url for instance, _, _ in failed if instance.url not in made}:
            run.settle([read for _, reads, _ in failed for read in reads], made=False)
            run.issues.extend(failures)
            return made
        del run.issues[said:]
        run.referenced.clear()
        gone = {id(instance) for instance, _, _ in failed}
        instances = [instance for instance in instances if id(instance) not in gone]
        there = {instance.url for instance in instances}
        run.instances = {key: url for key, url in run.instances.items() if url in there}


_Failure = tuple[_Instance, list[Read], list[Issue]]


def _one_pass(run: Run, instances: list[_Instance]) -> tuple[dict[str, _Made], list[_Failure]]:
    made: dict[str, _Made] = {}
    failed: list[_Failure] = []
    for instance in instances:
        block = instance.block.block
        run.reads, run.trail, said = list(instance.reads), {}, len(run.issues)
        body = instance.block.body(run, instance.row, "")
        missing = [name for name in block.requires if body is HOLE or name not in body]
        if body is HOLE or missing:
            issues = run.issues[said:]
            del run.issues[said:]
            if missing:
                text = f"no {block.resource} was made of this: {' and '.join(missing)} could not be filled"
                issues.append(Issue("warning", "required", text, "", instance.row.place("")))
            failed.append((instance, run.reads, issues))
            continue
        run.settle(run.reads, made=True)
        resource = {"resourceType": block.resource, "id": instance.url[9:], **body}
        _add(run, made, instance, _Made(resource, run.trail, instance.row.place("")))
    return made, failed


def _add(run: Run, made: dict[str, _Made], instance: _Instance, new: _Made) -> None:
    """Patient: later elements join the earlier ones; of any other resource the later replaces the earlier."""
    old = made.get(instance.url)
    if old is None:
        made[instance.url] = new
    elif new.resource["resourceType"] == "Patient":
        made[instance.url] = _joined(old, new)
    elif new.resource != old.resource:
        text = f"the same {new.resource['resourceType']} is given again with other content: the later one counts"
        run.issues.append(Issue("information", "informational", text, "duplicate", old.place))
        made[instance.url] = new


def _joined(old: _Made, new: _Made) -> _Made:
    """One patient of two: what is given again replaces (of a choice the one type that is there), identifiers add up."""
    given = {_choice(element) for element in new.resource} - {"identifier"}
    resource = {key: value for key, value in old.resource.items() if _choice(key) not in given}
    trail = {path: place for path, place in old.trail.items() if _choice(_element(path)) not in given}
    identifiers = list(resource.get("identifier", ()))
    for index, identifier in enumerate(new.resource.get("identifier", ())):
        if identifier not in identifiers:
            was, now = f"identifier[{index}]", f"identifier[{len(identifiers)}]"
            moved = ((path, place) for path, place in new.trail.items() if path.startswith(was))
            trail.update((now + path.removeprefix(was), place) for path, place in moved)
            identifiers.append(identifier)
    resource.update({**new.resource, "identifier": identifiers} if identifiers else new.resource)
    trail.update((path, place) for path, place in new.trail.items() if _element(path) != "identifier")
    return _Made(resource, trail, new.place)


def _choice(element: str) -> str:
    """``deceased`` for ``deceasedDateTime``; of any other element its name."""
    return next((choice for choice in ("deceased", "multipleBirth") if element.startswith(choice)), element)


def _element(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]
