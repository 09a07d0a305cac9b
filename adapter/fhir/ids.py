"""Ids that are the same for the same input: UUIDv5 in this project's namespace."""

from __future__ import annotations

from hashlib import sha1
from uuid import NAMESPACE_URL, UUID, uuid5

NAMESPACE: UUID = uuid5(NAMESPACE_URL, "https://perinatal-referrals.example/fhir")

_HASHED_NAMESPACE = sha1(NAMESPACE.bytes, usedforsecurity=False)


def stable_id(*parts: str) -> str:
    """``str(uuid5(NAMESPACE, "/".join(parts)))``, several times faster."""
    hashed = _HASHED_NAMESPACE.copy()
    hashed.update("/".join(parts).encode())
    digits = hashed.hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
