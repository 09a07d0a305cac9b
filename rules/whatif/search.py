"""The smallest changes of facts that give a condition another truth: exact, up to a number of facts.

First one fact, then two, and so on. At each step only facts to blame are tried (``cone.blame``), so nothing that could
reach the goal is left out. What must never be true together is a goal beside the first.

Of as many facts those come first that (for an undecided rule) need fewer besides the unknown ones, then those that
change fewer lasting ones, then those in which more are a number or a date that only moves, then the smallest sum of
such moves (in points and days), then the order in which the rule reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rules.engine.content import FactDeclaration
from rules.engine.model import Fact, State
from rules.engine.tracer import Node
from rules.whatif.cone import Frame, Wanted, blame
from rules.whatif.domain import WHOLE, Cell, Domain, cell_at, ends_of, neighbours, number_of, value_from
from rules.whatif.links import Links
from rules.whatif.model import Setting
from rules.whatif.world import Compiled

NOT_TRUE: Wanted = frozenset((False, None))
Found = tuple[tuple[str, int], ...]  # a fact, and the place of what is tried for it


@dataclass(frozen=True, slots=True)
class Question:
    """A condition, the truths it should have, and what may be changed to reach them."""

    named: Compiled
    frame: Frame  # as things are
    wanted: Wanted
    domain: Domain
    links: Links
    declarations: Mapping[str, FactDeclaration]
    additions_only: bool = False  # change no fact that is exactly known
    most_facts: int = 3

    def after(self, changes: Mapping[str, Fact]) -> Frame:
        """The facts and truths with these changes and what follows from them."""
        return self.named.cone.changed(self.frame, self.links.settled(changes, self.frame.facts))

    def reached(self, frame: Frame) -> bool:
        return frame.truths[self.named.root.place] in self.wanted and not any(self._broken(frame))

    def _broken(self, frame: Frame) -> Iterator[Node]:
        """What may never be true, and only now is."""
        return (
            node
            for node in self.named.never
            if frame.truths[node.place] is True and self.frame.truths[node.place] is not True
        )

    def to_blame(self, frame: Frame, changed: frozenset[str]) -> list[str]:
        """The facts of which one at least must change as well; in the order in which the rule reads."""
        if frame.truths[self.named.root.place] not in self.wanted:
            names = blame(self.named.root, self.wanted, frame.truths, changed)
        else:
            names = blame(next(self._broken(frame)), NOT_TRUE, frame.truths, changed)
        names |= {follow.fact for follow in self.links.follows if follow.other in names} - changed
        return [name for name in self.named.facts if name in names and self._may_change(name)]

    def _may_change(self, name: str) -> bool:
        return not self.additions_only or not exactly_known(self.frame.facts[name])


def exactly_known(fact: Fact) -> bool:
    """Whether a fact is known, and to one value."""
    ends = ends_of(fact.value)
    return fact.state is State.KNOWN and (ends is None or ends[0] == ends[1])


def smallest(question: Question) -> list[dict[str, Fact]]:
    """Every change of the fewest facts that reaches the goal, best first; none where more facts are needed."""
    for count in range(1, question.most_facts + 1):
        found: dict[Found, dict[str, Fact]] = {}
        _search(question, {}, (), count, found, set())
        if found:
            return _without_doubles(question, sorted(found.items(), key=lambda each: _rank(question, *each)))
    return []


def _search(
    question: Question,
    changes: dict[str, Fact],
    tried: Found,
    left: int,
    found: dict[Found, dict[str, Fact]],
    seen: set[Found],
) -> None:
    frame = question.after(changes)
    if question.reached(frame):
        found[tried] = changes
        return
    if not left:
        return
    for name in question.to_blame(frame, frozenset(changes)):
        for place, fact in enumerate(question.domain.tries(name)):
            now = tuple(sorted((*tried, (name, place))))
            if now not in seen:
                seen.add(now)
                _search(question, {**changes, name: fact}, now, left - 1, found, seen)


def _rank(question: Question, tried: Found, changes: Mapping[str, Fact]) -> tuple[object, ...]:
    was = question.frame.facts
    order = {name: place for place, name in enumerate(question.named.facts)}
    quiet = sum(was[name].state is State.ABSENT for name in changes) if question.additions_only else 0
    return (
        quiet,
        sum(name in question.links.lasting for name in changes),
        *distance(was, changes),
        sorted(order[name] for name in changes),
        sorted((order[name], place) for name, place in tried),
    )


def distance(was: Mapping[str, Fact], changes: Mapping[str, Fact]) -> tuple[int, float]:
    """How many facts do more than move, and how far the others move: in points, days and codes."""
    found = [_step(was[name], fact) for name, fact in changes.items()]
    return sum(each is None for each in found), sum(each or 0 for each in found)


def _step(was: Fact, now: Fact) -> float | None:
    if was.state is not State.KNOWN or now.state is not State.KNOWN:
        return None
    days = abs((now.on - was.on).days) if now.on and was.on else 0
    if isinstance(was.value, frozenset) and isinstance(now.value, frozenset):
        return days + len(was.value ^ now.value)
    ends, number = ends_of(was.value), number_of(now.value)
    if ends is not None and number is not None:
        return days + max(ends[0] - number, number - ends[1], 0)
    return days if was.value == now.value else None


def _without_doubles(question: Question, ranked: list[tuple[Found, dict[str, Fact]]]) -> list[dict[str, Fact]]:
    """Without those that speak of one event by another fact, or have one not on record where a value does the same.

    An unknown date keeps both: that there is none, and that it is long ago, are different answers.
    """
    everything = [changes for _, changes in ranked]
    kept, spoken = [], dict[frozenset[str], frozenset[str]]()
    for changes in everything:
        names = frozenset(changes)
        if spoken.setdefault(frozenset(_event(question, name) for name in names), names) != names:
            continue
        gone = [
            name for name, fact in changes.items() if fact.state is State.ABSENT and not _is_open_date(question, name)
        ]
        if not any(_only_known(changes, name, everything) for name in gone):
            kept.append(changes)
    return kept


def _event(question: Question, name: str) -> str:
    """One name for all the facts that are the same now and stay so."""
    was = question.frame.facts
    same = [other for other in question.links.moves.get(name, ()) if was[other].value == was[name].value is not None]
    return min([*same, name])


def _is_open_date(question: Question, name: str) -> bool:
    return question.declarations[name].type == "date" and question.frame.facts[name].state is not State.KNOWN


def _only_known(changes: Mapping[str, Fact], name: str, others: list[dict[str, Fact]]) -> bool:
    rest = {other: fact for other, fact in changes.items() if other != name}
    return any(
        other.keys() == changes.keys()
        and other[name].state is State.KNOWN
        and all(other[each] == fact for each, fact in rest.items())
        for other in others
    )


def settings(question: Question, changes: Mapping[str, Fact]) -> tuple[Setting, ...]:
    """The changes in the order in which the rule reads, each with the values around it that do the same."""
    return tuple(_setting(question, name, changes) for name in question.named.facts if name in changes)


def _setting(question: Question, name: str, changes: Mapping[str, Fact]) -> Setting:
    was, now, kind = question.frame.facts[name], changes[name], question.declarations[name].type
    cells = question.domain.cells(name, question.after(changes).facts) if _is_number(now, kind) else []
    return widened(was, now, kind, cells, lambda fact: question.reached(question.after({**changes, name: fact})))


def _is_number(fact: Fact, kind: str) -> bool:
    return kind in (*WHOLE, "number") and number_of(fact.value) is not None


def widened(was: Fact, now: Fact, kind: str, cells: Sequence[Cell], reached: Callable[[Fact], bool]) -> Setting:
    """The setting with the values around it that reach the goal too: cell by cell, down and up from its own."""
    number = number_of(now.value)
    if number is None or not cells:
        return Setting(now.name, was, now)
    low = high = cell_at(cells, number)
    for places in neighbours(cells, low):
        for place in places:
            if not reached(now._replace(value=value_from(cells[place].nearest(number), kind))):
                break
            low, high = min(low, place), max(high, place)
    least, most = cells[low], cells[high]
    return Setting(now.name, was, now, least.low, most.high, least.low_open, most.high_open)


def covers(setting: Setting, fact: Fact) -> bool:
    """Whether a fact is among the values of a setting."""
    number = number_of(fact.value)
    if number is None or number_of(setting.now.value) is None:
        return setting.now == fact
    above = setting.low is None or number > setting.low or (number == setting.low and not setting.low_open)
    below = setting.high is None or number < setting.high or (number == setting.high and not setting.high_open)
    return above and below
