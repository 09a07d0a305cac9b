"""One record being read: what was sighted in the one pass over it, and what is to be said about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Any, NamedTuple

from adapter.facts.codes import CodeIndex, Concept
from adapter.facts.dates import When
from adapter.facts.people import HERS, People
from adapter.fhir.references import Index
from adapter.records import Evidence, Issue, Resource
from rules import Fact, FactValue, State

PREGNANCY = "pregnancy"
"""The one code list that every pack has: its roles say what each code means for the pregnancy."""


_new_evidence = partial(tuple.__new__, Evidence)  # half of the time that the constructor takes


class Sighting(NamedTuple):
    """A coding of a code list, met in the record."""

    at: int  # the entry
    resource: Resource
    concept: Concept
    part: Resource  # what carries the value: the resource, or the component
    prefix: str  # path of that part inside the resource: "" or "component[2]."
    coding: str  # path of the coding
    conflict: bool  # the display says the opposite of the code
    owner: int = HERS

    @property
    def code(self) -> tuple[str, str]:
        """System and code as they are written in the record."""
        concept = self.part.get("code") or {}
        for coding in concept.get("coding", ()):
            if coding.get("code") == self.concept.code:
                return str(coding.get("system")), self.concept.code
        return "", self.concept.code

    def path(self, path: str) -> str:
        """The path inside the resource of an element of the part (default: the coding)."""
        return self.prefix + path if path else self.coding

    def evidence(self, path: str = "", when: When | None = None) -> Evidence:
        """The place of an element of the part (default: the coding), with the date that counted."""
        where, day = self.prefix + path if path else self.coding, "" if when is None else when.text
        return _new_evidence((self.at, where, day, self.concept.origin))


class Answer(NamedTuple):
    """One answered (or blank: value None) item of a QuestionnaireResponse."""

    value: int | None
    path: str


class Form(NamedTuple):
    """A completed QuestionnaireResponse to one of the known questionnaires."""

    at: int
    resource: Resource
    when: When | None
    answers: Mapping[str, Answer]  # by linkId


YOUNGEST_AGE = "parameters.maternal-score-youngest-age-years"
LONGEST_GESTATION = "parameters.longest-gestation-weeks"
OWN_PARAMETERS = (YOUNGEST_AGE, LONGEST_GESTATION)
"""The parameters that the reading of facts asks for itself; others are named by declarations."""


class Numbers(dict[object, int | None]):
    """The whole numbers of declarations at one as-of date: as written, or the value of ``parameters.NAME``."""

    def __init__(self, parameter: Callable[[str, date], Any], as_of: date) -> None:
        super().__init__()
        self._parameter, self._as_of = parameter, as_of

    def __missing__(self, written: object) -> int | None:
        value = written
        if isinstance(value, str) and value.startswith("parameters."):
            value = self._parameter(value.removeprefix("parameters."), self._as_of)
        self[written] = found = int(value) if isinstance(value, int | float) else None
        return found


class Reading:
    """The state of one pass; afterwards every fact is worked out from it."""

    __slots__ = (
        *("as_of", "cases", "entries", "find", "forms", "grown_up", "hers", "index"),
        *("issues", "mismatches", "numbers", "people", "refused", "results", "sightings"),
    )

    def __init__(self, as_of: date, find: Index, people: People, index: CodeIndex, numbers: Numbers) -> None:
        self.as_of, self.find, self.people, self.index, self.numbers = as_of, find, people, index, numbers
        self.entries = find.entries
        self.sightings: dict[str, list[Sighting]] = {}  # by code list
        self.forms: dict[str, list[Form]] = {}  # by questionnaire
        self.issues: list[Issue] = []
        self.hers: dict[str, list[int]] = {}  # resource type → entries that are hers, but for Observations
        self.cases: dict[str, Any] = {}  # by code list, the diagnoses that several facts share
        self.results: dict[str, Any] = {}  # by code list, the results that several facts share
        self.mismatches: list[Evidence] = []  # totals that are not the sum of their items
        self.refused = False
        self.grown_up: date | None = None  # the first day on which a maternal score can be hers

    def number(self, value: object) -> int | None:
        """A whole number of a declaration: as written, or the value of ``parameters.NAME`` at the as-of date."""
        return None if value is None else self.numbers[value]

    def issue(self, code: str, text: str, detail: str, index: int, path: str = "", severity: str = "warning") -> None:
        """Say something about an element; the same is said once."""
        found = Issue(severity, code, text, detail, place(self.entries, index, path))
        if found not in self.issues:
            self.issues.append(found)

    def without_system(self, index: int) -> None:
        """Say of a resource that it has a code that would count if it had its system."""
        self.issue("code-invalid", "a code without a system", "unmapped-code", index, severity="information")

    def coded(self, index: int, codings: Iterable[Resource], path: str) -> bool:
        """Whether there is a code; if not, it is said that something is in words only, which nobody guesses at."""
        for coding in codings:
            if "code" in coding:
                return True
        self.issue("not-supported", "text without a code is not read", "uncoded-text", index, path)
        return False

    def diagnosed(self, index: int, codings: Sequence[Resource]) -> None:
        """Say of a diagnosis without a code, or in no code system that is read, that no rule sees it."""
        for coding in codings:
            if "code" in coding and ("system" not in coding or self.index.reads(coding["system"])):
                return
        if self.coded(index, codings, "code"):
            text = "the diagnosis is in no code system that is read, so no rule sees it"
            self.issue("code-invalid", text, "unmapped-code", index, "code")

    def prescribed(self, index: int, codings: Sequence[Resource], path: str) -> None:
        """Say of a medicine that no list of the pack holds that it is so: a brand's code may be missing there."""
        if self.coded(index, codings, path) and not any(map(self.index.find, codings)):
            text = "the code is in no list that the rules use, so it counts as none of their medicines"
            self.issue("code-invalid", text, "unmapped-code", index, path, "information")

    def contradicted(self, concept: Concept, coding: Resource, index: int, path: str) -> bool:
        """Whether a coding's display says the opposite of its code; if so it is reported."""
        if not self.index.contradicts(concept, coding):
            return False
        self.issue("conflict", "the display says the opposite of the code", "code-display-conflict", index, path)
        return True

    def future(self, when: When, index: int) -> bool:
        """Whether a date lies after the as-of date; if so it is reported, and what it dates is not used."""
        if when.span.low <= self.as_of:
            return False
        self.issue("value", "the date lies after the day of evaluation", "implausible-date", index, when.path)
        return True

    def of_type(self, kind: str) -> Iterator[tuple[int, Resource]]:
        """Her resources of a type, with their entries."""
        for index in self.hers.get(kind, ()):
            yield index, self.entries[index]["resource"]


