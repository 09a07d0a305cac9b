"""Compiles named conditions to durable_rules, inside the subset in which it is right.

durable_rules is two-valued. So each condition is compiled to the question "is it certainly true?", with every ``not``
pushed down to the comparisons, where "certainly false" and "not certainly true" are questions of their own about
explicit properties (``x__absent``, ``x__unknown`` …). Derived conditions are inlined. No property is ever asked for by
its absence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rules.engine.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Derived,
    Is,
    Not,
    OlderTest,
    Op,
    Operand,
    Presence,
    Unless,
    View,
    WithinMonths,
)
from rules.engine.content import FactDeclaration
from rules.engine.errors import ContentError
from rules.engine.expressions import (
    And,
    Expression,
    Leaf,
    Or,
    alternatives,
    branches,
    conjunction,
    properties,
    true_branches,
)
from rules.engine.features import Group, Write
from rules.engine.names import Named
from rules.engine.parameters import Values

MAX_RULES = 50
MAX_PROPERTIES = 200  # durable_rules refuses more than 250
MAX_TRUE_BRANCHES = 60  # durable_rules drops a fact that makes more than 64 branches true
MAX_BRANCHES = 250  # and loops for ever at 512 distinct conditions on one level
KIND_GUARD = '{"kind":"facts"}'  # first in every condition, else it can match the engine's own state


class Ask(Enum):
    """The two-valued questions about a three-valued truth."""

    TRUE = "certainly true"
    FALSE = "certainly false"
    NOT_TRUE = "not certainly true"
    NOT_FALSE = "not certainly false"


_OPPOSITE = {Ask.TRUE: Ask.FALSE, Ask.FALSE: Ask.TRUE, Ask.NOT_TRUE: Ask.NOT_FALSE, Ask.NOT_FALSE: Ask.NOT_TRUE}
_COMPLEMENT = {Ask.TRUE: Ask.NOT_TRUE, Ask.NOT_TRUE: Ask.TRUE, Ask.FALSE: Ask.NOT_FALSE, Ask.NOT_FALSE: Ask.FALSE}
_CONJUNCTIVE = (Ask.TRUE, Ask.NOT_FALSE)


_OPS = {Op.EQ: "", Op.NE: "$neq", Op.LT: "$lt", Op.LTE: "$lte", Op.GT: "$gt", Op.GTE: "$gte"}
_NEGATED = {Op.EQ: Op.NE, Op.NE: Op.EQ, Op.LT: Op.GTE, Op.GTE: Op.LT, Op.GT: Op.LTE, Op.LTE: Op.GT}


class DurableCompiler:
    """Compiles conditions with the parameter values of one day, and collects the properties they look at."""

    def __init__(self, declarations: Mapping[str, FactDeclaration], values: Values) -> None:
        self._declarations = declarations
        self._values = values
        self.groups: dict[tuple[Any, ...], Group] = {}

    def expression(self, condition: Condition, ask: Ask) -> Expression:
        match condition:
            case AllOf(children=children):
                parts = [self.expression(child, ask) for child in children]
                return conjunction(parts) if ask in _CONJUNCTIVE else alternatives(parts)
            case AnyOf(children=children):
                parts = [self.expression(child, ask) for child in children]
                return alternatives(parts) if ask in _CONJUNCTIVE else conjunction(parts)
            case Not(child=child):
                return self.expression(child, _OPPOSITE[ask])
            case Unless(child=child):
                return self.expression(child, Ask.NOT_TRUE if ask in _CONJUNCTIVE else Ask.TRUE)
            case Derived(fact=name, test=test):
                return self._derived(name, test, ask)
            case OlderTest(test=test, fact=name):
                certain = ask in _CONJUNCTIVE
                group = self._group(Operand(name, older=True), None)
                inner = self.expression(test, Ask.TRUE if certain else Ask.NOT_TRUE)
                guard = group.flag("known" if certain else "missing")
                return (
                    conjunction((Leaf("", guard, True), inner))
                    if certain
                    else alternatives((Leaf("", guard, True), inner))
                )
            case Is():
                return self._is(condition, ask)
            case WithinMonths():
                return self._within_months(condition, ask)
            case Compare():
                return self._compare(condition, ask)

    def _derived(self, name: str, test: Presence, ask: Ask) -> Expression:
        certain = ask in _CONJUNCTIVE
        if test is Presence.KNOWN:
            asks = (Ask.TRUE, Ask.FALSE) if certain else (Ask.NOT_TRUE, Ask.NOT_FALSE)
            parts = [self._truth(name, each) for each in asks]
            return alternatives(parts, exclusive=True) if certain else conjunction(parts)
        if test is Presence.MISSING:
            return self._derived(name, Presence.KNOWN, Ask.NOT_TRUE if certain else Ask.TRUE)
        return self._truth(name, ask)

    def _truth(self, name: str, ask: Ask) -> Expression:
        declaration = self._declarations[name]
        assert declaration.derive is not None  # noqa: S101 - the parser only names derived facts
        derive = self.expression(declaration.derive, ask)
        if declaration.unknown_when is None or ask in (Ask.TRUE, Ask.NOT_TRUE):
            return derive
        unknown = self.expression(declaration.unknown_when, ask)
        return conjunction((derive, unknown)) if ask is Ask.FALSE else alternatives((derive, unknown))

    def _group(self, operand: Operand, months: int | None) -> Group:
        key = (operand.fact, operand.view, operand.other, months, operand.older)
        if key not in self.groups:
            self.groups[key] = Group(operand, self._declarations[operand.fact].type, months)
        return self.groups[key]

    def _states(self, group: Group, positive: Expression, negative: Expression, ask: Ask) -> Expression:
        """``positive`` and ``negative`` are two-valued and opposite where the fact is known."""
        match ask:
            case Ask.TRUE:
                return positive
            case Ask.FALSE:
                return alternatives((negative, Leaf("", group.flag("absent"), True)), exclusive=True)
            case Ask.NOT_TRUE:
                return alternatives((negative, Leaf("", group.flag("missing"), True)), exclusive=True)
            case Ask.NOT_FALSE:
                return alternatives((positive, Leaf("", group.flag("unknown"), True)), exclusive=True)

    def _is(self, condition: Is, ask: Ask) -> Expression:
        group = self._group(condition.operand, None)
        if condition.test in (Presence.KNOWN, Presence.MISSING):
            is_known = (condition.test is Presence.KNOWN) == (ask in _CONJUNCTIVE)
            return Leaf("", group.flag("known" if is_known else "missing"), True)
        if condition.test is Presence.ABSENT:
            ask = _OPPOSITE[ask]
        if condition.boolean:
            value = group.flag("value")
            return self._states(group, Leaf("", value, True), Leaf("", value, False), ask)
        flags = {
            Ask.TRUE: ("known",),
            Ask.FALSE: ("absent",),
            Ask.NOT_TRUE: ("missing",),
            Ask.NOT_FALSE: ("known", "unknown"),
        }
        return alternatives((Leaf("", group.flag(flag), True) for flag in flags[ask]), exclusive=True)

    def _within_months(self, condition: WithinMonths, ask: Ask) -> Expression:
        assert condition.operand.months is not None  # noqa: S101 - the parser always sets it
        until = self._group(condition.operand, self._values.of(condition.operand.months))
        ago = self._group(condition.ago, None)
        parts = [self._span(group, Op.GTE, 0, ask) for group in (until, ago)]
        return conjunction(parts) if ask in _CONJUNCTIVE else alternatives(parts)

    def _compare(self, condition: Compare, ask: Ask) -> Expression:
        operand, op, threshold = condition.operand, condition.op, self._values.of(condition.threshold)
        group = self._group(operand, None)
        if group.is_span:
            return self._span(group, op, threshold, ask)
        if op is Op.CONTAINS:
            has = group.has(threshold)
            return self._states(group, Leaf("", has, True), Leaf("", has, False), ask)
        value = group.flag("value")
        if group.type == "number" and operand.view is View.VALUE:
            threshold = tuple(map(float, threshold)) if op is Op.IN else float(threshold)
        if op is Op.IN:
            positive = alternatives((Leaf("", value, item) for item in threshold), exclusive=True)
            negative = conjunction(Leaf("$neq", value, item) for item in threshold)
        else:
            positive = Leaf(_OPS[op], value, threshold)
            negative = Leaf(_OPS[_NEGATED[op]], value, threshold)
        return self._states(group, positive, negative, ask)

    def _span(self, group: Group, op: Op, n: int, ask: Ask) -> Expression:
        whole, none = self._certain(group, op, n), self._certain(group, _NEGATED[op], n)
        match ask:
            case Ask.TRUE:
                return whole
            case Ask.FALSE:
                return alternatives((none, Leaf("", group.flag("absent"), True)), exclusive=True)
            case Ask.NOT_TRUE:
                return alternatives(
                    (self._possible(group, _NEGATED[op], n), Leaf("", group.flag("missing"), True)), exclusive=True
                )
            case Ask.NOT_FALSE:
                return alternatives(
                    (self._possible(group, op, n), Leaf("", group.flag("unknown"), True)), exclusive=True
                )

    def _certain(self, group: Group, op: Op, n: int) -> Expression:
        """The comparison holds for the whole span."""
        low, high = group.flag("low"), group.flag("high")
        if op is Op.EQ:
            return conjunction((Leaf("", low, n), Leaf("", high, n)))
        if op is Op.NE:
            return alternatives((Leaf("$gt", low, n), Leaf("$lt", high, n)), exclusive=True)
        return Leaf(_OPS[op], low if op in (Op.GT, Op.GTE) else high, n)

    def _possible(self, group: Group, op: Op, n: int) -> Expression:
        """The comparison holds for some of the span."""
        low, high = group.flag("low"), group.flag("high")
        if op is Op.EQ:
            return conjunction((Leaf("$lte", low, n), Leaf("$gte", high, n)))
        if op is Op.NE:
            return alternatives((Leaf("$neq", low, n), Leaf("$neq", high, n)))
        return Leaf(_OPS[op], high if op in (Op.GT, Op.GTE) else low, n)


@dataclass(frozen=True, slots=True)
class Shard:
    """One C ruleset: its rules as JSON members, and which of the program's groups they look at."""

    rules: str
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """Named conditions ready for durable_rules.

    ``parts`` lists the durable rules of each name: it is true when all of them are. ``writers`` write the properties
    of one group each, and ``facts`` names the facts a group is made from.
    """

    shards: tuple[Shard, ...]
    parts: Mapping[str, tuple[str, ...]]
    writers: tuple[Write, ...]
    facts: tuple[tuple[str, ...], ...]


