"""Every example of docs/mapping-language.md comes out as written there: what is made, what is said, what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from adapter.mapping import Mapping, load_mapping
from adapter.mapping.convert import TYPES, Refused
from adapter.mapping.mapping_tests import is_part
from adapter.records import MappedBundle, RawRecord
from adapter.sources import hl7v2
from adapter.sources.exports import read_export, with_lists
from adapter.sources.model import SourceRecord
from adapter.sources.tables import read_tables
from rules import ContentError, load_yaml

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "mapping-language.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```\w+ (?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
DEFAULT = next(block["text"] for block in BLOCK.finditer(DOCUMENT) if block["name"] == "default")
UNITS = "source,target\nweeks,wk\n"


def sections() -> Iterable[Any]:
    for section in re.split(r"^###? ", DOCUMENT, flags=re.MULTILINE):
        files = {block["name"]: block["text"] for block in BLOCK.finditer(section)}
        if "makes" in files:
            yield pytest.param(files, id=section.splitlines()[0])


def table(heading: str) -> list[list[str]]:
    """The cells in backquotes of a table's rows."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*) \|$", section, re.MULTILINE)
    return [[cell.strip().strip("`") for cell in re.split(r" \|(?: |$)", row)] for row in rows if row[:5] != "`as` "]


def load(root: Path, files: dict[str, str]) -> Mapping:
    own = {"mapping.yaml": DEFAULT} if "site/mapping.yaml" not in files else {}
    for name, text in {**own, **files}.items():
        path = root / (name if "/" in name else f"example/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_mapping(root / ("site" if "site/mapping.yaml" in files else "example"))


def records(mapping: Mapping, root: Path, files: dict[str, str]) -> Iterable[SourceRecord]:
    if "message.hl7" in files:
        return hl7v2.read(RawRecord("message.hl7", files["message.hl7"].replace("\n", "\r").encode()))
    if (root / "tables").is_dir():
        return (with_lists(source, mapping) for source in read_tables(root / "tables", mapping))
    name = next(name for name in files if name.startswith("export."))
    return read_export(RawRecord(name, files[name].encode()), mapping)


@pytest.mark.parametrize("files", [*sections()])
def test_an_example_comes_out_as_written(files: dict[str, str], tmp_path: Path) -> None:
    mapping = load(tmp_path, files)
    results: list[MappedBundle] = [mapping.run(record) for record in records(mapping, tmp_path, files)]
    (tmp_path / "makes.yaml").write_text(files["makes"])
    expected = load_yaml(tmp_path / "makes.yaml").data
    made = [entry["resource"] for result in results for entry in result.bundle.get("entry", ())]
    assert is_part(expected, made), made
    assert len(made) == len(expected)
    issues = [issue for result in results for issue in result.issues if issue.detail != "unmapped-field"]
    assert "".join(f"{issue.place}: {issue.text}\n" for issue in issues) == files.get("says", "")
    if "unmapped" in files:
        uses = [use for result in results for use in result.coverage if use.fate == "unmapped"]
        assert "".join(f"{use.field}\n" for use in uses) == files["unmapped"]


@pytest.mark.parametrize("row", table("Types"), ids=lambda row: row[0])
def test_a_type_takes_and_refuses_what_the_table_says(row: list[str]) -> None:
    name, text, value, *refused = row
    assert TYPES[name](text) == json.loads(value)
    for other in filter(None, refused):
        with pytest.raises(Refused):
            TYPES[name](other)


def test_the_table_of_types_is_complete() -> None:
    assert sorted(row[0] for row in table("Types")) == sorted(TYPES)


@pytest.mark.parametrize("row", table("Errors"), ids=lambda row: row[0])
def test_a_mistake_is_said_as_the_catalogue_says(row: list[str], tmp_path: Path) -> None:
    written, said = row
    with pytest.raises(ContentError) as error:
        load(tmp_path, {"blocks.yaml": f"{written}\n", "code_maps/units.csv": UNITS})
    assert said in str(error.value)
