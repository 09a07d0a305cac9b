"""What is wrong in a pack's files is said with file, line and column."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from rules import ContentError, load_pack
from tests.unit.rules.tiny import AS_OF, PACK, known, rule, tiny, write


def test_the_tiny_pack_loads(tmp_path: Path):
    pack = tiny(tmp_path)
    assert (pack.name, pack.version, pack.title, pack.provider) == ("tiny", "1.2.3", "A tiny pack", "home")
    assert pack.folder == tmp_path
    assert pack.fact_declarations["score"].range == (0, 30)
    assert pack.fact_declarations["score"].source == {"x": "y"}
    assert pack.services["team"].fallback == "adult-team"
    assert [each.id for each in pack.rules] == ["r1"]
    assert pack.parameter("cut-off", date(2025, 12, 31)) == 10
    assert pack.parameter("cut-off", date(2026, 1, 1)) == 13


def test_a_parameter_has_no_value_before_its_first(tmp_path: Path):
    pack = tiny(tmp_path)
    with pytest.raises(ContentError, match=r"parameters.yaml:\d+:1: the parameter cut-off has no value on 2019"):
        pack.parameter("cut-off", date(2019, 1, 1))
    with pytest.raises(ContentError, match="has no value"):
        pack.evaluate({}, date(2019, 1, 1))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ('{score: {gte: "5"}}', "text cannot stand here: integer"),
        ("{score: {gte: true}}", "a boolean cannot stand here"),
        ("{score: 5.0}", "a number cannot stand here"),
        ("{score: {gte: parameters.nope}}", "no parameter is called 'nope'"),
        ("{score: {gte: parameters.destination-moderate}}", "is text from"),
        ("{score: {in: []}}", "at least one value"),
        ("{score: {in: [1, true]}}", "a boolean cannot stand"),
        ("{score: {contains: x}}", "'contains' cannot test score"),
        ("{score: {}}", "schema|empty|minProperties|propert"),
        ("{score: [1]}", "needed here"),
        ("{scroe: present}", "no fact is called 'scroe'"),
        ("{all: []}", "too short"),
        ("{any: [{score: present}], all: [{score: present}]}", "one key"),
        ("[{score: present}]", "a mapping is needed"),
        ("{ended_on: 5}", "use days_ago"),
        ("{ended_on: {gte: 5}}", "'gte' cannot test"),
        ("{score: {days_ago: {gte: 5}}}", "a date is needed"),
        ("{ended_on: {days_ago: 5}}", "needs a comparison"),
        ("{ended_on: {days_ago: {in: [5]}}}", "not a comparison"),
        ("{ended_on: {within_months: -1}}", "negative"),
        ("{ended_on: {days_after: {gte: 1}}}", "needs 'fact"),
        ("{ended_on: {days_after: {fact: score, gte: 1}}}", "a date is needed"),
        ("{ended_on: {older: {days_after: {fact: started_on, gte: 1}}}}", "cannot look at an older"),
        ("{score: {older: {older: known}}}", "inside"),
        ("{score: {older: missing}}", "older"),
        ("{in_window: {gte: 1}}", "named condition"),
        ("{gestation: 5}", "eq: 5"),
        ("{open_services: team}", "contains"),
        ("{word: {gt: a}}", "'gt' cannot test"),
        ("{score: {gte: 9007199254740993}}", "cannot stand here"),
    ],
)
def test_conditions_that_do_not_fit_are_refused_with_their_place(tmp_path: Path, condition: str, words: str):
    with pytest.raises(ContentError, match=words) as caught:
        tiny(tmp_path, criteria=rule(condition))
    assert caught.value.file.endswith("criteria/a.yaml")
    assert caught.value.line == 5
    assert caught.value.column > 1


OLDER, NEWER = "{from: 2020-01-01, value: 1}", "{from: 2021-01-01, value: 1}"


def derived(name: str, condition: str) -> str:
    return f"{name}: {{label: {name}, type: boolean, derive: {condition}}}\n"


def plus(name: str, lines: str) -> str:
    return dedent(PACK[f"{name}.yaml"]) + lines


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("criteria", rule("{score: known}").replace("sources", "source"), "unknown key 'source'"),
        ("criteria", rule("{score: known}").replace("[{document: A document}]", "[]"), "too short"),
        ("criteria", rule("{score: known}", then="[{flag: {code: x}, task: {code: y}}]"), "exactly one thing"),
        ("criteria", rule("{score: known}", then="[{refer: {service: nope, priority: asap}}]"), "no service is"),
        ("criteria", rule("{score: known}", more="colour: blue"), "unknown key 'colour'"),
        ("criteria", rule("{score: known}") + rule("{score: known}"), "already in"),
        ("criteria", rule("{score: known}", more="outside: {service: gp}"), "needs a 'window'"),
        ("criteria", rule("{score: known}", more="window: score"), "a boolean is needed"),
        ("criteria", rule("{score: known}", more="valid: {from: 2024-13-01}"), "not a date"),
        ("criteria", "[]", "has no rules"),
        ("services", "team: {label: T, fallback: gp}\ngp: {label: G, fallback: team}\n", "circle"),
        ("services", "team: {label: T}\n", "'gp' is missing"),
        ("home", "provider: home\ntitle: H\nparameters: {nope: 1}\n", "no parameter is called 'nope'"),
        ("home", "provider: home\ntitle: H\nparameters: {cut-off: high}\n", "cut-off is a whole number, not text"),
        ("home", "provider: other\ntitle: H\n", "that of its file"),
        ("home", "provider: home\ntitle: H\noffers: [nope]\n", "no service is called"),
        ("parameters", plus("parameters", f"x: {{label: X, values: [{NEWER}, {OLDER}]}}\n"), "order of their dates"),
        ("parameters", PACK["parameters.yaml"].replace('["2026-03-03"]', "[soon]"), "list of dates"),
        ("facts", plus("facts", derived("a", "{b: present}") + derived("b", "{not: {a: present}}")), "a → b → a"),
        ("facts", plus("facts", "a: {label: A, type: boolean}\n"), "either 'from' or 'derive'"),
        ("facts", plus("facts", derived("a", "{ill: present}").replace("boolean", "integer")), "must be boolean"),
        ("facts", plus("facts", "a__b: {label: A, type: integer, from: {}}\n"), "cannot be a name"),
        (
            "asks",
            "- {id: a, title: A, when: {ill: present}, task: x, for: [no], sources: [{document: d}]}\n",
            "no fact",
        ),
    ],
)
def test_other_mistakes_are_refused_with_what_to_do(tmp_path: Path, file: str, text: str, words: str):
    with pytest.raises(ContentError, match=words) as caught:
        tiny(tmp_path, **{file: text})
    assert caught.value.line >= 1


def test_an_unknown_provider_names_those_there_are(tmp_path: Path):
    with pytest.raises(ContentError, match="there are: home"):
        load_pack(write(tmp_path), "away")


@pytest.mark.parametrize(
    ("step", "allowed"),
    [
        ("do: [{hold: true}]", False),
        ("do: [{hold: true}, {also_refer: crisis}]", True),
        ("do: [{move_to: crisis}]", True),
        ("do: [{hold: true}, {move_to: crisis}]", False),
        ("safety: false\n  do: [{hold: true}]", True),
        ("not_rules: [r1]\n  do: [{hold: true}]", True),
        ("do: [{priority: routine}]", False),
        ("open: true\n  do: [{hold: true}, {task: {code: update-open-team, priority: same, service: this}}]", True),
    ],
)
def test_a_step_cannot_mask_a_safety_rule(tmp_path: Path, step: str, allowed: bool):
    steps = f"- id: s1\n  title: S\n  sources: [{{document: d}}]\n  {step}\n"
    criteria = rule("{score: known}", more="safety: true")
    if allowed:
        tiny(tmp_path, criteria=criteria, steps=steps)
    else:
        with pytest.raises(ContentError, match=r"second_stage.yaml:1:3: .*(safety rule|nothing would be left)"):
            tiny(tmp_path, criteria=criteria, steps=steps)


def test_a_providers_values_take_the_place_of_the_packs(tmp_path: Path):
    home = (
        "provider: home\ntitle: H\ndestinations: {moderate: gp}\n"
        "parameters: {cut-off: 5, routine-days: [{from: 2020-01-01, value: 7}]}\n"
    )
    then = "[{refer: {service: parameters.destination-moderate, priority: routine}}]"
    pack = tiny(tmp_path, home=home, criteria=rule("{score: {gte: parameters.cut-off}}", then=then))
    (referral,) = pack.evaluate(known(score=5), AS_OF).referrals
    assert (referral.service, referral.end) == ("gp", date(2026, 3, 9))
