"""Folders of CSV: how rows find their patient, and that none disappears."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.errors import Malformed
from adapter.mapping import load_mapping
from adapter.sources.model import SourceRecord
from adapter.sources.tables import ORPHANS, read_tables

MSDS = load_mapping(Path(__file__).parents[3] / "mappings" / "msds")
MOTHERS = "LPIDMother,OrgIDLPID,PersonBirthDateMother\r\nM1,RX1,1994-03-02\r\nM2,RX1,1990-05-06\r\n"
BOOKINGS = "PregnancyID,LPIDMother,EDDAgreed\r\nP1,M1,2026-07-30\r\nP2,M2,2026-08-30\r\n"


def read(folder: Path, **tables: str | bytes) -> list[SourceRecord]:
    for name, text in tables.items():
        (folder / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_tables(folder, MSDS))


def said(record: SourceRecord) -> list[tuple[str, str]]:
    return [(issue.detail, issue.place) for issue in record.issues]


def test_one_record_per_mother_with_her_rows_alone(tmp_path: Path) -> None:
    one, two = read(
        tmp_path,
        MSD000Header="OrgIDProvider\nRX1\n",
        MSD001MotherDemog=MOTHERS,
        MSD101PregnancyBooking=BOOKINGS,
        MSD301LabourDelivery="LabourDeliveryID,PregnancyID\nL1,P2\n",
        MSD401BabyDemographics="LPIDBaby,LabourDeliveryID\nB1,L1\n",
    )
    assert (one.patient_key, two.patient_key, one.kind) == ("RX1|M1", "RX1|M2", "msds")
    assert [row.name for row in one.order] == ["MSD000Header", "MSD001MotherDemog", "MSD101PregnancyBooking"]
    baby = two.rows["MSD401BabyDemographics"][0]
    mother, header = baby.related("MSD001MotherDemog"), baby.related("MSD000Header")
    assert mother is two.rows["MSD001MotherDemog"][0]
    assert header is not None
    assert header.get("OrgIDProvider") == "RX1"
    assert baby.related("MSD104CodedScoreAssPreg") is None
    assert not one.issues
    assert not two.refused


def test_a_cell_knows_its_place_as_in_a_spreadsheet(tmp_path: Path) -> None:
    text = 'LPIDMother,Postcode,Note\n\n" M1 ",," a\nb "\nM2,x,\n'
    one, two = read(tmp_path, MSD001MotherDemog=text)
    row = one.rows["MSD001MotherDemog"][0]
    assert (row.get("LPIDMother"), row.get("Postcode"), row.get("Note"), row.get("Nothing")) == (
        "M1",
        None,
        "a\nb",
        None,
    )
    assert list(row.populated()) == ["LPIDMother", "Note"]
    assert row.place("Note") == "MSD001MotherDemog row 3, Note"
    assert two.order[0].place("") == "MSD001MotherDemog row 4"


@pytest.mark.parametrize(
    ("data", "name", "remarks"),
    [
        ("LPIDMother,Postcode\nM1,Zoë\n".encode(), "Zoë", []),
        ("LPIDMother,Postcode\nM1,Zoë\n".encode("utf-8-sig"), "Zoë", []),
        ("LPIDMother,Postcode\nM1,Zoë\n".encode("cp1252"), "Zoë", [("", "MSD001MotherDemog")]),
    ],
)
def test_encodings(tmp_path: Path, data: bytes, name: str, remarks: list[tuple[str, str]]) -> None:
    (record,) = read(tmp_path, MSD001MotherDemog=data)
    assert record.order[0].get("Postcode") == name
    assert said(record) == remarks


def test_rows_that_are_nobodys_make_a_refused_record(tmp_path: Path) -> None:
    one, two, orphans = read(
        tmp_path,
        MSD001MotherDemog=MOTHERS,
        MSD101PregnancyBooking=BOOKINGS + "P3,M3,2026-01-01\r\nP4,,\r\n",
        MSD104CodedScoreAssPreg="PregnancyID,Score\nP3,9\nP1,8\n",
    )
    assert (one.refused, two.refused, orphans.refused, orphans.patient_key) == (False, False, True, ORPHANS)
    assert len(one.rows["MSD104CodedScoreAssPreg"]) == 1
    assert said(orphans) == [
        ("malformed", "MSD101PregnancyBooking row 4, LPIDMother"),
        ("malformed", "MSD101PregnancyBooking row 5, LPIDMother"),
        ("malformed", "MSD104CodedScoreAssPreg row 2, PregnancyID"),
    ]
    assert len(orphans.order) == 3


def test_a_mother_without_a_key_is_refused_with_her_place(tmp_path: Path) -> None:
    good, bad = read(tmp_path, MSD001MotherDemog="LPIDMother,Postcode\nM1,\n,LS1 2AB\n")
    assert (good.refused, bad.refused) == (False, True)
    assert said(bad) == [("malformed", "MSD001MotherDemog row 3, LPIDMother")]


def test_the_later_of_two_rows_of_a_mother_counts(tmp_path: Path) -> None:
    (record,) = read(
        tmp_path,
        MSD001MotherDemog="LPIDMother,Postcode\nM1,LS1 2AB\nM1,LS2 3CD\n",
        MSD101PregnancyBooking="PregnancyID,LPIDMother\nP1,M1\n",
    )
    assert record.rows["MSD001MotherDemog"][0].get("Postcode") == "LS2 3CD"
    booking = record.rows["MSD101PregnancyBooking"][0]
    assert booking.related("MSD001MotherDemog") is record.rows["MSD001MotherDemog"][0]
    assert said(record) == [("duplicate", "MSD001MotherDemog row 2")]
    assert not record.refused


def test_the_same_key_of_two_organisations_is_two_women_and_both_are_refused(tmp_path: Path) -> None:
    records = read(tmp_path, MSD001MotherDemog="LPIDMother,OrgIDLPID\nM1,RX1\nM1,RX2\n")
    assert sorted((r.patient_key, r.refused) for r in records) == [("RX1|M1", True), ("RX2|M1", True)]
    assert {detail for r in records for detail, _ in said(r)} == {"data-conflict"}


def test_a_pregnancy_of_two_mothers_refuses_both(tmp_path: Path) -> None:
    records = read(
        tmp_path,
        MSD001MotherDemog=MOTHERS,
        MSD101PregnancyBooking="PregnancyID,LPIDMother\nP1,M1\nP1,M2\n",
        MSD104CodedScoreAssPreg="PregnancyID,Score\nP1,9\n",
    )
    assert [r.refused for r in records] == [True, True]
    assert said(records[0]) == [("data-conflict", "MSD104CodedScoreAssPreg row 2, PregnancyID")]


@pytest.mark.parametrize("row", ["P1,9", "P1,9,2026-01-01,more"])
def test_a_ragged_row_refuses_its_patient_alone(tmp_path: Path, row: str) -> None:
    one, two = read(
        tmp_path,
        MSD001MotherDemog=MOTHERS,
        MSD101PregnancyBooking=BOOKINGS,
        MSD104CodedScoreAssPreg=f"PregnancyID,Score,CompDate\nP2,3,2026-01-01,\n{row}\n",
    )
    assert (one.refused, two.refused) == (True, False)
    assert said(one) == [("malformed", "MSD104CodedScoreAssPreg row 3")]


def test_an_empty_file_and_a_table_without_its_key_are_said(tmp_path: Path) -> None:
    one, _, orphans = read(
        tmp_path,
        MSD001MotherDemog=MOTHERS,
        MSD002GP="",
        MSD003SocPersCircumstances="M1,315594003\nM2,315594003\n",
    )
    assert said(one) == [("malformed", "MSD002GP")]
    assert ("malformed", "MSD003SocPersCircumstances row 1") in said(orphans)
    assert len(orphans.order) == 1


def test_tables_that_the_mapping_does_not_know(tmp_path: Path) -> None:
    one, two = read(
        tmp_path,
        MSD001MotherDemog=MOTHERS,
        MSD101PregnancyBooking=BOOKINGS,
        MSD103DatingScan="PregnancyID,Fetuses\nP2,2\n",
        MSD601Anonymous="Method\n1\n",
        MSD901StaffDetails="CareProfLID\nS1\n",
    )
    assert "MSD103DatingScan" in two.rows
    assert said(one) == [("unmapped-field", "MSD601Anonymous")]


def test_without_mothers_there_is_a_refused_record(tmp_path: Path) -> None:
    (record,) = read(tmp_path, MSD101PregnancyBooking=BOOKINGS)
    assert record.refused
    assert len(record.order) == 2
    assert ("malformed", "MSD001MotherDemog") in said(record)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'LPIDMother,Postcode\nM1,"LS1\nM2,x\n', "MSD001MotherDemog row 2"),
        (b'LPIDMother,Postcode\nM1,x\nM2,"a"b\n', "MSD001MotherDemog row 3"),
        (b"LPIDMother\nM1\nM\x002\n", "MSD001MotherDemog row 3"),
        ("LPIDMother\nM1\n".encode("utf-16"), "MSD001MotherDemog row 1"),
        (b"LPIDMother\nM1\xe9\x81\n", "MSD001MotherDemog row 2"),
    ],
)
def test_what_is_no_csv_is_malformed_with_its_place(tmp_path: Path, data: bytes, place: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(tmp_path, MSD001MotherDemog=data)
    assert [issue.place for issue in caught.value.issues] == [place]
    assert "M1" not in str(caught.value)


def test_a_folder_without_tables_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        read(tmp_path)


def test_a_column_named_twice_makes_the_table_unreadable(tmp_path: Path) -> None:
    *_, orphans = read(
        tmp_path, MSD001MotherDemog=MOTHERS, MSD101PregnancyBooking="PregnancyID,LPIDMother,LPIDMother\nP1,M1,M2\n"
    )
    assert orphans.refused
    assert ("malformed", "MSD101PregnancyBooking row 1") in said(orphans)


def test_a_single_file_of_the_patients_table(tmp_path: Path) -> None:
    path = tmp_path / "msd001motherdemog.CSV"
    path.write_text(MOTHERS)
    assert [r.patient_key for r in read_tables(path, MSDS)] == ["RX1|M1", "RX1|M2"]
