"""Write ``docs/rule-language.md``: the introduction beside this file, then every key of every file, from the schemas.

    python tools/make_rule_language.py            # writes the document
    python tools/make_rule_language.py --check    # exit 1 when the document is not what this would write

What the console blocks of the introduction print is kept as it is in the document (``tests/e2e/console.py`` writes it).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rules.tools.schemas import KINDS, schema  # noqa: E402 - the repository may not be installed

DOCUMENT = ROOT / "docs" / "rule-language.md"
INTRODUCTION = Path(__file__).with_name("rule_language_intro.md")
# Definitions with a section of their own, in this order; the others are said in a word.
SHARED = (
    "condition",
    "test",
    "source",
    "values",
    "task",
    "flag",
    "issue",
    "asks",
    "valid",
    "openingHours",
    "serviceHours",
)
WORDS: Mapping[str, str] = {
    "name": "name",
    "factName": "fact",
    "date": "day",
    "priority": "priority",
    "severity": "severity",
    "text": "text",
    "days": "days or parameter",
    "nameOrParameter": "service or parameter",
    "conditions": "list of [conditions](#condition)",
    "sources": "list of [sources](#source)",
    "asks": "list of [asks](#ask)",
    "ods": "ODS code",
    "timeOfDay": "time of day",
    "openingHours": "list of [opening hours](#opening-hours)",
    "serviceHours": "[hours of a service](#hours-of-a-service)",
    "concept": "SNOMED CT concept: `code`, `display`",
}
TITLES = {"asks": "ask", "openingHours": "opening hours", "serviceHours": "hours of a service"}
_TYPES = {"string": "text", "integer": "whole number", "array": "list", "object": "mapping", "boolean": "true or false"}
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ._/–-]*|[0-9]+-[0-9]+-[0-9]+|[0-9]+(?:\.[0-9]+){2,}")
_CONSOLE = re.compile(r"^```console\n.*?^```$", re.MULTILINE | re.DOTALL)
_RESERVED = ("true", "false", "null")


def flow(value: object) -> str:
    """A value as YAML on one line, as people write it in these files."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in _RESERVED:
        return value
    return json.dumps(value, ensure_ascii=False)


def kind_of(node: Mapping[str, Any]) -> str:
    """What stands under a key, in a word or two."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return WORDS.get(name) or f"[{name}](#{name})"
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    if "const" in node:
        return f"`{str(node['const']).lower()}`"
    if "else" in node:
        return f"{kind_of(node['else'])}, or dated ones"
    if "anyOf" in node:
        return " or ".join(dict.fromkeys(kind_of(each) for each in node["anyOf"]))
    types = node.get("type", [])
    if types == "array" and "$ref" in node.get("items", {}):
        inner = kind_of(node["items"])
        return f"list of {inner}s" if not inner.endswith(")") else f"list of {inner}"
    return " or ".join(_TYPES.get(each, each) for each in ([types] if isinstance(types, str) else types))


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def rows(node: Mapping[str, Any]) -> Iterator[str]:
    """A table of an object's keys."""
    required = node.get("required", [])
    yield "| key | | says | for example |"
    yield "|---|---|---|---|"
    for key, inner in node["properties"].items():
        kind = ", ".join(filter(None, ("required" if key in required else "", kind_of(inner))))
        examples = [f"`{flow(example)}`" for example in inner.get("examples", ())]
        shown = min(examples, key=len, default="")
        yield f"| `{key}` | {kind} | {cell(inner['description'])} | {cell(shown)} |"


def objects(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects that are written out inside an object, each with the keys that lead there."""
    for key, inner in node.get("properties", {}).items():
        here = f"{path}{key}"
        if "properties" in inner:
            yield here, inner
            yield from objects(inner, f"{here}.")
        elif "properties" in inner.get("items", {}):
            yield f"{here}[]", inner["items"]
            yield from objects(inner["items"], f"{here}[].")


def block(text: str) -> Iterator[str]:
    yield from ("", text, "")


def section(node: Mapping[str, Any]) -> Iterator[str]:
    """What a file or a definition holds: its own keys, and those of the objects inside it."""
    inner: Mapping[str, Any] = node
    if node.get("type") == "array" and "items" in node:
        inner = node["items"]
        yield from block(inner["description"])
    elif isinstance(node.get("additionalProperties"), dict) and "properties" in node["additionalProperties"]:
        inner = node["additionalProperties"]
        yield from block(inner["description"])
    if "properties" in inner:
        yield from ("", *rows(inner))
    for example in inner.get("examples", ()):
        yield from ("", "```yaml", *written(example, node), "```")
    for path, each in objects(inner, ""):
        yield from ("", f"**`{path}`**", "", *rows(each))


def written(example: Mapping[str, Any], around: Mapping[str, Any]) -> Iterator[str]:
    """An example of a list's item or a mapping's entry, a key on a line."""
    if not isinstance(example, dict):
        yield flow(example)
        return
    if around.get("type") == "array":
        first, *more = example.items()
        yield f"- {first[0]}: {flow(first[1])}"
        yield from (f"  {key}: {flow(value)}" for key, value in more)
        return
    yield from (f"{key}: {flow(value)}" for key, value in example.items())


def reference() -> str:
    """The tables: each kind of file, then the definitions that they share."""
    lines = ["## The files"]
    shared: dict[str, Mapping[str, Any]] = {}
    for kind, place in KINDS.items():
        whole = schema(kind)
        shared |= whole["$defs"]
        lines += ["", f"### {place}", whole["description"]]
        lines += section(whole)
    lines += ["", "## What they share"]
    for name in SHARED:
        node = shared[name]
        lines += ["", f"### {TITLES.get(name, name)}", node["description"]]
        lines += section(node)
    lines += ["", "### Words", "", "| word | means | for example |", "|---|---|---|"]
    for name, word in WORDS.items():
        if name in shared and "[" not in word and name != "concept":
            examples = ", ".join(f"`{flow(example)}`" for example in shared[name].get("examples", ()))
            lines.append(f"| {word} | {cell(shared[name]['description'])} | {cell(examples)} |")
    text = "\n".join(lines)
    return re.sub(r"\n{3,}", "\n\n", text) + "\n"


def document(current: str) -> str:
    """The whole document, with the console blocks of the current one where they give the same commands."""
    kept = {commands(found[0]): found[0] for found in _CONSOLE.finditer(current)}
    introduction = INTRODUCTION.read_text(encoding="utf-8")
    introduction = _CONSOLE.sub(lambda found: kept.get(commands(found[0]), found[0]), introduction)
    return introduction + "\n" + reference()


def commands(console: str) -> tuple[str, ...]:
    return tuple(line for line in console.splitlines() if line.startswith("$ "))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    current = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    wanted = document(current)
    if parser.parse_args().check:
        return int(current != wanted)
    DOCUMENT.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
