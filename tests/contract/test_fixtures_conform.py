"""Everything that the fixtures lead to passes the official definitions of FHIR R4 and UK Core, every resource with a profile.

The judge (``../shared/conformance/check``) is nobody's here: two validators of other people, and a third pass.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import orjson
import pytest

from adapter.bootstrap import Adapter
from adapter.errors import AdapterError
from adapter.fhir.profiles import bundle_with_profiles
from adapter.pipeline import check, evaluate_all, read_path
from tests.shared import SHARED, needs_shared

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
AS_OF = date(2026, 3, 2)


@needs_shared
@pytest.mark.parametrize("what", ["results", "conversions"])
def test_all_that_comes_out_conforms(what: str, tmp_path: Path) -> None:
    adapter = Adapter()
    written = 0
    for folder in sorted(FIXTURES.iterdir()):
        if not folder.is_dir():
            continue
        records = list(read_path(adapter, folder))
        if what == "results":
            made = [result.bundle or result.outcome for result in evaluate_all(adapter, records, AS_OF)]
        else:
            checked = [check(record) for record in records if not isinstance(record, AdapterError)]
            made = [bundle_with_profiles(record.bundle) for record in checked if not record.refused]
        for resource in made:
            (tmp_path / f"{folder.name}-{written}.json").write_bytes(orjson.dumps(resource))
            written += 1
    assert written >= 90
    command = [sys.executable, str(SHARED / "conformance" / "check"), "--require-profile", str(tmp_path)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout[-3000:] + judged.stderr[-1000:]
    assert f"checked {written} files, 0 with errors" in judged.stdout
