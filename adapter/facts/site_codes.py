"""A site's own codes, added to the code lists of a rule pack without touching it: a folder of ``NAME.csv``.

Each file adds to the pack's list of the same name. Columns: system, code, display and source (where the code was taken
from), and optionally match and role as in the pack's own lists. Everything is checked when the content is loaded.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from adapter.facts.codes import CodeLists, Concept, concept_of, wrong
from adapter.mapping.shapes import is_sctid, normal_icd10

NEEDED = ("system", "code", "display", "source")
COLUMNS = frozenset({*NEEDED, "mark", "match", "role"})
BESIDE = frozenset({".md", ".txt"})
"""A note beside the lists is no list."""


@dataclass(frozen=True, slots=True)
class SiteCodes:
    """lists: the concepts by the list they are added to. identity: changes when any row does; "" without any row."""

    lists: Mapping[str, tuple[Concept, ...]] = field(default_factory=dict)
    identity: str = ""


NO_SITE_CODES = SiteCodes()


def load_site_codes(folder: Path, pack: Path) -> SiteCodes:
    """Read and check a site's folder against the code lists in the folder ``pack``. Raises CannotStart."""
    if not folder.is_dir():
        raise wrong(f"{folder}: CODES_PATH names no folder")
    lists: dict[str, tuple[Concept, ...]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or (path.is_file() and path.suffix in BESIDE):
            continue
        if path.suffix != ".csv" or not path.is_file():
            raise wrong(f"{path}:1:1: a code list is a file NAME.csv")
        if not (pack / path.name).is_file():
            known = ", ".join(sorted(file.stem for file in pack.glob("*.csv")))
            raise wrong(f"{path}:1:1: the rule pack has no code list {path.stem!r}; it has {known}")
        lists[path.stem] = tuple(_rows(path, CodeLists(pack).get(path.stem)))
    said = repr([concept for concepts in lists.values() for concept in concepts])
    return SiteCodes(lists, f"codes.{sha256(said.encode()).hexdigest()[:12]}" if any(lists.values()) else "")


def _rows(path: Path, theirs: Sequence[Concept]) -> Iterator[Concept]:
    taken = {(concept.system, concept.code): "in the rule pack's list already" for concept in theirs}
    roles = {concept.roles for concept in theirs}
    for line, row in _read(path):
        place = f"{path}:{line}:1"
        for name in NEEDED:
            if not (row.get(name) or "").strip():
                raise wrong(f"{place}: {name} is empty")
        concept = concept_of(path.stem, row, place)
        _check_code(concept, row, place)
        if concept.roles not in roles:
            meant = " or ".join(sorted(repr(" ".join(role)) for role in roles))
            raise wrong(f"{place}: role is none that a code of this list has: {meant}")
        key = (concept.system, concept.code)
        if key in taken:
            raise wrong(f"{place}: the code is {taken[key]}: take this row out")
        taken[key] = f"on line {line} already"
        yield concept._replace(origin=f"the site's code list {path.name}, line {line}: {(row['source'] or '').strip()}")


def _read(path: Path) -> Iterator[tuple[int, Mapping[str, str | None]]]:
    """The rows with their lines. Raises CannotStart for a header or a row that is not one of a code list."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = [name.strip() for name in reader.fieldnames or ()]
            unknown = [name for name in header if name not in COLUMNS]
            missing = [name for name in NEEDED if name not in header]
            if unknown or missing or len(set(header)) != len(header):
                needed = ", ".join(NEEDED)
                raise wrong(f"{path}:1:1: the header has {needed}, each once, and may have mark, match, role")
            reader.fieldnames = header
            for row in reader:
                if None in row or None in row.values():
                    raise wrong(f"{path}:{reader.line_num}:1: the row has not as many fields as the header")
                yield reader.line_num, row
    except UnicodeDecodeError:
        raise wrong(f"{path}:1:1: the file is not UTF-8") from None
    except csv.Error as broken:
        raise wrong(f"{path}:1:1: the file is not CSV: {broken}") from None


def _check_code(concept: Concept, row: Mapping[str, str | None], place: str) -> None:
    if concept.system == "sct" and not is_sctid(concept.code):
        raise wrong(f"{place}: no SNOMED CT or dm+d code: digits, partition or check digit are wrong")
    if concept.system == "icd10" and normal_icd10((row["code"] or "").strip()) is None:
        raise wrong(f"{place}: no ICD-10 code")
    if (row.get("match") or "").strip() not in ("", "prefix") or (concept.prefix and concept.system != "icd10"):
        raise wrong(f"{place}: match is empty, or for ICD-10 'prefix'")
