"""Lints a pack: for every provider, on every day on which a threshold changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rules.engine.content import Content
from rules.engine.errors import RulesError
from rules.engine.loader import load_content
from rules.engine.pack import load_pack
from rules.engine.parameters import Bands
from rules.engine.rule_tests import RuleTest, load_rule_tests
from rules.tools.lint.exceptions import Allowed, Exceptions, load_exceptions
from rules.tools.lint.finding import Finding, Severity

if TYPE_CHECKING:
    from rules.tools.lint.solver import Solver


class SolverMissing(RulesError):
    """z3, with which the linter solves the rules, is not installed."""


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom and when something was found."""

    provider: str
    day: date


@dataclass(frozen=True, slots=True)
class LintReport:
    """What is wrong or doubtful in a pack, and what is so on purpose."""

    folder: Path
    scopes: tuple[Scope, ...]
    findings: tuple[Finding, ...]
    allowed: tuple[tuple[Finding, Allowed], ...]

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def summary(self) -> str:
        found = ", ".join(_counted(self.count(severity), severity.value) for severity in Severity)
        providers = _counted(len({scope.provider for scope in self.scopes}), "provider")
        days = _counted(len({scope.day for scope in self.scopes}), "day")
        return f"{providers}, {days}: {found}, {len(self.allowed)} allowed in lint.yaml"

    def lines(self, allowed: bool = False) -> Iterator[str]:
        """For reading. ``allowed``: also what lint.yaml allows, with its reasons."""
        for finding in self.findings:
            yield from finding.lines(self._file(finding.place.file))
        for finding, by in self.allowed if allowed else ():
            place = f"{self._file(finding.place.file)}:{finding.place.line}:{finding.place.column}"
            yield f"{place}: allowed {finding.code}: {finding.message}"
            yield f"  because: {by.reason}"
        yield self.summary

    def json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "errors": self.count(Severity.ERROR),
            "warnings": self.count(Severity.WARNING),
            "findings": [finding.json(self._file(finding.place.file)) for finding in self.findings],
            "allowed": [
                {**finding.json(self._file(finding.place.file)), "reason": by.reason} for finding, by in self.allowed
            ],
        }

    def _file(self, name: str) -> str:
        """The path below the pack's folder."""
        path = Path(name)
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else name


def lint(
    folder: Path,
    provider: str | None = None,
    as_of: date | None = None,
    today: date | None = None,
    local_codes: Mapping[str, frozenset[str]] | None = None,
) -> LintReport:
    """Everything that the checks find in a pack.

    Without ``provider`` every provider of the pack is looked at; without ``as_of`` every day on which a value changes,
    and ``today`` where it is given. ``local_codes``: the codes of tasks and flags that have words, by kind. Raises
    ContentError for a pack that cannot be loaded, and SolverMissing without z3.
    """
    try:
        from rules.tools.lint.solver import Solver
    except ImportError as error:
        if error.name != "z3":
            raise
        message = "the linter needs z3: install it with pip install 'perinatal-referrals[lint-rules]'"
        raise SolverMissing(message) from error
    exceptions = load_exceptions(folder)
    pack = load_pack(folder, provider)
    try:
        tests = tuple(load_rule_tests(folder, pack))
    finally:
        pack.close()
    names = [provider] if provider else _providers(folder, pack.provider)
    found: dict[tuple[object, ...], tuple[Finding, list[Scope]]] = {}
    scopes: list[Scope] = []
    for name in names:
        content = load_content(folder, name)
        for day in [as_of] if as_of else _days(content, today):
            scopes.append(Scope(name, day))
            for finding in _findings(Solver(content, day), tests, exceptions, local_codes or {}):
                key = (finding.code, finding.place, finding.message)
                found.setdefault(key, (finding, []))[1].append(scopes[-1])
    findings = [_scoped(finding, where, scopes) for finding, where in found.values()]
    remaining, meant = exceptions.split(sorted(findings, key=_order))
    if provider is None and as_of is None:
        remaining += exceptions.unused(meant)
    return LintReport(folder, tuple(scopes), tuple(remaining), tuple(meant))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _findings(
    solver: Solver, tests: Sequence[RuleTest], exceptions: Exceptions, local_codes: Mapping[str, frozenset[str]]
) -> Iterator[Finding]:
    from rules.tools.lint.bands import band_findings
    from rules.tools.lint.code_lists import code_findings
    from rules.tools.lint.declared import declared_findings, untested_findings
    from rules.tools.lint.pairs import pair_findings
    from rules.tools.lint.reach import Reach

    content, reach = solver.content, Reach(solver)
    yield from reach.findings()
    yield from band_findings(reach, solver)
    yield from pair_findings(reach, solver)
    yield from declared_findings(content, solver.as_of, local_codes)
    yield from code_findings(content.folder, content.facts.values(), exceptions.exclusive_lists)
    yield from untested_findings(tests, reach, solver)


def _providers(folder: Path, default: str) -> list[str]:
    """Every provider of a pack, its default one first."""
    others = sorted(path.stem for path in (folder / "providers").glob("*.yaml"))
    return [default, *(name for name in others if name != default)]


def _days(content: Content, today: date | None) -> list[date]:
    """The days from which values count, as far as every parameter has one, and today among them."""
    first = max((each.values[0].start for each in content.parameters.values()), default=date.min)
    days = {start for start in Bands(content.parameters).starts if start >= first and start > date.min}
    if today is not None and today >= first:
        days.add(today)
    return sorted(days or {today or date(2000, 1, 1)})


def _scoped(finding: Finding, where: Sequence[Scope], scopes: Sequence[Scope]) -> Finding:
    """A finding that is not so everywhere says where it first is."""
    if len(where) == len(scopes):
        return finding
    providers = {scope.provider for scope in where}
    parts = [] if providers == {scope.provider for scope in scopes} else [f"provider {where[0].provider}"]
    mine = [scope.day for scope in scopes if scope.provider == where[0].provider]
    if {scope.day for scope in where} != set(mine):
        parts.append(f"as of {where[0].day}")
    return replace(finding, scope=", ".join(parts))


def _order(finding: Finding) -> tuple[str, int, int, str]:
    place = finding.place
    return place.file, place.line, place.column, finding.code
