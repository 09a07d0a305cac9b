"""FHIR R4 as a source: bytes → one record per patient, checked in full.

Read are one resource, a Bundle, and NDJSON, whose lines are Bundles or the resources of one or many patients. A record
that is wrong alone raises; in a batch (NDJSON, or a Bundle of several patients) it is a refused record of its own and
the others go on. Errors carry places and never what the record holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapter.errors import AdapterError, Malformed, TooLarge, Unprocessable
from adapter.fhir.elements import RESOURCE_TYPES, type_info
from adapter.fhir.ids import stable_id
from adapter.fhir.patients import OWNER_ELEMENTS, Split, split, without_strangers
from adapter.fhir.references import Index
from adapter.fhir.validate import validate
from adapter.records import Issue, MappedBundle, RawRecord, Resource
from adapter.sources.fhir_json import is_ndjson, malformed, parse, with_hint
from adapter.sources.fhir_tidy import tidied
from adapter.sources.pieces import bounded_lines

BUNDLE_TYPES = frozenset({"batch", "collection", "document", "message", "searchset", "transaction"})
_ENTRY = re.compile(r"Bundle\.entry\[([0-9]+)\]")
_ENTRY_RESOURCE = re.compile(r"Bundle\.entry\[([0-9]+)\]\.resource")
_BOM = b"\xef\xbb\xbf"


def read_fhir(raw: RawRecord) -> Iterator[MappedBundle]:
    """The records in the bytes, each with what is to be said about it.

    Malformed: not JSON, or not FHIR R4. Unprocessable: FHIR, but nobody's record.
    """
    data = raw.data.removeprefix(_BOM)
    if not data.strip():
        raise Malformed(malformed("is empty", ""))
    if raw.name.endswith(".ndjson"):
        yield from _read_lines(data.split(b"\n"), raw.name)
        return
    try:
        document = parse(data)
    except Malformed as refused:
        if not is_ndjson(data):
            raise with_hint(refused, data, raw.name) from None
        yield from _read_lines(data.split(b"\n"), raw.name)
        return
    yield from _records(_Batch.of(document, raw.name))


@dataclass(frozen=True, slots=True)
class _Batch:
    """A Bundle that may hold several patients' records.

    problems: what is wrong, with the position of the entry it is wrong with, or -1 when it is the whole. places: how
    messages name the resource of each entry, where they do not name it by its FHIRPath in the Bundle. gone: positions
    that hold nothing any more, for another entry says the same.
    """

    name: str
    bundle: Resource
    problems: tuple[tuple[int, Issue], ...]
    places: tuple[str, ...] = ()
    gone: frozenset[int] = frozenset()

    @classmethod
    def of(cls, document: object, name: str) -> _Batch:
        """Of one JSON document: a Bundle or any other resource, checked."""
        found = validate(document)  # type: ignore[arg-type]  # whatever it is, it is told apart there
        if not isinstance(document, dict) or document.get("resourceType") != "Bundle":
            bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": document}]}
            return cls(name, bundle, tuple((0, issue) for issue in found), (_kind_of(document),))
        return cls(name, document, tuple((_entry_of(issue), issue) for issue in found))

    def place(self, at: int) -> str:
        return self.places[at] if at < len(self.places) else f"Bundle.entry[{at}].resource"

    def tidied(self) -> _Batch:
        """With contained Patients as entries, each resource once, and current codes (see ``fhir_tidy``)."""
        broken = frozenset(at for at, _ in self.errors)
        if -1 in broken:
            return self
        bundle, said, gone = tidied(self.bundle, broken)
        if not said:
            return self
        if self.places:
            said = [(at, replace(issue, place=self._renamed(issue.place))) for at, issue in said]
        return replace(self, bundle=bundle, problems=(*self.problems, *said), gone=gone)

    def _renamed(self, place: str) -> str:
        found = _ENTRY_RESOURCE.match(place)
        return f"{self.place(int(found[1]))}{place[found.end() :]}" if found else place

    def kinds(self) -> list[str]:
        """The resource type of each entry, "" where it has none."""
        if self.problems:  # the Bundle may be anything
            return Index(self.bundle).types
        return [
            entry["resource"]["resourceType"] if "resource" in entry else "" for entry in self.bundle.get("entry", ())
        ]

    @property
    def errors(self) -> tuple[tuple[int, Issue], ...]:
        return tuple((at, issue) for at, issue in self.problems if issue.severity in {"error", "fatal"})


def _entry_of(issue: Issue) -> int:
    found = _ENTRY.match(issue.place)
    return int(found[1]) if found else -1


def _kind_of(document: object) -> str:
    kind = document.get("resourceType") if isinstance(document, dict) else None
    return kind if isinstance(kind, str) and kind in RESOURCE_TYPES else "Resource"


def _records(batch: _Batch) -> Iterator[MappedBundle]:
    """One record per patient; raises when the batch is wrong as a whole."""
    batch = batch.tidied()
    kinds = batch.kinds()
    parts = split(batch.bundle) if kinds.count("Patient") > 1 else None
    several = parts is not None and len(parts.patients) > 1
    errors = batch.errors
    if errors and (not several or any(at < 0 for at, _ in errors)):
        raise Malformed(*(issue for _, issue in errors))
    _check_processable(batch, kinds)
    if parts is not None and several:
        yield from _several(batch, parts, kinds)
    else:
        yield _record(batch, range(len(kinds)), batch.name, tuple(issue for _, issue in batch.problems))


def _check_processable(batch: _Batch, kinds: list[str]) -> None:
    if batch.bundle["type"] not in BUNDLE_TYPES:
        text = f"only a Bundle of one of these types holds records: {', '.join(sorted(BUNDLE_TYPES))}"
        raise Unprocessable(Issue("error", "not-supported", text, "unsupported", "Bundle.type"))
    if "Bundle" in kinds:
        text = "a Bundle inside a Bundle is not read: send its records on their own"
        place = batch.place(kinds.index("Bundle"))
        raise Unprocessable(Issue("error", "not-supported", text, "unsupported", place))
    if "Patient" not in kinds:
        text = "holds no Patient, so it is nobody's record"
        place = batch.places[0] if batch.places else "Bundle"
        raise Unprocessable(Issue("error", "required", text, "unsupported", place))


def _several(batch: _Batch, parts: Split, kinds: list[str]) -> Iterator[MappedBundle]:
    """The records of a batch of several patients, each refused for its own errors only."""
    by_entry: dict[int, list[Issue]] = {}
    for at, issue in batch.problems:
        by_entry.setdefault(at, []).append(issue)
    strays = _strays(batch, parts, kinds)
    homeless = [issue for at, issue in batch.errors if at in parts.ownerless or at in parts.astray]
    if homeless:
        raise Malformed(*homeless)
    unused = tuple(
        Issue("information", "informational", "belongs to no patient and is not used", "", batch.place(at))
        for at in parts.ownerless
        if at not in strays and at not in batch.gone
    )
    for patient, group, others in zip(parts.patients, parts.groups, parts.kin, strict=True):
        issues = (*(issue for at in group for issue in by_entry.get(at, ())), *unused)
        name = f"{batch.name}, {batch.place(patient).removesuffix('.resource')}"
        if _wrong(issues):
            yield _refused(name, issues)
        else:
            kin = [parts.groups[other] for other in others]
            sound = [each for each in kin if not _wrong(issue for at in each for issue in by_entry.get(at, ()))]
            bundles = tuple(_part(batch, each, name, (), parts).bundle for each in sound)
            yield replace(_part(batch, group, name, issues, parts), kin=bundles)
        unused = ()
    if strays:
        yield _refused(f"{batch.name}, resources of nobody", tuple(strays.values()))


def _part(batch: _Batch, group: tuple[int, ...], name: str, issues: tuple[Issue, ...], parts: Split) -> MappedBundle:
    """As ``_record``, of one of several patients: what is in another's record too refers to nobody who is not here."""
    shared = parts.shared.intersection(group)
    if not shared:
        return _record(batch, group, name, issues)
    index, own = Index(batch.bundle), frozenset(group)
    entries = list(batch.bundle["entry"])
    for at in shared:
        if "resource" in entries[at]:
            entries[at] = entries[at] | {"resource": without_strangers(index, at, own)}
    return _record(replace(batch, bundle=batch.bundle | {"entry": entries}), group, name, issues)


