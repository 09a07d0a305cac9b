"""Each kind of check: a record that breaks a rule of it and one that does not, by the official list."""

from __future__ import annotations

import pytest

from adapter.quality import load_rules
from adapter.quality.record_checks import RECORD_CHECKS
from adapter.quality.row_checks import ROW_CHECKS
from adapter.quality.rules import NOT_CHECKED
from tests.unit.mhsds.records import FOLDER, WHOLE, Rows, broken, having, patient, source

RULES = load_rules(FOLDER / "validation.csv")
SCORE = {"ServiceRequestID": "R1", "AssToolCompTimestamp": "2026-02-03T10:15:00"}
PRACTICE = {"LocalPatientID": "L1", "GMPReg": "B86001", "StartDateGMPRegistration": "2015-04-01"}


def twice(table: str, **columns: str) -> Rows:
    """A record with a row of the table, and the same row again but for these columns."""
    rows = having(table)
    rows[table] = [*rows[table], {**rows[table][0], **columns}]
    return rows


def practices(*changed: dict[str, str]) -> Rows:
    """A record with registrations with practices that differ in these columns from hers."""
    return {**patient(), "MHS002GP": [{**PRACTICE, **columns} for columns in changed]}


LEFT = {"EndDateGMPRegistration": "2026-02-10"}
NEXT = {"GMPReg": "B86002", "StartDateGMPRegistration": "2026-02-11"}


def activity(**columns: str) -> Rows:
    return {**having("MHS201CareContact"), "MHS202CareActivity": [{**WHOLE["MHS202CareActivity"][0], **columns}]}


def without(table: str) -> Rows:
    return {name: rows for name, rows in patient().items() if name != table}


KINDS: list[tuple[str, Rows, Rows, list[str]]] = [
    ("blank", having("MHS101Referral", OrgIDComm=""), having("MHS101Referral", OrgIDComm="QZZ"), ["MHS10108"]),
    (
        "blank-with",
        having("MHS102OtherServiceType", ReferRejectionDate="2026-02-20"),
        having("MHS102OtherServiceType", ReferRejectionDate="2026-02-20", ReferRejectReason="02"),
        ["MHS10227"],
    ),
    (
        "format",
        having("MHS001MPI", MaritalStatus="SS"),
        having("MHS001MPI", MaritalStatus="S"),
        ["MHS00149", "MHS00150"],
    ),
    ("values", having("MHS005PatInd", LDStatus="6"), having("MHS005PatInd", LDStatus="5"), ["MHS00548"]),
    ("values-first", having("MHS001MPI", EthnicCategory="Q1"), having("MHS001MPI", EthnicCategory="S1"), ["MHS00133"]),
    (
        "before",
        having("MHS101Referral", ReferRejectionDate="2026-02-02"),
        having("MHS101Referral", ReferRejectionDate="2026-02-03"),
        ["MHS10161"],
    ),
    (
        "after",
        having("MHS102OtherServiceType", ReferClosureDate="2026-03-01", ReferClosReason="02"),
        having("MHS102OtherServiceType", ReferClosureDate="2026-02-28", ReferClosReason="02"),
        ["MHS10215"],
    ),
    (
        "age",
        having("MHS001MPI", PersonBirthDate="1895-02-01"),
        having("MHS001MPI", PersonBirthDate="1895-02-02"),
        ["MHS00171"],
    ),
    ("joined", having("MHS201CareContact", ServiceRequestID="R9"), having("MHS201CareContact"), ["MHS20142"]),
    (
        "same",
        having("MHS001MPI", OrgIDLocalPatientID="RX2"),
        having("MHS001MPI", OrgIDLocalPatientID="rx1"),
        ["MHS00153"],
    ),
    ("snomed", activity(Procedure="24921000000108"), activity(Procedure="24921000000109"), ["MHS20230"]),
    (
        "scheme",
        activity(FindSchemeInUse="01", Finding="6471006"),
        activity(FindSchemeInUse="04", Finding="6471006"),
        ["MHS20228"],
    ),
    (
        "score",
        having("MHS606CodedScoreAssessmentRefer", **SCORE, CodedAssToolType="445455005", PersScore="22"),
        having("MHS606CodedScoreAssessmentRefer", **SCORE, CodedAssToolType="445455005", PersScore="21"),
        ["MHS60607"],
    ),
    (
        "nhs-number-status",
        having("MHS001MPI", NHSNumber="", NHSNumberStatus="03"),
        having("MHS001MPI", NHSNumber="9990000107", NHSNumberStatus="03"),
        ["MHS00111", "MHS00119"],
    ),
    (
        "not-required",
        having("MHS005PatInd", IMHARequired="N", IMHAAssigned="Y"),
        having("MHS005PatInd", IMHARequired="Y", IMHAAssigned="Y"),
        ["MHS00546"],
    ),
    ("with", without("MHS002GP"), patient(), ["MHS00145"]),
    (
        "unique",
        twice("MHS102OtherServiceType"),
        twice("MHS102OtherServiceType", OtherCareProfTeamLocalID="T2"),
        ["MHS10229", "MHS10229"],
    ),
    ("one-open", practices({}, NEXT), practices({**LEFT}, NEXT), ["MHS00222", "MHS00222"]),
    (
        "followed",
        practices({**LEFT}),
        practices({**LEFT}, {**NEXT, "StartDateGMPRegistration": "2026-02-10"}),
        ["MHS00223"],
    ),
    ("again", twice("MHS001MPI"), patient(), ["MHS00144"]),
]
"""Of each kind of check: a record that breaks one rule of it, one that does not, and the codes by the official list."""


