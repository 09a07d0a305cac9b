"""The lists of national codes and the ranges of scores: what each rule on codes says, and what their files may hold.

Expected codes are those of the NHS Data Model and Dictionary and of NHS England's data quality code, not the file's.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from adapter.quality import load_rules
from adapter.quality.codes import CodeList, load_lists
from adapter.quality.formats import compile_format
from adapter.quality.scores import load_ranges
from rules import ContentError
from tests.unit.mhsds.records import FOLDER, broken, having

RULES = load_rules(FOLDER / "validation.csv")
LISTS = load_lists(FOLDER / "national_codes.csv")
TODAY = date(2026, 2, 1)


@pytest.mark.parametrize(
    ("code", "table", "field", "good", "bad"),
    [
        ("MHS00161", "MHS001MPI", "GenderSameAtBirth", "Y N Z X", "1"),
        ("MHS00512", "MHS005PatInd", "CPP", "1 2 3 X", "4 N"),
        ("MHS00524", "MHS005PatInd", "ExBAFIndicator", "02 03 05 UU ZZ", "01 04 99"),
        ("MHS00526", "MHS005PatInd", "OffenceHistory", "1 2 3 X", "Y"),
        ("MHS10118", "MHS101Referral", "SourceOfReferralMH", "A1 A4 B2 H1 M9 N3 P1 Q1 Q2", "J1 K5 M8 N1 N2 A5"),
        ("MHS10135", "MHS101Referral", "ReasonOAT", "10 15 99", "01 16"),
        ("MHS10152", "MHS101Referral", "SpecialisedMHServiceCode", "NCBPS22P/IP NCBPS22S/FOLS_OUTREACH_LIAISON", "NCBPS22P"),
        ("MHS10166", "MHS101Referral", "ReferClosReason", "01 09", "10 00"),
        ("MHS10223", "MHS102OtherServiceType", "ReferClosReason", "01 09", "10"),
        ("MHS10516", "MHS105OnwardReferral", "OATReason", "10 14 15 99", "01"),
        ("MHS20116", "MHS201CareContact", "ConsType", "01 02", "03"),
        ("MHS20122", "MHS201CareContact", "ActLocTypeCode", "A01 E04 E99 L99 N05 X01", "A05 D04 X02"),
        ("MHS20145", "MHS201CareContact", "PlaceOfSafetyInd", "Y N", "X"),
        ("MHS20155", "MHS201CareContact", "SpecialisedMHServiceCode", "NCBPS22P/OUTREACH", "NCBPS22Z/OPFA Other"),
        ("MHS20162", "MHS201CareContact", "InterpreterPresentInd", "1 5 X", "6 Y"),
        ("MHS50113", "MHS501HospProvSpell", "SourceAdmMHHospProvSpell", "19 37 56 88 98 99", "39 41 54 65 79 85"),
        ("MHS50125", "MHS501HospProvSpell", "DestOfDischHospProvSpell", "19 30 79 89 98 99", "38 54 65 85 20"),
        ("MHS50237", "MHS502WardStay", "MHAdmittedPatientClass", "200 204 213 300 311", "14 199 214 312"),
        ("MHS50242", "MHS502WardStay", "SpecialisedMHServiceCode", "NCBPS22P/IP NCBPS22E/AEDHTT", "NCBPS07Z/IP"),
        ("MHS90211", "MHS902ServiceTeamDetails", "ServTeamTypeMH", "A02 C02 F02 F07 Z02", "A03 A04 F04 C03 C09"),
        ("MHS90214", "MHS902ServiceTeamDetails", "ServTeamIntAgeGroup", "01 02 03 04", "05 10"),
        ("MHS00133", "MHS001MPI", "EthnicCategory", "A S Z 99 A1 zZ", "Q T 98 9 1A"),
        ("MHS10124", "MHS101Referral", "ClinRespPriorityType", "1 2 3 4", "5 0"),
        ("MHS20120", "MHS201CareContact", "ConsMechanismMH", "01 02 04 05 09 13 98", "03 06 14"),
    ],
)  # fmt: skip
def test_each_list(code: str, table: str, field: str, good: str, bad: str) -> None:
    assert [text for text in good.split() if broken(having(table, **{field: text}))] == []
    for text in bad.split():
        found = broken(having(table, **{field: text}))
        assert code in found, text
        assert all(one == code or rule_of(one) == (table, field, "format") for one in found), text


def rule_of(code: str) -> tuple[str, str, str]:
    (found,) = [(rule.table, rule.field, rule.check) for rule in RULES if rule.code == code]
    return found


def test_a_code_counts_in_whatever_case_and_only_in_its_time() -> None:
    teams = LISTS["team-type"]
    assert teams.holds("c02", TODAY)
    assert [teams.holds("F04", date(2024, 3, 31)), teams.holds("F04", date(2024, 4, 1))] == [True, False]
    assert [teams.holds("F07", date(2024, 3, 31)), teams.holds("F07", date(2024, 4, 1))] == [False, True]
    assert [teams.holds("F04", None), teams.holds("F07", None)] == [False, True]


def test_without_a_period_a_code_that_has_not_ended_counts() -> None:
    rows = having("MHS902ServiceTeamDetails", ServTeamTypeMH="F07")
    rows["MHS000Header"][0]["ReportingPeriodStartDate"] = ""
    assert broken(rows) == ["MHS00014"]
    rows["MHS902ServiceTeamDetails"][0]["ServTeamTypeMH"] = "A03"
    assert broken(rows) == ["MHS00014", "MHS90211"]


def test_every_list_is_named_by_a_rule() -> None:
    named = {rule.against.removeprefix("list:") for rule in RULES if rule.against.startswith("list:")}
    assert named == set(LISTS)


def test_every_code_of_a_list_has_the_format_of_its_field() -> None:
    formats = {(rule.table, rule.field): compile_format(rule.against) for rule in RULES if rule.check == "format"}
    for rule in RULES:
        if rule.against.startswith("list:"):
            matches = formats[rule.table, rule.field]
            codes = LISTS[rule.against.removeprefix("list:")].codes
            now = [code for code, (_, last) in codes.items() if last is None]
            assert matches is not None
            assert [code for code in now if not matches(code)] == [], rule


HEAD = "# source one: [V] a book\nlist,code,label,from,until,source\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("list,code\n", 1, "the header must be list,code,label,from,until,source"),
        ("", 1, "the header must be"),
        (f"{HEAD}a,1,one,,\n", 3, "5 cells under 6 columns"),
        (f"{HEAD}a,1,one,,,one\n,2,two,,,one\n", 4, "list and code must be there"),
        (f"{HEAD}a,,one,,,one\n", 3, "list and code must be there"),
        (f"{HEAD}a, 1,one,,,one\n", 3, "without spaces"),
        (f"{HEAD}a,1,one,,,one\nb,1,one,,,one\na,1,one,,,one\n", 5, "1 is given twice in a"),
        (f"{HEAD}a,1,one,2024-02-30,,one\n", 3, "from is no day"),
        (f"{HEAD}a,1,one,,2024-04,one\n", 3, "until is no day"),
        (f"{HEAD}a,1,one,2024-04-01,2024-03-31,one\n", 3, "until is before from"),
        (f"{HEAD}a,1,one,,,\n", 3, "source '' is none"),
        (f"{HEAD}a,1,one,,,one two\n", 3, "source 'two' is none"),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = tmp_path / "national_codes.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=message) as caught:
        load_lists(path)
    assert (caught.value.file, caught.value.line) == (str(path), line)


def test_a_list_of_one_day_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "national_codes.csv"
    assert load_lists(path) == {}
    path.write_text(f"{HEAD}a,1,,2024-04-01,2024-04-01,one\n", encoding="utf-8")
    assert load_lists(path) == {"a": CodeList({"1": (date(2024, 4, 1), date(2024, 4, 1))})}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("720433001,0,27,PHQ-9", "no SNOMED CT code"),
        ("720433000,0,27,PHQ-9\n720433000,0,27,PHQ-9", "given twice"),
        ("720433000,0,many,PHQ-9", "must be numbers"),
        ("720433000,27,0,PHQ-9", "low must be less than high"),
        ("720433000,0,27", "3 cells"),
    ],
)
def test_a_wrong_range_is_refused_with_its_line(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "score_ranges.csv"
    path.write_text(f"tool,low,high,note\n{row}\n", encoding="utf-8")
    with pytest.raises(ContentError, match=message) as caught:
        load_ranges(path)
    assert caught.value.line == 2 + row.count("\n")


@pytest.mark.parametrize(
    ("tool", "low", "high"),
    [("720433000", 0, 27), ("445455005", 0, 21), ("718583008", 0, 40), ("865877002", 0, 24), ("718426000", 14, 70)],
)  # PHQ-9, GAD-7, CORE-10, CORE-OM risk, WEMWBS: as their authors publish them
def test_ranges_of_tools(tool: str, low: int, high: int) -> None:
    assert load_ranges(FOLDER / "score_ranges.csv")[tool] == (low, high)


def test_a_score_of_a_tool_whose_range_is_not_known_breaks_nothing() -> None:
    row = {"ServiceRequestID": "R1", "AssToolCompTimestamp": "2026-02-03T10:15:00", "PersScore": "9999"}
    assert broken(having("MHS606CodedScoreAssessmentRefer", **row, CodedAssToolType="446053003")) == []
