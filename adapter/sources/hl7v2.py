"""HL7 v2.3 to 2.5 → one SourceRecord per patient: ADT A01 A03 A04 A05 A08 A28 A31 A40 and ORU R01.

The splitter is our own: the ``hl7`` library of PyPI builds the whole tree of every message, removes the escape
sequences that it does not know, and keeps no place of a field. It is the judge in the tests instead, field by field.

A message that is cut short, unsupported or without an identifier of the patient is refused: it becomes a record of
its own with an Issue that says where, and the others go on. Patients that share one message are kept apart; records
that an A40 joins are one.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import astuple, dataclass, replace
from hashlib import sha256
from itertools import groupby, islice
from pathlib import Path

from orjson import dumps, loads

from adapter.errors import Malformed
from adapter.records import Issue, RawRecord
from adapter.sources.hl7v2_identity import Identity, Merge, Merged, Persons, alone, identity_of, unidentified
from adapter.sources.hl7v2_results import as_single_values, status_remarks, told_apart
from adapter.sources.hl7v2_rows import Segment
from adapter.sources.hl7v2_stream import LONGEST_MESSAGE, Message, again, malformed, read_messages
from adapter.sources.model import SourceRecord
from adapter.sources.pieces import Held, InFile, Pieces
from adapter.sources.scratch import InMemory, Item, OnDisk, Scratch

EVENTS = {"ADT": frozenset({"A01", "A03", "A04", "A05", "A08", "A28", "A31", "A40"}), "ORU": frozenset({"R01"})}
_MESSAGE = re.compile(rb"(?:\A|[\r\n\x0b])(?:\xef\xbb\xbf)?MSH")
_VERSION = re.compile(r"2\.[345](\.\d+)?")
_TYPE = re.compile(r"[A-Z]{3}(\^[A-Z0-9]{3})?")
_ONCE = frozenset({"MSH", "EVN", "PID", "PD1", "MRG", "PV1", "PV2"})


@dataclass(frozen=True, slots=True)
class _Part:
    """What one message says about one patient."""

    segments: tuple[Segment, ...]
    identity: Identity
    issues: tuple[Issue, ...]

    @property
    def pid(self) -> Segment:
        return next(row for row in self.segments if row.name == "PID")


def read(raw: RawRecord) -> Iterator[SourceRecord]:
    """One record per patient, in the order in which patients first appear, and one for each refused message.

    Messages of one patient are one record, in the order of the file. Its key is the valid NHS number, else the first
    local identifier with its assigner. Raises Malformed when there is no message at all.
    """
    if not _MESSAGE.search(raw.data.removeprefix(BOM_UTF8).lstrip(b"\r\n\t ")):
        raise _no_message(raw.name)
    return _Batch(raw.name, Held(raw.data), InMemory(), LONGEST_MESSAGE, {}).records()


def names_in(data: bytes) -> frozenset[str]:
    """Every identifier that the messages in these bytes give their patients, those included that an A40 ends."""
    messages = (item for item in read_messages(Held(data)) if isinstance(item, Message))
    identities = [part.identity for message in messages for part in _parts(message)]
    return frozenset(name for each in identities for name in each.own | each.prior)


def read_file(path: Path, longest: int = LONGEST_MESSAGE) -> Iterator[SourceRecord]:
    """Like ``read``, of a file that is larger than memory.

    It is read twice: for who each message is about, and then the messages of one patient after the other. A message,
    and all messages of one patient, may have ``longest`` bytes; what is longer is refused.
    """
    with closing(InFile(path)) as data, closing(OnDisk()) as scratch:
        yield from _Batch(path.name, data, scratch, longest, None).records()


def _no_message(name: str) -> Malformed:
    return Malformed(Issue("fatal", "structure", "no HL7 v2 message here (no MSH segment)", "malformed", name))


class _Batch:
    """The messages of one source, put together by patient. ``held``: the parts by number, where they are kept."""

    def __init__(
        self, source: str, data: Pieces, scratch: Scratch, longest: int, held: dict[int, _Part] | None
    ) -> None:
        self.source, self.data, self.longest, self.held = source, data, longest, held
        self.seen, self.firsts = scratch.index(), scratch.index()
        self.found, self.order, self.refused = scratch.sorter(8), scratch.sorter(7), scratch.sorter(7)
        self.persons = Persons(scratch)
        self.count = self.refusals = 0

    def records(self) -> Iterator[SourceRecord]:
        began = False
        for item in read_messages(self.data, self.longest):
            if isinstance(item, Issue):
                self._refuse((item,))
            else:
                began = began or item.lines[0][:3] == b"MSH"
                self._take(item)
        if not began:
            raise _no_message(self.source)
        self.persons.settle(self._identities)
        for _, number, *place, who in self.found:
            key = self.persons.key(self._identity(number, who))
            first = self.firsts.get(key)
            if first is None:
                self.firsts.put(key, 0, number)
            self.order.add(number if first is None else first.place, number, *place)
        for _, places in groupby(self.order, lambda item: item[0]):
            yield self._record(places)
        for _, refused in groupby(self.refused, lambda item: item[0]):
            issues = tuple(Issue(*item[2:]) for item in refused)
            yield SourceRecord(self.source, "hl7v2", "", {}, (), issues, refused=True)

    def _refuse(self, issues: Iterable[Issue]) -> None:
        self.refusals += 1
        for turn, issue in enumerate(issues):
            self.refused.add(self.refusals, turn, *astuple(issue))

    def _take(self, message: Message) -> None:
        errors = [issue for issue in message.issues if issue.severity == "error"] or list(_refusals(message))
        if errors:
            self._refuse(errors)
            return
        content = sha256(b"\r".join(message.lines)).hexdigest()
        repeated = self.seen.get(content) is not None
        for pid, part in enumerate(_parts(message)):
            if missing := unidentified(part.pid, part.identity):
                self._refuse((missing,))
                continue
            part = _repeated(part) if repeated else part
            if self.held is not None:
                self.held[self.count] = part
            who = part.identity
            place = (message.start, message.stop, message.number, pid, message.terminated * 2 + repeated)
            written = "" if self.held is not None else dumps([who.number, who.local, sorted(who.prior)]).decode()
            self.found.add(0, self.count, *place, written)
            self.persons.add(who)
            self.count += 1
        self.seen.put(content, 0)

    def _identities(self) -> Iterator[Identity]:
        return (self._identity(item[1], item[-1]) for item in self.found)

    def _identity(self, number: int, written: str) -> Identity:
        if self.held is not None:
            return self.held[number].identity
        nhs, local, prior = loads(written)
        return Identity(nhs, tuple(local), frozenset(prior))

    def _part(self, number: int, start: int, stop: int, message: int, pid: int, flags: int) -> _Part:
        if self.held is not None:
            return self.held.pop(number)
        read_again = again(self.data, message, start, stop, terminated=flags >= 2)
        part = next(islice(_parts(read_again), pid, None))
        return _repeated(part) if flags % 2 else part

    def _record(self, places: Iterable[Item]) -> SourceRecord:
        numbers, parts, size = list[int](), list[_Part](), 0
        for _, number, start, stop, *rest in places:
            size += stop - start
            if size <= self.longest:
                numbers.append(number)
                parts.append(self._part(number, start, stop, *rest))
        key = self.persons.key(parts[0].identity)
        if size > self.longest:
            text = f"the messages of one patient have more than {self.longest} bytes: they are not read"
            place = next(row for row in parts[0].segments if row.name == "MSH").place("") if parts[0].segments else ""
            issue = Issue("error", "too-long", text, "", place)
            return SourceRecord(self.source, "hl7v2", key, {}, (), (issue,), refused=True)
        prior = {id(row) for part in parts if self.persons.key_before(part.identity) != key for row in part.segments}
        order = tuple(row for part in parts for row in part.segments)
        rows: dict[str, list[Segment]] = {}
        for row in order:
            rows.setdefault(row.name, []).append(row)
        rows.get("PID", []).sort(key=lambda row: id(row) not in prior)  # what the surviving record says comes later
        issues = [
            issue
            for number, part in zip(numbers, parts, strict=True)
            for issue in (*part.issues, *_merge_remarks(part, self.persons.merged(number)))
        ]
        issues += [*_other_births(rows.get("PID", ())), *told_apart(rows.get("OBX", ()))]
        return SourceRecord(self.source, "hl7v2", key, rows, order, tuple(issues))


def _repeated(part: _Part) -> _Part:
    """What a message says that came before: nothing but that."""
    text = "the same message again"
    issue = Issue("information", "duplicate", text, "duplicate", part.segments[0].place(""))
    return _Part((), replace(part.identity, prior=frozenset()), (issue,))


def _refusals(message: Message) -> Iterator[Issue]:
    """Why a message whose segments could be read is not taken, each with its place."""
    number = message.number
    head, last = message.segments[0], message.segments[-1]
    component = message.encoding.component
    kind, _, event = (head[9] if len(head) > 9 else "").replace(component, "^").partition("^")
    event = event.partition("^")[0]
    place = f"MSH-9 (segment 1 of message {number})"
    end = f"segment {len(message.segments)} of message {number}"
    if not kind:
        yield malformed("the message has no type: it may have been cut short", place)
        return
    if event not in EVENTS.get(kind, ()):
        name = f"{kind}^{event}" if event else kind
        shown = f" {name}" if _TYPE.fullmatch(name) else ""
        text = f"message type{shown} (MSH-9): this type is not read here"
        yield Issue("error", "not-supported", text, "unsupported", place)
        return
    names = {fields[0] for fields in message.segments}
    for needed in ("PID", "OBR", "OBX") if kind == "ORU" else ("PID", "MRG") if event == "A40" else ("PID",):
        if needed not in names:
            yield malformed(f"{kind}^{event} without {needed}: it may have been cut short", end)
            return
    if last[0] == "OBR" or (last[0] == "OBX" and (len(last) < 12 or not last[11].strip())):
        missing = "OBX-11" if last[0] == "OBX" else "a result"
        yield malformed(f"the last segment has no {missing}: the message may have been cut short", end)
    elif not message.terminated and _inside_escape(last[-1], message.encoding.escape):
        yield malformed("the message ends inside an escape sequence", end)


def _inside_escape(text: str, escape: str) -> bool:
    return text.count(escape) % 2 == 1


def _parts(message: Message) -> Iterator[_Part]:
    """One part per PID; what stands before the first PID belongs to each."""
    starts = [index for index, fields in enumerate(message.segments) if fields[0] == "PID"]
    issues = [*message.issues, *_remarks(message)]
    for start, stop in zip(starts, [*starts[1:], len(message.segments)], strict=True):
        segments = _rows(message, (*range(starts[0]), *range(start, stop)))
        pid = next(segment for segment in segments if segment.name == "PID")
        identity, said = identity_of(pid)
        if not identity.own:
            content = sha256(b"\r".join((*message.lines, str(start).encode()))).hexdigest()
            own, said = alone(pid, content)
            identity = replace(own, prior=identity.prior)
        yield _Part(segments, identity, (*issues, *said, *status_remarks(segments)))


def _remarks(message: Message) -> Iterator[Issue]:
    head = message.segments[0]
    version = head[12].partition(message.encoding.component)[0].strip() if len(head) > 12 else ""
    if not _VERSION.fullmatch(version):
        place = f"MSH-12 (segment 1 of message {message.number})"
        yield Issue("information", "not-supported", "not a version from 2.3 to 2.5; read as 2.5", "unsupported", place)
    if not message.terminated:
        place = f"segment {len(message.segments)} of message {message.number}"
        text = "the last segment has no terminator: if the message was cut short here, the rest is missing"
        yield Issue("warning", "structure", text, "malformed", place)


def _rows(message: Message, numbers: Iterable[int]) -> tuple[Segment, ...]:
    alone: dict[str, Segment] = {}
    above: Mapping[str, Segment] = {}
    result: Segment | None = None
    rows: list[Segment] = []
    for index in numbers:
        fields = message.segments[index]
        name = fields[0]
        if name == "OBR":
            above = {"ORC": above["ORC"]} if "ORC" in above and "OBR" not in above else {}
        elif name in ("ORC", "PID"):
            above, result = {}, None
        hangs_on = {**above, "OBX": result} if name == "NTE" and result else above
        row = (Merge if name == "MRG" else Segment)(
            fields, index + 1, message.number, message.encoding, alone, hangs_on
        )
        made = as_single_values(row) if name == "OBX" else [row]
        row = made[0]
        rows += made
        if name in _ONCE:
            alone.setdefault(name, row)
        elif name in ("ORC", "OBR"):
            above, result = {**above, name: row}, None
        elif name == "OBX":
            result = row
    return tuple(rows)


def _merge_remarks(part: _Part, merged: Merged | None) -> Iterator[Issue]:
    if merged is None:
        return
    place = next(row for row in part.segments if row.name == "MRG").place("MRG-1")
    if merged.joined:
        yield Issue("information", "informational", "the record of a prior identifier joined this one", "", place)
    if merged.kept_apart:
        text = (
            "a record of the prior identifier has another valid NHS number, which is not named here: it is kept apart"
        )
        yield Issue("warning", "conflict", text, "data-conflict", place)
    if not merged.joined and not merged.kept_apart:
        yield Issue("information", "informational", "no record of the prior identifier came with this one", "", place)


def _other_births(patients: Iterable[Segment]) -> Iterator[Issue]:
    """Where the messages of one patient do not agree on when she was born: a correction, or two people."""
    before = ""
    for row in patients:
        born = (row.get("PID-7") or "")[:8]
        if before and born and born != before:
            text = "not the birth date of the message before: the later one counts; confirm that it is one person"
            yield Issue("warning", "conflict", text, "data-conflict", row.place("PID-7"))
        before = born or before
