"""What an NHS number is, said once for every source."""

from __future__ import annotations

import re

from nhs_number.validate import is_valid

_SEPARATORS = re.compile(r"[\s-]")
_DIGITS = re.compile(r"[0-9]{10}")


def nhs_number(text: str) -> str:
    """The ten digits of a valid NHS number, "" where it is none.

    Spaces and hyphens do not count; modulus 11 must hold. Ten times the same digit passes that, and is what systems
    write where no number is known: taken for a number, it would make all those people one.
    """
    digits = _SEPARATORS.sub("", text)
    if _DIGITS.fullmatch(digits) is None or len(set(digits)) == 1 or not is_valid(digits):
        return ""
    return digits
