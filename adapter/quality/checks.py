"""The validation rules of a data set, compiled, and a record held against them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapter.quality.content import Unknown, load_content
from adapter.quality.record_checks import RECORD_CHECKS, BreaksRecord
from adapter.quality.row_checks import HEADER, ROW_CHECKS, Breaks
from adapter.quality.rules import FILE, NOT_CHECKED, PARTLY, REASONS, Rule, load_rules
from adapter.records import Finding, NotChecked
from adapter.sources.model import SourceRecord
from rules import ContentError

_EARLIER = NotChecked("the header says an earlier version of the data set, which had other rules", ("all rules",))


@dataclass(frozen=True, slots=True)
class Checker:
    """The rules of one data set, compiled, and which of them are not checked, by the reason."""

    rules: tuple[Rule, ...]
    by_table: Mapping[str, tuple[tuple[Rule, str, Breaks], ...]]
    of_record: tuple[tuple[Rule, str, BreaksRecord], ...]
    left_out: tuple[NotChecked, ...]

    def findings(self, record: SourceRecord) -> tuple[Finding, ...]:
        """Every rule that this record breaks, in the order of its rows; none for one of an earlier version."""
        if _of_an_earlier_version(record):
            return ()
        found = [
            Finding(rule.code, rule.severity, text, row.place(rule.field))
            for row in record.order
            for rule, text, breaks in self.by_table.get(row.name, ())
            if breaks(row)
        ]
        found += [
            Finding(rule.code, rule.severity, text, place)
            for rule, text, broken in self.of_record
            for place in broken(record)
        ]
        return tuple(found)

    def not_checked(self, record: SourceRecord) -> tuple[NotChecked, ...]:
        """What nobody may take for correct because nothing is said of it."""
        return (_EARLIER,) if _of_an_earlier_version(record) else self.left_out


def _of_an_earlier_version(record: SourceRecord) -> bool:
    """Whether the header says that the record is of v5 or before, which had other rules."""
    header = record.rows.get(HEADER)
    version = (header[0].get("DatSetVer") if header else None) or ""
    return version.partition(".")[0] in ("1", "2", "3", "4", "5")


def load_checker(folder: Path) -> Checker | None:
    """The checker of the mapping in ``folder``; None where it has no ``validation.csv``. Raises ContentError."""
    path = folder / FILE
    if not path.is_file():
        return None
    rules, content = load_rules(path), load_content(folder)
    by_table: dict[str, list[tuple[Rule, str, Breaks]]] = defaultdict(list)
    of_record: list[tuple[Rule, str, BreaksRecord]] = []
    for rule in rules:
        try:
            if rule.check == NOT_CHECKED:
                continue
            if rule.check in RECORD_CHECKS:
                compile_record, words = RECORD_CHECKS[rule.check]
                of_record.append((rule, _text(words, rule), compile_record(rule)))
            elif rule.check in ROW_CHECKS:
                compile_row, words = ROW_CHECKS[rule.check]
                by_table[rule.table].append((rule, _text(words, rule), compile_row(rule, content)))
            else:
                kinds = ", ".join((*ROW_CHECKS, *RECORD_CHECKS, NOT_CHECKED))
                raise Unknown(f"check is one of {kinds}")
        except Unknown as unknown:
            raise ContentError(str(unknown), str(path), rule.line, 1) from None
    return Checker(
        rules,
        {table: tuple(found) for table, found in by_table.items()},
        tuple(of_record),
        _left_out(rules),
    )


def _left_out(rules: tuple[Rule, ...]) -> tuple[NotChecked, ...]:
    """What is not checked, or only in part, by the reason."""
    left_out: dict[str, list[str]] = {words: [] for words in (*REASONS.values(), *PARTLY.values())}
    for rule in rules:
        words = REASONS[rule.against] if rule.check == NOT_CHECKED else PARTLY.get(rule.check)
        if words is not None:
            left_out[words].append(f"{rule.code} {rule.field}")
    return tuple(NotChecked(words, tuple(found)) for words, found in left_out.items() if found)


def _text(words: str, rule: Rule) -> str:
    against = rule.against.replace("+", " plus days: ") if rule.check in ("before", "after") else rule.against
    return words.format(field=rule.field, against=against, table=rule.table)
