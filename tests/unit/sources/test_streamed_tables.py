"""A folder that is too large to be held is read like one that is held, and little of it is in memory at a time."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import CannotStart, Malformed
from adapter.mapping import load_mapping
from adapter.sources import chunks, csv_stream, owners, parents, parts, scratch, shelves
from adapter.sources.chunks import Chunks
from adapter.sources.csv_files import TableRow
from adapter.sources.csv_stream import StreamedTable
from adapter.sources.model import Row, SourceRecord
from adapter.sources.tables import ORPHANS, read_tables

MAPPINGS = Path(__file__).parents[3] / "mappings"
MSDS, MHSDS = load_mapping(MAPPINGS / "msds"), load_mapping(MAPPINGS / "mhsds")

_mother = st.sampled_from(["", "M1", "M2", "M3"])
_key = st.sampled_from(["", "P1", "P2", "P3", " P1 "])
_text = st.sampled_from(["", "x", "Zoë", 'two\nlines, "so"', " "])


def _table(*columns: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    row = st.tuples(*columns).map(list)
    ragged = st.tuples(row, st.sampled_from([0, 0, 0, -1, 1])).map(
        lambda one: one[0] if one[1] == 0 else one[0][:-1] if one[1] < 0 else [*one[0], "more"]
    )
    return st.lists(ragged, max_size=5)


TABLES: dict[str, tuple[str, st.SearchStrategy[list[list[str]]]]] = {
    "MSD000Header": ("Version,OrgIDProvider", _table(st.just("2.0"), st.sampled_from(["RX1", ""]))),
    "MSD001MotherDemog": ("LPIDMother,OrgIDLPID,Note", _table(_mother, st.sampled_from(["RX1", "RX2"]), _text)),
    "MSD101PregnancyBooking": ("PregnancyID,LPIDMother,Note", _table(_key, _mother, _text)),
    "MSD104CodedScoreAssPreg": ("PregnancyID,Score", _table(_key, _text)),
    "MSD301LabourDelivery": ("LabourDeliveryID,PregnancyID", _table(_key, _key)),
    "MSD401BabyDemographics": ("LPIDBaby,LabourDeliveryID", _table(_mother, _key)),
    "MSD103DatingScan": ("PregnancyID,Fetuses", _table(_key, _text)),
    "MSD601Anonymous": ("Method", _table(_text)),
}


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text


def _write(folder: Path, rows: dict[str, list[list[str]]], end: str, encoding: str) -> None:
    for name, lines in rows.items():
        text = end.join([TABLES[name][0], *(",".join(map(_cell, line)) for line in lines)])
        (folder / f"{name}.csv").write_bytes(text.encode(encoding))


def _seen(record: SourceRecord) -> object:
    def row(one: Row) -> object:
        assert isinstance(one, TableRow)
        above = [
            one.related(name) for name in ("MSD001MotherDemog", "MSD101PregnancyBooking", "MHS902ServiceTeamDetails")
        ]
        return one.place(""), one.texts, one.ragged, [other.place("") if other else "" for other in above]

    return record.patient_key, record.refused, record.issues, [row(one) for one in record.order], sorted(record.rows)


def _little_memory(patch: pytest.MonkeyPatch) -> None:
    """Shelves of few patients, rows and keys that go to disk almost at once, and rows that are read a few at a time."""
    for module, limit, few in (
        (owners, "PART_BYTES", 60),
        (shelves, "FITS_BYTES", 200),
        (chunks, "WAITING_BYTES", 500),
        (scratch, "HELD_KEYS", 2),
        (parents, "HELD", 2),
        (parents, "_BATCH", 2),
        (owners, "_RUN", 1),
        (csv_stream, "_BLOCK", 30),
    ):
        patch.setattr(module, limit, few)


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries({}, optional={name: rows for name, (_, rows) in TABLES.items()}).filter(bool),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
)
def test_streamed_is_as_held(rows: dict[str, list[list[str]]], end: str, encoding: str) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder, rows, end, encoding)
        held = [_seen(record) for record in read_tables(folder, MSDS)]
        streamed = [_seen(record) for record in read_tables(folder, MSDS, held=0)]
        with pytest.MonkeyPatch.context() as small:
            _little_memory(small)
            by_turns = [_seen(record) for record in read_tables(folder, MSDS, held=0)]
    assert streamed == held
    assert by_turns == held
    said = {place for one in streamed for place, *_ in one[3]}  # type: ignore[index]
    of_nobody = {"MSD601Anonymous", "MSD000Header"}
    written = {
        f"{table} row {number}"
        for table, lines in rows.items()
        for number, line in enumerate(lines, 2)
        if table not in of_nobody and any(cell.strip() for cell in line) and "\n" not in "".join(line)
    }
    replaced = {issue.place for one in streamed for issue in one[2] if "takes the place" in issue.text}  # type: ignore[index]
    assert written <= said | replaced


def test_lookups_are_linked_when_streamed(tmp_path: Path) -> None:
    (tmp_path / "MHS001MPI.csv").write_text("LocalPatientID,OrgIDLocalPatientID\nA,RX1\nB,RX1\n")
    (tmp_path / "MHS101Referral.csv").write_text(
        "ServiceRequestID,LocalPatientID,CareProfTeamLocalID\n1,B,T\n2,A,T\n3,A,U\n"
    )
    (tmp_path / "MHS902ServiceTeamDetails.csv").write_text("CareProfTeamLocalID\nT\nS\n")
    held = [_seen(record) for record in read_tables(tmp_path, MHSDS)]
    assert [_seen(record) for record in read_tables(tmp_path, MHSDS, held=0)] == held
    assert "MHS902ServiceTeamDetails row 2" in str(held[1])


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'LPIDMother,Postcode\nM1,"LS1\nM2,x\n', "MSD001MotherDemog row 2"),
        (b'LPIDMother,Postcode\nM1,x\nM2,"a"b\n', "MSD001MotherDemog row 3"),
        (b"LPIDMother\nM1\nM\x002\n", "MSD001MotherDemog row 3"),
        ("LPIDMother\nM1\n".encode("utf-16"), "MSD001MotherDemog row 1"),
        (b"LPIDMother\nM1\xe9\x81\n", "MSD001MotherDemog row 2"),
        (b"LPIDMother\nM1\xe9", "MSD001MotherDemog row 2"),
    ],
)
def test_what_is_no_csv_is_malformed_before_anything_comes(tmp_path: Path, data: bytes, place: str) -> None:
    (tmp_path / "MSD000Header.csv").write_text("Version\n2.0\n")
    (tmp_path / "MSD001MotherDemog.csv").write_bytes(data)
    if data.endswith(b"\xe9"):
        (record,) = read_tables(tmp_path, MSDS, held=0)
        assert [issue.text for issue in record.issues] == ["the file is not UTF-8: it was read as Windows-1252"]
        return
    with pytest.raises(Malformed) as caught:
        next(read_tables(tmp_path, MSDS, held=0))
    assert [issue.place for issue in caught.value.issues] == [place]


def _mothers(folder: Path, count: int) -> None:
    (folder / "MSD001MotherDemog.csv").write_text("LPIDMother\n" + "".join(f"M{n}\n" for n in range(count)))
    bookings = "".join(f"P{n},M{n}\n" for n in reversed(range(count)))
    (folder / "MSD101PregnancyBooking.csv").write_text(f"PregnancyID,LPIDMother\n{bookings}")


def _live() -> int:
    gc.collect()
    return sum(type(one) is TableRow for one in gc.get_objects())


def test_few_rows_are_alive_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "PART_BYTES", 150)
    _mothers(tmp_path, 300)
    before, most, keys = _live(), 0, []
    for number, record in enumerate(read_tables(tmp_path, MSDS, held=0)):
        keys.append(record.patient_key)
        if number % 25 == 0:
            most = max(most, _live() - before)
    assert keys == [f"|M{n}" for n in range(300)]
    assert 0 < most <= 40


def test_rows_of_nobody_and_a_patient_with_too_many_come_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MOST_ROWS", 3)
    _mothers(tmp_path, 2)
    (tmp_path / "MSD104CodedScoreAssPreg.csv").write_text("PregnancyID\n" + "P0\n" * 4 + "P9\n" * 4)
    for held in (0, 10**6):
        records = list(read_tables(tmp_path, MSDS, held=held))
        assert [(r.patient_key, r.refused, len(r.order)) for r in records] == [
            ("|M0", True, 3),
            ("", True, 3),
            ("|M1", False, 2),
            (ORPHANS, True, 3),
            (ORPHANS, True, 1),
        ]
        assert "more than 3 rows" in records[0].issues[0].text


def test_one_key_of_everybody_is_said_to_each_and_not_of_each_for_each(tmp_path: Path) -> None:
    (tmp_path / "MSD001MotherDemog.csv").write_text("LPIDMother\n" + "".join(f"M{n}\n" for n in range(40)))
    rows = "".join(f"0,M{n}\n" for n in range(40))
    (tmp_path / "MSD101PregnancyBooking.csv").write_text(f"PregnancyID,LPIDMother\n{rows}")
    (tmp_path / "MSD104CodedScoreAssPreg.csv").write_text("PregnancyID\n" + "0\n" * 40)
    records = list(read_tables(tmp_path, MSDS, held=0))
    assert all(record.refused for record in records)
    assert sum(len(record.issues) for record in records) == 40 + 39


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    _mothers(tmp_path, 3)
    path = tmp_path / "MSD101PregnancyBooking.csv"
    with closing(StreamedTable(path, "MSD101PregnancyBooking")) as table:
        chunks = table.chunks()
        next(chunks)
        path.write_text(path.read_text() + "P9,M9\n")
        with pytest.raises(Malformed, match="was changed"):
            list(chunks)


def test_a_file_that_changes_between_two_parts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "PART_BYTES", 150)
    _mothers(tmp_path, 60)
    records = read_tables(tmp_path, MSDS, held=0)
    next(records)
    (tmp_path / "MSD101PregnancyBooking.csv").write_text("PregnancyID,LPIDMother\n")
    with pytest.raises(Malformed, match="was changed"):
        list(records)


@pytest.mark.parametrize("text", ['M1,"' + "x\n" * 50_000 + '"' + ",y" * 50, "M1," + "x" * 100_000])
def test_a_row_that_is_too_long_is_malformed_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(csv_stream, "_CHUNK", 10_000)
    monkeypatch.setattr(csv_stream, "LONGEST_ROW", 50_000)
    (tmp_path / "MSD001MotherDemog.csv").write_text(f"LPIDMother,Note\nM0,\n{text}\nM2,\n")
    with pytest.raises(Malformed, match="longer than 50000 bytes") as caught:
        next(read_tables(tmp_path, MSDS, held=0))
    assert [issue.place for issue in caught.value.issues] == ["MSD001MotherDemog row 3"]


def test_a_row_that_several_records_share_is_one_of_each(tmp_path: Path) -> None:
    (tmp_path / "MHS000Header.csv").write_text("DatSetVer\n6.0\n")
    (tmp_path / "MHS001MPI.csv").write_text("LocalPatientID,OrgIDLocalPatientID\nA,RX1\nB,RX1\n")
    (tmp_path / "MHS101Referral.csv").write_text(
        "ServiceRequestID,LocalPatientID,CareProfTeamLocalID\n1,B,T\n2,A,T\n3,A,T\n"
    )
    (tmp_path / "MHS902ServiceTeamDetails.csv").write_text("CareProfTeamLocalID\nT\n")
    for held in (0, 10**6):
        one, two = read_tables(tmp_path, MHSDS, held=held)
        assert [len(record.order) for record in (one, two)] == [5, 4]
        assert not {id(row) for row in one.order} & {id(row) for row in two.order}
        first, second = one.rows["MHS101Referral"]
        assert first.related("MHS902ServiceTeamDetails") is one.rows["MHS902ServiceTeamDetails"][0]
        assert second.related("MHS902ServiceTeamDetails") is one.rows["MHS902ServiceTeamDetails"][0]
        assert two.rows["MHS101Referral"][0].related("MHS000Header") is two.order[0]


KILLED = """\
import os, signal, stat, sys
from adapter.sources import chunks, scratch
scratch.CACHE_BYTES = chunks.WAITING_BYTES = 64 * 1024
scratch.HELD_KEYS = 100
made = scratch.OnDisk()
index, rows = made.index(), made.shelves()
for n in range(20_000):
    index.put(f"key {n}", n)
    rows.put(1, (n, 0, n, -1, ["x", "y"], None))
