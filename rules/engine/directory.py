"""The service directory: which team takes referrals to a service from whom, and when it is open.

A directory file names one provider and lists its entries. Every error is a ContentError with file, line and column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from rules.engine.conditions import Place
from rules.engine.content import Content, Service
from rules.engine.cursor import Cursor, sources
from rules.engine.model import Source
from rules.engine.opening_hours import OpeningSpan, load_spans
from rules.engine.schema_check import check
from rules.engine.yaml_file import load_yaml


@dataclass(frozen=True, slots=True)
class Area:
    """Whom an entry covers: any of these. Postcodes are areas, districts, sectors or whole ones, in capitals."""

    practices: frozenset[str] = frozenset()
    postcodes: frozenset[str] = frozenset()
    icbs: frozenset[str] = frozenset()
    everywhere: bool = False

    def shared(self, other: Area) -> str:
        """What two areas both name, or ""."""
        for own, others in (
            (self.practices, other.practices),
            (self.postcodes, other.postcodes),
            (self.icbs, other.icbs),
        ):
            if both := own & others:
                return min(both)
        return "everywhere" if self.everywhere and other.everywhere else ""


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One team. ``ods`` is the organisation's ODS code, ``dos`` its service id in the Directory of Services, or ""."""

    provider: str
    service: str
    name: str
    area: Area
    place: Place
    ods: str = ""
    dos: str = ""
    telephone: str = ""
    hours: tuple[OpeningSpan, ...] | None = None  # None: as the provider's policy says
    valid_from: date = date.min
    valid_to: date = date.max

    def counts(self, as_of: date) -> bool:
        return self.valid_from <= as_of <= self.valid_to


@dataclass(frozen=True, slots=True)
class Directory:
    """The entries of all files; ``icb_of`` gives the integrated care board of a practice, by ODS codes."""

    entries: tuple[DirectoryEntry, ...] = ()
    icb_of: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()

    def lists(self, provider: str) -> bool:
        """Whether any entry is this provider's: if none is, nothing is routed for it."""
        return any(entry.provider == provider for entry in self.entries)


def load_directory(path: Path, services: Mapping[str, Service]) -> Directory:
    """A directory file, or every ``*.yaml`` of a folder (none: an empty directory). Raises ContentError."""
    entries: list[DirectoryEntry] = []
    icb_of: dict[str, str] = {}
    cited: list[Source] = []
    for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
        document = load_yaml(file)
        check(document, "directory")
        top = Cursor.top(document)
        cited += sources(top)
        for practice, icb, at in _icbs(top):
            if icb_of.setdefault(practice, icb) != icb:
                raise at.error(f"the practice {practice} already belongs to {icb_of[practice]}", code="RC067")
        for at in top.each("services"):
            entry = _entry(at, top.data["provider"], services)
            _refuse_overlap(entry, at, entries)
            entries.append(entry)
    return Directory(tuple(entries), icb_of, tuple(cited))


def directory_of(content: Content, path: Path | None = None) -> Directory:
    """The directory in this file or folder, else the one in the pack's own folder, else an empty one."""
    beside = content.folder / "directory"
    path = path or (beside if beside.is_dir() else None)
    return load_directory(path, content.services) if path else Directory()


def _icbs(top: Cursor) -> Iterator[tuple[str, str, Cursor]]:
    icbs = top.child("icbs")
    for icb, practices in icbs.items() if icbs else ():
        for practice in practices.each():
            yield practice.data, icb, practice


def _entry(at: Cursor, provider: str, services: Mapping[str, Service]) -> DirectoryEntry:
    service, valid, hours = at["service"], at.child("valid"), at.child("hours")
    if service.data not in services:
        raise service.error(f"no service is called {service.data!r}: write a key of services.yaml", code="RC021")
    first, last = (valid.date("from", date.min), valid.date("to", date.max)) if valid else (date.min, date.max)
    if valid and first > last:
        raise valid.error("the entry ends before it begins: correct one of the two days", code="RC020")
    area = at["area"].data
    return DirectoryEntry(
        provider=provider,
        service=service.data,
        name=at.data["name"],
        area=Area(
            practices=frozenset(area.get("practices", ())),
            postcodes=frozenset(area.get("postcodes", ())),
            icbs=frozenset(area.get("icbs", ())),
            everywhere=area.get("everywhere", False),
        ),
        place=at.place,
        ods=at.get("ods", ""),
        dos=at.get("dos", ""),
        telephone=at.get("telephone", ""),
        hours=load_spans(hours) if hours else None,
        valid_from=first,
        valid_to=last,
    )


def _refuse_overlap(entry: DirectoryEntry, at: Cursor, others: Iterable[DirectoryEntry]) -> None:
    """Two entries that take the same referral on the same day: nobody could tell which is meant."""
    for other in others:
        if (entry.provider, entry.service) != (other.provider, other.service):
            continue
        if entry.valid_to < other.valid_from or other.valid_to < entry.valid_from:
            continue
        if shared := entry.area.shared(other.area):
            where = f"{other.place.file}:{other.place.line}"
            raise at["area"].error(
                f"{shared} is already covered for {entry.service} by the entry at {where}:"
                " take it out of one of them, or give them dates ('valid') that do not overlap",
                code="RC067",
            )
