"""MSDS v2 as a whole: nothing that is filled in is lost, a full record meets UK Core, and it is quick."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.fhir.profiles import with_profile
from adapter.mapping import load_mapping
from adapter.records import MappedBundle
from adapter.sources.csv_files import HeldTable, TableRow
from adapter.sources.tables import group_tables
from tests.shared import SHARED, needs_shared

MSDS = load_mapping(Path(__file__).parents[3] / "mappings" / "msds")
FATES = {"mapped", "ignored", "unmapped", "refused", "unmapped-code"}
KEYS = {"LPIDMother": "M1", "PregnancyID": "P1", "CareConID": "C1", "CareActIDMother": "A1", "LabourDeliveryID": "L1"}
TABLES: dict[str, str] = {
    "MSD000Header": "Version OrgIDProvider OrgIDSubmit PrimSystemInUse RPStartDate RPEndDate FileCreationDate"
    " FileCreationTime",
    "MSD001MotherDemog": "LPIDMother OrgIDLPID PersonBirthDateMother OrgIDResidenceResp NHSNumberMother"
    " NHSNumberStatusMother Postcode EthnicCategoryMother PersonDeathDateMother",
    "MSD002GP": "LPIDMother OrgCodeGMPMother StartDateGMPReg EndDateGMPReg OrgIDGPPrac",
    "MSD003SocPersCircumstances": "LPIDMother SocPerSNOMED SocPerDate",
    "MSD101PregnancyBooking": "PregnancyID LPIDMother OrgIDComm AntenatalAppDate PregFirstConDate EDDAgreed"
    " OrgSiteIDBooking EDDMethodAgreed SourceRefMat OrgIDProvOrigin OrgIDRecv ReasonLateBooking"
    " PregFirstContactCareProfType LastMenstrualPeriodDate DisabilityIndMother LangCode MHPredictionDetectionIndMother"
    " ComplexSocialFactorsInd EmploymentStatusMother SupportStatusIndMother EmploymentStatusPartner"
    " PreviousCaesareanSections PreviousLiveBirths PreviousStillBirths PreviousLossesLessThan24Weeks"
    " FolicAcidSupplement DischargeDateMatService DischReason",
    "MSD104CodedScoreAssPreg": "PregnancyID ToolTypeSNOMED Score CompDate",
    "MSD105ProvDiagnosisPreg": "PregnancyID DiagScheme ProvDiag ProvDiagDate",
    "MSD106DiagnosisPreg": "PregnancyID DiagScheme Diag ComplicatingDiagInd DiagDate",
    "MSD107MedHistory": "PregnancyID DiagScheme PrevDiag DiagDate",
    "MSD108FamHistBooking": "PregnancyID SituationScheme Situation",
    "MSD109FindingObsMother": "PregnancyID FindingDate FindingScheme FindingCode ObsDate ObsScheme ObsCode"
    " ObsValue UCUMUnit",
    "MSD201CareContactPreg": "CareConID PregnancyID CContactDate CContactTime AttendCode",
    "MSD202CareActivityPreg": "CareActIDMother CareConID ProcedureScheme ProcedureCode FindingScheme FindingCode"
    " ObsScheme ObsCode ObsValue UCUMUnit",
    "MSD203CodedScoreAssContact": "CareActIDMother ToolTypeSNOMED Score",
    "MSD301LabourDelivery": "LabourDeliveryID PregnancyID CaesareanDate DischargeDateMotherHosp",
    "MSD302CareActivityLabDel": "LabourDeliveryID ProcedureScheme ProcedureCode FindingScheme FindingCode"
    " ObsScheme ObsCode ObsValue UCUMUnit MatCritInd",
    "MSD401BabyDemographics": "LPIDBaby LabourDeliveryID PersonBirthDateBaby PersonBirthTimeBaby PregOutcome"
    " PersonPhenSex EthnicCategoryBaby NHSNumberBaby PersonDeathDateBaby GestationLengthBirth DeliveryMethodCode",
}
VALUES = {
    "OrgIDProvider": "RX1", "OrgIDLPID": "RX1", "NHSNumberMother": "9990000107", "NHSNumberStatusMother": "01",
    "Postcode": "LS1 2AB", "EthnicCategoryMother": "A", "EthnicCategoryBaby": "A", "OrgCodeGMPMother": "B86001",
    "SocPerSNOMED": "315594003", "LangCode": "en", "ToolTypeSNOMED": "450320001", "Score": "14", "DiagScheme": "06",
    "ProvDiag": "13746004", "Diag": "58214004", "PrevDiag": "18260003", "SituationScheme": "03",
    "Situation": "161474000", "FindingScheme": "04", "FindingCode": "6471006", "ObsScheme": "03", "ObsCode": "27113001",
    "ObsValue": "70.5", "UCUMUnit": "kg", "ProcedureScheme": "02", "ProcedureCode": "R17.1", "AttendCode": "5",
    "LPIDBaby": "B1", "PregOutcome": "01", "PersonPhenSex": "2", "NHSNumberBaby": "9990000115",
    "GestationLengthBirth": "277", "PersonBirthDateMother": "1994-03-02", "DischargeDateMatService": "",
    "DischReason": "",
    "EndDateGMPReg": "", "EDDAgreed": "2026-07-30", "PersonDeathDateMother": "", "PersonDeathDateBaby": "",
}  # fmt: skip


def usual(column: str) -> str:
    if column in KEYS:
        return KEYS[column]
    if column in VALUES:
        return VALUES[column]
    return "2026-02-03" if column.endswith("Date") or "Date" in column else "10:15:00" if "Time" in column else "1"


def run(tables: dict[str, dict[str, str]]) -> MappedBundle:
    made = []
    for name, row in tables.items():
        columns = {column: index for index, column in enumerate(row)}
        made.append(HeldTable(name, columns, [TableRow(name, columns, 2, list(row.values()))]))
    (record,) = group_tables(made, MSDS, "test")
    return MSDS.run(record)


FULL = {name: {column: usual(column) for column in columns.split()} for name, columns in TABLES.items()}


def test_each_field_of_the_data_set_is_mapped_or_ignored_for_a_reason() -> None:
    fates = {(use.field, use.fate) for use in run(FULL).coverage}
    assert {field for field, fate in fates if fate not in ("mapped", "ignored")} == set()
    filled = {f"{name}.{column}" for name, row in FULL.items() for column, cell in row.items() if cell}
    assert {field for field, _ in fates} == filled


ASKED = {
    *KEYS,
    "OrgIDLPID",
    "DiagScheme",
    "SituationScheme",
    "FindingScheme",
    "ObsScheme",
    "ProcedureScheme",
    "EndDateGMPReg",
}
"""Columns that decide what is made and are not themselves shown."""

ANY = st.one_of(
    st.just(""),
    st.sampled_from(
        ["01", "02", "06", "Y", "N", "2026-02-30", "20260203", "F53.1", "13746004", "epds-item-10", "-1", "9.5"]
    ),
    st.text("aZ09-./ é|", min_size=1, max_size=12),
)


def test_the_status_of_a_number_that_is_not_there_is_in_the_report() -> None:
    result = run({**FULL, "MSD001MotherDemog": {**FULL["MSD001MotherDemog"], "NHSNumberMother": ""}})
    (use,) = [use for use in result.coverage if use.field == "MSD001MotherDemog.NHSNumberStatusMother"]
    assert (use.fate, use.reason) == ("refused", "what it was for could not be made")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_is_filled_in_turns_up_in_the_output_or_the_report(data: st.DataObject) -> None:
    tables: dict[str, dict[str, str]] = {}
    for name, row in FULL.items():
        free = [column for column in row if column not in KEYS]
        wild = data.draw(st.lists(st.sampled_from(free), max_size=3, unique=True)) if free else []
        tables[name] = {**row, **{column: data.draw(ANY) for column in wild}, "Unheard": data.draw(ANY)}
    result = run(tables)
    reported, reasons = {}, {}
    for use in result.coverage:
        assert use.fate in FATES
        reported[use.field], reasons[use.field] = use.fate, use.reason
    shown = {part for place in result.lineage.values() for part in place.split("; ")}
    for name, row in tables.items():
        for column, cell in row.items():
            if not cell.strip():
                continue
            fate = reported[f"{name}.{column}"]
            if column == "Unheard":
                assert fate == "unmapped"
            if fate in ("refused", "unmapped-code") and not reasons[f"{name}.{column}"]:
                assert any(f"{name} row 2" in issue.place for issue in result.issues)
            if fate == "mapped" and column not in ASKED:
                assert f"{name} row 2, {column}" in shown


def test_a_pregnancy_indicator_that_questions_were_asked_makes_nothing() -> None:
    said = {"MSD101PregnancyBooking": {**FULL["MSD101PregnancyBooking"], "MHPredictionDetectionIndMother": "Y"}}
    silent = {"MSD101PregnancyBooking": {**FULL["MSD101PregnancyBooking"], "MHPredictionDetectionIndMother": ""}}
    mother = {"MSD001MotherDemog": FULL["MSD001MotherDemog"]}
    assert run({**mother, **said}).bundle == run({**mother, **silent}).bundle


def test_every_value_has_its_place() -> None:
    result = run(FULL)
    for (_, path), place in result.lineage.items():
        assert re.fullmatch(r"(MSD\w+ row 2, \w+(; )?)+" if path else r"MSD\w+ row 2", place)
    urls = {entry["fullUrl"] for entry in result.bundle["entry"]}
    assert {url for url, path in result.lineage if not path} == urls


def test_a_constant_is_placed_by_its_row() -> None:
    result = run(FULL)
    (url,) = [
        entry["fullUrl"]
        for entry in result.bundle["entry"]
        if entry["resource"].get("code", {}).get("coding", [{}])[0].get("code") == "82810-3"
    ]
    assert result.lineage[url, ""] == "MSD101PregnancyBooking row 2"


@needs_shared
def test_a_full_record_meets_uk_core(tmp_path: Path) -> None:
    bundle = run(FULL).bundle
    assert len(bundle["entry"]) == 30
    for entry in bundle["entry"]:
        entry["resource"] = with_profile(entry["resource"])
    path = tmp_path / "record.json"
    path.write_text(json.dumps(bundle))
    check = [sys.executable, str(SHARED / "conformance" / "check"), "--require-profile", str(path)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