def _wrong(issues: Iterable[Issue]) -> bool:
    return any(issue.severity in {"error", "fatal"} for issue in issues)


def _strays(batch: _Batch, parts: Split, kinds: list[str]) -> dict[int, Issue]:
    """Resources that must be about a patient, and are about none that is in the batch."""
    found = {}
    for at in (*parts.astray, *parts.ownerless):
        if at in parts.astray or _is_about_somebody(kinds[at]):
            text = "is about none of the patients here"
            found[at] = Issue("error", "not-found", text, "wrong-subject", batch.place(at))
    return found


def _is_about_somebody(kind: str) -> bool:
    return kind in RESOURCE_TYPES and not type_info(kind).elements.keys().isdisjoint(OWNER_ELEMENTS)


def _record(batch: _Batch, group: Iterable[int], name: str, issues: tuple[Issue, ...]) -> MappedBundle:
    """The record of one patient: the entries as they came, with a fullUrl each, and nothing else of the Bundle."""
    entries = batch.bundle["entry"]
    made: list[Resource] = []
    empty: list[Issue] = []
    urls: set[str] = set()
    for at in group:
        entry = entries[at]
        if "resource" not in entry:
            if at not in batch.gone:
                empty.append(Issue("information", "informational", "holds no resource", "", f"Bundle.entry[{at}]"))
            continue
        if len(entry) != 2 or "fullUrl" not in entry:
            url = entry.get("fullUrl") or _made_url(entry["resource"], at, urls)
            entry = {"fullUrl": url, "resource": entry["resource"]}
        made.append(entry)
        urls.add(entry["fullUrl"])
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": made}
    return MappedBundle(source=name, bundle=bundle, issues=issues + tuple(empty))


