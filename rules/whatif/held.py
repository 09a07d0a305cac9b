"""What held or moved the referrals of a rule after it fired, and without what they would go where it sends them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from rules.engine import names
from rules.engine.content import Hold, MoveTo, Step
from rules.engine.load_steps import FACT_OPEN, FACT_REFUSED
from rules.engine.model import Availability, Decision, Fact, RuleOutcome, State
from rules.engine.second_stage import codes, is_about
from rules.whatif.cone import Cone
from rules.whatif.domain import Domain
from rules.whatif.model import Change, Goal, Setting, Turning
from rules.whatif.search import distance, widened
from rules.whatif.world import World, refers, went


def held(
    world: World, decision: Decision, outcome: RuleOutcome, most_facts: int, most_shown: int
) -> tuple[Turning, ...]:
    """What stands between a rule and the services it sends her to: steps (``GO``), and where she lives (``COVER``).

    Each with the smallest changes without which a referral would go there, or to who takes over; none: nothing does.
    """
    wanted, gone = _sent(world, decision, outcome.rule), went(decision, outcome.rule)
    there, uncovered = world.services(decision), decision.availability.uncovered
    lost = tuple(each for each in dict.fromkeys(map(there.nearest, wanted)) if each not in gone)
    found = []
    steps = [step for step in world.content.steps if _active(world, step, decision, outcome.rule)]
    if lost and steps:
        trial = _Trial(world, decision, outcome.rule, lost, decision.availability)
        changes, more = trial.changes(steps, 1, most_facts, most_shown)
        turned = frozenset(setting.fact for change in changes[:1] for setting in change.settings)
        by = outcome.suppressed_by or tuple(
            step.id
            for step in steps
            if turned & _step_facts(world, step) and _concerns(step, decision, (*wanted, *lost))
        )
        found.append(Turning(Goal.GO, changes, more, most_facts, by, lost))
    elsewhere = tuple(each for each in wanted if each in uncovered and each not in gone)
    if elsewhere:
        availability = replace(decision.availability, uncovered=uncovered - set(elsewhere))
        trial = _Trial(world, decision, outcome.rule, elsewhere, availability)
        changes, more = trial.changes(steps, 0, most_facts, most_shown)
        if changes:
            found.append(Turning(Goal.COVER, changes, more, most_facts, (), elsewhere))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Trial:
    """Whether a rule's referrals would go to some services, were the facts and what covers her otherwise."""

    world: World
    decision: Decision
    rule: str
    services: tuple[str, ...]
    availability: Availability

    def changes(
        self, steps: Sequence[Step], fewest: int, most_facts: int, most_shown: int
    ) -> tuple[tuple[Change, ...], int]:
        """The smallest changes of facts with which they would, from ``fewest`` facts on, and how many more there are.

        Every combination is tried on the pack itself: few facts count here.
        """
        world, decision = self.world, self.decision
        facts, domain = world.supplied(decision), _domain(world, decision, steps)
        tries = _tries(facts, domain)
        found: list[tuple[tuple[float, ...], Change]] = []
        for count in range(fewest, min(most_facts, len(tries)) + 1):
            for chosen in (
                each for some in combinations(tries, count) for each in product(*(tries[name] for name in some))
            ):
                changes = {fact.name: fact for fact in chosen}
                if (after := self.goes(changes)) is not None:
                    settings = tuple(
                        _setting(world, facts[each.name], each, domain, changes, self.goes) for each in chosen
                    )
                    rank = (sum(name in world.links.lasting for name in changes), *distance(facts, changes))
                    found.append((rank, world.change(decision, after, self.rule, settings)))
            if found:
                break
        changed = _nearest(found)
        return tuple(changed[:most_shown]), max(0, len(changed) - most_shown)

    def goes(self, changes: Mapping[str, Fact]) -> Decision | None:
        facts = self.world.supplied(self.decision)
        after = self.world.evaluated(changes, facts, self.decision.as_of, self.availability)
        return after if after is not None and set(self.services) <= set(went(after, self.rule)) else None


