"""The OBX segments of one patient: one value each, and which of them are one and the same result.

HL7 v2 gives a result no number of its own. The same order (OBR-2, OBR-3), code (OBX-3), sub-id (OBX-4) and time is the
same result, in a later message; what one message says twice, such as the outcomes of twins, are two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from adapter.mapping.convert import Refused, to_datetime
from adapter.records import Issue
from adapter.sources.hl7v2_rows import Segment

Key = tuple[object, ...]

_CHANGES = frozenset("CDW")  # HL7 table 0085: corrects, deletes, posted as wrong
_TEXT = frozenset({"TX", "FT", "ST"})
_WHOLE = frozenset({"ED", "RP"})


class OneOfSeveral(Segment):
    """An OBX with one value in place of what its OBX-5 holds. ``repetition`` is the value's number."""

    __slots__ = ("repetition",)

    def __init__(self, row: Segment, value: str, repetition: int) -> None:
        fields = [*row.fields[:5], value, *row.fields[6:]]
        super().__init__(fields, row.number, row.message, row.encoding, row.alone, row.above)
        self.repetition = repetition

    def place(self, field: str) -> str:
        found = super().place(field)
        if self.repetition == 1 or not field.startswith("OBX-5") or field[5:6] not in ("", "."):
            return found
        return found.replace("OBX-5", f"OBX-5[{self.repetition}]", 1)


def as_single_values(row: Segment) -> Sequence[Segment]:
    """An OBX as one segment for each repetition of OBX-5; of a text, the repetitions are its lines."""
    encoding, raw = row.encoding, row.raw(5)
    if encoding.repetition not in raw:
        return [row]
    kind = row.raw(2).strip()
    parts = [part for part in raw.split(encoding.repetition) if part.strip()]
    if len(parts) < 2 or kind in _WHOLE:
        return [row]
    if kind in _TEXT:
        return [OneOfSeveral(row, f"{encoding.escape}.br{encoding.escape}".join(parts), 1)]
    return [OneOfSeveral(row, part, number) for number, part in enumerate(parts, 1)]


def status_remarks(segments: Iterable[Segment]) -> Iterator[Issue]:
    """What is to be said of the results of one message for their status."""
    for row in segments:
        if row.name != "OBX" or (isinstance(row, OneOfSeveral) and row.repetition > 1):
            continue
        status = row.raw(11).strip()
        if not status:
            yield Issue("warning", "required", "no result status; taken as final", "malformed", row.place("OBX-11"))
        elif status in ("D", "W"):
            yield Issue("warning", "informational", "the result is withdrawn", "withdrawn-result", row.place("OBX-11"))


def told_apart(results: Sequence[Segment]) -> list[Issue]:
    """Give the second and further results that look like one another in a message a sub-id of their own.

    A change is of the one with the same value, else of the first that is left. Where neither an order nor a time says
    which result is meant, the same value again is the same result, another one is another, and a change is of the
    last. Returns what is to be said of changes whose result cannot be told.
    """
    if _all_differ(results):
        return []
    ordered, loose = _Ordered(), _Loose()
    times: dict[Key, set[str]] = {}
    issues = []
    for row in results:
        order, time = (row.get("OBR-2"), row.get("OBR-3")), _moment(row.get("OBX-14")) or _moment(row.get("OBR-7"))
        code = row.get("OBX-3") or row.get("OBX-3.4") or row.get("OBX-3.2")
        status, what = row.raw(11).strip() or "F", (code, row.get("OBX-4"))
        named = any(order) or time
        number, doubt = ordered.number(row, status, (order, time, what)) if named else loose.number(row, status, what)
        if doubt:
            issues.append(_unclear(doubt, row))
        if order[1] or order[0]:
            earlier = times.setdefault((order[1] or order[0], *what), set())
            if status in _CHANGES and earlier and time not in earlier:
                text = "changes an earlier result, but names another time than it has: both are kept"
                issues.append(_unclear(text, row))
            earlier.add(time)
        if number > 1:
            row.tell_apart("OBX-4", number)
    return issues


def _all_differ(results: Sequence[Segment]) -> bool:
    """Whether every result surely has a code or sub-id of its own and none is changed: then all are told apart."""
    seen = set()
    for row in results:
        texts = row.texts
        what = texts.get("OBX-3"), texts.get("OBX-4")
        if what[0] is None or what in seen or texts.get("OBX-11") in _CHANGES:
            return False
        seen.add(what)
    return True


class _Ordered:
    """Numbers the results of one order or time that look alike: from 1 in each message."""

    def __init__(self) -> None:
        self._values: dict[Key, dict[int, Key]] = {}  # of results that look alike, by number
        self._used: dict[Key, set[int]] = {}  # the numbers given in one message

    def number(self, row: Segment, status: str, alike: Key) -> tuple[int, str]:
        """The number, and what is in doubt about it."""
        known, value = self._values.setdefault(alike, {}), _value(row)
        used = self._used.setdefault((row.message, status, alike), set())
        left = [number for number in known if number not in used] if status in _CHANGES else []
        same = [number for number in left if known[number] == value]
        number = next(iter([*same, *left]), len(used) + 1)
        doubt = "several results look like this one, and which of them it changes is not said: the first is taken"
        doubtful = status in _CHANGES and not same and len(known) > 1
        used.add(number)
        known[number] = value
        return number, doubt if doubtful else ""


class _Loose:
    """Numbers the results of one code that name neither order nor time: by their value, through all messages."""

    def __init__(self) -> None:
        self._numbers: dict[Key, dict[Key, int]] = {}
        self._alike: Counter[Key] = Counter()

    def number(self, row: Segment, status: str, what: Key) -> tuple[int, str]:
        """The number, and what is in doubt about it."""
        known = self._numbers.setdefault(what, {})
        if status in _CHANGES:
            doubt = "changes a result, but names neither order nor time: the last is changed"
            return len(known) or 1, doubt if len(known) > 1 else ""
        value = _value(row)
        self._alike[row.message, what, value] += 1
        return known.setdefault((value, self._alike[row.message, what, value]), len(known) + 1), ""


def _value(row: Segment) -> Key:
    return tuple(row.raw(field) for field in (2, 5, 6))


def _unclear(text: str, row: Segment) -> Issue:
    return Issue("warning", "conflict", text, "data-conflict", row.place("OBX-11"))


def _moment(text: str | None) -> str:
    """The time as FHIR writes it, so that one written to the minute equals the same to the second; else ""."""
    try:
        return to_datetime(text) if text else ""
    except Refused:
        return ""
