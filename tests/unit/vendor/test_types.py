"""The typed conversions of a vendor's own words."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping.convert import TYPES, Refused
from adapter.mapping.dates import converter, date_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "value"),
    [
        ("DD/MM/YYYY", "03/02/2026", "2026-02-03"),
        ("DD/MM/YYYY", "3/2/2026", "2026-02-03"),
        ("DD/MM/YYYY", "3/2/2026 14:30", "2026-02-03T14:30:00+00:00"),
        ("DD/MM/YYYY", "01/07/2026 9:05", "2026-07-01T09:05:00+01:00"),
        ("DD/MM/YYYY", "25/10/2026 01:30", "2026-10-25T01:30:00+01:00"),
        ("DD/MM/YYYY", "01/07/2026T09:05:00Z", "2026-07-01T09:05:00+00:00"),
        ("DD-MMM-YYYY", "03-Feb-2026", "2026-02-03"),
        ("DD MMM YYYY", "3 september 2026", "2026-09-03"),
        ("MM/YYYY", "02/2026", "2026-02"),
        ("YYYY", "2026", "2026"),
        ("DDMMYYYY", "03022026", "2026-02-03"),
        ("DD/MM/YYYY|MM/YYYY|YYYY", "1994", "1994"),
    ],
)
def test_dates_as_they_are_written(pattern: str, text: str, value: str) -> None:
    assert converter(f"datetime:{pattern}")(text) == value


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("DD/MM/YYYY", "31/02/2025"),
        ("DD/MM/YYYY", "29/02/2025"),
        ("DD/MM/YYYY", "02/13/2025"),
        ("DD/MM/YYYY", "2025-02-03"),
        ("DD/MM/YYYY", "03/02/25"),
        ("DD/MM/YYYY", "00/02/2025"),
        ("DD/MM/YYYY", "03/02/1025"),
        ("DD/MM/YYYY", "03/02/2025 25:00"),
        ("DD/MM/YYYY", "03/02/2025 noon"),
        ("DD-MMM-YYYY", "03-Ju-2026"),
        ("DD-MMM-YYYY", "03-Foo-2026"),
        ("DDMMYYYY", "3022026"),
    ],
)
def test_dates_that_do_not_exist_or_are_not_so_written(pattern: str, text: str) -> None:
    with pytest.raises(Refused) as refused:
        converter(f"datetime:{pattern}")(text)
    assert refused.value.detail == "implausible-date"
    assert text not in refused.value.text


@pytest.mark.parametrize("pattern", ["", "DD/MM", "DD/MM/YY", "DD/DD/YYYY", "MM/MMM/YYYY", "DD of MM YYYY", "HH:mm"])
def test_patterns_that_are_none(pattern: str) -> None:
    assert date_pattern(pattern) is None


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        (
            "human_name",
            "XXTESTPATIENT, Ann  May (Mrs)",
            {"family": "XXTESTPATIENT", "given": ["Ann", "May"], "prefix": ["Mrs"]},
        ),
        ("human_name", "XXTESTPATIENT, Ann", {"family": "XXTESTPATIENT", "given": ["Ann"]}),
        ("human_name", "Ann XXTESTPATIENT", {"text": "Ann XXTESTPATIENT"}),
        ("weeks_days", "28+3", 199),
        ("weeks_days", "28 w 3 d", 199),
        ("weeks_days", "28 weeks", 196),
        ("weeks_days", "28", 196),
        ("quantity", "72.5 kg", {"value": 72.5, "unit": "kg"}),
        ("quantity", "72", {"value": 72}),
    ],
)
def test_values_of_several_parts(type_name: str, text: str, value: Any) -> None:
    assert TYPES[type_name](text) == value


@pytest.mark.parametrize(("type_name", "text"), [("weeks_days", "28+7"), ("weeks_days", "28.5"), ("quantity", "kg")])
def test_values_that_are_refused(type_name: str, text: str) -> None:
    with pytest.raises(Refused):
        TYPES[type_name](text)
