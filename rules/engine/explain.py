"""A rule's outcome in plain English: the conditions that decided it, with the facts and thresholds behind them."""

from __future__ import annotations

from collections.abc import Iterator

from rules.engine.model import DateSpan, DaySpan, Fact, Policy, RuleOutcome, State, Status, Trace

_TRUTHS = {True: "met", False: "not met", None: "unknown"}


def why(outcome: RuleOutcome) -> list[str]:
    """One sentence per condition that decided the outcome, in the order of the rule. No lineage."""
    sentences = [sentence(leaf) for leaf in deciding(outcome.trace)]
    if outcome.suppressed_by:
        sentences.append(f"Suppressed by: {', '.join(outcome.suppressed_by)}.")
    if outcome.status is Status.OUT_OF_DATE and not outcome.missing:
        sentences.append("The rule is not valid on this day.")
    elif outcome.status is Status.OUT_OF_DATE:
        sentences.append(f"It would fire if these were not too old to count: {', '.join(outcome.missing)}.")
    return list(dict.fromkeys(sentences))


def own_thresholds(outcome: RuleOutcome) -> tuple[Policy, ...]:
    """The thresholds on which an outcome rests that are a provider's own policy, each once."""
    leaves = (leaf for leaf in deciding(outcome.trace) if leaf.provider)
    found = (Policy(leaf.parameter, leaf.text, leaf.provider, leaf.since, outcome.rule) for leaf in leaves)
    return tuple(dict.fromkeys(found))


def deciding(node: Trace) -> Iterator[Trace]:
    """The leaves on which a truth rests: of an ``all`` that is false only its false parts, and so on."""
    if not node.children:
        yield node
    elif node.kind in ("all", "any"):
        for child in node.children:
            if child.truth is node.truth:
                yield from deciding(child)
    elif node.kind == "derived":
        yield node
        for child in node.children:
            yield from deciding(child)
    else:
        for child in node.children:
            yield from deciding(child)


def sentence(node: Trace) -> str:
    """A condition, whether it is met, what the record says, and the parameter behind its threshold."""
    parts = [f"{node.text}: {_TRUTHS[node.truth]}"]
    if node.kind == "compare" and node.fact is not None:
        parts.append(_evidence(node.fact))
    if node.parameter:
        own = f", {node.provider}" if node.provider else ""
        since = f", in force from {node.since}" if node.since else ""
        parts.append(f"threshold from parameter {node.parameter}{own}{since}")
    return "; ".join(parts) + "."


def _evidence(fact: Fact) -> str:
    if fact.state is State.KNOWN:
        on = f", recorded {fact.on}" if fact.on else ""
        return f"the record says {value_text(fact.value)}{on}"
    if fact.older is not None:
        on = f", recorded {fact.older_on}" if fact.older_on else ""
        return f"the record has only {value_text(fact.older)}{on}, too old to count"
    note = f" ({fact.note})" if fact.note else ""
    if fact.state is State.ABSENT:
        return f"nothing in the record, which counts as not met{note}"
    return f"not known{note}"


def value_text(value: object) -> str:
    """A fact's value: ``yes``, ``14``, ``between 2026-02-01 and 2026-02-03``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, DateSpan | DaySpan):
        return str(value.low) if value.low == value.high else f"between {value.low} and {value.high}"
    return ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)
