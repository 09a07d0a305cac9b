"""Prints peak memory and rate of ``perinatal convert`` over a small and a four times larger input of the same kind.

``python -m benchmarks.streaming [SMALL LARGE]``: sizes in MB of an MSDS folder, whose rows stand in another order in
each file, and of a batch of HL7 v2. Each runs in a process of its own; the folder also on all processors. The memory
is that of all its processes together. The rate is a ratio of elapsed times, to reading the same bytes on one processor
with ``csv.DictReader``, or to ``hl7.parse`` of its messages (timed over some of them).
"""

from __future__ import annotations

import csv
import random
import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import hl7
from nhs_number.validate import calculate_checksum

from adapter.parallel import processors
from benchmarks.mapping import HEADER, ORU, TABLES

SMALL, LARGE = 15, 60
MOST_MEMORY, MARGIN = 400, 40  # MB
SAMPLE = 1_000  # messages


def main(sizes: tuple[int, int] = (SMALL, LARGE)) -> int:
    kept = True
    msds, hl7v2 = ("MSDS", write_msds, parse_csv), ("HL7 v2", write_hl7, parse_hl7)
    runs = [(*msds, 1), (*msds, processors()), (*hl7v2, 1)] if processors() > 1 else [(*msds, 1), (*hl7v2, 1)]
    with tempfile.TemporaryDirectory() as name:
        paths = {
            (kind, size): write(Path(name) / f"{kind} {size}", size * 1_000_000)
            for kind, write, _ in (msds, hl7v2)
            for size in sizes
        }
        for kind, _, parse, jobs in runs:
            peaks = []
            for size in sizes:
                path = paths[kind, size]
                plain, (seconds, peak) = parse(path), converted(path, jobs)
                peaks.append(peak)
                rate = f"{size / seconds:5.2f} MB/s {seconds / plain:6.2f} x {parse.__doc__}"
                on = "one process" if jobs == 1 else f"{jobs} processors"
                print(f"{kind} of {size} MB, {on}".ljust(32) + f" {peak:6.0f} MB at most; {rate}")
            kept = kept and peaks[-1] < MOST_MEMORY and peaks[-1] - peaks[0] < MARGIN * (1 if jobs == 1 else jobs + 1)
    print(f"memory is constant (within {MARGIN} MB a process, under {MOST_MEMORY}): {'yes' if kept else 'NO'}")
    return 0 if kept else 1


def write_msds(folder: Path, size: int) -> Path:
    """Tables of synthetic mothers, about so many bytes of them."""
    folder.mkdir()
    name, columns, only = HEADER
    (folder / f"{name}.csv").write_text(f"{columns}\n{only}\n")
    each = sum(len(row) + 8 for _, rows in TABLES.values() for row in rows)
    order, shuffle = list(range(size // each)), random.Random(1).shuffle  # noqa: S311 - the same each time
    numbers = nhs_numbers(len(order))
    for name, (columns, rows) in TABLES.items():
        shuffle(order)
        with (folder / f"{name}.csv").open("w", encoding="utf-8") as file:
            file.write(f"{columns}\n")
            file.writelines(f"{row.format(n=n, nhs=numbers[n % len(numbers)])}\n" for n in order for row in rows)
    return folder


def nhs_numbers(count: int) -> list[str]:
    """As many valid numbers of the synthetic range as there are, at most."""
    nines = (f"999{n:06d}" for n in range(1_000_000))
    checked = ((nine, calculate_checksum(nine)) for nine in nines)
    return [f"{nine}{digit}" for nine, digit in islice((one for one in checked if one[1] != 10), count)]


def write_hl7(path: Path, size: int) -> Path:
    """A batch of messages, each patient's two far apart."""
    path = path.with_suffix(".hl7")
    text = "".join(f"{segment}\r" for segment in ORU)
    head, _, rest = text.partition("9990000018^^^NHS^NH~HOSP1")
    count = size // len(text)
    with path.open("w", encoding="utf-8", newline="") as file:
        for n in range(count):
            number = n % (count // 2)
            file.write(f"{head.replace('|M1|', f'|M{n}|')}H{number}{rest.replace('ORD-1', f'ORD-{n}')}")
    return path


def parse_csv(folder: Path) -> float:
    """csv.DictReader"""
    started = time.perf_counter()
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for _ in csv.DictReader(file):
                pass
    return time.perf_counter() - started


def parse_hl7(path: Path) -> float:
    """hl7.parse"""
    text = "".join(f"{segment}\r" for segment in ORU)
    started = time.perf_counter()
    for _ in range(SAMPLE):
        hl7.parse(text)
    return (time.perf_counter() - started) / SAMPLE * (path.stat().st_size / len(text))


def converted(path: Path, jobs: int) -> tuple[float, float]:
    """Seconds and peak memory in MB of the command and the processes that it starts, looked at ten times a second."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "adapter", "convert", str(path), "--jobs", str(jobs)]
    peak = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(_resident, [process.pid, *_children(process.pid)])))
            time.sleep(0.1)
    assert process.returncode in (0, 1)
    return time.perf_counter() - started, peak


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _resident(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / 1024 / 1024


if __name__ == "__main__":
    sys.exit(main((int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) == 3 else (SMALL, LARGE)))
