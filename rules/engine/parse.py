"""Turns the conditions of a content file into a checked tree: names exist, types fit, thresholds resolve."""

from __future__ import annotations

from collections.abc import Mapping
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
    Threshold,
    Unless,
    View,
    WithinMonths,
)
from rules.engine.content import Parameter
from rules.engine.cursor import Cursor

PARAMETER = "parameters."
MAX_DEPTH = 12
MAX_DAYS = 36_525
_NUMERIC = (Op.GT, Op.GTE, Op.LT, Op.LTE, Op.EQ, Op.NE)
_OPS = {
    "boolean": (Op.EQ, Op.NE),
    "integer": (*_NUMERIC, Op.IN),
    "number": (*_NUMERIC, Op.IN),
    "text": (Op.EQ, Op.NE, Op.IN),
    "codes": (Op.CONTAINS,),
    "days": _NUMERIC,
    "date": (),
}
_THRESHOLD_TYPE = {"codes": "text", "days": "integer"}
MAX_INTEGER = 2**53


def fits(value: Any, kind: str) -> bool:
    """Whether a plain value is of a fact type, strictly: true is no integer, "5" is no number, 5.0 is no integer."""
    if kind == "boolean":
        return type(value) is bool
    if kind == "text":
        return type(value) is str
    if type(value) is int:
        return kind in ("integer", "number") and abs(value) <= MAX_INTEGER
    return kind == "number" and type(value) is float


