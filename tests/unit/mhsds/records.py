"""MHSDS records for tests: whole tables as dicts, and the fields of version 6 as its mapping and rules know them."""

from __future__ import annotations

from pathlib import Path

from adapter.mapping import load_mapping
from adapter.quality import load_checker
from adapter.records import MappedBundle
from adapter.sources.csv_files import HeldTable, TableRow
from adapter.sources.model import SourceRecord
from adapter.sources.tables import group_tables

FOLDER = Path(__file__).resolve().parents[3] / "mappings" / "mhsds"
MHSDS = load_mapping(FOLDER)
CHECKER = load_checker(FOLDER)
Rows = dict[str, list[dict[str, str]]]

KEYS = {
    "LocalPatientID": "L1",
    "OrgIDLocalPatientID": "RX1",
    "ServiceRequestID": "R1",
    "CareContactID": "C1",
    "CareActID": "A1",
    "HospProvSpellID": "H1",
    "WardStayID": "W1",
    "CarePlanID": "P1",
    "CPAEpisodeID": "E1",
    "MHActLegalStatusClassPeriodID": "M1",
    "RestrictiveIntIncID": "I1",
    "CareProfTeamLocalID": "T1",
    "OtherCareProfTeamLocalID": "T1",
}
"""What joins the tables, with one value each."""

VALUES = {
    "OrgIDProvider": "RX1", "OrgIDSubmit": "RX1", "DatSetVer": "6.0", "NHSNumber": "9990000107",
    "NHSNumberStatus": "01", "Postcode": "ZZ99 3VZ", "Gender": "2", "GenderIDCode": "2", "EthnicCategory": "A",
    "GMPReg": "B86001", "LanguageCodePreferred": "en", "LanguageCodeTreat": "en", "PersonBirthDate": "1994-03-02",
    "EndDateGMPRegistration": "", "PersDeathDate": "", "MaritalStatus": "S", "LDStatus": "1", "AutismStatus": "2",
    "ParentalResp": "Y", "CPP": "4", "ReasonableAdjustmentInd": "Y", "IMCARequired": "Y", "IMHARequired": "Y",
    "SocPerCircumstance": "315594003", "PrimReasonReferralMH": "13", "OtherReasonReferMH": "04",
    "SourceOfReferralMH": "A1", "ClinRespPriorityType": "2", "ReferRejectReason": "01", "ReferClosReason": "01",
    "OrgIDReferringOrg": "B86001", "OrgIDReceiving": "RX2", "OrgIDComm": "QZZ", "AttendStatus": "5",
    "ConsMechanismMH": "01", "ComPeriMHPartAssessOfferInd": "Y", "SiteIDOfTreat": "RX101",
    "Procedure": "24921000000109", "IndActProcedure": "24921000000109", "ReferralProc": "390866009",
    "FindSchemeInUse": "04", "Finding": "6471006", "PresComp": "6471006", "Observation": "27113001",
    "ObsValue": "70.5", "UnitofMeasurement_UCUM": "kg", "DiagSchemeInUse": "02", "PrevDiag": "F200",
    "PrimDiag": "F31.9", "SecDiag": "F431", "CodedAssToolType": "720433000", "PersScore": "16",
    "ServTeamTypeMH": "C02", "ServTeamIntAgeGroup": "02", "MHAdmittedPatientClass": "204",
    "OrgIDCareProfTeamLocalID": "RX1", "OrgIDEduEstab": "EE12345", "PostcodeMainVisitor": "ZZ99 3VZ",
    "PostcodeDischDestHospProvSpell": "ZZ99 3VZ", "ReportingPeriodStartDate": "2026-02-01",
    "ReportingPeriodEndDate": "2026-02-28", "DateTimeDatSetCreate": "2026-03-02T09:00:00",
    "StartDateGMPRegistration": "2015-04-01", "ReasonOAT": "10", "OATReason": "10", "OnwardReferReason": "01",
}  # fmt: skip


def usual(column: str) -> str:
    """A value that this column may have."""
    if column in KEYS:
        return KEYS[column]
    if column in VALUES:
        return VALUES[column]
    if column.endswith("Timestamp"):
        return "2026-02-03T10:15:00"
    if "Date" in column:
        return "2026-02-03"
    return "10:15:00" if "Time" in column else "1"


