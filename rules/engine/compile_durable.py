"""Compiles named conditions to durable_rules, inside the subset in which it is right.

durable_rules is two-valued. So each condition is compiled to the question "is it certainly true?", with every ``not``
pushed down to the comparisons, where "certainly false" and "not certainly true" are questions of their own about
explicit properties (``x__absent``, ``x__unknown`` …). Derived conditions are inlined. No property is ever asked for by
its absence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rules.engine.conditions import (
    All,
    Any_,
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
from rules.engine.features import Group, Write, number_json
from rules.engine.names import Named
from rules.engine.parameters import Values

MAX_RULES = 50
MAX_PROPERTIES = 200  # durable_rules refuses more than 250
MAX_TRUE_BRANCHES = 60  # durable_rules drops a fact that makes more than 64 branches true
MAX_BRANCHES = 250  # and loops for ever at 512 distinct conditions on one level
SPLIT_OVER = 16  # a conjunction with more branches is asked for part by part


class Ask(Enum):
    """The two-valued questions about a three-valued truth."""

    TRUE = "certainly true"
    FALSE = "certainly false"
    NOT_TRUE = "not certainly true"
    NOT_FALSE = "not certainly false"


_OPPOSITE = {Ask.TRUE: Ask.FALSE, Ask.FALSE: Ask.TRUE, Ask.NOT_TRUE: Ask.NOT_FALSE, Ask.NOT_FALSE: Ask.NOT_TRUE}
_COMPLEMENT = {Ask.TRUE: Ask.NOT_TRUE, Ask.NOT_TRUE: Ask.TRUE, Ask.FALSE: Ask.NOT_FALSE, Ask.NOT_FALSE: Ask.FALSE}
_CONJUNCTIVE = (Ask.TRUE, Ask.NOT_FALSE)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison of one property."""

    op: str  # durable_rules' operator, "" for equality
    name: str
    value: Any

    @property
    def json(self) -> str:
        value = number_json(self.value) if type(self.value) is float else json.dumps(self.value, ensure_ascii=False)
        test = f'{{"{self.name}":{value}}}'
        return f'{{"{self.op}":{test}}}' if self.op else test


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Expression, ...]

    @property
    def json(self) -> str:
        return f'{{"$and":[{",".join(part.json for part in self.parts)}]}}'


@dataclass(frozen=True, slots=True)
class Or:
    """``exclusive``: at most one part can be true, so the branches that are true at once do not add up."""

    parts: tuple[Expression, ...]
    exclusive: bool = False

    @property
    def json(self) -> str:
        return f'{{"$or":[{",".join(part.json for part in self.parts)}]}}'


Expression = Leaf | And | Or


def _and(parts: Iterable[Expression]) -> Expression:
    flat: list[Expression] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And) else (part,))
    unique = tuple(dict.fromkeys(flat))
    return unique[0] if len(unique) == 1 else And(unique)


def _or(parts: Iterable[Expression], exclusive: bool = False) -> Expression:
    flat: list[Expression] = []
    for part in parts:
        same = isinstance(part, Or) and part.exclusive == exclusive
        flat.extend(part.parts if isinstance(part, Or) and same else (part,))
    unique = tuple(dict.fromkeys(flat))
    return unique[0] if len(unique) == 1 else Or(unique, exclusive)


def true_branches(expression: Expression) -> int:
    """How many branches can be true at once, at most."""
    match expression:
        case Leaf():
            return 1
        case And(parts=parts):
            product = 1
            for part in parts:
                product *= true_branches(part)
            return product
        case Or(parts=parts, exclusive=exclusive):
            counts = [true_branches(part) for part in parts]
            return max(counts) if exclusive else sum(counts)


def branches(expression: Expression) -> int:
    """How many branches there are in all."""
    match expression:
        case Leaf():
            return 1
        case And(parts=parts):
            product = 1
            for part in parts:
                product *= branches(part)
            return product
        case Or(parts=parts):
            return sum(branches(part) for part in parts)


