"""The one place where the parts are wired together.

Everything is made on first use and kept: a command that reads FHIR never loads a mapping.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import rules
from adapter.errors import CannotStart, Unprocessable
from adapter.records import Issue
from adapter.settings import SHIPPED_MAPPINGS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adapter.facts import ReadsFacts, SiteCodes
    from adapter.mapping import Mapping
    from adapter.quality import Checker
    from adapter.referrals.wanted import Wanted
    from rules.whatif import WhatIf

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Content:
    """A rule pack as one provider has it, with what reads its facts, what words them, and the service directory."""

    pack: rules.Pack
    reader: ReadsFacts
    wanted: dict[str, Wanted]
    directory: rules.Directory


@dataclass(frozen=True, slots=True)
class _Loaded:
    """All content of one reading of the files: replaced as a whole, so that nothing of two readings meets."""

    contents: dict[str, Content] = field(default_factory=dict)
    mappings: dict[str, Mapping] = field(default_factory=dict)
    checkers: dict[str, Checker | None] = field(default_factory=dict)


class NoSuchProvider(Unprocessable):
    """There is no such provider, or the pack is not valid for it."""


class Adapter:
    """The loaded content of one configuration: rule packs by provider, mappings by name.

    readers: makes the reader of a pack's facts (default: ``compile_facts``).

    Raises CannotStart when a content file is wrong, NoSuchProvider when there is no such provider. ``refused`` says
    what is wrong with the files as they are now, where those read before stay in use.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        readers: Callable[[rules.Pack, str, SiteCodes], ReadsFacts] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self._readers = readers
        self._loaded = _Loaded()
        self.refused = ""
        self._lock = Lock()

    @property
    def base(self) -> str:
        return self.settings.base.rstrip("/")

    def content(self, provider: str = "") -> Content:
        """The content for a provider ("" is the pack's default)."""
        name = provider or self.settings.provider
        found = self._loaded.contents.get(name)
        if found is None:
            with self._lock:
                contents = self._loaded.contents
                found = contents.get(name) or self._load(name)
                contents[name] = found
        return found

    @property
    def content_folders(self) -> tuple[Path, ...]:
        """Where the files are that all content comes from (the service directory may be a single file)."""
        settings = self.settings
        own = (settings.rules_path or rules.LIBRARY, settings.codes_path, settings.directory_path)
        return tuple(path for path in (*own, settings.mappings_path, SHIPPED_MAPPINGS) if path is not None)

    def reload(self) -> None:
        """Read all that is in use again, and put it in the place of what was read before.

        Raises CannotStart where a file is wrong: then everything stays as it is, and ``refused`` says why. What is
        being evaluated ends with the content it began with. A provider whose file is gone no longer exists.
        """
        fresh, old = Adapter(self.settings, self._readers), self._loaded
        try:
            fresh.content()
            for provider in tuple(old.contents):  # a request may add to it meanwhile
                with suppress(NoSuchProvider):
                    fresh.content(provider)
            for name in tuple(old.mappings):
                fresh.mapping(name)
            for name in tuple(old.checkers):
                fresh.checker(name)
        except (CannotStart, NoSuchProvider) as wrong:
            self.refused = str(wrong)
            raise CannotStart(*wrong.issues) from None
        with self._lock:
            self._loaded, self.refused = fresh._loaded, ""

    def _load(self, provider: str) -> Content:
        from adapter.facts import SiteCodes, compile_facts, load_site_codes
        from adapter.referrals.wanted import compile_wanted

        folder = self.settings.rules_path or rules.LIBRARY
        if provider and not (_NAME.fullmatch(provider) and (folder / "providers" / f"{provider}.yaml").is_file()):
            raise NoSuchProvider(Issue("error", "not-found", "there is no such provider"))
        codes = self.settings.codes_path
        try:
            site = load_site_codes(codes, folder / "codes") if codes else SiteCodes()
            pack = rules.load_pack(folder, provider or None, site.identity)
            reader = (self._readers or compile_facts)(pack, self.base, site)
            words = compile_wanted(pack.fact_declarations, pack.folder / "codes", self.base)
            return Content(pack, reader, words, rules.directory_of(pack.content, self.settings.directory_path))
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

        found = self._loaded.mappings.get(name)
        if found is None:
            with self._lock:
                mappings = self._loaded.mappings
                folder = self._mapping_folder(name)
                if folder is None:
                    raise CannotStart(Issue("fatal", "not-found", f"there is no mapping {name!r}"))
                try:
                    found = mappings.setdefault(name, load_mapping(folder))
                except rules.RulesError as wrong:
                    raise CannotStart(Issue("fatal", "exception", str(wrong))) from None
        return found

    def checker(self, name: str) -> Checker | None:
        """The validation rules of the data set beside the mapping ``name`` or what it extends; None: it has none."""
        from adapter.mapping.overlay import layers
        from adapter.quality import load_checker

        folder, kept = self._mapping_folder(name), self._loaded.checkers
        if name not in kept and folder is not None:
            with self._lock:
                try:
                    checkers = (load_checker(layer.folder) for layer in reversed(layers(folder)))
                    kept.setdefault(name, next(filter(None, checkers), None))
                except rules.RulesError as wrong:
                    raise CannotStart(Issue("fatal", "exception", str(wrong))) from None
        return kept.get(name)
