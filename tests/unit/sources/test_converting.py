"""A large folder converted on several processes: the same lines, report and order as on one, and no silence."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import orjson
import pytest

from adapter import converting, parallel
from adapter.bootstrap import Adapter
from adapter.coverage import Coverage, Uses
from adapter.mapping.coverage import Shape
from adapter.parallel import in_order
from adapter.records import FieldUse
from adapter.sources import owners
from adapter.sources.tables import open_tables


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Mothers and their bookings in another order, some rows of nobody or broken; read as if it were large."""
    monkeypatch.setattr(converting, "open_tables", partial(open_tables, held=0))
    monkeypatch.setattr(owners, "PART_BYTES", 300)
    made = tmp_path / "msds"
    made.mkdir()
    mothers = "".join(f"M{n},RX1,{'' if n % 7 else 'x'}\n" for n in range(120))
    (made / "MSD001MotherDemog.csv").write_text(f"LPIDMother,OrgIDLPID,PersonBirthDateMother\n{mothers},RX1,\n")
    bookings = "".join(f"P{n},M{n + 5},2026-01-0{n % 9 + 1},odd\n" for n in reversed(range(120)))
    (made / "MSD101PregnancyBooking.csv").write_text(f"PregnancyID,LPIDMother,AntenatalAppDate,Odd\n{bookings}P1\n")
    return made


def converted(folder: Path, report: Path, jobs: int) -> tuple[bytes, bool, bytes, int]:
    with Coverage(report) as coverage:
        lines, failed, records = b"", False, 0
        for one in converting.convert(Adapter(), coverage, [folder], jobs=jobs):
            lines += b"".join(one.pieces())
            failed, records = failed or one.failed, records + one.records
        coverage.write()
    assert records == lines.count(b"\n")
    return lines, failed, report.read_bytes(), coverage.unmapped


@pytest.mark.parametrize("report", ["report.txt", "report.json"])
def test_several_processes_write_what_one_writes(folder: Path, tmp_path: Path, report: str) -> None:
    one = converted(folder, tmp_path / report, 1)
    assert one[1]
    assert one[3] == 1
    assert converted(folder, tmp_path / f"again-{report}", 2) == one


def test_garbage_is_looked_for_as_before_when_it_is_done(folder: Path, tmp_path: Path) -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    converted(folder, tmp_path / "report.txt", 1)
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_a_folder_of_folders_is_read_in_its_order(folder: Path, tmp_path: Path) -> None:
    (folder.parent / "a.json").write_bytes(b"{")
    lines, failed, _, _ = converted(folder.parent, tmp_path.parent / f"{tmp_path.name}.txt", 2)
    assert failed
    assert orjson.loads(lines.splitlines()[0])["resourceType"] == "OperationOutcome"
    assert lines.count(b"\n") > 120


@pytest.mark.parametrize(("name", "data"), [("a.json", b"{"), ("b.hl7", b"nothing"), ("c.ndjson", b"\xff\n")])
def test_an_input_that_is_refused_as_a_whole_is_in_the_report(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    lines, failed, report, _ = converted(tmp_path / name, tmp_path / "report.json", 1)
    assert failed
    said = orjson.loads(report)
    assert said["records"] == 1
    (issue,) = said["issues"]
    (outcome,) = orjson.loads(lines)["issue"]
    assert issue["text"] == outcome["details"]["text"]


def test_a_file_that_changes_meanwhile_ends_it_with_a_line_that_says_so(folder: Path) -> None:
    with Coverage() as coverage:
        done = converting.convert(Adapter(), coverage, [folder], jobs=2)
        records = next(done).records
        with (folder / "MSD001MotherDemog.csv").open("a") as file:
            file.write("M999,RX1,\n")
        for one in done:
            records, last, failed = records + one.records, bytes(one.lines), one.failed
    assert failed
    assert b"changed while it was read" in last
    assert records < 120


def test_a_process_that_dies_is_said_in_the_last_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: object) -> Iterator[tuple[bytes, converting.Converted]]:
        yield b"{}\n", converting.Converted(b"", failed=False)
        raise BrokenProcessPool

    monkeypatch.setattr(converting, "in_order", dies)
    with Coverage() as coverage:
        first, last = converting.convert(Adapter(), coverage, [folder], jobs=2)
    assert (first.lines, last.failed) == (b"{}\n", True)
    assert b"ended unexpectedly: what follows is missing" in last.lines


