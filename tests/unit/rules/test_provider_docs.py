"""The policy and the directory that the documentation shows are ones that load."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

from rules import LIBRARY, load_directory, load_pack

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "providers.md"


def test_the_documented_policy_and_directory_load(tmp_path: Path):
    blocks = re.findall(r"^```yaml\n(provider: .*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)
    policy, directory = blocks
    folder = tmp_path / "pack"
    shutil.copytree(LIBRARY, folder)
    (folder / "providers" / "north-example.yaml").write_text(policy, encoding="utf-8")
    pack = load_pack(folder, "north-example")
    assert [pack.parameter("perinatal-team-window-months", date(year, 4, 1)) for year in (2024, 2025, 2026)] == [
        24,
        24,
        12,
    ]
    (tmp_path / "directory.yaml").write_text(directory, encoding="utf-8")
    assert load_directory(tmp_path / "directory.yaml", pack.services).lists(pack.provider)
    pack.close()
