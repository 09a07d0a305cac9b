"""What the rules get to know from MHSDS: the teams that have her, and a pregnancy that nobody dated."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from adapter.bootstrap import Adapter
from tests.unit.mhsds.records import Rows, patient, run

AS_OF = date(2026, 3, 2)
ADAPTER = Adapter()


def facts(rows: Rows, as_of: date = AS_OF) -> dict[str, Any]:
    return dict(ADAPTER.content().reader.read(run(rows).bundle, as_of, 0).facts)


def team(kind: str, **columns: str) -> Rows:
    rows = patient(CareProfTeamLocalID="T1", **columns)
    rows["MHS902ServiceTeamDetails"] = [{"CareProfTeamLocalID": "T1", "ServTeamTypeMH": kind}]
    return rows


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("C02", "perinatal-community-team"),
        ("F02", "maternal-mental-health-service"),
        ("A02", "crisis-team"),
        ("A11", "liaison-psychiatry"),
        ("A06", "community-mental-health-team"),
        ("A14", "early-intervention-psychosis"),
        ("C10", "eating-disorder-service"),
        ("D01", "substance-misuse-team"),
        ("E01", "learning-disability-team"),
        ("E02", "neurology"),
    ],
)
def test_the_team_that_has_her(kind: str, key: str) -> None:
    assert facts(team(kind))["open_services"].value == {key}


@pytest.mark.parametrize(
    "columns",
    [{"ServDischDate": "2026-02-20"}, {"ReferRejectionDate": "2026-02-20", "ReferRejectReason": "02"}],
    ids=["discharged", "rejected"],
)
def test_a_team_that_has_her_no_more(columns: dict[str, str]) -> None:
    assert facts(team("C02", **columns))["open_services"].value == frozenset()


def test_a_type_of_team_that_is_no_service() -> None:
    assert facts(team("A18"))["open_services"].value == frozenset()


def undated(rows: Rows, as_of: date = AS_OF) -> tuple[bool | None, str]:
    """Whether she is known to be pregnant or over it without a date; and the state of ``pregnant``."""
    found = facts(rows, as_of)
    return found["perinatal_undated"].value, found["pregnant"].state.name


@pytest.mark.parametrize("rows", [patient(PrimReasonReferralMH="13"), team("C02"), team("F02")])
def test_a_perinatal_reason_or_team_says_pregnant_or_over_without_a_date(rows: Rows) -> None:
    assert undated(rows) == (True, "UNKNOWN")


@pytest.mark.parametrize(
    "rows",
    [
        patient(PrimReasonReferralMH="04"),
        patient(PrimReasonReferralMH="27"),
        patient(PrimReasonReferralMH="29"),
        team("C02", PrimReasonReferralMH="27"),
        team("F02", PrimReasonReferralMH="29"),
        team("C02", ReferRejectionDate="2026-02-20"),
    ],
    ids=["another reason", "preconception", "partner", "team, preconception", "team, partner", "team, rejected"],
)
def test_what_says_nothing_of_a_pregnancy(rows: Rows) -> None:
    value, pregnant = undated(rows)
    assert not value
    assert pregnant in ("UNKNOWN", "MISSING")


def test_the_word_holds_for_a_pregnancy_and_two_years() -> None:
    rows = patient(PrimReasonReferralMH="13")
    assert undated(rows, date(2028, 11, 23))[0]
    assert not undated(rows, date(2028, 11, 24))[0]


def test_a_dated_birth_goes_before_the_word() -> None:
    rows = patient(PrimReasonReferralMH="13")
    rows["MHS201CareContact"] = [{"CareContactID": "C1", "ServiceRequestID": "R1", "CareContDate": "2026-01-10"}]
    rows["MHS202CareActivity"] = [
        {"CareActID": "A1", "CareContactID": "C1", "FindSchemeInUse": "04", "Finding": "281050002"}
    ]
    found = facts(rows)
    assert not found["perinatal_undated"].value
    assert found["pregnant"].value is False
    assert found["birth_on"].value.low == date(2026, 1, 10)


def test_the_word_long_after_a_birth_opens_the_question_again() -> None:
    rows = patient(PrimReasonReferralMH="13")
    rows["MHS201CareContact"] = [{"CareContactID": "C1", "ServiceRequestID": "R1", "CareContDate": "2021-01-10"}]
    rows["MHS202CareActivity"] = [
        {"CareActID": "A1", "CareContactID": "C1", "FindSchemeInUse": "04", "Finding": "281050002"}
    ]
    assert undated(rows) == (True, "UNKNOWN")


def test_preconception_is_a_finding_of_its_own() -> None:
    codes = [
        coding["code"]
        for entry in run(patient(PrimReasonReferralMH="27")).bundle["entry"]
        if entry["resource"]["resourceType"] == "Observation"
        for coding in entry["resource"]["code"]["coding"]
    ]
    assert codes == ["preconception-planning"]