links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
ours = [link for link in links if os.path.islink(link) and os.readlink(link).startswith(os.environ["TMPDIR"])]
print(len(ours), {stat.S_IMODE(os.stat(one).st_mode) for one in ours} == {0o600})
print(min(os.stat(one).st_size for one in ours) > 100_000)
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_is_on_disk_is_private_and_gone_even_after_a_kill(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "SQLITE_TMPDIR"}
    environment = {**kept, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", KILLED], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("2 True\nTrue\n", -signal.SIGKILL), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_stops_early_leaves_nothing_open(tmp_path: Path) -> None:
    _mothers(tmp_path, 50)
    records = read_tables(tmp_path, MSDS, held=0)
    next(records)
    assert _open(tmp_path)
    records.close()  # type: ignore[attr-defined]
    assert not _open(tmp_path)


def _open(folder: Path) -> list[str]:
    links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    return [link for link in links if os.path.islink(link) and os.readlink(link).startswith(str(folder))]


def test_a_full_disk_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "HELD_KEYS", 100)
    made = scratch.OnDisk()
    made._db.execute("PRAGMA max_page_count=10")
    index = made.index()

    def fill() -> None:
        for n in range(20_000):
            index.put(f"key {n}" * 10, n)

    with pytest.raises(CannotStart, match="TMPDIR"):
        fill()
    made.close()