def compile_durable(named: Mapping[str, Named], declarations: Mapping[str, FactDeclaration], values: Values) -> Program:
    """Compile every named condition. Raises ContentError for one that is too large for durable_rules."""
    compiler = DurableCompiler(declarations, values)
    rules: dict[Expression, str] = {}
    parts: dict[str, tuple[str, ...]] = {}
    for each in named.values():
        pieces = _pieces(compiler.expression(each.condition, Ask.TRUE))
        for index, piece in enumerate(pieces):
            _check_size(each, piece)
            rules.setdefault(piece, f"{each.name}#{index}" if index else each.name)
        parts[each.name] = tuple(rules[piece] for piece in pieces)
    wanted = frozenset[str]().union(*map(properties, rules))
    groups = [group for group in compiler.groups.values() if group.names(wanted)]
    owners = {name: index for index, group in enumerate(groups) for name in group.names(wanted)}
    sizes = [len(group.names(wanted)) for group in groups]
    return Program(
        shards=tuple(_shards(rules, owners, sizes)),
        parts=parts,
        writers=tuple(group.writer(wanted) for group in groups),
        facts=tuple(group.facts for group in groups),
    )


def _pieces(expression: Expression) -> tuple[Expression, ...]:
    """A conjunction with several alternatives in it, as one rule for each, so that they add up and do not multiply.

    The last one stays with the plain comparisons: the first is often a window, which other rules share.
    """
    if not isinstance(expression, And):
        return (expression,)
    apart = [part for part in expression.parts if isinstance(part, Or)][:-1]
    rest = [part for part in expression.parts if part not in apart]
    return (conjunction(rest), *apart)


