"""The smallest changes of facts that give a condition another truth: exact, up to a number of facts.

First one fact, then two, and so on. At each step only facts to blame are tried (``cone.blame``), so nothing that could
reach the goal is left out. What must never be true together is a goal beside the first.

Of as many facts those come first that change fewer lasting ones, then fewer that were not on record or would not be
any more, then the smallest sum of steps (points, days; 1 for anything else), then the order in which the rule reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rules.engine.content import FactDeclaration
from rules.engine.model import Fact, State
from rules.engine.tracer import Node
from rules.whatif.cone import Cone, Frame, Wanted, blame
from rules.whatif.domain import WHOLE, Domain, cell_at, ends_of, neighbours, number_of, value_from
from rules.whatif.links import Links
from rules.whatif.model import Setting

NOT_TRUE: Wanted = frozenset((False, None))
Found = tuple[tuple[str, int], ...]  # a fact, and the place of what is tried for it


@dataclass(frozen=True, slots=True)
class Question:
    """A condition, the truths it should have, and what may be changed to reach them."""

    cone: Cone
    root: Node
    never: tuple[Node, ...]
    frame: Frame  # as things are
    wanted: Wanted
    domain: Domain
    links: Links
    declarations: Mapping[str, FactDeclaration]
    additions_only: bool = False  # change no fact that is exactly known
    most_facts: int = 3

    def after(self, changes: Mapping[str, Fact]) -> Frame:
        """The facts and truths with these changes and what follows from them."""
        return self.cone.changed(self.frame, self.links.settled(changes, self.frame.facts))

    def reached(self, frame: Frame) -> bool:
        return frame.truths[self.root.place] in self.wanted and not any(self._broken(frame))

    def _broken(self, frame: Frame) -> Iterator[Node]:
        """What may never be true, and only now is."""
        return (
            node for node in self.never if frame.truths[node.place] is True and self.frame.truths[node.place] is not True
        )

    def to_blame(self, frame: Frame, changed: frozenset[str]) -> list[str]:
        """The facts of which one at least must change as well; in the order in which the rule reads."""
        if frame.truths[self.root.place] not in self.wanted:
            names = blame(self.root, self.wanted, frame.truths, changed)
        else:
            names = blame(next(self._broken(frame)), NOT_TRUE, frame.truths, changed)
        names |= {follow.fact for follow in self.links.follows if follow.other in names} - changed
        return [name for name in self.cone.facts if name in names and self._may_change(name)]

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
    order = {name: place for place, name in enumerate(question.cone.facts)}
    return (
        sum(name in question.links.lasting for name in changes),
        sum((fact.state is State.KNOWN) is not (was[name].state is State.KNOWN) for name, fact in changes.items()),
        sum(step(was[name], fact) for name, fact in changes.items()),
        sorted(order[name] for name in changes),
        sorted((order[name], place) for name, place in tried),
    )


def step(was: Fact, now: Fact) -> float:
    """How far a fact moves: points or days between two numbers, 1 for another change of what was known, else 0."""
    if was.state is not State.KNOWN or now.state is not State.KNOWN:
        return 0
    days = abs((now.on - was.on).days) if now.on and was.on else 0
    if isinstance(was.value, frozenset) and isinstance(now.value, frozenset):
        return days + len(was.value ^ now.value)
    ends, number = ends_of(was.value), number_of(now.value)
    if ends is None or number is None:
        return days + (was.value != now.value)
    return days + max(ends[0] - number, number - ends[1], 0)


def _without_doubles(
    question: Question, ranked: list[tuple[Found, dict[str, Fact]]]
) -> list[dict[str, Fact]]:
    """Without those in which a fact is not on record where a value of it does the same.

    An unknown date keeps both: that there is none, and that it is long ago, are different answers.
    """
    kept = []
    all_of_them = [changes for _, changes in ranked]
    for changes in all_of_them:
        gone = [name for name, fact in changes.items() if fact.state is State.ABSENT and not _is_open_date(question, name)]
        if not any(_only_known(changes, name, all_of_them) for name in gone):
            kept.append(changes)
    return kept


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
    return tuple(_setting(question, name, changes) for name in question.cone.facts if name in changes)


def _setting(question: Question, name: str, changes: Mapping[str, Fact]) -> Setting:
    was, now = question.frame.facts[name], changes[name]
    kind, number = question.declarations[name].type, number_of(now.value)
    if number is None or kind not in (*WHOLE, "number") or now.state is not State.KNOWN:
        return Setting(name, was, now)
    cells = question.domain.cells(name, question.after(changes).facts)
    low = high = cell_at(cells, number)
    for places in neighbours(cells, low):
        for place in places:
            value = value_from(cells[place].nearest(number), kind)
            if not question.reached(question.after({**changes, name: now._replace(value=value)})):
                break
            low, high = min(low, place), max(high, place)
    least, most = cells[low], cells[high]
    return Setting(name, was, now, least.low, most.high, least.low_open, most.high_open)


def covers(setting: Setting, fact: Fact) -> bool:
    """Whether a fact is among the values of a setting."""
    number = number_of(fact.value)
    if number is None or number_of(setting.now.value) is None:
        return setting.now == fact
    above = setting.low is None or number > setting.low or (number == setting.low and not setting.low_open)
    below = setting.high is None or number < setting.high or (number == setting.high and not setting.high_open)
    return above and below
