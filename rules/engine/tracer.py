"""The three-valued evaluator: every condition of a pack compiled once, each different one to one node.

It decides nothing alone (durable_rules must agree) and it explains everything: a node knows its condition, so a
trace, the facts that are missing and the facts that decided are found afterwards, on demand (``trace.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rules.engine import comparisons
from rules.engine.comparisons import PLAIN, SPANS, Evaluate, Step, settle
from rules.engine.condition_text import text_of, threshold_of
from rules.engine.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Derived,
    Is,
    Not,
    OlderTest,
    Presence,
    Unless,
    View,
    WithinMonths,
)
from rules.engine.content import FactDeclaration
from rules.engine.model import Fact, Trace, Truth
from rules.engine.parameters import Values
from rules.engine.pick import Pick, pick


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A compiled condition: its place among the truths, and everything of its trace that no fact changes.

    ``truth`` is None where all of its children have to be true, or in an "any" one of them. ``names`` are the facts
    that a leaf looks at. ``fact`` is the derived fact that the node speaks of, and ``named`` the place of its truth.
    """

    condition: Condition
    place: int
    truth: Evaluate | None
    kind: str
    text: str
    children: tuple[Node, ...] = ()
    names: tuple[str, ...] = ()
    fact: str = ""
    named: int = 0
    parameter: str = ""
    since: date | None = None
    provider: str = ""
    pick: Pick = tuple  # the traces of the children, from those of all nodes

    @property
    def rests(self) -> bool:
        """Whether its truth rests on those of other nodes; a leaf looks at facts alone."""
        return bool(self.children) or isinstance(self.condition, OlderTest)

    @property
    def step(self) -> Step:
        """How its truth follows from those of other nodes."""
        return self.place, self.truth, self.kind == "any", tuple(child.place for child in self.children)


class Situation:
    """The facts of one person on one day, with the truth of every node, by place.

    ``telling`` names the facts that are not as in the tracer's ``missing`` ones.
    """

    __slots__ = ("as_of", "explained", "facts", "supports", "traces", "truths")

    def __init__(self, tracer: Tracer, facts: Mapping[str, Fact], as_of: date, telling: Iterable[str]) -> None:
        self.facts, self.as_of, self.explained = facts, as_of, tracer.explained
        self.traces: list[Trace] = []  # of the explained nodes, once one has been looked at
        self.supports: dict[int, dict[str, None]] = {}  # by place, those that have been looked at
        self.truths = truths = tracer.at_rest.copy()
        leaves = tracer.leaves
        for name in telling:
            for place, truth in leaves.get(name, ()):
                truths[place] = truth(self)
        settle(tracer.steps, self)


