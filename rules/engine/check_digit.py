"""The check digit of SNOMED CT identifiers: Verhoeff's scheme (SNOMED CT technical implementation guide)."""

from __future__ import annotations

_MULTIPLY = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_PERMUTE = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def verhoeff_ok(digits: str) -> bool:
    """Whether the last digit is the Verhoeff check digit of those before it (SNOMED CT identifiers have one)."""
    check = 0
    for position, digit in enumerate(reversed(digits)):
        check = int(_MULTIPLY[check][int(_PERMUTE[position % 8][int(digit)])])
    return check == 0
