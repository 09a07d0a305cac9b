"""The runner of the tests that stand beside rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules import ContentError
from rules.engine.rule_tests import rule_test_results, run_rule_tests
from tests.unit.rules.tiny import write

GOOD = """
- name: thirteen fires
  as_of: 2026-03-02
  given: {score: {value: 13, on: 2026-02-20}, pregnant: absent, ill: unknown, gestation: {low: 3, high: 5}}
  expect: {fired: [r1], referrals: {team: routine}, exactly_referrals: {team: routine}, no_tasks: [complete-score]}
- name: an older score is out of date
  as_of: 2026-03-02
  provider: home
  given: {score: {older: 20, on: 2025-12-01}, ended_on: 2026-01-01, open_services: [team], word: x}
  expect: {out_of_date: [r1], exactly_referrals: {}}
"""


def failures(folder: Path, text: str) -> list[str]:
    write(folder)
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "t.yaml").write_text(text, encoding="utf-8")
    return [str(failure) for failure in run_rule_tests(folder)]


def test_tests_that_hold_say_nothing(tmp_path: Path):
    assert failures(tmp_path, GOOD) == []
    assert [(test.name, test.line) for test, _ in rule_test_results(tmp_path)] == [
        ("thirteen fires", 2),
        ("an older score is out of date", 6),
    ]


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("{not_fired: [r1]}", "r1 is fired, not not-fired"),
        ("{referrals: {team: urgent}}", "the referral to team is routine, not urgent"),
        ("{referrals: {gp: urgent}}", "the referral to gp is not made, not urgent"),
        ("{exactly_referrals: {}}", "the referrals are team: routine, not none"),
        ("{tasks: [x]}", "x is not among the tasks"),
        ("{flags: [x], issues: [y]}", "x is not among the flags"),
        ("{no_referrals: [team]}", "team is among the referrals"),
    ],
)
def test_each_difference_is_said_with_file_and_line(tmp_path: Path, expect: str, words: str):
    text = f"- {{name: n, as_of: 2026-03-02, given: {{score: 20}}, expect: {expect}}}\n"
    found = failures(tmp_path, text)
    assert found[0] == f"{tmp_path}/tests/t.yaml:1: n: {words}"


@pytest.mark.parametrize(
    ("there", "made"),
    [
        ("uncovered: [team]", "adult-team: routine"),
        ("uncovered: [team, adult-team]", "gp: routine"),
        ("closed: {team: crisis}", "team: routine"),  # no emergency
    ],
)
def test_a_test_may_say_what_the_directory_and_the_clock_would(tmp_path: Path, there: str, made: str):
    expect = f"expect: {{exactly_referrals: {{{made}}}}}"
    assert failures(tmp_path, f"- {{name: n, as_of: 2026-03-02, given: {{score: 20}}, {there}, {expect}}}\n") == []


@pytest.mark.parametrize("there", ["uncovered: [nope]", "closed: {nope: team}", "closed: {team: nope}"])
def test_a_service_that_is_none_is_refused_in_a_test(tmp_path: Path, there: str):
    with pytest.raises(ContentError, match=r"t.yaml:1:\d+: no service is called 'nope'.*\[RC021\]"):
        failures(
            tmp_path, f"- {{name: n, as_of: 2026-03-02, given: {{score: 20}}, {there}, expect: {{fired: [r1]}}}}\n"
        )


def test_a_fact_that_does_not_fit_fails_the_test_that_gives_it(tmp_path: Path):
    found = failures(tmp_path, "- {name: n, as_of: 2026-03-02, given: {score: 99}, expect: {fired: [r1]}}\n")
    assert "the evaluation failed: score: the value is out of the range" in found[0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("given: {nope: 1}, expect: {fired: [r1]}", "no fact is called"),
        ("given: {in_window: true}, expect: {fired: [r1]}", "derived"),
        ("given: {score: 1}, expect: {fired: [r9]}", "no rule is called"),
        ("given: {score: {colour: 1}}, expect: {fired: [r1]}", "unknown key"),
        ("given: {ended_on: soon}, expect: {fired: [r1]}", "a date such as"),
        ("given: {score: {on: 2026-01-01}}, expect: {fired: [r1]}", "say a value"),
        ("given: {}, expect: {}", "say at least one thing"),
        ("given: {}, expect: {burned: [r1]}", "unknown key 'burned'"),
    ],
)
def test_a_test_that_is_wrong_itself_is_a_content_error(tmp_path: Path, line: str, words: str):
    with pytest.raises(ContentError, match=words):
        failures(tmp_path, f"- {{name: n, as_of: 2026-03-02, {line}}}\n")