def place(entries: Sequence[Mapping[str, Any]], index: int, path: str = "") -> str:
    """FHIRPath of an element of an entry."""
    return f"Bundle.entry[{index}].resource" + (f".{path}" if path else "") if index < len(entries) else "Bundle"


KNOWN, ABSENT, UNKNOWN = State.KNOWN, State.ABSENT, State.UNKNOWN  # looking a member up is slow
_new_fact = partial(tuple.__new__, Fact)  # half of the time that the constructor takes


@lru_cache(maxsize=2048, typed=True)
def _bare(name: str, state: State, value: FactValue | None = None, note: str = "") -> Fact:
    """A fact without evidence, made once."""
    return Fact(name, state, value, note=note)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a fact's declaration says about its values; makes the fact in each state."""

    name: str
    type: str = "boolean"
    low: float | None = None
    high: float | None = None
    absent: State = ABSENT

    def known(
        self, value: FactValue, when: When | None = None, evidence: tuple[Evidence, ...] = (), note: str = ""
    ) -> Fact:
        if not evidence and when is None:
            return _bare(self.name, KNOWN, value, note)
        return _new_fact((self.name, KNOWN, value, when.day if when else None, evidence, note, None, None, None))

    def unknown(self, note: str, evidence: tuple[Evidence, ...] = (), ask: str | None = None) -> Fact:
        return Fact(self.name, UNKNOWN, evidence=evidence, note=note, ask=ask)

    def missing(self, note: str = "not-recorded") -> Fact:
        """Not in the record: what that means is declared."""
        return _bare(self.name, self.absent, None, note)

    def not_so(self, note: str = "", evidence: tuple[Evidence, ...] = ()) -> Fact:
        """Known not to be: quietly not met, whatever is declared of a fact that nobody knows."""
        return Fact(self.name, ABSENT, None, None, evidence, note) if evidence else _bare(self.name, ABSENT, None, note)

    def out_of_date(self, value: FactValue, when: When, evidence: tuple[Evidence, ...]) -> Fact:
        """Found, and too old to count."""
        return Fact(self.name, self.absent, evidence=evidence, note="out-of-date", older=value, older_on=when.span.high)

    def fits(self, value: float) -> bool:
        """Whether a value lies in the declared range."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


class Extractor(NamedTuple):
    """How one fact is worked out, and what must have been sighted for it to be more than missing."""

    name: str
    lists: frozenset[str]  # code lists
    questionnaires: frozenset[str]
    resolve: Callable[[Reading], Fact]
    default: Fact
