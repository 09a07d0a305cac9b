"""The one place where the parts are wired together.

Everything is made on first use and kept: a command that reads FHIR never loads a mapping.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import rules
from adapter.errors import CannotStart
from adapter.records import Issue
from adapter.settings import Settings

if TYPE_CHECKING:
    from adapter.facts import FactReader
    from adapter.mapping import Mapping


class Adapter:
    """The loaded content of one configuration: rule packs by provider, mappings by name.

    Raises CannotStart when a content file is wrong or there is no such provider or mapping.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._packs: dict[str, tuple[rules.Pack, FactReader]] = {}
        self._mappings: dict[str, Mapping] = {}
        self._lock = Lock()

    @property
    def base(self) -> str:
        return self.settings.base.rstrip("/")

    def pack(self, provider: str = "") -> tuple[rules.Pack, FactReader]:
        """The rule pack as the provider has it ("" is the pack's default), and its reader of facts."""
        from adapter.facts import compile_facts

        name = provider or self.settings.provider
        if name not in self._packs:
            with self._lock:
                if name not in self._packs:
                    try:
                        pack = rules.load_pack(self.settings.rules_path, name or None)
                        self._packs[name] = (pack, compile_facts(pack, self.base))
                    except rules.RulesError as wrong:
                        raise CannotStart(Issue("fatal", "exception", str(wrong))) from None
        return self._packs[name]

    def mapping(self, name: str) -> Mapping:
        """The mapping in the folder ``name`` of the mappings path."""
        from adapter.mapping import load_mapping

        if name not in self._mappings:
            with self._lock:
                if name not in self._mappings:
                    folder = self.settings.mappings_path / name
                    if not (folder / "mapping.yaml").is_file():
                        raise CannotStart(Issue("fatal", "not-found", f"there is no mapping {name!r}"))
                    try:
                        self._mappings[name] = load_mapping(folder)
                    except rules.RulesError as wrong:
                        raise CannotStart(Issue("fatal", "exception", str(wrong))) from None
        return self._mappings[name]

    @cached_property
    def rules_folder(self) -> Path:
        return self.pack()[0].folder
