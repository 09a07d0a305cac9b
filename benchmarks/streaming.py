"""Prints peak memory and rate of ``perinatal convert`` over a small and a four times larger input of the same kind.

``python -m benchmarks.streaming [SMALL LARGE]``: sizes in MB of an MSDS folder, whose rows stand in another order in
each file, and of a batch of HL7 v2. Each runs in a process of its own. The rate is a ratio to reading the same bytes
with ``csv.DictReader``, or to ``hl7.parse`` of its messages (timed over some of them).
"""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hl7

from benchmarks.mapping import HEADER, ORU, TABLES

SMALL, LARGE = 15, 60
MOST_MEMORY, MARGIN = 400, 40  # MB
SAMPLE = 1_000  # messages


def main(sizes: tuple[int, int] = (SMALL, LARGE)) -> int:
    kept = True
    with tempfile.TemporaryDirectory() as name:
        for kind, write, parse in (("MSDS", write_msds, parse_csv), ("HL7 v2", write_hl7, parse_hl7)):
            peaks = []
            for size in sizes:
                path = write(Path(name) / f"{kind} {size}", size * 1_000_000)
                plain, (seconds, peak) = parse(path), converted(path)
                peaks.append(peak)
                rate = f"{size / seconds:5.2f} MB/s {seconds / plain:6.2f} x {parse.__doc__}"
                print(f"{kind} of {size} MB, convert".ljust(32) + f" {peak:6.0f} MB at most; {rate}")
            kept = kept and peaks[-1] < MOST_MEMORY and peaks[-1] - peaks[0] < MARGIN
    print(f"memory is constant (within {MARGIN} MB, under {MOST_MEMORY}): {'yes' if kept else 'NO'}")
    return 0 if kept else 1


def write_msds(folder: Path, size: int) -> Path:
    """Tables of synthetic mothers, about so many bytes of them."""
    folder.mkdir()
    name, columns, only = HEADER
    (folder / f"{name}.csv").write_text(f"{columns}\n{only}\n")
    each = sum(len(row) + 8 for _, rows in TABLES.values() for row in rows)
    order, shuffle = list(range(size // each)), random.Random(1).shuffle  # noqa: S311 - the same each time
    for name, (columns, rows) in TABLES.items():
        shuffle(order)
        with (folder / f"{name}.csv").open("w", encoding="utf-8") as file:
            file.write(f"{columns}\n")
            file.writelines(f"{row.format(n=n, nhs=f'999{n:07d}')}\n" for n in order for row in rows)
    return folder


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


def converted(path: Path) -> tuple[float, float]:
    """Seconds and peak memory in MB of the command, as a process."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "adapter", "convert", str(path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1)
    return time.perf_counter() - started, used.ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main((int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) == 3 else (SMALL, LARGE)))
