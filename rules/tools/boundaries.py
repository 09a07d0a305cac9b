"""Cases just below, at and just above every threshold: what each gives, and whether the tests hold both sides.

A case is an existing test of the rule with the one fact moved. For dates the cases are the day before, the day and
the day after; for ``within_months`` the last day inside and the first outside, also where the month is clipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from rules.engine.conditions import Compare, Condition, Derived, Op, Place, View, WithinMonths, walk
from rules.engine.content import Content
from rules.engine.errors import RulesError
from rules.engine.model import DateSpan, DaySpan, Decision, Fact, FactValue, State
from rules.engine.parameters import Values, add_months, last_inside
from rules.engine.rule_tests import RuleTest
from rules.tools.coverage import Sight, expects
from rules.tools.mutated_conditions import name_of
from rules.tools.thresholds import NUMERIC, domain
from rules.tools.traced import Seen, Suite, TracedPack

Comparison = Compare | WithinMonths
_DAY = timedelta(days=1)
_LEAP = date(2024, 2, 29)


@dataclass(frozen=True, slots=True)
class Case:
    """One value beside a threshold, and what became of it: the rule's status and everything that was proposed."""

    value: str
    given: Mapping[str, Fact]
    as_of: date
    result: str = ""


@dataclass(frozen=True, slots=True)
class Boundary:
    """One threshold. ``matters``: some case differs. ``lacking``: the values that no test beside the rules has."""

    rule: str
    place: Place
    criterion: str
    test: str  # the one that was moved; "" when there was none
    cases: tuple[Case, ...]
    lacking: tuple[str, ...]

    @property
    def matters(self) -> bool:
        return len({case.result for case in self.cases}) > 1

    def __str__(self) -> str:
        return f"{self.place.file}:{self.place.line}: {self.rule}: {self.criterion}"


def boundaries(suite: Suite, sight: Sight) -> tuple[Boundary, ...]:
    """Every threshold of a pack, once, shown with the first rule and the first test in which it matters."""
    found: dict[Place, Boundary] = {}
    for owner, condition, tests in _conditions(suite):
        for comparison in _comparisons(condition, suite.pack.content):
            if comparison.place in found and found[comparison.place].matters:
                continue
            boundary = _telling(suite, sight, owner, comparison, tests)
            if boundary.matters or comparison.place not in found:
                found[comparison.place] = boundary
    return tuple(found.values())


def _telling(suite: Suite, sight: Sight, owner: str, comparison: Comparison, tests: list[RuleTest]) -> Boundary:
    """The first test in which the status of the rule changes, else the first in which anything does."""
    some: Boundary | None = None
    for test in tests:
        boundary = _boundary(suite, sight, owner, comparison, test)
        if len({case.result.split(",")[0] for case in boundary.cases}) > 1:
            return boundary
        if boundary.matters and some is None:
            some = boundary
    return some or _boundary(suite, sight, owner, comparison, None)


def _conditions(suite: Suite) -> Iterator[tuple[str, Condition, list[RuleTest]]]:
    """Every named condition, whose it is, and the tests to start from: of a rule first those in which it fires."""
    rules = {rule.id: rule for rule in suite.pack.content.rules}
    for name, named in suite.pack.named.items():
        parts = name.split("/")
        owner = parts[1] if parts[0] in ("ask", "step") else parts[0]
        if owner in rules:
            values = Values(suite.pack.content.parameters, date.max)
            tests = [test for test in suite.tests if expects(test, rules[owner], values)]
            tests.sort(key=lambda test: owner not in test.expect.get("fired", ()))
            yield owner, named.condition, tests
        else:
            yield owner, named.condition, [test for test in suite.tests if test.expect.get("exactly_referrals")]


def _comparisons(condition: Condition, content: Content) -> Iterator[Comparison]:
    """The comparisons with a number, also those inside derived facts."""
    for each in walk(condition):
        match each:
            case Compare(op=op) if op in NUMERIC and type(each.threshold.value) in (int, float, type(None)):
                yield each
            case WithinMonths():
                yield each
            case Derived(fact=name):
                declaration = content.facts[name]
                for nested in (declaration.derive, declaration.unknown_when):
                    if nested is not None:
                        yield from _comparisons(nested, content)


