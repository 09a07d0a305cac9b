"""Makes the resources of rows that are seen alike by one plan, worked out from the first of them.

The closures are what a mapping means. A plan is what they made of one row (see ``trace``): the resources with slots for
the values, and which fields they read. ``Plans`` keeps the plans of one table, by what is seen of its rows.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from adapter.fhir.ids import stable_id
from adapter.mapping.block import CompiledBlock
from adapter.mapping.compile import Resolve
from adapter.mapping.lineage import Origin, Together, Trail
from adapter.mapping.nodes import Block, Field, Remark
from adapter.mapping.sight import CannotBeSeen, Sight, View
from adapter.mapping.state import Run, Said, Touch
from adapter.mapping.trace import Template, Trace, Tracer
from adapter.records import Resource
from adapter.sources.model import Row

_WORTHWHILE = 3  # rows that are seen alike before a plan is made for more of them
_MOST = 2048  # plans of one table, and kinds of row that have none yet

Role = int
"""Which of a sight's rows."""


@dataclass(frozen=True, slots=True)
class _Origin:
    """An ``Origin`` of any row that is seen alike."""

    fields: tuple[tuple[Role, str], ...]
    together: bool

    def of(self, rows: Sequence[Row | None]) -> Origin:
        cells = [(row, name) for role, name in self.fields if (row := rows[role]) is not None]
        return Together(cells) if self.together else cells[0] if cells else ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one resource is made, of the ``at``-th block of its table; ``template`` None: it is not."""

    at: int
    template: Template | None
    trail: tuple[tuple[str, _Origin], ...]
    issues: tuple[tuple[Said, _Origin], ...]


@dataclass(frozen=True, slots=True)
class _Finished:
    """How the resources of a row are made, given which references there are."""

    plans: tuple[_Plan, ...]
    templates: tuple[tuple[int, Template], ...]
    touches: tuple[tuple[Role, Touch], ...]
    says: bool  # whether there is anything to be said


@dataclass(frozen=True, slots=True)
class _RowPlan:
    """What becomes of rows that are seen alike.

    ``decided`` is of each block that holds: which it is, its name, the identity of its resource and whether references
    lead there; ``remarks`` of each remark whether it is said. The rest is by which references there are.
    """

    decided: tuple[tuple[int, str, Template, bool], ...]
    remarks: tuple[bool, ...]
    finished: dict[tuple[bool, ...], _Finished] = field(default_factory=dict)


class Planned:
    """A row that is made by a plan. ``finish`` it when all that it may refer to is known.

    ``urls`` and ``resources`` are by the blocks of its table: of one that does not hold there is no URL, and of one of
    which nothing can be made no resource.
    """

    __slots__ = ("_finished", "_links", "_plan", "_plans", "_sight", "resources", "urls")

    def __init__(self, run: Run, plans: Plans, plan: _RowPlan, sight: Sight) -> None:
        self._plans, self._plan, self._sight = plans, plan, sight
        self.resources: dict[int, Resource] = {}
        self.urls: dict[int, str] = {}
        rows, values, owner = sight.rows, sight.values, run.record.patient_key
        for at, name, identity, is_target in plan.decided:
            parts = identity.fill(rows, values, ())
            self.urls[at] = url = f"urn:uuid:{stable_id(owner, name, *map(str, parts))}"
            if is_target:
                run.instances[name, rows[0]] = url

    def finish(self, run: Run) -> None:
        """Make the resources, and book what is read for them."""
        sight, urls, plan = self._sight, self.urls, self._plan
        rows, values = sight.rows, sight.values
        self._links = links = sight.links(run.instances)
        there = tuple([link is not None for link in links])
        finished = plan.finished.get(there)
        if finished is None:
            if len(plan.finished) >= _MOST:
                plan.finished.clear()
            finished = plan.finished[there] = self._plans.finish(run, sight)
        self._finished = finished
        for at, template in finished.templates:
            self.resources[at] = resource = template.fill(rows, values, links)
            resource["id"] = urls[at][9:]
        touched = run.touched
        for role, touch in finished.touches:
            row = rows[role]
            if row in touched:
                touched[row] += (touch,)
            elif row is not None:
                touched[row] = (touch,)

    def remark(self, at: int) -> bool:
        """Whether the remark holds."""
        return self._plan.remarks[at]

    def refers_to(self, urls: AbstractSet[str]) -> bool:
        return any(link is not None and link["reference"] in urls for link in self._links)

    def said(self, at: int) -> list[Said]:
        """What is to be said of the making of a block's resource."""
        rows = self._sight.rows
        return [
            replace(said, origin=origin.of(rows))
            for plan in self._finished.plans
            if plan.at == at
            for said, origin in plan.issues
        ]

    def trail(self, at: int) -> Trail:
        """Where the elements of a block's resource come from."""
        rows = self._sight.rows
        plan = next(plan for plan in self._finished.plans if plan.at == at)
        return {path: origin.of(rows) for path, origin in plan.trail}

    @property
    def place(self) -> Origin:
        row = self._sight.rows[0]
        return (row, "") if row is not None else ""

    @property
    def says(self) -> bool:
        """Whether there is anything to be said."""
        return self._finished.says


