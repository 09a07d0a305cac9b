"""What can be seen without solving: sources, dates, use, labels, local codes, code lists, tests beside the rules."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from rules.tools.lint import lint
from rules.tools.lint.finding import Finding
from tests.unit.rules.tiny import PACK, rule, write
from tests.unit.rules_tools.lint.linting import DAY, codes, found
from tests.unit.rules_tools.packs import case, folder

FACTS, PARAMETERS = dedent(PACK["facts.yaml"]), dedent(PACK["parameters.yaml"])
HEADER = "system,code,display,source,mark,match,role\n"


def about(findings: list[Finding]) -> list[str]:
    return [each.about[0] for each in findings]


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("RL501", "x: {label: X, values: [{from: 2020-01-01, value: 1}]}\n"),
        ("RL502", "x: {label: X, confirm: true, values: [{from: 2020-01-01, value: 1}]}\n"),
        ("RL504", "x: {label: X, values: [{from: 2020-01-02, value: 1}]}\n"),
        ("RL508", "x: {label: X, values: [{from: 2020-01-01, value: 1}]}\n"),
        ("RL509", "x: {label: '  ', values: [{from: 2020-01-01, value: 1}]}\n"),
    ],
)
def test_a_parameter_with_something_amiss(tmp_path: Path, code: str, more: str):
    assert "x" not in about(found(tmp_path / "good", code))
    assert "x" in about(found(tmp_path / "bad", code, parameters=PARAMETERS + more))


def test_a_parameter_with_a_source_that_something_uses_is_left_alone(tmp_path: Path):
    good = "x: {label: X, confirm: true, source: {document: D}, values: [{from: 2020-01-01, value: 1}]}\n"
    criteria = rule("{score: {gte: parameters.x}}")
    findings = lint(write(tmp_path, parameters=PARAMETERS + good, criteria=criteria), as_of=DAY).findings
    assert "x" not in [name for each in findings for name in each.about]


@pytest.mark.parametrize(
    "use",
    [
        {"criteria": rule("{extra: {gte: 1}}")},
        {"criteria": rule("{score: {gte: 1}}", then="[{task: {code: a, for: [extra]}}]")},
        {
            "facts": "named: {label: N, type: boolean, derive: {extra: {gte: 1}}}\n",
            "criteria": rule("{named: present}"),
        },
    ],
)
def test_a_fact_counts_as_used_wherever_it_is(tmp_path: Path, use: dict[str, str]):
    extra = "extra: {label: E, type: integer, from: {x: parameters.window-months}}\n"
    assert "extra" in about(found(tmp_path / "no", "RL507", facts=FACTS + extra))
    files = {**use, "facts": FACTS + extra + use.get("facts", "")}
    assert "extra" not in about(found(tmp_path / "yes", "RL507", **files))


def test_a_fact_that_nothing_supplies(tmp_path: Path):
    facts = FACTS + "x: {label: X, type: boolean, from: {}}\n"
    assert about(found(tmp_path, "RL506", facts=facts)) == ["x"]


def test_what_counted_only_until_a_day_is_found_after_it(tmp_path: Path):
    home = "provider: home\ntitle: H\nvalid: {to: 2026-03-01}\n"
    files = {"criteria": rule("{score: {gte: 3}}", more="valid: {to: 2026-03-01}"), "home": home}
    assert codes(found(tmp_path / "a", "RL503", "RL505", **files)) == ["RL503", "RL505"]
    assert found(tmp_path / "b", "RL503", "RL505", day=date(2026, 3, 1), **files) == []


def test_local_codes_are_held_against_those_there_are(tmp_path: Path):
    then = "[{task: {code: complete-epsd}}, {flag: {code: watch}}, {issue: {code: x, severity: warning, text: T}}]"
    known = {"task": frozenset({"complete-score"}), "flag": frozenset({"watch"})}
    report = lint(write(tmp_path, criteria=rule("{score: {gte: 3}}", then=then)), as_of=DAY, local_codes=known)
    said = [each.message for each in report.findings if each.code == "RL510"]
    assert "the task 'complete-epsd' is none of the local codes" in said
    assert not any("watch" in each or "'x'" in each or "'complete-score'" in each for each in said)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("sct,77386006,Pregnant,s,V,,\n", ["RL604"]),  # nothing uses the list
        ("sct,77386007,Pregnant,s,V,,\n", ["RL604", "RL601"]),
        ("sct,7738600O,Pregnant,s,V,,\n", ["RL604", "RL601"]),
        ("loinc,99046-5,EPDS,s,V,,\n", ["RL604"]),
        ("sct,77386006,Pregnant,s,V,,\nsct,77386006,Pregnant,s,V,,\n", ["RL604", "RL602"]),
        ("sct,77386006,Pregnant,s,V,,yes\nsct,77386006,Pregnant,s,V,,no\n", ["RL604", "RL603"]),
        ("icd10,F53.0,Mild,s,V,,\nicd10,F530,Mild,s,V,,\n", ["RL604", "RL602"]),
        ("sct,,Pregnant,s,V,,\n", ["RL604", "RL605"]),
    ],
)
def test_the_rows_of_a_code_list(tmp_path: Path, rows: str, expected: list[str]):
    write(tmp_path)
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "pregnant.csv").write_text(HEADER + rows, encoding="utf-8")
    findings = [each for each in lint(tmp_path, as_of=DAY).findings if each.code.startswith("RL6")]
    assert codes(findings) == expected
    assert findings[-1].place.line == rows.count("\n") + 1 - (expected == ["RL604"]) * rows.count("\n")


@pytest.mark.parametrize(
    ("mild", "severe", "shared"),
    [
        ("sct,237349002,Mild,s,V,,\n", "sct,237350002,Severe,s,V,,\n", False),
        ("sct,237350002,Mild,s,V,,\n", "sct,237350002,Severe,s,V,,\n", True),
        ("icd10,F32,Depression,s,V,prefix,\n", "icd10,F32.2,Severe,s,V,,\n", True),
        ("icd10,F32,Depression,s,V,,\n", "icd10,F32.2,Severe,s,V,,\n", False),
        ("loinc,237350002,Mild,s,V,,\n", "sct,237350002,Severe,s,V,,\n", False),
    ],
)
def test_lists_that_exclude_each_other_share_no_code(tmp_path: Path, mild: str, severe: str, shared: bool):
    write(tmp_path)
    (tmp_path / "codes").mkdir()
    for name, row in (("mild", mild), ("severe", severe)):
        (tmp_path / "codes" / f"{name}.csv").write_text(HEADER + row, encoding="utf-8")
    (tmp_path / "lint.yaml").write_text("exclusive_lists: [[mild, severe]]\n", encoding="utf-8")
    conflicts = [each for each in lint(tmp_path, as_of=DAY).findings if each.code == "RL603"]
    assert [each.about for each in conflicts] == ([("severe", "mild")] if shared else [])


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ("[]", ["RL701", "RL702", "RL703"]),
        (case("score: 13", "fired: [r1]"), ["RL702", "RL703"]),
        (case("score: 13", "fired: [r1]") + case("score: 12", "not_fired: [r1]"), ["RL703"]),
        (case("score: 13", "fired: [r1]") + case("score: unknown", "unknown: [r1]"), ["RL702"]),
    ],
)
def test_a_rule_needs_tests_of_each_kind(tmp_path: Path, tests: str, expected: list[str]):
    found = [each for each in lint(folder(tmp_path, tests), as_of=DAY).findings if each.code.startswith("RL7")]
    assert codes(found) == expected


def test_a_test_of_what_cannot_be_is_not_asked_for(tmp_path: Path):
    tests = case("score: 13", "fired: [r1]") + case("item: 1", "not_fired: [r1]")
    report = lint(folder(tmp_path, tests, criteria=rule("{score: known}")), as_of=DAY)
    assert [each.code for each in report.findings if each.code.startswith("RL7")] == []  # known is never unknown