class Parser:
    """Parses conditions against the declared facts and parameters. Every method raises ContentError with a place."""

    def __init__(self, types: Mapping[str, str], derived: frozenset[str], parameters: Mapping[str, Parameter]) -> None:
        self._types = types
        self._derived = derived
        self._parameters = parameters

    def condition(self, at: Cursor, depth: int = 0) -> Condition:
        if not isinstance(at.data, dict) or len(at.data) != 1:
            raise at.error(
                "a condition is one of all, any, not, unless, or 'fact: test'; join several with all or any",
                code="RC030",
            )
        if depth > MAX_DEPTH:
            raise at.error(
                f"conditions nest deeper than {MAX_DEPTH}: give an inner one a name with a derived fact", code="RC030"
            )
        ((key, inner),) = at.items()
        if key in ("all", "any"):
            if not isinstance(inner.data, list) or not inner.data:
                raise inner.error(f"'{key}' needs a list with at least one condition", code="RC030")
            children = tuple(self.condition(child, depth + 1) for child in inner.each())
            return AllOf(children, at.place) if key == "all" else AnyOf(children, at.place)
        if key == "not":
            return Not(self.condition(inner, depth + 1), at.place)
        if key == "unless":
            return Unless(self.condition(inner, depth + 1), at.place)
        if key in self._derived:
            return self._derived_test(key, inner)
        self.fact(key, inner)
        return self._test(key, inner, older=False)

    def fact(self, name: str, at: Cursor, kind: str | None = None) -> str:
        """Check that a name is declared (and, with ``kind``, that it is a fact of that type)."""
        declared = self._types.get(name)
        if declared is None:
            raise at.error(f"no fact is called {name!r}: declare it in facts.yaml, or correct the name", code="RC022")
        if kind is not None and declared != kind:
            raise at.error(f"{name} is of type {declared}, a {kind} is needed here", code="RC031")
        return name

    def is_derived(self, name: str) -> bool:
        return name in self._derived

    def days(self, at: Cursor) -> Threshold:
        """A number of whole days from 0, or a parameter that is always one."""
        threshold = self.threshold(at, "integer")
        named = threshold.parameter
        values: list[Any] = [dated.value for dated in self._parameters[named].values] if named else [threshold.value]
        if any(not 0 <= value <= MAX_DAYS for value in values):
            raise at.error(f"a number from 0 to {MAX_DAYS} is needed, never a negative one", code="RC035")
        return threshold

    def threshold(self, at: Cursor, kind: str) -> Threshold:
        """A literal or ``parameters.NAME`` of type ``kind`` (boolean, integer, number, text)."""
        parameter = self._parameter(at)
        if parameter is None:
            if not fits(at.data, kind):
                raise at.error(f"{_type_name(at.data)} cannot stand here: {kind} is needed", code="RC032")
            return Threshold(at.data)
        for dated in parameter.values:
            if not fits(dated.value, kind):
                found = _type_name(dated.value)
                raise at.error(
                    f"the parameter {parameter.name} is {found} from {dated.start}: {kind} is needed", code="RC032"
                )
        return Threshold(None, parameter.name)

    def _parameter(self, at: Cursor) -> Parameter | None:
        """The parameter named here as ``parameters.NAME``, or None for any other value."""
        value = at.data
        if not isinstance(value, str) or not value.startswith(PARAMETER):
            return None
        name = value.removeprefix(PARAMETER)
        if name not in self._parameters:
            raise at.error(
                f"no parameter is called {name!r}: add it to parameters.yaml, or correct the name", code="RC023"
            )
        return self._parameters[name]

    def _list(self, at: Cursor, kind: str) -> Threshold:
        parameter = self._parameter(at)
        if parameter is None:
            if not isinstance(at.data, list) or not at.data:
                raise at.error("'in' needs a list with at least one value", code="RC033")
            for item in at.each():
                if not fits(item.data, kind):
                    raise item.error(f"{_type_name(item.data)} cannot stand here: {kind} is needed", code="RC032")
            return Threshold(tuple(at.data))
        for dated in parameter.values:
            items = dated.value
            if not isinstance(items, list) or not items or not all(fits(item, kind) for item in items):
                raise at.error(
                    f"the parameter {parameter.name} must be a list of one or more values of type {kind}", code="RC032"
                )
        return Threshold(None, parameter.name)

    def _derived_test(self, name: str, at: Cursor) -> Condition:
        test = at.data
        if test in ("present", "known", "missing"):
            return Derived(name, Presence(test), at.place)
        if test is True or test == {"eq": True}:
            return Derived(name, Presence.PRESENT, at.place)
        if test == "absent" or test is False or test == {"eq": False}:
            return Not(Derived(name, Presence.PRESENT, at.place), at.place)
        raise at.error(
            f"{name} is a named condition: test it with present, absent, known, missing, true or false", code="RC031"
        )

    def _test(self, name: str, at: Cursor, older: bool) -> Condition:
        kind, test = self._types[name], at.data
        value = Operand(name, older=older)
        if test in tuple(Presence):
            return Is(value, Presence(test), kind == "boolean", at.place)
        if isinstance(test, dict):
            if not test:
                raise at.error("an empty test: say what to compare with", code="RC033")
            tests = tuple(self._keyed(name, kind, key, inner, older) for key, inner in at.items())
            return tests[0] if len(tests) == 1 else AllOf(tests, at.place)
        if isinstance(test, list) or test is None:
            raise at.error(
                "a test is a word, a value or a mapping such as {gte: 10}; a list goes under 'in'", code="RC033"
            )
        if kind in ("date", "days", "codes"):
            advice = {"date": "days_ago or within_months", "days": "{eq: 5}", "codes": '{contains: "x"}'}[kind]
            raise at.error(
                f"{name} is of type {kind} and is not compared with a single value: use {advice}", code="RC031"
            )
        return Compare(value, Op.EQ, self.threshold(at, kind), at.place)

    def _keyed(self, name: str, kind: str, key: str, at: Cursor, older: bool) -> Condition:
        if key == "older":
            if older:
                raise at.error("'older' inside 'older'", code="RC034")
            if at.data == "missing":
                raise at.error(
                    "an older value that is missing cannot be tested: use 'not' around 'older: known'", code="RC034"
                )
            return OlderTest(name, self._test(name, at, older=True), at.place)
        if key == View.RECORDED:
            return self._compare_each(Operand(name, View.RECORDED, older=older), at)
        if key in (View.DAYS_AGO, View.MONTHS, View.AFTER):
            self.fact(name, at, "date")
            if key == View.DAYS_AGO:
                return self._compare_each(Operand(name, View.DAYS_AGO, older=older), at)
            if key == View.MONTHS:
                months = self.days(at)
                operand = Operand(name, View.MONTHS, months=months, older=older)
                return WithinMonths(operand, Operand(name, View.DAYS_AGO, older=older), at.place)
            return self._days_after(name, at, older)
        allowed = _OPS[kind]
        if key not in allowed:
            words = ", ".join((*allowed, "older", "recorded_days_ago"))
            if kind == "date":
                words += ", days_ago, within_months, days_after"
            raise at.error(f"{key!r} cannot test {name}, which is of type {kind}: use one of {words}", code="RC031")
        return self._compare(Operand(name, older=older), Op(key), at, _THRESHOLD_TYPE.get(kind, kind))

    def _days_after(self, name: str, at: Cursor, older: bool) -> Condition:
        if not isinstance(at.data, dict) or "fact" not in at.data or len(at.data) < 2:
            raise at.error("days_after needs 'fact: OTHER_DATE_FACT' and a comparison such as 'gte: 14'", code="RC033")
        if older:
            raise at.error("days_after cannot look at an older value: use days_ago", code="RC034")
        other = at["fact"]
        if not isinstance(other.data, str):
            raise other.error("the name of a date fact is needed", code="RC033")
        operand = Operand(name, View.AFTER, other=self.fact(other.data, other, "date"))
        tests = tuple(self._numeric(operand, key, inner) for key, inner in at.items() if key != "fact")
        return tests[0] if len(tests) == 1 else AllOf(tests, at.place)

    def _compare_each(self, operand: Operand, at: Cursor) -> Condition:
        if not isinstance(at.data, dict) or not at.data:
            raise at.error(f"{operand.view} needs a comparison such as {{lte: 14}}", code="RC033")
        tests = tuple(self._numeric(operand, key, inner) for key, inner in at.items())
        return tests[0] if len(tests) == 1 else AllOf(tests, at.place)

    def _numeric(self, operand: Operand, key: str, at: Cursor) -> Condition:
        if key not in _NUMERIC:
            raise at.error(f"{key!r} is not a comparison: use one of {', '.join(_NUMERIC)}", code="RC033")
        return self._compare(operand, Op(key), at, "integer")

    def _compare(self, operand: Operand, op: Op, at: Cursor, kind: str) -> Condition:
        threshold = self._list(at, kind) if op is Op.IN else self.threshold(at, kind)
        return Compare(operand, op, threshold, at.place)


def _type_name(value: Any) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return names.get(type(value), "nothing")