def _check_size(named: Named, piece: Expression) -> None:
    if true_branches(piece) <= MAX_TRUE_BRANCHES and branches(piece) <= MAX_BRANCHES:
        return
    message = (
        f"{named.name}: too many alternatives in one condition ({branches(piece)} branches, up to "
        f"{true_branches(piece)} true at once): use fewer 'any' inside 'all' inside 'any', or split the rule"
    )
    raise ContentError(message, named.place.file, named.place.line, named.place.column)


class _Filling:
    """A shard while rules are added to it, within the limits of durable_rules."""

    def __init__(self) -> None:
        self.rules: list[str] = []
        self.groups: frozenset[int] = frozenset()
        self.true = self.total = 0

    def takes(self, expression: Expression, groups: frozenset[int], sizes: Sequence[int]) -> bool:
        return (
            len(self.rules) < MAX_RULES
            and self.true + true_branches(expression) <= MAX_TRUE_BRANCHES
            and self.total + branches(expression) <= MAX_BRANCHES
            and sum(sizes[group] for group in self.groups | groups) <= MAX_PROPERTIES
        )

    def add(self, rule_id: str, expression: Expression, groups: frozenset[int]) -> None:
        guarded = expression.parts if isinstance(expression, And) else (expression,)
        tests = ",".join((KIND_GUARD, *(part.json for part in guarded)))
        self.rules.append(f'"{rule_id}":{{"all":[{{"m":{{"$and":[{tests}]}}}}]}}')
        self.groups |= groups
        self.true += true_branches(expression)
        self.total += branches(expression)


def _shards(rules: Mapping[Expression, str], owners: Mapping[str, int], sizes: Sequence[int]) -> Iterator[Shard]:
    """Each rule goes to the first shard that still takes it."""
    shards: list[_Filling] = []
    for expression, rule_id in rules.items():
        groups = frozenset(owners[name] for name in properties(expression))
        shard = next((each for each in shards if each.takes(expression, groups, sizes)), None)
        if shard is None:
            shard = _Filling()
            shards.append(shard)
            if not shard.takes(expression, groups, sizes):
                message = f"{rule_id}: the condition looks at more than {MAX_PROPERTIES} properties: split the rule"
                raise ContentError(message)
        shard.add(rule_id, expression, groups)
    return (Shard(",".join(shard.rules), tuple(sorted(shard.groups))) for shard in shards)
