"""The data set's own validation rules: each kind of check, what is said of a record, and the official list."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import app
from adapter.quality import Rule, checked, load_checker, load_rules
from adapter.quality.formats import compile_format
from adapter.quality.rules import NOT_CHECKED, PARTLY, REASONS, SEVERITIES
from rules import ContentError
from tests.shared import SHARED, needs_shared
from tests.unit.mhsds.records import FOLDER, Rows, broken, having, patient, run, source, sources

CHECKER = load_checker(FOLDER)
RULES = load_rules(FOLDER / "validation.csv")
OFFICIAL = SHARED / "clinical" / "MHSDS_validation_rules_v6.0.csv"


def test_a_good_record_breaks_none() -> None:
    assert broken(patient()) == []


HISTORY = {"LocalPatientID": "L1", "CodedDiagTimestamp": "2011-02-03T10:15:00"}
SCORE = {"ServiceRequestID": "R1", "AssToolCompTimestamp": "2026-02-03T10:15:00"}


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        (having("MHS001MPI", PersonBirthDate=""), ["MHS00120"]),
        (having("MHS001MPI", PersonBirthDate="1994-02-30"), ["MHS00167"]),
        (having("MHS001MPI", PersonBirthDate="17/06/1994"), ["MHS00167"]),
        (having("MHS001MPI", PersonBirthDate="2026-03-01"), ["MHS00168", "MHS00212"]),
        (having("MHS001MPI", PersonBirthDate="1895-01-31"), ["MHS00171"]),
        (having("MHS001MPI", PersonBirthDate="1895-02-02"), []),
        (having("MHS001MPI", NHSNumber="999 000 010"), ["MHS00165"]),
        (having("MHS001MPI", NHSNumber=""), ["MHS00111", "MHS00119"]),
        (having("MHS001MPI", NHSNumber="", NHSNumberStatus=""), ["MHS00111", "MHS00118"]),
        (having("MHS001MPI", NHSNumberStatus="07"), ["MHS00117"]),
        (having("MHS001MPI", NHSNumberStatus="09"), ["MHS00116"]),
        (having("MHS001MPI", GenderIDCode="7"), ["MHS00164"]),
        (having("MHS001MPI", Postcode="NOWHERE"), ["MHS00125"]),
        (having("MHS001MPI", OrgIDLocalPatientID="RX2"), ["MHS00153"]),
        (having("MHS000Header", DatSetVer="6.1"), ["MHS00003"]),
        (having("MHS101Referral", ReferralRequestReceivedDate="2026-03-01"), ["MHS10113"]),
        (having("MHS101Referral", PrimReasonReferralMH="17"), ["MHS10126"]),
        (having("MHS101Referral", ServDischDate="2026-02-02"), ["MHS10128"]),
        (having("MHS101Referral", ServDischDate="2026-03-01"), []),
        (having("MHS101Referral", ServDischDate="2026-03-02"), ["MHS10130"]),
        (having("MHS005PatInd", LocalPatientID="L1", IMCARequired="N", IMCAAssigned="Y"), ["MHS00543"]),
        (having("MHS902ServiceTeamDetails", ServTeamTypeMH="C03"), ["MHS90211"]),
        (
            {**patient(), "MHS902ServiceTeamDetails": [{"ServTeamTypeMH": "C03"}]},
            [],
        ),  # nobody of hers is with that team
        (having("MHS601MedHistPrevDiag", **HISTORY, DiagSchemeInUse="06", PrevDiag="F20.0"), ["MHS60112"]),
        (having("MHS601MedHistPrevDiag", **HISTORY, DiagSchemeInUse="04", PrevDiag="F20.0"), ["MHS60105"]),
        (having("MHS601MedHistPrevDiag", **HISTORY, DiagSchemeInUse="02"), ["MHS60106"]),
        (having("MHS606CodedScoreAssessmentRefer", **SCORE, CodedAssToolType="720433000", PersScore="27"), []),
        (
            having("MHS606CodedScoreAssessmentRefer", **SCORE, CodedAssToolType="720433000", PersScore="28"),
            ["MHS60607"],
        ),
        (
            having("MHS011SocPerCircumstances", LocalPatientID="L1", SocPerCircumstance="315594004"),
            ["MHS01109"],
        ),
    ],
)
def test_what_breaks_which_rule(rows: Rows, codes: list[str]) -> None:
    assert broken(rows) == codes


def test_rows_that_are_nobodys_break_the_rule_on_their_parent() -> None:
    rows = patient()
    rows["MHS201CareContact"] = [
        {"CareContactID": "C1", "ServiceRequestID": "R9", "CareContDate": "2026-02-03", "OrgIDComm": "QZZ"}
    ]
    assert CHECKER is not None
    hers, orphans = sources(rows)
    assert CHECKER.findings(hers) == ()
    assert [(f.code, f.severity) for f in CHECKER.findings(orphans)] == [("MHS20142", "group rejected")]


V5 = {
    **having("MHS000Header", DatSetVer="5.0"),
    "MHS101Referral": [{"LocalPatientID": "L1", "ServiceRequestID": "R1"}],  # v6 asks for more
    "MHS102ServiceTypeReferredTo": [
        {
            "ServiceRequestID": "R1",
            "CareProfTeamLocalID": "T1",
            "ServTeamTypeRefToMH": "A03",
            "ReferClosureDate": "2020-01-01",
        }
    ],
}


def test_version_five_had_other_rules_and_that_is_said() -> None:
    assert CHECKER is not None
    record = source(V5)
    assert CHECKER.findings(record) == ()
    ((why, rules),) = CHECKER.not_checked(record)
    assert "earlier version" in why
    assert rules == ("all rules",)
    (episode,) = (e["resource"] for e in run(V5).bundle["entry"] if e["resource"]["resourceType"] == "EpisodeOfCare")
    assert (episode["status"], episode["type"][0]["coding"][0]["code"]) == ("finished", "crisis-team")


@pytest.mark.parametrize(
    ("version", "held"), [("5.0", False), ("4.1", False), ("6.0", True), ("10.0", True), ("", True)]
)
def test_which_versions_are_held_against_the_rules(version: str, held: bool) -> None:
    found = broken(having("MHS000Header", DatSetVer=version) | {"MHS002GP": []})
    assert ("MHS00145" in found) == held


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", ["2024-02-29"], ["2023-02-29", "20240229", "2024-02-29T10:00:00", ""]),
        ("time", ["10:15", "10:15:00", "10:15:00+01:00"], ["24:15:00", "1015", "10:15:0"]),
        ("timestamp", ["2026-02-03T10:15:00", "2026-02-03 10:15:00+01:00"], ["2026-02-03", "2026-02-30T10:15:00"]),
        ("number", ["0", "-1", "10.5"], ["1,5", "ten", "²"]),
        ("postcode", ["ZZ99 3VZ", "ls12ab"], ["LS1", "12345"]),
        ("an2", ["01", "A1"], ["1", "001"]),
        ("an3..12", ["RX1"], ["RX", "R" * 13, "R\t1"]),
        ("n10", ["9990000107"], ["999000010", "99900001O7", "٩٩٩٠٠٠٠١٠٧"]),
    ],
)
def test_formats(name: str, good: list[str], bad: list[str]) -> None:
    matches = compile_format(name)
    assert matches is not None
    assert [text for text in good if not matches(text)] == []
    assert [text for text in bad if matches(text)] == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("MHS1,reject,MHS001MPI,NHSNumber,blank", "5 cells"),
        ("MHS1,fatal,MHS001MPI,NHSNumber,blank,", "severity is one of"),
        ("MHS1,reject,MHS001MPI,NHSNumber,smell,", "check is one of"),
        ("MHS1,reject,MHS001MPI,NHSNumber,format,xx", "no format"),
        ("MHS1,reject,MHS001MPI,NHSNumber,after,today", "no TABLE.FIELD"),
        ("MHS1,warn,MHS001MPI,NHSNumber,nhs-number-status,x", "none of"),
        ("MHS1,warn,MHS001MPI,CPP,values,list:no-such-list", "no list:no-such-list"),
        ("MHS1,warn,MHS001MPI,CPP,values,lists:x", "no lists:x"),
        ("MHS1,warn,MHS001MPI,CPP,not-checked,because", "is not checked for one of"),
        ("MHS1,warn,MHS002GP,EndDateGMPRegistration,followed,GMPReg", "not the field of the start"),
        ("MHS0,warn,MHS001MPI,CPP,blank,", "given twice"),
    ],
)
def test_a_wrong_rule_is_named_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "validation.csv"
    path.write_text(f"code,severity,table,field,check,against\nMHS0,warn,T,F,blank,\n{line}\n", encoding="utf-8")
    with pytest.raises(ContentError, match=message) as caught:
        load_checker(tmp_path)
    assert caught.value.line == 3


def test_a_mapping_without_rules_has_no_checker(tmp_path: Path) -> None:
    assert load_checker(tmp_path) is None


def test_findings_are_in_the_report_and_block_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "mhsds"
    folder.mkdir()
    for name, lines in having("MHS001MPI", GenderIDCode="7", PersonBirthDate="").items():
        text = "\n".join([",".join(lines[0]), *(",".join(line.values()) for line in lines)])
        (folder / f"{name}.csv").write_text(text + "\n", encoding="utf-8")
    report = tmp_path / "report.json"
    done = CliRunner().invoke(app, ["convert", str(folder), "--report", str(report)])
    assert done.exit_code == 0
    written = json.loads(report.read_bytes())
    assert [(one["code"], one["severity"], one["count"]) for one in written["quality"]] == [
        ("MHS00120", "severity 1 warning", 1),
        ("MHS00164", "warning", 1),
    ]
    assert written["quality"][0]["places"] == ["MHS001MPI row 2, PersonBirthDate"]
    assert not any("MHS00120" in issue["text"] for issue in written["issues"])
    left_out = {left["why"]: left["rules"] for left in written["not_checked"]}
    assert "MHS00139 LanguageCodePreferred" in left_out[REASONS["codes"]]
    assert "MHS60707 PersScore" in left_out[PARTLY["score"]]
    not_checked = {f"{rule.code} {rule.field}" for rule in RULES if rule.check == NOT_CHECKED}
    assert {rule for why in REASONS.values() for rule in left_out[why]} == not_checked
    for_people = tmp_path / "report.txt"
    CliRunner().invoke(app, ["convert", str(folder), "--report", str(for_people)])
    text = for_people.read_text(encoding="utf-8")
    assert "severity 1 warning MHS00120 PersonBirthDate is missing, once" in text
    assert f"not checked        {REASONS['staff']}: MHS20421 CareProfLocalID, MHS60615 CareProfLocalID\n" in text


def test_a_record_that_breaks_no_rule_still_says_what_was_not_checked() -> None:
    made = checked(run(patient()), source(patient()), CHECKER)
    assert made.quality == ()
    assert {left.why for left in made.not_checked} == {*REASONS.values(), *PARTLY.values()}
    alone = checked(run(patient()), source(patient()), None)
    assert alone.not_checked == ()


# --- the official list ---------------------------------------------------------------------------------------------
def official() -> dict[str, dict[str, str]]:
    """Error code → its row in the published list."""
    with OFFICIAL.open(newline="", encoding="utf-8-sig") as file:
        rows = [
            {key.split("(")[0].split("\n")[0].strip(): (value or "").strip() for key, value in row.items()}
            for row in csv.DictReader(file)
        ]
    return {row["Error Code"]: row for row in rows}


@needs_shared
@pytest.mark.parametrize("kind", ["blank", "format", "values"])
def test_every_rule_of_these_kinds_is_that_of_the_official_list(kind: str) -> None:
    words = {"blank": "Blank", "format": "Format", "values": "National Code"}
    known = official()
    for rule in (rule for rule in RULES if rule.check.partition("-")[0] == kind and rule.check != "blank-with"):
        row = known[rule.code]
        if rule.code == "MHS00003":
            continue  # the version, which the list has as a check of its own
        expected = "National Code" if rule.against == "postcode" else words[kind]
        assert (row["Validation Type"], row["XML ELEMENT NAME"]) == (expected, rule.field), rule


@needs_shared
def test_codes_tables_and_severities_are_those_of_the_official_list() -> None:
    known = official()
    for rule in RULES:
        row = known[rule.code]
        assert row["Table"] == rule.table, rule
        assert row["Error Level"].lower() == rule.severity, rule


@needs_shared
def test_every_official_rule_of_the_mapped_tables_is_there() -> None:
    """Checked, or not checked for a reason: nothing is left out in silence."""
    tables = {rule.table for rule in RULES}
    assert {code for code, row in official().items() if row["Table"] in tables} == {rule.code for rule in RULES}


def test_severities_are_written_as_the_data_set_calls_them() -> None:
    assert {rule.severity for rule in RULES} <= set(SEVERITIES.values())
    assert all(isinstance(rule, Rule) for rule in RULES)
