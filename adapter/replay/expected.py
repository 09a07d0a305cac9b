"""Reads ``expected.yaml``: what a clinician expects of a recorded patient, in the words of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from adapter.errors import CannotStart
from adapter.records import Issue
from rules import PRIORITIES, Document, Status, load_yaml

FILE = "expected.yaml"
DEFAULT_PROVIDER = "england-default"
Place = tuple[str | int, ...]

STATUS_KEYS = {
    "fired": Status.FIRED,
    "unknown": Status.UNKNOWN,
    "suppressed": Status.SUPPRESSED,
    "out_of_date": Status.OUT_OF_DATE,
}
MUST_NOT_KEYS = ("referrals", "fired", "tasks", "flags", "issues")
_TOP_KEYS = ("title", "about", "from", "as_of", "provider", "inputs", "expect")
_PERSON_KEYS = ("referrals", *STATUS_KEYS, "tasks", "flags", "issues", "must_not")
_EXPECT_KEYS = ("results", "refused", "patients", *_PERSON_KEYS)


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral as expected; ``by`` is the last day of its timeframe, None where the fixture leaves it open."""

    priority: str
    by: date | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """What is expected of one person.

    Exactly these referrals, rule statuses (every other rule is ``not-fired``), tasks and flags; at least these issues.
    ``tasks`` maps a code to its priority, "" where the fixture leaves it open.
    """

    referrals: Mapping[str, Referral]
    statuses: Mapping[str, Status]
    tasks: Mapping[str, str]
    flags: frozenset[str]
    issues: frozenset[str]
    must_not: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Expected:
    """One fixture. ``everyone`` is what is expected of each result, unless ``patients`` says it per identifier."""

    folder: Path
    title: str
    about: str
    source: str
    as_of: date
    provider: str
    inputs: tuple[tuple[str, ...], ...]
    results: int
    refused: int
    everyone: Person
    patients: Mapping[str, Person]

    @property
    def name(self) -> str:
        return self.folder.name


def find_fixtures(folder: Path) -> list[Path]:
    """The folders that hold an ``expected.yaml``, at or below ``folder``, in order of name.

    Raises CannotStart where there is none.
    """
    found = sorted(path.parent for path in folder.rglob(FILE))
    if not found:
        raise CannotStart(Issue("fatal", "not-found", f"no {FILE} here or below", place=str(folder)))
    return found


