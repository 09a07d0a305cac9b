"""The table of R4 elements against the official R4 4.0.1 definitions: names, cardinality, types, required codes.

The table is made from models of R4B; this is the written check that it says what R4 says.
"""

from __future__ import annotations

import json
import tarfile
from functools import cache
from typing import Any

import orjson
import pytest

from adapter.fhir.elements import TABLE_FILE, Element, type_info
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared

Json = dict[str, Any]
TABLE: Json = orjson.loads(TABLE_FILE.read_bytes())
TYPES: frozenset[str] = frozenset(TABLE["types"])

# Open code systems (MIME types, languages, currencies, UCUM): their ValueSets list no codes.
OPEN_SYSTEMS = {"urn:ietf:bcp:13", "urn:ietf:bcp:47", "urn:iso:std:iso:4217", "http://unitsofmeasure.org"}
# A required ValueSet that is not in the official package (it is LOINC's).
ABSENT_VALUE_SETS = {"http://loinc.org/vs/LL379-9"}
# Where the table is right and different, and why.
EXCEPTIONS = {
    "ImplementationGuide.license": "several hundred SPDX codes on a resource that no record holds: left open",
    "ResearchStudy.status": "the package has the R5 codes; the published R4 4.0.1 has these",
    "ResearchStudy.studyDesign": "the package has this R5 element; the published R4 4.0.1 has not",
}


@cache
def official() -> dict[str, dict[str, Json]]:
    """resourceType → id → resource, of the official package; R4 4.0.1 only."""
    found: dict[str, dict[str, Json]] = {"StructureDefinition": {}, "ValueSet": {}, "CodeSystem": {}}
    with tarfile.open(SHARED / "conformance" / "r4-core.tar.xz") as archive:
        for member in archive:
            kind = member.name.rsplit("/")[-1].split("-")[0]
            if kind in found and (file := archive.extractfile(member)) is not None:
                one = json.load(file)
                found[kind][one["id"] if kind == "StructureDefinition" else one["url"]] = one
    return found


@cache
def codes_of(value_set: str) -> frozenset[tuple[str, str]] | None:
    """The (system, code) pairs of a ValueSet; None where it cannot be enumerated."""
    url = value_set.split("|")[0]
    if url in ABSENT_VALUE_SETS:
        return None
    pairs: set[tuple[str, str]] = set()
    compose = official()["ValueSet"][url]["compose"]
    assert "exclude" not in compose
    for part in compose["include"]:
        for inner in part.get("valueSet", []):
            within = codes_of(inner)
            if within is None:
                return None
            pairs |= within
        system = part.get("system")
        if "concept" in part:
            pairs |= {(system, c["code"]) for c in part["concept"]}
        elif system in OPEN_SYSTEMS:
            return None
        elif system:
            assert "filter" not in part
            pairs |= {(system, code) for code in all_codes(official()["CodeSystem"][system]["concept"])}
    return frozenset(pairs)


def all_codes(concepts: list[Json]) -> list[str]:
    return [code for c in concepts for code in [c["code"], *all_codes(c.get("concept", []))]]


def type_code(kind: Json) -> str:
    for extension in kind.get("extension", []):
        if extension["url"].endswith("structuredefinition-fhir-type"):
            return str(extension["valueUrl"])
    return str(kind["code"])


def lines(element: Json, name: str) -> dict[str, tuple[str, str, str, frozenset[tuple[str, str]] | None]]:
    """What the official element says: key in JSON → (cardinality, type, choice, codes)."""
    binding = element.get("binding", {})
    codes = codes_of(binding["valueSet"]) if binding.get("strength") == "required" else None
    many = "1" if element["max"] == "1" else "*"
    if not name.endswith("[x]"):
        kind = type_code(element["type"][0]) if "type" in element else ""
        return {name: (f"{element['min']}..{many}", kind, "", codes)}
    group = name.removesuffix("[x]")
    choice = f"{group}{'!' if element['min'] else ''}"
    kinds = [type_code(t) for t in element["type"]]
    return {
        f"{group}{k[0].upper()}{k[1:]}": (f"0..{many}", k, choice, codes if k in {"code", "CodeableConcept"} else None)
        for k in kinds
    }


