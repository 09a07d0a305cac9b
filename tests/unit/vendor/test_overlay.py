"""A site's overlay says only what is different, and every mistake in it has its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.bootstrap import Adapter
from adapter.mapping import Mapping, load_mapping
from adapter.settings import Settings
from rules import ContentError
from tests.unit.vendor.folders import fates, resources, run, write

BASE = """\
name: base
version: 1.0.0
source: csv
patient: {table: p, key: id}
"""
BLOCKS = """\
- resource: Patient
  for_each: p
  id: [id]
  requires: [birthDate]
  identifier: [{value: {from: id}}]
  gender: {from: sex, map: sex}
  birthDate: {from: born, as: date}
  managingOrganization: {reference_to: provider}
- resource: Organization
  name: provider
  for_each: p
  id: [org]
  when: {org: present}
  identifier: [{value: {from: org}}]
- ignore: {p.note: notes are for the office}
"""
SITE = "name: site\nversion: 2.0.0\nextends: base\n"
ROW = "id,nhs,born,sex,org,note\n1,9,01/02/1990,F,RZZ99,n\n"


def site(path: Path, blocks: str, head: str = SITE, **more: str) -> Mapping:
    files = {"code_maps__sex.csv": "source,target\nF,female\nM,male\n", **more}
    write(path, base__mapping=BASE, base__blocks=BLOCKS, site__mapping=head, site__blocks=blocks, **files)
    return load_mapping(path / "site")


def made(mapping: Mapping) -> dict[str, dict[str, Any]]:
    (result,) = run(mapping, ROW)
    return {resource["resourceType"]: resource for resource in resources(result)}


def test_lines_are_replaced_added_and_removed(tmp_path: Path) -> None:
    mapping = site(
        tmp_path,
        """
- resource: Patient
  for_each: p
  birthDate: {from: born, as: {date: DD/MM/YYYY}}
  active: true
  add: {identifier: [{system: "urn:nhs", value: {from: nhs}}]}
  remove: [managingOrganization]
- resource: Basic
  for_each: p
  code: {text: {from: note}}
""",
    )
    found = made(mapping)
    patient = found["Patient"]
    assert patient["birthDate"] == "1990-02-01"
    assert patient["active"] is True
    assert patient["identifier"] == [{"value": "1"}, {"system": "urn:nhs", "value": "9"}]
    assert patient["gender"] == "female"
    assert "managingOrganization" not in patient
    assert found["Basic"]["code"] == {"text": "n"}
    assert (mapping.name, mapping.version) == ("site", "2.0.0")
    assert made(load_mapping(tmp_path / "base")).keys() == {"Organization"}


def test_a_block_is_removed_and_its_fields_are_reported_again(tmp_path: Path) -> None:
    mapping = site(tmp_path, "[]\n", SITE + "remove: [provider]\nformat: {dates: DD/MM/YYYY}\n")
    (result,) = run(mapping, ROW)
    assert [r["resourceType"] for r in resources(result)] == ["Patient"]
    assert "managingOrganization" not in resources(result)[0]
    assert fates(result)["p.org"] == "unmapped"
    assert fates(result)["p.note"] == "ignored"


def test_a_code_map_of_the_site_takes_the_place_of_the_bases_or_adds_to_it(tmp_path: Path) -> None:
    head = SITE + "format: {dates: DD/MM/YYYY}\n"
    own = {"site__code_maps__sex.csv": "# extends: sex\nsource,target\nF,other\n"}
    assert made(site(tmp_path, "[]\n", head, **own))["Patient"]["gender"] == "other"
    (result,) = run(load_mapping(tmp_path / "site"), ROW.replace(",F,", ",M,"))
    assert resources(result)[0]["gender"] == "male"


def test_when_and_identity_are_replaced_only_where_they_are_given(tmp_path: Path) -> None:
    mapping = site(
        tmp_path,
        "- {resource: Organization, name: provider, when: {org: [OTHER]}}\n",
        SITE + "format: {dates: DD/MM/YYYY}\n",
    )
    assert made(mapping).keys() == {"Patient"}


@pytest.mark.parametrize(
    ("blocks", "head", "place", "says"),
    [
        ("- {resource: Basic, name: provider}\n", SITE, r"blocks\.yaml:1:", "makes a Organization"),
        ("- {resource: Patient, for_each: p, remove: [photo]}\n", SITE, r"blocks\.yaml:1:", "remove lists elements of"),
        ("- {resource: Patient, for_each: p, add: {gender: [x]}}\n", SITE, r"blocks\.yaml:1:", "a list to a list"),
        ("- {resource: Patient, name: other, add: {name: []}}\n", SITE, r"blocks\.yaml:1:", "none is named so"),
        ("[]\n", SITE + "remove: [nobody]\n", r"mapping\.yaml:4:", "remove lists blocks of the base"),
        ("[]\n", SITE.replace("base", "nowhere"), r"mapping\.yaml:3:", "no mapping 'nowhere' to extend"),
        ("[]\n", SITE.replace("base", "site"), r"mapping\.yaml:3:", "no mapping 'site' to extend"),
        ("[]\n", SITE + "source: hl7v2\n", r"mapping\.yaml:4:", "reads the same source"),
        (
            "- {resource: Patient, for_each: p}\n- {resource: Patient, for_each: p}\n",
            SITE,
            r"blocks\.yaml:2:",
            "a block named Patient-p exists",
        ),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, blocks: str, head: str, place: str, says: str) -> None:
    with pytest.raises(ContentError, match=rf"{place}\d+: .*{says}"):
        site(tmp_path, blocks, head)


def test_a_site_extends_a_shipped_mapping_from_a_folder_of_its_own(tmp_path: Path) -> None:
    head = "name: msds\nversion: 1.0.0-site\nextends: msds\n"
    blocks = "- {resource: Organization, name: provider, active: true}\n"
    write(tmp_path, msds__mapping=head, msds__blocks=blocks)
    adapter = Adapter(Settings(MAPPINGS_PATH=tmp_path))  # type: ignore[call-arg]
    assert adapter.mapping("msds").version == "1.0.0-site"
    assert adapter.mapping("hl7v2").source == "hl7v2"
    assert adapter.has_mapping("example-csv")
    assert not adapter.has_mapping("../msds")
