"""Where the reference material lives, for tests that use it (they skip with this reason where it is absent)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("PERINATAL_SHARED", Path(__file__).resolve().parents[1] / ".." / "shared")).resolve()

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the reference material (../shared) is not here")
