"""Two-valued expressions over properties, and their flat form, which durable_rules takes without surprises.

Its network is a tree of comparisons that is walked with a stack of 64, its rules hold at most 15 nested groups, and
nesting multiplies. So an expression is split into pieces that must all hold; a piece is some comparisons and at most
one list of alternatives, each of which is a plain conjunction; and a long list is split into several rules.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from rules.engine.features import number_json

MAX_STACK = 60  # comparisons that can wait at once: durable_rules refuses the fact at 65
MAX_GROUPS = 12  # conjunctions in one list of alternatives
MAX_LEAVES = 20  # comparisons in one conjunction that is split

_STATES = {"absent": frozenset("a"), "unknown": frozenset("u"), "missing": frozenset("au")}
_KNOWN = frozenset("k")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison of one property; ``op`` is durable_rules' operator, "" for equality."""

    op: str
    name: str
    value: bool | int | float | str

    @property
    def json(self) -> str:
        value = number_json(self.value) if type(self.value) is float else json.dumps(self.value, ensure_ascii=False)
        test = f'{{"{self.name}":{value}}}'
        return f'{{"{self.op}":{test}}}' if self.op else test


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Expression, ...]


Expression = Leaf | And | Or
Term = frozenset[Leaf]


def conjunction(*parts: Expression) -> Expression:
    """All of these, without nesting and without repetition."""
    flattened = [inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))]
    unique = tuple(dict.fromkeys(flattened))
    return unique[0] if len(unique) == 1 else And(unique)


def alternatives(*parts: Expression) -> Expression:
    """One of these at least, without nesting and without repetition."""
    flattened = [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]
    unique = tuple(dict.fromkeys(flattened))
    return unique[0] if len(unique) == 1 else Or(unique)


def branches(expression: Expression) -> int:
    """How many alternatives the flat form has, before any simplification."""
    match expression:
        case Leaf():
            return 1
        case And(parts=parts):
            count = 1
            for part in parts:
                count *= branches(part)
            return count
        case Or(parts=parts):
            return sum(map(branches, parts))


@dataclass(frozen=True, slots=True)
class Piece:
    """What one durable rule asks: all ``leaves``, and one of ``terms`` if there are any."""

    leaves: tuple[Leaf, ...]
    terms: tuple[tuple[Leaf, ...], ...] = ()

    @property
    def properties(self) -> frozenset[str]:
        return frozenset(leaf.name for part in (self.leaves, *self.terms) for leaf in part)

    @property
    def openings(self) -> Counter[Leaf]:
        """Its comparisons that are made first, each with how many alternatives begin with it."""
        if self.leaves:
            return Counter({self.leaves[0]: max(1, len(self.terms))})
        return Counter(term[0] for term in self.terms)

    @property
    def json(self) -> tuple[str, ...]:
        """The members of its ``$and``."""
        plain = tuple(leaf.json for leaf in self.leaves)
        return (*plain, f'{{"$or":[{",".join(map(_term_json, self.terms))}]}}') if self.terms else plain


def stack(openings: Counter[Leaf]) -> int:
    """How many comparisons of pieces with these openings can wait on the stack of durable_rules at once, at most.

    Equal comparisons are one in its network. Those that open are put on the stack together, as far as they are true: of
    one fact only those for one state can be. The last is taken off, and what follows it put there in its place, which
    is at most one comparison for each alternative.
    """
    counts: dict[str, dict[str, int]] = {}
    for leaf in openings:
        stem, states = _stem_and_state(leaf.name)
        by_state = counts.setdefault(stem, {})
        for state in states:
            by_state[state] = by_state.get(state, 0) + 1
    waiting = sum(max(by_state.values()) for by_state in counts.values())
    return waiting - 1 + max(openings.values())


def _term_json(term: tuple[Leaf, ...]) -> str:
    return term[0].json if len(term) == 1 else f'{{"$and":[{",".join(leaf.json for leaf in term)}]}}'