def _boundary(suite: Suite, sight: Sight, owner: str, comparison: Comparison, test: RuleTest | None) -> Boundary:
    content = suite.pack.content
    criterion = name_of(comparison)
    lacking = tuple(_lacking(comparison, sight, content))
    if test is None:
        return Boundary(owner, comparison.place, criterion, "", (), lacking)
    pack = suite.packs[test.provider]
    cases = tuple(_run(pack, owner, case) for case in _cases(comparison, test, pack))
    kept = tuple(case for case in cases if case.result)
    return Boundary(owner, comparison.place, criterion, test.name, kept, lacking)


def _run(pack: TracedPack, owner: str, case: Case) -> Case:
    try:
        decision = pack.evaluate(case.given, case.as_of)
    except RulesError:
        return case
    return replace(case, result=_result(decision, owner))


def _result(decision: Decision, owner: str) -> str:
    parts = [str(outcome.status) for outcome in decision.outcomes if outcome.rule == owner]
    parts += [f"{referral.service} {referral.priority}" for referral in decision.referrals]
    parts += [f"task {task.code}" for task in decision.tasks]
    parts += [f"flag {flag.code}" for flag in decision.flags]
    return ", ".join(parts) or "nothing"


def _cases(comparison: Comparison, test: RuleTest, pack: TracedPack) -> Iterator[Case]:
    facts = pack.content.facts
    try:
        values = pack.look(test.given, test.as_of).values
    except RulesError:
        return
    if isinstance(comparison, WithinMonths):
        yield from _month_cases(comparison, test, values)
        return
    threshold = values.of(comparison.threshold)
    bounds = domain(comparison, facts)
    for value in (threshold - 1, threshold, threshold + 1):
        if bounds is None or value in bounds:
            moved = _moved(comparison, test.given, test.as_of, value, facts[comparison.operand.fact].type)
            if moved is not None:
                yield Case(str(value), moved, test.as_of)


def _moved(
    comparison: Compare, given: Mapping[str, Fact], as_of: date, value: int | float, kind: str
) -> Mapping[str, Fact] | None:
    """The facts with the compared one at this value, or None where another that is needed is not known."""
    operand = comparison.operand
    fact = given.get(operand.fact, Fact(operand.fact, State.ABSENT))
    new: FactValue = DaySpan(int(value), int(value)) if kind == "days" else value
    match operand.view:
        case View.DAYS_AGO:
            new = _day(as_of - timedelta(days=int(value)))
        case View.AFTER:
            other = given.get(operand.other)
            if other is None or not isinstance(other.value, DateSpan) or other.value.low != other.value.high:
                return None
            new = _day(other.value.low + timedelta(days=int(value)))
        case View.RECORDED:
            if fact.state is not State.KNOWN or operand.older:
                return None
            return {**given, operand.fact: fact._replace(on=as_of - timedelta(days=int(value)))}
    return {**given, operand.fact: _with(fact, new, operand.older)}


def _with(fact: Fact, value: FactValue, older: bool) -> Fact:
    if older:
        state = fact.state if fact.state is not State.KNOWN else State.ABSENT
        return fact._replace(older=value, state=state, value=None)
    return fact._replace(state=State.KNOWN, value=value)


def _day(day: date) -> DateSpan:
    return DateSpan(day, day)


def clipped(months: int) -> date | None:
    """A day whose day of the month is not there so many months later (None: there is one everywhere)."""
    for month in (1, 3, 5, 7, 8, 10, 12):
        day = date(2024, month, 31)
        if add_months(day, months).day != day.day:
            return day
    return None


