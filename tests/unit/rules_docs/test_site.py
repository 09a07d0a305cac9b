"""What the pages say: held against a small pack whose pages were worked out by hand, and against the shipped pack."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Mapping
from datetime import date
from html import unescape
from pathlib import Path
from shutil import copytree

import pytest

from rules import LIBRARY, ContentError, load_pack, load_yaml
from rules.tools import measure
from rules.tools.docs import site, write_site
from tests.unit.rules.tiny import rule, write
from tests.unit.rules_docs.pages import elements, of, table, text

AS_OF = date(2026, 3, 2)
RULE = """
- id: s1
  title: A safety rule
  safety: true
  sources: [{document: A guideline, section: "1.2", says: the same day, confidence: K-high}]
  window: in_window
  when:
    any:
      - all: [{item: {gte: 1, lt: 3}}, {unless: {ill: present}}]
      - started_on: {days_after: {fact: ended_on, gte: 7}}
      - ended_on: {days_ago: {lte: 90}}
      - score: {older: {gte: parameters.cut-off}}
      - weight: missing
  then:
    - refer: {service: parameters.destination-moderate, priority: asap, text: See her today}
    - when: {pregnant: absent}
      refer: {service: team, priority: routine, within: 10, working: true, start: {fact: ended_on, plus_days: parameters.wait-days}}
    - task: {code: seek-consent, priority: urgent, service: gp, for: [item], text: Ask her}
    - flag: {code: postpartum-watch}
    - issue: {code: suppressed, severity: information, text: Something is said}
  outside: {service: adult-team, within: 5}
  ask:
    - when: {score: missing}
      task: complete-epds
      priority: asap
      for: [score]
