"""The code lists of a pack: check digits, codes given twice, and codes in lists that exclude each other."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from rules.engine.check_digit import verhoeff_ok
from rules.engine.conditions import Place
from rules.engine.content import FactDeclaration
from rules.engine.errors import ContentError
from rules.tools.lint.finding import Finding

SNOMED, ICD10 = "sct", "icd10"


@dataclass(frozen=True, slots=True)
class Code:
    """One row; an ICD-10 ``prefix`` stands for all codes that begin with it."""

    list: str
    system: str
    code: str
    display: str
    role: str
    prefix: bool
    place: Place

    @property
    def plain(self) -> str:
        return self.code.replace(".", "") if self.system == ICD10 else self.code

    def meets(self, other: Code) -> bool:
        """Whether some code of a record is both."""
        if self.system != other.system:
            return False
        if self.plain == other.plain:
            return True
        return (self.prefix and other.plain.startswith(self.plain)) or (
            other.prefix and self.plain.startswith(other.plain)
        )


def read_code_lists(folder: Path) -> tuple[dict[str, tuple[Code, ...]], list[Finding]]:
    """Every ``codes/*.csv`` of a pack, and the rows that cannot be read. Raises ContentError for a file that cannot."""
    lists: dict[str, tuple[Code, ...]] = {}
    wrong: list[Finding] = []
    for path in sorted((folder / "codes").glob("*.csv")):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ContentError("the file cannot be read as UTF-8", str(path), 1, 1, code="RC002") from error
        found: list[Code] = []
        reader = csv.DictReader(text.splitlines())
        for row in reader:
            place = Place(str(path), reader.line_num, 1)
            system, code, display = ((row.get(key) or "").strip() for key in ("system", "code", "display"))
            if not (system and code and display):
                wrong.append(
                    Finding("RL605", place, f"a row without system, code or display in {path.name}", (path.stem,))
                )
                continue
            role, match = (row.get("role") or "").strip(), (row.get("match") or "").strip()
            found.append(Code(path.stem, system, code, display, role, match == "prefix", place))
        lists[path.stem] = tuple(found)
    return lists, wrong


def code_findings(
    folder: Path, declarations: Iterable[FactDeclaration], exclusive: Sequence[Sequence[str]]
) -> Iterator[Finding]:
    """Findings about the code lists; ``exclusive`` are lists no two of which may share a code."""
    lists, wrong = read_code_lists(folder)
    yield from wrong
    for codes in lists.values():
        for code in codes:
            if code.system == SNOMED and not (code.code.isascii() and code.code.isdigit() and verhoeff_ok(code.code)):
                message = f"{code.code} ({code.display}) is no SNOMED CT identifier: its check digit is wrong"
                yield Finding("RL601", code.place, message, (code.list,))
        yield from _twice(codes)
    for group in exclusive:
        for one, other in combinations([lists[name] for name in group if name in lists], 2):
            yield from _shared(one, other)
    named = {word for declaration in declarations for word in _words(declaration.source)}
    for name, codes in lists.items():
        if name not in named:
            place = Place(codes[0].place.file, 1, 1) if codes else Place(str(folder / "codes" / f"{name}.csv"), 1, 1)
            yield Finding("RL604", place, f"no fact comes from the code list {name}", (name,))


def _twice(codes: Sequence[Code]) -> Iterator[Finding]:
    seen: dict[tuple[str, str], Code] = {}
    for code in codes:
        first = seen.setdefault((code.system, code.plain), code)
        if first is code:
            continue
        if first.role != code.role:
            message = f"{code.code} means “{first.role}” in row {first.place.line} and “{code.role}” here"
            yield Finding("RL603", code.place, message, (code.list,))
        else:
            message = f"{code.code} ({code.display}) is in row {first.place.line} already"
            yield Finding("RL602", code.place, message, (code.list,))


def _shared(one: Sequence[Code], other: Sequence[Code]) -> Iterator[Finding]:
    for left in one:
        for right in other:
            if left.meets(right):
                message = f"{right.code} ({right.display}) is in {left.list} too, and the two lists exclude each other"
                yield Finding("RL603", right.place, message, (right.list, left.list))


def _words(source: Any) -> Iterator[str]:
    """Every word of a ``from``: whoever supplies facts names code lists there."""
    if isinstance(source, str):
        yield source
    elif isinstance(source, dict):
        for key, value in source.items():
            yield key
            yield from _words(value)
    elif isinstance(source, list):
        for value in source:
            yield from _words(value)