def test_rows_that_the_disk_has_no_room_for_are_said_in_a_line() -> None:
    made = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=True)
    assert "the temporary folder (TMPDIR) cannot hold what this input needs" in made.stdout


FULL = """\
import resource, signal
from adapter.errors import CannotStart
from adapter.sources.chunks import Chunks
from adapter.sources.shelves import FiledShelves
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
rows = FiledShelves(Chunks())
rows.put(1, (1, 1, 1, -1, ["x" * 20_000], None))
try:
    rows.numbers()
except CannotStart as error:
    print(error)
"""


def test_a_temporary_folder_that_cannot_be_written_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "_folder", lambda: str(tmp_path / "not there"))
    with pytest.raises(CannotStart, match="TMPDIR"):
        scratch.OnDisk().shelves()


def test_an_index_that_goes_to_disk_says_what_it_said_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "HELD_KEYS", 4)
    with closing(scratch.OnDisk()) as made:
        indexes = [made.index(), made.index(), scratch.InMemory().index()]
        puts = [("a", 1), ("b", 1), ("a", 2), ("c", 3), ("a", 1), ("d", 4), ("e", 5), ("b", 1), ("c", 7), ("e", 4)]
        for at, (key, owner) in enumerate(puts):
            for index in indexes:
                index.put(key, owner, at, [key, "kept"])
        keys = ["a", "b", "c", "d", "e", "f"]
        for index in indexes:
            assert index.get_all(keys).items() >= indexes[2].get_all(keys).items()
            assert [index.owners(key) for key in keys] == [[1, 2], [1], [3, 7], [4], [4, 5], []]
            assert index.get("a") == (1, 4, ["a", "kept"], True)
            assert index.get("f") is None


