"""What a value can be by its shape alone: a check that a scheme digit, which differs by table, can be held against.

Code system URIs: UK Core and FHIR R4 for SNOMED CT, ICD-10 and OPCS-4; GP Connect for the Read codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from adapter.mapping.convert import Refused, to_datetime
from rules import verhoeff_ok

SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
OPCS4 = "https://fhir.hl7.org.uk/Id/opcs-4"
READ2 = "http://read.info/readv2"
CTV3 = "http://read.info/ctv3"

_CONCEPT_PARTITIONS = ("00", "10")

_TERM = re.compile(r"\|[^|]*\|", re.ASCII)
_ICD10 = re.compile(r"([A-Z]\d\d)(?:\.?(\d|X)(\d)?)?[AD*†]?", re.ASCII)
_OPCS4 = re.compile(r"[A-Z]\d\d(?:\.?\d)?", re.ASCII)
_READ = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9]{1,5}\.{0,4}", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,9}\.\d{1,8}", re.ASCII)


def is_sctid(text: str) -> bool:
    """Whether this is a well-formed SNOMED CT concept id: 6 to 18 digits, a concept's partition, the check digit.

    It says nothing about whether the concept exists or is active.
    """
    return (
        text.isascii()
        and text.isdigit()
        and 6 <= len(text) <= 18
        and text[0] != "0"
        and text[-3:-1] in _CONCEPT_PARTITIONS
        and verhoeff_ok(text)
    )


@lru_cache(maxsize=4096)
def normal_snomed(text: str) -> str | None:
    """A SNOMED CT concept id or post-coordinated expression without its terms; None when it is neither."""
    bare = "".join(_TERM.sub("", text).split()) if not text.isdigit() else text
    if is_sctid(bare):
        return bare
    concepts = re.split(r"[^0-9]+", bare)
    if len(concepts) > 1 and re.fullmatch(r"[0-9:=,+{}()]+", bare) and all(is_sctid(c) for c in concepts if c):
        return bare
    return None


def normal_icd10(text: str) -> str | None:
    """An ICD-10 code with its dot (``F531`` → ``F53.1``), without filler X, dagger or asterisk; else None."""
    match = _ICD10.fullmatch(text.upper())
    if match is None:
        return None
    category, fourth, fifth = match.groups()
    if fourth is None or (fourth == "X" and fifth is None):
        return category
    return f"{category}.{fourth}{fifth or ''}"


def _normal_opcs4(text: str) -> str | None:
    match = _OPCS4.fullmatch(text.upper())
    if match is None:
        return None
    code = text.upper().replace(".", "")
    return code if len(code) == 3 else f"{code[:3]}.{code[3]}"


def _normal_read(text: str) -> str | None:
    """A Read code is five characters, dots at the end; a two-digit term code after it is left off."""
    code = text[:5] if len(text) == 7 and text[5:].isdigit() else text
    return code if len(code) == 5 and _READ.fullmatch(code) else None


def _is_date(text: str) -> bool:
    try:
        return bool(to_datetime(text))
    except Refused:
        return False


NORMAL: Mapping[str, Callable[[str], str | None]] = {
    SNOMED: normal_snomed,
    ICD10: normal_icd10,
    OPCS4: _normal_opcs4,
    READ2: _normal_read,
    CTV3: _normal_read,
}
"""Code system URI → the code in its canonical form, or None when it cannot be a code of that system."""

SHAPES: Mapping[str, Callable[[str], bool]] = {
    "integer": lru_cache(4096)(lambda text: _INTEGER.fullmatch(text) is not None),
    "decimal": lru_cache(4096)(lambda text: _DECIMAL.fullmatch(text) is not None),
    "number": lru_cache(4096)(lambda text: (_INTEGER.fullmatch(text) or _DECIMAL.fullmatch(text)) is not None),
    "date": _is_date,
    "yes_no": lambda text: text.upper() in ("Y", "N"),
    "text": lambda text: not (SHAPES["number"](text) or SHAPES["yes_no"](text)),
    "language": lambda text: re.fullmatch(r"[a-z]{2,3}", text) is not None,
    "snomed": lambda text: normal_snomed(text) is not None,
    "icd10": lambda text: normal_icd10(text) is not None,
}
"""What ``when: {FIELD: {shape: NAME}}`` may name."""


def system_by_shape(code: str, systems: tuple[str, ...]) -> str | None:
    """The one of these systems that a code belongs to by its shape; None when none or more than one fits.

    A SNOMED CT id carries a check digit, so it wins over the shapes that have none.
    """
    fits = [system for system in systems if NORMAL[system](code) is not None]
    if SNOMED in fits:
        return SNOMED
    return fits[0] if len(fits) == 1 else None
