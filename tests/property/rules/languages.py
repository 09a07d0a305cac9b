"""Random packs: declarations, conditions and facts, and an evaluator of its own written from the rule language's text.

The reference evaluator works on the conditions as plain data and shares no code with the engine.
"""

from __future__ import annotations

import calendar
import math
from datetime import date, timedelta

from hypothesis import strategies as st

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
DERIVED = ("v1", "v2")
PARAMETER = 3
TEXTS = ["", "5", "true", "a", "é", "e\u0301", '"', "\\", "\n", "😀", "\u2028", "null", "x" * 300]
FLOATS = [0.0, -0.0, 0.1, 0.30000000000000004, 1e-7, 1e22, 1.5, 5.0, -2.5, 5e-324, 1.7976931348623157e308]
SMALL = st.integers(-3, 6)
NUMBERS = st.one_of(SMALL, st.sampled_from(FLOATS))
ORDER = ("gt", "gte", "lt", "lte", "eq", "ne")


def document(data):
    """A file that holds this plain data."""

    def node(value):
        items = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
        return Node(value, 1, 1, {key: node(child) for key, child in items})

    return Cursor.top(Document("test.yaml", node(data)))


def comparisons(thresholds):
    pairs = st.tuples(st.sampled_from(ORDER), thresholds)
    return st.lists(pairs, min_size=1, max_size=2).map(dict)


WHOLE = st.one_of(SMALL, st.just("parameters.three"))
MONTHS = st.integers(0, 13)


def tests_of(name, kind):
    """Every test that a fact of this type allows."""
    presence = st.sampled_from(["present", "absent", "known", "missing"])
    own = {
        "boolean": st.one_of(st.booleans(), st.builds(lambda op, v: {op: v}, st.sampled_from(["eq", "ne"]), st.booleans())),
        "integer": st.one_of(SMALL, comparisons(WHOLE), st.builds(lambda v: {"in": v}, st.lists(SMALL, min_size=1, max_size=3))),
        "number": st.one_of(NUMBERS, comparisons(NUMBERS), st.builds(lambda v: {"in": v}, st.lists(NUMBERS, min_size=1, max_size=3))),
        "text": st.builds(lambda op, v: {op: v}, st.sampled_from(["eq", "ne"]), st.sampled_from(TEXTS))
        | st.builds(lambda v: {"in": v}, st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3)),
        "codes": st.builds(lambda v: {"contains": v}, st.sampled_from(TEXTS)),
        "days": comparisons(WHOLE),
        "date": st.one_of(
            st.builds(lambda c: {"days_ago": c}, comparisons(WHOLE)),
            st.builds(lambda n: {"within_months": n}, MONTHS),
        ),
    }[kind]
    recorded = st.builds(lambda c: {"recorded_days_ago": c}, comparisons(WHOLE))
    older = st.builds(lambda t: {"older": t}, st.one_of(own, recorded, st.sampled_from(["present", "absent", "known"])))
    choices = [presence, own, own, recorded, older]
    if kind == "date":
        other = "d2" if name == "d1" else "d1"
        choices.append(st.builds(lambda c: {"days_after": {"fact": other, **c}}, comparisons(WHOLE)))
    return st.one_of(choices)


DERIVED_TESTS = st.sampled_from(["present", "absent", "known", "missing", True, False])


def leaf_of(derived):
    plain = st.sampled_from(sorted(TYPES)).flatmap(lambda name: tests_of(name, TYPES[name]).map(lambda t: {name: t}))
    if not derived:
        return plain
    return st.one_of(plain, plain, st.builds(lambda n, t: {n: t}, st.sampled_from(derived), DERIVED_TESTS))


def conditions(derived=()):
    """Conditions of depth three at the most, over the facts and these derived ones."""
    found = leaf_of(derived)
    for _ in range(2):
        lists = st.lists(found, min_size=1, max_size=3)
        found = st.one_of(
            found,
            st.builds(lambda key, items: {key: items}, st.sampled_from(["all", "any"]), lists),
            st.builds(lambda key, item: {key: item}, st.sampled_from(["not", "unless"]), found),
        )
    return found


DATES = st.one_of(
    st.integers(-5, 8).map(lambda n: AS_OF - timedelta(days=n)),
    st.sampled_from([date(2023, 2, 28), date(2023, 3, 1), date(2023, 8, 31), date(2023, 1, 31), date(2022, 12, 31)]),
)


def spans(values, kind):
    return st.one_of(
        values.map(lambda v: kind(v, v)), st.builds(lambda a, b: kind(min(a, b), max(a, b)), values, values)
    )


VALUES = {
    "boolean": st.booleans(),
    "integer": SMALL,
    "number": NUMBERS,
    "text": st.one_of(st.sampled_from(TEXTS), st.text(max_size=5)),
    "codes": st.frozensets(st.sampled_from(TEXTS), max_size=3),
    "date": spans(DATES, DateSpan),
    "days": spans(SMALL, DaySpan),
}


def fact(name):
    value = VALUES[TYPES[name]]
    state = st.sampled_from([State.KNOWN, State.KNOWN, State.ABSENT, State.UNKNOWN])
    dates = st.one_of(st.none(), DATES)
    return st.builds(
        lambda s, v, on, older, older_on: Fact(
            name, s, v if s is State.KNOWN else None, on=on, older=older, older_on=older_on
        ),
        state,
        value,
        dates,
        st.one_of(st.none(), value),
        dates,
    )


FACTS = st.fixed_dictionaries({name: fact(name) for name in TYPES})


@st.composite
def packs(draw, rules=6):
    """(named conditions, declarations, parameters, conditions as data, derived as data)"""
    v1 = (draw(conditions()), draw(st.one_of(st.none(), conditions())))
    v2 = (draw(conditions(("v1",))), draw(st.one_of(st.none(), conditions(("v1",)))))
    raw = {f"r{index}": draw(conditions(DERIVED)) for index in range(rules)}
    return build(raw, {"v1": v1, "v2": v2})


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
        return answers.get(inner, truth)
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


def finite(value):
    return not isinstance(value, float) or math.isfinite(value)