def _month_cases(comparison: WithinMonths, test: RuleTest, values: Values) -> Iterator[Case]:
    operand = comparison.operand
    months = values.of(operand.months) if operand.months else 0
    edge = last_inside(test.as_of, months)
    days = [(test.as_of, edge, "the last day inside"), (test.as_of, edge - _DAY, "the first day outside")]
    days += [(test.as_of, test.as_of, "today"), (test.as_of, test.as_of + _DAY, "tomorrow")]
    for start, words in ((_LEAP, "29 February"), (clipped(months), "a clipped month's end")):
        if start is not None:
            end = add_months(start, months)
            days += [(end, start, f"{words}, the last day"), (end + _DAY, start, f"{words}, the day after")]
    for as_of, day, words in days:
        given = _shifted(test.given, as_of - test.as_of)
        fact = given.get(operand.fact, Fact(operand.fact, State.ABSENT))
        yield Case(f"{day} on {as_of}: {words}", {**given, operand.fact: _with(fact, _day(day), operand.older)}, as_of)


def _shifted(given: Mapping[str, Fact], by: timedelta) -> dict[str, Fact]:
    """The same facts so many days later."""

    def value(of: FactValue | None) -> FactValue | None:
        return DateSpan(of.low + by, of.high + by) if isinstance(of, DateSpan) else of

    def day(of: date | None) -> date | None:
        return of + by if of else of

    return {
        name: fact._replace(
            value=value(fact.value), older=value(fact.older), on=day(fact.on), older_on=day(fact.older_on)
        )
        for name, fact in given.items()
    }


def _lacking(comparison: Comparison, sight: Sight, content: Content) -> Iterator[str]:
    """The two values beside the threshold, of those the fact can have, that no test has while the criterion decides."""
    looks = [
        (seen, criterion)
        for place, seen_here in sight.looked_at.items()
        if place.file == comparison.place.file
        for seen, criterion in seen_here
        if criterion is comparison or comparison in walk(criterion)
    ]
    if isinstance(comparison, WithinMonths):
        found = {side for seen, _ in looks for side in _month_sides(comparison, seen)}
        yield from (words for words in ("the last day inside", "the first day outside") if words not in found)
        return
    values = looks[0][0].values if looks else Values(content.parameters, date.max)
    threshold = values.of(comparison.threshold)
    seen_values = {value for seen, _ in looks if (value := _observed(comparison, seen)) is not None}
    bounds = domain(comparison, content.facts)
    whole = content.facts[comparison.operand.fact].type != "number" or comparison.operand.view is not View.VALUE
    for low, high in _sides(comparison.op, threshold):
        near = [value for value in seen_values if (value == low if whole else low <= value < high)]
        if not near and (bounds is None or low in bounds):
            yield str(low) if whole else f"{low} to below {high}"


def _sides(op: Op, threshold: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The two neighbouring values between which the truth changes (of a number that is not whole: spans)."""
    first = threshold if op in (Op.GT, Op.LTE, Op.EQ, Op.NE) else threshold - 1
    return (first, first + 1), (first + 1, first + 2)


def _observed(comparison: Compare, seen: Seen) -> int | float | None:
    """The number that a test compares, where it is one exact number."""
    operand = comparison.operand
    fact = seen.facts[operand.fact]
    value = fact.older if operand.older else fact.value
    if operand.view is View.RECORDED:
        return (seen.as_of - fact.on).days if fact.on is not None else None
    if isinstance(value, DaySpan | DateSpan) and value.low != value.high:
        return None
    match value:
        case bool():
            return None
        case int() | float():
            return value
        case DaySpan():
            return value.low
        case DateSpan() if operand.view is View.DAYS_AGO:
            return (seen.as_of - value.low).days
        case DateSpan() if operand.view is View.AFTER:
            other = seen.facts[operand.other].value
            if isinstance(other, DateSpan) and other.low == other.high:
                return (value.low - other.low).days
    return None


def _month_sides(comparison: WithinMonths, seen: Seen) -> Iterator[str]:
    operand = comparison.operand
    value = seen.facts[operand.fact].value
    if isinstance(value, DateSpan) and value.low == value.high and operand.months is not None:
        edge = last_inside(seen.as_of, seen.values.of(operand.months))
        if value.low == edge:
            yield "the last day inside"
        elif value.low == edge - _DAY:
            yield "the first day outside"
