"""Compiles named conditions to rules of durable_rules, in shards that stay within its limits.

The limits were measured (and read in its source): a stack of 64 comparisons, 32 slots for the groups of a rule, 512
comparisons on one level, 250 properties of a fact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rules.engine.content import FactDeclaration
from rules.engine.errors import ContentError
from rules.engine.expressions import (
    MAX_STACK,
    Expression,
    Leaf,
    Piece,
    branches,
    conjunction,
    flat,
    one_choice,
    pieces,
    split,
    stack,
)
from rules.engine.features import Write
from rules.engine.names import Named
from rules.engine.parameters import Values
from rules.engine.translate import Translator

MAX_RULES = 50  # in one ruleset
MAX_PROPERTIES = 200  # of the fact that one ruleset sees
MAX_BRANCHES = 250  # in one ruleset, and of one condition
MIN_CHOICES = 2  # lists of alternatives in a condition, from which a negated one becomes a veto
MAX_VETO = 16  # alternatives of a veto
KIND_GUARD = '{"kind":"facts"}'  # first in every rule, else it can match the engine's own state

Parts = tuple[frozenset[str], ...]
Flat = list[Piece | None]  # None: it can never be true


@dataclass(frozen=True, slots=True)
class Shard:
    """One C ruleset: its rules as JSON members, and which of the program's groups of properties they look at."""

    rules: str
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """Named conditions ready for durable_rules.

    A name is true when of each of its ``parts`` at least one durable rule matched, and of its ``vetoes`` none.
    ``writers`` write the properties of one group each; ``facts`` names the facts that a group is made from.
    """

    shards: tuple[Shard, ...]
    parts: Mapping[str, Parts]
    vetoes: Mapping[str, frozenset[str]]
    writers: tuple[Write, ...]
    facts: tuple[tuple[str, ...], ...]


def compile_durable(named: Mapping[str, Named], declarations: Mapping[str, FactDeclaration], values: Values) -> Program:
    """Compile every named condition. Raises ContentError for one that is too large for durable_rules."""
    translator = Translator(declarations, values)
    flattened = {each.name: _flat(each, translator) for each in named.values()}
    found = [piece for both in flattened.values() for pieces in both for piece in pieces if piece]
    wanted = frozenset[str]().union(*(piece.properties for piece in found))
    groups = [group for group in translator.groups.values() if group.names(wanted)]
    owners = {name: index for index, group in enumerate(groups) for name in group.names(wanted)}
    packing = _Packing(owners, [len(group.names(wanted)) for group in groups])
    parts: dict[str, Parts] = {}
    vetoes: dict[str, frozenset[str]] = {}
    for name, (positive, negative) in flattened.items():
        parts[name] = tuple(packing.add(named[name], piece) for piece in positive)
        vetoes[name] = frozenset[str]().union(*(packing.add(named[name], piece) for piece in negative))
    return Program(
        shards=packing.shards(),
        parts=parts,
        vetoes=vetoes,
        writers=tuple(group.writer(wanted) for group in groups),
        facts=tuple(group.facts for group in groups),
    )


def _flat(named: Named, translator: Translator) -> tuple[Flat, Flat]:
    """The pieces that must all hold, and those of which none may hold.

    What is negated is asked for as it stands, and must not hold: it would match for nearly everyone, and a match costs
    more than a comparison. It stays positive where it is the only list of alternatives.
    """
    positive: list[Expression] = []
    negative: list[Expression] = []
    conjuncts = list(translator.conjuncts(named.condition))
    choices = sum(not isinstance(expression, Leaf) for expression, _ in conjuncts)
    for expression, opposite in conjuncts:
        if opposite is None or choices < MIN_CHOICES or branches(opposite) > MAX_VETO:
            positive.append(expression)
        else:
            negative.append(opposite)
    required = _pieces(named, pieces(conjunction(*positive))) if positive else []
    return required, _pieces(named, map(one_choice, negative))


def _pieces(named: Named, expressions: Iterable[Expression]) -> Flat:
    found: Flat = []
    for part in expressions:
        count = branches(part)
        if count > MAX_BRANCHES:
            message = (
                f"{named.name}: {count} alternatives in one condition, {MAX_BRANCHES} are possible: "
                "use fewer 'any' inside 'all' inside 'any', or split the rule"
            )
            raise _error(named, message)
        found.append(flat(part))
    return found


def _error(named: Named, message: str) -> ContentError:
    return ContentError(message, named.place.file, named.place.line, named.place.column, code="RC070")


@dataclass(slots=True)
class _Filling:
    """A shard while rules are added to it."""

    rules: list[str]
    groups: frozenset[int]
    openings: Counter[Leaf]
    branches: int


class _Packing:
    """Puts each durable rule into the first shard that still takes it. Equal rules are kept once."""

    def __init__(self, owners: Mapping[str, int], sizes: Sequence[int]) -> None:
        self._owners = owners
        self._sizes = sizes
        self._ids: dict[Piece, frozenset[str]] = {}
        self._filling: list[_Filling] = []
        self._count = 0

    def add(self, named: Named, piece: Piece | None) -> frozenset[str]:
        """The ids of the durable rules of a piece; none when it can never be true."""
        if piece is None:
            return frozenset()
        if piece not in self._ids:
            self._ids[piece] = frozenset(self._place(named, chunk) for chunk in split(piece, self._fits))
        return self._ids[piece]

    def shards(self) -> tuple[Shard, ...]:
        return tuple(Shard(",".join(each.rules), tuple(sorted(each.groups))) for each in self._filling)

    def _groups(self, piece: Piece) -> frozenset[int]:
        return frozenset(self._owners[name] for name in piece.properties)

    def _size(self, groups: frozenset[int]) -> int:
        return sum(self._sizes[group] for group in groups)

    def _fits(self, piece: Piece) -> bool:
        return self._size(self._groups(piece)) <= MAX_PROPERTIES

    def _place(self, named: Named, piece: Piece) -> str:
        if not self._fits(piece):
            message = f"{named.name}: one condition looks at more than {MAX_PROPERTIES} properties: split the rule"
            raise _error(named, message)
        groups, openings, count = self._groups(piece), piece.openings, max(1, len(piece.terms))
        shard = next((each for each in self._filling if self._takes(each, groups, openings, count)), None)
        if shard is None:
            shard = _Filling([], frozenset(), Counter(), 0)
            self._filling.append(shard)
        self._count += 1
        rule_id = f"{named.name}#{self._count}"
        tests = ",".join((KIND_GUARD, *piece.json))
        shard.rules.append(f'"{rule_id}":{{"all":[{{"m":{{"$and":[{tests}]}}}}]}}')
        shard.groups |= groups
        shard.openings.update(openings)
        shard.branches += count
        return rule_id

    def _takes(self, shard: _Filling, groups: frozenset[int], openings: Counter[Leaf], count: int) -> bool:
        return (
            len(shard.rules) < MAX_RULES
            and shard.branches + count <= MAX_BRANCHES
            and self._size(shard.groups | groups) <= MAX_PROPERTIES
            and stack(shard.openings + openings) <= MAX_STACK
        )
