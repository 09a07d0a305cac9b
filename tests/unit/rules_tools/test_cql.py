"""The CQL that people read and the ELM beside it. That they mean the same as the rules is for tests/contract/test_cql_judge.py."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rules import ContentError
from rules.tools.behind import conditions_of, facts_behind, parameters_behind
from rules.tools.cql import CqlLibrary, cql_library
from rules.tools.cql.terms import literal, quoted
from tests.unit.rules import tiny


def library(folder: Path, condition: str = "{score: {gte: 3}}", **files: str) -> CqlLibrary:
    return cql_library(tiny.tiny(folder, criteria=tiny.rule(condition), **files).content)


def defined(made: CqlLibrary, name: str) -> str:
    (found,) = (each.term.cql for each in made.definitions if each.name == name)
    return found


@pytest.mark.parametrize(
    ("condition", "cql"),
    [
        ("{score: {gte: 3}}", 'not "score is absent" and "score" >= 3'),
        ("{score: {ne: 3}}", 'not "score is absent" and "score" != 3'),
        ("{weight: {lt: 3}}", 'not "weight is absent" and "weight" < 3'),
        ("{weight: 2.5e-7}", 'not "weight is absent" and "weight" = 0.00000025'),
        ("{score: -3}", 'not "score is absent" and "score" = (-3)'),
        ("{ill: present}", 'not "ill is absent" and "ill"'),
        ("{ill: absent}", '"ill is absent" or not "ill"'),
        ("{score: known}", '"score" is not null'),
        ("{score: missing}", '"score" is null'),
        ("{score: present}", 'not "score is absent" and ("score" is not null or null)'),
        ("{in_window: known}", '"in_window" is not null'),
        ("{unless: {ill: present}}", '(not "ill is absent" and "ill") is not true'),
        (
            '{word: {in: [a, "it\'s"]}}',
            'not "word is absent" and (if "word" is null then null else "word" in { \'a\', \'it\\\'s\' })',
        ),
        (
            "{gestation: {gte: 252}}",
            'not "gestation is absent" and "is at least"("gestation", 252)',
        ),
        (
            "{ended_on: {within_months: parameters.window-months}}",
            'not "ended_on is absent" and "within months"("ended_on", "parameters.window-months")',
        ),
        (
            "{score: {recorded_days_ago: {lte: 14}}}",
            '"score" is not null and (difference in days between "score.on" and "AsOf") <= 14',
        ),
        (
            "{score: {older: {gte: 3}}}",
            '"score.older" is not null and ("score.older" is not null and "score.older" >= 3) is true',
        ),
        (
            "{all: [{ill: present}, {any: [{pregnant: present}, {in_window: present}]}]}",
            '(not "ill is absent" and "ill") and ((not "pregnant is absent" and "pregnant") or "in_window")',
        ),
    ],
)
def test_a_condition_in_cql(tmp_path: Path, condition: str, cql: str) -> None:
    assert defined(library(tmp_path, condition), "r1") == cql


def test_a_dated_parameter_is_the_last_value_that_counts(tmp_path: Path) -> None:
    assert defined(library(tmp_path, "{score: {gte: parameters.cut-off}}"), "parameters.cut-off") == (
        'case\n  when "AsOf" >= @2026-01-01 then 13\n  when "AsOf" >= @2020-01-01 then 10\n  else null\nend'
    )


def test_an_undated_value_of_a_provider_is_just_its_value(tmp_path: Path) -> None:
    home = "provider: home\ntitle: Home\nparameters: {cut-off: 11}\n"
    made = library(tmp_path, "{score: {gte: parameters.cut-off}}", home=home)
    assert defined(made, "parameters.cut-off") == "11"


def test_a_parameter_that_is_once_a_decimal_is_always_one(tmp_path: Path) -> None:
    parameters = "cut-off: {label: L, values: [{from: 2020-01-01, value: 10}, {from: 2026-01-01, value: 10.5}]}"
    more = "\nwindow-months: {label: Window, values: [{from: 2020-01-01, value: 12}]}"
    more += "\nroutine-days: {label: Routine, values: [{from: 2020-01-01, value: 14}]}"
    made = library(tmp_path, "{weight: {gte: parameters.cut-off}}", parameters=parameters + more)
    assert "then 10.5" in defined(made, "parameters.cut-off")
    assert "then 10.0" in defined(made, "parameters.cut-off")


def test_only_facts_that_a_condition_looks_at_are_asked_for(tmp_path: Path) -> None:
    made = library(tmp_path, "{score: {gte: 3}}")
    assert {item.fact for item in made.inputs} == {"score", "pregnant", "ended_on"}  # the window is a derived fact
    defaults = {item.name: item.default for item in made.inputs}
    assert defaults["score.absent"] is True
    assert defaults["pregnant.absent"] is False  # declared: absent is unknown


def test_what_a_file_says_cannot_leave_its_comment(tmp_path: Path) -> None:
    criteria = tiny.rule("{score: {gte: 3}}").replace("Rule r1", '"Two\\nlines */ define x: 1"')
    made = cql_library(tiny.tiny(tmp_path, criteria=criteria).content)
    assert "\n// Two lines */ define x: 1\n" in made.text


def test_a_number_that_cql_has_no_room_for_is_refused(tmp_path: Path) -> None:
    content = tiny.tiny(tmp_path, criteria=tiny.rule("{age_years: {gte: 2147483648}}")).content
    with pytest.raises(ContentError, match="2147483648 is too large for an Integer of CQL"):
        cql_library(content)


@pytest.mark.parametrize(
    ("value", "cql"),
    [(True, "true"), (0, "0"), (-1, "-1"), (1e-7, "0.0000001"), (5.0, "5.0"), ("a\\b\n'c'", "'a\\\\b\\n\\'c\\''")],
)
def test_a_literal(value: Any, cql: str) -> None:
    assert literal(value).cql == cql


def test_a_name_is_quoted_with_its_quotes_escaped() -> None:
    assert quoted('a"b\\c') == '"a\\"b\\\\c"'


def test_text_and_elm_define_the_same_names(tmp_path: Path) -> None:
    made = library(tmp_path)
    elm = json.loads(made.elm_json)["library"]
    names = [each["name"] for each in elm["statements"]["def"]]
    assert len(names) == len(set(names)) == made.text.count("\ndefine ")
    assert [each["name"] for each in elm["parameters"]["def"]] == ["AsOf", *(item.name for item in made.inputs)]


def test_what_a_rule_rests_on(tmp_path: Path) -> None:
    pack = tiny.tiny(tmp_path, criteria=tiny.rule("{score: {gte: parameters.cut-off}}", more="window: in_window"))
    (rule,) = pack.rules
    assert facts_behind(pack.content, conditions_of(rule)) == ("score", "pregnant", "ended_on", "in_window")
    assert parameters_behind(pack.content, rule) == ("cut-off", "window-months", "routine-days")


def test_the_parameters_of_a_facts_own_source_count_too(tmp_path: Path) -> None:
    pack = tiny.tiny(tmp_path)
    source = {"score": "x", "valid_days": "parameters.wait-days", "items": {"list": ["parameters.bank-holidays", 3]}}
    facts = {**pack.content.facts, "score": replace(pack.content.facts["score"], source=source)}
    found = parameters_behind(replace(pack.content, facts=facts), pack.rules[0])
    assert set(found) == {"cut-off", "routine-days", "wait-days", "bank-holidays"}
