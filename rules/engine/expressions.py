"""Two-valued expressions as durable_rules takes them, and how many branches they make of its network."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rules.engine.features import number_json


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


def conjunction(parts: Iterable[Expression]) -> Expression:
    flat: list[Expression] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And) else (part,))
    unique = tuple(dict.fromkeys(flat))
    return unique[0] if len(unique) == 1 else And(unique)


def alternatives(parts: Iterable[Expression], exclusive: bool = False) -> Expression:
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