def test_rows_that_are_answered_in_another_order_than_they_ask_are_read_as_if_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _mothers(tmp_path, 40)
    labours = "".join(f"L{n % 25},P{n * 7 % 40}\n" for n in range(80))
    (tmp_path / "MSD301LabourDelivery.csv").write_text(f"LabourDeliveryID,PregnancyID\n{labours}")
    babies = "".join(f"B{n},L{n % 30}\n" for n in range(90))
    (tmp_path / "MSD401BabyDemographics.csv").write_text(f"LPIDBaby,LabourDeliveryID\n{babies}")
    held = [_seen(record) for record in read_tables(tmp_path, MSDS)]
    _little_memory(monkeypatch)
    assert [_seen(record) for record in read_tables(tmp_path, MSDS, held=0)] == held
    assert "rows of different patients in MSD301LabourDelivery" in str(held)
    assert "no row of MSD301LabourDelivery" in str(held)


def test_what_is_said_once_of_a_lookup_is_said_where_its_first_row_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "MHS001MPI.csv").write_text("LocalPatientID,OrgIDLocalPatientID\nA,RX1\nB,RX1\n")
    referrals = "".join(f"S{n},{'AB'[n % 2]}\n" for n in range(20))
    (tmp_path / "MHS101Referral.csv").write_text(f"ServiceRequestID,LocalPatientID\n{referrals}")
    services = "".join(f"S{n * 7 % 20},{'TU'[n // 2 % 2]}\n" for n in range(40))
    (tmp_path / "MHS102OtherServiceType.csv").write_text(f"ServiceRequestID,OtherCareProfTeamLocalID\n{services}")
    (tmp_path / "MHS902ServiceTeamDetails.csv").write_text("CareProfTeamLocalID\nT\nT\n")
    held = [_seen(record) for record in read_tables(tmp_path, MHSDS)]
    _little_memory(monkeypatch)
    assert [_seen(record) for record in read_tables(tmp_path, MHSDS, held=0)] == held
    assert str(held).count("more than one row has this") == 2


def test_keys_that_go_to_disk_say_what_they_said_in_memory() -> None:
    keys = ["a", "b", "a", "c", "a", "d", "", "b", "c"]
    entries = [parents.entry(owner, at) for at, owner in enumerate([1, 1, 2, 3, 1, 4, 9, 1, 7])]
    asked = ([1, 2, 3, 4, 5, 6], ["a", "b", "", "c", "d", "e"], ["1", "2", "3", "4", "5", "6"])
    for first in (False, True):
        seen = []
        for keys_held in (None, 2):
            made = parents.Parents(parents.Room(keys_held), Chunks, first=first)
            for at in range(0, len(keys), 2):
                made.put_all(keys[at : at + 2], entries[at : at + 2])
            seen.append(
                sorted(
                    (number, key, packed, found, list(answer.held.owners(key)) if not first else [])
                    for answer in made.answer([asked])
                    for number, key, packed, found in zip(*answer[:4], strict=True)
                )
            )
            made.close()
        assert seen[0] == seen[1]
        if not first:
            assert [row[4] for row in seen[0]] == [[1, 2], [], [], [3, 7], [], []]
        entry = parents.entry
        assert [row[3] for row in seen[0]] == [
            entry(1, 4),
            entry(1, 7),
            -1,
            entry(3 if first else 7, 8),
            entry(4, 5),
            -1,
        ]
