"""The words for local codes: concepts, tasks, flags and issues."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

from adapter.records import Resource


def _load() -> dict[tuple[str, str], str]:
    with Path(__file__).with_name("terms.csv").open(encoding="utf-8", newline="") as file:
        return {(row["kind"], row["code"]): row["display"] for row in csv.DictReader(file)}


_TERMS = _load()


@lru_cache(maxsize=1024)
def humanise(code: str) -> str:
    """A code as words: ``self-harm-risk`` → ``Self-harm risk``."""
    words = code.replace("self-harm", "self\0harm").replace("-", " ").replace("_", " ").replace("\0", "-")
    return words[:1].upper() + words[1:]


def display(kind: str, code: str) -> str:
    """The display of ``code`` in the local code system ``kind``; a code without one is put into words."""
    return _TERMS.get((kind, code)) or humanise(code)


def terms(kind: str) -> dict[str, str]:
    """The codes of the local code system ``kind``, each with its display."""
    return {code: words for (system, code), words in _TERMS.items() if system == kind}


def local_codes() -> dict[str, frozenset[str]]:
    """The codes of tasks and flags that have words, by kind (``task``, ``flag``)."""
    return {short: frozenset(terms(f"perinatal-{short}")) for short in ("task", "flag")}


@lru_cache(maxsize=1024)
def concept(base: str, kind: str, code: str) -> Resource:
    """A CodeableConcept of the local code system ``{base}/CodeSystem/{kind}``: shared, not to be changed in place."""
    words = display(kind, code)
    return {"coding": [{"system": f"{base}/CodeSystem/{kind}", "code": code, "display": words}], "text": words}


def reason(base: str, code: str) -> Resource:
    """A reason for referral: coded where the local system has the concept, in words where it has not."""
    if ("perinatal-concept", code) in _TERMS:
        return concept(base, "perinatal-concept", code)
    return {"text": humanise(code)}
