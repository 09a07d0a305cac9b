"""A block, compiled: what decides whether there is such a resource, its identity, and its elements."""

from __future__ import annotations

from typing import Any

from adapter.mapping.compile import Compiler, Evaluate
from adapter.mapping.nodes import Block, Field
from adapter.mapping.prune import prune, selector
from adapter.mapping.state import HOLE, Run
from adapter.records import Resource
from adapter.sources.model import Row


class CompiledBlock:
    """A block, compiled; its body once for each text of its selector (see ``prune``), when it is first met."""

    def __init__(self, block: Block, compiler: Compiler) -> None:
        self.block, self.compiler = block, compiler
        self.holds = compiler.choose(block.when) if block.when else None
        parts = block.id or ()
        self._parts = [compiler.part(part) if isinstance(part, Field) else compiler.node(part) for part in parts]
        self._general = compiler.node(block.body)
        selected = selector(block.body, block.for_each)
        self.selector = selected[0] if selected else None
        self._texts = selected[1] if selected else frozenset[str]()
        self._bodies: dict[str | None, Evaluate] = {}

    def identity(self, run: Run, row: Row) -> list[Any]:
        """What tells this resource from the others of the block."""
        if self.block.id is None:
            return [row.place("")]
        values = [part(run, row, "") for part in self._parts]
        return ["" if value is HOLE else value for value in values]

    def make(self, run: Run, row: Row, identity: object) -> Resource | None:
        """The resource, or None and, where it is incomplete, an Issue."""
        block = self.block
        body = self._body(run, row)
        missing = [name for name in block.requires if body is HOLE or name not in body] if block.requires else []
        if missing:
            text = f"no {block.resource} was made of this: {' and '.join(missing)} could not be filled"
            run.say("warning", "required", text, "", (row, ""))
        return None if body is HOLE or missing else {"resourceType": block.resource, "id": identity, **body}

    def _body(self, run: Run, row: Row) -> Any:
        if self.selector is None:
            return self._general(run, row, "")
        text = row.texts.get(self.selector.key)
        if text is not None:
            run.reads.append((row, self.selector.key))
            if text not in self._texts:
                return self._general(run, row, "")
        body = self._bodies.get(text)
        if body is None:
            pruned = prune(self.block.body, self.selector, text)
            body = self._bodies[text] = self.compiler.node(pruned)
        return body(run, row, "")
