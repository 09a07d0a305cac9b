"""How rows that are seen alike are made, worked out from one of them by the closures that a mapping means.

A plan says of each block of a table whether it holds, what tells its resource from others, its line (see ``lines``)
and which fields it reads. It does not say what the closures have to say of a row, only that there is something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from adapter.mapping.block import CompiledBlock
from adapter.mapping.compile import Resolve
from adapter.mapping.lines import CannotBeWritten, Line, line_of
from adapter.mapping.nodes import Block, Field, Remark
from adapter.mapping.sight import Alike, Slot, View
from adapter.mapping.state import Fate
from adapter.mapping.trace import Link, Trace, Tracer
from adapter.sources.model import Row

WORTHWHILE = 3
"""Rows that are seen alike before a plan is made for more of them."""
_MOST = 2048  # plans of one table, and kinds of row that have none yet


@dataclass(frozen=True, eq=False, slots=True)
class Touch:
    """What becomes of the fields of a row: ``mapped`` reach a resource."""

    mapped: frozenset[str]
    fates: Mapping[str, Fate]


@dataclass(frozen=True, eq=False, slots=True)
class Finished:
    """How the resources of a row are written, given which references there are.

    ``lines`` are of the blocks that hold, by their number; ``own`` is what becomes of the row's fields, ``others`` the
    same of other rows that are looked at.
    """

    lines: tuple[tuple[int, Line], ...]
    own: Touch | None
    others: tuple[tuple[int, Touch], ...]
    says: bool


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """``decided`` is of each block that holds: its number and the parts of its resource's identity.

    ``says``: there is something to be said already. The rest depends on which references there are.
    """

    decided: tuple[tuple[int, tuple[str | Slot, ...]], ...]
    says: bool
    finished: dict[tuple[bool, ...], Finished | None] = field(default_factory=dict)


class Plans:
    """The plans of one table: its blocks and remarks in their order. Raises CannotBeSeen where it can have none."""

    def __init__(self, home: str, blocks: Sequence[Block], remarks: Sequence[Remark], resolve: Resolve) -> None:
        tracer = Tracer(resolve, home)
        self.names = [block.name for block in blocks]
        self._blocks = [CompiledBlock(block, tracer) for block in blocks]
        self._remarks = [tracer.when(remark.when) for remark in remarks]
        self.view = View(home, resolve)
        for block in blocks:
            identity = block.id or ()
            nodes = [part for part in identity if not isinstance(part, Field)]
            fields = [part for part in identity if isinstance(part, Field)]
            self.view.add([block.body, *nodes], block.when, fields)
        for remark in remarks:
            self.view.add((), remark.when)
        self.view.close()
        self._plans: dict[Alike, Plan | None] = {}
        self._met: dict[Alike, int] = {}

    def of(self, alike: Alike, rows: int, trace: Callable[[], Trace]) -> Plan | None:
        """The plan of so many rows that are seen alike, if there is one; ``trace`` begins the trace of one of them."""
        if alike in self._plans:
            return self._plans[alike]
        if len(self._met) >= _MOST:
            self._met.clear()
        times = self._met[alike] = self._met.get(alike, 0) + rows
        if times < WORTHWHILE:
            return None
        if len(self._plans) >= _MOST:
            self._plans.clear()
        plan = self._plans[alike] = self._decided(trace())
        return plan

    def _decided(self, trace: Trace) -> Plan | None:
        """None where the identity of a resource is more than the texts of fields."""
        row, decided = trace.row, list[tuple[int, tuple[str | Slot, ...]]]()
        for at, block in enumerate(self._blocks):
            if block.holds is None or block.holds(trace, row):
                identity = block.identity(trace, row)
                if any(isinstance(part, Link | dict | list) for part in identity):
                    return None
                decided.append((at, tuple([part if isinstance(part, Slot) else str(part) for part in identity])))
        said = [holds(trace, row) for holds in self._remarks]
        return Plan(tuple(decided), any(said) or bool(trace.issues))

    def finished(
        self, plan: Plan, there: tuple[bool, ...], trace: Callable[[], Trace], fits: Callable[[int, Line], bool]
    ) -> Finished | None:
        """How rows with this plan are written where these references are ``there``, if they can be.

        ``trace`` begins the trace of one of them; ``fits``: the line of a block is valid FHIR with its texts.
        """
        if there not in plan.finished:
            if len(plan.finished) >= _MOST:
                plan.finished.clear()
            found: Finished | None = None
            with suppress(CannotBeWritten):
                found = self._finish(trace())
            if found is not None and not all(fits(at, line) for at, line in found.lines):
                found = None
            plan.finished[there] = found
        return plan.finished[there]

    def _finish(self, trace: Trace) -> Finished | None:
        """None where a resource cannot be made. Raises CannotBeWritten."""
        row, lines = trace.row, []
        for at, block in enumerate(self._blocks):
            trace.reads, trace.marks, trace.trail = [], [], {}
            if block.holds is not None and not block.holds(trace, row):
                trace.settle(trace.reads, (), made=True)
                continue
            block.identity(trace, row)
            resource = block.make(trace, row, "")
            if resource is None:
                return None
            trace.settle(trace.reads, trace.marks, made=True)
            lines.append((at, line_of(resource)))
        for holds in self._remarks:
            trace.reads = []
            holds(trace, row)
            trace.settle(trace.reads, (), made=True)
        touched = _touched(trace)
        own = touched.pop(0, None)
        return Finished(tuple(lines), own, tuple(touched.items()), bool(trace.issues))


def _touched(trace: Trace) -> dict[int, Touch]:
    """What becomes of the fields of the rows that were looked at, by their number."""
    mapped: dict[Row, set[str]] = {}
    fates: dict[Row, dict[str, Fate]] = {}
    for row, key in trace.mapped:
        mapped.setdefault(row, set()).add(key)
    for (row, key), fate in trace.fates.items():
        fates.setdefault(row, {})[key] = fate
    rows = mapped.keys() | fates.keys()
    return {trace.roles[row]: Touch(frozenset(mapped.get(row, ())), fates.get(row, {})) for row in rows}
