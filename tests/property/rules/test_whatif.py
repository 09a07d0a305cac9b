"""The smallest change is the smallest: held against every change there is, in small packs with few values."""

from __future__ import annotations

import json
import os
import random
import tempfile
from datetime import date, timedelta
from itertools import combinations, product
from pathlib import Path

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from rules import ContentError, DateSpan, DaySpan, Fact, Pack, State, Status
from rules.engine.conditions import Threshold
from rules.engine.content import Content, Outcome, Provider, Refer, Rule, Service, Within
from rules.whatif import Goal, WhatIf
from tests.property.rules.languages import PLACE, build, reference

CHECKS = settings(max_examples=int(os.environ.get("PERINATAL_EXAMPLES", "150")), deadline=None)
AS_OF = date(2026, 3, 2)
TYPES = {"b1": "boolean", "b2": "boolean", "i1": "integer", "n1": "number", "d1": "date", "d2": "date", "y1": "days"}
RANGES = {"i1": (0, 4), "n1": (0, 4), "y1": (0, 3)}
DAYS = [AS_OF - timedelta(days=ago) for ago in range(18)]
RECENT = DAYS[:9]  # hers; the others leave room for what follows from them
MOST = 2
LASTING = "b2"
LINKS = {
    "lasting": [LASTING],
    "follows": [{"fact": "b1", "is": False, "then": {"y1": "absent"}}, {"fact": "d1", "then": {"d2": "same"}}],
}


def day(when):
    return DateSpan(when, when)


VALUES = {
    "boolean": [True, False],
    "integer": [0, 1, 2, 3, 4],
    "number": [quarter / 4 for quarter in range(17)],
    "date": [day(when) for when in DAYS],
    "days": [DaySpan(n, n) for n in range(4)],
}
EVERY = {
    name: [Fact(name, State.ABSENT), *(Fact(name, State.KNOWN, value) for value in VALUES[kind])]
    for name, kind in TYPES.items()
}


class Draw:
    def __init__(self, seed):
        self.rng = random.Random(seed)  # noqa: S311 - chance for tests, not for secrets

    def number(self, most):
        key = self.rng.choice(["gt", "gte", "lt", "lte", "eq"])
        return {key: self.rng.randint(0, most)}

    def test(self, name):
        kind, rng = TYPES[name], self.rng
        if rng.random() < 0.2:
            return rng.choice(["known", "missing", "present", "absent"])
        if kind == "boolean":
            return rng.choice(["present", "absent"])
        if kind == "date":
            if rng.random() < 0.4:
                return {"days_after": {"fact": "d2" if name == "d1" else "d1", **self.number(2)}}
            return {"days_ago": self.number(4)}
        return self.number(3)

    def condition(self, depth=2, derived=()):
        rng = self.rng
        roll = rng.random()
        if depth == 0 or roll < 0.2:
            if derived and rng.random() < 0.2:
                return {rng.choice(derived): rng.choice(["present", "absent", "known", "missing"])}
            name = rng.choice(sorted(TYPES))
            return {name: self.test(name)}
        if roll < 0.85:
            return {rng.choice(["all", "any"]): [self.condition(depth - 1, derived) for _ in range(rng.randint(1, 3))]}
        return {rng.choice(["not", "unless"]): self.condition(depth - 1, derived)}

    def value(self, kind):
        return day(self.rng.choice(RECENT)) if kind == "date" else self.rng.choice(VALUES[kind])

    def facts(self):
        states = {"known": State.KNOWN, "absent": State.ABSENT, "unknown": State.UNKNOWN}
        found = {}
        for name, kind in TYPES.items():
            state = states[self.rng.choice(["known", "known", "absent", "unknown"])]
            found[name] = Fact(name, state, self.value(kind) if state is State.KNOWN else None)
        if self.rng.random() < 0.3:
            low, high = sorted(self.rng.sample(RECENT, 2))
            found["d1"] = Fact("d1", State.KNOWN, DateSpan(low, high))
        return found


def made(draw, folder):
    """A pack with one rule, its condition as data, and what must never be."""
    derive = {"v1": (draw.condition(1), draw.condition(1) if draw.rng.random() < 0.5 else None)}
    never = [draw.condition(1)] if draw.rng.random() < 0.5 else []
    named, declarations, _, raw, derived = build({"r1": draw.condition(3, ("v1",))}, derive, TYPES)
    for name, limits in RANGES.items():
        old = declarations[name]
        declarations[name] = type(old)(name, name, old.type, PLACE, range=limits, source={})
    (folder / "what_if.yaml").write_text(json.dumps({**LINKS, **({"never": never} if never else {})}), encoding="utf-8")
    act = Refer(Threshold("gp"), "routine", Within(Threshold(1)))
    rule = Rule("r1", "R1", False, (), named["r1"].condition, (Outcome(act, PLACE),), PLACE)
    provider = Provider("home", "Home")
    services = {"gp": Service("gp", "GP")}
    content = Content(folder, "p", "1", "P", provider, declarations, {}, services, (rule,), (), ())
    pack = Pack(content)
    pack.evaluate({}, AS_OF)
    return pack, raw["r1"], never, derived


