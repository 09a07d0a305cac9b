"""The values that are worth trying for a fact: one on each side of every threshold that looks at it.

Between two thresholds all values do the same, so of each such cell the value nearest to the present one stands for all
of them. That there is no such fact is tried too, but not for one that is known and whose absence would be unknown.

Numbers of days and dates are whole numbers here (dates as ordinals). A date is never tried after the as-of date. Where
one date is compared with another, the days that come of the other's values are tried as well. Values that are too old
to count are not varied, but that they still count is tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations, pairwise
from math import ceil, floor
from typing import NamedTuple

from rules.engine.conditions import Compare, Op, View, WithinMonths
from rules.engine.content import FactDeclaration
from rules.engine.model import DateSpan, DaySpan, Fact, FactValue, State
from rules.engine.parameters import Values, last_inside
from rules.whatif.cone import Leaf

WHOLE = ("integer", "days", "date")
_DATE_ROUNDS = 2  # a change of three dates makes at most two links
_BESIDE = 0.01  # how far from an end that does not itself belong to a cell
_MOST_CODES = 3  # codes that are put in or taken out at once
_ANOTHER = "another"


class Cell(NamedTuple):
    """Numbers that do the same: between ``low`` and ``high``, None where there is no end."""

    low: int | float | None
    high: int | float | None
    low_open: bool = False
    high_open: bool = False

    def nearest(self, to: float | None) -> int | float:
        """The number nearest to another; without one, the end at a threshold (the lower, if there are two)."""
        if to is not None and self.holds(to):
            return to
        upper = self.high is not None and (self.low is None or (to is not None and to >= self.high))
        if self.low is None and self.high is None:
            return 0
        end, is_open = (self.high, self.high_open) if upper else (self.low, self.low_open)
        assert end is not None  # noqa: S101 - one of the two is
        if not is_open:
            return end
        inwards = _BESIDE
        if self.low is not None and self.high is not None:
            inwards = min(inwards, (self.high - self.low) / 2)
        return end - inwards if upper else end + inwards

    def holds(self, number: float) -> bool:
        above = self.low is None or number > self.low or (number == self.low and not self.low_open)
        return above and (self.high is None or number < self.high or (number == self.high and not self.high_open))


def number_of(value: FactValue | None) -> int | float | None:
    """An exact number, day or date as a number; None for anything else."""
    match value:
        case bool():
            return None
        case int() | float():
            return value
        case DaySpan(low=low, high=high):
            return low if low == high else None
        case DateSpan(low=first, high=last):
            return first.toordinal() if first == last else None
    return None


def ends_of(value: FactValue | None) -> tuple[int | float, int | float] | None:
    """The least and the greatest number that a value can be."""
    match value:
        case DaySpan(low=low, high=high):
            return low, high
        case DateSpan(low=first, high=last):
            return first.toordinal(), last.toordinal()
    number = number_of(value)
    return None if number is None else (number, number)


def value_from(number: float, kind: str) -> FactValue:
    """A number as the value of a fact of this type."""
    if kind == "date":
        day = date.fromordinal(int(number))
        return DateSpan(day, day)
    if kind == "days":
        return DaySpan(int(number), int(number))
    return int(number) if kind == "integer" else number


class Domain:
    """What can be tried for each fact that some comparisons look at, for one person on one day."""

    def __init__(
        self,
        declarations: Mapping[str, FactDeclaration],
        values: Values,
        leaves: Sequence[Leaf],
        facts: Mapping[str, Fact],
        as_of: date,
        moves: Mapping[str, Sequence[str]],
    ) -> None:
        """``moves``: the dates that move with a date."""
        self._declarations, self._values, self._facts, self._as_of = declarations, values, facts, as_of
        self._moves = moves
        self._leaves: dict[str, list[Leaf]] = {}
        for leaf in leaves:
            for name in filter(None, (leaf.operand.fact, leaf.operand.other)):
                self._leaves.setdefault(name, []).append(leaf)
        self._found: dict[str, tuple[Fact, ...]] = {}
        self._days: dict[str, set[int]] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The facts that the comparisons look at."""
        return tuple(self._leaves)

    def tries(self, name: str) -> tuple[Fact, ...]:
        """The facts to try in the place of the present one, all of them different from it."""
        if name not in self._found:
            was = self._facts[name]
            found = dict.fromkeys(self._tries(name, was))
            self._found[name] = tuple(fact for fact in found if not _same(fact, was))
        return self._found[name]

    def cells(self, name: str, facts: Mapping[str, Fact]) -> list[Cell]:
        """The cells of a number, a day or a date beside the other facts as they are in ``facts``."""
        kind = self._declarations[name].type
        low, high = self._limits(name)
        if kind not in WHOLE:
            return _cells(self._number_cuts(name), low, high)
        cuts = sorted({cut for each, leaf in self._looking(name) for cut in self._cuts(leaf, each, facts)})
        return _whole_cells(cuts, low, high)

    def _looking(self, name: str) -> Iterator[tuple[str, Leaf]]:
        """The comparisons that look at a fact, or at a date that moves with it."""
        for each in (name, *self._moves.get(name, ())):
            yield from ((each, leaf) for leaf in self._leaves.get(each, ()))

    def _limits(self, name: str) -> tuple[int | float | None, int | float | None]:
        declaration = self._declarations[name]
        if declaration.type == "date":
            ends = ends_of(self._facts[name].value)
            return None, max(self._as_of.toordinal(), int(ends[1]) if ends else 0)
        return declaration.range or (None, None)

    def _tries(self, name: str, was: Fact) -> Iterator[Fact]:
        if was.older is not None and was.state is not State.KNOWN:
            yield Fact(name, State.KNOWN, was.older, was.older_on, was.evidence)
        for value in self._numbers_or_others(name, was):
            yield from self._recorded(name, was, value)
        if was.state is not State.KNOWN or self._declarations[name].absent != "unknown":
            yield Fact(name, State.ABSENT)

    def _numbers_or_others(self, name: str, was: Fact) -> Iterator[FactValue]:
        kind = self._declarations[name].type
        leaves = self._leaves.get(name, [])
        thresholds = [self._values.of(leaf.threshold) for leaf in leaves if isinstance(leaf, Compare)]
        if kind == "boolean":
            yield from (True, False)
        elif kind == "text":
            words = [word for each in thresholds for word in (each if isinstance(each, tuple) else (each,))]
            yield from (word for word in dict.fromkeys((*words, _ANOTHER)) if isinstance(word, str))
        elif kind == "codes":
            yield from _toggled(was, [code for code in thresholds if isinstance(code, str)])
        elif kind == "date" and any(leaf.operand.other for _, leaf in self._looking(name)):
            yield from (value_from(day, kind) for day in self._near(self._all_days()[name], was))
        else:
            ends = ends_of(was.value)
            for cell in self.cells(name, self._facts):
                inside = ends is not None and cell.holds(ends[0]) and cell.holds(ends[1])
                to = None if ends is None else ends[0] if cell.low is None or ends[0] >= cell.low else ends[1]
                number = ends[0] if inside and ends is not None else cell.nearest(to)
                yield value_from(number, kind)

    def _near(self, days: Iterable[int], was: Fact) -> list[int]:
        ends = ends_of(was.value)
        middle = ends[1] if ends else self._as_of.toordinal()
        return sorted(days, key=lambda day: (abs(day - middle), day))

    def _recorded(self, name: str, was: Fact, value: FactValue) -> Iterator[Fact]:
        """The value on the day on which it was recorded, or on another where a threshold looks at that day."""
        on = was.on if was.state is State.KNOWN else self._as_of
        yield Fact(name, State.KNOWN, value, on)
        cuts = {
            cut
            for leaf in self._leaves.get(name, ())
            if isinstance(leaf, Compare) and leaf.operand.view is View.RECORDED
            for cut in _back(self._cuts_of(leaf), self._as_of)
        }
        if cuts:
            today = self._as_of.toordinal()
            for cell in _whole_cells(sorted(cuts), None, today):
                yield Fact(
                    name, State.KNOWN, value, date.fromordinal(int(cell.nearest((on or self._as_of).toordinal())))
                )

    # --- where the truth of a comparison changes ------------------------------------------------------------------
    def _cuts_of(self, leaf: Compare) -> Iterator[int]:
        """The whole numbers at which the truth of a comparison differs from that of the number before."""
        threshold = self._values.of(leaf.threshold)
        for number in threshold if isinstance(threshold, tuple) else (threshold,):
            if isinstance(number, bool) or not isinstance(number, int | float):
                continue
            if leaf.op not in (Op.GT, Op.LTE):
                yield ceil(number)
            if leaf.op not in (Op.GTE, Op.LT):
                yield floor(number) + 1

    def _cuts(self, leaf: Leaf, name: str, facts: Mapping[str, Fact]) -> Iterator[int]:
        """The same for the value of one of the facts it looks at, beside the others."""
        if isinstance(leaf, WithinMonths) and leaf.operand.months is not None:
            yield last_inside(self._as_of, self._values.of(leaf.operand.months)).toordinal()
            yield self._as_of.toordinal() + 1
        if not isinstance(leaf, Compare):
            return
        match leaf.operand.view:
            case View.VALUE:
                yield from self._cuts_of(leaf)
            case View.DAYS_AGO:
                yield from _back(self._cuts_of(leaf), self._as_of)
            case View.AFTER:
                this = name == leaf.operand.fact
                ends = ends_of(facts[leaf.operand.other if this else leaf.operand.fact].value)
                for day in dict.fromkeys(ends or ()):
                    yield from (int(day) + cut if this else int(day) - cut + 1 for cut in self._cuts_of(leaf))

    def _number_cuts(self, name: str) -> list[tuple[float, bool]]:
        """Of a number that is not whole: (threshold, whether the next cell begins after it and not at it)."""
        found: set[tuple[float, bool]] = set()
        for leaf in self._leaves.get(name, ()):
            if isinstance(leaf, Compare) and leaf.operand.view is View.VALUE:
                threshold = self._values.of(leaf.threshold)
                for number in threshold if isinstance(threshold, tuple) else (threshold,):
                    found |= {(number, False)} if leaf.op not in (Op.GT, Op.LTE) else set()
                    found |= {(number, True)} if leaf.op not in (Op.GTE, Op.LT) else set()
        return sorted(found)

    def _all_days(self) -> Mapping[str, set[int]]:
        """For every date: the days beside its thresholds, and those that follow from the days of other dates."""
        if self._days is None:
            named = dict.fromkeys((*self._leaves, *self._moves))
            names = [name for name in named if self._declarations[name].type == "date"]
            days = {name: set(self._own_days(name)) for name in names}
            after = {leaf for name in names for leaf in self._leaves.get(name, ()) if leaf.operand.view is View.AFTER}
            for _ in range(_DATE_ROUNDS):
                more: dict[str, set[int]] = {name: set() for name in names}
                for leaf in after:
                    assert isinstance(leaf, Compare)  # noqa: S101 - nothing else compares two dates
                    this, other, cuts = leaf.operand.fact, leaf.operand.other, list(self._cuts_of(leaf))
                    more[this] |= {day + cut - less for day in days[other] for cut in cuts for less in (0, 1)}
                    more[other] |= {day - cut + plus for day in days[this] for cut in cuts for plus in (0, 1)}
                for name in names:
                    more[name] |= {day for other in self._moves.get(name, ()) for day in days.get(other, ())}
                    last = self._limits(name)[1]
                    days[name] |= {day for day in more[name] if last is None or 0 < day <= last}
            self._days = days
        return self._days

    def _own_days(self, name: str) -> Iterator[int]:
        today = self._as_of.toordinal()
        yield today
        for end in map(int, ends_of(self._facts[name].value) or ()):
            yield end
            if any(name in others for others in self._moves.values()):  # it does not move along, but by itself
                yield from (end - 1, min(end + 1, today))
        for each, leaf in self._looking(name):
            if leaf.operand.view is not View.AFTER:
                yield from (
                    day for cut in self._cuts(leaf, each, self._facts) for day in (cut - 1, cut) if day <= today
                )