def compare(type_name: str, path: str, by_parent: dict[str, list[Json]]) -> list[str]:
    """Every difference between the table and the official definition below ``path``."""
    expected: dict[str, tuple[str, str, str, frozenset[tuple[str, str]] | None]] = {}
    for one in by_parent.get(path, []):
        expected |= lines(one, one["path"].rsplit(".", 1)[1])
    info = type_info(type_name)
    found = [f"{path}.{key}: not in R4" for key in info.elements.keys() - expected.keys()]
    found += [f"{path}.{key}: missing: {expected[key]}" for key in expected.keys() - info.elements.keys()]
    for key in info.elements.keys() & expected.keys():
        cardinality, kind, choice, codes = expected[key]
        own = info.elements[key]
        below = f"{path}.{key}"
        own_choice = f"{own.choice}{'!' if own.choice in info.required_choices else ''}"
        own_cardinality = f"{int(own.required)}..{'*' if own.many else '1'}"
        if (own_cardinality, own_choice) != (cardinality, choice):
            found.append(f"{below}: {own_cardinality} {own_choice}, R4 says {cardinality} {choice}")
        if kind in {"BackboneElement", "Element"} and below in by_parent:
            found += compare(own.type, below, by_parent)
        elif kind and own.type != kind and (key, own.type, kind) != ("id", "id", "string"):
            found.append(f"{below}: {own.type}, R4 says {kind}")
        found += compare_codes(below, own, codes)
    return [line for line in found if line.partition(":")[0] not in EXCEPTIONS]


def compare_codes(path: str, own: Element, codes: frozenset[tuple[str, str]] | None) -> list[str]:
    if own.type == "CodeableConcept":
        listed = {(own.system, code) for code in own.codes}
        return [] if listed == (codes or set()) else [f"{path}: {sorted(listed)}, R4 says {sorted(codes or ())}"]
    bare = {code for _, code in codes or ()}
    return [] if set(own.codes) == bare else [f"{path}: {own.codes}, R4 says {'|'.join(sorted(bare)) or 'open'}"]


def by_parent(definition: Json) -> dict[str, list[Json]]:
    """Path → the elements directly below it, from the differentials up the chain of base definitions.

    The package's snapshots are not used: they hold elements that the published R4 4.0.1 has not (Meta.project …).
    """
    root = definition["type"]
    found: dict[str, list[Json]] = {}
    current = definition
    while True:
        for element in current["differential"]["element"]:
            _, _, rest = element["path"].partition(".")
            if rest:
                path = f"{root}.{rest}"
                found.setdefault(path.rsplit(".", 1)[0], []).append(element | {"path": path})
        if "baseDefinition" not in current:
            break
        current = official()["StructureDefinition"][current["baseDefinition"].rsplit("/", 1)[1]]
    inherited = {name: by_parent_of_base(name) for name in ("Element", "BackboneElement")}
    for path in [p for p in found if p != root]:
        [own] = [e for es in found.values() for e in es if e["path"] == path]
        kind = own["type"][0]["code"]
        found[path] += [e | {"path": f"{path}.{e['path'].rsplit('.')[-1]}"} for e in inherited[kind]]
    return found


@cache
def by_parent_of_base(name: str) -> list[Json]:
    """The elements that every Element, or BackboneElement, has."""
    own = [e for e in official()["StructureDefinition"][name]["differential"]["element"] if "." in e["path"]]
    return own + (by_parent_of_base("Element") if name == "BackboneElement" else [])


@cache
def official_names() -> frozenset[str]:
    return frozenset(
        name
        for name, definition in official()["StructureDefinition"].items()
        if definition.get("derivation") == "specialization" and definition["fhirVersion"] == "4.0.1"
    )


def test_every_element_of_every_type_is_what_r4_says() -> None:
    named = sorted(TYPES & official_names())
    definitions = official()["StructureDefinition"]
    assert [line for name in named for line in compare(name, name, by_parent(definitions[name]))] == []


def test_every_type_of_the_table_is_a_type_of_r4_or_part_of_one() -> None:
    named = TYPES & (official_names() | {"Element", "Resource"})
    assert {name for name in TYPES - named if not name.startswith(tuple(named - {"Element", "Resource"}))} == set()


def test_every_resource_type_of_r4_is_in_the_table_or_said_to_be_unsupported() -> None:
    definitions = official()["StructureDefinition"]
    resources = {n for n in official_names() if definitions[n]["kind"] == "resource" and not definitions[n]["abstract"]}
    assert resources == {*TABLE["resources"], *TABLE["notSupported"]}
    assert resources.isdisjoint(TABLE["otherVersions"])


@pytest.mark.parametrize("kept", ["resources", "notSupported"])
def test_lists_are_sorted_and_without_repeats(kept: str) -> None:
    assert TABLE[kept] == sorted(set(TABLE[kept]))
