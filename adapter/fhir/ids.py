"""Ids that are the same for the same input: UUIDv5 in this project's namespace."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha1
from uuid import NAMESPACE_URL, UUID, uuid5

NAMESPACE: UUID = uuid5(NAMESPACE_URL, "https://perinatal-referrals.example/fhir")

_HASHED_NAMESPACE = sha1(NAMESPACE.bytes, usedforsecurity=False)
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def stable_id(*parts: str) -> str:
    """``str(uuid5(NAMESPACE, "/".join(parts)))``, several times faster."""
    hashed = _HASHED_NAMESPACE.copy()
    hashed.update("/".join(parts).encode())
    return _written(hashed.hexdigest())


def stable_ids(paths: Iterable[str]) -> list[str]:
    """``stable_id`` of each of these, whose parts are joined with ``/`` already."""
    begun, digests = _HASHED_NAMESPACE.copy, list[str]()
    for path in paths:
        hashed = begun()
        hashed.update(path.encode())
        digests.append(hashed.hexdigest())
    return list(map(_written, digests))


class Ids:
    """Ids that begin with the same parts, hashed once: ``Ids("a", "b")("c")`` is ``stable_id("a", "b", "c")``."""

    __slots__ = ("_hashed",)

    def __init__(self, *parts: str) -> None:
        self._hashed = _HASHED_NAMESPACE.copy()
        self._hashed.update(f"{'/'.join(parts)}/".encode())

    def __call__(self, *parts: str) -> str:
        hashed = self._hashed.copy()
        hashed.update("/".join(parts).encode())
        return _written(hashed.hexdigest())


def _written(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"
