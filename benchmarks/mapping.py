"""Prints, in one run and as ratios, what reading and mapping cost beside a plain reader of the same bytes.

``python -m benchmarks.mapping``: an ORU of 12 results as FHIR beside ``hl7.parse``, and an MSDS folder of 200 mothers
beside ``csv.DictReader`` over the same files. Times are medians, taken in turns.
"""

from __future__ import annotations

import csv
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import hl7
import nhs_number
import orjson

from adapter.fhir.validate import validate
from adapter.mapping import load_mapping
from adapter.records import MappedBundle, RawRecord
from adapter.sources.hl7v2 import read
from adapter.sources.tables import read_tables

MAPPINGS = Path(__file__).resolve().parents[1] / "mappings"
MOTHERS = 200
HL7_ROUNDS, MSDS_ROUNDS = 400, 15
RESULTS = (
    ("450320001^Edinburgh postnatal depression scale score^SCT", "14"),
    *((f"epds-item-{n}^EPDS item {n}^99PNR", str(n % 3)) for n in range(1, 11)),
    ("720433000^Patient Health Questionnaire Nine score^SCT", "16"),
)
ORU = (
    "MSH|^~\\&|EPR|RZZ99|PERINATAL|RZZ99|202603020900||ORU^R01^ORU_R01|M1|P|2.5",
    "PID|1||9990000018^^^NHS^NH~HOSP1^^^RZZ99^MR||XXTESTPATIENT^ADA^^^MS||19940517|F|||"
    "1 Example Street^^Exampleton^^ZZ99 3VZ||^PRN^PH^^^^01632960000",
    "PV1|1|O|CLINIC^^^RZZ99",
    "OBR|1||ORD-1^EPR|71354-5^Edinburgh Postnatal Depression Scale^LN|||202603020830",
    *(f"OBX|{n}|NM|{code}||{value}||||||F|||202603020830" for n, (code, value) in enumerate(RESULTS, 1)),
)
TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "MSD001MotherDemog": (
        "LPIDMother,OrgIDLPID,NHSNumberMother,NHSNumberStatusMother,PersonBirthDateMother,Postcode,EthnicCategoryMother",
        ("L{n},RZZ99,{nhs},01,1994-05-17,ZZ99 3VZ,A",),
    ),
    "MSD002GP": ("LPIDMother,OrgCodeGMPMother,StartDateGMPReg", ("L{n},A99999,2020-01-01",)),
    "MSD101PregnancyBooking": (
        "PregnancyID,LPIDMother,AntenatalAppDate,PregFirstConDate,EDDAgreed,EDDMethodAgreed,LangCode,DisabilityIndMother",
        ("P{n},L{n},2025-11-03,2025-10-20,2026-05-25,01,en,N",),
    ),
    "MSD104CodedScoreAssPreg": (
        "PregnancyID,ToolTypeSNOMED,Score,CompDate",
        ("P{n},450320001,14,2026-02-20", "P{n},720433000,16,2026-02-20", "P{n},445455005,8,2026-02-20"),
    ),
    "MSD106DiagnosisPreg": (
        "PregnancyID,DiagScheme,Diag,DiagDate,ComplicatingDiagInd",
        ("P{n},06,13746004,2020-01-01,Y", "P{n},06,195967001,2012-01-01,N"),
    ),
    "MSD109FindingObsMother": (
        "PregnancyID,FindingScheme,FindingCode,FindingDate,ObsScheme,ObsCode,ObsValue,UCUMUnit,ObsDate",
        ("P{n},,,,03,27113001,64,kg,2025-11-03", "P{n},,,,03,50373000,168,cm,2025-11-03"),
    ),
    "MSD201CareContactPreg": (
        "CareConID,PregnancyID,CContactDate,CContactTime,AttendCode",
        ("C{n},P{n},2026-01-10,09:30:00,5", "D{n},P{n},2026-02-10,10:00:00,5"),
    ),
}
HEADER = (
    "MSD000Header",
    "Version,OrgIDProvider,OrgIDSubmit,RPStartDate,RPEndDate",
    "2.0,RZZ99,RZZ99,2026-01-01,2026-01-31",
)


