"""Write ``adapter/fhir/r4_elements.json``: every element of every FHIR R4 type, one line each.

    python tools/make_r4_elements.py            # needs fhir.resources (the ``test`` extra)
    python tools/make_r4_elements.py --check    # exit 1 when the file is not what this would write

The source is the R4B models of fhir.resources. ``tools/r4_delta.json`` is the written difference between those models
and R4 4.0.1; ``tests/contract/test_fhir_table.py`` compares the outcome with the official StructureDefinitions.

An element reads ``min..max type [@choice] [=code|code|…]``: ``1..1 code =registered|preliminary|final``,
``0..1 Quantity @value`` (one of the group ``value``; ``@value!`` where one of the group is required). A list of codes
is a required binding: ``=@name`` is a list of ``codeLists``, and a CodeableConcept's is ``=system#code|code``. The
element ``""`` names the base type whose elements it has besides.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import pkgutil
import sys
import types
import typing
from pathlib import Path
from typing import Any

import fhir.resources.R4B
from pydantic import BaseModel
from pydantic.fields import FieldInfo

TABLE = Path(__file__).resolve().parents[1] / "adapter" / "fhir" / "r4_elements.json"
DELTA = Path(__file__).with_name("r4_delta.json")
# The base types, widest first.
BASES = ("DomainResource", "Resource", "BackboneElement", "Element")
PRIMITIVES = {"bool": "boolean", "encodedBytes": "base64Binary", "uuidVersion": "uuid", "xhtml": "xhtml"}


def model_classes() -> dict[str, type[BaseModel]]:
    """Each concrete model class by its name."""
    found: dict[str, type[BaseModel]] = {}
    for module in pkgutil.iter_modules(fhir.resources.R4B.__path__):
        if module.name.startswith("_") or module.name == "tests":
            continue
        loaded = importlib.import_module(f"{fhir.resources.R4B.__name__}.{module.name}")
        for name, member in inspect.getmembers(loaded, inspect.isclass):
            if issubclass(member, BaseModel) and member.__module__ == loaded.__name__:
                found[name] = member
    return found


def type_of(annotation: Any) -> tuple[str, bool]:
    """The FHIR type an annotation stands for, and whether it is a list."""
    origin = typing.get_origin(annotation)
    if origin is list:
        return type_of(typing.get_args(annotation)[0])[0], True
    if origin in (typing.Union, types.UnionType):
        return type_of(next(a for a in typing.get_args(annotation) if a is not type(None)))
    if origin is typing.Annotated:
        marker = type(typing.get_args(annotation)[1]).__name__
        primitive = marker[0].lower() + marker[1:]
        return PRIMITIVES.get(primitive, primitive), False
    name: str = annotation.__name__
    return PRIMITIVES.get(name, name.removesuffix("Type")), False


def element(field: FieldInfo) -> str:
    """One element as a line of the table."""
    told = typing.cast("dict[str, Any]", field.json_schema_extra)
    kind, many = type_of(field.annotation)
    required = field.is_required() or told.get("element_required", False)
    line = f"{int(required)}..{'*' if many else '1'} {kind}"
    if group := told.get("one_of_many"):
        line += f" @{group}{'!' if told['one_of_many_required'] else ''}"
    if codes := told.get("enum_values"):
        line += f" ={'|'.join(codes)}"
    return line


def elements(model: type[BaseModel]) -> dict[str, str]:
    """The elements of one type; primitive sidecars (``_x``) follow from the type and are left out."""
    return {
        field.alias or name: element(field)
        for name, field in model.model_fields.items()
        if name != "fhir_comments" and field.json_schema_extra
    }


def reachable(table: dict[str, dict[str, str]], roots: list[str]) -> set[str]:
    """The types that the roots use, themselves included."""
    seen: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in table:
            continue
        seen.add(name)
        waiting += [line.split(" ")[1] for line in table[name].values()]
    return seen


def based(own: dict[str, str], bases: dict[str, dict[str, str]]) -> dict[str, str]:
    """The elements without those of the widest base they contain, which is named under the key ""."""
    for name, inherited in bases.items():
        if inherited.items() <= own.items():
            return {"": name} | {key: line for key, line in sorted(own.items()) if key not in inherited}
    return dict(sorted(own.items()))


def build() -> dict[str, Any]:
    """The whole table with the delta applied."""
    delta = json.loads(DELTA.read_text("utf-8"))
    classes = model_classes()
    table = {name: elements(model) for name, model in classes.items()}
    left_out = {*BASES, *delta["other-versions"], *delta["not-supported"]}
    resources = sorted(name for name, model in classes.items() if is_resource(model) and name not in left_out)
    for path, line in delta["elements"].items():
        name, _, key = path.partition(".")
        if line is None:
            del table[name][key]
        else:
            table[name][key] = line
    resource_types = sorted({*resources, *delta["not-supported"], "Resource", "DomainResource"})
    defined_types = [*resource_types, *delta["data-types"]]
    bases = {name: table[name] for name in BASES}
    return {
        "fhirVersion": "4.0.1",
        "resources": resources,
        "notSupported": sorted(delta["not-supported"]),
        "otherVersions": dict(sorted(delta["other-versions"].items())),
        "codeLists": {
            "resource-types": "|".join(resource_types),
            "defined-types": "|".join(defined_types),
            "all-types": "|".join([*defined_types, "Type", "Any"]),
        },
        "bases": {name: dict(sorted(own.items())) for name, own in bases.items()},
        "types": {name: based(table[name], bases) for name in sorted(reachable(table, [*resources, "Element"]))},
    }


def is_resource(model: type[BaseModel]) -> bool:
    """Whether the model is a resource and not a data type or a part of one."""
    return any(base.__name__ == "Resource" for base in model.__mro__[1:])


def written() -> str:
    return json.dumps(build(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file would change")
    text = written()
    if parser.parse_args().check:
        return int(TABLE.read_text("utf-8") != text)
    TABLE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
