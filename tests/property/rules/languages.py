"""Random packs (conditions as plain data, and facts), and an evaluator written from the rule language's text alone.

The reference evaluator shares no code with the engine. A pack is drawn from one seed: hypothesis chooses the seeds.
"""

from __future__ import annotations

import calendar
import random
from datetime import date, timedelta

from rules import DateSpan, DaySpan, Fact, State
from rules.engine.conditions import Place
from rules.engine.content import Dated, FactDeclaration, Parameter
from rules.engine.cursor import Cursor
from rules.engine.names import Named
from rules.engine.parse import Parser
from rules.engine.yaml_file import Document, Node

AS_OF = date(2024, 2, 29)
PLACE = Place("test.yaml", 1, 1)
TYPES = {
    **dict.fromkeys(("b1", "b2", "b3"), "boolean"),
    **dict.fromkeys(("i1", "i2"), "integer"),
    **dict.fromkeys(("n1", "n2"), "number"),
    "t1": "text",
    "c1": "codes",
    **dict.fromkeys(("d1", "d2"), "date"),
    "y1": "days",
}
PARAMETER = 3
TEXTS = ["", "5", "true", "a", "é", "e\u0301", '"', "\\", "\n", "😀", "\u2028", "null", "x" * 300, "\x00"]
FLOATS = [0.0, -0.0, 0.1, 0.30000000000000004, 1e-7, 1e22, 1.5, 5.0, -2.5, 5e-324, 1.7976931348623157e308]
DAYS = [date(2023, 2, 28), date(2023, 3, 1), date(2023, 8, 31), date(2023, 1, 31), date(2022, 12, 31)]
ORDER = ("gt", "gte", "lt", "lte", "eq", "ne")


def document(data):
    """A file that holds this plain data."""

    def node(value):
        items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
        return Node(value, 1, 1, {key: node(child) for key, child in items})

    return Cursor.top(Document("test.yaml", node(data)))