def main() -> int:
    _oru()
    with tempfile.TemporaryDirectory() as folder:
        _msds(Path(folder))
    return 0


def _oru() -> None:
    mapping = load_mapping(MAPPINGS / "hl7v2")
    data = "".join(f"{segment}\r" for segment in ORU).encode()
    text = data.decode()

    def mapped() -> MappedBundle:
        (record,) = read(RawRecord("bench", data))
        return mapping.run(record)

    def converted() -> bytes:
        made = mapped()
        assert not validate(made.bundle)
        return orjson.dumps(made.bundle)

    times = _medians({"hl7": lambda: hl7.parse(text), "mapped": mapped, "converted": converted}, HL7_ROUNDS)
    resources = len(mapped().bundle["entry"])
    print(f"ORU of {len(RESULTS)} OBX, {len(data)} bytes, {resources} resources; medians of one run")
    _line("hl7.parse: a tree of text", times["hl7"], times["hl7"], "")
    _line("bytes to MappedBundle", times["mapped"], times["hl7"], "")
    _line("bytes to validated FHIR JSON", times["converted"], times["hl7"], "(below 1)")


def _msds(folder: Path) -> None:
    mapping = load_mapping(MAPPINGS / "msds")
    rows = _write(folder)

    def plain() -> int:
        count = 0
        for path in folder.glob("*.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                count += sum(1 for _ in csv.DictReader(file))
        return count

    def mapped() -> list[MappedBundle]:
        return [mapping.run(record) for record in read_tables(folder, mapping)]

    def converted() -> int:
        made = (mapping.run(record) for record in read_tables(folder, mapping))
        return sum(len(orjson.dumps(one.bundle)) for one in made if not validate(one.bundle))

    times = _medians(
        {"csv": plain, "read": lambda: list(read_tables(folder, mapping)), "mapped": mapped, "converted": converted},
        MSDS_ROUNDS,
    )
    made = mapped()
    assert len(made) == MOTHERS
    assert not any(one.refused for one in made)
    resources = sum(len(one.bundle["entry"]) for one in made)
    print(f"MSDS folder of {MOTHERS} mothers, {rows} rows, {resources} resources; medians of one run")
    _line("csv.DictReader: dicts of text", times["csv"], times["csv"], "")
    _line("grouped by mother", times["read"], times["csv"], "")
    _line("rows to MappedBundles", times["mapped"], times["csv"], f"{times['mapped'] / rows * 1e6:.0f} us a row")
    _line(
        "rows to validated FHIR JSON",
        times["converted"],
        times["csv"],
        f"{times['converted'] / rows * 1e6:.0f} us a row",
    )


def _write(folder: Path) -> int:
    """The tables of synthetic mothers; how many rows there are."""
    numbers = nhs_number.generate(quantity=MOTHERS, for_region=nhs_number.REGION_SYNTHETIC)
    name, columns, only = HEADER
    (folder / f"{name}.csv").write_text(f"{columns}\n{only}\n")
    count = 1
    for name, (columns, rows) in TABLES.items():
        lines = [row.format(n=n, nhs=number) for n, number in enumerate(numbers) for row in rows]
        (folder / f"{name}.csv").write_text("\n".join([columns, *lines, ""]))
        count += len(lines)
    return count


def _line(what: str, seconds: float, base: float, note: str) -> None:
    print(f"{what:<32} {seconds * 1e3:8.3f} ms {seconds / base:6.2f} x {note}".rstrip())


def _medians(tasks: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    warm = max(3, rounds // 10)
    gc.collect()
    gc.freeze()
    for turn in range(rounds + warm):
        for name, task in tasks.items():
            gc.collect(0)
            started = time.perf_counter()
            task()
            if turn >= warm:
                taken[name].append(time.perf_counter() - started)
    gc.unfreeze()
    return {name: statistics.median(values) for name, values in taken.items()}


if __name__ == "__main__":
    sys.exit(main())
