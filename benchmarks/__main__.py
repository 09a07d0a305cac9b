"""Prints, in one run and as ratios, what a record costs on its whole way. Times are medians, taken in turns."""

from __future__ import annotations

import gc
import resource as process
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import orjson

import rules
from adapter.bootstrap import Adapter
from adapter.fhir.profiles import bundle_with_profiles
from adapter.pipeline import check, evaluate_all, read
from adapter.records import MappedBundle, RawRecord
from benchmarks import mapping, streaming
from benchmarks.durable_alone import DurableAlone
from benchmarks.naive import Naive
from benchmarks.record import record_bytes
from rules import Trace

AS_OF = date(2026, 3, 2)
ROUNDS, NAIVE_ROUNDS, LOAD_ROUNDS, MEMORY_ROUNDS = 400, 12, 10, 20_000


def main() -> int:
    adapter, data = Adapter(), record_bytes()

    def evaluated(body: bytes) -> bytes:
        (result,) = evaluate_all(adapter, read(adapter, RawRecord("bench", body)), AS_OF)
        return orjson.dumps(result.bundle)

    def converted(body: bytes) -> bytes:
        (record,) = read(adapter, RawRecord("bench", body))
        assert isinstance(record, MappedBundle)
        return orjson.dumps(bundle_with_profiles(check(record).bundle))

    result = evaluated(data)
    six_kilobytes = orjson.loads(_about(result, 6 * 1024))

    def floor(body: bytes) -> bytes:
        orjson.loads(body)
        return orjson.dumps(six_kilobytes)

    naive = Naive(result)
    gc.collect()
    gc.freeze()
    times = _medians({"floor": floor, "evaluate": evaluated, "convert": converted}, data, ROUNDS)
    slow = _medians({"naive": naive.run}, data, NAIVE_ROUNDS)["naive"]
    content = adapter.content()
    pack, facts = content.pack, content.reader.read(orjson.loads(data), AS_OF).facts

    def traced(_: bytes) -> list[Trace]:
        return [outcome.trace for outcome in pack.evaluate(facts, AS_OF).outcomes]

    alone = DurableAlone(pack, facts, AS_OF)
    engine = _medians({"both": traced, "alone": lambda _: alone.run()}, data, ROUNDS)
    loading = _medians({"load": lambda _: rules.load_pack().close()}, data, LOAD_ROUNDS)["load"]

    resources = len(orjson.loads(data)["entry"])
    sizes = f"{resources} resources, {len(data) / 1e3:.0f} kB; result: {len(result) / 1e3:.1f} kB"
    print(f"record: {sizes}; medians of one run")
    line("floor: orjson loads + dumps", times["floor"], "1.0 x floor")
    line("convert", times["convert"], f"{times['convert'] / times['floor']:.1f} x floor")
    line("evaluate", times["evaluate"], f"{times['evaluate'] / times['floor']:.1f} x floor (at most 8)")
    faster = slow / times["evaluate"]
    line("the naive way", slow, f"{slow / times['floor']:.0f} x floor; we are {faster:.0f} times faster (at least 40)")
    ratio = engine["both"] / engine["alone"]
    line("durable_rules alone", engine["alone"], f"{len(pack.rules)} rules, the same facts")
    line("engine: both, with every trace", engine["both"], f"{ratio:.1f} x durable_rules alone (at most 4, and 0.5 ms)")
    line("loading and compiling the pack", loading, "(under 300 ms)")
    print(f"{'memory over 20,000 evaluations':<32} {_growth(evaluated, data) / 1e6:+8.2f} MB (under 5)")
    line("perinatal evaluate, a process", _cold_start(data), "(under 1000 ms)")
    mapping.main()
    return streaming.main()


def line(what: str, seconds: float, note: str) -> None:
    print(f"{what:<32} {seconds * 1e3:8.3f} ms {note}")


def _about(result: bytes, size: int) -> bytes:
    """The result cut to the entries that make about ``size`` bytes, as the floor's output."""
    bundle = orjson.loads(result)
    while len(orjson.dumps(bundle)) > size and len(bundle["entry"]) > 1:
        bundle["entry"].pop()
    return orjson.dumps(bundle)


def _medians(tasks: dict[str, Callable[[bytes], object]], data: bytes, rounds: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(rounds + max(3, rounds // 10)):
        for name, task in tasks.items():
            gc.collect(0)
            started = time.perf_counter()
            task(data)
            if turn >= max(3, rounds // 10):
                taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in taken.items()}


def _growth(task: Callable[[bytes], object], data: bytes) -> float:
    for _ in range(1_000):
        task(data)
    before = _resident()
    for _ in range(MEMORY_ROUNDS):
        task(data)
    return _resident() - before


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * process.getpagesize()


def _cold_start(data: bytes) -> float:
    with tempfile.TemporaryDirectory() as folder:
        small = orjson.loads(data)
        small["entry"] = [e for e in small["entry"] if not e["resource"]["id"].startswith("vital")][:12]
        path = Path(folder) / "record.json"
        path.write_bytes(orjson.dumps(small))
        command = [sys.executable, "-m", "adapter", "evaluate", str(path), "--as-of", AS_OF.isoformat()]
        taken = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
