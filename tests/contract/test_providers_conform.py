"""What the example providers and their directories add to results passes the official definitions too."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, time
from pathlib import Path

import orjson

from adapter.bootstrap import Adapter
from adapter.pipeline import evaluate_all, read_path
from rules import LIBRARY
from tests.shared import SHARED, needs_shared

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
EXAMPLES = sorted(path.stem for path in (LIBRARY / "providers").glob("*-example.yaml"))


@needs_shared
def test_results_of_every_example_provider_conform(tmp_path: Path) -> None:
    adapter, written = Adapter(), 0
    for folder in sorted(FIXTURES.glob("9[0-9]-*")):
        for provider in EXAMPLES:
            records = read_path(adapter, folder)
            for result in evaluate_all(adapter, records, date(2026, 3, 2), provider, at=time(22, 30)):
                assert result.bundle is not None
                (tmp_path / f"{folder.name}-{provider}.json").write_bytes(orjson.dumps(result.bundle))
                written += 1
    assert written >= 27
    command = [sys.executable, str(SHARED / "conformance" / "check"), "--require-profile", str(tmp_path)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout[-3000:] + judged.stderr[-1000:]
    assert f"checked {written} files, 0 with errors" in judged.stdout
