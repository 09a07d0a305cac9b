"""Runs durable_rules through its C module: one typed fact per evaluation, one session at a time, always deleted.

The order matters (measured; see docs on the engine): the opening sentinel is asserted, started and completed before
anything else, because deleting a session in which no rule fired reads uninitialised memory; the closing sentinel
proves that the run went to its end; deleting the session keeps memory flat.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping
from datetime import date

import durable_rules_engine as durable

from rules.engine.compile_durable import Parts, Program
from rules.engine.errors import ContentError, EngineError
from rules.engine.features import Write
from rules.engine.model import Fact
from rules.engine.pick import Pick, pick

_SID = "s"
_OPEN, _END = "__open__", "__end__"
_SENTINELS = ",".join(f'"{name}":{{"all":[{{"m":{{"kind":"{name}"}}}}]}}' for name in (_OPEN, _END))
_OPEN_FACT = f'{{"id":"open","sid":"{_SID}","kind":"{_OPEN}"}}'
_END_FACT = f'{{"id":"end","sid":"{_SID}","kind":"{_END}"}}'
_HEAD = f'{{"id":"facts","sid":"{_SID}","kind":"facts"'
_USED, _UNUSED = 0, 1

_Ruleset = tuple[int, Pick]  # its handle, and those of the properties that it looks at


class DurableSession:
    """The C rulesets of one program. ``true_names`` may be called from any thread; ``close`` frees the C memory.

    ``missing`` holds every fact in the state it has when it is not given: its properties are written once.
    """

    def __init__(self, program: Program, missing: Mapping[str, Fact]) -> None:
        self._lock = threading.Lock()
        self._closed = self._broken = False
        self._missing = [write(missing, date.min) for write in program.writers]
        self._writers: dict[str, list[tuple[int, Write]]] = {name: [] for name in missing}
        for index, (names, write) in enumerate(zip(program.facts, program.writers, strict=True)):
            for name in names:
                self._writers[name].append((index, write))
        self._needed: list[tuple[str, frozenset[str], frozenset[str]]] = []
        self._several: list[tuple[str, Parts, frozenset[str]]] = []
        for name, parts in program.parts.items():
            if all(len(part) == 1 for part in parts):
                self._needed.append((name, frozenset[str]().union(*parts), program.vetoes[name]))
            else:
                self._several.append((name, parts, program.vetoes[name]))
        self._shards = program.shards
        self._rulesets: list[_Ruleset] = []
        self._finalizer = weakref.finalize(self, _delete, self._rulesets)
        self._create()

    def _create(self) -> None:
        for shard in self._shards:
            try:
                handle = durable.create_ruleset("rules", f"{{{shard.rules},{_SENTINELS}}}")
            except Exception as error:
                raise ContentError(f"durable_rules does not take these rules: {error}", code="RC070") from error
            self._rulesets.append((handle, pick(shard.groups)))

    def close(self) -> None:
        """Free the rulesets. Later calls of ``true_names`` raise EngineError."""
        with self._lock:
            self._closed = True
            self._finalizer()

    def true_names(self, facts: Mapping[str, Fact], as_of: date, telling: Iterable[str]) -> set[str]:
        """The named conditions that are certainly true. Raises EngineError.

        ``facts`` are all facts, checked; those not ``telling`` are as in ``missing``. After a session that could not
        be opened the rulesets are made anew.
        """
        members = self._missing.copy()
        for name in telling:
            for index, write in self._writers[name]:
                members[index] = write(facts, as_of)
        seen: set[str] = set()
        with self._lock:
            if self._closed:
                raise EngineError("the pack is closed")
            if self._broken:
                _delete(self._rulesets)
                self._create()
                self._broken = False
            for handle, own in self._rulesets:
                self._run(handle, "".join((_HEAD, *own(members), "}")), seen)
        names = {name for name, needed, vetoes in self._needed if needed <= seen and vetoes.isdisjoint(seen)}
        for name, parts, vetoes in self._several:
            if vetoes.isdisjoint(seen) and not any(map(seen.isdisjoint, parts)):
                names.add(name)
        return names

    def _run(self, handle: int, fact: str, seen: set[str]) -> None:
        """One session of one ruleset: adds the ids of the rules that matched to ``seen``."""
        try:
            code, state = durable.assert_fact(handle, _OPEN_FACT)
            opened = code == _USED and durable.start_action_for_state(handle, state) is not None
            durable.complete_and_start_action(handle, state)
        except Exception as error:
            self._broken = True
            raise EngineError("a session of durable_rules could not be opened") from error
        if not opened:
            self._broken = True
            raise EngineError("a session of durable_rules did not open: an earlier one was not closed")
        try:
            code, state = durable.assert_fact(handle, fact)
            if code not in (_USED, _UNUSED):
                raise EngineError(f"durable_rules did not take the facts (code {code})")
            code, state = durable.assert_fact(handle, _END_FACT)
            action = durable.start_action_for_state(handle, state)
            message = action[1] if action else None
            while message is not None:
                seen.add(message[2 : message.index('"', 2)])
                message = durable.complete_and_start_action(handle, state)
        except EngineError:
            raise
        except Exception as error:
            detail = str(error) if isinstance(error, durable.error) else type(error).__name__
            raise EngineError(f"durable_rules failed: {detail}") from error
        finally:
            durable.delete_state(handle, _SID)
        if _END not in seen:
            raise EngineError("durable_rules did not reach the end of the evaluation")
        seen.discard(_END)


def _delete(rulesets: list[_Ruleset]) -> None:
    while rulesets:
        handle, _ = rulesets.pop()
        durable.delete_ruleset(handle)
