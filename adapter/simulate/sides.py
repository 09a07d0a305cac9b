"""An adapter for each side. What reads the facts is shared where both sides would read the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

import rules
from adapter.bootstrap import Adapter
from adapter.facts import FactResult, ReadsFacts, SiteCodes, compile_facts
from adapter.facts.reading import OWN_PARAMETERS
from adapter.records import Resource
from adapter.settings import Settings
from rules.tools import Side

_PARAMETER = "parameters."


class Remembering:
    """A reader of facts that does not read the same record twice in turn."""

    def __init__(self, reader: ReadsFacts) -> None:
        self._reader = reader
        self._last: tuple[Resource, date, int | None, Sequence[Resource], FactResult] | None = None

    def read(
        self, bundle: Resource, as_of: date, patient: int | None = None, kin: Sequence[Resource] = ()
    ) -> FactResult:
        last = self._last
        if last is None or last[0] is not bundle or last[1:3] != (as_of, patient) or last[3] is not kin:
            last = self._last = (bundle, as_of, patient, kin, self._reader.read(bundle, as_of, patient, kin))
        return last[4]


class SharedReaders:
    """Makes readers of facts; packs whose facts are read in the same way get the same one."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Remembering] = {}

    def __call__(self, pack: rules.Pack, base: str, site: SiteCodes) -> ReadsFacts:
        key = (base, site.identity, *reading_key(pack))
        if key not in self._made:
            self._made[key] = Remembering(compile_facts(pack, base, site))
        return self._made[key]


def reading_key(pack: rules.Pack) -> tuple[Hashable, ...]:
    """Everything in a pack on which the reading of facts depends: two packs with the same key read the same facts."""
    facts = [fact for fact in pack.fact_declarations.values() if fact.source is not None]
    declared = tuple((fact.name, fact.type, fact.range, fact.absent, _plain(fact.source)) for fact in facts)
    named = sorted({text for fact in facts for text in _texts(fact.source)} | {*OWN_PARAMETERS})
    names = [text.removeprefix(_PARAMETER) for text in named if text.startswith(_PARAMETER)]
    dated = tuple((name, repr(pack.parameters[name].values)) for name in names if name in pack.parameters)
    services = tuple((key, service.snomed) for key, service in pack.services.items())
    codes = tuple((path.name, _digest(path.read_bytes())) for path in sorted((pack.folder / "codes").glob("*.csv")))
    return declared, dated, services, codes


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _plain(value: Any) -> Hashable:
    if isinstance(value, dict):
        return tuple(sorted((key, _plain(inner)) for key, inner in value.items()))
    return tuple(map(_plain, value)) if isinstance(value, list) else repr(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def adapters(a: Side, b: Side) -> tuple[Adapter, Adapter]:
    """An adapter for each side, with one set of readers between them."""
    settings, readers = Settings(), SharedReaders()
    folders = (side.folder or settings.rules_path for side in (a, b))
    one, other = (Adapter(settings.model_copy(update={"rules_path": folder}), readers) for folder in folders)
    return one, other