class Tracer:
    """Compiles conditions with the parameter values of one day. Equal conditions become one node.

    All conditions are compiled before the first ``Situation``. ``at_rest`` are the truths of the leaves where every
    fact is as in ``missing``: a leaf is only looked at again where one of its facts tells more.
    """

    def __init__(
        self, declarations: Mapping[str, FactDeclaration], values: Values, missing: Mapping[str, Fact]
    ) -> None:
        self._declarations = declarations
        self._values = values
        self._known: dict[Hashable, Node] = {}
        self.nodes: list[Node] = []  # children before their parents
        self.explained = self.nodes
        self.leaves: dict[str, list[tuple[int, Evaluate]]] = {}  # by the name of a fact
        self.steps: list[Step] = []  # of what rests on other nodes
        self.at_rest: list[Truth] = []
        self._missing = Situation(self, missing, date.min, ())

    def explain(self) -> None:
        """From now on traces are made for no more than what is compiled by now."""
        self.explained = self.nodes.copy()

    def compile(self, condition: Condition) -> Node:
        match condition:
            case AllOf(children=children):
                return self._group(condition, "all", children)
            case AnyOf(children=children):
                return self._group(condition, "any", children)
            case Not(child=child):
                return self._group(condition, "not", (child,), comparisons.negated)
            case Unless(child=child):
                return self._group(condition, "unless", (child,), comparisons.unless)
            case Derived(fact=name, test=test):
                return self._derived(condition, name, test)
            case OlderTest(fact=name, test=test):
                inner = self.compile(test)
                truth = comparisons.older(name, inner.place)
                return self._leaf(condition, ("older", name, inner.place), truth, name)
            case Is(operand=operand, test=presence, boolean=boolean):
                truth = comparisons.presence(operand, presence, boolean)
                return self._leaf(condition, ("is", operand, presence, boolean), truth, operand.fact)
            case WithinMonths(operand=operand):
                assert operand.months is not None  # noqa: S101 - the parser always sets it
                truth = comparisons.within_months(operand, self._values.of(operand.months))
                return self._leaf(condition, ("months", operand), truth, operand.fact)
            case Compare(operand=operand, op=op, threshold=threshold):
                key = ("compare", operand, op, threshold.parameter, repr(threshold.value))
                names = (operand.fact, operand.other) if operand.other else (operand.fact,)
                return self._leaf(condition, key, self._compare(condition), *names)

    def derived(self, name: str) -> Node:
        """The named condition ``derive`` of a fact; its children are ``derive`` and, if any, ``unknown_when``."""
        declaration = self._declarations[name]
        return self._derived(Derived(name, Presence.PRESENT, declaration.place), name, Presence.PRESENT)

    def _derived(self, condition: Derived, name: str, test: Presence) -> Node:
        key = ("derived", name, test)
        if key in self._known:
            return self._known[key]
        declaration = self._declarations[name]
        if test is Presence.PRESENT:
            assert declaration.derive is not None  # noqa: S101 - the parser only names derived facts
            conditions = [each for each in (declaration.derive, declaration.unknown_when) if each is not None]
            children = tuple(map(self.compile, conditions))
            truth = comparisons.derived(*(child.place for child in children)) if len(children) > 1 else None
            return self._add(condition, key, truth, "derived", children, named=len(self.nodes))
        named = self.derived(name)
        truth = comparisons.decided(named.place, test)
        return self._add(condition, key, truth, "derived", named.children, named=named.place)

    def _group(
        self,
        condition: Condition,
        kind: str,
        conditions: Sequence[Condition],
        make: Callable[[int], Evaluate] | None = None,
    ) -> Node:
        children = tuple(map(self.compile, conditions))
        places = tuple(child.place for child in children)
        return self._add(condition, (kind, places), make(*places) if make else None, kind, children)

    def _leaf(self, condition: Condition, key: Hashable, truth: Evaluate, *names: str) -> Node:
        return self._add(condition, key, truth, "compare", names=names)

    def _add(
        self,
        condition: Condition,
        key: Hashable,
        truth: Evaluate | None,
        kind: str,
        children: tuple[Node, ...] = (),
        names: tuple[str, ...] = (),
        named: int = 0,
    ) -> Node:
        if key not in self._known:
            threshold = threshold_of(condition)
            node = Node(
                condition=condition,
                place=len(self.nodes),
                truth=truth,
                kind=kind,
                text=text_of(condition, self._declarations, self._values),
                children=children,
                names=names,
                fact=condition.fact if isinstance(condition, Derived) else "",
                named=named,
                parameter=threshold.parameter if threshold else "",
                since=self._values.since(threshold) if threshold else None,
                provider=self._values.provider(threshold) if threshold else "",
                pick=pick([child.place for child in children]),
            )
            self._known[key] = node
            self._place(node)
        return self._known[key]

    def _place(self, node: Node) -> None:
        self.nodes.append(node)
        if node.truth is None or node.rests:
            self.steps.append(node.step)
            self.at_rest.append(None)
            return
        self.at_rest.append(node.truth(self._missing))
        for name in node.names:
            self.leaves.setdefault(name, []).append((node.place, node.truth))

    def _compare(self, condition: Compare) -> Evaluate:
        operand, op, value = condition.operand, condition.op, self._values.of(condition.threshold)
        if operand.view is View.VALUE:
            if self._declarations[operand.fact].type == "days":
                return comparisons.span(operand, SPANS[op], value)
            return comparisons.plain(operand, PLAIN[op], value)
        if operand.view is View.DAYS_AGO:
            return comparisons.days_ago(operand, SPANS[op], value)
        if operand.view is View.RECORDED:
            return comparisons.recorded(operand, PLAIN[op], value)
        return comparisons.days_after(operand.fact, operand.other, SPANS[op], value)