@pytest.mark.parametrize(("kind", "bad", "good", "codes"), KINDS, ids=[kind for kind, *_ in KINDS])
def test_each_kind_of_check(kind: str, bad: Rows, good: Rows, codes: list[str]) -> None:
    assert broken(good) == []
    assert broken(bad) == codes
    assert kind in {rule.check for rule in RULES if rule.code in codes}


def test_no_kind_of_check_is_without_a_test() -> None:
    kinds = [kind for kind, *_ in KINDS]
    assert sorted(kinds) == sorted((*ROW_CHECKS, *RECORD_CHECKS))
    assert {rule.check for rule in RULES} == {*kinds, NOT_CHECKED}


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        (practices({}, {}), ["MHS00221", "MHS00221", "MHS00222", "MHS00222"]),
        (practices({**LEFT}, {**NEXT, "GMPReg": "B86001"}), ["MHS00223"]),  # the same practice is none that follows
        (practices({**LEFT}, {**NEXT, "StartDateGMPRegistration": "2026-02-12"}), ["MHS00223"]),  # a day between
        (practices({**LEFT}, {**NEXT, "StartDateGMPRegistration": ""}), ["MHS00223"]),
        (practices({"EndDateGMPRegistration": "soon"}), ["MHS00213"]),  # no date, and nothing else is said of it
        (twice("MHS102OtherServiceType", OtherCareProfTeamLocalID=""), ["MHS10233"]),  # a blank is not compared
        (twice("MHS000Header"), ["MHS00025"]),
        (twice("MHS902ServiceTeamDetails", ServTeamTypeMH="A06"), ["MHS90201"]),
    ],
)
def test_rules_about_more_than_one_row(rows: Rows, codes: list[str]) -> None:
    assert broken(rows) == codes


def test_a_team_that_is_given_twice_is_said_once_and_the_last_row_counts() -> None:
    rows = twice("MHS902ServiceTeamDetails", ServTeamTypeMH="A06")
    contact = {**WHOLE["MHS201CareContact"][0], "OtherCareProfTeamLocalID": "T1"}
    rows["MHS201CareContact"] = [contact, {**contact, "CareContactID": "C2"}]
    record = source(rows)
    assert [(issue.detail, issue.place) for issue in record.issues] == [("duplicate", "MHS902ServiceTeamDetails row 3")]
    team = record.rows["MHS101Referral"][0].related("MHS902ServiceTeamDetails")
    assert team is not None
    assert team.get("ServTeamTypeMH") == "A06"
