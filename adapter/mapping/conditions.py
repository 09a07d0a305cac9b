"""The conditions of a mapping as closures, and what asking for a field's text says of what becomes of it.

The condition of an element accounts for a text only where it names it, as itself or in a code map. One that asks for
presence says nothing of the text; one that asks for a shape, or for other texts, leaves it to whoever writes it: where
nobody does, what the field was for could not be made.
"""

from __future__ import annotations

from collections.abc import Callable

from adapter.mapping.nodes import Test, When
from adapter.mapping.state import Fate, Run
from adapter.mapping.values import locate, passes
from adapter.sources.model import Row

Check = Callable[[Run, Row], bool]


def all_hold(when: When, home: str, *, inside: bool, choosing: bool = False) -> Check:
    """All conditions hold. ``choosing``: they decide on a whole row, and every text that they ask for is read."""
    checks = [_check(test, home, inside=inside, choosing=choosing) for test in when]
    if len(checks) == 1:
        return checks[0]

    def holds(run: Run, row: Row) -> bool:
        for check in checks:  # noqa: SIM110 - all() over a generator takes twice as long
            if not check(run, row):
                return False
        return True

    return holds


def _check(test: Test, home: str, *, inside: bool, choosing: bool) -> Check:
    find, key, passed = locate(test.field, home, inside=inside), test.field.key, passes(test)
    if not choosing and test.values is None and test.code_map is None and not test.shape:
        if find is None and test.negate:
            return lambda run, row: key not in row.texts  # noqa: ARG005 - one signature
        if find is None:
            return lambda run, row: key in row.texts  # noqa: ARG005

        def present(run: Run, row: Row) -> bool:
            owner = find(run, row)
            return passed(owner.texts.get(key) if owner is not None else None)

        return present
    named = test.values or (test.code_map.targets if test.code_map else ())

    def holds(run: Run, row: Row) -> bool:
        owner = row if find is None else find(run, row)
        text = owner.texts.get(key) if owner is not None else None
        if owner is not None and text is not None:
            if choosing or text in named:
                run.reads.append((owner, key))
            else:
                run.marks.append(((owner, key), Fate.LOST))
        return passed(text)

    return holds
