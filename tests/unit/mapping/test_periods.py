"""A Period whose ends are of different precision, or the wrong way round."""

from __future__ import annotations

import pytest

from adapter.mapping.periods import comparable


@pytest.mark.parametrize(
    ("start", "end", "made"),
    [
        ("2026-02-03", "2026-02-03", ("2026-02-03", "2026-02-03")),
        ("2026-02-03T10:00:00+00:00", "2026-02-03", ("2026-02-03", "2026-02-03")),
        ("2026-02-03", "2026-02-03T10:00:00+00:00", ("2026-02-03", "2026-02-03")),
        ("2026-02-03T10:00:00+00:00", "2026-02-04", ("2026-02-03T10:00:00+00:00", "2026-02-04")),
        ("2026-02", "2026-02-04", ("2026-02", "2026-02")),
        ("2026-02-03T10:00:00+01:00", "2026-02-03T09:00:00+00:00", "as given"),
        ("2026-02-03T10:00:00+00:00", "2026-02-03T10:00:00+01:00", None),
        ("2026-02-04", "2026-02-03T23:59:00+00:00", None),
        ("2026-02-04", "2025", None),
    ],
)
def test_comparable(start: str, end: str, made: tuple[str, str] | str | None) -> None:
    assert comparable(start, end) == ((start, end) if made == "as given" else made)
