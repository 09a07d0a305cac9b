"""What changes for a person, in the words of the table and of the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapter.referrals.table import soon
from adapter.referrals.terms import display
from adapter.referrals.words import day
from adapter.simulate.compare import ItemChange, Kind, Reason, Referral, ReferralChange
from adapter.simulate.report import Person, Simulation

KINDS = {
    Kind.LOST: "No longer referred",
    Kind.LATER: "Later",
    Kind.ELSEWHERE: "Elsewhere",
    Kind.SOONER: "Sooner",
    Kind.NEW: "Newly referred",
}
FAILED = "Not decided"
OTHER = "No referral differs"
SAFETY = "SAFETY RULE"
NO_DIFFERENCE = "Nothing differs for anybody."


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that changes: ``kind`` is a word of the filters, ``style`` a priority or ""."""

    kind: str
    what: str
    before: str
    after: str
    style: str = ""
    alarm: bool = False
    services: tuple[str, ...] = ()


def rows(person: Person, simulation: Simulation) -> Iterator[Row]:
    """What changes for a person: failures, referrals, tasks and flags, those of safety rules first."""
    compared = person.compared
    if compared.failed:
        sides = (("A", compared.failed_a), ("B", compared.failed_b))
        where = " and ".join(name for name, failure in sides if failure)
        before = FAILED.lower() if compared.failed_a else _referrals(compared.a, simulation)
        after = FAILED.lower() if compared.failed_b else _referrals(compared.b, simulation)
        yield Row(FAILED, f"{FAILED} on {where}", before, after, alarm=compared.alarm)
        return
    found = [_referral_row(change, simulation) for change in compared.referrals]
    found += [_item_row(item, simulation) for item in compared.items]
    yield from sorted(found, key=lambda row: not row.alarm)
    if not compared.referrals and not compared.items:
        yield Row(OTHER, OTHER, "", "", alarm=compared.alarm)


def _referrals(found: tuple[tuple[str, str], ...], simulation: Simulation) -> str:
    return "; ".join(f"{simulation.label(service)}, {soon(priority)}" for service, priority in found)


def _referral_row(change: ReferralChange, simulation: Simulation) -> Row:
    services = tuple(dict.fromkeys(each.service for each in (change.a, change.b) if each))
    what = f"{KINDS[change.kind]}: {' → '.join(map(simulation.label, services))}"
    leading = change.b or change.a
    style = leading.priority if leading else ""
    return Row(KINDS[change.kind], what, _when(change.a), _when(change.b), style, change.alarm, services)


def _when(referral: Referral | None) -> str:
    if referral is None:
        return ""
    return f"{soon(referral.priority)} by {day(referral.end)}"


def _item_row(item: ItemChange, simulation: Simulation) -> Row:
    words = {Kind.LOST: "no longer", Kind.NEW: "new", Kind.SOONER: "sooner", Kind.LATER: "later"}
    if item.kind == "flag":
        kind, name = f"Alert {words[item.change]}", display("perinatal-flag", item.code)
        before, after = ("raised", "") if item.change is Kind.LOST else ("", "raised")
    else:
        kind, name = f"To do {words[item.change]}", display("perinatal-task", item.code)
        name += f" ({simulation.label(item.service)})" if item.service else ""
        before, after = soon(item.a), soon(item.b)
    return Row(kind, f"{kind}: {name}", before, after, alarm=item.alarm)


def told(reason: Reason, person: Person) -> Iterator[tuple[str, str]]:
    """The lines of a reason, each with the side it is about: ``A``, ``B``, or "" for both."""
    status = next((f": {each.a} → {each.b}" for each in person.compared.rules if each.rule == reason.rule), "")
    yield "", f"{reason.rule}{status}"
    yield from (("A", line) for line in reason.a)
    yield from (("B", line) for line in reason.b)
    yield from (("", line) for line in reason.packs)


def why(person: Person) -> Iterator[tuple[str, str]]:
    """Every reason of a person; of one who was not decided, what was said."""
    compared = person.compared
    if compared.failed_a and compared.failed_a == compared.failed_b:
        yield "", compared.failed_a
        return
    for side, failure in (("A", compared.failed_a), ("B", compared.failed_b)):
        if failure:
            yield side, failure
    for reason in compared.reasons:
        yield from told(reason, person)
