"""What a replay found: for people at a terminal, as JUnit XML for build servers, as HTML for a meeting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from adapter.pages import render
from adapter.replay.compare import Difference

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One input of one fixture.

    ``observed`` is what came out, as the lines below ``expect:``; "" where the input could not be evaluated.
    """

    fixture: str
    input: str
    title: str
    differences: tuple[Difference, ...]
    observed: str = ""

    def lines(self) -> Iterator[str]:
        """The differences, each with its trace indented below it."""
        for difference in self.differences:
            yield difference.text
            yield from (f"    {line}" for line in difference.trace)


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """Every case, in order of fixture and input."""

    cases: tuple[CaseReport, ...]

    @property
    def failed(self) -> tuple[CaseReport, ...]:
        return tuple(case for case in self.cases if case.differences)

    @property
    def exit_code(self) -> int:
        """1 where anything differs, else 0."""
        return 1 if self.failed else 0

    @property
    def summary(self) -> str:
        fixtures = len({case.fixture for case in self.cases})
        return f"{fixtures} patients, {len(self.cases)} inputs, {len(self.failed)} differ"

    def lines(self) -> Iterator[str]:
        """The report as text: the cases that differ, then the summary."""
        for case in self.failed:
            yield f"{case.fixture} / {case.input}: {case.title}"
            yield from (f"  {line}" for line in case.lines())
        yield self.summary


def junit(report: ReplayReport) -> str:
    """JUnit XML: one test case per input, its fixture as the class."""
    suites = ElementTree.Element("testsuites")
    counts = {"tests": str(len(report.cases)), "failures": str(len(report.failed)), "errors": "0"}
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "perinatal replay", **counts})
    for case in report.cases:
        node = ElementTree.SubElement(suite, "testcase", {"classname": case.fixture, "name": case.input})
        if case.differences:
            failure = ElementTree.SubElement(node, "failure", {"message": _clean(case.differences[0].text)})
            failure.text = _clean("\n".join(case.lines()))
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def html(report: ReplayReport) -> str:
    """One self-contained page: a row per input, the differences below those that differ."""
    return render("replay.html", title="Replay of recorded patients", report=report)


def _clean(text: str) -> str:
    return _NOT_XML.sub("�", text)
