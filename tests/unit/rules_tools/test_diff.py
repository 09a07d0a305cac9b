"""Each kind of change in the tiny pack, in exact words; what changes nothing is not told."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent

import jsonschema_rs
import orjson
import pytest

from rules import ContentError
from rules.tools import PackDiff, Side, diff, load_side
from tests.unit.rules.tiny import AS_OF, PACK, SOURCES, rule, write

SCHEMA = orjson.loads((Path(__file__).parents[3] / "docs" / "schemas" / "rules-diff.json").read_bytes())


def compared(folder: Path, old: dict[str, str], new: dict[str, str], day: date = AS_OF) -> PackDiff:
    sides = [Side(name, write(folder / name, **files)) for name, files in (("a", old), ("b", new))]
    return diff(load_side(sides[0], day), load_side(sides[1], day))


def told(found: PackDiff) -> list[str]:
    """The differences, without the two sides and the count."""
    lines = list(found.lines())
    assert lines[:2] == ["A  tiny 1.2.3, home in a, on 2026-03-02", "B  tiny 1.2.3, home in b, on 2026-03-02"]
    return lines[3:-2]


def changed(folder: Path, name: str, old: str, new: str) -> list[str]:
    """What is told when ``old`` becomes ``new`` in one file of the tiny pack."""
    key = next(key for key in PACK if key.split("/")[-1].startswith(name) or key == name)
    before = dedent(PACK[key])
    assert before.count(old) == 1
    short = "criteria" if name == "a.yaml" else name
    return told(compared(folder, {}, {short: before.replace(old, new)}))


def test_a_threshold_shows_at_its_parameter_and_in_the_rule_that_uses_it(tmp_path: Path) -> None:
    assert changed(tmp_path, "parameters", "{from: 2026-01-01, value: 13}", "{from: 2026-02-01, value: 12}") == [
        "Rules",
        "~ r1: A high score",
        "    when: Score is at least 13 (cut-off) → Score is at least 12 (cut-off)",
        "",
        "Parameters",
        "~ cut-off: Cut-off",
        "    value: 13, in force from 2026-01-01 → 12, in force from 2026-02-01",
        "    used by: r1",
    ]


def test_a_value_that_counts_from_a_later_day_is_told_beside_the_one_of_today(tmp_path: Path) -> None:
    assert changed(
        tmp_path,
        "parameters",
        "{from: 2026-01-01, value: 13}]",
        "{from: 2026-01-01, value: 13}, {from: 2027-01-01, value: 14}]",
    ) == [
        "Parameters",
        "~ cut-off: Cut-off",
        "    later",
        "      + from 2027-01-01: 14",
        "    used by: r1",
    ]


def test_a_value_that_counted_before_the_day_is_no_difference(tmp_path: Path) -> None:
    assert changed(tmp_path, "parameters", "{from: 2020-01-01, value: 10}", "{from: 2020-01-01, value: 9}") == []


def test_a_parameter_also_says_its_label_unit_sources_and_that_it_is_to_be_confirmed(tmp_path: Path) -> None:
    old = "wait-days: {label: Wait, unit: days, values: [{from: 2020-01-01, value: 28}]}"
    new = "wait-days: {label: Waiting, unit: nights, confirm: true, source: {document: A paper, says: wait}, values: [{from: 2020-01-01, value: 28}]}"
    assert changed(tmp_path, "parameters", old, new) == [
        "Parameters",
        "~ wait-days: Waiting",
        "    value: 28 days, in force from 2020-01-01 → 28 nights, in force from 2020-01-01",
        "    label: Wait → Waiting",
        "    to be confirmed by a clinical safety officer: no → yes",
        "    sources",
        "      + A paper: wait",
    ]


def test_a_condition_shows_only_what_differs_below_its_headings(tmp_path: Path) -> None:
    old = rule("{any: [{score: {gte: 10}}, {all: [{item: {gte: 1}}, {ill: present}]}]}")
    new = rule("{any: [{score: {gte: 10}}, {all: [{item: {gte: 2}}, {ill: present}]}]}")
    assert told(compared(tmp_path, {"criteria": old}, {"criteria": new})) == [
        "Rules",
        "~ r1: Rule r1",
        "    when",
        "        any of",
        "          all of",
        "      -     Item is at least 1",
        "      +     Item is at least 2",
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("service: team", "service: therapies", "then: refer to Perinatal team (team), routine, within 14 days (routine-days) → refer to Talking therapies (therapies), routine, within 14 days (routine-days)"),
        ("priority: routine", "priority: urgent", "then: refer to Perinatal team (team), routine, within 14 days (routine-days) → refer to Perinatal team (team), urgent, within 2 working days"),
        ("priority: routine", "priority: routine, within: 1", "then: refer to Perinatal team (team), routine, within 14 days (routine-days) → refer to Perinatal team (team), routine, within 1 day"),
        ("priority: routine", "priority: stat", "then: refer to Perinatal team (team), routine, within 14 days (routine-days) → refer to Perinatal team (team), stat, the same day"),
    ],
    ids=["destination", "priority", "timeframe", "same-day"],
)  # fmt: skip
def test_what_a_rule_does(tmp_path: Path, old: str, new: str, line: str) -> None:
    base = rule("{score: {gte: 10}}", then="[{refer: {service: team, priority: routine}}]")
    found = told(compared(tmp_path, {"criteria": base}, {"criteria": base.replace(old, new)}))
    assert found == ["Rules", "~ r1: Rule r1", f"    {line}"]


def test_the_safety_mark_the_sources_the_window_and_the_asks_of_a_rule(tmp_path: Path) -> None:
    old = rule("{score: {gte: 10}}", more="safety: true")
    new = rule(
        "{score: {gte: 10}}",
        more="window: in_window\noutside: {service: gp}\nask: [{when: {item: missing}, task: ask-item, for: [item]}]\nvalid: {to: 2026-01-31}",
    ).replace("A document", "Another document")
    found = compared(tmp_path, {"criteria": old}, {"criteria": new})
    assert found.safety == ("r1",)
    assert list(found.lines())[2:-2] == [
        "!  This touches the safety rules r1",
        "",
        "Rules",
        "~ r1: Rule r1  ! SAFETY RULE",
        "    safety rule: yes → no",
        "    valid: always → to 2026-01-31, so not on this day",
        "    sources",
        "      - A document",
        "      + Another document",
        "    window: nothing → In the window",
        "    outside the window: nothing → GP (gp)",
        "    asks",
        "      + task ask-item, routine",
        "      +   asks for Item (item)",
        "      +   when",
        "      +     Item is missing",
    ]


def test_a_rule_that_is_added_and_one_that_is_removed_are_told_whole(tmp_path: Path) -> None:
    old, new = rule("{score: {gte: 10}}", "r-old"), rule("{item: {gte: 1}}", "r-new", more="safety: true")
    assert told(compared(tmp_path, {"criteria": old}, {"criteria": new}))[1:] == [
        "Rules",
        "+ r-new: Rule r-new  ! SAFETY RULE",
        "    title: Rule r-new",
        "    safety rule: yes",
        "    valid: always",
        "    when: Item is at least 1",
        "    then",
        "      refer to Perinatal team (team), routine, within 14 days (routine-days)",
        "        reason: because",
        "    sources: A document",
        "- r-old: Rule r-old",
        "    title: Rule r-old",
        "    safety rule: no",
        "    valid: always",
        "    when: Score is at least 10",
        "    then",
        "      refer to Perinatal team (team), routine, within 14 days (routine-days)",
        "        reason: because",
        "    sources: A document",
    ]


def test_facts(tmp_path: Path) -> None:
    assert changed(tmp_path, "facts", "range: [0, 3], ask: complete-item", "range: [0, 4], absent: unknown, ask: assess") == [
        "Facts",
        "~ item: Item",
        "    range: 0 to 3 → 0 to 4",
        "    not in the record means: not-met → unknown",
        "    is asked with: complete-item → assess",
    ]  # fmt: skip


def test_where_a_fact_is_read_from_with_the_value_of_its_parameter(tmp_path: Path) -> None:
    old = "gestation: {label: Gestation, type: days, from: {x: y}}"
    new = "gestation: {label: Gestation, type: days, from: {x: y, valid_days: parameters.wait-days, items: {count: 2, list: ones}}}"
    assert changed(tmp_path, "facts", old, new) == [
        "Facts",
        "~ gestation: Gestation",
        "    is read from",
        "      + items: count 2, list ones",
        "      + valid_days: 28 (wait-days)",
    ]


def test_a_derived_fact_names_the_rules_that_use_it(tmp_path: Path) -> None:
    criteria = rule("{score: {gte: 10}}", more="window: in_window")
    facts = dedent(PACK["facts.yaml"]).replace("{pregnant: present}, ", "")
    assert told(compared(tmp_path, {"criteria": criteria}, {"criteria": criteria, "facts": facts})) == [
        "Facts",
        "~ in_window: In the window",
        "    is true when",
        "      - any of",
        "      -   End of pregnancy is within the last 12 months (window-months)",
        "      -   Pregnant is present",
        "      + End of pregnancy is within the last 12 months (window-months)",
        "    used by: r1",
    ]


def test_code_lists_say_which_codes_came_and_went_whatever_their_order(tmp_path: Path) -> None:
    header = "system,code,display,source,mark,match,role\n"
    for name, rows in (
        ("a", "sct,1,One,x,V,,\nsct,2,Two,x,V,,\n"),
        ("b", "icd10,F5,Five,z,V,prefix,suspected\nsct,1,One,y,K,,\n"),
    ):
        path = write(tmp_path / name) / "codes" / "ones.csv"
        path.parent.mkdir()
        path.write_text(header + rows, encoding="utf-8")
    assert told(compared(tmp_path, {}, {})) == [
        "Codes",
        "~ ones",
        "    codes",
        "      - sct 2 Two",
        "      + icd10 F5 Five (prefix, suspected)",
    ]


def test_a_code_list_with_a_row_without_a_code_cannot_be_compared(tmp_path: Path) -> None:
    path = write(tmp_path / "b") / "codes" / "ones.csv"
    path.parent.mkdir()
    path.write_text("system,code\nsct,1\nsct,\n", encoding="utf-8")
    with pytest.raises(ContentError, match=r"ones\.csv:3:1: a row of a code list needs a system and a code"):
        compared(tmp_path, {}, {})


STEPS = f"""
- id: first
  title: First
  {SOURCES}
  when: {{age_years: {{lt: 16}}}}
  services: [team]
  do: [{{move_to: camhs}}, {{task: {{code: tell, priority: same, service: team, text: Look}}}}]