def _same(fact: Fact, was: Fact) -> bool:
    return (fact.state, fact.value, fact.on) == (was.state, was.value, was.on if fact.state is State.KNOWN else None)


def _back(cuts: Iterable[int], as_of: date) -> Iterator[int]:
    """Numbers of days ago → the ordinals of the days at which they change."""
    return (as_of.toordinal() - cut + 1 for cut in cuts)


def _whole_cells(cuts: Sequence[int], low: float | None, high: float | None) -> list[Cell]:
    inside = [cut for cut in cuts if (low is None or cut > low) and (high is None or cut <= high)]
    starts: list[float | None] = [low, *inside]
    return [
        Cell(start, end - 1 if end is not None else high) for start, end in zip(starts, [*inside, None], strict=True)
    ]


def _cells(cuts: Sequence[tuple[float, bool]], low: float | None, high: float | None) -> list[Cell]:
    first, last = (low, False), (high, True)
    inside = [cut for cut in cuts if (low is None or cut > (low, False)) and (high is None or cut < (high, True))]
    edges: list[tuple[float | None, bool]] = [first, *inside, last]
    return [Cell(start, end, low_open=after, high_open=not up_to) for (start, after), (end, up_to) in pairwise(edges)]


def _toggled(was: Fact, codes: Sequence[str]) -> Iterator[FactValue]:
    """The codes with some of those that thresholds name put in or taken out."""
    present = was.value if isinstance(was.value, frozenset) else frozenset[str]()
    named = list(dict.fromkeys(codes))
    for count in range(1, min(len(named), _MOST_CODES) + 1):
        for some in combinations(named, count):
            yield present.symmetric_difference(some)


def cell_at(cells: Sequence[Cell], number: float) -> int:
    """The place of the cell that holds a number."""
    return next(place for place, cell in enumerate(cells) if cell.holds(number))


def neighbours(cells: Sequence[Cell], place: int) -> Iterator[range]:
    """The places of the cells below one, going down, and of those above it, going up."""
    yield range(place - 1, -1, -1)
    yield range(place + 1, len(cells))
