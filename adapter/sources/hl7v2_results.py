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
    encoding, raw, kind = row.encoding, row.raw(5), row.raw(2).strip()
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

    Where neither an order nor a time says which result is meant, the same value again is the same result, another one
    is another, and a change is of the last. Returns what is to be said of changes whose result cannot be told.
    """
    alike: Counter[tuple[object, ...]] = Counter()
    loose: dict[tuple[object, ...], dict[tuple[object, ...], int]] = {}
    times: dict[tuple[object, ...], set[str]] = {}
    issues = []
    for row in results:
        order, time = (row.get("OBR-2"), row.get("OBR-3")), _moment(row.get("OBX-14")) or _moment(row.get("OBR-7"))
        code = row.get("OBX-3") or row.get("OBX-3.4") or row.get("OBX-3.2")
        status, what = row.raw(11).strip() or "F", (code, row.get("OBX-4"))
        if any(order) or time:
            same = (row.message, status, order, time, what)
            alike[same] += 1
            number = alike[same]
        elif status in _CHANGES:
            number = len(loose.get(what, ())) or 1
            if number > 1:
                issues.append(_unclear("changes a result, but names neither order nor time: the last is changed", row))
        else:
            value = tuple(row.raw(field) for field in (2, 5, 6))
            alike[row.message, what, value] += 1
            known = loose.setdefault(what, {})
            number = known.setdefault((value, alike[row.message, what, value]), len(known) + 1)
        if order[1] or order[0]:
            earlier = times.setdefault((order[1] or order[0], *what), set())
            if status in _CHANGES and earlier and time not in earlier:
                text = "changes an earlier result, but names another time than it has: both are kept"
                issues.append(_unclear(text, row))
            earlier.add(time)
        if number > 1:
            row.tell_apart("OBX-4", number)
    return issues


def _unclear(text: str, row: Segment) -> Issue:
    return Issue("warning", "conflict", text, "data-conflict", row.place("OBX-11"))


def _moment(text: str | None) -> str:
    """The time as FHIR writes it, so that one written to the minute equals the same to the second; else ""."""
    try:
        return to_datetime(text) if text else ""
    except Refused:
        return ""
