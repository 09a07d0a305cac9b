"""Conversions and shapes: what is taken, what is refused, and that a refusal never holds the value."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping.convert import TYPES, Refused
from adapter.mapping.shapes import (
    CTV3,
    ICD10,
    NORMAL,
    OPCS4,
    READ2,
    SHAPES,
    SNOMED,
    is_sctid,
    normal_icd10,
    normal_snomed,
    system_by_shape,
    verhoeff_ok,
)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("date", "20260203", "2026-02-03"),
        ("date", "2026-02-03", "2026-02-03"),
        ("date", "202602", "2026-02"),
        ("date", "2026", "2026"),
        ("date", "20260203101500", "2026-02-03"),
        ("date", "2024-02-29", "2024-02-29"),
        ("datetime", "2026-02-03", "2026-02-03"),
        ("datetime", "202602031015", "2026-02-03T10:15:00+00:00"),
        ("datetime", "20260703101500", "2026-07-03T10:15:00+01:00"),
        ("datetime", "20260703101500+0200", "2026-07-03T10:15:00+02:00"),
        ("datetime", "20260703101500.120-0500", "2026-07-03T10:15:00.120-05:00"),
        ("datetime", "2026-07-03T10:15:30Z", "2026-07-03T10:15:30+00:00"),
        ("datetime", "2026-02-03 09:00", "2026-02-03T09:00:00+00:00"),
        ("instant", "20260203101500Z", "2026-02-03T10:15:00+00:00"),
        ("integer", "14", 14),
        ("integer", "+014", 14),
        ("integer", "14.0", 14),
        ("decimal", "-0.5", -0.5),
        ("decimal", "12", 12),
        ("boolean", "1", True),
        ("yes_no", "n", False),
        ("yes_no", "Yes", True),
        ("nhs_number", "999 000 0107", "9990000107"),
        ("ods_code", "rx1", "RX1"),
        ("postcode", "sw1a1aa", "SW1A 1AA"),
        ("postcode", "ZZ99 3WZ", "ZZ99 3WZ"),
        ("phone", "+44 20 7946 0000", "+44 20 7946 0000"),
        ("code", " a   b ", "a b"),
        ("uri", "urn:x", "urn:x"),
    ],
)
def test_taken(kind: str, text: str, value: Any) -> None:
    converted = TYPES[kind](text)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "detail"),
    [
        ("date", "20260230", "implausible-date"),
        ("date", "2025-02-29", "implausible-date"),
        ("date", "31/02/2025", "implausible-date"),
        ("date", "0001-01-01", "implausible-date"),
        ("date", "9999-12-31", "implausible-date"),
        ("datetime", "202602032515", "implausible-date"),
        ("datetime", "20260203101500+9900", "implausible-date"),
        ("datetime", "10:15", "implausible-date"),
        ("instant", "2026-02-03", "implausible-date"),
        ("integer", "14.5", "implausible-value"),
        ("integer", "99999999999", "implausible-value"),
        ("integer", "١٤", "implausible-value"),
        ("integer", ">20", "implausible-value"),
        ("decimal", "1e5", "implausible-value"),
        ("decimal", "NaN", "implausible-value"),
        ("yes_no", "1", "implausible-value"),
        ("yes_no", "U", "implausible-value"),
        ("nhs_number", "9990000108", "nhs-number-invalid"),
        ("nhs_number", "123", "nhs-number-invalid"),
        ("ods_code", "R X 1", "implausible-value"),
        ("postcode", "nowhere", "implausible-value"),
        ("phone", "ask mother", "implausible-value"),
        ("uri", "a b", "implausible-value"),
    ],
)
def test_refused_without_the_value(kind: str, text: str, detail: str) -> None:
    with pytest.raises(Refused) as caught:
        TYPES[kind](text)
    assert caught.value.detail == detail
    assert text not in str(caught.value)


def test_verhoeff_finds_every_single_wrong_digit() -> None:
    good = "450320001"
    assert verhoeff_ok(good)
    for position in range(len(good)):
        for digit in "0123456789":
            if digit != good[position]:
                assert not verhoeff_ok(good[:position] + digit + good[position + 1 :])


@pytest.mark.parametrize(
    ("text", "well_formed"),
    [
        ("450320001", True),
        ("921611000000101", True),
        ("450320002", False),
        ("12345", False),
        ("2617171015", False),  # a description's partition, not a concept's
        ("", False),
        ("٤٥٠٣٢٠٠٠١", False),
    ],
)
def test_sctid(text: str, well_formed: bool) -> None:
    assert is_sctid(text) is well_formed


@pytest.mark.parametrize(
    ("text", "code"),
    [("F53.1", "F53.1"), ("F531", "F53.1"), ("f53x", "F53"), ("F53", "F53"), ("F00.0*", "F00.0"), ("53F", None)],
)
def test_icd10(text: str, code: str | None) -> None:
    assert normal_icd10(text) == code


def test_snomed_terms_are_left_off_and_expressions_kept() -> None:
    assert normal_snomed("13746004 |Bipolar disorder|") == "13746004"
    assert normal_snomed("13746004:246112005=24484000") == "13746004:246112005=24484000"
    assert normal_snomed("13746004:nonsense") is None


def test_system_by_shape() -> None:
    assert system_by_shape("13746004", (ICD10, SNOMED)) == SNOMED
    assert system_by_shape("F53.1", (ICD10, SNOMED)) == ICD10
    assert system_by_shape("XE0re", (READ2, CTV3)) is None
    assert system_by_shape("?", (ICD10, SNOMED)) is None
    assert NORMAL[OPCS4]("R171") == "R17.1"
    assert NORMAL[READ2]("E204.00") == "E204."


@pytest.mark.parametrize(
    ("shape", "yes", "no"),
    [
        ("integer", "14", "14.0"),
        ("decimal", "14.0", "14"),
        ("number", "-3", "3a"),
        ("yes_no", "y", "yes"),
        ("language", "en", "q1"),
        ("snomed", "13746004", "13746005"),
        ("icd10", "F53", "Z"),
    ],
)
def test_shapes(shape: str, yes: str, no: str) -> None:
    assert SHAPES[shape](yes)
    assert not SHAPES[shape](no)
