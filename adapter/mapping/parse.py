"""Reads a mapping folder and checks it: every mistake is a ContentError with file, line, column and what to do.

``mapping.yaml`` names the mapping; every other ``*.yaml`` of the folder is a list of blocks (a resource, what is
ignored and why, or what is reported). The classes of ``nodes`` say what each part of the language means.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapter.mapping.blocks import BlockFile
from adapter.mapping.code_maps import CodeMap
from adapter.mapping.grouping import only, parse_tables
from adapter.mapping.keys import HEAD_KEYS, TODO
from adapter.mapping.nodes import Block, Program, Remark
from adapter.mapping.overlay import EXTENDS, code_map_folders, layers, merged_head, without_removed
from rules import Document, load_yaml


def parse_mapping(folder: Path) -> Program:
    """The mapping in this folder; its code maps are in ``code_maps`` there or beside it."""
    found = layers(folder)
    for layer in found:
        only(layer.head, (), layer.data, HEAD_KEYS)
        for key in ("name", "version") if EXTENDS in layer.data else ("name", "version", "source"):
            if not isinstance(layer.data.get(key), str):
                raise layer.head.error((), f"{key} is missing or not text: write {key}: …")
    data, head = merged_head(found), found[-1].head
    tables = parse_tables(head, data)
    folders = code_map_folders(found)
    blocks: list[Block] = []
    ignored: dict[str, str] = {}
    remarks: list[Remark] = []
    maps: dict[str, CodeMap] = {}
    files: list[BlockFile] = []
    names: set[str] = set()
    for layer in found:
        blocks, removed = without_removed(layer, blocks)
        names |= removed
        inherited = {block.name for block in blocks}
        for path in _files(layer.folder, layer.head, layer.data):
            files.append(BlockFile(load_yaml(path), folders, data["source"], tables, maps))
            files[-1].read(blocks, ignored, remarks, inherited)
    names.update(name for block in blocks for name in (block.name, block.resource))
    for file in files:
        file.check_targets(names)
    undecided = tuple(name for name, reason in ignored.items() if reason.startswith(TODO))
    return Program(
        data["name"],
        data["version"],
        data["source"],
        data.get("title", ""),
        tuple(blocks),
        {name: reason for name, reason in ignored.items() if name not in undecided},
        tables,
        undecided,
        tuple(remarks),
    )


def _files(folder: Path, head: Document, data: dict[str, Any]) -> list[Path]:
    there = sorted(p.name for p in folder.glob("*.yaml") if p.name != "mapping.yaml")
    listed = data.get("files", there)
    if not isinstance(listed, list) or sorted(map(str, listed)) != there:
        raise head.error(("files",), f"files must list each file of the folder once: {', '.join(there)}")
    return [folder / name for name in listed]
