"""What the tests beside the rules have seen: outcomes of each rule, branches, and every criterion while it decides.

A criterion is one comparison of a condition. It *decides* in a test where its truth can change that of the whole
condition: no other part of an ``all`` around it is false, none of an ``any`` is true. A test counts for a rule when
it expects something of it: its status, or a referral, task or flag that the rule makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from rules.engine import names
from rules.engine.conditions import AllOf, AnyOf, Condition, Derived, Not, Place, Unless
from rules.engine.content import Content, FlagSpec, IssueSpec, Outcome, Refer, Rule, Step, TaskSpec
from rules.engine.model import Decision, Truth
from rules.engine.parameters import Values
from rules.engine.rule_tests import RuleTest
from rules.tools.mutated_conditions import name_of
from rules.tools.thresholds import possible
from rules.tools.traced import Seen, Suite, TracedPack

WORDS: Mapping[Truth, str] = {True: "true", False: "false", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing that the tests should see. ``group`` is a rule's id, or the name of a derived fact, step or ask."""

    group: str
    place: Place
    what: str
    outcome: str
    covered: bool = False

    def __str__(self) -> str:
        return f"{self.place.file}:{self.place.line}: {self.group}: {self.what}: {self.outcome}"


@dataclass(slots=True)
class Sight:
    """What the tests have seen: truths of criteria that decided, truths of whole conditions, statuses, steps."""

    deciding: set[tuple[str, int, Truth]] = field(default_factory=set)  # condition's name, criterion's number
    truths: set[tuple[str, Truth]] = field(default_factory=set)
    statuses: set[tuple[str, str]] = field(default_factory=set)
    steps: set[tuple[str, bool]] = field(default_factory=set)
    looked_at: dict[Place, list[tuple[Seen, Condition]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coverage:
    goals: tuple[Goal, ...]

    @property
    def percent(self) -> float:
        met = sum(goal.covered for goal in self.goals)
        return 100.0 * met / len(self.goals) if self.goals else 100.0

    @property
    def uncovered(self) -> tuple[Goal, ...]:
        return tuple(goal for goal in self.goals if not goal.covered)

    def groups(self) -> Mapping[str, tuple[int, int]]:
        """Of each rule, derived fact, step and ask: how many goals are met, and how many there are."""
        found: dict[str, tuple[int, int]] = {}
        for goal in self.goals:
            met, total = found.get(goal.group, (0, 0))
            found[goal.group] = (met + goal.covered, total + 1)
        return found


def cover(suite: Suite) -> tuple[Coverage, Sight]:
    """Measure what the tests of a pack see. The tests must hold beforehand."""
    sight = see(suite)
    return Coverage(tuple(_goals(suite.pack, sight))), sight


def see(suite: Suite) -> Sight:
    sight = Sight()
    for test in suite.tests:
        pack = suite.packs[test.provider]
        seen = pack.look(test.given, test.as_of)
        _see_conditions(pack, test, seen, sight)
        for rule in pack.content.rules:
            for status in ("fired", "not_fired", "unknown", "suppressed"):
                if rule.id in test.expect.get(status, ()):
                    sight.statuses.add((rule.id, status))
    for step in suite.pack.content.steps:
        if step.implied:
            continue
        sight.steps.update((step.id, applied) for applied in _applications(suite, step))
    return sight


def _see_conditions(pack: TracedPack, test: RuleTest, seen: Seen, sight: Sight) -> None:
    about = {rule.id for rule in pack.content.rules if expects(test, rule, seen.values)}
    live: set[str] = set()
    for name, named in pack.named.items():
        owner = name.split("/")[0]
        if owner in about or owner in ("step", "pack") or (owner == "ask" and _asks(name, about, pack.content)):
            sight.truths.add((name, seen.truth(named.condition)))
            if not name.endswith("/outside"):
                live |= _see(named.name, named.condition, seen, sight)
    done: set[str] = set()
    while live - done:
        fact = (live - done).pop()
        done.add(fact)
        live |= _see_derived(fact, pack.content, seen, sight)


def _asks(name: str, about: set[str], content: Content) -> bool:
    """Whether an ask belongs to a rule that the test is about, or to no rule."""
    owner = name.split("/")[1]
    return owner in about or any(ask.id == owner for ask in content.asks)


def _see(name: str, condition: Condition, seen: Seen, sight: Sight) -> set[str]:
    """Note the criteria that decide; gives the derived facts among them."""
    derived: set[str] = set()
    for number, (criterion, decides) in enumerate(_criteria(condition, seen, True)):
        if decides:
            sight.deciding.add((name, number, seen.truth(criterion)))
            sight.looked_at.setdefault(criterion.place, []).append((seen, criterion))
            if isinstance(criterion, Derived):
                derived.add(criterion.fact)
    return derived


def _see_derived(fact: str, content: Content, seen: Seen, sight: Sight) -> set[str]:
    declaration = content.facts[fact]
    if declaration.derive is None:
        return set()
    live = _see(f"fact/{fact}", declaration.derive, seen, sight)
    if declaration.unknown_when is not None and seen.truth(declaration.derive) is False:
        live |= _see(f"fact/{fact}/unknown_when", declaration.unknown_when, seen, sight)
    return live


def _criteria(condition: Condition, seen: Seen | None, decides: bool) -> Iterator[tuple[Condition, bool]]:
    """The comparisons of a condition in its order, each with whether it decides (without ``seen``: all do)."""
    if isinstance(condition, Not | Unless):
        yield from _criteria(condition.child, seen, decides)
        return
    if not isinstance(condition, AllOf | AnyOf):
        yield condition, decides
        return
    children = condition.children
    masking = isinstance(condition, AnyOf)
    masks = [seen is not None and seen.truth(child) is masking for child in children]
    for index, child in enumerate(children):
        others = any(mask for number, mask in enumerate(masks) if number != index)
        yield from _criteria(child, seen, decides and not others)


def expects(test: RuleTest, rule: Rule, values: Values) -> bool:
    """Whether a test expects something of a rule: its status, or something that the rule makes."""
    expect = test.expect
    if any(rule.id in expect.get(key, ()) for key in ("fired", "not_fired", "unknown", "suppressed", "out_of_date")):
        return True
    services, codes = _makes(rule, values)
    if services and "exactly_referrals" in expect:
        return True
    named = {*expect.get("referrals", ()), *expect.get("no_referrals", ())}
    coded = {code for key in ("tasks", "no_tasks", "flags", "no_flags") for code in expect.get(key, ())}
    return bool(services & named or codes & coded)


def _makes(rule: Rule, values: Values) -> tuple[set[str], set[str]]:
    services, codes = set(), {ask.task.code for ask in rule.asks}
    for outcome in rule.then:
        match outcome.act:
            case Refer(service=service):
                services.add(values.of(service))
            case TaskSpec(code=code) | FlagSpec(code=code) | IssueSpec(code=code):
                codes.add(code)
    return services, codes


def _applications(suite: Suite, step: Step) -> Iterator[bool]:
    """Whether a step changed anything, for each test that expects something of what there was to change."""
    without = {
        name: TracedPack(replace(pack.content, steps=tuple(each for each in pack.content.steps if each.id != step.id)))
        for name, pack in suite.packs.items()
    }
    for test in suite.tests:
        decision = suite.packs[test.provider].evaluate(test.given, test.as_of, test.availability)
        other = without[test.provider].evaluate(test.given, test.as_of, test.availability)
        if other.referrals:
            yield _proposed(decision) != _proposed(other)


def _proposed(decision: Decision) -> tuple[object, ...]:
    return decision.referrals, decision.tasks, decision.flags, decision.issues


def _goals(pack: TracedPack, sight: Sight) -> Iterator[Goal]:
    content, values = pack.content, Values(pack.content.parameters, date.max)
    for rule in content.rules:
        yield from _rule_goals(rule, content, values, sight)
    for fact in content.facts.values():
        for suffix, condition in (("", fact.derive), ("/unknown_when", fact.unknown_when)):
            if condition is not None:
                name = f"fact/{fact.name}{suffix}"
                yield from _criterion_goals(fact.name, name, condition, content, values, sight)
    for step in content.steps:
        if step.implied:
            continue
        for applied, words in ((True, "applies"), (False, "does not apply")):
            yield Goal(step.id, step.place, "the step", words, (step.id, applied) in sight.steps)
        if step.when is not None:
            yield from _criterion_goals(step.id, names.step(step.id), step.when, content, values, sight)
    for ask in content.asks:
        yield from _condition_goals(ask.id, names.ask(ask.id), ask.when, ask.place, "ask", content, values, sight)
    if content.outside_when is not None:
        place = content.outside_when.place
        yield from _branch_goals("outside_when", names.OUTSIDE_WHEN, place, "outside_when", sight)


def _rule_goals(rule: Rule, content: Content, values: Values, sight: Sight) -> Iterator[Goal]:
    whole: Condition = rule.when if rule.window is None else AllOf((rule.window, rule.when), rule.place)
    can = possible(whole, content.facts, values)
    for status, words, truth in (
        ("fired", "must fire", True),
        ("not_fired", "must not fire", False),
        ("unknown", "unknown", None),
    ):
        if truth in can:
            covered = (rule.id, status) in sight.statuses
            if status == "not_fired":
                covered = covered or (rule.id, "suppressed") in sight.statuses
            yield Goal(rule.id, rule.place, "the rule", words, covered)
    yield from _criterion_goals(rule.id, rule.id, whole, content, values, sight)
    if rule.outside is not None and rule.window is not None:
        yield from _branch_goals(rule.id, names.outside(rule.id), rule.outside.place, "outside", sight)
    for index, outcome in enumerate(rule.then):
        if outcome.when is not None:
            name = names.branch(rule.id, index)
            words = f"branch {_act(outcome)}"
            yield from _condition_goals(rule.id, name, outcome.when, outcome.place, words, content, values, sight)
    for ask in rule.asks:
        words = f"ask {ask.task.code}"
        yield from _condition_goals(rule.id, names.ask(ask.id), ask.when, ask.place, words, content, values, sight)


def _condition_goals(
    group: str,
    name: str,
    condition: Condition,
    place: Place,
    words: str,
    content: Content,
    values: Values,
    sight: Sight,
) -> Iterator[Goal]:
    yield from _branch_goals(group, name, place, words, sight)
    yield from _criterion_goals(group, name, condition, content, values, sight)


def _branch_goals(group: str, name: str, place: Place, words: str, sight: Sight) -> Iterator[Goal]:
    for truth in (True, False):
        yield Goal(group, place, words, WORDS[truth], (name, truth) in sight.truths)


def _criterion_goals(
    group: str, name: str, condition: Condition, content: Content, values: Values, sight: Sight
) -> Iterator[Goal]:
    for number, (criterion, _) in enumerate(_criteria(condition, None, True)):
        can = possible(criterion, content.facts, values)
        for truth in (True, False, None):
            if truth in can:
                covered = (name, number, truth) in sight.deciding
                yield Goal(group, criterion.place, name_of(criterion), WORDS[truth], covered)


def _act(outcome: Outcome) -> str:
    act = outcome.act
    if isinstance(act, Refer):
        return f"refer {act.service.value or act.service.parameter}"
    return f"{'task' if isinstance(act, TaskSpec) else 'flag or issue'} {act.code}"
