"""Code lists of a rule pack (``codes/NAME.csv``) and the one index in which codes of a record are looked up.

Columns: system, code, display, source, mark, and optionally match (``prefix``: ICD-10 families) and role
(what a code means inside its list; several are separated by spaces).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from adapter.errors import CannotStart
from adapter.records import Issue, Resource

SYSTEMS: Mapping[str, str] = {
    "http://snomed.info/sct": "sct",
    "https://dmd.nhs.uk": "sct",  # dm+d identifiers are SNOMED CT identifiers
    "http://dmd.nhs.uk": "sct",
    "http://loinc.org": "loinc",
    "http://hl7.org/fhir/sid/icd-10": "icd10",
    "http://hl7.org/fhir/sid/icd-10-uk": "icd10",
}
KEYS = {"sct": "sct", "dmd": "sct", "loinc": "loinc", "icd10": "icd10", "local": "local"}
LOCAL_SUFFIX = "/CodeSystem/perinatal-concept"
REMEMBERED = 20_000
"""So many looked-up codes are kept, to be found at once in the next record."""
NEGATIONS = frozenset({"not", "no", "non", "un", "never", "denies", "negative", "absent", "without"})

_TAG = re.compile(r"\s*\([a-z/ ]+\)\s*\Z")
_WORD = re.compile(r"[a-z0-9]+")


class Concept(NamedTuple):
    """One row of a code list. ``origin`` says where one that is not the pack's own comes from."""

    list: str
    system: str
    code: str
    display: str
    roles: tuple[str, ...] = ()
    prefix: bool = False
    origin: str = ""


NO_SYSTEM = Concept("", "", "", "")
"""What a coding without a system is, whose code is one of a list: it does not count, and it is reported."""


class CodeLists:
    """The code lists in a folder, read when asked for, each with what is ``added`` to it.

    Raises CannotStart for a list that is missing or wrong.
    """

    def __init__(self, folder: Path, added: Mapping[str, tuple[Concept, ...]] = MappingProxyType({})) -> None:
        self._folder, self._added = folder, added
        self._lists: dict[str, tuple[Concept, ...]] = {}

    def get(self, name: str) -> tuple[Concept, ...]:
        """The concepts of ``codes/NAME.csv``, in the file's order, then those that are added."""
        if name not in self._lists:
            self._lists[name] = (*self._read(name), *self._added.get(name, ()))
        return self._lists[name]

    def all(self) -> tuple[Concept, ...]:
        """Every concept of every list asked for so far."""
        return tuple(concept for concepts in self._lists.values() for concept in concepts)

    def _read(self, name: str) -> tuple[Concept, ...]:
        path = self._folder / f"{name}.csv"
        if not path.is_file():
            raise wrong(f"{path.name}: there is no such code list")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(
                concept_of(name, row, f"{path.name}:{line}:1") for line, row in enumerate(csv.DictReader(file), start=2)
            )


def concept_of(name: str, row: Mapping[str, str | None], place: str) -> Concept:
    """The concept of one row of the list ``name``. Raises CannotStart."""
    system, code = KEYS.get((row.get("system") or "").strip(), ""), (row.get("code") or "").strip()
    if not system or not code:
        raise wrong(f"{place}: system is one of {', '.join(KEYS)}, and there is a code")
    roles = tuple((row.get("role") or "").split())
    prefix = (row.get("match") or "").strip() == "prefix"
    return Concept(name, system, _plain(system, code), (row.get("display") or "").strip(), roles, prefix)


def wrong(message: str) -> CannotStart:
    """A code list that cannot be used; the message begins with its place."""
    return CannotStart(Issue("fatal", "exception", message, "", "codes"))


def _plain(system: str, code: str) -> str:
    """ICD-10 comes with or without its dot, and is padded with X in the United Kingdom: F53.1 is F531, F28X is F28."""
    return code.upper().replace(".", "").rstrip("X") if system == "icd10" else code


