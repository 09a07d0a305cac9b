"""Exported definitions as files: one for each resource, and the logic also as plain CQL and ELM."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from pathlib import Path

import orjson

from adapter.records import Resource


def write_export(resources: Iterable[Resource], folder: Path) -> None:
    """Write ``TYPE-ID.json`` for each resource, and beside a Library its content. Raises OSError.

    What the folder holds besides stays as it is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for resource in resources:
        path = folder / f"{resource['resourceType']}-{resource['id']}.json"
        path.write_bytes(orjson.dumps(resource, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        for attachment in resource.get("content", ()) if resource["resourceType"] == "Library" else ():
            (folder / "logic").mkdir(exist_ok=True)
            (folder / "logic" / attachment["title"]).write_bytes(b64decode(attachment["data"]))
