"""Real records under the shipped pack and changed copies of it. Who must change is worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from adapter.errors import CannotStart
from adapter.simulate import Simulation
from adapter.simulate import cohort as cohorts
from rules import LIBRARY, ContentError
from tests.e2e.console import ROOT
from tests.samples import LOCAL, concept, observation
from tests.unit.simulate.builders import changes, cohort, edit, mother, pack, provider, simulated

FIXTURES = ROOT / "fixtures"
THERAPIES = "talking-therapies routine"


@pytest.fixture
def mothers(tmp_path: Path) -> Path:
    return cohort(tmp_path / "cohort", **{f"epds-{score:02}": mother(score) for score in range(8, 15)})


def test_the_same_pack_changes_nothing(mothers: Path) -> None:
    found = simulated(mothers, "")
    assert found.changed == ()
    assert found.summary == "7 records, 0 changed; referrals: none differ"
    assert found.exit_code == 0
    assert [(each.service, each.a, each.b) for each in found.counts] == [("talking-therapies", 5, 5)]


def test_a_threshold_one_higher_loses_exactly_those_on_it(mothers: Path, tmp_path: Path) -> None:
    found = simulated(mothers, str(pack(tmp_path / "b", epds_possible="11")))
    assert changes(found) == [("epds-10.json", "lost", THERAPIES, "")]
    (person,) = found.changed
    assert [(each.rule, each.a, each.b) for each in person.compared.rules] == [
        ("r10-mild-to-moderate-depression-or-anxiety", "fired", "not-fired")
    ]
    (reason,) = person.compared.reasons
    epds = "Edinburgh Postnatal Depression Scale, total is at least"
    known = "the record says 10, recorded 2026-02-20; threshold from parameter epds-possible, in force from 2024-01-01."
    assert reason.a == (f"{epds} 10: met; {known}",)
    assert reason.b == (f"{epds} 11: not met; {known}",)
    assert not person.compared.alarm
    assert [(each.a, each.b, each.difference) for each in found.counts] == [(5, 4, -1)]


def test_a_threshold_one_lower_finds_exactly_those_below(mothers: Path, tmp_path: Path) -> None:
    found = simulated(mothers, str(pack(tmp_path / "b", epds_possible="9")))
    assert changes(found) == [("epds-09.json", "new", "", THERAPIES)]


def test_of_the_fixtures_only_the_one_with_an_epds_of_ten_loses_its_referral(tmp_path: Path) -> None:
    """EPDS of 10 to 12 in fixtures/: 13 and 38 have 11; 43, 46 and 61 have 12; 45 has 10."""
    found = simulated(FIXTURES, str(pack(tmp_path / "b", epds_possible="11")))
    assert changes(found) == [("45-self-harm-answer-assessed", "lost", THERAPIES, "")]
    assert [each.name for each in found.changed] == ["45-self-harm-answer-assessed"]


def test_of_the_fixtures_those_with_an_epds_of_twelve_change_their_rule_and_keep_their_referral(tmp_path: Path) -> None:
    """From 12 on R09 takes the place of R10; both send to the same service. In 43 she does not consent."""
    found = simulated(FIXTURES, str(pack(tmp_path / "b", epds_probable="12")))
    moderate, mild = "r09-moderate-depression-or-anxiety", "r10-mild-to-moderate-depression-or-anxiety"
    assert {
        person.name: [(each.rule, each.a, each.b) for each in person.compared.rules] for person in found.changed
    } == {
        "43-no-consent-and-item-ten": [(moderate, "not-fired", "suppressed"), (mild, "suppressed", "not-fired")],
        "46-tokophobia-beside-an-emergency": [(moderate, "not-fired", "fired"), (mild, "fired", "not-fired")],
        "61-vendor-due-on-the-31-of-february": [(moderate, "not-fired", "fired"), (mild, "fired", "not-fired")],
    }
    assert changes(found) == []


def test_what_cannot_be_decided_on_either_side_is_shown_and_fails() -> None:
    found = simulated(FIXTURES, "")
    assert [person.name for person in found.failed] == [
        "05-epds-on-the-newborn",
        "06-message-cut-off",
        "07-batch-with-one-broken-message, record 2",
        "63-vendor-two-mothers-and-a-row-of-nobody, record 2",
    ]
    assert found.exit_code == 1
    assert found.changed == ()


def test_a_lost_safety_referral_stands_first_and_is_marked(tmp_path: Path) -> None:
    folder = cohort(tmp_path / "cohort", a=mother(10), b=mother(9, 1), c=mother(9, 2))
    found = simulated(folder, str(pack(tmp_path / "b", self_harm_item_gp="2", epds_possible="11")))
    assert changes(found) == [("b.json", "lost", "gp asap", ""), ("a.json", "lost", THERAPIES, "")]
    assert [person.name for person in found.alarms] == ["b.json"]
    first, other = found.json()["changes"]
    assert (first["safety"], other["safety"]) == (True, False)
    assert first["referrals"][0]["safety_rules"] == ["r03-any-self-harm-answer"]


def test_a_safety_referral_that_comes_later_is_marked_too(tmp_path: Path) -> None:
    folder = cohort(tmp_path / "cohort", a=mother(9, 2))
    found = simulated(folder, str(pack(tmp_path / "b", same_day_days="1")))
    assert changes(found) == [("a.json", "later", "crisis-team asap", "crisis-team asap")]
    assert [person.name for person in found.alarms] == ["a.json"]
    (reason,) = found.changed[0].compared.reasons
    assert reason.packs
    assert any(
        "+ refer to Crisis resolution and home treatment team" in line and "within 1 day" in line
        for line in reason.packs
    )


def test_sooner_and_elsewhere_say_what_the_packs_do_differently(tmp_path: Path) -> None:
    folder = cohort(tmp_path / "cohort", mild=mother(10), moderate=mother(13))
    other = pack(tmp_path / "b", destination_mild_moderate="gp", routine_days="10")
    found = simulated(folder, str(other))
    assert changes(found) == [
        ("mild.json", "elsewhere", THERAPIES, "gp routine"),
        ("moderate.json", "sooner", THERAPIES, THERAPIES),
    ]
    assert "parameters" not in found.changed[1].compared.reasons[0].packs
    assert any("within 10 days (routine-days)" in line for line in found.changed[1].compared.reasons[0].packs)


def test_a_provider_is_a_side(mothers: Path, tmp_path: Path) -> None:
    folder = provider(
        pack(tmp_path / "b"),
        "elsewhere",
        "parameters: {epds-possible: [{from: 2024-01-01, value: 10}, {from: 2026-03-01, value: 12}]}\n",
    )
    found = simulated(mothers, f"{folder}:elsewhere", f"{folder}")
    assert [(name, kind) for name, kind, *_ in changes(found)] == [("epds-10.json", "lost"), ("epds-11.json", "lost")]
    assert found.packs.b.title == "perinatal-mental-health 0.2.0, elsewhere in b, on 2026-03-02"


def test_a_day_is_a_side(mothers: Path, tmp_path: Path) -> None:
    folder = provider(
        pack(tmp_path / "b"),
        "elsewhere",
        "parameters: {epds-possible: [{from: 2024-01-01, value: 10}, {from: 2026-03-03, value: 12}]}\n",
    )
    side = f"{folder}:elsewhere"
    assert simulated(mothers, side, str(folder)).changed == ()
    found = simulated(mothers, f"{side}@2026-03-03", side)
    assert [(name, kind) for name, kind, *_ in changes(found)] == [("epds-10.json", "lost"), ("epds-11.json", "lost")]


def test_a_service_that_a_provider_does_not_offer_is_the_reason(tmp_path: Path) -> None:
    services = yaml.safe_load((LIBRARY / "services.yaml").read_text(encoding="utf-8"))
    offers = f"offers: [{', '.join(services.keys() - {'talking-therapies'})}]\n"
    folder = provider(pack(tmp_path / "b"), "small", offers)
    found = simulated(cohort(tmp_path / "cohort", a=mother(10)), f"{folder}:small", str(folder))
    assert changes(found) == [("a.json", "elsewhere", THERAPIES, "gp routine")]
    (reason,) = found.changed[0].compared.reasons
    assert reason.packs == ("provider: does not offer; + NHS Talking Therapies (talking-therapies)",)


def test_another_code_list_is_read_on_its_own_side(tmp_path: Path) -> None:
    folder = cohort(tmp_path / "cohort", a=mother(10), b=mother(5))
    other = edit(
        pack(tmp_path / "b"),
        "codes/epds-total.csv",
        "sct,450320001,Edinburgh postnatal depression scale score (observable entity),nhsengland/MHSDS MHSDS_Assessments.xlsx,V,,\n",
        "",
    )
    found = simulated(folder, str(other))
    assert changes(found) == [("a.json", "lost", THERAPIES, "")]
    (reason,) = found.changed[0].compared.reasons
    assert "the record says 10" in reason.a[0]
    assert "nothing in the record" in reason.b[0]


def test_a_screen_counts_for_longer_on_one_side_alone(tmp_path: Path) -> None:
    folder = cohort(tmp_path / "cohort", a=mother(10))
    found = simulated(folder, str(pack(tmp_path / "b", screening_valid_days="9")))
    assert changes(found) == [("a.json", "lost", THERAPIES, "")]
    assert found.changed[0].compared.rules[0].b == "out-of-date"


def test_one_broken_record_is_shown_and_stops_no_other(mothers: Path, tmp_path: Path) -> None:
    (mothers / "epds-11b.json").write_text('{"resourceType": "Bundle", "entry": [', encoding="utf-8")
    found = simulated(mothers, str(pack(tmp_path / "b", epds_possible="11")))
    assert changes(found) == [("epds-10.json", "lost", THERAPIES, "")]
    (broken,) = found.failed
    assert broken.name == "epds-11b.json"
    assert broken.compared.failed_a == broken.compared.failed_b != ""
    assert found.summary == "8 records, 1 changed, 1 not decided; referrals: 1 lost"
    assert found.exit_code == 1


def test_a_record_that_fails_on_one_side_alone_is_a_change_and_an_alarm_where_a_safety_rule_fired(
    tmp_path: Path,
) -> None:
    """B has no value of a parameter on the days of one fixture."""
    for name, day in (("01-early", "2026-01-15"), ("02-now", "2026-03-02")):
        fixture = cohort(tmp_path / "cohort" / name, record=mother(9, 2))
        text = f"title: T\nfrom: X\nas_of: {day}\ninputs: [record.json]\nexpect: {{}}\n"
        (fixture / "expected.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "cohort" / "01-early" / "record.json").write_text(
        (tmp_path / "cohort" / "02-now" / "record.json").read_text().replace("2026-02-20", "2026-01-10"),
        encoding="utf-8",
    )
    other = pack(tmp_path / "b")
    edit(
        other,
        "parameters.yaml",
        'lower end of R10"\n  unit: score\n  source: {document: "Decisions for the default provider", says: "R10: PHQ-9 10–14"}\n  confirm: true\n  values: [{from: 2024-01-01',
        'lower end of R10"\n  unit: score\n  source: {document: "Decisions for the default provider", says: "R10: PHQ-9 10–14"}\n  confirm: true\n  values: [{from: 2026-02-01',
    )
    found = simulated(tmp_path / "cohort", str(other))
    (person,) = found.changed
    assert person.name == "01-early"
    own = "each record's own day and provider where the side names none"
    assert found.titles[0] == ("A", f"perinatal-mental-health 0.2.0, england-default; {own}")
    assert (person.compared.failed_a, "nothing was decided" in person.compared.failed_b) == ("", True)
    assert found.alarms == (person,)
    assert found.exit_code == 1


def test_a_fixtures_provider_that_one_side_does_not_have_is_said_of_each_record(tmp_path: Path) -> None:
    fixture = cohort(tmp_path / "cohort" / "01", record=mother(9, 2))
    text = "title: T\nfrom: X\nas_of: 2026-03-02\nprovider: elsewhere\ninputs: [record.json]\nexpect: {}\n"
    (fixture / "expected.yaml").write_text(text, encoding="utf-8")
    a = provider(pack(tmp_path / "a"), "elsewhere", "parameters: {epds-possible: 11}\n")
    found = simulated(tmp_path / "cohort", "", str(a))
    (person,) = found.failed
    assert (person.compared.failed_a, person.compared.failed_b) == ("", "there is no such provider")
    assert found.alarms == (person,)


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_broken_pack_on_either_side_cannot_start(mothers: Path, tmp_path: Path, name: str) -> None:
    broken = pack(tmp_path / "broken")
    (broken / "facts.yaml").write_text("pregnant: {", encoding="utf-8")
    sides = {"b": "", name: str(broken)}
    with pytest.raises(CannotStart, match=rf"^{name.upper()}: .*facts\.yaml"):
        simulated(mothers, **sides)


def test_an_unknown_provider_cannot_start(mothers: Path) -> None:
    with pytest.raises(CannotStart, match=r"^B: there is no provider 'nowhere'"):
        simulated(mothers, ":nowhere")


def test_a_day_before_the_parameters_cannot_start(mothers: Path) -> None:
    with pytest.raises(CannotStart, match="has no value on 2019-01-01"):
        simulated(mothers, "@2019-01-01")


def test_an_empty_cohort_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CannotStart, match="no record is in this folder"):
        simulated(tmp_path / "empty", "")


def test_a_fixture_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (cohort(tmp_path / "cohort" / "one", record=mother(9)) / "expected.yaml").write_text("title: [", encoding="utf-8")
    with pytest.raises(ContentError, match=r"expected\.yaml"):
        simulated(tmp_path / "cohort", "")


def test_the_order_and_the_bytes_are_the_same_on_two_processes(tmp_path: Path) -> None:
    folder = cohort(tmp_path / "cohort", **{f"m{number}": mother(8 + number % 6, number % 3) for number in range(12)})
    other = str(pack(tmp_path / "b", epds_possible="11", self_harm_item_gp="2"))

    def told(found: Simulation) -> object:
        return found.json()

    once = told(simulated(folder, other))
    assert told(simulated(folder, other, jobs=2, worth=1)) == once
    names = [each["record"] for each in once["changes"]]  # type: ignore[index]
    assert names == ["m1.json", "m10.json", "m4.json", "m7.json", "m2.json", "m8.json"]


def test_one_large_input_is_shared_between_processes_and_its_order_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "cohort").mkdir()
    lines = [json.dumps(mother(score)) for score in (10, 9, 10, 14, 10)]
    (folder / "women.ndjson").write_text("\n".join([*lines[:3], "{", *lines[3:]]), encoding="utf-8")
    other = str(pack(tmp_path / "b", epds_possible="11"))
    once = simulated(folder, other)
    monkeypatch.setattr(cohorts, "BYTES_WORTH_A_PROCESS", 1)
    assert simulated(folder, other, jobs=2).json() == once.json()
    assert [person.name for person in once.people] == [f"women.ndjson, record {place}" for place in range(1, 7)]
    assert [name for name, *_ in changes(once)] == [f"women.ndjson, record {place}" for place in (1, 3, 6)]


def test_a_task_of_a_safety_rule_that_nobody_gets_any_more_is_an_alarm(tmp_path: Path) -> None:
    """An old positive answer to item 10 with no later one is asked about; on B such answers count for 5 days."""
    old = observation("item-10", concept(LOCAL, "epds-item-10"), day="2026-01-10", valueInteger=1)
    record = mother(9)
    record["entry"] = [entry for entry in record["entry"] if entry["resource"]["id"] != "item-10"]
    record["entry"] = [entry for entry in record["entry"] if entry["resource"]["id"] != "epds"]
    record["entry"].append({"fullUrl": "urn:uuid:old", "resource": old})
    folder = cohort(tmp_path / "cohort", a=record)
    found = simulated(folder, str(pack(tmp_path / "b", self_harm_older_days="5")))
    (person,) = found.alarms
    assert [(each.code, each.change.value, each.a) for each in person.compared.items] == [
        ("assess-suicide-risk", "lost", "asap")
    ]
