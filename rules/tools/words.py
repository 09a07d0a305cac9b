"""What a pack says, in lines of words with thresholds resolved: the same meaning gives the same lines.

Inner lines are indented by two spaces. The members of ``all`` and ``any`` are put in order, so that the order in which
somebody wrote them makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rules.engine.condition_text import text_of
from rules.engine.conditions import AllOf, AnyOf, Condition, Not, Threshold, Unless, inner
from rules.engine.content import (
    Content,
    FlagSpec,
    IssueSpec,
    Outcome,
    Refer,
    TaskSpec,
    Within,
)
from rules.engine.model import Source
from rules.engine.parameters import Values
from rules.engine.parse import PARAMETER
from rules.tools.thresholds import thresholds_in

Lines = tuple[str, ...]
Labels = Callable[[str, str], str]
"""The words for a code of a kind (``perinatal-task``, ``perinatal-flag``)."""
PRIORITY_WORDS: Mapping[str, str] = {
    "stat": "emergency (stat)",
    "asap": "very urgent (asap)",
    "urgent": "urgent",
    "routine": "routine",
}
_GROUPS = (AllOf, AnyOf, Not, Unless)


def humanised(kind: str, code: str) -> str:  # noqa: ARG001 - the labels of a pack that has none of its own
    """A code in words: ``seek-consent`` → ``Seek consent``."""
    words = code.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def indented(lines: Iterable[str]) -> Lines:
    return tuple(f"  {line}" for line in lines)


def source_lines(sources: Iterable[Source]) -> Lines:
    """Each source in a line: ``NICE CG192, 1.5.5 (2014-2020): what it says [K-high]``."""
    return tuple(map(_source, sources))


def _source(source: Source) -> str:
    place = ", ".join(part for part in (source.document, source.section) if part)
    version = f" ({source.version})" if source.version else ""
    says = f": {source.says}" if source.says else ""
    confidence = f" [{source.confidence}]" if source.confidence else ""
    return f"{place}{version}{says}{confidence}" + (f" {source.url}" if source.url else "")


class Words:
    """Words for the parts of one pack, with the parameter values of one day."""

    def __init__(self, content: Content, values: Values) -> None:
        self._content, self._values = content, values

    def condition(self, condition: Condition | None) -> Lines:
        """A condition as a tree, a line for each group and each comparison."""
        if condition is None:
            return ()
        if not isinstance(condition, _GROUPS):
            return (self._leaf(condition),)
        if isinstance(condition, AllOf | AnyOf):
            blocks = sorted({self.condition(child) for child in _members(condition, type(condition))})
            if len(blocks) == 1:
                return blocks[0]
        else:
            blocks = [self.condition(condition.child)]
        heading = text_of(condition, self._content.facts, self._values)
        return (heading, *(line for block in blocks for line in indented(block)))

    def _leaf(self, condition: Condition) -> str:
        text = text_of(condition, self._content.facts, self._values)
        named = dict.fromkeys(each.parameter for each in thresholds_in(condition) if each.parameter)
        return f"{text} ({', '.join(named)})" if named else text

    def service(self, threshold: Threshold) -> str:
        key = str(self._values.of(threshold))
        return f"{self._label(key)} ({', '.join(part for part in (key, _from(threshold)) if part)})"

    def _label(self, key: str) -> str:
        return self._content.services[key].label if key in self._content.services else key

    def within(self, within: Within) -> str:
        days = self._values.of(within.days)
        kind = "working day" if within.working else "day"
        text = f"within {days} {kind}{'' if days == 1 else 's'}" if days else "the same day"
        return text + (f" ({within.days.parameter})" if within.days.parameter else "")

    def outcome(self, outcome: Outcome) -> Lines:
        """What a rule does, with the condition under which it does so."""
        act = outcome.act
        lines = self._refer(act) if isinstance(act, Refer) else self._plain(act)
        only = self.condition(outcome.when)
        return (*lines, *indented(("only when", *indented(only)) if only else ()))

    def _refer(self, refer: Refer) -> Lines:
        first = f"refer to {self.service(refer.service)}, {refer.priority}, {self.within(refer.within)}"
        more = []
        if refer.start:
            days, since = self._values.of(refer.start.plus_days), self._content.facts[refer.start.fact].label
            named = f" ({refer.start.plus_days.parameter})" if refer.start.plus_days.parameter else ""
            more.append(f"not before {days} days after {since}{named}")
        if refer.reason:
            more.append(f"reason: {refer.reason}")
        if refer.text:
            more.append(f"note: {refer.text}")
        return (first, *indented(more))

    def _plain(self, act: TaskSpec | FlagSpec | IssueSpec) -> Lines:
        match act:
            case TaskSpec():
                return self.task(act)
            case FlagSpec(code=code):
                return (f"flag {code}",)
            case IssueSpec(code=code, severity=severity, text=text):
                return (f"say {code} ({severity}): {text}",)

    def task(self, task: TaskSpec) -> Lines:
        about = f" about {self._label(task.service)} ({task.service})" if task.service else ""
        more = [f"asks for {self._content.facts[name].label} ({name})" for name in task.facts]
        if task.text:
            more.append(f"text: {task.text}")
        return (f"task {task.code}, {task.priority}{about}", *indented(more))

    def given(self, value: Any) -> str:
        """A value of a declaration as written; a parameter with its value."""
        if isinstance(value, str) and value.startswith(PARAMETER):
            name = value.removeprefix(PARAMETER)
            return f"{self._values.named(name)} ({name})" if name in self._content.parameters else value
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, Mapping):
            return ", ".join(f"{key} {self.given(inner)}" for key, inner in sorted(value.items()))
        if isinstance(value, list | tuple | frozenset):
            return ", ".join(map(self.given, value)) or "none"
        return str(value)


def _members(condition: Condition, kind: type[Condition]) -> Iterator[Condition]:
    """The members of a group, and of groups of the same kind directly inside it."""
    for child in inner(condition):
        if type(child) is kind:
            yield from _members(child, kind)
        else:
            yield child


def _from(threshold: Threshold) -> str:
    return f"from {threshold.parameter}" if threshold.parameter else ""


def blocks(each: Sequence[Lines]) -> Lines:
    """Blocks of lines in order, one after another."""
    return tuple(line for block in sorted(each) for line in block)
