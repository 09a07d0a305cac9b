"""What a pack's files are, as a hash: so that what was signed can be recognised."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

_CONTENT = (".csv", ".yaml")


@dataclass(frozen=True, slots=True)
class Identity:
    """``files``: the path below the pack's folder of each file, with its SHA-256. ``hash``: that of their list.

    The list has a line for each file, ``HASH  ./PATH``, in the order of the paths' bytes: what ``sha256sum`` prints.
    """

    hash: str
    files: tuple[tuple[str, str], ...]


def identity(folder: Path) -> Identity:
    """The identity of the pack in a folder: every YAML and CSV file in it, its tests included."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in _CONTENT)
    files = tuple((path, sha256((folder / path).read_bytes()).hexdigest()) for path in sorted(paths))
    listed = "".join(f"{digest}  ./{path}\n" for path, digest in files)
    return Identity(sha256(listed.encode()).hexdigest(), files)
