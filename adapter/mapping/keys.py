"""The words of the language: what may stand in a block, in a value and in ``mapping.yaml``."""

from __future__ import annotations

from adapter.mapping.overlay import ADD, EXTENDS, REMOVE

NODE_KEYS = {
    "from": {"from", "as", "map", "default", "when"},
    "first": {"first"},
    "const": {"const", "when"},
    "each": {"each", "do"},
    "reference_to": {"reference_to", "when"},
    "join_text": {"join_text", "with", "as", "map", "when"},
    "coded": {"coded", "scheme", "map", "system", "local", "when"},
}
BLOCK_KEYS = {"resource", "for_each", "id", "name", "when", "requires", ADD, REMOVE}
REMARK_KEYS = {"report", "for_each", "field", "detail", "when"}
HEAD_KEYS = {
    *("name", "version", "source", "title", "files", EXTENDS, REMOVE),
    *("patient", "joins", "keys", "lookups", "header", "format", "rows"),
}
TODO = "TODO"
"""A reason to ignore a field that begins so is none yet: the field is still reported as unmapped."""
