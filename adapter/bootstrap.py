"""The one place where the parts are wired together.

Everything is made on first use and kept: a command that reads FHIR never loads a mapping.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import rules
from adapter.errors import CannotStart, Unprocessable
from adapter.records import Issue
from adapter.settings import SHIPPED_MAPPINGS, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from adapter.facts import FactReader
    from adapter.mapping import Mapping
    from adapter.quality import Checker
    from adapter.referrals.wanted import Wanted
    from rules.whatif import WhatIf

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Content:
    """A rule pack as one provider has it, with what reads its facts and what words them."""

    pack: rules.Pack
    reader: FactReader
    wanted: dict[str, Wanted]


class NoSuchProvider(Unprocessable):
    """There is no such provider, or the pack is not valid for it."""


class Adapter:
    """The loaded content of one configuration: rule packs by provider, mappings by name.

    Raises CannotStart when a content file is wrong, NoSuchProvider when there is no such provider.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._contents: dict[str, Content] = {}
        self._mappings: dict[str, Mapping] = {}
        self._checkers: dict[str, Checker | None] = {}
        self._lock = Lock()

    @property
    def base(self) -> str:
        return self.settings.base.rstrip("/")

    def content(self, provider: str = "") -> Content:
        """The content for a provider ("" is the pack's default)."""
        name = provider or self.settings.provider
        found = self._contents.get(name)
        if found is None:
            with self._lock:
                found = self._contents.get(name) or self._load(name)
                self._contents[name] = found
        return found

    def _load(self, provider: str) -> Content:
        from adapter.facts import compile_facts
        from adapter.referrals.wanted import compile_wanted

        folder = self.settings.rules_path or rules.LIBRARY
        if provider and not (_NAME.fullmatch(provider) and (folder / "providers" / f"{provider}.yaml").is_file()):
            raise NoSuchProvider(Issue("error", "not-found", "there is no such provider"))
        try:
            pack = rules.load_pack(folder, provider or None)
            reader = compile_facts(pack, self.base)
            return Content(pack, reader, compile_wanted(pack.fact_declarations, pack.folder / "codes", self.base))
        except rules.RulesError as wrong:
            raise CannotStart(Issue("fatal", "exception", str(wrong))) from None

    def what_if(self, provider: str = "") -> WhatIf:
        """What decisions of this provider's pack turned on; only explanations need it."""
        from rules.whatif import WhatIf

        try:
            return WhatIf(self.content(provider).pack)
        except rules.RulesError as wrong:
            raise CannotStart(Issue("fatal", "exception", str(wrong))) from None

    def has_mapping(self, name: str) -> bool:
        """Whether there is a mapping of this name."""
        return self._mapping_folder(name) is not None

    def _mapping_folder(self, name: str) -> Path | None:
        """Of a site's own mappings, else of the shipped ones."""
        roots = (self.settings.mappings_path, SHIPPED_MAPPINGS)
        folders = (root / name for root in roots if _NAME.fullmatch(name))
        return next((folder for folder in folders if (folder / "mapping.yaml").is_file()), None)

    def mapping(self, name: str) -> Mapping:
        """The mapping in the folder ``name`` of the mappings path, or else of the shipped mappings."""
        from adapter.mapping import load_mapping

        if name not in self._mappings:
            with self._lock:
                folder = self._mapping_folder(name)
                if folder is None:
                    raise CannotStart(Issue("fatal", "not-found", f"there is no mapping {name!r}"))
                try:
                    self._mappings.setdefault(name, load_mapping(folder))
                except rules.RulesError as wrong:
                    raise CannotStart(Issue("fatal", "exception", str(wrong))) from None
        return self._mappings[name]

    def checker(self, name: str) -> Checker | None:
        """The validation rules of the data set beside the mapping ``name`` or what it extends; None: it has none."""
        from adapter.mapping.overlay import layers
        from adapter.quality import load_checker

        folder = self._mapping_folder(name)
        if name not in self._checkers and folder is not None:
            with self._lock:
                try:
                    checkers = (load_checker(layer.folder) for layer in reversed(layers(folder)))
                    self._checkers.setdefault(name, next(filter(None, checkers), None))
                except rules.RulesError as wrong:
                    raise CannotStart(Issue("fatal", "exception", str(wrong))) from None
        return self._checkers.get(name)