def tables(rows: Rows) -> list[HeldTable]:
    """The rows as tables that were read."""
    made = []
    for name, lines in rows.items():
        columns = {column: n for n, column in enumerate(dict.fromkeys(column for line in lines for column in line))}
        cells = [[line.get(column, "") for column in columns] for line in lines]
        made.append(HeldTable(name, columns, [TableRow(name, columns, n, line) for n, line in enumerate(cells, 2)]))
    return made


def sources(rows: Rows) -> list[SourceRecord]:
    """One record per patient of these rows."""
    return list(group_tables(tables(rows), MHSDS, "test"))


def source(rows: Rows) -> SourceRecord:
    """The one record of these rows."""
    (record,) = sources(rows)
    return record


def run(rows: Rows) -> MappedBundle:
    """The one record of these rows as FHIR."""
    return MHSDS.run(source(rows))


def patient(**columns: str) -> Rows:
    """A header, a patient, her practice and a referral with these columns besides: no rule finds anything in them."""
    header = ("DatSetVer", "OrgIDProvider", "OrgIDSubmit", "ReportingPeriodStartDate", "ReportingPeriodEndDate")
    referral = ("ServiceRequestID", "LocalPatientID", "OrgIDComm", "ReferralRequestReceivedDate")
    demographics = ("LocalPatientID", "OrgIDLocalPatientID", "NHSNumber", "NHSNumberStatus", "PersonBirthDate")
    return {
        "MHS000Header": [_row(*header, "PrimSystemInUse", "DateTimeDatSetCreate")],
        "MHS001MPI": [_row(*demographics, "Postcode", "GenderIDCode")],
        "MHS002GP": [_row("LocalPatientID", "GMPReg", "StartDateGMPRegistration")],
        "MHS101Referral": [{**_row(*referral), **columns}],
    }


WHOLE: Rows = {
    "MHS005PatInd": [{"LocalPatientID": "L1"}],
    "MHS102OtherServiceType": [{"ServiceRequestID": "R1", "OtherCareProfTeamLocalID": "T1"}],
    "MHS105OnwardReferral": [{"ServiceRequestID": "R1", "OnwardReferDate": "2026-02-03"}],
    "MHS201CareContact": [
        {"CareContactID": "C1", "ServiceRequestID": "R1", "CareContDate": "2026-02-03", "OrgIDComm": "QZZ"}
    ],
    "MHS202CareActivity": [{"CareActID": "A1", "CareContactID": "C1"}],
    "MHS501HospProvSpell": [
        {"HospProvSpellID": "H1", "ServiceRequestID": "R1", "StartDateHospProvSpell": "2026-02-03"}
    ],
    "MHS502WardStay": [
        {"WardStayID": "W1", "HospProvSpellID": "H1", "WardCode": "WARD", "StartDateWardStay": "2026-02-03"}
    ],
    "MHS902ServiceTeamDetails": [
        {
            "CareProfTeamLocalID": "T1",
            "OrgIDCareProfTeamLocalID": "RX1",
            "ServTeamTypeMH": "C02",
            "ServTeamIntAgeGroup": "01",
        }
    ],
}
"""Rows in which no rule finds anything, each with what is mandatory and no more."""


def having(table: str, **columns: str) -> Rows:
    """A record in which no rule finds anything but in this row, with the rows that it belongs to."""
    rows = patient(CareProfTeamLocalID="T1") if table == "MHS902ServiceTeamDetails" else patient()
    if table == "MHS502WardStay":
        rows |= {"MHS501HospProvSpell": WHOLE["MHS501HospProvSpell"]}
    if table == "MHS102OtherServiceType":
        rows |= {"MHS902ServiceTeamDetails": WHOLE["MHS902ServiceTeamDetails"]}
    whole = rows.get(table) or WHOLE.get(table) or [{}]
    rows[table] = [{**whole[0], **columns}]
    return rows


def broken(rows: Rows) -> list[str]:
    """The error codes of the rules that the records of these rows break, sorted."""
    assert CHECKER is not None
    return sorted(finding.code for record in sources(rows) for finding in CHECKER.findings(record))


def _row(*columns: str) -> dict[str, str]:
    return {column: usual(column) for column in columns}
