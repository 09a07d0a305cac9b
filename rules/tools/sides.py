"""One side of a comparison of rules: a pack's folder, a provider and a day, written ``[FOLDER][:PROVIDER][@DATE]``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from rules.engine.content import Content
from rules.engine.directory import Directory, directory_of
from rules.engine.errors import ContentError
from rules.engine.loader import LIBRARY, load_content

_DAY = re.compile(r"@(?P<day>[^@/\\]*)\Z")
_PROVIDER = re.compile(r":(?P<provider>[A-Za-z0-9][A-Za-z0-9_-]*)\Z")


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared. ``folder`` None: the pack in use; ``provider`` "": its default; ``day`` None: the usual day."""

    text: str = ""
    folder: Path | None = None
    provider: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class LoadedSide:
    """The content of one side, as it stands on its day, with the service directory that it is used with."""

    text: str
    content: Content
    day: date
    directory: Directory = field(default_factory=Directory)

    @property
    def pack(self) -> str:
        """``perinatal-mental-health 0.2.0, england-default``; of a folder other than the shipped one, its name too."""
        folder = self.content.folder
        named = f"{self.content.name} {self.content.version}, {self.content.provider.name}"
        return named if folder == LIBRARY else f"{named} in {folder.name}"

    @property
    def title(self) -> str:
        """``perinatal-mental-health 0.2.0, england-default, on 2026-03-02``"""
        return f"{self.pack}, on {self.day}"


def parse_side(text: str) -> Side:
    """Read a side. A text that as a whole names a folder is that folder. Raises ContentError."""
    if text and Path(text).is_dir():
        return Side(text, Path(text))
    folder, provider, day = text, "", None
    if found := _DAY.search(folder):
        folder = folder[: found.start()]
        try:
            day = date.fromisoformat(found["day"])
        except ValueError:
            raise ContentError(f"after '@' comes a day as YYYY-MM-DD, not {found['day']!r}", code="RC091") from None
    if found := _PROVIDER.search(folder):
        folder, provider = folder[: found.start()], found["provider"]
    if folder and not Path(folder).is_dir():
        message = f"there is no folder {folder!r}; a side is written [FOLDER][:PROVIDER][@DATE]"
        raise ContentError(message, code="RC091")
    return Side(text, Path(folder) if folder else None, provider, day)


def load_side(
    side: Side, day: date, folder: Path | None = None, provider: str = "", directory: Path | None = None
) -> LoadedSide:
    """The content of a side; ``day``, ``folder`` and ``provider`` are for what it leaves open. Raises ContentError.

    ``directory`` is a file or folder that takes the place of the directory in the pack's own folder.
    """
    content = load_content(side.folder or folder or LIBRARY, side.provider or provider or None)
    return LoadedSide(side.text, content, side.day or day, directory_of(content, directory))
