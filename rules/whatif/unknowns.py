"""Missing facts in order of how much they would decide."""

from __future__ import annotations

from rules.engine.content import Rule
from rules.engine.model import Decision, Status, Truth
from rules.engine.proposals import RANK
from rules.whatif.model import Unknown
from rules.whatif.world import World, refers


def unknowns(world: World, decision: Decision) -> tuple[Unknown, ...]:
    """The missing facts of the undecided rules, the most telling first.

    Counted are the rules that a fact alone would settle: safety rules first, then by the highest priority of what a
    rule refers, last those that refer nobody. Of each kind it counts first how many some value would settle, then how
    many every value would. Where that is equal, the order of the pack's declarations counts.
    """
    undecided = [outcome for outcome in decision.outcomes if outcome.status is Status.UNKNOWN]
    some: dict[str, list[str]] = {name: [] for outcome in undecided for name in outcome.missing}
    surely: dict[str, list[str]] = {name: [] for name in some}
    for outcome in undecided:
        for name in outcome.missing:
            truths = _truths(world, decision, outcome.rule, name)
            if any(truth is not None for truth in truths):
                some[name].append(outcome.rule)
            if truths and None not in truths:
                surely[name].append(outcome.rule)
    order = {name: place for place, name in enumerate(world.content.facts)}
    made = [Unknown(name, tuple(some[name]), tuple(surely[name])) for name in some]
    return tuple(sorted(made, key=lambda each: (_weight(world, each), order[each.fact])))


def _truths(world: World, decision: Decision, rule: str, name: str) -> list[Truth]:
    """What a rule's criteria come to for each value that a missing fact could have."""
    band, facts = world.band(decision.as_of), world.supplied(decision)
    named = band.named[rule]
    cone, place = named.cone, named.root.place
    frame = cone.frame(facts, decision.as_of)
    if world.content.facts[name].derive is not None:
        known = band.tracer.derived(name).place
        return [cone.forced(frame, known, truth).truths[place] for truth in (True, False)]
    changes = (
        world.links.settled({name: fact}, facts) for fact in world.domain(cone, facts, decision.as_of).tries(name)
    )
    frames = [cone.changed(frame, change) for change in changes]
    return [
        each.truths[place]
        for each in frames
        if not any(each.truths[node.place] is True and frame.truths[node.place] is not True for node in named.never)
    ]


def _weight(world: World, unknown: Unknown) -> tuple[int, ...]:
    """For each kind of rule how many are settled, as numbers below zero: the least comes first."""
    counts = [0] * 2 * (len(RANK) + 2)
    for index, settled in enumerate((unknown.some, unknown.surely)):
        for rule in settled:
            counts[2 * _kind(world.rules[rule]) + index] -= 1
    return tuple(counts)


def _kind(rule: Rule) -> int:
    """0 for a safety rule, then from the highest priority that a rule refers at to the lowest, then the others."""
    if rule.safety:
        return 0
    return len(RANK) - max((RANK[refer.priority] for _, refer in refers(rule)), default=-1)
