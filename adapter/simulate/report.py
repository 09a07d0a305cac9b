"""What a simulation found, over all records: counts, cases in order of weight, and all of it as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any

from adapter.parallel import INPUTS_WORTH_A_PROCESS, spread
from adapter.referrals.services import destination
from adapter.simulate.cohort import find_cases, shared
from adapter.simulate.compare import Compared, Kind, Referral
from adapter.simulate.evaluate import CaseResult, Plan, compare_case, load_plan
from rules import PRIORITIES
from rules.tools import PackDiff, side_json


@dataclass(frozen=True, slots=True)
class Person:
    """One record of the cohort: its name (the input, and its place there where there are several)."""

    name: str
    compared: Compared


@dataclass(frozen=True, slots=True)
class Count:
    """How many referrals go to a service at a priority on each side."""

    service: str
    priority: str
    a: int
    b: int

    @property
    def difference(self) -> int:
        return self.b - self.a


@dataclass(frozen=True, slots=True)
class Simulation:
    """Every record of a cohort under two sides. ``labels`` gives a service's words.

    ``alike``: on each side all records were decided for the same day and provider, those of ``packs``.
    """

    cohort: str
    packs: PackDiff
    alike: bool
    people: tuple[Person, ...]
    labels: Mapping[str, str]

    @property
    def titles(self) -> tuple[tuple[str, str], ...]:
        """The two sides in words."""
        several = "each record's own day and provider where the side names none"
        sides = (("A", self.packs.a), ("B", self.packs.b))
        return tuple((name, side.title if self.alike else f"{side.pack}; {several}") for name, side in sides)

    @property
    def changed(self) -> tuple[Person, ...]:
        """Those for whom something differs, the most grave first: safety rules, then by kind, then by name."""
        return tuple(sorted((each for each in self.people if each.compared.changed), key=_weight))

    @property
    def failed(self) -> tuple[Person, ...]:
        """Those without a decision on one side or on both."""
        return tuple(each for each in self.people if each.compared.failed)

    @property
    def alarms(self) -> tuple[Person, ...]:
        """Those for whom what a safety rule asks is lost or later on B, or not decided there."""
        return tuple(each for each in self.changed if each.compared.alarm)

    @property
    def counts(self) -> tuple[Count, ...]:
        """Referrals by service (in the order of their words) and priority (the highest first)."""
        a = Counter(one for each in self.people for one in each.compared.a)
        b = Counter(one for each in self.people for one in each.compared.b)
        keys = sorted({*a, *b}, key=lambda key: (self.label(key[0]), -PRIORITIES.index(key[1])))
        return tuple(Count(service, priority, a[service, priority], b[service, priority]) for service, priority in keys)

    @property
    def kinds(self) -> Mapping[Kind, int]:
        """How many referrals are lost, later, elsewhere, sooner and new."""
        found = Counter(change.kind for each in self.people for change in each.compared.referrals)
        return {kind: found[kind] for kind in Kind}

    @property
    def exit_code(self) -> int:
        """1 where a record failed, else 0."""
        return 1 if self.failed else 0

    @property
    def summary(self) -> str:
        """One line: how many records, for how many something changes, and what becomes of referrals."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items() if count) or "none differ"
        changed = len([each for each in self.changed if not each.compared.failed])
        failed = f", {len(self.failed)} not decided" if self.failed else ""
        records = f"{len(self.people)} record{'' if len(self.people) == 1 else 's'}"
        return f"{records}, {changed} changed{failed}; referrals: {kinds}"

    def label(self, service: str) -> str:
        return self.labels.get(service) or destination(service, None).label

    def json(self) -> dict[str, Any]:
        """Plain data; ``docs/schemas/rules-simulate.json`` says its form."""
        return {
            "cohort": self.cohort,
            "a": side_json(self.packs.a),
            "b": side_json(self.packs.b),
            "rules": [change.json() for change in self.packs.changes],
            "summary": {
                "records": len(self.people),
                "changed": len(self.changed),
                "failed": len(self.failed),
                "safety": len(self.alarms),
                "referrals": {kind.value: count for kind, count in self.kinds.items()},
            },
            "counts": [
                {**asdict(count), "label": self.label(count.service), "difference": count.difference}
                for count in self.counts
            ],
            "changes": [_person_json(each) for each in self.changed],
            "failed": [
                {"record": each.name, "a": each.compared.failed_a, "b": each.compared.failed_b} for each in self.failed
            ],
        }


