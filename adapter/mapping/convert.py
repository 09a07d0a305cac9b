"""Typed conversions: the text of a field → a FHIR value, or a refusal that says why without the value.

The names are those that a mapping writes after ``as:``. Dates follow HL7 v2 (YYYYMMDD) and ISO 8601; a time
without a zone is Europe/London. An NHS number is checked by modulus 11 (Data Dictionary, NHS NUMBER).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from adapter.nhs_numbers import nhs_number

_LONDON = ZoneInfo("Europe/London")
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?|(\d\d)(\d\d)?)?", re.ASCII)
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d|\d{8})[T ]?"
    r"(?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
    r"\s?(?P<zone>Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}", re.ASCII)
_ODS = re.compile(r"[A-Z0-9]{3,12}", re.ASCII)
_PHONE = re.compile(r"\+?[\d() .\-/]{3,}(?:(?:ext|x)\.? ?\d+)?", re.IGNORECASE | re.ASCII)
_WHOLE = re.compile(r"([+-]?\d{1,10})(?:\.0+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,12}(\.\d{1,8})?|\.\d{1,8})", re.ASCII)
_TOO_LARGE = 2**31  # for a FHIR integer
_EARLIEST, _LATEST = 1850, 2200


class Refused(Exception):
    """The text is not a value of the type. ``detail`` is a code of the perinatal-issue system."""

    def __init__(self, text: str, detail: str = "implausible-value") -> None:
        self.text, self.detail = text, detail
        super().__init__(text)


def _bad_date() -> Refused:
    return Refused("this is not a date that exists; the value is left out", "implausible-date")


def _day(text: str) -> str:
    match = _DATE.fullmatch(text)
    if match is None:
        raise _bad_date()
    year, month, day = match[1], match[2] or match[4], match[3] or match[5]
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise _bad_date() from None
    if not _EARLIEST <= int(year) <= _LATEST:
        raise _bad_date()
    return "-".join(part for part in (year, month, day) if part)


def to_date(text: str) -> str:
    """FHIR date of the precision given; of a moment, its day."""
    return to_datetime(text)[:10]


def _zone(text: str | None) -> timezone | ZoneInfo:
    if text is None:
        return _LONDON
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    offset = timedelta(hours=hours, minutes=minutes)
    if offset > timedelta(hours=14) or minutes > 59:
        raise _bad_date()
    return timezone(-offset if text[0] == "-" else offset)


@lru_cache(maxsize=4096)
def to_datetime(text: str) -> str:
    """FHIR dateTime: a date of its own precision, or a moment with seconds and offset."""
    if _DATE.fullmatch(text):
        return _day(text)
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise _bad_date()
    day = _day(match["date"])
    try:
        moment = datetime.fromisoformat(day).replace(
            hour=int(match["hour"]),
            minute=int(match["minute"] or 0),
            second=int(match["second"] or 0),
            tzinfo=_zone(match["zone"]),
        )
    except ValueError:
        raise _bad_date() from None
    written = moment.isoformat()
    fraction = (match["fraction"] or "")[:6]
    if fraction.strip("0"):
        written = f"{written[:19]}.{fraction}{written[19:]}"
    return written


def to_instant(text: str) -> str:
    """FHIR instant: a moment, never a day alone."""
    written = to_datetime(text)
    if "T" not in written:
        raise Refused("a date without a time is not a moment; the value is left out", "implausible-date")
    return written


@lru_cache(maxsize=4096)
def to_integer(text: str) -> int:
    match = _WHOLE.fullmatch(text)
    number = int(match[1]) if match else _TOO_LARGE
    if not -_TOO_LARGE <= number < _TOO_LARGE:
        raise Refused("this is not a whole number; the value is left out")
    return number


@lru_cache(maxsize=4096)
def to_decimal(text: str) -> float | int:
    if _NUMBER.fullmatch(text) is None:
        raise Refused("this is not a number; the value is left out")
    return float(text) if "." in text else int(text)


_YES, _NO = frozenset(("y", "yes", "true", "1")), frozenset(("n", "no", "false", "0"))


def to_boolean(text: str) -> bool:
    word = text.lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise Refused("this is neither true nor false; the value is left out")


def to_yes_no(text: str) -> bool:
    """Y or N in words or letters; a digit is not an answer."""
    if text in ("0", "1"):
        raise Refused("this is neither yes nor no; the value is left out")
    return to_boolean(text)


@lru_cache(maxsize=4096)
def to_nhs_number(text: str) -> str:
    digits = nhs_number(text)
    if not digits:
        raise Refused(
            "this is not a valid NHS number (ten digits, modulus 11); the identifier is left out", "nhs-number-invalid"
        )
    return digits


@lru_cache(maxsize=4096)
def to_ods_code(text: str) -> str:
    code = text.upper()
    if _ODS.fullmatch(code) is None:
        raise Refused("this is not an ODS code (3 to 12 letters and digits); the value is left out")
    return code


@lru_cache(maxsize=4096)
def to_postcode(text: str) -> str:
    packed = "".join(text.upper().split())
    if _POSTCODE.fullmatch(packed) is None:
        raise Refused("this is not a postcode; the value is left out")
    return f"{packed[:-3]} {packed[-3:]}"


@lru_cache(maxsize=4096)
def to_phone(text: str) -> str:
    if _PHONE.fullmatch(text) is None:
        raise Refused("this is not a telephone number; the value is left out")
    return " ".join(text.split())


@lru_cache(maxsize=4096)
def to_code(text: str) -> str:
    return " ".join(text.split())


def to_uri(text: str) -> str:
    if re.search(r"\s", text):
        raise Refused("a URI holds no spaces; the value is left out")
    return text


_FULL_NAME = re.compile(r"(?P<family>[^,()]+),\s*(?P<given>[^,()]+?)\s*(?:\((?P<prefix>[^()]+)\))?")
_WEEKS = re.compile(
    r"(\d{1,2})(?:\s*(?:\+|w(?:eeks?|k)?\s*,?)\s*(?:(\d)\s*(?:d(?:ays?)?)?)?)?", re.IGNORECASE | re.ASCII
)
_AMOUNT = re.compile(r"(?P<value>[+-]?\d{1,12}(?:\.\d{1,8})?)\s*(?P<unit>[^\d\s].*)?", re.ASCII)


def to_human_name(text: str) -> dict[str, Any]:
    """``FAMILY, Given Given (Title)`` in its parts; a name without a comma is kept whole: who knows what is what?"""
    match = _FULL_NAME.fullmatch(" ".join(text.split()))
    if match is None:
        return {"text": " ".join(text.split())}
    made: dict[str, Any] = {"family": match["family"].strip(), "given": match["given"].split()}
    return {**made, "prefix": [match["prefix"].strip()]} if match["prefix"] else made


def to_weeks_days(text: str) -> int:
    """A gestation as it is spoken (``28+3``, ``28w3d``, ``28``) in days."""
    match = _WEEKS.fullmatch(text)
    if match is None or int(match[2] or 0) > 6:
        raise Refused("this is not a number of weeks and days (28+3); the value is left out")
    return int(match[1]) * 7 + int(match[2] or 0)


def to_quantity(text: str) -> dict[str, Any]:
    """A number and what stands behind it as its unit (``72.5 kg``); the unit is not coded."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise Refused("this is not a number with a unit; the value is left out")
    made: dict[str, Any] = {"value": to_decimal(match["value"])}
    return {**made, "unit": match["unit"].strip()} if match["unit"] else made


TYPES: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "integer": to_integer,
    "decimal": to_decimal,
    "boolean": to_boolean,
    "yes_no": to_yes_no,
    "date": to_date,
    "datetime": to_datetime,
    "instant": to_instant,
    "nhs_number": to_nhs_number,
    "ods_code": to_ods_code,
    "postcode": to_postcode,
    "phone": to_phone,
    "code": to_code,
    "uri": to_uri,
    "human_name": to_human_name,
    "weeks_days": to_weeks_days,
    "quantity": to_quantity,
}
"""What ``as:`` may name. ``concept`` is besides these: it needs a code map (see ``language``)."""
