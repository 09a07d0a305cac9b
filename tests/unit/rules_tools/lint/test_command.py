"""The command ``perinatal rules lint``: what it prints, its exit codes, exceptions, and the shipped pack."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import app
from adapter.referrals.terms import local_codes
from rules import LIBRARY
from rules.tools.lint import lint
from tests.unit.rules.tiny import SOURCES, rule, write
from tests.unit.rules_tools.lint.linting import DAY, codes

NEVER = rule("{all: [{score: {gte: 13}}, {score: {lt: 10}}]}")
GAP = rule("{score: {gte: 10, lt: 15}}") + rule("{score: {gte: 16}}", "r2")


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["rules", "lint", *words])
    return result.exit_code, result.stdout, result.stderr


def copied(folder: Path) -> Path:
    """The shipped pack, to be changed."""
    return Path(shutil.copytree(LIBRARY, folder, dirs_exist_ok=True))


def allow(folder: Path, code: str, about: str) -> None:
    entry = f"allow:\n  - code: {code}\n    about: {about}\n    reason: It is meant so\n    {SOURCES}\n"
    (folder / "lint.yaml").write_text(entry, encoding="utf-8")


def test_an_error_is_printed_with_its_place_what_to_do_and_what_shows_it(tmp_path: Path):
    code, text, _ = run(str(write(tmp_path, criteria=GAP)), "--as-of", str(DAY))
    assert code == 1
    lines = text.splitlines()
    at = lines.index("criteria/a.yaml:5:18: error RL301: a value for “Score” of 15 is in no band of r1, r2")
    assert lines[at + 1].startswith("  do: move a threshold")
    assert lines[at + 2 : at + 5] == ["  shown by: Score: 15", "  as_of: 2026-03-02", "  given: {score: 15}"]
    assert lines[-1].startswith("1 provider, 1 day: 1 error, ")


def test_json_says_the_same(tmp_path: Path):
    code, text, _ = run(str(write(tmp_path, criteria=GAP)), "--as-of", str(DAY), "--format", "json")
    found = json.loads(text)
    assert (code, found["errors"]) == (1, 1)
    (gap,) = [each for each in found["findings"] if each["code"] == "RL301"]
    assert (gap["file"], gap["line"], gap["column"], gap["severity"]) == ("criteria/a.yaml", 5, 18, "error")
    assert gap["witness"] == {"as_of": "2026-03-02", "words": "Score: 15", "given": "{score: 15}"}


def test_warnings_fail_only_where_that_is_asked_for(tmp_path: Path):
    folder = str(write(tmp_path))
    assert run(folder)[0] == 0
    assert run(folder, "--strict")[0] == 1


@pytest.mark.parametrize("words", [("--provider", "nobody"), ("--as-of", "2019-01-01")])
def test_what_cannot_start_exits_with_2_and_one_line(tmp_path: Path, words: tuple[str, str]):
    code, text, error = run(str(write(tmp_path)), *words)
    assert (code, text, error.count("\n")) == (2, "", 1)
    assert error.startswith("perinatal: ")


def test_a_file_that_cannot_be_read_exits_with_2_and_its_place(tmp_path: Path):
    code, text, error = run(str(write(tmp_path, criteria="- id: [")))
    assert (code, text) == (2, "")
    assert "criteria/a.yaml:2:1: " in error
    assert error.rstrip().endswith("[RC003]")


def test_without_z3_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in [each for each in sys.modules if each.startswith("rules.tools.lint.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "z3", None)
    code, _, error = run(str(write(tmp_path)))
    assert code == 2
    assert "pip install 'perinatal-referrals[lint-rules]'" in error


def test_what_is_meant_is_allowed_with_its_reason(tmp_path: Path):
    allow(write(tmp_path, criteria=GAP), "RL301", "score")
    report = lint(tmp_path, as_of=DAY)
    assert "RL301" not in codes(list(report.findings))
    assert [(finding.code, by.reason) for finding, by in report.allowed] == [("RL301", "It is meant so")]
    said = list(report.lines(allowed=True))
    assert "  because: It is meant so" in said
    assert said[-1].endswith("1 allowed in lint.yaml")


@pytest.mark.parametrize(("code", "about"), [("RL301", "item"), ("RL302", "score")])
def test_an_exception_allows_nothing_else_and_is_named_when_it_is_not_needed(tmp_path: Path, code: str, about: str):
    allow(write(tmp_path, criteria=GAP), code, about)
    findings = {each.code: each for each in lint(tmp_path).findings}
    assert "RL301" in findings
    assert findings["RL801"].message == f"nothing is found any more of {code} about {about}"
    assert "RL801" not in codes(list(lint(tmp_path, as_of=DAY).findings))  # another day may need it


def test_an_exception_for_providers_may_be_unused(tmp_path: Path):
    allow(write(tmp_path), "RL301", "score")
    file = tmp_path / "lint.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "    for_providers: true\n", encoding="utf-8")
    assert "RL801" not in codes(list(lint(tmp_path).findings))


def test_a_site_may_switch_off_what_the_shipped_pack_says_it_may(tmp_path: Path):
    folder = copied(tmp_path)
    off = "provider: off\ntitle: Off\nparameters: {epds-says-perinatal-from: 31}\n"
    (folder / "providers" / "off.yaml").write_text(off, encoding="utf-8")
    report = lint(folder, "off", date(2026, 3, 2), local_codes=local_codes())
    assert list(report.findings) == [], "\n".join(report.lines())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("allow: [{code: RL999, about: x, reason: R, sources: [{document: D}]}]", "RL999 is no finding"),
        ("allow: [{code: RL801, about: x, reason: R, sources: [{document: D}]}]", "RL801 is no finding"),
        ("allow: [{code: RL301, about: x, reason: R}]", "'sources' is missing"),
        ("allow: [{code: RL301, about: x, sources: [{document: D}]}]", "'reason' is missing"),
        ("exclusive_lists: [[mild, severe]]", "no code list is called 'mild'"),
    ],
)
def test_an_exception_needs_a_finding_a_reason_and_a_source(tmp_path: Path, text: str, words: str):
    (write(tmp_path) / "lint.yaml").write_text(text, encoding="utf-8")
    code, _, error = run(str(tmp_path))
    assert code == 2
    assert words in error
    assert "lint.yaml:1:" in error


def test_the_shipped_pack_has_nothing_but_what_is_meant():
    report = lint(LIBRARY, today=date(2026, 3, 2), local_codes=local_codes())
    assert list(report.findings) == [], "\n".join(report.lines())


def test_mistakes_in_the_shipped_pack_are_found_out(tmp_path: Path):
    """Each of these is a character or a word away from what the shipped pack says."""
    mistakes = {
        "RL301": ("criteria/depression_and_anxiety.yaml", "phq9_total: {gte: parameters.phq-9-moderate, lt: parameters.phq-9-severe}", "phq9_total: {gt: parameters.phq-9-moderate, lt: parameters.phq-9-severe}"),
        "RL302": ("criteria/depression_and_anxiety.yaml", "lt: parameters.epds-probable", "lte: parameters.epds-probable"),
        "RL303": ("parameters.yaml", "values: [{from: 2024-01-01, value: 85}]", "values: [{from: 2024-01-01, value: 185}]"),
        "RL106": ("second_stage.yaml", "rules: [r13-tokophobia]", "rules: [r13-tokophobia]\n  when: {pregnant: absent}"),
        "RL601": ("codes/epilepsy.csv", "84757009", "84757008"),
        "RL603": ("codes/mild-depression.csv", "F32.0", "F32.1"),
        "RL101": ("criteria/medicines.yaml", "- unless: {pregnant: present}\n", "- unless: {valproate: present}\n"),
    }  # fmt: skip
    folder = copied(tmp_path)
    for file, old, new in mistakes.values():
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    findings = lint(folder, as_of=date(2026, 3, 2)).findings
    assert set(mistakes) <= set(codes(list(findings))), [each.message for each in findings]