def _weight(person: Person) -> tuple[bool, int, str]:
    compared = person.compared
    kinds = [tuple(Kind).index(change.kind) for change in compared.referrals]
    first = -1 if compared.failed else min(kinds, default=len(Kind))
    return (not compared.alarm, first, person.name)


def _person_json(person: Person) -> dict[str, Any]:
    compared = person.compared
    return {
        "record": person.name,
        "safety": compared.alarm,
        "referrals": [
            {
                "change": each.kind.value,
                "a": _referral_json(each.a),
                "b": _referral_json(each.b),
                "safety_rules": list(each.safety),
                "safety": each.alarm,
            }
            for each in compared.referrals
        ],
        "rules": [
            {"rule": each.rule, "a": each.a, "b": each.b, "safety_rule": each.safety, "safety": each.alarm}
            for each in compared.rules
        ],
        "items": [
            {
                "kind": each.kind,
                "change": each.change.value,
                "code": each.code,
                "service": each.service,
                "a": each.a,
                "b": each.b,
                "rules": list(each.rules),
                "safety": each.alarm,
            }
            for each in compared.items
        ],
        "reasons": [
            {"rule": each.rule, "a": list(each.a), "b": list(each.b), "packs": list(each.packs)}
            for each in compared.reasons
        ],
    }


def _referral_json(referral: Referral | None) -> dict[str, Any] | None:
    if referral is None:
        return None
    return {
        "service": referral.service,
        "priority": referral.priority,
        "start": referral.start.isoformat(),
        "end": referral.end.isoformat(),
        "rules": list(referral.rules),
    }


def simulate(folder: Path, plan: Plan, jobs: int = 1, inputs_per_process: int = INPUTS_WORTH_A_PROCESS) -> Simulation:
    """Decide about every record of a cohort under both sides of a plan, on at most ``jobs`` processes.

    Raises CannotStart where a side or the cohort cannot be read, ContentError for an ``expected.yaml`` that cannot.
    """
    sides = load_plan(plan)
    cases = find_cases(sides.a, folder, plan.mapping)
    shares = shared(cases, jobs)
    worth = inputs_per_process if len(shares) == len(cases) else 1
    results = _joined(spread(partial(compare_case, plan), shares, jobs, worth))
    labels = {key: destination(key, service).label for key, service in sides.services.items()}
    packs, alike = sides.overall(cases)
    return Simulation(folder.resolve().name, packs, alike, tuple(_people(results)), labels)


def _joined(results: Sequence[CaseResult]) -> list[CaseResult]:
    """One result for each case, with the records of its shares in their order."""
    cases: list[list[CaseResult]] = []
    for result in results:
        if result.case.share[0] == 0:
            cases.append([])
        cases[-1].append(result)
    return [CaseResult(shares[0].case, tuple(_in_turn(shares))) for shares in cases]


def _in_turn(shares: Sequence[CaseResult]) -> Iterator[Compared]:
    for turn in zip_longest(*(share.records for share in shares)):
        yield from (record for record in turn if record is not None)


def _people(results: Sequence[CaseResult]) -> list[Person]:
    """One person for each record. A fixture's inputs tell of the same people: what is the same in all counts once."""
    people: list[Person] = []
    for group, found in groupby(results, key=lambda result: result.case.group):
        several = list(found)
        alike = several[:1] if group and all(each.records == several[0].records for each in several) else several
        for result in alike:
            name = group if group and len(alike) == 1 else "/".join(filter(None, (group, result.case.name)))
            count = len(result.records)
            for place, compared in enumerate(result.records, 1):
                people.append(Person(name if count == 1 else f"{name}, record {place}", compared))
    return people