- id: second
  title: Second
  {SOURCES}
  safety: false
  open: true
  do: [{{hold: true}}]
"""


def test_the_second_stage(tmp_path: Path) -> None:
    new = (
        STEPS.replace("lt: 16", "lt: 18")
        .replace("camhs", "gp")
        .replace("services: [team]", "rules: [r1]\n  refused: true")
    )
    new = new.replace("open: true", "beside: {priority: asap}")
    assert told(compared(tmp_path, {"steps": STEPS}, {"steps": new})) == [
        "Second stage",
        "~ first: First",
        "    is about",
        "      - Referrals to: Perinatal team (team)",
        "      + Referrals of: r1",
        "      + Only where she does not consent to be referred to the service",
        "    when: Age is below 16 years → Age is below 18 years",
        "    does",
        "      - The referral goes to Young people's team (camhs) instead, at the same priority.",
        "      + The referral goes to GP (gp) instead, at the same priority.",
        "~ second: Second",
        "    is about",
        "      - Only where the service already has her",
        "      + Only beside another referral that is very urgent (asap) or more urgent",
    ]


def test_another_order_of_the_steps_is_a_difference(tmp_path: Path) -> None:
    first, second = STEPS.split("- id: second")
    assert told(compared(tmp_path, {"steps": STEPS}, {"steps": f"- id: second{second}{first}"})) == [
        "Second stage",
        "~ order: The order of the steps",
        "    order: first, then second → second, then first",
    ]


def test_a_step_that_reaches_a_safety_rule_says_so(tmp_path: Path) -> None:
    criteria = rule("{score: {gte: 10}}", more="safety: true")
    found = compared(
        tmp_path,
        {"criteria": criteria, "steps": STEPS},
        {"criteria": criteria, "steps": STEPS.replace("lt: 16", "lt: 18")},
    )
    assert found.safety == ("r1",)


def test_a_policy_that_does_not_count_on_the_day_offers_what_the_pack_does(tmp_path: Path) -> None:
    found = compared(
        tmp_path, {}, {"home": "provider: home\ntitle: Home\noffers: [team, gp]\nvalid: {from: 2026-04-01}\n"}
    )
    assert told(found) == [
        "Provider",
        "~ provider: Home",
        "    valid: always → from 2026-04-01, so not on this day",
    ]


def test_services_asks_pack_and_offers(tmp_path: Path) -> None:
    new = {
        "services": dedent(PACK["services.yaml"]).replace("crisis: {label: Crisis team, fallback: team}", "crisis: {label: Crisis, fallback: gp}"),
        "pack": dedent(PACK["pack.yaml"]).replace("1.2.3", "1.2.4").replace("asap: 1", "asap: 0").replace("ended_on: known", "ended_on: present"),
        "home": "provider: home\ntitle: Home\noffers: [team, gp]\nvalid: {from: 2026-01-01}\n",
        "asks": "- {id: look, title: Look, when: {ill: present}, task: look-again, text: Please, sources: [{document: A document}]}\n",
    }  # fmt: skip
    found = compared(tmp_path, {}, new)
    assert list(found.lines())[3:-2] == [
        "Pack",
        "~ pack: A tiny pack",
        "    version: 1.2.3 → 1.2.4",
        "    timeframes",
        "      - asap: within 1 day",
        "      + asap: the same day",
        "    outside the window when: End of pregnancy is known → End of pregnancy is present",
        "",
        "Provider",
        "~ provider: Home",
        "    valid: always → from 2026-01-01",
        "    does not offer",
        "      + Adult team (adult-team)",
        "      + Young people's team (camhs)",
        "      + Crisis (crisis)",
        "      + Talking therapies (therapies)",
        "",
        "Asks",
        "+ look: Look",
        "    title: Look",
        "    asks",
        "      task look-again, routine",
        "        text: Please",
        "        when",
        "          Ill is present",
        "    sources: A document",
        "",
        "Services",
        "~ crisis: Crisis",
        "    label: Crisis team → Crisis",
        "    where it is not offered: team → gp",
    ]


def test_comments_order_and_nesting_are_no_difference(tmp_path: Path) -> None:
    old = rule("{any: [{score: {gte: 10, lt: 20}}, {item: {gte: 1}}, {ill: present}]}")
    new = "# a remark\n" + rule("{any: [{ill: present}, {any: [{item: {gte: 1}}, {score: {lt: 20, gte: 10}}]}]}")
    parameters = "\n".join(reversed(dedent(PACK["parameters.yaml"]).strip().splitlines()))
    found = compared(tmp_path, {"criteria": old}, {"criteria": new, "parameters": parameters})
    assert found.changes == ()
    assert list(found.lines())[-1] == "no difference"


def test_two_days_of_one_pack(tmp_path: Path) -> None:
    folder = write(tmp_path)
    found = diff(load_side(Side("", folder, day=date(2025, 12, 31)), AS_OF), load_side(Side("", folder), AS_OF))
    assert list(found.lines())[3:] == [
        "Rules",
        "~ r1: A high score",
        "    when: Score is at least 10 (cut-off) → Score is at least 13 (cut-off)",
        "",
        "Parameters",
        "~ cut-off: Cut-off",
        "    value: 10, in force from 2020-01-01 → 13, in force from 2026-01-01",
        "    used by: r1",
        "",
        "2 differences",
    ]


def test_two_providers_of_one_pack(tmp_path: Path) -> None:
    folder = write(tmp_path)
    policy = "provider: away\ntitle: Away\nparameters: {cut-off: 11, wait-days: 28}\ndestinations: {moderate: gp}\n"
    (folder / "providers" / "away.yaml").write_text(policy, encoding="utf-8")
    found = diff(load_side(Side("", folder), AS_OF), load_side(Side("", folder, "away"), AS_OF))
    assert list(found.lines())[1:] == [
        f"B  tiny 1.2.3, away in {tmp_path.name}, on 2026-03-02",
        "",
        "Provider",
        "~ provider: Away",
        "    name: home → away",
        "    title: Home → Away",
        "",
        "Rules",
        "~ r1: A high score",
        "    when: Score is at least 13 (cut-off) → Score is at least 11 (cut-off)",
        "",
        "Parameters",
        "~ cut-off: Cut-off",
        "    value: 13, in force from 2026-01-01 → 11, the provider's own",
        "    used by: r1",
        "~ destination-moderate: Where moderate illness goes",
        "    value: therapies, in force from 2020-01-01 → gp, the provider's own",
        "",
        "4 differences",
    ]


def test_a_day_on_which_a_parameter_has_no_value_yet_is_said(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="has no value on 2019-06-01"):
        compared(tmp_path, {}, {}, date(2019, 6, 1))


def test_the_data_has_the_documented_form(tmp_path: Path) -> None:
    old, new = rule("{score: {gte: 10}}", "r-old"), rule("{item: {gte: 1}}", "r-new", more="safety: true")
    found = compared(tmp_path, {"criteria": old, "steps": STEPS}, {"criteria": new}).json()
    jsonschema_rs.validator_for(SCHEMA).validate(found)
    assert [(each["section"], each["id"], each["change"]) for each in found["changes"]] == [
        ("rules", "r-new", "added"),
        ("rules", "r-old", "removed"),
        ("second stage", "first", "removed"),
        ("second stage", "second", "removed"),
    ]
    assert found["safety"] == ["r-new"]
