"""What is done with a message: the record of whom it is about is evaluated, and the result is written to a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile

import orjson

from adapter.bootstrap import Adapter
from adapter.errors import AdapterError, CannotStart
from adapter.mllp.acknowledgement import Answer
from adapter.mllp.faults import Fault, fault_of
from adapter.mllp.framing import framed
from adapter.pipeline import Result, check, evaluate_all, read
from adapter.records import Issue, MappedBundle, Origin, RawRecord
from adapter.sources.hl7v2 import names_in
from adapter.store.journal import Entry, Journal

_WHOLE_RECORD = Fault(207, "the message is good by itself; with what came before it the record is refused")
_ELEMENT = re.compile(r"Bundle\.entry\[(\d+)\]\.resource\.?(.*)")


class EvaluateToFolder:
    """Writes the results of each message to ``<folder>/<number in the journal>-<digest>.ndjson``: one a line, a result
    Bundle or the OperationOutcome that says why there is none.

    A message is first read alone: what is wrong with it goes back to its sender. Then it is read with all messages of
    the same persons that were taken before it, for a score and the pregnancy come in messages of their own. A message
    that is processed again replaces its own file, and a file is there whole or not at all.
    Raises CannotStart when the folder cannot be made.
    """

    def __init__(self, adapter: Adapter, journal: Journal, folder: Path, today: Callable[[], date]) -> None:
        self._adapter = adapter
        self._journal = journal
        self._folder = folder
        self._today = today
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as wrong:
            reason = f"the folder for results cannot be made ({type(wrong).__name__}): {folder}"
            raise CannotStart(Issue("fatal", "exception", reason)) from None

    def __call__(self, entry: Entry) -> Answer:
        results = self._evaluated([entry])
        refused = [result for result in results if result.status != 200]
        wanted = ("fatal", "error") if refused else ("warning",)
        issues = [issue for result in refused or results for issue in issues_of(result) if issue.severity in wanted]
        faults = tuple(dict.fromkeys(fault_of(issue, entry.data) for issue in issues))
        if not refused:
            names = names_in(framed(entry.data))
            earlier = self._journal.earlier(entry.id, names)
            if earlier:
                results = self._evaluated([*earlier, entry])
                refused = [result for result in results if result.status != 200]
                faults += (_WHOLE_RECORD,) if refused else ()
        lines = [orjson.dumps(result.bundle or result.outcome, option=orjson.OPT_APPEND_NEWLINE) for result in results]
        write_whole(self._folder / f"{entry.id:09d}-{entry.digest[:12]}.ndjson", b"".join(lines))
        if not refused:
            self._journal.link(entry.id, names)
        return Answer("AE" if refused else "AA", faults)

    def _evaluated(self, entries: Sequence[Entry]) -> list[Result]:
        return list(evaluate_all(self._adapter, self._records(entries), self._today(), name="message"))

    def _records(self, entries: Sequence[Entry]) -> Iterator[MappedBundle | AdapterError]:
        data = b"".join(framed(entry.data) for entry in entries)
        for record in read(self._adapter, RawRecord("message", data, "hl7v2")):
            if isinstance(record, AdapterError) or len(entries) == 1:
                yield record if isinstance(record, AdapterError) else replace(record, digest=entries[0].digest)
                continue
            checked = check(record)
            origins = tuple(Origin("message", record.mapping, entry.digest) for entry in entries)
            yield replace(checked, mapping="", digest="", origins=origins)


def issues_of(result: Result) -> Iterator[Issue]:
    """What the OperationOutcome of a result says, each with its place in the message where one is known."""
    entries = [entry["resource"] for entry in (result.bundle or {}).get("entry", ())]
    outcome = result.outcome or next((one for one in entries if one["resourceType"] == "OperationOutcome"), {})
    for issue in outcome.get("issue", ()):
        place = issue.get("diagnostics") or _place(result.record, (issue.get("expression") or [""])[0])
        detail = next((one["code"] for one in issue["details"].get("coding", ())), "")
        yield Issue(issue["severity"], issue["code"], issue["details"]["text"], detail, place)


def _place(record: MappedBundle | None, path: str) -> str:
    """Where in the message an element of the converted record comes from, "" when that is not known."""
    found = _ELEMENT.match(path)
    if record is None or found is None:
        return ""
    entries = record.bundle.get("entry", ())
    url = entries[int(found[1])].get("fullUrl", "") if int(found[1]) < len(entries) else ""
    return record.lineage.get((url, found[2]), "")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it survives a loss of power, and is never seen in part. Raises OSError."""
    with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
