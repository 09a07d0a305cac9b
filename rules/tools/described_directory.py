"""A service directory as a list of teams and boards, each described in words: what ``diff`` compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

from rules.engine.content import Content, Refer
from rules.engine.directory import Area, Directory, DirectoryEntry
from rules.engine.opening_hours import in_words
from rules.engine.parameters import Values
from rules.tools.items import Aspect, Item, item, one, valid
from rules.tools.words import Lines, source_lines


def directory_items(directory: Directory, content: Content, day: date) -> Iterator[Item]:
    """Every team by its provider, service and name, every board with its practices, and the sources."""
    used = _used(content, day)
    for name, entry in _named(directory).items():
        service = content.services[entry.service]
        yield item(
            "directory",
            name,
            f"{service.label} ({service.key}), {entry.name}",
            one("provider", entry.provider),
            one("takes referrals", _from(entry, content.provider.name)),
            Aspect("covers", _covers(entry.area), flat=True),
            one("ODS code", entry.ods),
            one("DoS id", entry.dos),
            one("telephone", entry.telephone),
            one("opening hours", "as the provider's policy says" if entry.hours is None else in_words(entry.hours)),
            valid(entry.valid_from, entry.valid_to, day),
            used_by=used.get(entry.service, ()),
        )
    boards: dict[str, list[str]] = {}
    for practice, board in directory.icb_of.items():
        boards.setdefault(board, []).append(practice)
    for board, practices in boards.items():
        members = Aspect("practices", tuple(sorted(practices)), flat=True)
        yield item("directory", f"board {board}", "The practices of a board", members)
    cited = Aspect("sources", tuple(sorted(source_lines(directory.sources))), flat=True)
    yield item("directory", "sources", "Where the directory comes from", cited)


def _named(directory: Directory) -> Mapping[str, DirectoryEntry]:
    """Every entry by a name of its own: where two share theirs, with the day from which it counts."""
    entries = sorted(directory.entries, key=lambda entry: (entry.valid_from, _covers(entry.area)))
    found: dict[str, DirectoryEntry] = {}
    seen: Counter[str] = Counter()
    for entry in entries:
        name = f"{entry.provider}/{entry.service}/{entry.name}"
        name += f" from {entry.valid_from}" if name in found and entry.valid_from != date.min else ""
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} ({seen[name]})"] = entry
    return found


def _from(entry: DirectoryEntry, provider: str) -> str:
    own = entry.provider == provider
    return f"of its own provider, {provider}" if own else "of other providers, by her GP practice alone"


def _covers(area: Area) -> Lines:
    """In the words of a route: her GP practice, postcode or board, or everybody."""
    return (
        *(f"GP practice {practice}" for practice in sorted(area.practices)),
        *(f"postcode {postcode}" for postcode in sorted(area.postcodes)),
        *(f"integrated care board {board}" for board in sorted(area.icbs)),
        *(("everybody",) if area.everywhere else ()),
    )


def _used(content: Content, day: date) -> Mapping[str, tuple[str, ...]]:
    """The rules that refer to each service themselves, inside their window or outside of it."""
    values = Values(content.parameters, day)
    found: dict[str, dict[str, None]] = {}
    for rule in content.rules:
        services = [each.act.service for each in rule.then if isinstance(each.act, Refer)]
        services += [rule.outside.service] if rule.outside else []
        for service in services:
            found.setdefault(values.of(service), {})[rule.id] = None
    return {service: tuple(rules) for service, rules in found.items()}