class Plans:
    """The plans of one table: its blocks and remarks in their order. Raises CannotBeSeen where it can have none.

    ``targets`` are the blocks that references lead to.
    """

    def __init__(
        self,
        home: str,
        blocks: Sequence[Block],
        remarks: Sequence[Remark],
        resolve: Resolve,
        targets: AbstractSet[str],
    ) -> None:
        if any(block.id is None for block in blocks):
            raise CannotBeSeen  # each is itself: its place tells it from the others
        tracer = Tracer(resolve, home)
        self._targets = targets
        self._blocks = [CompiledBlock(block, tracer) for block in blocks]
        self._remarks = [tracer.when(remark.when) for remark in remarks]
        self._view = View(home, resolve)
        for block in blocks:
            identity = block.id or ()
            nodes = [part for part in identity if not isinstance(part, Field)]
            fields = [part for part in identity if isinstance(part, Field)]
            self._view.add([block.body, *nodes], block.when, fields)
        for remark in remarks:
            self._view.add((), remark.when)
        self._view.close()
        self._plans: dict[tuple[Hashable, ...], _RowPlan | None] = {}
        self._met: dict[tuple[Hashable, ...], int] = {}

    def of(self, run: Run, row: Row) -> Planned | None:
        """The row with its plan; None where it is to be made by the closures."""
        sight = self._view.look(run.record, row)
        alike = tuple(sight.alike)
        plan = self._plans.get(alike)
        if plan is None:
            if alike in self._plans or not self._often(alike):
                return None
            if len(self._plans) >= _MOST:
                self._plans.clear()
            plan = self._plans[alike] = self._decide(run, sight, row)
            if plan is None:
                return None
        return Planned(run, self, plan, sight)

    def _often(self, alike: tuple[Hashable, ...]) -> bool:
        if len(self._met) >= _MOST:
            self._met.clear()
        times = self._met[alike] = self._met.get(alike, 0) + 1
        return times >= _WORTHWHILE

    def _decide(self, run: Run, sight: Sight, row: Row) -> _RowPlan | None:
        """None where deciding needs something to be said: then the closures say it each time."""
        trace = Trace(run.record, sight)
        decided = tuple(
            (at, block.block.name, Template(block.identity(trace, row)), block.block.name in self._targets)
            for at, block in enumerate(self._blocks)
            if block.holds is None or block.holds(trace, row)
        )
        remarks = tuple(holds(trace, row) for holds in self._remarks)
        return None if trace.issues else _RowPlan(decided, remarks)

    def finish(self, run: Run, sight: Sight) -> _Finished:
        """The plans, from what the closures make of this row."""
        trace, row = Trace(run.record, sight), sight.looked[0][1]
        trace.instances = run.instances
        plans = [_plan(trace, at, block, row) for at, block in enumerate(self._blocks)]
        for holds in self._remarks:
            trace.reads = []
            holds(trace, row)
            trace.settle(trace.reads, (), made=True)
        touches: dict[Role, Touch] = {}
        for owner, key in trace.mapped:
            touches.setdefault(trace.roles[owner], Touch()).mapped.add(key)
        for (owner, key), fate in trace.fates.items():
            touches.setdefault(trace.roles[owner], Touch()).fates[key] = fate
        there = tuple(plan for plan in plans if plan is not None)
        templates = tuple((plan.at, plan.template) for plan in there if plan.template is not None)
        return _Finished(there, templates, tuple(touches.items()), any(plan.issues for plan in there))


def _plan(trace: Trace, at: int, block: CompiledBlock, row: Row) -> _Plan | None:
    trace.reads, trace.marks, trace.trail, trace.issues = [], [], {}, []
    if block.holds is not None and not block.holds(trace, row):
        trace.settle(trace.reads, (), made=True)
        return None
    block.identity(trace, row)
    resource = block.make(trace, row, "")
    trace.settle(trace.reads, trace.marks, made=resource is not None)
    trail = tuple((path, _by_role(origin, trace.roles)) for path, origin in trace.trail.items())
    issues = tuple((said, _by_role(said.origin, trace.roles)) for said in trace.issues)
    return _Plan(at, None if resource is None else Template(resource), trail, issues)


def _by_role(origin: Origin, roles: Mapping[Row, Role]) -> _Origin:
    if isinstance(origin, str):
        return _Origin((), together=False)
    if isinstance(origin, Together):
        return _Origin(tuple((roles[row], name) for row, name in origin), together=True)
    return _Origin(((roles[origin[0]], origin[1]),), together=False)