def properties(expression: Expression) -> frozenset[str]:
    """The names of the properties that are looked at."""
    if isinstance(expression, Leaf):
        return frozenset((expression.name,))
    return frozenset[str]().union(*map(properties, expression.parts))


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
            case All(children=children):
                parts = [self.expression(child, ask) for child in children]
                return _and(parts) if ask in _CONJUNCTIVE else _or(parts)
            case Any_(children=children):
                parts = [self.expression(child, ask) for child in children]
                return _or(parts) if ask in _CONJUNCTIVE else _and(parts)
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
                return _and((Leaf("", guard, True), inner)) if certain else _or((Leaf("", guard, True), inner))
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
            return _or(parts, exclusive=True) if certain else _and(parts)
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
        return _and((derive, unknown)) if ask is Ask.FALSE else _or((derive, unknown))

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
                return _or((negative, Leaf("", group.flag("absent"), True)), exclusive=True)
            case Ask.NOT_TRUE:
                return _or((negative, Leaf("", group.flag("missing"), True)), exclusive=True)
            case Ask.NOT_FALSE:
                return _or((positive, Leaf("", group.flag("unknown"), True)), exclusive=True)

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
        return _or((Leaf("", group.flag(flag), True) for flag in flags[ask]), exclusive=True)

    def _within_months(self, condition: WithinMonths, ask: Ask) -> Expression:
        assert condition.operand.months is not None  # noqa: S101 - the parser always sets it
        until = self._group(condition.operand, self._values.of(condition.operand.months))
        ago = self._group(condition.ago, None)
        parts = [self._span(group, Op.GTE, 0, ask) for group in (until, ago)]
        return _and(parts) if ask in _CONJUNCTIVE else _or(parts)

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
            positive = _or((Leaf("", value, item) for item in threshold), exclusive=True)
            negative = _and(Leaf("$neq", value, item) for item in threshold)
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
                return _or((none, Leaf("", group.flag("absent"), True)), exclusive=True)
            case Ask.NOT_TRUE:
                return _or((self._possible(group, _NEGATED[op], n), Leaf("", group.flag("missing"), True)), exclusive=True)
            case Ask.NOT_FALSE:
                return _or((self._possible(group, op, n), Leaf("", group.flag("unknown"), True)), exclusive=True)

    def _certain(self, group: Group, op: Op, n: int) -> Expression:
        """The comparison holds for the whole span."""
        low, high = group.flag("low"), group.flag("high")
        if op is Op.EQ:
            return _and((Leaf("", low, n), Leaf("", high, n)))
        if op is Op.NE:
            return _or((Leaf("$gt", low, n), Leaf("$lt", high, n)), exclusive=True)
        return Leaf(_OPS[op], low if op in (Op.GT, Op.GTE) else high, n)

    def _possible(self, group: Group, op: Op, n: int) -> Expression:
        """The comparison holds for some of the span."""
        low, high = group.flag("low"), group.flag("high")
        if op is Op.EQ:
            return _and((Leaf("$lte", low, n), Leaf("$gte", high, n)))
        if op is Op.NE:
            return _or((Leaf("$neq", low, n), Leaf("$neq", high, n)))
        return Leaf(_OPS[op], high if op in (Op.GT, Op.GTE) else low, n)


@dataclass(frozen=True, slots=True)
class Part:
    """One durable rule. A name is true when all of its parts are."""

    id: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Shard:
    """One C ruleset: its rules as JSON members, and the writers of the properties they look at."""

    rules: str
    writers: tuple[Write, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """Named conditions ready for durable_rules. ``parts`` lists the durable rules of each name."""

    shards: tuple[Shard, ...]
    parts: Mapping[str, tuple[str, ...]]


def compile_durable(named: Mapping[str, Named], declarations: Mapping[str, FactDeclaration], values: Values) -> Program:
    """Compile every named condition. Raises ContentError for one that is too large for durable_rules."""
    compiler = DurableCompiler(declarations, values)
    parts = {each.name: _parts(each, compiler.expression(each.condition, Ask.TRUE)) for each in named.values()}
    shards = _shards([part for each in parts.values() for part in each])
    return Program(
        shards=tuple(_shard(shard, compiler) for shard in shards),
        parts={name: tuple(part.id for part in each) for name, each in parts.items()},
    )


def _shard(parts: Sequence[Part], compiler: DurableCompiler) -> Shard:
    wanted = frozenset[str]().union(*(properties(part.expression) for part in parts))
    groups = [group for group in compiler.groups.values() if any(group.owns(name) for name in wanted)]
    return Shard(
        rules=",".join(f'"{part.id}":{_rule(part.expression)}' for part in parts),
        writers=tuple(group.writer(wanted) for group in groups),
    )


def _rule(expression: Expression) -> str:
    guarded = expression.parts if isinstance(expression, And) else (expression,)
    tests = ",".join(('{"kind":"facts"}', *(part.json for part in guarded)))
    return f'{{"all":[{{"m":{{"$and":[{tests}]}}}}]}}'


def _parts(named: Named, expression: Expression) -> tuple[Part, ...]:
    pieces: tuple[Expression, ...] = (expression,)
    if isinstance(expression, And) and (branches(expression) > SPLIT_OVER or _too_wide(expression)):
        pieces = expression.parts
    for piece in pieces:
        if true_branches(piece) > MAX_TRUE_BRANCHES or branches(piece) > MAX_BRANCHES or _too_wide(piece):
            message = (
                f"{named.name}: too many alternatives in one condition ({branches(piece)} branches, "
                f"{true_branches(piece)} of them at once): use fewer 'any' inside 'any' and 'all', or split the rule"
            )
            raise ContentError(message, named.place.file, named.place.line, named.place.column)
    if len(pieces) == 1:
        return (Part(named.name, pieces[0]),)
    return tuple(Part(f"{named.name}#{index}", piece) for index, piece in enumerate(pieces))


def _too_wide(expression: Expression) -> bool:
    return len(properties(expression)) > MAX_PROPERTIES


def _shards(parts: Sequence[Part]) -> list[list[Part]]:
    """Fill shard after shard, in order, within the limits of durable_rules."""
    shards: list[list[Part]] = []
    true = total = 0
    wanted: frozenset[str] = frozenset()
    for part in parts:
        own_true, own_total, own = true_branches(part.expression), branches(part.expression), properties(part.expression)
        true, total, wanted = true + own_true, total + own_total, wanted | own
        full = not shards or len(shards[-1]) >= MAX_RULES or len(wanted) > MAX_PROPERTIES
        if full or true > MAX_TRUE_BRANCHES or total > MAX_BRANCHES:
            shards.append([])
            true, total, wanted = own_true, own_total, own
        shards[-1].append(part)
    return shards