"""


def page(folder: Path, name: str = "rule-s1.html", **files: str) -> str:
    return site(write(folder, **{"criteria": RULE, **files}), AS_OF)[name]


def test_the_criteria_are_a_list_in_the_words_of_the_facts(tmp_path: Path):
    words = text(page(tmp_path))
    assert "It looks at a person of whom this holds: In the window: yes and it is met where, besides: any of" in words
    for criterion in (
        "all of Item: at least 1 and below 3 unless it is certain that Ill: yes",
        "Start of pregnancy: at least 7 days after End of pregnancy",
        "End of pregnancy: at most 90 days ago",
        "an earlier value, too old to count Score: at least 13 (cut-off)",
        "Weight: not on record",
    ):
        assert criterion in words


def test_the_decision_table_says_what_happens_how_soon_and_where(tmp_path: Path):
    assert table(page(tmp_path), "Decision table") == [
        ["Met", "Refer See her today", "very urgent (asap), within 1 day", "Talking therapies (destination-moderate)"],
        [
            "Met, and Pregnant: no",
            "Refer",
            "routine, within 10 working days, counted from 28 days after End of pregnancy (wait-days)",
            "Perinatal team",
        ],
        ["Met", "Task: Seek consent: Item Ask her", "urgent", "GP"],
        ["Met", "Alert: Postpartum watch", "–", "–"],
        ["Met", "Note in the result Something is said", "–", "–"],
        [
            "Criteria met, outside the window, and End of pregnancy: on record",
            "Refer to the lighter service, and say that she is outside the window",
            "the priority it would have had, within 5 days",
            "Adult team",
        ],
        ["Cannot tell", "Task: Confirm pregnancy status: Pregnant", "very urgent (asap)", "–"],
        ["Cannot tell", "Task: Complete item: Item", "very urgent (asap)", "–"],
        [
            "Cannot tell",
            "Said in the result as missing; with a warning where this rule asks for nothing else: End of pregnancy; Start of pregnancy",
            "–",
            "–",
        ],
        ["Not met", "Nothing. A value that is too old to count is said, and fires nothing.", "–", "–"],
    ]


def test_what_is_asked_whether_the_rule_is_met_or_not_has_a_table_of_its_own(tmp_path: Path):
    assert table(page(tmp_path), "Tasks that s1") == [
        ["Score: not on record", "Task: Complete epds: Score", "very urgent (asap)"]
    ]


def test_a_rule_that_is_no_safety_rule_goes_outside_at_urgent_at_the_most(tmp_path: Path):
    (row,) = [
        row
        for row in table(page(tmp_path, criteria=RULE.replace("safety: true", "safety: false")), "Decision table")
        if "outside" in row[0]
    ]
    assert row[2] == "the priority it would have had, urgent at the most, within 5 days"


def test_the_parameters_behind_a_rule_are_those_of_its_conditions_times_places_and_facts(tmp_path: Path):
    rows = table(page(tmp_path), "Thresholds")
    assert [row[0].rpartition(" ")[2] for row in rows] == [
        "cut-off",
        "window-months",
        "wait-days",
        "destination-moderate",
    ]
    assert [row[1] for row in rows] == ["13", "12 months", "28 days", "therapies"]


@pytest.mark.parametrize(("day", "value", "other"), [("2025-12-31", "10", "13"), ("2026-01-01", "13", "10")])
def test_the_value_of_the_day_counts_and_the_others_stay_to_be_read(tmp_path: Path, day: str, value: str, other: str):
    files = site(write(tmp_path), date.fromisoformat(day))
    assert f"Score: at least {value} (cut-off)" in text(files["rule-r1.html"])
    (row,) = [row for row in table(files["parameters.html"], "The 6 parameters") if row[0].endswith(" cut-off")]
    assert row[1] == "10, from 1 January 2020 13, from 1 January 2026"
    strong = [e.text for e in of(files["parameters.html"], "strong")]
    assert value in strong
    assert other not in strong


def test_before_a_parameters_first_value_there_are_no_pages(tmp_path: Path):
    with pytest.raises(ContentError, match="has no value on 2019-12-31"):
        site(write(tmp_path), date(2019, 12, 31))


def test_a_providers_own_values_are_said_to_be_its_own(tmp_path: Path):
    home = "{provider: home, title: Home, parameters: {cut-off: 11}, offers: [team, gp]}"
    files = site(write(tmp_path, home=home), AS_OF)
    assert "Score: at least 11 (cut-off)" in text(files["rule-r1.html"])
    (row,) = [row for row in table(files["parameters.html"], "The 6 parameters") if row[0].endswith(" cut-off")]
    assert row[1] == "11 the provider's own"
    offered = {row[0]: row[1] for row in table(files["services.html"], "The 6 services")}
    assert (offered["Crisis team crisis"], offered["Perinatal team team"]) == ("no", "yes")
    assert "cut-off: 11" in text(files["pack.html"])


def test_a_step_may_touch_a_rule_only_where_it_can_reach_its_referrals(tmp_path: Path):
    steps = """
    - {id: moved, title: Moved, sources: [{document: d}], services: [therapies], do: [{move_to: camhs}]}
    - {id: later, title: Later, sources: [{document: d}], services: [camhs], do: [{note: x}]}
    - {id: elsewhere, title: Elsewhere, sources: [{document: d}], services: [crisis], do: [{note: x}]}
    - {id: never-safety, title: Never, sources: [{document: d}], safety: false, do: [{hold: true}]}
    - {id: others, title: Others, sources: [{document: d}], not_rules: [s1], do: [{note: x}]}
    - {id: lighter, title: Lighter, sources: [{document: d}], services: [adult-team], do: [{note: x}]}
    """
    found = page(tmp_path, steps=steps)
    links = [e.attributes["href"] for e in of(found, "a") if e.attributes["href"].startswith("after.html#")]
    assert links == [f"after.html#{step}" for step in ("moved", "later", "lighter", "fall_back", "when_closed")]


def test_a_step_is_said_in_words(tmp_path: Path):
    steps = """
    - id: both
      title: Both
      sources: [{document: d}]
      when: {age_years: {lt: 18}}
      rules: [r1]
      safety: false
      beside: {priority: urgent}
      open: true
      refused: true
      do:
        - also_refer: camhs
        - priority: routine
          within: 3
        - start_now: true
        - task: {code: update-open-team, priority: same, service: this, text: Tell them}
        - task: {code: seek-consent, priority: urgent, service: gp}
        - hold: true
        - note: Words for her
        - flag: {code: safeguarding-concern}
        - issue: {code: suppressed, severity: information, text: It is held back}
    """
    words = text(site(write(tmp_path, steps=steps), AS_OF)["after.html"])
    for sentence in (
        "Where Age: below 18 years",
        "Referrals of: r1",
        "Never those of safety rules",
        "Only beside another referral that is urgent or more urgent",
        "Only where the service already has her",
        "Only where she does not consent to be referred to the service",
        "She is also referred to Young people's team (camhs), at the same priority.",
        "The referral is routine at the most, within 3 days.",
        "The referral starts at once.",
        "Task: Update open team (update-open-team), to the service, the referral's priority. It says: Tell them",
        "Task: Seek consent (seek-consent), to GP (gp), urgent.",
        "The referral is held back.",
        "The referral says: Words for her",
        "Alert: Safeguarding concern (safeguarding-concern).",
        "The result says (suppressed, information): It is held back",
    ):
        assert sentence in words


def test_a_named_condition_that_is_asked_for_as_a_whole_stands_for_what_is_behind_it(tmp_path: Path):
    facts = """
        a: {label: A, type: boolean, absent: unknown, ask: ask-a, from: {x: y}}
        b: {label: B, type: boolean, absent: unknown, ask: ask-b, from: {x: y}}
        whole: {label: Whole, type: boolean, ask: ask-whole, ask_text: All of it, derive: {any: [{a: present}]}}
        parts: {label: Parts, type: boolean, derive: {any: [{b: present}]}}
        quiet: {label: Quiet, type: boolean, ask: ask-quiet, from: {x: y}}
    """
    when = "{all: [{whole: present}, {parts: present}, {unless: {quiet: present}}, {quiet: missing}]}"
    pack = "{name: tiny, version: '1', title: T, default_provider: home, timeframes: {routine: 14}}"
    files = site(write(tmp_path, facts=facts, pack=pack, criteria=rule(when)), AS_OF)
    unknown = [row[1] for row in table(files["rule-r1.html"], "Decision table") if row[0] == "Cannot tell"]
    assert unknown == ["Task: Ask whole: Whole All of it", "Task: Ask b: B"]


def test_a_test_is_shown_with_every_fact_and_every_expectation(tmp_path: Path):
    write(tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "t.yaml").write_text(
        """