def pieces(expression: Expression) -> tuple[Expression, ...]:
    """The expressions that must all hold, each with one list of alternatives at most: so they add up, not multiply.

    The last list stays with the plain comparisons: the first is often a window, which other rules share.
    """
    if not isinstance(expression, And):
        return (expression,)
    choices = [part for part in expression.parts if not isinstance(part, Leaf)]
    leaves = [part for part in expression.parts if isinstance(part, Leaf)]
    chunks = [leaves[start : start + MAX_LEAVES] for start in range(0, len(leaves), MAX_LEAVES)] or [[]]
    main = conjunction(*chunks[0], *choices[-1:])
    return (main, *(conjunction(*chunk) for chunk in chunks[1:]), *choices[:-1])


def one_choice(expression: Expression) -> Expression:
    """The same as one piece: several lists of alternatives that must all hold become one list of conjunctions."""
    parts = expression.parts if isinstance(expression, And) else ()
    return Or((expression,)) if sum(isinstance(part, Or) for part in parts) > 1 else expression


def flat(expression: Expression) -> Piece | None:
    """The flat form of a piece, or None when it can never be true."""
    parts = expression.parts if isinstance(expression, And) else (expression,)
    leaves = tuple(part for part in parts if isinstance(part, Leaf))
    choice = next((part for part in parts if isinstance(part, Or)), None)
    if not _possible(frozenset(leaves)):
        return None
    if choice is None:
        return Piece(leaves)
    terms = [term for term in dict.fromkeys(_terms(choice)) if _possible(term.union(leaves))]
    kept: list[Term] = []
    for term in sorted(terms, key=len):
        if not any(other <= term for other in kept):
            kept.append(term)
    if not kept:
        return None
    if len(kept) == 1:
        return Piece(tuple(dict.fromkeys((*leaves, *_ordered(kept[0])))))
    return Piece(leaves, tuple(map(_ordered, kept)))


def split(piece: Piece, fits: Callable[[Piece], bool]) -> Iterator[Piece]:
    """Pieces one of which must hold, each within the limits of a rule; ``fits`` adds a limit of the caller's."""
    taken: list[tuple[Leaf, ...]] = []
    for term in piece.terms:
        wider = Piece(piece.leaves, (*taken, term))
        groups = sum(len(each) > 1 for each in wider.terms)
        if taken and (groups > MAX_GROUPS or stack(wider.openings) > MAX_STACK or not fits(wider)):
            yield _chunk(piece.leaves, taken)
            taken = []
        taken.append(term)
    yield _chunk(piece.leaves, taken)


def _chunk(leaves: tuple[Leaf, ...], terms: Iterable[tuple[Leaf, ...]]) -> Piece:
    terms = tuple(terms)
    return Piece(tuple(dict.fromkeys((*leaves, *terms[0])))) if len(terms) == 1 else Piece(leaves, terms)


def _ordered(term: Term) -> tuple[Leaf, ...]:
    return tuple(sorted(term, key=lambda leaf: (leaf.name, leaf.op, str(leaf.value))))


def _terms(expression: Expression) -> list[Term]:
    """The alternatives, each as one conjunction."""
    match expression:
        case Leaf():
            return [frozenset((expression,))]
        case Or(parts=parts):
            return [term for part in parts for term in _terms(part)]
        case And(parts=parts):
            return [frozenset[Leaf]().union(*each) for each in product(*map(_terms, parts))]


@lru_cache(maxsize=4096)
def _stem_and_state(name: str) -> tuple[str, frozenset[str]]:
    """The operand of a property, and the states of it in which a comparison of it can be true."""
    stem, _, what = name.rpartition("__")
    return stem, _STATES.get(what, _KNOWN)


def _possible(term: Term) -> bool:
    """Whether a conjunction asks for one state and one value of each fact (as far as can be seen)."""
    states: dict[str, frozenset[str]] = {}
    values: dict[str, object] = {}
    for leaf in term:
        stem, state = _stem_and_state(leaf.name)
        states[stem] = states.get(stem, state) & state
        if not states[stem] or (not leaf.op and values.setdefault(leaf.name, leaf.value) != leaf.value):
            return False
    return True
