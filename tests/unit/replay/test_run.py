from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from adapter.errors import Malformed
from adapter.records import Issue
from adapter.replay import html, junit, run_replay
from rules import ContentError
from tests.unit.replay.builders import OneResult, decision, evaluated, rule, write_fixture


def pipeline(paths: Sequence[Path], as_of: date, provider: str) -> Sequence[OneResult]:
    """Fires a rule for everybody but refuses one."""
    assert (as_of, provider) == (date(2026, 3, 2), "england-default")
    if "broken" in paths[0].parent.name:
        raise Malformed(Issue("error", "structure", "cut off <here>\x0b", place="PID-3"))
    return [evaluated(decision(rule()))]


@pytest.fixture
def fixtures(tmp_path: Path) -> Path:
    write_fixture(tmp_path / "02-differs", "  fired: []\n")
    write_fixture(tmp_path / "01-agrees", "  fired: [r03-any-self-harm-answer]\n")
    write_fixture(tmp_path / "03-broken", "  refused: 1\n")
    return tmp_path


def test_every_fixture_is_run_in_order_whatever_fails(fixtures: Path) -> None:
    report = run_replay(fixtures, pipeline)
    assert [case.fixture for case in report.cases] == ["01-agrees", "02-differs", "03-broken"]
    assert [case.fixture for case in report.failed] == ["02-differs", "03-broken"]
    assert report.exit_code == 1
    assert report.summary == "3 patients, 3 inputs, 2 differ"


def test_all_is_well(fixtures: Path) -> None:
    assert run_replay(fixtures / "01-agrees", pipeline).exit_code == 0


def test_several_processes_give_the_same_report(fixtures: Path) -> None:
    assert run_replay(fixtures, pipeline, jobs=2, inputs_per_process=1) == run_replay(fixtures, pipeline)


def test_an_expectation_that_cannot_be_read_stops_the_replay(fixtures: Path) -> None:
    write_fixture(fixtures / "04-misspelt", "  referals: {}\n")
    with pytest.raises(ContentError, match=r"expected\.yaml:6:3"):
        run_replay(fixtures, pipeline)


def test_the_text_names_the_case_and_shows_the_trace(fixtures: Path) -> None:
    shown = list(run_replay(fixtures / "02-differs", pipeline).lines())
    assert shown[:2] == [
        "02-differs / record.json: A title",
        "  r03-any-self-harm-answer: expected not-fired, got fired",
    ]
    assert "EPDS item 10" in shown[2]
    assert shown[-1] == "1 patients, 1 inputs, 1 differ"


def test_junit_has_a_test_case_for_each_input(fixtures: Path) -> None:
    suite = ElementTree.fromstring(junit(run_replay(fixtures, pipeline)))[0]  # noqa: S314
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("3", "2")
    assert [(case.attrib["classname"], case.attrib["name"], len(case)) for case in suite] == [
        ("01-agrees", "record.json", 0),
        ("02-differs", "record.json", 1),
        ("03-broken", "record.json", 1),
    ]
    assert "cut off <here>" in str(suite[2][0].text)


def test_html_shows_each_input_and_escapes(fixtures: Path) -> None:
    page = html(run_replay(fixtures, pipeline))
    assert page.count("<tr><td>") == 3
    assert "as expected" in page
    assert "cut off &lt;here&gt;" in page
