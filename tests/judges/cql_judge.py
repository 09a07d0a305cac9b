"""The third judge: an exported library, translated by the reference translator and run by another engine of CQL.

``Case`` is what the engine saw of one person on one day and what it found; ``differences`` says where the judge, given
the same facts, finds something else.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rules import DateSpan, DaySpan, Fact, FactValue, State, Truth
from rules.tools.cql import CqlLibrary
from rules.tools.cql.terms import Elm

ADDED = {"annotation", "localId", "locator", "signature"}
FOLDER = Path(__file__).resolve().parent / "cql"


def lacking(module: str) -> str:
    """Why the judge cannot run here; "" where it can."""
    if shutil.which("node") is None:
        return "node is not installed: the CQL judge cannot run"
    if not (FOLDER / "node_modules" / module).is_dir():
        return "the CQL judge's modules are not installed: npm ci in tests/judges/cql"
    return ""


needs_cql_judge = pytest.mark.skipif(
    bool(lacking("cql-execution")), reason=lacking("cql-execution") or "the CQL judge is here"
)


@dataclass(frozen=True, slots=True)
class Case:
    """One evaluation. ``truths``: what the engine found for each of its named conditions."""

    name: str
    as_of: date
    facts: Mapping[str, Fact]
    truths: Mapping[str, Truth]


Question = tuple[CqlLibrary, Sequence[Case]]
Truths = Mapping[str, Truth]


def judge(questions: Sequence[Question]) -> list[list[Truths]]:
    """For each library and each of its cases the truth of every definition.

    Fails where the translator says anything, also a warning, against a text, or makes other ELM of it than the library
    has: so what is run is both.
    """
    asked = [
        {
            "cql": library.text,
            "elm": library.elm,
            "cases": [{"asOf": case.as_of.isoformat(), "facts": given(library, case.facts)} for case in cases],
        }
        for library, cases in questions
    ]
    done = subprocess.run(
        ["node", "judge.mjs"], cwd=FOLDER, input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads(done.stdout)
    assert [answer["errors"] for answer in answers] == [[]] * len(questions)
    for (library, _), answer in zip(questions, answers, strict=True):
        theirs, ours = _bare(answer["translated"])["library"], library.elm["library"]
        assert theirs["parameters"] == ours["parameters"]
        assert _by_name(theirs) == _by_name(ours)
    return [answer["truths"] for answer in answers]


def _by_name(elm: Elm) -> dict[str, Elm]:
    return {each["name"]: each for each in elm["statements"]["def"]}


def _bare(node: Any) -> Any:
    """Without what the translator adds for people: annotations, places and signatures."""
    if isinstance(node, dict):
        return {key: _bare(value) for key, value in node.items() if key not in ADDED}
    return [_bare(item) for item in node] if isinstance(node, list) else node


def differences(*questions: Question) -> list[str]:
    """Each condition of each case on which the judge and the engine differ, with the facts they were given."""
    return [
        f"{case.name}: {name}: the engine finds {truth}, the judge {found.get(name, 'nothing')}; "
        f"as of {case.as_of}, given {given(library, case.facts)}"
        for (library, cases), answers in zip(questions, judge(questions), strict=True)
        for case, found in zip(cases, answers, strict=True)
        for name, truth in case.truths.items()
        if name not in found or found[name] is not truth
    ]


def given(library: CqlLibrary, facts: Mapping[str, Fact]) -> dict[str, Any]:
    """The facts as parameters of the library, without those that it does not ask for or that are its defaults."""
    asked = {item.name: item.default for item in library.inputs}
    found = {name: value for fact in facts.values() for name, value in _parameters(fact)}
    return {name: value for name, value in found.items() if name in asked and value is not asked[name]}


def _parameters(fact: Fact) -> Iterator[tuple[str, Any]]:
    if fact.state is State.KNOWN:
        yield fact.name, _plain(fact.value)
    else:
        yield f"{fact.name}.absent", fact.state is State.ABSENT
    if fact.on is not None:
        yield f"{fact.name}.on", fact.on.isoformat()
    if fact.older is not None:
        yield f"{fact.name}.older", _plain(fact.older)
    if fact.older_on is not None:
        yield f"{fact.name}.older.on", fact.older_on.isoformat()


def _plain(value: FactValue | None) -> Any:
    match value:
        case DateSpan(low=low, high=high):
            return [low.isoformat(), high.isoformat()]
        case DaySpan(low=low, high=high):
            return [low, high]
        case frozenset():
            return sorted(value)
    return value
