"""Why: from a rule's status down its criteria, thresholds and facts to the FHIR element and the place in the source.

What comes out here holds the patient's data: it is for the screen of whoever may see the record, never for a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from textwrap import wrap
from typing import Any

from adapter.records import MappedBundle
from adapter.referrals.account import why_there
from adapter.referrals.explained import Explained
from adapter.referrals.grounds import deciding
from adapter.referrals.letter import letter, rule_letter, task_paragraph
from adapter.referrals.lineage import element, place
from adapter.referrals.routing import NOT_ROUTED, Routing
from adapter.referrals.turned import is_near, turned_json, unknown_sentences, unknowns_json, would_change
from adapter.referrals.words import TRUTHS, finding
from rules import OUTSIDE_WINDOW, Decision, Fact, ProposedTask, RuleOutcome, Source, Status, Trace

_wrapped = partial(wrap, width=120, break_on_hyphens=False)
NOWHERE = "nothing in the record"


def explain_json(
    decision: Decision,
    record: MappedBundle,
    patient: int,
    rule: str | None = None,
    known: Routing = NOT_ROUTED,
    told: Explained | None = None,
) -> list[dict[str, Any]]:
    """The contract's list of {patient, rule, status, missing, because}; every rule, or the one asked for.

    Where it is ``told`` what the decision turned on, each also has ``letter``, ``to_do``, ``would_change`` and
    ``would_decide``.

    ``patient`` is the entry of her Patient resource; the answer names her by her first identifier's value. Each
    sentence of ``because`` ends with its place in the source; the last ones name the policies of the provider that
    shaped the referral, and the team that ``known`` leads to. KeyError when the pack has no such rule.
    """
    name = patient_name(record, patient)
    return [
        {
            "patient": name,
            "rule": outcome.rule,
            "status": outcome.status.value,
            "missing": list(outcome.missing),
            "because": because(decision, record, outcome) + why_there(decision, outcome.rule, known),
            **(_told(told, outcome) if told else {}),
        }
        for outcome in _chosen(decision, rule)
    ]


def _told(told: Explained, outcome: RuleOutcome) -> dict[str, Any]:
    return {
        "letter": rule_letter(told, outcome),
        "to_do": [task_paragraph(told, task) for task in told.decision.tasks if outcome.rule in task.rules],
        "would_change": turned_json(told, outcome.rule),
        "would_decide": [each for each in unknowns_json(told) if each["fact"] in outcome.missing],
    }


def because(decision: Decision, record: MappedBundle, outcome: RuleOutcome) -> list[str]:
    """The reasons of a status as sentences: only what decided it, each once, each ending with its place."""
    pack = f"{decision.pack} {decision.version}"
    outside = OUTSIDE_WINDOW in outcome.suppressed_by
    sentences = [f"Outside the window of {outcome.rule} of {pack}"] if outside else []
    sentences += [f"Held back by {by}, a step of {pack}" for by in _steps(outcome)]
    if outcome.status is Status.ERROR:
        sentences.append(f"The rule could not be evaluated: {outcome.rule} of {pack}")
    elif outcome.status is Status.OUT_OF_DATE and not outcome.missing:
        sentences.append(f"The rule is not in force on {decision.as_of.isoformat()}: {outcome.rule} of {pack}")
    stale = frozenset(outcome.missing) if outcome.status is Status.OUT_OF_DATE else frozenset[str]()
    parts = outcome.trace.children if outside else (outcome.trace,)  # the window is not met, and all else is
    for leaf in (leaf for part in parts for leaf in deciding(part, stale)):
        places = _places(record, leaf.fact) if leaf.fact else []
        sentences.append(f"{_criterion(leaf)}, from {'; '.join(places) or NOWHERE}")
    return list(dict.fromkeys(sentences))


def explain_text(
    decision: Decision,
    record: MappedBundle,
    rule: str | None = None,
    known: Routing = NOT_ROUTED,
    told: Explained | None = None,
) -> str:
    """The same for reading: each rule's whole tree of criteria, or that of the one asked for.

    Without ``rule``, the rules that ask for nothing are named in one line at the end. Where it is ``told`` what the
    decision turned on, the letter and that come first. KeyError as above.
    """
    tasks = [task for task in decision.tasks if rule is None or rule in task.rules]
    asking = {name for task in tasks for name in task.rules}
    shown = [o for o in _chosen(decision, rule) if rule or o.status is not Status.NOT_FIRED or o.rule in asking]
    quiet = [o.rule for o in decision.outcomes if o not in shown] if rule is None else []
    lines = [f"{decision.pack} {decision.version}, {decision.provider}, as of {decision.as_of.isoformat()}"]
    if told:
        near = [o for o in _chosen(decision, rule) if o not in shown and is_near(told, o.rule)]
        lines += ["", *_summary(told, [*shown, *near], tasks)]
    for outcome in shown:
        lines += ["", *_rule_lines(record, outcome)]
        lines += [f"  Referral: {said}" for said in why_there(decision, outcome.rule, known)]
    if quiet:
        lines += ["", f"Not fired: {', '.join(quiet)}"]
    return "\n".join(lines) + "\n"


def _summary(told: Explained, shown: list[RuleOutcome], tasks: list[ProposedTask]) -> Iterator[str]:
    """The letter, what is not known, and what each rule turned on."""
    for paragraph in letter(told, shown, tasks):
        yield from (*_wrapped(paragraph), "")
    if unknown := unknown_sentences(told):
        yield "Not known, in order of how much it would decide:"
        for sentence in unknown:
            yield from _wrapped(sentence, initial_indent="  ", subsequent_indent="     ")
        yield ""
    changes = [(outcome, would_change(told, outcome.rule)) for outcome in shown]
    if any(sentences for _, sentences in changes):
        yield "What it turned on (to understand the decision, not to alter a record):"
    for outcome, sentences in changes:
        if sentences:
            yield f"  {outcome.title} ({outcome.rule})"
            for sentence in sentences:
                yield from _wrapped(sentence, initial_indent="    - ", subsequent_indent="      ")
    yield from ("", "Why, down to the record:")


def patient_name(record: MappedBundle, patient: int) -> str:
    """The value of the patient's first identifier, or else the resource's id or full URL."""
    entry = record.bundle["entry"][patient]
    for identifier in entry["resource"].get("identifier", ()):
        if "value" in identifier:
            return str(identifier["value"])
    return str(entry["resource"].get("id") or entry.get("fullUrl", ""))


def _chosen(decision: Decision, rule: str | None) -> Iterable[RuleOutcome]:
    return decision.outcomes if rule is None else (decision.outcome(rule),)


def _criterion(trace: Trace) -> str:
    """One condition: its words, what it came to, the value found, the parameter that set the threshold and its date."""
    said = f"{trace.text}: {TRUTHS[trace.truth]}"
    if trace.fact is not None:
        said += f", {finding(trace.fact)}"
    if not trace.parameter:
        return said
    own = f", {trace.provider}" if trace.provider else ""
    force = f", in force from {trace.since.isoformat()}" if trace.since else ""
    return f"{said} (threshold {trace.parameter}{own}{force})"


def _places(record: MappedBundle, fact: Fact) -> list[str]:
    return [
        f"{element(record, evidence)} at {place(record, evidence)}"
        + (f" (by {evidence.listed})" if evidence.listed else "")
        for evidence in fact.evidence
    ]


def _rule_lines(record: MappedBundle, outcome: RuleOutcome) -> Iterator[str]:
    safety = " (safety rule)" if outcome.safety else ""
    yield f"{outcome.rule}: {outcome.status.value}{safety}"
    yield f"  {outcome.title}"
    for source in outcome.sources:
        yield f"  Source: {_citation(source)}"
    if OUTSIDE_WINDOW in outcome.suppressed_by:
        yield "  Met, but outside its window"
    if steps := _steps(outcome):
        yield f"  Held back by: {', '.join(steps)}"
    if outcome.missing:
        yield f"  Missing: {', '.join(outcome.missing)}"
    yield from _tree(record, outcome.trace, 1)


def _steps(outcome: RuleOutcome) -> list[str]:
    """The steps of the second stage that held what a rule refers."""
    return [by for by in outcome.suppressed_by if by != OUTSIDE_WINDOW]


def _tree(record: MappedBundle, trace: Trace, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if trace.children:
        yield f"{indent}{trace.text or trace.kind}: {TRUTHS[trace.truth]}"
        for child in trace.children:
            yield from _tree(record, child, depth + 1)
        return
    yield f"{indent}{_criterion(trace)}"
    if trace.fact is not None:
        for line in _places(record, trace.fact):
            yield f"{indent}  {line}"


def _citation(source: Source) -> str:
    parts = [source.document, source.section, source.version, source.says]
    cited = ", ".join(part for part in parts if part)
    return f"{cited} [{source.confidence}]" if source.confidence else cited
