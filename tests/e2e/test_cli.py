"""The command line: exit codes, what goes to standard output, and what to standard error."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from adapter.cli import app, main
from tests import samples

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "fixtures" / "01-epds-nine-item-ten-one"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_ndjson_is_one_result_a_line_and_nothing_else() -> None:
    another = FIXTURE.parent / "02-nothing-to-refer" / "msds"
    result = run("evaluate", FIXTURE / "record.json", another, "--as-of", samples.AS_OF, "--format", "ndjson")
    assert result.exit_code == 0
    bundles = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert [bundle["resourceType"] for bundle in bundles] == ["Bundle", "Bundle"]


def test_a_refused_record_is_a_line_of_its_own_and_exit_1(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{")
    (tmp_path / "b.json").write_bytes((FIXTURE / "record.json").read_bytes())
    result = run("evaluate", tmp_path, "--as-of", samples.AS_OF, "--format", "ndjson")
    assert result.exit_code == 1
    kinds = [orjson.loads(line)["resourceType"] for line in result.stdout.splitlines()]
    assert kinds == ["OperationOutcome", "Bundle"]


def test_convert_prints_bundles_and_reports_on_every_field(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    result = run("convert", FIXTURE / "messages.hl7", "--report", report)
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    assert orjson.loads(line)["resourceType"] == "Bundle"
    fates = {use["fate"] for use in orjson.loads(report.read_bytes())["fields"]}
    assert {"mapped", "ignored"} <= fates


def test_explain_as_json_is_the_contracts_list() -> None:
    result = run("explain", FIXTURE / "record.json", "--as-of", samples.AS_OF, "--format", "json")
    explained = orjson.loads(result.stdout)
    fixed, more = (
        ["patient", "rule", "status", "missing", "because"],
        ["letter", "to_do", "would_change", "would_decide"],
    )
    assert all(list(one) == [*fixed, *more] for one in explained)
    fired = [one["rule"] for one in explained if one["status"] == "fired"]
    assert fired == ["r03-any-self-harm-answer"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", str(FIXTURE), "--as-of", "31/02/2026"),
        ("evaluate", str(FIXTURE), "--as-of", "2026-03-02T25:00"),
        ("evaluate", str(FIXTURE), "--format", "nonsense"),
        ("evaluate", "no-such-file.json"),
        ("explain", str(FIXTURE / "record.json"), "--rule", "r99-nothing"),
    ],
)
def test_what_cannot_start_is_exit_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["evaluate", str(FIXTURE), "--provider", "nowhere"], {}, "there is no such provider"),
        (["convert", str(FIXTURE), "--mapping", "nothing"], {}, "there is no mapping"),
        (["replay", str(FIXTURE)], {"RULES_PATH": "here-is-none"}, "pack.yaml"),
    ],
)
def test_wrong_content_is_said_once_and_exit_2(
    arguments: list[str],
    settings: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["perinatal", *arguments])
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count(said) == 1


def test_a_replay_says_what_differs_with_its_trace_and_writes_junit(tmp_path: Path) -> None:
    copied = tmp_path / "fixtures" / FIXTURE.name
    shutil.copytree(FIXTURE, copied)
    expected = copied / "expected.yaml"
    expected.write_text(expected.read_text().replace("fired: [r03-any-self-harm-answer]", "fired: []"))
    junit, page = tmp_path / "junit.xml", tmp_path / "page.html"
    result = run("replay", tmp_path / "fixtures", "--junit", junit, "--html", page, "--jobs", "1")
    assert result.exit_code == 1
    assert "r03-any-self-harm-answer: expected not-fired, got fired" in result.stdout
    assert "EPDS item 10" in result.stdout
    suite = ElementTree.parse(junit).getroot()[0]  # noqa: S314 - our own file
    assert suite.get("failures") == "3"
    assert "r03-any-self-harm-answer" in page.read_text()


def test_update_writes_what_came_out(tmp_path: Path) -> None:
    copied = tmp_path / FIXTURE.name
    shutil.copytree(FIXTURE, copied)
    expected = copied / "expected.yaml"
    expected.write_text(expected.read_text().replace("fired: [r03-any-self-harm-answer]", "fired: []"))
    assert run("replay", tmp_path, "--update", "--jobs", "1").exit_code == 1
    assert run("replay", tmp_path, "--jobs", "1").exit_code == 0


def test_bars_needs_a_sender_and_then_prints_a_message_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERINATAL_BARS", raising=False)
    command = ("evaluate", FIXTURE / "record.json", "--as-of", samples.AS_OF, "--format", "bars")
    refused = run(*command)
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert "PERINATAL_BARS" in refused.stderr
    monkeypatch.setenv("PERINATAL_BARS", str(FIXTURE.parents[1] / "docs" / "examples" / "bars.yaml"))
    done = run(*command)
    (message,) = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert (done.exit_code, message["type"]) == (0, "message")
    assert "1 of these nobody has accepted" in done.stderr
    assert "1 of these leave out an NHS number" in done.stderr


def test_bars_keeps_a_refused_record_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERINATAL_BARS", str(FIXTURE.parents[1] / "docs" / "examples" / "bars.yaml"))
    folder = next(FIXTURE.parent.glob("07-*"))
    done = run("evaluate", folder / "messages.hl7", "--as-of", samples.AS_OF, "--format", "bars")
    kinds = [orjson.loads(line)["resourceType"] for line in done.stdout.splitlines()]
    assert "OperationOutcome" in kinds
    assert done.exit_code == 1
