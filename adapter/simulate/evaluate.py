"""The records of one input under both sides: read once, decided twice, with the reason for each difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import islice

from adapter.bootstrap import Adapter, NoSuchProvider
from adapter.errors import AdapterError, CannotStart
from adapter.fhir.outcome import errors_in
from adapter.pipeline import Result, evaluate_all
from adapter.records import Issue, MappedBundle
from adapter.simulate.cohort import Case
from adapter.simulate.compare import Compared, Judged, Reason, compare
from adapter.simulate.sides import adapters
from adapter.together import read_inputs
from rules import ContentError, RulesError, Service
from rules.tools import LoadedSide, PackDiff, Side, diff

_TELLS_NOTHING_NEW = frozenset({"when", "window", "title", "sources"})
"""Of a rule: what the traces tell better, or what changes no decision."""
_ELSEWHERE = ("provider", "second stage", "services", "pack")
"""What can change what a rule does, besides the rule."""
_CHANGES_NOTHING = frozenset({"name", "version", "title", "label", "sources", "valid"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What is compared, on which usual day, and the mapping of the inputs ("": told apart by what they hold)."""

    a: Side
    b: Side
    day: date
    mapping: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of the records of one input, in their order."""

    case: Case
    records: tuple[Compared, ...]


class Sides:
    """Both sides of a plan, loaded. Raises CannotStart where one of them cannot be."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.a, self.b = adapters(plan.a, plan.b)
        self.services: dict[str, Service] = {}
        self._diffs: dict[tuple[date, date, str], PackDiff] = {}
        for name, adapter, side in (("A", self.a, plan.a), ("B", self.b, plan.b)):
            try:
                self.services.update(adapter.content(side.provider).pack.services)
            except NoSuchProvider:
                raise _cannot(name, f"there is no provider {side.provider or adapter.settings.provider!r}") from None
            except CannotStart as wrong:
                raise _cannot(name, str(wrong)) from None
        try:
            self.diff()
        except ContentError as wrong:
            raise _cannot("", str(wrong)) from None

    def diff(self, case: Case | None = None) -> PackDiff:
        """What differs between the sides, on the days and for the providers of a case."""
        one, other = self.days(case)
        provider = case.provider if case else ""
        key = (one, other, provider)
        if key not in self._diffs:
            a = _loaded(self.a, self._plan.a, provider, one)
            self._diffs[key] = diff(a, _loaded(self.b, self._plan.b, provider, other))
        return self._diffs[key]

    def overall(self, cases: Sequence[Case]) -> tuple[PackDiff, bool]:
        """What differs between the sides over a cohort, and whether that holds for every record of it.

        It does where all have one day and one provider, which both sides have; else the usual ones are compared.
        """
        if len({(self.days(case), case.provider) for case in cases}) == 1:
            try:
                return self.diff(cases[0]), True
            except (ContentError, NoSuchProvider):
                pass  # each record says so
        return self.diff(), False

    def days(self, case: Case | None) -> tuple[date, date]:
        usual = (case.day if case else None) or self._plan.day
        return self._plan.a.day or usual, self._plan.b.day or usual

    def compare(self, case: Case) -> Iterator[Compared]:
        """Each record of a case under both sides. One that cannot be read or decided says so and stops no other."""
        one, other = self.days(case)
        place, count = case.share
        every = read_inputs(self.a, case.paths, self._plan.mapping)
        for name, record in islice(every, place, None, count):
            a = _judged(self.a, record, one, self._plan.a.provider or case.provider, name)
            b = _judged(self.b, record, other, self._plan.b.provider or case.provider, name)
            yield self._with_packs(compare(a, b), case)

    def _with_packs(self, compared: Compared, case: Case) -> Compared:
        """A rule that came out the same and does something else: then the packs differ in what it does."""
        if all(reason.a or reason.b for reason in compared.reasons):
            return compared
        try:
            found = self.diff(case)
        except ContentError:
            return compared
        told = [each if each.a or each.b else _by_packs(each, found) for each in compared.reasons]
        return replace(compared, reasons=tuple(each for each in told if each.a or each.b or each.packs))


def _by_packs(reason: Reason, found: PackDiff) -> Reason:
    change = found.of("rules", reason.rule)
    aspects = change.aspects if change else ()
    lines = [line for aspect in aspects if aspect.name not in _TELLS_NOTHING_NEW for line in aspect.lines()]
    return replace(reason, packs=tuple(lines or _elsewhere(found)))


def _elsewhere(found: PackDiff) -> Iterator[str]:
    """What differs between the packs outside of the rules: ``provider: does not offer; + GP practice (gp)``."""
    for each in found.changes:
        if each.section in _ELSEWHERE:
            name = each.section if each.id == each.section else f"{each.section}, {each.id}"
            for aspect in each.aspects:
                if aspect.name not in _CHANGES_NOTHING:
                    yield f"{name}: {'; '.join(line.strip() for line in aspect.lines())}"


def _loaded(adapter: Adapter, side: Side, provider: str, day: date) -> LoadedSide:
    content = adapter.content(side.provider or provider)
    return LoadedSide(side.text, content.pack.content, day, content.directory)


def _judged(adapter: Adapter, record: MappedBundle | AdapterError, day: date, provider: str, name: str) -> Judged:
    (result,) = evaluate_all(adapter, [record], day, provider, name)
    return Judged(result.decision, _failure(result))


def _failure(result: Result) -> str:
    return "; ".join(errors_in(result.outcome)) or "no decision" if result.outcome else ""


def _cannot(side: str, text: str) -> CannotStart:
    return CannotStart(Issue("fatal", "exception", text, "", side))


@lru_cache(maxsize=1)
def load_plan(plan: Plan) -> Sides:
    """The sides of a plan; loaded once in each process. Raises CannotStart."""
    return Sides(plan)


def compare_case(plan: Plan, case: Case) -> CaseResult:
    """One input under both sides. An input that cannot be evaluated at all is one failed record."""
    try:
        return CaseResult(case, tuple(load_plan(plan).compare(case)))
    except CannotStart as wrong:
        failure = str(wrong)
    except (OSError, RulesError) as wrong:
        failure = f"could not be evaluated: {type(wrong).__name__}"
    return CaseResult(case, (Compared(failed_a=failure, failed_b=failure),))