@pytest.mark.parametrize("lines", [b"", b"one\n", b"12345\n123\n" * 7, b"1234567890\n" * 3 + b"1\n2\n", b"no end" * 9])
def test_what_is_written_at_once_are_whole_lines(lines: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "_PIECE", 8)
    pieces = list(converting.Converted(lines, failed=False).pieces())
    assert b"".join(pieces) == lines
    assert all(bytes(piece).endswith(b"\n") for piece in pieces[:-1])
    assert all(bytes(piece).count(b"\n", 0, -1) <= 8 for piece in pieces)


def doubles() -> Callable[[int], tuple[list[bytes], int]]:
    return lambda number: ([b"%d" % number * 50] * 1_000 if number else [], number * 2)


def dies_at_five() -> Callable[[int], tuple[list[bytes], int]]:
    return lambda number: os._exit(1) if number == 5 else ([], number)


def test_results_come_in_the_order_of_the_inputs_and_few_are_taken_ahead() -> None:
    taken = []

    def inputs() -> Iterator[int]:
        for number in range(40):
            taken.append(number)
            yield number

    results = in_order(doubles, inputs(), 2)
    assert next(results) == (b"", 0)
    assert len(taken) <= 6
    found = [(bytes(data), number) for data, number in results]  # each before the next
    assert found == [(b"%d" % number * 50_000, number * 2) for number in range(1, 40)]


def test_without_files_in_memory_results_go_through_the_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_process", [])
    monkeypatch.delattr(os, "memfd_create", raising=False)
    process = parallel._Process(doubles(), 3)
    assert process.do(4) == (b"4" * 50_000, 8)
    assert list(parallel._used(process.do(0))) == [(b"", 0)]


def test_a_result_of_a_process_that_is_gone_is_an_error() -> None:
    with pytest.raises(BrokenProcessPool):
        list(parallel._used((parallel._Kept("/proc/0/fd/9", 4), 1)))


def test_a_process_that_dies_is_an_error() -> None:
    with pytest.raises(BrokenProcessPool):
        list(in_order(dies_at_five, range(20), 2))


def test_uses_added_apart_are_the_same_as_together() -> None:
    uses = [FieldUse("A.b", "mapped", "", n, (f"A row {n}, b",)) for n in range(1, 6)]
    together, first, then = Uses(), Uses(), Uses()
    together.add(uses)
    first.add(uses[:2])
    then.add(uses[2:])
    first.merge(then)
    assert (
        first.united()
        == together.united()
        == [FieldUse("A.b", "mapped", "", 15, uses[0].places + uses[1].places + uses[2].places)]
    )


def test_what_is_taken_part_by_part_is_the_same_as_together() -> None:
    shape = Shape([(("A.b", ("mapped", "")), "b")])
    together, parts, all_taken = Uses(), Uses(), Uses()
    for n in range(1, 9):
        use = FieldUse("A.b", "mapped", "", 2, (f"A row {n}, b",))
        for uses in (together, parts):
            if n > 2 and uses.knows(shape):
                uses.count(shape, 2)
            else:
                uses.add([use])
        if n % 2:
            all_taken.merge(parts.take())
    all_taken.merge(parts.take())
    assert all_taken.united() == together.united()
    assert together.united() == [FieldUse("A.b", "mapped", "", 16, ("A row 1, b", "A row 2, b", "A row 3, b"))]