class Draw:
    """Draws conditions and facts from one seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)  # noqa: S311 - chance for tests, not for secrets

    def small(self):
        return self.rng.randint(-3, 6)

    def number(self):
        return self.rng.choice([self.small(), self.rng.choice(FLOATS), self.rng.uniform(-4, 7)])

    def text(self):
        return self.rng.choice(TEXTS)

    def several(self, one, most=3):
        return [one() for _ in range(self.rng.randint(1, most))]

    def comparisons(self, one=None):
        one = one or (lambda: self.rng.choice([self.small(), self.small(), "parameters.three"]))
        return {self.rng.choice(ORDER): one() for _ in range(self.rng.randint(1, 2))}

    def test(self, name, older=False):
        """A test that a fact of this type allows."""
        kind, rng = TYPES[name], self.rng
        roll = rng.random()
        if roll < 0.25:
            return rng.choice(["present", "absent", "known", "present" if older else "missing"])
        if roll < 0.35:
            return {"recorded_days_ago": self.comparisons()}
        if roll < 0.45 and not older:
            return {"older": self.test(name, older=True)}
        if kind == "boolean":
            return rng.choice([True, False, {rng.choice(["eq", "ne"]): rng.random() < 0.5}])
        if kind == "integer":
            return rng.choice([self.small(), self.comparisons(), {"in": self.several(self.small)}])
        if kind == "number":
            return rng.choice([self.number(), self.comparisons(self.number), {"in": self.several(self.number)}])
        if kind == "text":
            return rng.choice([{rng.choice(["eq", "ne"]): self.text()}, {"in": self.several(self.text)}])
        if kind == "codes":
            return {"contains": self.text()}
        if kind == "days":
            return self.comparisons()
        if roll < 0.65 and not older:
            return {"days_after": {"fact": "d2" if name == "d1" else "d1", **self.comparisons()}}
        return rng.choice([{"days_ago": self.comparisons()}, {"within_months": rng.randint(0, 13)}])

    def condition(self, derived=(), depth=3):
        rng = self.rng
        roll = rng.random()
        if depth == 0 or roll < 0.3:
            if derived and rng.random() < 0.25:
                test = rng.choice(["present", "absent", "known", "missing", True, False, {"eq": True}])
                return {rng.choice(derived): test}
            name = rng.choice(sorted(TYPES))
            return {name: self.test(name)}
        if roll < 0.8:
            return {rng.choice(["all", "any"]): self.several(lambda: self.condition(derived, depth - 1))}
        return {rng.choice(["not", "unless"]): self.condition(derived, depth - 1)}

    def maybe(self, one):
        return one() if self.rng.random() < 0.5 else None

    def day(self):
        return self.rng.choice([AS_OF - timedelta(days=self.rng.randint(-5, 8)), self.rng.choice(DAYS)])

    def span(self, one, kind):
        first = one()
        second = first if self.rng.random() < 0.5 else one()
        return kind(min(first, second), max(first, second))

    def value(self, kind):
        return {
            "boolean": lambda: self.rng.random() < 0.5,
            "integer": self.small,
            "number": self.number,
            "text": lambda: self.rng.choice([self.text(), chr(self.rng.randint(1, 0xD7FF))]),
            "codes": lambda: frozenset(self.several(self.text)) if self.rng.random() < 0.8 else frozenset(),
            "date": lambda: self.span(self.day, DateSpan),
            "days": lambda: self.span(self.small, DaySpan),
        }[kind]()

    def fact(self, name):
        kind = TYPES[name]
        state = self.rng.choice([State.KNOWN, State.KNOWN, State.ABSENT, State.UNKNOWN])
        return Fact(
            name,
            state,
            self.value(kind) if state is State.KNOWN else None,
            on=self.maybe(self.day),
            older=self.maybe(lambda: self.value(kind)),
            older_on=self.maybe(self.day),
        )

    def facts(self):
        return {name: self.fact(name) for name in TYPES if self.rng.random() < 0.9}

    def pack(self, rules=6):
        """Named conditions, declarations, parameters, and the conditions as data."""
        derived = {
            "v1": (self.condition(), self.maybe(self.condition)),
            "v2": (self.condition(("v1",)), self.maybe(lambda: self.condition(("v1",)))),
        }
        return build({f"r{index}": self.condition(tuple(derived)) for index in range(rules)}, derived)


def build(raw, derived, types=TYPES):
    """Parse conditions given as plain data."""
    parameters = {"three": Parameter("three", "Three", (Dated(date.min, PARAMETER),), PLACE)}
    all_types = {**types, **dict.fromkeys(derived, "boolean")}
    parser = Parser(all_types, frozenset(derived), parameters)
    declarations = {name: FactDeclaration(name, name, kind, PLACE, source={}) for name, kind in types.items()}
    for name, (derive, unknown) in derived.items():
        declarations[name] = FactDeclaration(
            name,
            name,
            "boolean",
            PLACE,
            derive=parser.condition(document(derive)),
            unknown_when=None if unknown is None else parser.condition(document(unknown)),
        )
    named = {name: Named(name, parser.condition(document(data)), PLACE) for name, data in raw.items()}
    return named, declarations, parameters, raw, derived


# --- the reference -------------------------------------------------------------------------------------------------
def kleene_all(truths):
    truths = list(truths)
    return False if False in truths else None if None in truths else True


def reference(data, facts, derived, as_of=AS_OF):
    """The truth of a condition given as plain data: True, False or None."""
    ((key, inner),) = data.items()
    if key == "all":
        return kleene_all(reference(child, facts, derived, as_of) for child in inner)
    if key == "any":
        below = kleene_all(negate(reference(child, facts, derived, as_of)) for child in inner)
        return negate(below)
    if key == "not":
        return negate(reference(inner, facts, derived, as_of))
    if key == "unless":
        return reference(inner, facts, derived, as_of) is not True
    if key in derived:
        derive, unknown = derived[key]
        truth = reference(derive, facts, derived, as_of)
        if truth is not True and unknown is not None and reference(unknown, facts, derived, as_of) is not False:
            truth = None
        answers = {"known": truth is not None, "missing": truth is None, "absent": negate(truth), False: negate(truth)}
        return truth if isinstance(inner, dict) else answers.get(inner, truth)
    return reference_test(facts[key], inner, facts, as_of)


def negate(truth):
    return None if truth is None else not truth


def reference_test(fact, test, facts, as_of):
    known, absent = fact.state is State.KNOWN, fact.state is State.ABSENT
    if isinstance(test, str) and test in ("known", "missing"):
        return known == (test == "known")
    if isinstance(test, str) and test in ("present", "absent"):
        met = (fact.value is not False) if known else False if absent else None
        return met if test == "present" else negate(met)
    if not isinstance(test, dict):
        return reference_test(fact, {"eq": test}, facts, as_of)
    return kleene_all(reference_key(fact, key, inner, facts, as_of) for key, inner in test.items())


def reference_key(fact, key, inner, facts, as_of):
    known, absent = fact.state is State.KNOWN, fact.state is State.ABSENT
    if key == "older":
        if fact.older is None:
            return False
        return reference_test(Fact(fact.name, State.KNOWN, fact.older, on=fact.older_on), inner, facts, as_of) is True
    if key == "recorded_days_ago":
        if not known:
            return False
        ago = None if fact.on is None else (as_of - fact.on).days
        return None if ago is None else kleene_all(compare(op, [ago], n) for op, n in inner.items())
    if key == "days_after":
        other = facts[inner["fact"]]
        if absent or other.state is State.ABSENT:
            return False
        if not known or other.state is not State.KNOWN:
            return None
        low, high = (fact.value.low - other.value.high).days, (fact.value.high - other.value.low).days
        return kleene_all(compare(op, range(low, high + 1), n) for op, n in inner.items() if op != "fact")
    if not known:
        return False if absent else None
    if key in ("days_ago", "within_months"):
        days = [fact.value.low + timedelta(days=n) for n in range((fact.value.high - fact.value.low).days + 1)]
        if key == "days_ago":
            return kleene_all(compare(op, [(as_of - day).days for day in days], n) for op, n in inner.items())
        return whole(day <= as_of <= later(day, inner) for day in days)
    if isinstance(fact.value, DaySpan):
        return compare(key, range(fact.value.low, fact.value.high + 1), inner)
    return compare(key, [fact.value], inner)


def later(day, months):
    years, month = divmod(day.month - 1 + months, 12)
    last = calendar.monthrange(day.year + years, month + 1)[1]
    return date(day.year + years, month + 1, min(day.day, last))


def whole(truths):
    truths = set(truths)
    return truths.pop() if len(truths) == 1 else None


def compare(op, values, threshold):
    n = PARAMETER if threshold == "parameters.three" else threshold
    ways = {
        "gt": lambda v: v > n,
        "gte": lambda v: v >= n,
        "lt": lambda v: v < n,
        "lte": lambda v: v <= n,
        "eq": lambda v: v == n,
        "ne": lambda v: v != n,
        "in": lambda v: v in n,
        "contains": lambda v: n in v,
    }
    return whole(ways[op](value) for value in values)
