"""Code maps: from a source's codes to codes with a system, kept as CSV (or a FHIR ConceptMap) beside the mappings.

CSV: header ``source,target,display,system,equivalence,note`` (source and target are enough). Comment lines begin
with ``#``; ``# unmapped: keep|drop|error`` says what becomes of a code that has no row (default keep). A row with
source ``*`` gives the target for every code without a row of its own. A row with an empty target says that the code
is known and has no counterpart; its display then serves as text. In every such case the code is reported.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rules import ContentError

POLICIES = ("keep", "drop", "error")
_COLUMNS = frozenset(("source", "target", "display", "system", "equivalence", "note"))


@dataclass(frozen=True, slots=True)
class Target:
    """What a code becomes; ``code`` is "" when it has no counterpart."""

    code: str
    display: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class CodeMap:
    name: str
    targets: Mapping[str, Target]
    unmapped: str = "keep"
    otherwise: Target | None = None
    systems: frozenset[str] = field(default=frozenset())

    def __contains__(self, code: str) -> bool:
        return code in self.targets


def load_code_map(folder: Path, name: str) -> CodeMap:
    """The code map of this name in the folder: ``NAME.csv``, else ``NAME.json``. Raises ContentError."""
    as_csv, as_json = folder / f"{name}.csv", folder / f"{name}.json"
    if as_csv.is_file():
        return _from_csv(as_csv)
    if as_json.is_file():
        return _from_concept_map(as_json)
    raise ContentError(f"there is no code map {name}: make {as_csv.name} in {folder}", str(folder), 0, 0)


def _code_map(name: str, targets: dict[str, Target], policy: str) -> CodeMap:
    otherwise = targets.pop("*", None)
    systems = frozenset(t.system for t in targets.values() if t.system)
    return CodeMap(name, targets, policy, otherwise, systems)


def _from_csv(path: Path) -> CodeMap:
    policy, rows = "keep", []
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if not line.startswith("#"):
            rows.append((number, line))
        elif line[1:].strip().startswith("unmapped:"):
            policy = line.split(":", 1)[1].strip()
            if policy not in POLICIES:
                raise ContentError(f"unmapped is one of {', '.join(POLICIES)}", str(path), number, 1)
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
        targets[row["source"]] = Target(row["target"], row.get("display", ""), row.get("system", ""))
    return _code_map(path.stem, targets, policy)


def _from_concept_map(path: Path) -> CodeMap:
    try:
        concept_map = json.loads(path.read_text("utf-8-sig"))
        targets: dict[str, Target] = {}
        policy = "keep"
        for group in concept_map["group"]:
            mode = group.get("unmapped", {}).get("mode")
            if mode == "fixed":
                fallback = group["unmapped"]
                targets["*"] = Target(fallback["code"], fallback.get("display", ""), group.get("target", ""))
            for element in group["element"]:
                if element["code"] in targets:
                    raise ContentError("a code is given twice: one element per code", str(path), 1, 1)
                best = (element.get("target") or [{}])[0]
                targets[element["code"]] = Target(
                    best.get("code", ""), best.get("display", ""), group.get("target", "")
                )
    except json.JSONDecodeError as error:
        raise ContentError(f"this is not JSON: {error.msg}", str(path), error.lineno, error.colno) from None
    except (KeyError, TypeError, AttributeError):
        message = "this is not a ConceptMap with group.element.code and group.element.target.code"
        raise ContentError(message, str(path), 1, 1) from None
    return _code_map(path.stem, targets, policy)
