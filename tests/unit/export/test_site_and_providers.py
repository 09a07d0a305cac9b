"""A site's own codes in an export, and the exports of several providers beside each other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from adapter.export import export_resources
from adapter.facts import load_site_codes
from adapter.records import Resource
from rules import load_pack
from tests.unit.export.test_command import refused, run
from tests.unit.export.test_resources import BASE, CANONICALS, content, of_kind, one, walk
from tests.unit.rules import tiny

COMMENT = "http://hl7.org/fhir/StructureDefinition/valueset-concept-comments"
PRIADEL = "766311000001100"
ROW = f'system,code,display,source\ndmd,{PRIADEL},Priadel 400mg modified-release tablets,"dm+d, looked up"\n'
FAMILY = "system,code,display,source,match\nicd10,F34,Persistent mood disorders,Local coding guide,prefix\n"


def codes(folder: Path, **lists: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in lists.items():
        (folder / f"{name.replace('_', '-')}.csv").write_text(text, encoding="utf-8")
    return folder


def of_site(folder: Path) -> list[Resource]:
    pack = load_pack()
    site = load_site_codes(folder, pack.folder / "codes")
    return export_resources(load_pack(build=site.identity), BASE, site=folder)


def test_a_sites_code_is_in_the_value_set_and_marked_as_the_sites(tmp_path: Path) -> None:
    made = one("ValueSet", "lithium", of_site(codes(tmp_path / "codes", lithium=ROW)))
    concepts = {each["code"]: each for include in made["compose"]["include"] for each in include.get("concept", [])}
    (comment,) = concepts[PRIADEL]["extension"]
    assert comment == {"url": COMMENT, "valueString": "Added by the site: lithium.csv, line 2: dm+d, looked up"}
    assert concepts[PRIADEL]["display"] == "Priadel 400mg modified-release tablets"
    (system,) = [each["system"] for each in made["compose"]["include"] if concepts[PRIADEL] in each.get("concept", [])]
    assert system == "https://dmd.nhs.uk"
    assert "With 1 code of the site's own." in made["description"]
    assert made["experimental"] is True
    own = one("ValueSet", "lithium")
    assert set(concepts) - {PRIADEL} == {
        each["code"] for include in own["compose"]["include"] for each in include.get("concept", [])
    }
    assert not any("extension" in each for code, each in concepts.items() if code != PRIADEL)


def test_a_family_of_codes_cannot_be_marked_and_is_said_in_the_description(tmp_path: Path) -> None:
    name = "acute-psychosis-or-mania"
    pack = {each.get("value") for each in one("ValueSet", name)["compose"]["include"][0].get("filter", [{}])}
    assert "F34" not in pack
    made = one("ValueSet", name, of_site(codes(tmp_path / "codes", acute_psychosis_or_mania=FAMILY)))
    filters = [include["filter"][0]["value"] for include in made["compose"]["include"] if "filter" in include]
    assert "F34" in filters
    assert "With 1 code of the site's own." in made["description"]


def test_the_sites_codes_are_part_of_every_version_and_of_no_other_list(tmp_path: Path) -> None:
    made = of_site(codes(tmp_path / "codes", lithium=ROW))
    (version,) = {each["version"] for each in made}
    assert re.fullmatch(r"\d+\.\d+\.\d+\+codes\.[0-9a-f]{12}", version)
    changed = [
        each["url"]
        for each, before in zip(made, export_resources(load_pack(), BASE), strict=True)
        if each["resourceType"] == "ValueSet" and each["compose"] != before["compose"]
    ]
    assert changed == [f"{BASE}/ValueSet/lithium"]


def test_the_command_takes_the_codes_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODES_PATH", str(codes(tmp_path / "codes", lithium=ROW)))
    assert run("--out", tmp_path / "out").exit_code == 0
    made = json.loads((tmp_path / "out" / "ValueSet-lithium.json").read_bytes())
    assert PRIADEL in json.dumps(made)
    assert "+codes." in made["version"]
    codes(tmp_path / "codes", lithium=ROW.replace(PRIADEL, "766311000001101"))
    refused(run("--out", tmp_path / "out"), "lithium.csv:2:1: no SNOMED CT or dm+d code")


# --- providers ----------------------------------------------------------------------------------------------------
AWAY = "provider: away\ntitle: Away\nparameters: {cut-off: 20}\n"


def both(folder: Path, provider: str = "away", policy: str = AWAY) -> tuple[list[Resource], list[Resource]]:
    tiny.write(folder)
    (folder / "providers" / f"{provider}.yaml").write_text(policy, encoding="utf-8")
    home, away = load_pack(folder), load_pack(folder, provider)
    return export_resources(home, BASE, apart=True), export_resources(away, BASE, apart=True)


def canonical(resource: Resource) -> str:
    return f"{resource['url']}|{resource['version']}"


def ids(resources: list[Resource]) -> set[tuple[str, str]]:
    return {(each["resourceType"], each["id"]) for each in resources}


def test_two_providers_exports_can_stand_beside_each_other(tmp_path: Path) -> None:
    home, away = both(tmp_path)
    shared = {canonical(each) for each in home} & {canonical(each) for each in away}
    same = [[each for each in made if canonical(each) in shared] for made in (home, away)]
    assert same[0] == same[1], "what has one canonical is one definition"
    assert {each["resourceType"] for each in same[0]} == {"ValueSet", "CodeSystem"}
    assert ids(home) & ids(away) == ids(same[0])
    assert len(ids(away)) == len(away)


def test_the_default_providers_export_keeps_the_canonicals_that_results_name(tmp_path: Path) -> None:
    home, away = both(tmp_path)
    assert canonical(one("PlanDefinition", "r1", home)) == f"{BASE}/PlanDefinition/r1|1.2.3"
    assert canonical(one("PlanDefinition", "r1", away)) == f"{BASE}/PlanDefinition/r1|1.2.3+away"
    assert one("PlanDefinition", "r1", home)["id"] == "r1"
    assert one("PlanDefinition", "r1", away)["id"] == "r1.away"


def test_whatever_points_points_within_the_same_export(tmp_path: Path) -> None:
    for made in both(tmp_path):
        known = {canonical(each) for each in made} | {
            each["url"] for each in made if each["resourceType"] == "CodeSystem"
        }
        pointed: list[Any] = []
        for resource in made:
            for node in walk(resource):
                for key in CANONICALS:
                    value = node.get(key, [])
                    pointed += [value] if isinstance(value, str) else value
        assert len(pointed) > 10
        assert {each for each in pointed if "|" in each} <= known
        (library,) = of_kind("Library", made)
        assert f"version '{library['version']}'" in content(library, "text/cql")
        assert (
            json.loads(content(library, "application/elm+json"))["library"]["identifier"]["version"]
            == library["version"]
        )


def test_an_id_with_a_long_name_of_a_provider_fits_and_is_its_own(tmp_path: Path) -> None:
    long = "a-provider-with-a-name-" * 4 + "that-is-long"
    _, away = both(tmp_path, long, AWAY.replace("provider: away", f"provider: {long}"))
    assert all(re.fullmatch(r"[A-Za-z0-9.-]{1,64}", ident) for _, ident in ids(away))
    assert len(ids(away)) == len(away)


def test_a_provider_and_a_sites_codes_are_both_in_the_version(tmp_path: Path) -> None:
    pack = load_pack(tiny.write(tmp_path), build="codes.0123456789ab")
    assert {each["version"] for each in export_resources(pack, BASE, apart=True)} == {"1.2.3+codes.0123456789ab"}
    (tmp_path / "providers" / "away.yaml").write_text(AWAY, encoding="utf-8")
    away = export_resources(load_pack(tmp_path, "away", "codes.0123456789ab"), BASE, apart=True)
    assert one("PlanDefinition", "r1", away)["version"] == "1.2.3+codes.0123456789ab.away"


def test_a_server_names_its_own_providers_definitions_as_its_results_do(tmp_path: Path) -> None:
    tiny.write(tmp_path)
    (tmp_path / "providers" / "away.yaml").write_text(AWAY, encoding="utf-8")
    made = export_resources(load_pack(tmp_path, "away"), BASE)
    assert canonical(one("PlanDefinition", "r1", made)) == f"{BASE}/PlanDefinition/r1|1.2.3"
    assert one("PlanDefinition", "r1", made)["id"] == "r1"


def test_the_command_keeps_two_providers_apart_in_one_folder(tmp_path: Path) -> None:
    pack = tiny.write(tmp_path / "pack")
    (pack / "providers" / "away.yaml").write_text(AWAY, encoding="utf-8")
    for provider in ("home", "away"):
        assert run(pack, "--out", tmp_path / "out", "--provider", provider).exit_code == 0
    found = {path.name for path in (tmp_path / "out").glob("PlanDefinition-*")}
    assert found == {f"PlanDefinition-{name}{own}.json" for name in ("tiny", "r1") for own in ("", ".away")}
    assert {path.name for path in (tmp_path / "out" / "logic").glob("*.cql")} == {"Tiny.cql", "Tiny.away.cql"}
