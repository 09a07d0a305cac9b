"""What rules are checked against: the lists of codes and the ranges of scores beside a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapter.mapping.code_maps import load_code_map
from adapter.quality import codes, scores
from adapter.quality.codes import CodeList


class Unknown(Exception):
    """What a rule is checked against does not exist."""


@dataclass(frozen=True, slots=True)
class Content:
    """Of the mapping in ``folder``."""

    folder: Path
    lists: Mapping[str, CodeList]
    ranges: Mapping[str, tuple[float, float]]

    def code_map(self, name: str) -> Mapping[str, str]:
        """Source code → target code of a code map of the mapping, or else of all mappings. Raises ContentError."""
        own = self.folder / "code_maps"
        folder = own if (own / f"{name}.csv").is_file() else self.folder.parent / "code_maps"
        return {source: target.code for source, target in load_code_map(folder, name).targets.items()}

    def code_list(self, against: str) -> CodeList:
        """``list:NAME`` of the national codes, the codes of a ``map:NAME``, or codes written out. Raises Unknown."""
        kind, colon, name = against.partition(":")
        if not colon:
            return CodeList.of(against.split())
        if kind == "map":
            return CodeList.of(self.code_map(name))
        if kind != "list" or name not in self.lists:
            raise Unknown(f"there is no {against} in {codes.FILE}")
        return self.lists[name]


def load_content(folder: Path) -> Content:
    """What lies in the folder of a mapping. Raises ContentError with the line."""
    return Content(folder, codes.load_lists(folder / codes.FILE), scores.load_ranges(folder / scores.FILE))
