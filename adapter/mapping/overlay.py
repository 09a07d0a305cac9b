"""Site overlays: a mapping that ``extends`` another says only what is different.

``mapping.yaml`` names the base (``extends: msds``) and overrides its lines; ``remove: [block, …]`` there leaves blocks
out. A block with the name of one of the base's replaces the elements it gives, appends to those under ``add``, and
leaves out those under ``remove``. A code map or table of the same name takes the place of the base's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapter.mapping.grouping import Place, as_dict
from adapter.mapping.nodes import Array, Block, Each, Node, Object
from adapter.settings import SHIPPED_MAPPINGS
from rules import Document, load_yaml

EXTENDS, REMOVE, ADD = "extends", "remove", "add"


@dataclass(frozen=True, slots=True)
class Layer:
    """One mapping folder of several that are laid upon each other."""

    folder: Path
    head: Document
    data: dict[str, Any]


def layers(folder: Path) -> list[Layer]:
    """The mapping in ``folder`` and those it extends, the base first. Raises ContentError."""
    found: list[Layer] = []
    at: Path | None = folder
    while at is not None:
        head = load_yaml(at / "mapping.yaml")
        data = as_dict(head, (), head.data)
        found.insert(0, Layer(at, head, data))
        at = _base(found[0], [layer.folder.resolve() for layer in found]) if EXTENDS in data else None
    return found


def _base(layer: Layer, seen: Sequence[Path]) -> Path:
    name = layer.data[EXTENDS]
    candidates = [root / str(name) for root in (layer.folder.parent, SHIPPED_MAPPINGS)]
    for candidate in candidates:
        if (candidate / "mapping.yaml").is_file() and candidate.resolve() not in seen:
            return candidate
    raise layer.head.error((EXTENDS,), f"there is no mapping {name!r} to extend, beside this one or shipped")


def merged_head(found: Sequence[Layer]) -> dict[str, Any]:
    """``mapping.yaml`` as all layers together say it: mappings of names (joins, format …) add up, the rest replaces."""
    whole: dict[str, Any] = {}
    for layer in found:
        source = layer.data.get("source", whole.get("source"))
        if "source" in whole and source != whole["source"]:
            raise layer.head.error(("source",), f"what extends a mapping reads the same source, {whole['source']}")
        for key, value in layer.data.items():
            before = whole.get(key)
            whole[key] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
    return whole


def code_map_folders(found: Sequence[Layer]) -> tuple[Path, ...]:
    """Where code maps are looked for: in the folders themselves and beside them, a site's before the shipped ones."""
    own = [place for layer in reversed(found) for place in (layer.folder, layer.folder.parent)]
    return tuple(dict.fromkeys(place / "code_maps" for place in (*own, SHIPPED_MAPPINGS)))


def without_removed(layer: Layer, blocks: list[Block]) -> tuple[list[Block], frozenset[str]]:
    """The blocks of the base that the layer keeps, and the names of those that it removes."""
    removed = layer.data.get(REMOVE, [])
    names = {block.name for block in blocks}
    if not isinstance(removed, list) or not set(map(str, removed)) <= names:
        raise layer.head.error(
            (REMOVE,), f"remove lists blocks of the base: {', '.join(sorted(names)) or 'it has none'}"
        )
    return [block for block in blocks if block.name not in removed], frozenset(removed)


def overlaid(base: Block, new: Block, given: Mapping[str, Any], added: Mapping[str, Array]) -> Block:
    """The base's block with the elements of ``new``; ``given`` is what the overlay's block says of itself."""
    gone = set(given.get(REMOVE, ()))
    fresh = dict(new.body.items)
    items: dict[str, Node] = {key: node for key, node in base.body.items if key not in gone}
    items.update(fresh)
    for key, more in added.items():
        items[key] = _longer(items.get(key), more)
    requires = new.requires if "requires" in given else tuple(name for name in base.requires if name not in gone)
    return replace(
        base,
        body=Object(tuple(items.items())),
        for_each=new.for_each if "for_each" in given else base.for_each,
        id=new.id if "id" in given else base.id,
        when=new.when if "when" in given else base.when,
        requires=requires,
    )


def _longer(before: Node | None, more: Array) -> Array:
    if before is None:
        return more
    items = before.items if isinstance(before, Array) else (before,)
    return Array((*items, *more.items))


def check_changes(document: Document, at: Place, block: Mapping[str, Any], base: Block | None) -> None:
    """``add`` and ``remove`` are for a block of the base, and name its elements."""
    for key in (ADD, REMOVE):
        if key in block and base is None:
            raise document.error(
                (*at, key), f"{key} changes a block of the mapping that this one extends; none is named so"
            )
    if base is None:
        return
    if block["resource"] != base.resource:
        raise document.error((*at, "resource"), f"the block {base.name} makes a {base.resource}")
    elements = dict(base.body.items)
    removed = block.get(REMOVE, [])
    if not isinstance(removed, list) or not set(map(str, removed)) <= set(elements):
        raise document.error((*at, REMOVE), f"remove lists elements of {base.name}: {', '.join(elements)}")
    for key, value in as_dict(document, (*at, ADD), block.get(ADD, {})).items():
        if not isinstance(value, list) or not isinstance(elements.get(key, Array(())), Array | Each):
            raise document.error((*at, ADD, key), "add appends a list to a list: element: [item, …]")