class CodeIndex:
    """(system, code) of a coding → the concepts it is, in whatever list."""

    def __init__(self, concepts: Iterable[Concept], base: str) -> None:
        self._systems = {**SYSTEMS, f"{base}{LOCAL_SUFFIX}": "local"}
        self._exact: dict[tuple[str, str], tuple[Concept, ...]] = {}
        self._prefix: dict[str, tuple[Concept, ...]] = {}
        self._labels: dict[str, list[Concept]] = {}
        self._codes: set[str] = set()
        self._found: dict[tuple[object, object], tuple[Concept, ...]] = {}
        self.idle: set[object] = set()
        """Codes met so far that no list has, in whatever system: most of a record, and not worth a call of ``find``."""
        for concept in concepts:
            key = (concept.system, concept.code)
            self._exact[key] = (*self._exact.get(key, ()), concept)
            if concept.prefix:
                self._prefix[concept.code] = (*self._prefix.get(concept.code, ()), concept)
            self._codes.add(concept.code)
            self._labels.setdefault(plain_label(concept.display), []).append(concept)

    def find(self, coding: Resource) -> tuple[Concept, ...]:
        """The concepts of one coding; () for a code that no list has, NO_SYSTEM for one that lacks its system.

        Its display never counts.
        """
        written = (coding.get("system"), coding.get("code"))
        found = self._found.get(written)
        if found is None:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
                self.idle.clear()
            found = self._found[written] = self._look_up(*written)
            if not found and not self._listed(written[1]):
                self.idle.add(written[1])
        return found

    def reads(self, system: object) -> bool:
        """Whether codes of a system can be in a list at all."""
        return system in self._systems or (isinstance(system, str) and system.endswith(LOCAL_SUFFIX))

    def _listed(self, code: object) -> bool:
        """Whether any list has the code, in whatever system."""
        return isinstance(code, str) and (code in self._codes or bool(self._family(_plain("icd10", code))))

    def _look_up(self, system: object, code: object) -> tuple[Concept, ...]:
        if not isinstance(code, str):
            return ()
        if not isinstance(system, str):
            return (NO_SYSTEM,) if self._listed(code) else ()
        key = self._systems.get(system)
        if key == "icd10":
            return self._family(_plain(key, code))
        if key is None and system.endswith(LOCAL_SUFFIX):  # a record from before the base was set
            key = "local"
        return self._exact.get((key or system, code), ())

    def _family(self, code: str) -> tuple[Concept, ...]:
        found = list(self._exact.get(("icd10", code), ()))
        for end in range(len(code) - 1, 2, -1):
            found.extend(self._prefix.get(code[:end], ()))
        return tuple(found)

    def contradicts(self, concept: Concept, coding: Resource) -> bool:
        """Whether the display of a coding clearly says the opposite of its code.

        It does where it is the label of a concept with another role in the same list, or where it says what the
        code says with a negation more or less ("Not pregnant" beside the code for pregnant).
        """
        display = coding.get("display")
        if not isinstance(display, str) or display == concept.display:
            return False
        said = plain_label(display)
        if said == plain_label(concept.display):
            return False
        for other in self._labels.get(said, ()):
            if other.list == concept.list and other.roles != concept.roles:
                return True
        return not concept.prefix and _negates(concept.display, display)


@lru_cache(maxsize=2048)
def plain_label(display: str) -> str:
    """A label to compare: case folded, without the tag "(finding)"."""
    return _TAG.sub("", display.casefold())


@lru_cache(maxsize=2048)
def _negates(label: str, display: str) -> bool:
    says, negated = _words(label, frozenset())
    shown, shown_negated = _words(display, says)
    return negated != shown_negated and says <= shown and bool(says)


def _words(text: str, known: frozenset[str]) -> tuple[frozenset[str], bool]:
    """The words without negations, and whether there was one; "nonpregnant" negates the known word "pregnant"."""
    words, negated = set(), False
    for word in _WORD.findall(plain_label(text)):
        if word in NEGATIONS:
            negated = True
            continue
        for start in ("non", "un"):
            if word.startswith(start) and word[len(start) :] in known:
                word, negated = word[len(start) :], not negated
        words.add(word)
    return frozenset(words), negated