def _nearest(found: list[tuple[tuple[float, ...], Change]]) -> list[Change]:
    """In order, and of changes of the same facts the one that changes least."""
    kept: dict[tuple[str, ...], Change] = {}
    for _, change in sorted(found, key=lambda each: each[0]):
        kept.setdefault(tuple(setting.fact for setting in change.settings), change)
    return list(kept.values())


def _sent(world: World, decision: Decision, rule: str) -> tuple[str, ...]:
    """The services to which a rule sends her, on these facts, before the second stage."""
    found = []
    for index, refer in refers(world.rules[rule]):
        conditional = world.rules[rule].then[index].when is not None
        if not conditional or _is_true(world, decision, names.branch(rule, index)):
            found.append(world.band(decision.as_of).values.of(refer.service))
    return tuple(dict.fromkeys(found))


def _is_true(world: World, decision: Decision, name: str) -> bool:
    named = world.band(decision.as_of).named[name]
    return named.cone.frame(world.supplied(decision), decision.as_of).truths[named.root.place] is True


def _step_facts(world: World, step: Step) -> frozenset[str]:
    found = world.supplied_of(step.when) if step.when is not None else frozenset[str]()
    return found | ({FACT_OPEN} if step.open else set()) | ({FACT_REFUSED} if step.refused else set())


def _active(world: World, step: Step, decision: Decision, rule: str) -> bool:
    """Whether a step can hold or move referrals of this rule, and its own condition is met."""
    if not any(isinstance(action, Hold | MoveTo) for action in step.actions):
        return False
    if not is_about(step, world.rules[rule]):
        return False
    if (step.open and not codes(decision.facts[FACT_OPEN])) or (
        step.refused and not codes(decision.facts[FACT_REFUSED])
    ):
        return False
    return step.when is None or _is_true(world, decision, names.step(step.id))


def _concerns(step: Step, decision: Decision, services: Sequence[str]) -> bool:
    """Whether a step is about one of these services."""
    if step.services is not None and step.services.isdisjoint(services):
        return False
    return not step.open or not codes(decision.facts[FACT_OPEN]).isdisjoint(services)


def _domain(world: World, decision: Decision, steps: Sequence[Step]) -> Domain:
    """What the steps' own conditions look at."""
    band = world.band(decision.as_of)
    roots = [band.named[names.step(step.id)].root for step in steps if step.when is not None]
    return world.domain(Cone(band.tracer, roots), world.supplied(decision), decision.as_of)


def _tries(facts: Mapping[str, Fact], domain: Domain) -> dict[str, list[Fact]]:
    """What could be different: the facts of those conditions, open services and refusals.

    What is known stays known: a step that does not apply for want of a fact is no answer.
    """
    tries = {name: list(_fewer(facts[name])) for name in (FACT_OPEN, FACT_REFUSED) if name in facts}
    for name in domain.names:
        was_known = facts[name].state is State.KNOWN
        tries[name] = [fact for fact in domain.tries(name) if fact.state is State.KNOWN or not was_known]
    return {name: found for name, found in tries.items() if found}


def _setting(
    world: World,
    was: Fact,
    now: Fact,
    domain: Domain,
    changes: Mapping[str, Fact],
    goes: Callable[[Mapping[str, Fact]], Decision | None],
) -> Setting:
    kind = world.content.facts[now.name].type
    cells = domain.cells(now.name, changes) if kind in ("integer", "number") else []
    return widened(was, now, kind, cells, lambda fact: goes({**changes, now.name: fact}) is not None)


def _fewer(fact: Fact) -> Iterator[Fact]:
    """The fact with one code less, then with two less, and with none."""
    present = codes(fact)
    for count in range(1, min(2, len(present) - 1) + 1):
        for out in combinations(sorted(present), count):
            yield fact._replace(value=present - frozenset(out))
    if present:
        yield fact._replace(value=frozenset())
