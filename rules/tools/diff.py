"""What differs between two packs, two providers or two days, in words; nothing that changes nothing is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from rules.tools.described import SECTIONS, describe
from rules.tools.items import Aspect, Item
from rules.tools.reach import Reach
from rules.tools.sides import LoadedSide
from rules.tools.words import Lines

_MARKS = {"added": "+", "removed": "-", "changed": "~"}
_NOTHING = Aspect("", ())


@dataclass(frozen=True, slots=True)
class AspectChange:
    """What was said before and after; of a flat list only the lines that differ."""

    name: str
    before: Lines
    after: Lines
    flat: bool = False

    def lines(self) -> Iterator[str]:
        """For reading: one line for a word, and a marked tree for more."""
        if not self.flat and max(len(self.before), len(self.after)) <= 1:
            yield f"{self.name}: {''.join(self.before) or 'nothing'} → {''.join(self.after) or 'nothing'}"
            return
        yield self.name
        if self.flat:
            yield from (f"  - {line}" for line in self.before)
            yield from (f"  + {line}" for line in self.after)
        else:
            yield from (f"  {line}" for line in _marked(self.before, self.after))


@dataclass(frozen=True, slots=True)
class Change:
    """One rule, parameter, fact … that was ``added``, ``removed`` or ``changed``.

    ``used_by``: the rules, steps and asks that look at it; ``safety``: the safety rules it touches, or is.
    """

    section: str
    id: str
    label: str
    change: str
    aspects: tuple[AspectChange, ...]
    used_by: tuple[str, ...] = ()
    safety: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        alert = "  ! SAFETY RULE" if self.safety == (self.id,) else ""
        name = f"{self.id}: {self.label}" if self.label else self.id
        yield f"{_MARKS[self.change]} {name}{alert}"
        for aspect in self.aspects:
            if self.change == "changed":
                yield from (f"    {line}" for line in aspect.lines())
            else:
                yield from (f"    {line}" for line in _whole(aspect))
        if self.used_by:
            yield f"    used by: {', '.join(self.used_by)}"

    def json(self) -> dict[str, Any]:
        return {
            "section": self.section,
            "id": self.id,
            "label": self.label,
            "change": self.change,
            "aspects": [
                {"aspect": each.name, "before": list(each.before), "after": list(each.after)} for each in self.aspects
            ],
            "used_by": list(self.used_by),
            "safety": list(self.safety),
        }


@dataclass(frozen=True, slots=True)
class PackDiff:
    """Everything that differs from ``a`` to ``b``, in the order of SECTIONS and of names."""

    a: LoadedSide
    b: LoadedSide
    changes: tuple[Change, ...]

    @property
    def safety(self) -> tuple[str, ...]:
        """The safety rules that some difference touches."""
        return tuple(sorted({rule for change in self.changes for rule in change.safety}))

    def of(self, section: str, name: str) -> Change | None:
        """The change of one item, if it changed."""
        return next((each for each in self.changes if (each.section, each.id) == (section, name)), None)

    def lines(self) -> Iterator[str]:
        """For reading."""
        yield from (f"A  {self.a.title}", f"B  {self.b.title}")
        if self.safety:
            yield f"!  This touches the safety rules {', '.join(self.safety)}"
        for section in SECTIONS:
            found = [change for change in self.changes if change.section == section]
            if found:
                yield from ("", section.capitalize())
                for change in found:
                    yield from change.lines()
        count = len(self.changes)
        yield from ("", f"{count} difference{'' if count == 1 else 's'}" if count else "no difference")

    def json(self) -> dict[str, Any]:
        """Plain data; ``docs/schemas/rules-diff.json`` says its form."""
        return {
            "a": side_json(self.a),
            "b": side_json(self.b),
            "safety": list(self.safety),
            "changes": [change.json() for change in self.changes],
        }


def side_json(side: LoadedSide) -> dict[str, Any]:
    content = side.content
    return {
        "side": side.text,
        "pack": content.name,
        "version": content.version,
        "provider": content.provider.name,
        "day": side.day.isoformat(),
    }


def diff(a: LoadedSide, b: LoadedSide) -> PackDiff:
    """Compare two sides. Raises ContentError where a parameter has no value on a side's day."""
    after = max(a.day, b.day)
    old, new = (describe(each.content, each.directory, each.day, after) for each in (a, b))
    reach = Reach(a.content), Reach(b.content)
    keys = sorted({*old, *new}, key=lambda key: (SECTIONS.index(key[0]), key[1]))
    changes = [_change(old.get(key), new.get(key), reach) for key in keys]
    steps = [[step.id for step in each.content.steps if not step.implied] for each in (a, b)]
    return PackDiff(a, b, tuple(each for each in (*changes, _order(*steps)) if each is not None))


def _change(old: Item | None, new: Item | None, reach: Sequence[Reach]) -> Change | None:
    item = new or old
    if item is None:
        return None
    aspects = tuple(_aspects(old, new))
    if old is not None and new is not None and not aspects:
        return None
    kind = "added" if old is None else "removed" if new is None else "changed"
    said = {name for each in (old, new) if each is not None for name in each.used_by}
    used = said | {name for each in reach for name in each.users(item.section, item.id)}
    safety = {name for each in reach for name in each.safety(item.section, item.id)}
    safety |= {name for each in reach for name in each.safe & said}
    return Change(item.section, item.id, item.label, kind, aspects, tuple(sorted(used)), tuple(sorted(safety)))


def _aspects(old: Item | None, new: Item | None) -> Iterator[AspectChange]:
    before, after = _by_name(old), _by_name(new)
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name, _NOTHING), after.get(name, _NOTHING)
        if one.key == other.key:
            continue
        if one.flat or other.flat:
            gone = tuple(line for line in one.lines if line not in set(other.lines))
            came = tuple(line for line in other.lines if line not in set(one.lines))
            if gone or came:
                yield AspectChange(name, gone, came, flat=True)
        else:
            yield AspectChange(name, one.lines, other.lines)


def _by_name(item: Item | None) -> Mapping[str, Aspect]:
    return {aspect.name: aspect for aspect in item.aspects} if item else {}


def _order(old: Sequence[str], new: Sequence[str]) -> Change | None:
    """The steps of the second stage are taken in turn: another order of the same steps is a difference."""
    before = tuple(step for step in old if step in set(new))
    after = tuple(step for step in new if step in set(old))
    if before == after:
        return None
    change = AspectChange("order", (", then ".join(before),), (", then ".join(after),))
    return Change("second stage", "order", "The order of the steps", "changed", (change,))


def _whole(aspect: AspectChange) -> Iterator[str]:
    """An aspect of what was added or removed."""
    lines = aspect.before or aspect.after
    if len(lines) == 1:
        yield f"{aspect.name}: {lines[0]}"
    else:
        yield aspect.name
        yield from (f"  {line}" for line in lines)


def _marked(before: Lines, after: Lines) -> Iterator[str]:
    """The lines that differ, marked, below the headings that they stand under."""
    merged: list[tuple[str, str]] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            merged += [(" ", line) for line in before[i1:i2]]
        else:
            merged += [("-", line) for line in before[i1:i2]]
            merged += [("+", line) for line in after[j1:j2]]
    shown: set[int] = set()
    for number, (mark, line) in enumerate(merged):
        if mark == " ":
            continue
        shown.add(number)
        depth = _depth(line)
        for above in range(number - 1, -1, -1):
            if _depth(merged[above][1]) < depth and merged[above][0] in (" ", mark):
                depth = _depth(merged[above][1])
                shown.add(above)
    yield from (f"{merged[number][0]} {merged[number][1]}" for number in sorted(shown))


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