def _made_url(resource: Resource, at: int, taken: set[str]) -> str:
    """A fullUrl for an entry that has none: of its type and id, or of its position when it has no id of its own."""
    kind: str = resource["resourceType"]
    url = f"urn:uuid:{stable_id(kind, resource['id'])}" if "id" in resource else ""
    return url if url and url not in taken else f"urn:uuid:{stable_id(kind, resource.get('id', ''), f'#{at}')}"


def _refused(name: str, issues: tuple[Issue, ...]) -> MappedBundle:
    bundle = {"resourceType": "Bundle", "type": "collection"}
    return MappedBundle(source=name, bundle=bundle, issues=issues, refused=True)


def read_fhir_lines(path: Path, longest: int) -> Iterator[MappedBundle]:
    """Records of a file of NDJSON that is larger than memory, line by line.

    A line, and all lines together that are no Bundles, may have ``longest`` bytes: those must be held, since any may
    be about any patient. What is over that is refused.
    """
    with path.open("rb") as file:
        yield from _read_lines(bounded_lines(file, longest), path.name, longest)


def _read_lines(lines: Iterable[bytes], name: str, most: int | None = None) -> Iterator[MappedBundle]:
    """Records of NDJSON: each Bundle as it is met, then the resources of all other lines together."""
    pooled: list[tuple[int, Any]] = []
    size = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        source = f"{name}, line {number}"
        try:
            if most is not None and len(line) > most:
                raise TooLarge(_too_long(f"longer than {most} bytes; it is not read", f"line {number}"))
            document = parse(line, number)
            if not isinstance(document, dict) or document.get("resourceType") != "Bundle":
                size += len(line)
                if most is None or size <= most:
                    pooled.append((number, document))
                continue
            yield from _records(_Batch.of(document, source))
        except AdapterError as refusal:
            yield _refused(source, refusal.issues)
    if most is not None and size > most:
        text = f"{size} bytes of resources on lines of their own, which must be held together; the limit is {most}"
        yield _refused(name, (_too_long(text, f"line {pooled[0][0] if pooled else 1}"),))
    elif pooled:
        yield from _pool(pooled, name)


def _too_long(text: str, place: str) -> Issue:
    return Issue("error", "too-long", text, "", place)


def _pool(lines: list[tuple[int, Any]], name: str) -> Iterator[MappedBundle]:
    """Records of the resources that stand on lines of their own; a broken one of nobody is refused on its own."""
    checked = [(number, document, _of_line(number, document)) for number, document in lines]
    while True:
        problems = tuple((at, issue) for at, (_, _, issues) in enumerate(checked) for issue in issues)
        places = tuple(f"line {number}" for number, _, _ in checked)
        entries = [{"resource": document} for _, document, _ in checked]
        batch = _Batch(
            name, {"resourceType": "Bundle", "type": "collection", "entry": entries}, problems, places
        ).tidied()
        parts = split(batch.bundle)
        nobodys = {at for at, _ in batch.errors} & {*parts.ownerless, *parts.astray}
        if not nobodys:
            break
        for at in sorted(nobodys):
            number, _, issues = checked[at]
            yield _refused(f"{name}, line {number}", issues)
        checked = [line for at, line in enumerate(checked) if at not in nobodys]
    if parts.patients:
        yield from _several(batch, parts, batch.kinds())
    else:
        for number, _, _ in checked:
            text = "no line holds a Patient, so it is in nobody's record"
            issue = Issue("error", "required", text, "unsupported", f"line {number}")
            yield _refused(f"{name}, line {number}", (issue,))


def _of_line(number: int, document: Any) -> tuple[Issue, ...]:
    return tuple(
        Issue(issue.severity, issue.code, issue.text, issue.detail, f"line {number}: {issue.place}")
        for issue in validate(document)
    )
