"""What differs between two service directories, in exact words."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import jsonschema_rs

from rules.tools import PackDiff, Side, diff, load_side
from tests.unit.rules.tiny import AS_OF, rule, write
from tests.unit.rules_tools.test_diff import SCHEMA, told

TEAM = """
  - service: team
    name: East team
    ods: ZZ9E
    dos: "0000000001"
    telephone: 000 0000 0000
    area: {practices: [ZZ9001, ZZ9002], postcodes: [ZZ98]}
    hours: [{days: [mon, tue], from: "09:00", to: "17:00"}]
"""
CRISIS = """
  - service: crisis
    name: Crisis
    area: {everywhere: true}
"""
SAFE = rule("{item: known}", "r1", "[{refer: {service: crisis, priority: asap}}]", "safety: true") + (
    rule("{score: known}", "r2", "[{refer: {service: team, priority: routine}}]")
)
HEAD = "provider: home\nsources: [{document: Extract, version: 1}]\nicbs: {ZZ9: [ZZ9001, ZZ9002]}\nservices:"


def side(folder: Path, *entries: str, head: str = HEAD, provider: str = "", day: date | None = None) -> Side:
    write(folder, criteria=SAFE)
    (folder / "directory").mkdir(exist_ok=True)
    (folder / "directory" / "home.yaml").write_text(head + "".join(entries), encoding="utf-8")
    (folder / "providers" / "away.yaml").write_text("provider: away\ntitle: Away\n", encoding="utf-8")
    return Side(folder.name, folder, provider, day)


def compared(old: Side, new: Side) -> PackDiff:
    return diff(load_side(old, AS_OF), load_side(new, AS_OF))


def test_a_team_that_came_says_everything_and_whose_referrals_it_takes(tmp_path: Path) -> None:
    found = compared(side(tmp_path / "a", CRISIS), side(tmp_path / "b", CRISIS, TEAM))
    assert told(found) == [
        "Directory",
        "+ home/team/East team: Perinatal team (team), East team",
        "    provider: home",
        "    takes referrals: of its own provider, home",
        "    covers",
        "      GP practice ZZ9001",
        "      GP practice ZZ9002",
        "      postcode ZZ98",
        "    ODS code: ZZ9E",
        "    DoS id: 0000000001",
        "    telephone: 000 0000 0000",
        "    opening hours: mon, tue 09:00–17:00",
        "    valid: always",
        "    used by: r2",
    ]
    assert found.safety == ()


def test_a_team_that_went_touches_the_safety_rules_that_refer_there(tmp_path: Path) -> None:
    found = compared(side(tmp_path / "a", CRISIS, TEAM), side(tmp_path / "b", TEAM))
    assert list(found.lines())[2] == "!  This touches the safety rules r1"
    assert [(each.section, each.id, each.change) for each in found.changes] == [
        ("directory", "home/crisis/Crisis", "removed")
    ]
    assert found.safety == ("r1",)
    jsonschema_rs.validator_for(SCHEMA).validate(found.json())


def test_each_thing_that_changed_of_a_team(tmp_path: Path) -> None:
    new = (
        TEAM.replace("ZZ9002]", "ZZ9003]")
        .replace("ZZ9E", "ZZ9F")
        .replace("0000000001", "0000000002")
        .replace("17:00", "16:00")
        .replace("000 0000 0000", "000 0000 0001")
    )
    assert told(compared(side(tmp_path / "a", TEAM), side(tmp_path / "b", new))) == [
        "Directory",
        "~ home/team/East team: Perinatal team (team), East team",
        "    covers",
        "      - GP practice ZZ9002",
        "      + GP practice ZZ9003",
        "    ODS code: ZZ9E → ZZ9F",
        "    DoS id: 0000000001 → 0000000002",
        "    telephone: 000 0000 0000 → 000 0000 0001",
        "    opening hours: mon, tue 09:00–17:00 → mon, tue 09:00–16:00",
        "    used by: r2",
    ]


def test_the_practices_of_a_board_and_the_sources(tmp_path: Path) -> None:
    head = HEAD.replace("ZZ9002]}", "ZZ9003]}").replace("version: 1", "version: 2")
    assert told(compared(side(tmp_path / "a", TEAM), side(tmp_path / "b", TEAM, head=head))) == [
        "Directory",
        "~ board ZZ9: The practices of a board",
        "    practices",
        "      - ZZ9002",
        "      + ZZ9003",
        "~ sources: Where the directory comes from",
        "    sources",
        "      - Extract (1)",
        "      + Extract (2)",
    ]


def test_another_provider_is_routed_to_these_teams_from_outside(tmp_path: Path) -> None:
    found = compared(side(tmp_path / "a", TEAM), side(tmp_path / "a", TEAM, provider="away"))
    changes = {each.id: [(one.before, one.after) for one in each.aspects] for each in found.changes}
    assert changes["home/team/East team"] == [
        (("of its own provider, home",), ("of other providers, by her GP practice alone",))
    ]
    routed = next(one for one in found.changes if one.section == "provider").aspects
    assert [(each.before, each.after) for each in routed if each.name == "teams"] == [
        (("by the directory",), ("none in the directory: referrals name the kind of service alone",))
    ]


def test_two_entries_of_one_name_are_told_apart_and_the_day_counts(tmp_path: Path) -> None:
    old = TEAM + "    valid: {to: 2026-03-31}\n" + TEAM.replace("ZZ98", "ZZ97") + "    valid: {from: 2026-04-01}\n"
    new = old.replace("ZZ97", "ZZ96")
    found = compared(side(tmp_path / "a", old), side(tmp_path / "b", new))
    assert [each.id for each in found.changes] == ["home/team/East team from 2026-04-01"]
    later = diff(load_side(side(tmp_path / "a", old), AS_OF), load_side(side(tmp_path / "a", old), date(2026, 4, 1)))
    assert [(each.id, [one.name for one in each.aspects]) for each in later.changes] == [
        ("home/team/East team", ["valid"]),
        ("home/team/East team from 2026-04-01", ["valid"]),
    ]


def test_the_order_of_entries_and_of_files_is_no_difference(tmp_path: Path) -> None:
    other = side(tmp_path / "b", CRISIS)
    (tmp_path / "b" / "directory" / "more.yaml").write_text(HEAD + TEAM, encoding="utf-8")
    assert compared(side(tmp_path / "a", TEAM, CRISIS), other).changes == ()


def test_a_directory_of_the_settings_stands_for_both(tmp_path: Path) -> None:
    a, b = side(tmp_path / "a", TEAM), side(tmp_path / "b", CRISIS)
    path = tmp_path / "a" / "directory"
    assert diff(load_side(a, AS_OF, directory=path), load_side(b, AS_OF, directory=path)).changes == ()