def read_expected(folder: Path) -> Expected:
    """Read the fixture in ``folder``; raises ContentError (file:line:column) for what it does not understand."""
    return _Reader(load_yaml(folder / FILE)).fixture(folder)


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document

    def fixture(self, folder: Path) -> Expected:
        top = self._mapping(self._document.data, (), _TOP_KEYS)
        for key in ("title", "from", "as_of", "inputs", "expect"):
            if key not in top:
                raise self._document.error((), f"{key} is missing")
        expect = self._mapping(top["expect"], ("expect",), _EXPECT_KEYS)
        patients = self._patients(expect)
        return Expected(
            folder=folder,
            title=self._text(top["title"], ("title",)),
            about=self._text(top.get("about", ""), ("about",)),
            source=self._text(top["from"], ("from",)),
            as_of=self._date(top["as_of"], ("as_of",)),
            provider=self._text(top.get("provider", DEFAULT_PROVIDER), ("provider",)),
            inputs=self._inputs(top["inputs"], folder),
            results=self._count(expect, "results", max(1, len(patients))),
            refused=self._count(expect, "refused", 0),
            everyone=self._person(expect, ("expect",)),
            patients=patients,
        )

    def _patients(self, expect: Mapping[str, Any]) -> dict[str, Person]:
        place: Place = ("expect", "patients")
        people = self._mapping(expect.get("patients", {}), place)
        if people and (both := [key for key in _PERSON_KEYS if key in expect and key != "issues"]):
            raise self._document.error(("expect", both[0]), f"{both[0]} stands beside patients: say it per patient")
        return {
            name: self._person(self._mapping(value, (*place, name), _PERSON_KEYS), (*place, name))
            for name, value in people.items()
        }

    def _person(self, data: Mapping[str, Any], place: Place) -> Person:
        must_not = self._mapping(data.get("must_not", {}), (*place, "must_not"), MUST_NOT_KEYS)
        return Person(
            referrals=self._referrals(data.get("referrals", {}), (*place, "referrals")),
            statuses=self._statuses(data, place),
            tasks=self._tasks(data.get("tasks", []), (*place, "tasks")),
            flags=self._codes(data.get("flags", []), (*place, "flags")),
            issues=self._codes(data.get("issues", []), (*place, "issues")),
            must_not={key: self._codes(value, (*place, "must_not", key)) for key, value in must_not.items()},
        )

    def _statuses(self, data: Mapping[str, Any], place: Place) -> dict[str, Status]:
        statuses: dict[str, Status] = {}
        for key, status in STATUS_KEYS.items():
            for rule in sorted(self._codes(data.get(key, []), (*place, key))):
                if rule in statuses:
                    raise self._document.error((*place, key), f"{rule} cannot be {key} and {statuses[rule]} at once")
                statuses[rule] = status
        return statuses

    def _referrals(self, data: object, place: Place) -> dict[str, Referral]:
        referrals = {}
        for service, value in self._mapping(data, place).items():
            here = (*place, service)
            if isinstance(value, str):
                referrals[service] = Referral(self._priority(value, here))
                continue
            entry = self._mapping(value, here, ("priority", "by"))
            by = self._date(entry["by"], (*here, "by")) if "by" in entry else None
            referrals[service] = Referral(self._priority(entry.get("priority"), here), by)
        return referrals

    def _tasks(self, data: object, place: Place) -> dict[str, str]:
        if isinstance(data, dict):
            return {code: self._priority(value, (*place, code)) for code, value in self._mapping(data, place).items()}
        return dict.fromkeys(sorted(self._codes(data, place)), "")

    def _inputs(self, data: object, folder: Path) -> tuple[tuple[str, ...], ...]:
        if not isinstance(data, list) or not data:
            raise self._document.error(("inputs",), "inputs is a list of the fixture's files and folders")
        inputs = []
        for index, given in enumerate(data):
            names = given if isinstance(given, list) and given else [given]
            for name in names:
                if not isinstance(name, str) or not (folder / name).exists():
                    raise self._document.error(("inputs", index), f"{name} is not in this folder")
            inputs.append(tuple(names))
        return tuple(inputs)

    def _mapping(self, data: object, place: Place, known: tuple[str, ...] = ()) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise self._document.error(place, "expected key: value pairs here")
        for key in data:
            if known and key not in known:
                raise self._document.error((*place, key), f"{key} is not a key here; known: {', '.join(known)}")
        return data

    def _codes(self, data: object, place: Place) -> frozenset[str]:
        if not isinstance(data, list) or not all(isinstance(code, str) for code in data):
            raise self._document.error(place, "expected a list of codes here")
        return frozenset(data)

    def _text(self, data: object, place: Place) -> str:
        if not isinstance(data, str):
            raise self._document.error(place, "expected text here")
        return data

    def _date(self, data: object, place: Place) -> date:
        try:
            return date.fromisoformat(self._text(data, place))
        except ValueError:
            raise self._document.error(place, "expected a date here, like 2026-03-02") from None

    def _priority(self, data: object, place: Place) -> str:
        if data not in PRIORITIES:
            raise self._document.error(place, f"expected a priority here, one of {', '.join(PRIORITIES)}")
        return str(data)

    def _count(self, data: Mapping[str, Any], key: str, default: int) -> int:
        value = data.get(key, default)
        if type(value) is not int or value < 0:
            raise self._document.error(("expect", key), "expected a whole number here")
        return value
