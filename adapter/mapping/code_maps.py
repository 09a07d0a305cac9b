"""Code maps: from a source's codes to codes with a system, kept as CSV (or a FHIR ConceptMap) beside the mappings.

CSV: header ``source,target,display,system,equivalence,note`` (source and target are enough). Comment lines begin
with ``#``; ``# unmapped: keep|drop|error`` says what becomes of a code that has no row (default keep), ``# version:``
which version of the map this is, and ``# extends: NAME`` that the rows of another map count where this one has none.
A row with source ``*`` gives the target for every code without a row of its own. A row with an empty target says that
the code is known and has no counterpart; its display then serves as text. In every such case the code is reported.

``equivalence`` is of FHIR's ConceptMapEquivalence: a code whose counterpart is ``unmatched`` or ``disjoint`` has none;
the use of one that is ``narrower``, ``specializes`` or ``inexact`` says more than the source did and is reported.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rules import ContentError

EQUIVALENCES = frozenset(
    "relatedto equivalent equal wider subsumes narrower specializes inexact unmatched disjoint".split()  # noqa: SIM905
)
NO_COUNTERPART = frozenset(("unmatched", "disjoint"))
SAYS_MORE = frozenset(("narrower", "specializes", "inexact"))
_BEST_FIRST = ("equal", "equivalent", "", "relatedto", "wider", "subsumes", "inexact", "narrower", "specializes")
POLICIES = ("keep", "drop", "error")
_COLUMNS = frozenset(("source", "target", "display", "system", "equivalence", "note"))


@dataclass(frozen=True, slots=True)
class Target:
    """What a code becomes; ``code`` is "" when it has no counterpart."""

    code: str
    display: str = ""
    system: str = ""
    equivalence: str = ""  # of FHIR's ConceptMapEquivalence; "": not said


@dataclass(frozen=True, slots=True)
class CodeMap:
    name: str
    targets: Mapping[str, Target]
    unmapped: str = "keep"
    otherwise: Target | None = None
    systems: frozenset[str] = field(default=frozenset())
    version: str = ""

    def __contains__(self, code: str) -> bool:
        return code in self.targets


def load_code_map(folder: Path, name: str) -> CodeMap:
    """The code map of this name in the folder: ``NAME.csv``, else ``NAME.json``. Raises ContentError."""
    return find_code_map((folder,), name)


def find_code_map(folders: Sequence[Path], name: str) -> CodeMap:
    """The code map of this name in the first of the folders that has it. Raises ContentError."""
    for index, folder in enumerate(folders):
        as_csv, as_json = folder / f"{name}.csv", folder / f"{name}.json"
        if as_csv.is_file():
            return _from_csv(as_csv, folders[index + 1 :])
        if as_json.is_file():
            return _from_concept_map(as_json)
    message = f"there is no code map {name}: make {name}.csv in {folders[0]}"
    raise ContentError(message, str(folders[0]), 0, 0)


def _code_map(name: str, targets: dict[str, Target], policy: str, version: str = "") -> CodeMap:
    otherwise = targets.pop("*", None)
    systems = frozenset(t.system for t in targets.values() if t.system)
    return CodeMap(name, targets, policy, otherwise, systems, version)


def _target(code: str, display: str, system: str, equivalence: str, path: Path, line: int) -> Target:
    if equivalence and equivalence not in EQUIVALENCES:
        raise ContentError(f"equivalence is one of {', '.join(sorted(EQUIVALENCES))}", str(path), line, 1)
    return Target("" if equivalence in NO_COUNTERPART else code, display, system, equivalence)


def _from_csv(path: Path, others: Sequence[Path]) -> CodeMap:
    rows: list[tuple[int, str]] = []
    said: dict[str, str] = {}
    base: CodeMap | None = None
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if not line.startswith("#"):
            rows.append((number, line))
            continue
        key, colon, value = (part.strip() for part in line[1:].partition(":"))
        if not colon or key not in ("unmapped", "version", "extends"):
            continue
        said[key] = value
        if key == "unmapped" and value not in POLICIES:
            raise ContentError(f"unmapped is one of {', '.join(POLICIES)}", str(path), number, 1)
        if key == "extends":
            base = _base(path, value, others, number)
    header = [cell.strip() for cell in next(csv.reader([rows[0][1]]))] if rows else []
    if not {"source", "target"} <= set(header) <= _COLUMNS:
        message = "the header must name source and target, and of display, system, equivalence, note what is there"
        raise ContentError(message, str(path), rows[0][0] if rows else 1, 1)
    targets: dict[str, Target] = {}
    for number, line in rows[1:]:
        cells = next(csv.reader([line]), [])
        if not cells:
            continue
        if len(cells) != len(header):
            raise ContentError(f"{len(cells)} cells under {len(header)} columns", str(path), number, 1)
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        if not row["source"] or row["source"] in targets:
            raise ContentError("source is empty or given twice: one row per code", str(path), number, 1)
        found = (row["target"], row.get("display", ""), row.get("system", ""), row.get("equivalence", ""))
        targets[row["source"]] = _target(*found, path, number)
    if base is not None:
        targets = {**base.targets, **({"*": base.otherwise} if base.otherwise else {}), **targets}
    policy = said.get("unmapped", base.unmapped if base else "keep")
    return _code_map(path.stem, targets, policy, said.get("version", ""))


def _base(path: Path, name: str, others: Sequence[Path], line: int) -> CodeMap:
    """The map that this one extends: beside it, or of the same name in the folders behind it."""
    folders = others if name == path.stem else (path.parent, *others)
    try:
        return find_code_map(folders or (path.parent / "base",), name)
    except ContentError as error:
        raise (
            error if error.line else ContentError(f"there is no code map {name} to extend", str(path), line, 1)
        ) from None


def _from_concept_map(path: Path) -> CodeMap:
    try:
        concept_map = json.loads(path.read_text("utf-8-sig"))
        targets: dict[str, Target] = {}
        for group in concept_map["group"]:
            mode = group.get("unmapped", {}).get("mode", "provided")
            if mode not in ("provided", "fixed"):
                raise ContentError(f"unmapped mode {mode} is not followed: give its codes here", str(path), 1, 1)
            if mode == "fixed":
                fallback = group["unmapped"]
                targets["*"] = Target(fallback["code"], fallback.get("display", ""), group.get("target", ""))
            for element in group["element"]:
                if element["code"] in targets:
                    raise ContentError("a code is given twice: one element per code", str(path), 1, 1)
                best = min(element.get("target") or [{}], key=_rank)
                found = (best.get("code", ""), best.get("display", ""), group.get("target", ""))
                targets[element["code"]] = _target(*found, best.get("equivalence", ""), path, 1)
    except json.JSONDecodeError as error:
        raise ContentError(f"this is not JSON: {error.msg}", str(path), error.lineno, error.colno) from None
    except (KeyError, TypeError, AttributeError):
        message = "this is not a ConceptMap with group.element.code and group.element.target.code"
        raise ContentError(message, str(path), 1, 1) from None
    return _code_map(path.stem, targets, "keep", str(concept_map.get("version", "")))


def _rank(target: Mapping[str, Any]) -> int:
    """The closest counterpart comes first."""
    equivalence = target.get("equivalence", "")
    return _BEST_FIRST.index(equivalence) if equivalence in _BEST_FIRST else len(_BEST_FIRST)