- name: everything at once
  as_of: 2026-03-02
  provider: home
  given: {score: {value: 13, on: 2026-02-20}, item: {older: 2, on: 2025-01-01}, pregnant: absent, ill: unknown,
          gestation: {low: 195, high: 196}, ended_on: 2026-01-01, open_services: [team, crisis]}
  expect: {fired: [r1], not_fired: [], referrals: {team: routine}, exactly_referrals: {team: routine}, no_referrals: [gp],
           starts: {team: 2026-03-02}, ends: {team: 2026-03-16}, notes: {team: a word}, no_notes: {team: no word},
           tasks: [seek-consent], task_priorities: {seek-consent: urgent}, no_flags: [postpartum-watch], issues: [suppressed]}
- name: of no rule
  as_of: 2026-03-02
  given: {}
  expect: {exactly_referrals: {}}
""",
        encoding="utf-8",
    )
    files = site(tmp_path, AS_OF)
    ((name, given, expected),) = table(files["rule-r1.html"], "Tests that name r1: 1")
    assert name == "everything at once on 2026-03-02, for home"
    for words in (
        "Score: 13, recorded 2026-02-20",
        "Item: only 2 of 2025-01-01, too old to count",
        "Pregnant: not in the record",
        "Ill: unknown",
        "Gestation: between 195 and 196 days (27+6 to 28+0 weeks)",
        "End of pregnancy: 2026-01-01",
        "Open services: crisis, team",
    ):
        assert words in given
    for words in (
        "r1 fires",
        "a referral to Perinatal team: routine",
        "these referrals and no others: Perinatal team: routine",
        "no referral to GP",
        "the referral to Perinatal team starts on 2026-03-02",
        "the referral to Perinatal team ends on 2026-03-16",
        "the referral to Perinatal team says “a word”",
        "the referral to Perinatal team does not say “no word”",
        "task: Seek consent",
        "task, urgent: Seek consent",
        "no alert: Postpartum watch",
        "note in the result: suppressed",
    ):
        assert words in expected
    assert [row[0] for row in table(files["after.html"], "Tests that name no rule: 1")] == ["of no rule on 2026-03-02"]


def test_coverage_is_beside_the_tests_and_what_is_not_seen_is_named(tmp_path: Path):
    write(tmp_path)
    (tmp_path / "tests").mkdir()
    test = "- {name: a, as_of: 2026-03-02, given: {score: 13}, expect: {fired: [r1]}}"
    (tmp_path / "tests" / "t.yaml").write_text(test, encoding="utf-8")
    files = site(tmp_path, AS_OF, report=measure(tmp_path))
    words = text(files["rule-r1.html"])
    assert "The tests have seen 2 of 6 of what this rule can come to" in words
    assert "the rule: must not fire" in words
    assert "was not measured" in text(site(tmp_path, AS_OF)["rule-r1.html"])


def test_what_is_to_be_confirmed_is_whatever_nobody_has_read_in_print(tmp_path: Path):
    write(
        tmp_path,
        parameters="""
            cut-off: {label: Cut-off, confirm: true, source: {document: d, confidence: V}, values: [{from: 2020-01-01, value: 10}]}
            window-months: {label: Window, unit: months, source: {document: d, confidence: "V: a page; K-med others"}, values: [{from: 2020-01-01, value: 12}]}
            routine-days: {label: Routine, source: {document: d, confidence: "V: a page"}, values: [{from: 2020-01-01, value: 14}]}
            wait-days: {label: Wait, values: [{from: 2020-01-01, value: 28}]}
            bank-holidays: {label: Days, source: {document: d, confidence: V}, values: [{from: 2020-01-01, value: []}]}
            destination-moderate: {label: Where, source: {document: d}, values: [{from: 2020-01-01, value: therapies}]}
        """,
        home="{provider: home, title: Home, sources: [{document: d, confidence: V}]}",
    )
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "illness.csv").write_text(
        "system,code,display,source,mark,match,role\nsct,1,Sure,a list,V,,\nicd10,F53,Unsure,a list,K-high,prefix,\n"
    )
    rows = table(site(tmp_path, AS_OF)["confirm.html"], "6 items")
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("Parameter Cut-off cut-off", "10", "marked for confirmation"),
        ("Parameter Window window-months", "12 months", "V: a page; K-med others"),
        ("Parameter Wait wait-days", "28", "no source"),
        ("Parameter Where destination-moderate", "therapies", "no mark"),
        ("Rule A high score r1", "rule", "no mark"),
        ("Code list Codes of illness illness", "icd10 F53 Unsure", "K-high"),
    ]


def test_a_rules_page_has_the_codes_by_which_its_facts_are_recognised(shipped: Mapping[str, str]):
    rows = dict(table(shipped["rule-r17-valproate-in-pregnancy.html"], "The codes"))
    assert "sct 84757009 Epilepsy (disorder)" in rows["epilepsy"]
    assert "icd10 F20 and its family" in rows["severe-mental-illness"]
    assert "tokophobia" not in rows


def test_whoever_signs_has_room_for_it(tmp_path: Path):
    files = site(write(tmp_path), AS_OF)
    rows = table(files["confirm.html"], "Who signs")
    assert [row[0] for row in rows] == [
        "Decision",
        "Name",
        "Role, and registration",
        "Organisation",
        "Date",
        "Signature",
    ]


def test_the_hash_is_what_the_printed_command_prints_and_changes_with_any_byte(tmp_path: Path):
    folder = write(tmp_path / "pack")

    def shown() -> str:
        files = site(folder, AS_OF)
        hashes = {e.text for e in of(files["pack.html"], "code") if e.attributes.get("class") == "hash"}
        (command,) = [e.text for e in of(files["pack.html"], "pre")]
        printed = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=True).stdout
        found: str = printed.split()[0]
        assert found in hashes
        assert all(found[:16] in page for name, page in files.items() if name.endswith(".html"))
        assert found in text(files["confirm.html"])
        return found

    first = shown()
    (folder / "notes.txt").write_text("no content")
    assert shown() == first
    services = folder / "services.yaml"
    services.write_bytes(services.read_bytes() + b"# a remark\n")
    assert shown() != first


def test_pages_of_rules_that_are_gone_are_taken_away_and_nothing_else(tmp_path: Path):
    out = tmp_path / "out"
    write_site(page_files(tmp_path, RULE), out)
    (out / "rule-mine.html").write_text("my own page")
    (out / "notes.html").write_text("my own page")
    write_site(page_files(tmp_path, rule("{ill: present}")), out)
    assert {path.name for path in out.glob("*") if path.name.startswith(("rule-", "notes"))} == {
        "rule-r1.html",
        "rule-mine.html",
        "notes.html",
    }


def page_files(folder: Path, criteria: str) -> Mapping[str, str]:
    return site(write(folder / "pack", criteria=criteria), AS_OF)


@pytest.fixture(scope="module")
def shipped() -> Mapping[str, str]:
    return site(LIBRARY, AS_OF)


def test_nothing_of_the_shipped_pack_is_left_out(shipped: Mapping[str, str]):
    pack = load_pack()
    pack.close()
    content = pack.content
    pages = {name: unescape(page) for name, page in shipped.items()}
    for each in content.rules:
        assert each.title in pages[f"rule-{each.id}.html"]
        for source in each.sources:
            assert source.document in pages[f"rule-{each.id}.html"]
            assert source.says in pages[f"rule-{each.id}.html"]
    ids = {
        name: {e.attributes.get("id") for e in elements(page)} for name, page in shipped.items() if name != "style.css"
    }
    assert set(content.facts) <= ids["facts.html"]
    assert set(content.parameters) <= ids["parameters.html"]
    assert set(content.services) <= ids["services.html"]
    assert {step.id for step in content.steps} | {ask.id for ask in content.asks} <= ids["after.html"]
    for path in (LIBRARY / "codes").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            assert all(
                row["code"] in pages["codes.html"] and row["display"] in pages["codes.html"]
                for row in csv.DictReader(file)
            )
    cells = {e.text for name in shipped if name.startswith(("rule-", "after")) for e in of(shipped[name], "th")}
    for path in (LIBRARY / "tests").glob("*.yaml"):
        for test in load_yaml(path).data:
            assert any(cell.startswith(" ".join(test["name"].split())) for cell in cells), test["name"]


def test_every_mark_of_domain_knowledge_in_the_shipped_pack_is_on_the_sheet(shipped: Mapping[str, str]):
    sheet = text(shipped["confirm.html"])
    marked = 0
    for path in sorted(LIBRARY.rglob("*.yaml")):
        if path.parent.name != "tests":
            for line in path.read_text(encoding="utf-8").splitlines():
                if "K-" in line and "confidence" in line:
                    mark = line.partition("confidence:")[2].strip().strip('"')[:5]
                    assert mark.rstrip('"}] ') in sheet, f"{path.name}: {line}"
                    marked += 1
    assert marked > 20
    pack = load_pack()
    pack.close()
    for name, parameter in pack.parameters.items():
        assert not parameter.confirm or name in sheet


def test_no_key_of_from_in_the_shipped_pack_is_without_words(shipped: Mapping[str, str]):
    words = text(shipped["facts.html"])
    for raw in (
        "valid_days",
        "older_days",
        "closed_by",
        "zero_total",
        "flag_score:",
        "pick:",
        "when:",
        "state:",
        "date:",
    ):
        assert raw not in words


def test_only_safety_rules_are_marked_as_such(shipped: Mapping[str, str]):
    marked = [e.text for e in of(shipped["index.html"], "th") if "Safety rule" in e.text]
    assert [each.rpartition(" ")[2][:3] for each in marked] == ["r01", "r02", "r03", "r04"]


def test_a_copy_of_the_shipped_pack_has_the_same_pages(shipped: Mapping[str, str], tmp_path: Path):
    assert site(copytree(LIBRARY, tmp_path / "copy"), AS_OF) == shipped
