"""MHSDS as a whole: nothing that is filled in is lost, a full record meets UK Core, files are told by their names."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.bootstrap import Adapter
from adapter.errors import AdapterError
from adapter.fhir.profiles import bundle_with_profiles
from adapter.fhir.validate import validate
from adapter.pipeline import read_path
from adapter.quality import load_rules
from tests.shared import SHARED, needs_shared
from tests.unit.mhsds.records import FOLDER, KEYS, MHSDS, Rows, patient, run, sources, usual

FATES = {"mapped", "ignored", "unmapped", "refused", "unmapped-code"}
RULES = load_rules(FOLDER / "validation.csv")


def known_fields() -> Rows:
    """Every field of the mapped tables that a rule of the data set is about, filled in; and version 5's two tables."""
    columns: dict[str, list[str]] = {}
    for rule in RULES:
        if rule.check in ("blank", "format"):
            columns.setdefault(rule.table, []).append(rule.field)
    rows = {table: [{column: usual(column) for column in names}] for table, names in columns.items()}
    rows["MHS102ServiceTypeReferredTo"] = [
        {"ServiceRequestID": "R1", "CareProfTeamLocalID": "T1", "ServTeamTypeRefToMH": "F02", "CAMHSTier": "1"}
    ]
    rows["MHS603ProvDiag"] = [{"ServiceRequestID": "R1", "DiagSchemeInUse": "02", "ProvDiag": "F53.1"}]
    return rows


FULL = known_fields()


def layout() -> Rows:
    """Every field of the published layout, filled in."""
    rows: dict[str, list[dict[str, str]]] = {}
    with (SHARED / "clinical" / "mhsds_v6_layout.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            name, column = line["table"], line["xml_csv_name"]
            name = {"MHS205SDDigitalIntervention": "MHS205PatientSDDI"}.get(name, name)  # one table, named twice
            rows.setdefault(name, [{}])[0][column] = usual(column)
    return rows


@needs_shared
def test_each_field_of_the_layout_is_mapped_or_ignored_for_a_reason() -> None:
    rows = layout()
    uses = run(rows).coverage
    assert {use.field for use in uses if use.fate not in ("mapped", "ignored")} == set()
    assert all(use.reason for use in uses if use.fate == "ignored")
    unread = {table for table in rows if table not in (MHSDS.tables.known if MHSDS.tables else ())}
    assert unread <= set(MHSDS.ignored)
    filled = {f"{name}.{column}" for name in rows.keys() - unread for column, cell in rows[name][0].items() if cell}
    assert {use.field for use in uses} == filled


def test_each_field_that_a_rule_is_about_is_mapped_or_ignored_for_a_reason() -> None:
    assert {use.field for use in run(FULL).coverage if use.fate not in ("mapped", "ignored")} == set()


def test_a_whole_record_has_one_of_everything() -> None:
    kinds = sorted(entry["resource"]["resourceType"] for entry in run(FULL).bundle["entry"])
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "Patient": 1,
        "Organization": 4,
        "ServiceRequest": 2,
        "EpisodeOfCare": 3,
        "Encounter": 3,
        "Procedure": 2,
        "Condition": 7,
        "Observation": 13,
    }


@needs_shared
def test_a_whole_record_meets_uk_core(tmp_path: Path) -> None:
    paths = []
    for name, rows in (("full", FULL), ("layout", layout()), ("small", patient())):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(bundle_with_profiles(run(rows).bundle)))
        paths.append(str(path))
    check = [sys.executable, str(SHARED / "conformance" / "check"), "--require-profile", *paths]
    judged = subprocess.run(check, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout


ANY = st.one_of(
    st.just(""),
    st.sampled_from(["01", "04", "13", "29", "C02", "Y", "2026-02-30", "2025-02-03", "F53.1", "13746004", "-1", "9.5"]),
    st.text("aZ09-./ é|", min_size=1, max_size=12),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_is_filled_in_turns_up_in_the_output_or_the_report(data: st.DataObject) -> None:
    rows: Rows = {}
    for name, (line,) in FULL.items():
        free = [column for column in line if column not in KEYS]
        changed = data.draw(st.dictionaries(st.sampled_from(free), ANY, max_size=3)) if free else {}
        rows[name] = [{**line, **changed}]
    made = run(rows)
    assert validate(made.bundle) == ()
    assert {use.fate for use in made.coverage} <= FATES
    filled = {f"{name}.{column}" for name, (line,) in rows.items() for column, cell in line.items() if cell.strip()}
    assert {use.field for use in made.coverage} == filled
    places = {place for issue in made.issues for place in issue.place.split("; ")}
    for use in made.coverage:
        if use.fate in ("refused", "unmapped-code"):
            assert set(use.places) & places or use.reason, use


def test_a_row_that_names_an_unknown_patient_is_refused_and_stops_nobody() -> None:
    rows = patient()
    rows["MHS101Referral"].append({"ServiceRequestID": "R2", "LocalPatientID": "L9"})
    hers, orphans = sources(rows)
    assert not hers.refused
    assert orphans.refused
    assert orphans.issues[0].place == "MHS101Referral row 3, LocalPatientID"


def test_one_team_of_two_patients_is_in_both_records() -> None:
    rows = patient(CareProfTeamLocalID="T1")
    rows["MHS001MPI"].append({"LocalPatientID": "L2", "OrgIDLocalPatientID": "RX1"})
    rows["MHS101Referral"].append({"ServiceRequestID": "R2", "LocalPatientID": "L2", "CareProfTeamLocalID": "T1"})
    rows["MHS902ServiceTeamDetails"] = [{"CareProfTeamLocalID": "T1", "ServTeamTypeMH": "C02"}]
    for record in sources(rows):
        episodes = [e["resource"] for e in MHSDS.run(record).bundle["entry"]]
        (episode,) = (resource for resource in episodes if resource["resourceType"] == "EpisodeOfCare")
        assert episode["type"][0]["coding"][0]["code"] == "perinatal-community-team"


def test_a_folder_is_told_by_the_names_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "MHS001MPI.csv").write_text("LocalPatientID,OrgIDLocalPatientID\nL1,RX1\n", encoding="utf-8")
    (record,) = read_path(Adapter(), tmp_path)
    assert not isinstance(record, AdapterError)
    assert record.mapping.startswith("mhsds@")
