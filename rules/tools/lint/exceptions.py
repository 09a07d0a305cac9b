"""lint.yaml of a pack: findings that are meant, each with a reason and a source, and lists that exclude each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rules.engine.conditions import Place
from rules.engine.cursor import Cursor, sources
from rules.engine.model import Source
from rules.engine.schema_check import check
from rules.engine.yaml_file import load_yaml
from rules.tools.lint.catalogue import CATALOGUE
from rules.tools.lint.finding import Finding

UNUSED = "RL801"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Findings with this code about this rule, fact, parameter, step, ask or code list are meant.

    ``for_providers``: only a provider's own value needs it, so it may be unused.
    """

    code: str
    about: str
    reason: str
    sources: tuple[Source, ...]
    place: Place
    for_providers: bool = False

    def covers(self, finding: Finding) -> bool:
        return finding.code == self.code and self.about in finding.about


@dataclass(frozen=True, slots=True)
class Exceptions:
    allowed: tuple[Allowed, ...] = ()
    exclusive_lists: tuple[tuple[str, ...], ...] = ()

    def split(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[tuple[Finding, Allowed]]]:
        """The findings that remain, and those that are meant, each with the exception that says so."""
        remaining: list[Finding] = []
        meant: list[tuple[Finding, Allowed]] = []
        for finding in findings:
            by = next((each for each in self.allowed if each.covers(finding)), None)
            if by is None:
                remaining.append(finding)
            else:
                meant.append((finding, by))
        return remaining, meant

    def unused(self, meant: Iterable[tuple[Finding, Allowed]]) -> Iterator[Finding]:
        """Exceptions that nothing needed."""
        used = {by.place for _, by in meant}
        for each in self.allowed:
            if each.place not in used and not each.for_providers:
                message = f"nothing is found any more of {each.code} about {each.about}"
                yield Finding(UNUSED, each.place, message, (each.about,))


def load_exceptions(folder: Path) -> Exceptions:
    """The pack's lint.yaml, where it has one. Raises ContentError."""
    path = folder / "lint.yaml"
    if not path.exists():
        return Exceptions()
    document = load_yaml(path)
    check(document, "lint")
    top = Cursor.top(document)
    return Exceptions(
        tuple(_allowed(at) for at in top.each("allow")),
        tuple(tuple(_list(name, folder) for name in group.each()) for group in top.each("exclusive_lists")),
    )


def _allowed(at: Cursor) -> Allowed:
    code = at.data["code"]
    if code not in CATALOGUE or code == UNUSED:
        raise at["code"].error(f"{code} is no finding that can be allowed: see docs/rule-errors.md", code="RC064")
    return Allowed(code, at.data["about"], at.data["reason"], sources(at), at.place, at.get("for_providers", False))


def _list(at: Cursor, folder: Path) -> str:
    name: str = at.data
    if not (folder / "codes" / f"{name}.csv").is_file():
        raise at.error(f"no code list is called {name!r}: correct the name", code="RC064")
    return name