def settled(changes, facts):
    """The links of this file, written once more."""
    found = {**facts, **changes}
    if "b1" in changes and changes["b1"].value is False and "y1" not in changes:
        found["y1"] = Fact("y1", State.ABSENT)
    same = facts["d1"].state is facts["d2"].state is State.KNOWN and facts["d1"].value == facts["d2"].value
    if "d1" in changes and "d2" not in changes and same:
        found["d2"] = changes["d1"]._replace(name="d2")
    return found


def exact(fact):
    return fact.state is State.KNOWN and not (isinstance(fact.value, DateSpan) and fact.value.low != fact.value.high)


def far(was, now):
    """None for more than a move of a number or a date."""
    if was.state is not State.KNOWN or now.state is not State.KNOWN:
        return None
    if isinstance(was.value, bool):
        return None if was.value != now.value else 0
    if isinstance(was.value, DateSpan):
        new = now.value.low
        return 0 if was.value.low <= new <= was.value.high else min(abs((new - end).days) for end in was.value)
    if isinstance(was.value, DaySpan):
        return abs(now.value.low - was.value.low)
    return abs(now.value - was.value)


def cost(facts, changes, additions):
    moves = [far(facts[name], fact) for name, fact in changes.items()]
    quiet = sum(facts[name].state is State.ABSENT for name in changes) if additions else 0
    return quiet, LASTING in changes, sum(move is None for move in moves), sum(move or 0 for move in moves)


def by_force(facts, data, never, derived, wanted, additions):
    """The fewest facts that must change, and the least cost of such a change; None where there is none."""

    def broken(now):
        return [reference(each, now, derived, AS_OF) is True for each in never]

    before = broken(facts)
    free = [name for name in TYPES if not additions or not exact(facts[name])]
    for count in range(1, MOST + 1):
        costs = []
        for some in combinations(free, count):
            for chosen in product(*([fact for fact in EVERY[name] if fact != facts[name]] for name in some)):
                changes = {fact.name: fact for fact in chosen}
                now = settled(changes, facts)
                if reference(data, now, derived, AS_OF) is wanted and not any(
                    new and not old for new, old in zip(broken(now), before, strict=True)
                ):
                    costs.append(cost(facts, changes, additions))
        if costs:
            return count, min(costs)
    return None


def values_of(setting):
    """All values in a setting's span, of the few that are tried here."""
    for fact in EVERY[setting.fact] if setting.now.state is State.KNOWN else ():
        if fact.state is State.KNOWN and not isinstance(fact.value, bool):
            number = {"date": lambda v: v.low.toordinal(), "days": lambda v: v.low}.get(
                TYPES[setting.fact], lambda v: v
            )(fact.value)
            above = setting.low is None or number > setting.low or (number == setting.low and not setting.low_open)
            below = setting.high is None or number < setting.high or (number == setting.high and not setting.high_open)
            if above and below:
                yield fact


@CHECKS
@given(st.integers(0, 2**63))
def test_no_smaller_change_does_it_and_every_value_shown_does(seed):
    draw = Draw(seed)
    with tempfile.TemporaryDirectory() as folder:
        try:
            pack, data, never, derived = made(draw, Path(folder))
        except ContentError:  # too many alternatives for durable_rules: refused on load
            reject()
        what_if = WhatIf(pack, most_facts=MOST)
        try:
            for _ in range(2):
                facts = draw.facts()
                decision = pack.evaluate(facts, AS_OF)
                truth = reference(data, facts, derived, AS_OF)
                additions = decision.outcome("r1").status is Status.UNKNOWN
                for turning in what_if.turned_on(decision, "r1"):
                    wanted = turning.goal is Goal.FIRE
                    assert truth is not wanted
                    expected = by_force(facts, data, never, derived, wanted, additions)
                    assert bool(turning.changes) == (expected is not None)
                    if expected is None:
                        continue
                    first = {setting.fact: setting.now for setting in turning.changes[0].settings}
                    *whole, least = expected[1]
                    *found, distance = cost(facts, first, additions)
                    assert (len(first), *found) == (expected[0], *whole)
                    assert distance <= least  # a number that is not whole can be nearer than those tried here
                    for change in turning.changes:
                        assert len(change.settings) == expected[0]
                        assert change.status is (Status.FIRED if wanted else Status.NOT_FIRED)
                        chosen = {setting.fact: setting.now for setting in change.settings}
                        for setting in change.settings:
                            for fact in (setting.now, *values_of(setting)):
                                now = settled({**chosen, setting.fact: fact}, facts)
                                assert reference(data, now, derived, AS_OF) is wanted
        finally:
            pack.close()
